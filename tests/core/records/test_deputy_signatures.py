"""What a deputy signs says for whom, everywhere, and binds it; nothing else is lent."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from core.canonical import digest, rfc3339
from core.errors import Conflict, Refused
from core.ledger.guards import install_guards
from core.ledger.models import LedgerEntry
from core.people.deputies import lending
from core.people.deputies.service import Wish, name_deputy
from core.people.models import Person
from core.people.service import find_actor, grant
from core.records import approval
from core.records.approval import Signing, sign, signature_digest, submit
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.queries import load_snapshot
from core.records.service import create_record
from core.records.snapshot import Key
from core.records.withdrawing import withdraw
from core.signing.models import Signature
from tests.conftest import Office
from tests.core.conftest import Browser, words_of
from tests.core.ledger.test_witness import drop_guards
from tests.core.records.test_pages import NEED, write
from tests.core.records.test_pages import sign as sign_on_page
from tests.core.records.test_pages import submit as submit_on_page
from validation.pack.entries import record_entries
from validation.pack.frozen import final_signature, snapshot_at
from validation.runs.service import role_to_run

pytestmark = pytest.mark.database

Open = Callable[[str], Browser]
CAPACITY = "quality manager as deputy for Esther Quill"
NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
FIELDS = {"stakeholder": "Physicist", "acceptance": "Numbers agree."}


@pytest.fixture(autouse=True)
def _on_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no night fall while a test is under way."""
    monkeypatch.setattr(lending, "now", lambda: NOON)


def lend(office: Office, deputy: str, role: str = "quality_manager", of: str = "PPL-EQ") -> None:
    """Let somebody hold a role of somebody else for eight days from today on."""
    first = lending.today()
    wish = Wish(role, of, deputy, str(first), str(first + timedelta(days=7)), "Annual leave.")
    with office.writing() as session:
        by = find_actor(session, "PPL-EQ")
        name_deputy(session, office.project(session), wish, by)


def submitted(office: Office, kind: str = "user_need", fields: Any = None) -> str:
    """Write a record and hand it to review, without the pages; return its uid."""
    amara, proof = office.staff["PPL-AK"], office.proof("PPL-AK")
    with office.writing() as session:
        project = office.project(session)
        content = Content("Trust the numbers", "Right.", fields or FIELDS)
        uid = create_record(session, project, kind, content, amara).uid
        submit(session, office.record(session, uid), amara, proof, office.read(session, uid))
    return uid


def give(office: Office, uid: str, who: str, role: str, meaning: str = "approved") -> None:
    """Sign a record in review."""
    with office.writing() as session:
        signing, by = Signing(meaning, role), find_actor(session, who)
        record, read = office.record(session, uid), office.read(session, uid)
        sign(session, record, signing, by, office.proof(who), read)


@pytest.fixture
def signed(office: Office) -> Office:
    """UN-001, which Chidi approved in place of Esther."""
    lend(office, "PPL-CV")
    give(office, submitted(office), "PPL-CV", "quality_manager")
    return office


def test_the_pages_the_list_and_the_print_say_for_whom(
    office: Office, browser_of: Open, need: Any, tmp_path: Path
) -> None:
    lend(office, "PPL-CV")
    amara, chidi = browser_of("PPL-AK"), browser_of("PPL-CV")
    write(amara, "user_need", NEED)
    submit_on_page(amara, "UN-001")
    waiting = words_of(chidi.open("/p/RPM/sign").text)
    offered = words_of(chidi.open("/p/RPM/UN-001").text)

    after = words_of(sign_on_page(chidi, "UN-001").text)

    told = amara.client.get("/api/p/RPM/records/UN-001").json()["signatures"]
    printed = tmp_path / "un.pdf"
    printed.write_bytes(amara.client.get("/p/RPM/UN-001/document.pdf").content)
    command = [str(need("poppler")), "-layout", str(printed), "-"]
    paper = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert f"approved ({CAPACITY})" in waiting
    assert f"In the role {CAPACITY} ." in offered
    assert f"Chidi Vance , {CAPACITY}: approved" in after
    assert CAPACITY in words_of(amara.open("/p/RPM/UN-001/history/1").text)
    assert [(one["role"], one["deputy_for"]) for one in told] == [
        ("author", None), ("quality_manager", "Esther Quill"),
    ]  # fmt: skip
    assert {"deputy", "for", "Esther", "Quill"} <= set(paper.split())


def test_a_pack_says_for_whom(signed: Office) -> None:
    with signed.reading() as session:
        project, record = signed.project(session), signed.record(session, "UN-001")
        frozen = snapshot_at(session, ["RPM"], final_signature(session, project, record))
        [entry] = record_entries(session, frozen, [Key("RPM", "UN-001")])
        [_, approved] = load_snapshot(session, ["RPM"]).records[Key("RPM", "UN-001")].signatures

    assert [one.role for one in entry.signatures] == ["author", CAPACITY]
    assert approved.role == "quality_manager"
    assert approved.signer == "Chidi Vance as deputy for Esther Quill"


def test_the_trail_binds_for_whom(signed: Office) -> None:
    with signed.reading() as session:
        before = verify_audit(session)
        last = session.execute(
            select(LedgerEntry).where(LedgerEntry.action == "record:user_need:sign")
        ).scalars().all()[-1]  # fmt: skip
        assert last.details["deputy_for"] == "PPL-EQ"
    with signed.database.engine.begin() as connection:
        drop_guards(connection)
        connection.execute(text("UPDATE signature SET deputy_for = '', deputy_for_uid = ''"))
        install_guards(connection)

    with signed.reading() as session:
        after = verify_audit(session)

    assert before.findings == []
    assert [one.code for one in after.findings] == ["signature", "signature"]


