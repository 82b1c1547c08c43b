"""Whoever wrote on a revision answers for it as its author, and in no other way."""

from dataclasses import replace

import pytest

from core.canonical import digest
from core.errors import Refused
from core.records.approval import Signing, sign, signatures_of, submit
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.queries import load_snapshot
from core.records.service import create_record, latest_revision, save_draft
from core.records.snapshot import Key
from core.records.writing import envelope_document
from tests.conftest import Office

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-003")]

PLAN = Content("Plan", "Text.", {"kind": "plan"})


@pytest.fixture
def plan(office: Office) -> Office:
    """DOC-001, a draft by Amara Kole; Farid Rowe, Chidi Vance and Esther Quill may write too."""
    with office.writing() as session:
        create_record(session, office.project(session), "document", PLAN, office.staff["PPL-AK"])
    number = next(iter(office.staff["PPL-AK"].roles))
    for uid in ("PPL-FR", "PPL-CV", "PPL-EQ"):
        held = office.staff[uid].roles[number] | {"author"}
        office.staff[uid] = replace(office.staff[uid], roles={number: held})
    return office


def co_written(office: Office, *people: str) -> None:
    for number, uid in enumerate(people):
        with office.writing() as session:
            changed = Content("Plan", f"Text {number} by {uid}.", {"kind": "plan"})
            record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
            save_draft(session, record, changed, office.staff[uid], read)


def submitted(office: Office, by: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        submit(session, record, office.staff[by], office.proof(by), read)


def test_only_who_wrote_on_a_revision_submits_it(plan: Office) -> None:
    with pytest.raises(Refused, match="did not write revision 1 of DOC-001") as refusal:
        submitted(plan, "PPL-FR")

    assert "Amara Kole did" in refusal.value.message
    with plan.reading() as session:
        revision = latest_revision(session, plan.record(session, "DOC-001"))
        assert (revision.state, signatures_of(session, revision)) == ("draft", [])


def test_a_co_author_submits_and_signs_as_author(plan: Office) -> None:
    co_written(plan, "PPL-FR")
    submitted(plan, "PPL-FR")

    with plan.reading() as session:
        revision = latest_revision(session, plan.record(session, "DOC-001"))
        [given] = signatures_of(session, revision)
        assert (given.person_uid, given.meaning) == ("PPL-FR", "authored")
        view = load_snapshot(session).records[Key("RPM", "DOC-001")]
        assert (view.author_uid, view.co_authors) == ("PPL-AK", ("PPL-FR",))
        assert verify_audit(session).findings == []


def test_no_co_author_approves(plan: Office) -> None:
    co_written(plan, "PPL-FR", "PPL-EQ")
    submitted(plan, "PPL-AK")

    with pytest.raises(Refused, match="Esther Quill wrote revision 1"), plan.writing() as session:
        sign(
            session,
            plan.record(session, "DOC-001"),
            Signing("approved", "quality_manager"),
            plan.staff["PPL-EQ"],
            plan.proof("PPL-EQ"),
            plan.read(session, "DOC-001"),
        )


def test_a_signature_binds_who_wrote_and_not_only_how_many(plan: Office) -> None:
    co_written(plan, "PPL-FR")

    with plan.reading() as session:
        revision = latest_revision(session, plan.record(session, "DOC-001"))
        said = envelope_document(revision)
        assert said["co_authors"] == ["PPL-FR"]
        assert said["format"] == "fiducial-envelope/2"
        assert digest({**said, "co_authors": ["PPL-CV"]}) != revision.envelope_digest
