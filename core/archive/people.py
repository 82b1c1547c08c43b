"""The people of a project where it arrives: known by their uid, or without a way to sign in."""

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as sqlmodel_select

from core.archive.inserting import Inserting
from core.archive.register import PERSON
from core.archive.rows import Row, key_of
from core.blobs import BlobStore
from core.clock import now
from core.db import insert_into
from core.errors import Fault
from core.ledger.chain import append
from core.people.actor import Actor
from core.people.deputies.models import Deputyship
from core.people.deputies.service import NEVER_LENT
from core.people.models import Person, RoleGrant
from core.people.roles import known_roles
from core.records.models import Project

NO_PASSWORD = ""
"""No password has this hash, so nobody signs in until an administrator gives one."""


def people_faults(session: Session, rows: Collection[Row], same: Collection[str]) -> list[Fault]:
    """Name everybody whose uid is somebody else's here, as far as names tell.

    Parameters
    ----------
    same : collection of str
        Uids of people of whom somebody said that they are the same under another name.
    """
    known = _known(session, rows)
    return [
        Fault(
            "person",
            row["uid"],
            f"is {row['name']} in the archive and {known[row['uid']].name} here.",
            f"If they are one person, say --same-person {row['uid']}; if they are two, the one "
            "here needs another uid before anything is imported.",
        )
        for row in rows
        if row["uid"] in known and known[row["uid"]].name != row["name"] and row["uid"] not in same
    ]


def role_faults(session: Session, project: Project, _files: BlobStore) -> list[Fault]:
    """Return every role that somebody brought and that cannot be held, or lent, in a project."""
    held = select(col(RoleGrant.role)).where(
        col(RoleGrant.project_id) == project.id, col(RoleGrant.revoked_at).is_(None)
    )
    lent = select(col(Deputyship.role)).where(col(Deputyship.project_id) == project.id)
    roles = set(known_roles())
    mend = "Name it in roles.yaml of the department's types first."
    return [
        *(
            Fault("role", f"{project.key} {one[:60]}", "is held there and is no role here.", mend)
            for one in sorted(set(session.scalars(held)) - roles)
        ),
        *(
            Fault("role", f"{project.key} {one[:60]}", "is lent there and can be lent to nobody.")
            for one in sorted(set(session.scalars(lent)) & set(NEVER_LENT))
        ),
    ]


def bring_people(
    session: Session, rows: Collection[Row], into: Inserting, by: Actor, archive: str
) -> list[str]:
    """Find or make everybody; return the uids of those who were made."""
    known, made = _known(session, rows), []
    taken = set(session.execute(select(col(Person.username))).scalars())
    for row in rows:
        person = known.get(row["uid"])
        if person is None:
            username = _free(str(row["username"]), taken)
            taken.add(username)
            person = _made(session, username, row)
            made.append(person.uid)
            into.witness(PERSON, person.id or 0, person)
            told = {"username": username, "archive": archive, "active": False}
            append(session, "person:account:create", by, subject=person.uid, data=told)
        into.ids[PERSON][key_of(row["uid"])] = person.id or 0
    return made


def _made(session: Session, username: str, row: Row) -> Person:
    values = {
        "username": username,
        "uid": row["uid"],
        "name": row["name"],
        "password_hash": NO_PASSWORD,
        "password_given_at": None,
        "active": False,
        "created_at": now(),
    }
    session.execute(insert_into(session, Person).values(**values))
    return session.exec(sqlmodel_select(Person).where(col(Person.uid) == row["uid"])).one()


def _free(username: str, taken: Collection[str]) -> str:
    if username not in taken:
        return username
    return next(
        one for one in (f"{username[:50]}.{n}" for n in range(2, 10_000)) if one not in taken
    )


def _known(session: Session, rows: Collection[Row]) -> dict[str, Person]:
    wanted = {row["uid"] for row in rows}
    people = session.execute(select(Person)).scalars()
    return {one.uid: one for one in people if one.uid in wanted}