def test_a_signature_of_ones_own_keeps_the_digest_it_always_had(office: Office) -> None:
    uid = submitted(office)
    with office.reading() as session:
        one = session.execute(select(Signature)).scalars().one()
        said = {
            "revision_id": one.revision_id, "name": "Amara Kole", "uid": "PPL-AK",
            "role": "author", "meaning": "authored", "at": rfc3339(one.at),
            "envelope": one.envelope_digest, "reason": "",
        }  # fmt: skip

        assert signature_digest(one) == digest(said)
        assert office.record(session, uid).effective_id is None


def test_a_deputy_does_not_approve_what_they_wrote(office: Office) -> None:
    lend(office, "PPL-AK")
    uid = submitted(office)

    with pytest.raises(Refused, match="wrote revision 1"):
        give(office, uid, "PPL-AK", "quality_manager")


def test_nobody_lends_a_signature_on_what_they_wrote(office: Office, browser_of: Open) -> None:
    with office.writing() as session:
        esther = session.execute(select(Person).where(col(Person.uid) == "PPL-EQ")).scalar_one()
        grant(session, esther, ["author"], None, office.project(session).id)
    lend(office, "PPL-CV")
    with office.writing() as session:
        writer, proof = find_actor(session, "PPL-EQ"), office.proof("PPL-EQ")
        content = Content("Trust the numbers", "Right.", FIELDS)
        uid = create_record(session, office.project(session), "user_need", content, writer).uid
        submit(session, office.record(session, uid), writer, proof, office.read(session, uid))

    page = browser_of("PPL-CV").open(f"/p/RPM/{uid}").text

    assert "Sign as approved" not in page
    with pytest.raises(Refused, match="for Esther Quill, who could not sign"):
        give(office, uid, "PPL-CV", "quality_manager")


def test_a_deputy_of_an_author_signs_as_authored_what_they_wrote_themselves(
    office: Office,
) -> None:
    lend(office, "PPL-CV", "author", "PPL-AK")
    with office.writing() as session:
        chidi, proof = find_actor(session, "PPL-CV"), office.proof("PPL-CV")
        content = Content("Trust the numbers", "Right.", FIELDS)
        own = create_record(session, office.project(session), "user_need", content, chidi)
        submit(session, own, chidi, proof, office.read(session, own.uid))
    others = submitted(office)

    with pytest.raises(Conflict):
        give(office, others, "PPL-CV", "author", "authored")
    with office.reading() as session:
        first = session.execute(select(Signature).order_by(Signature.id)).scalars().first()
        assert first is not None
        assert first.capacity == "author as deputy for Amara Kole"


def test_a_role_of_ones_own_comes_before_a_lent_one(office: Office) -> None:
    lend(office, "PPL-DM")
    uid = submitted(office)
    with office.reading() as session:
        dana = find_actor(session, "PPL-DM")
        project = office.project(session).id or 0

        assert dana.held_of(project, ["quality_manager", "clinical_lead"])[0] == "clinical_lead"

    give(office, uid, "PPL-DM", "clinical_lead")
    with office.reading() as session:
        assert [one.deputy_for for one in session.execute(select(Signature)).scalars()] == ["", ""]


def test_training_is_the_deputys_own(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    lend(office, "PPL-FR", "technical_reviewer", "PPL-CV")
    uid = submitted(office, "test", {"method": "manual", "level": "system", "stage": "OQ"})
    asked = []

    def lacking(_session: Any, _project: str, person: str, role: str) -> tuple[str, ...]:
        asked.append((person, role))
        return () if person == "PPL-CV" else ("Training on the plan is missing.",)

    monkeypatch.setattr(approval.ports, "training", lacking)

    with pytest.raises(Refused, match="Training on the plan is missing"):
        give(office, uid, "PPL-FR", "technical_reviewer", "reviewed")

    assert asked == [("PPL-FR", "technical_reviewer")]


def test_after_the_last_day_nothing_is_signed_and_what_was_signed_stays(
    signed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = submitted(signed)
    monkeypatch.setattr(lending, "now", lambda: NOON + timedelta(days=8))

    with pytest.raises(Refused, match="may not sign"):
        give(signed, uid, "PPL-CV", "quality_manager")

    with signed.reading() as session:
        assert [one.capacity for one in session.execute(select(Signature)).scalars()] == [
            "author", CAPACITY, "author",
        ]  # fmt: skip
        assert verify_audit(session).findings == []


def test_withdrawing_as_deputy_is_in_the_trail_and_a_run_is_too(signed: Office) -> None:
    lend(signed, "PPL-VW", "tester", "PPL-FR")
    with signed.writing() as session:
        chidi, record = find_actor(session, "PPL-CV"), signed.record(session, "UN-001")
        read, proof = signed.read(session, "UN-001"), signed.proof("PPL-CV")
        withdraw(session, record, chidi, "Not needed.", read, proof)
    with signed.reading() as session:
        vera, project = find_actor(session, "PPL-VW"), signed.project(session)
        last = session.execute(
            select(LedgerEntry).where(LedgerEntry.action == "record:user_need:withdraw")
        ).scalar_one()

        assert (last.details["role"], last.details["deputy_for"]) == ("quality_manager", "PPL-EQ")
        assert role_to_run(project, vera) == "tester as deputy for Farid Rowe"
