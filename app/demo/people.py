"""The fictional people of the demo: their accounts, their roles, and how each of them signs."""

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.errors import Unauthenticated
from core.people.actor import ADMINISTRATOR, Actor
from core.people.models import Person
from core.people.passwords import choose, matches
from core.people.proving import CheckedPassword, reauthenticate
from core.people.service import (
    Reauthentication,
    actor_of,
    create_person,
    find_actor,
    grant,
)
from core.records.content import RecordDraft
from core.records.models import Project

SIGN_INS_FILE = "demo-sign-ins.json"
"""In the data folder, readable by its owner alone."""

ADMINISTRATOR_UID = "PPL-ADMIN"
READERS = frozenset({"user"})
"""Roles that only read in the department's project."""


@dataclass(frozen=True)
class Account:
    """One demo account."""

    uid: str
    username: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class SignIns:
    """Every demo account and the one password they share."""

    password: str
    accounts: tuple[Account, ...]
    path: Path


@dataclass
class Signers:
    """People who act one after the other, each giving the password once per act of signing."""

    password: str
    _proofs: dict[str, Reauthentication] = field(default_factory=dict)
    _matching: set[str] = field(default_factory=set)
    """Hashes that are known to be of the password."""

    def actor(self, session: Session, uid: str) -> Actor:
        """Return a person with the roles they hold now."""
        return find_actor(session, uid)

    def proof(self, session: Session, actor: Actor) -> Reauthentication:
        """Return the proof of an act; the password is checked at its first signature."""
        if actor.uid not in self._proofs:
            self._proofs[actor.uid] = reauthenticate(session, actor, self._checked(session, actor))
        return self._proofs[actor.uid]

    def _checked(self, session: Session, actor: Actor) -> CheckedPassword:
        # Nobody else works while the demonstration is made, so a hash may be computed in here.
        stored = session.get_one(Person, actor.person_id).password_hash
        if stored not in self._matching:
            if not matches(self.password, stored):
                who = f"The demonstration's password is not the one of {actor.name}."
                raise Unauthenticated(who)
            self._matching.add(stored)
        return CheckedPassword(actor.person_id, stored)

    def next_act(self) -> None:
        """Forget every proof: whoever signs from here on gives the password again."""
        self._proofs.clear()


def accounts_of(drafts: Sequence[RecordDraft]) -> tuple[Account, ...]:
    """Return the accounts of the people of a design record, and an administrator."""
    people = [draft for draft in drafts if draft.type == "person" and draft.uid]
    return (
        *(
            Account(
                draft.uid or "",
                _username(draft.content.title),
                draft.content.title,
                tuple(draft.content.fields.get("roles") or ()),
            )
            for draft in people
        ),
        Account(ADMINISTRATOR_UID, "admin", "Demo Administrator", (ADMINISTRATOR,)),
    )


def _username(name: str) -> str:
    return ".".join(name.removeprefix("Dr ").lower().split())


def read_sign_ins(data_dir: Path, accounts: tuple[Account, ...]) -> SignIns:
    """Return the demo's sign-ins; the password is made once and kept for later runs."""
    path = data_dir / SIGN_INS_FILE
    if path.exists():
        password = str(json.loads(path.read_text("utf-8"))["password"])
        return SignIns(password, accounts, path)
    password = f"demo-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    document = {
        "about": "Accounts of fictional people of the Fiducial demonstration.",
        "password": password,
        "accounts": [
            {"username": one.username, "name": one.name, "roles": list(one.roles)}
            for one in accounts
        ],
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    return SignIns(password, accounts, path)


def create_accounts(db: Database, sign_ins: SignIns, tell: Callable[[int, int, str], None]) -> int:
    """Create the accounts that do not exist yet; return how many were created."""
    with db.reading() as session:
        known = set(session.scalars(select(col(Person.uid))))
    missing = [one for one in sign_ins.accounts if one.uid not in known]
    if not missing:
        return 0
    # One hash for the one password: a hash is made to take long, and hides nothing of it here.
    chosen = choose(sign_ins.password)
    for done, account in enumerate(missing):
        tell(done, len(missing), account.name)
        with db.writing() as session:
            person = create_person(
                session, account.username, account.uid, account.name, chosen, None
            )
            if ADMINISTRATOR in account.roles:
                grant(session, person, [ADMINISTRATOR], None)
    return len(missing)


def grant_roles(session: Session, project: Project, roles: Mapping[str, Sequence[str]]) -> None:
    """Give each person their roles in a project; a role that is held already stays as it is."""
    for person in session.scalars(select(Person).where(col(Person.uid).in_(roles))).all():
        held = actor_of(session, person).roles.get(project.id, frozenset())
        wanted = [role for role in roles[person.uid] if role not in held]
        if wanted:
            grant(session, person, wanted, None, project.id)


def roles_in_device(accounts: Sequence[Account]) -> dict[str, tuple[str, ...]]:
    """Return what each person may do with the device: what its record says of them."""
    return {one.uid: one.roles for one in accounts if ADMINISTRATOR not in one.roles}


def roles_in_department(accounts: Sequence[Account]) -> dict[str, tuple[str, ...]]:
    """Return what each person may do with the department map: its users read it."""
    return {
        uid: ("viewer",) if READERS.issuperset(roles) else roles
        for uid, roles in roles_in_device(accounts).items()
    }
