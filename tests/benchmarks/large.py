"""A large project for the benchmarks: needs, requirements, tests and risks, signed and in force."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from app.schema import upgrade_database
from app.tables import prepare
from core.clock import now
from core.db import Database, open_database
from core.ledger.chain import append
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of, grant
from core.records import lifecycle
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.models import Link, LinkReview, Record, Revision
from core.records.service import create_project
from core.records.types import get_registry
from core.signing.models import Signature

PROJECT = "BIG"
ROLES = ("author", "developer", "tester", "technical_reviewer", "quality_manager")
SIGNERS = {"authored": "Bea Igg", "reviewed": "Rex Iewer", "approved": "Quinn Ames"}
"""Who gives which signature: a record is never reviewed or approved by its author."""
SENTENCE = "The product shall show the dose-volume histogram of every structure, or say why not. "


def open_large(folder: Path, records: int) -> tuple[Database, Actor]:
    """Make a database in a folder with one project of so many records and four times the links.

    Returns
    -------
    database : Database
    actor : Actor
        Who holds every role in the project.
    """
    prepare()
    database = open_database(f"sqlite:///{folder / 'fiducial.db'}")
    upgrade_database(database)
    with database.writing() as session:
        project = create_project(session, PROJECT, f"A project of {records:,} records", None)
        person = Person(username="big", uid="PPL-BIG", name="Bea Igg", password_hash="")
        session.add(person)
        session.flush()
        grant(session, person, ROLES, None, project.id)
        actor = actor_of(session, person)
    with database.writing() as session:
        import_records(session, drafts(records), actor, get_registry())
    with database.writing() as session:
        _bring_into_force(session, actor)
    return database, actor


def draft(kind: str, uid: str, *links: LinkDraft, **fields: str) -> RecordDraft:
    """Return one record of the large project."""
    said = f"For case {uid}: {SENTENCE}It says so on the page. "
    content = Content(f"Record {uid} of the large project", said, fields, links)
    return RecordDraft(PROJECT, kind, uid, content)


def to(role: str, prefix: str, count: int, start: int, of: int) -> Sequence[LinkDraft]:
    """Return links to records of one prefix, their targets all different."""
    # A stride without a common factor with the count, so that the targets of one differ.
    return [LinkDraft(role, f"{prefix}-{(start + step * 37) % count:05d}") for step in range(of)]


def drafts(records: int) -> list[RecordDraft]:
    """Return the drafts: of twenty records 3 needs, 8 requirements, 8 tests and 1 risk.

    A project's own record and a candidate that delivers all of it come on top.
    """
    needs, requirements, tests, risks = (records * share // 20 for share in (3, 8, 8, 1))

    return [
        draft(
            "project",
            "PRJ-BIG",
            intended_use=SENTENCE,
            manufacturer="The department",
            regulatory_route="health institution exemption",
            software_class="B",
        ),
        draft(
            "release",
            "REL-001",
            LinkDraft("scope", "PRJ-BIG"),
            *to("meets", "UN", needs, 0, needs),
            *to("delivers", "REQ", requirements, 0, requirements),
            *to("tested_by", "TST", tests, 0, tests),
            version="1.0.0",
            stage="candidate",
            purpose=SENTENCE,
            git_tag="v1.0.0",
        ),
        *(draft("user_need", f"UN-{n:05d}", acceptance=SENTENCE) for n in range(needs)),
        *(draft("risk", f"RSK-{n:05d}", hazard=SENTENCE) for n in range(risks)),
        *(
            draft(
                "requirement",
                f"REQ-{n:05d}",
                *to("derives_from", "UN", needs, n, 4),
                *to("mitigates", "RSK", risks, n, 1),
                category="functional",
                acceptance=SENTENCE,
            )
            for n in range(requirements)
        ),
        *(
            draft(
                "test",
                f"TST-{n:05d}",
                *to("verifies", "REQ", requirements, n, 5),
                level="system",
                stage="OQ",
                method="automated",
            )
            for n in range(tests)
        ),
    ]


def _bring_into_force(session: Session, by: Actor) -> None:
    """Sign and approve everything but the candidate at once; one by one it would take minutes."""
    ids = {"authored": by.person_id, **_reviewers(session)}
    rows = session.execute(
        select(col(Revision.id), col(Record.type), col(Revision.envelope_digest))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .where(col(Record.type) != "release")
    ).all()
    session.execute(
        insert(Signature),
        [
            {
                "revision_id": revision,
                "person_id": ids[meaning],
                "printed_name": SIGNERS[meaning],
                "person_uid": f"PPL-{meaning.upper()}" if meaning != "authored" else by.uid,
                "role": roles[0],
                "meaning": meaning,
                "envelope_digest": envelope,
            }
            for revision, kind, envelope in rows
            for meaning, roles in get_registry().of(kind).sign.items()
        ],
    )
    whole = {"recorded": True, "synchronize_session": False}
    signed = col(Record.type) != "release"
    session.execute(
        update(Revision)
        .values(state=lifecycle.APPROVED, approved_at=now())
        .where(col(Revision.record_id).in_(select(col(Record.id)).where(signed))),
        execution_options=whole,
    )
    session.execute(
        update(Record).values(effective_id=col(Record.latest_id)).where(signed),
        execution_options=whole,
    )
    _review_links(session, by)
    append(session, "record:project:approve", by, None, PROJECT, {"records": len(rows)})


def _reviewers(session: Session) -> dict[str, int]:
    """Make the people who review and approve; returns their ids by what they sign as."""
    people = {
        meaning: Person(username=meaning, uid=f"PPL-{meaning.upper()}", name=name, password_hash="")
        for meaning, name in SIGNERS.items()
        if meaning != "authored"
    }
    session.add_all(people.values())
    session.flush()
    return {meaning: person.id or 0 for meaning, person in people.items()}


def _review_links(session: Session, by: Actor) -> None:
    known = select(col(Revision.record_id), col(Revision.fingerprint))
    prints = {row.record_id: row.fingerprint for row in session.execute(known)}
    links = session.execute(
        select(col(Revision.record_id), col(Link.role), col(Link.target_id)).join(
            Link, col(Link.revision_id) == col(Revision.id)
        )
    ).all()
    session.execute(
        insert(LinkReview),
        [
            {
                "source_id": source,
                "role": role,
                "target_id": target,
                "source_fingerprint": prints[source],
                "target_fingerprint": prints[target],
                "person_id": by.person_id,
                "person_name": by.name,
                "reason": "Both ends in force for the first time.",
            }
            for source, role, target in links
        ],
    )
