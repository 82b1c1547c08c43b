"""A signed release is told of the changes that it holds as they were accepted then."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from core import ports
from core.db import Database, open_database
from core.people.service import Reauthentication, find_actor
from core.qa_controls import ControlWord, QaControl
from core.records.approval import Signing, sign, submit
from core.records.content import Content, LinkDraft
from core.records.issues import Decision, decide
from core.records.models import Record
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.snapshot import Key
from core.records.withdrawing import withdraw
from qms.rules.check import check
from qms.rules.facts import RuleInput
from qms.rules.packs import framework_pack
from tests.conftest import Office
from tests.core.records.test_acceptance import IMPACTS, MANAGER, SAID, accepted, change, moved
from tests.demonstration import BuiltDemo
from validation.pack.frozen import final_signature, frozen_input
from validation.pack.job import build_release_pack

__all__ = ["change"]


def frozen(session: Session, uid: str) -> RuleInput:
    project = find_project(session, "RPM")
    signed = final_signature(session, project, find_record(session, project, uid))
    return frozen_input(session, project, Key("RPM", uid), signed)


def held(session: Session, uid: str) -> tuple[Record, str]:
    """Return a record and what a form remembers of it."""
    record = find_record(session, find_project(session, "RPM"), uid)
    return record, edit_token(latest_revision(session, record))


@pytest.fixture
def released(change: Office) -> Office:
    """CR-001 is accepted and closed; then UN-001 is signed, which stands for a release here."""
    accepted(change)
    moved(change, "in_work")
    amara, esther, proof = change.staff["PPL-AK"], change.staff["PPL-EQ"], change.proof
    with change.writing() as session:
        create_record(session, change.project(session), "test", Content("It is right"), amara)
        record, read = held(session, "CR-001")
        verified = (IMPACTS, LinkDraft("verified_by", "TST-001"))
        content = replace(read_content(session, record), links=verified)
        save_draft(session, record, content, amara, read)
    moved(change, "verifying")
    with change.writing() as session:
        record, read = held(session, "CR-001")
        decide(session, record, Decision("closed", MANAGER, "So."), esther, proof("PPL-EQ"), read)
        content = Content("Numbers", "Right.", {"stakeholder": "Physicist", "acceptance": "Agree."})
        need = create_record(session, change.project(session), "user_need", content, amara)
        submit(session, need, amara, proof("PPL-AK"), held(session, "UN-001")[1])
        signing, read = Signing("approved", MANAGER), held(session, "UN-001")[1]
        sign(session, need, signing, esther, proof("PPL-EQ"), read)
    return change


def reopen_and_edit(office: Office) -> None:
    moved(office, "open")
    with office.writing() as session:
        record, read = held(session, "CR-001")
        content = replace(read_content(session, record), title="Another", fields={**SAID})
        save_draft(session, record, content, office.staff["PPL-AK"], read)


def take_back(office: Office) -> None:
    with office.writing() as session:
        record, read = held(session, "CR-001")
        withdraw(session, record, office.staff["PPL-EQ"], "So.", read, office.proof("PPL-EQ"))


def both(office: Office) -> None:
    reopen_and_edit(office)
    take_back(office)


@pytest.mark.database
@pytest.mark.parametrize("later", [reopen_and_edit, take_back, both])
def test_a_change_is_accepted_in_what_was_signed_whatever_becomes_of_it(
    released: Office, later: Callable[[Office], None]
) -> None:
    with released.reading() as session:
        before = frozen(session, "UN-001")

    later(released)

    with released.reading() as session:
        after = frozen(session, "UN-001")
    assert before.facts.unaccepted == {"CR-001": (), "CR-002": ("accepted",)}
    assert after.facts.unaccepted == before.facts.unaccepted
    first, again = (check(given, framework_pack()) for given in (before, after))
    assert again == first
    assert not [rule.findings for rule in first.rules if rule.code == "F01" and rule.findings]


@pytest.mark.database
def test_qa_is_judged_as_it_was_known_at_the_final_signature(released: Office) -> None:
    def told(session: Session, project: str, at: datetime | None) -> list[QaControl]:
        del session
        why = "now" if at is None else at.isoformat()
        watched = frozenset({Key(project, "REQ-001")})
        return [QaControl(Key("DEPT", "QA-022"), watched, ControlWord.NOT_EFFECTIVE, why)]

    with released.reading() as session, ports.qa_control_source.filled(told):
        project = find_project(session, "RPM")
        signed = final_signature(session, project, find_record(session, project, "UN-001"))
        [[control]] = frozen(session, "UN-001").facts.qa.values()

    assert control.why == signed.at.isoformat()


@pytest.fixture
def overtaken(demo_copy: BuiltDemo):
    """The demonstration; of its two accepted changes one was edited since, the other withdrawn."""
    db = open_database(demo_copy.settings.database, demo_copy.data_dir)
    with db.writing() as session:
        record, read = held(session, "CR-001")
        content = replace(read_content(session, record), title="Another scope")
        save_draft(session, record, content, find_actor(session, "PPL-AK"), read)
        record, read = held(session, "CR-002")
        esther = find_actor(session, "PPL-EQ")
        withdraw(session, record, esther, "So.", read, Reauthentication(esther.person_id))
    yield db
    db.engine.dispose()


@pytest.mark.slow
def test_the_pack_is_the_same_after_its_changes_were_edited_and_withdrawn(
    overtaken: Database, demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    with overtaken.reading() as session:
        given = frozen(session, "REL-0.1.0")
    made = build_release_pack(overtaken, demo_copy.settings, "RPM", "0.1.0", tmp_path / "again.zip")

    assert given.facts.unaccepted == {"CR-001": (), "CR-002": ()}
    assert hashlib.sha256(made.read_bytes()).digest() == (
        hashlib.sha256(demo_copy.pack.read_bytes()).digest()
    )
