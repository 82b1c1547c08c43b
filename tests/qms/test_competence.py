"""Training counts when the person trained and somebody else signed it, on an approved document."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.clock import now
from core.errors import Conflict, Invalid, Refused
from core.records.approval import Signing, sign, submit
from core.records.audit import verify_audit
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.service import create_record
from core.records.types import get_registry
from core.records.waiting import waiting_to_sign
from qms.competence import missing_training
from tests.conftest import Office

pytestmark = pytest.mark.database

TODAY = now().date()
MATRIX = {"training_matrix": [{"role": "tester", "documents": ["DOC-001"]}]}
TRAINEE, AUTHOR, MANAGER = "PPL-FR", "PPL-AK", "PPL-EQ"


def training(
    done: date | None = TODAY, outcome: str = "complete", revision: int | None = 1
) -> Content:
    fields = {"outcome": outcome} | ({"done": done.isoformat()} if done else {})
    covers = {"revision": revision} if revision else {}
    links = (LinkDraft("person", TRAINEE), LinkDraft("covers", "DOC-001", None, covers))
    return Content("Executing runs", "", fields, links)


@pytest.fixture
def department(office: Office) -> Office:
    """Farid Rowe as a record, and a plan in force that testers must be trained on."""
    with office.writing() as session:
        project, author = office.project(session), office.staff[AUTHOR]
        create_record(session, project, "project", Content("Device", "", MATRIX), author)
        person = Content("Farid Rowe", "", {"roles": ["tester"]})
        create_record(session, project, "person", person, author, uid=TRAINEE)
        plan = Content("Plan", "Text.", {"kind": "plan"})
        create_record(session, project, "document", plan, author, uid="DOC-001")
        create_record(session, project, "document", plan, author, uid="DOC-002")
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        submit(session, record, author, office.proof(AUTHOR), read)
    signed(office, MANAGER, "approved", "quality_manager", "DOC-001")
    return office


def recorded(office: Office, content: Content, by: str = AUTHOR) -> None:
    with office.writing() as session:
        create_record(session, office.project(session), "training", content, office.staff[by])


def signed(office: Office, by: str, meaning: str, role: str, uid: str = "TRN-001") -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        sign(session, record, Signing(meaning, role), office.staff[by], office.proof(by), read)


def lacking(office: Office) -> str:
    with office.reading() as session:
        return " ".join(missing_training(session, "RPM", TRAINEE, "tester"))


def test_a_training_counts_once_both_have_signed_it(department: Office) -> None:
    recorded(department, training())
    assert "is not signed by the person" in lacking(department)

    signed(department, TRAINEE, "attended", "trainee")
    assert "is not signed by the person" in lacking(department)
    signed(department, MANAGER, "approved", "quality_manager")

    assert lacking(department) == ""
    with department.reading() as session:
        assert verify_audit(session).findings == []


def test_nobody_trains_themselves(department: Office) -> None:
    """Farid holds every role there is; the second signature still is somebody else's."""
    farid = department.staff[TRAINEE]
    everything = {None: frozenset({"trainer", "quality_manager", "author"})}
    department.staff[TRAINEE] = replace(farid, roles=everything)
    recorded(department, training(), by=TRAINEE)
    signed(department, TRAINEE, "attended", "trainee")

    with pytest.raises(Refused, match="is about Farid Rowe"):
        signed(department, TRAINEE, "approved", "quality_manager")


def test_nobody_attended_for_somebody_else(department: Office) -> None:
    recorded(department, training())

    with pytest.raises(Refused, match="Only PPL-FR whom TRN-001 is about"):
        signed(department, MANAGER, "attended", "trainee")
    with pytest.raises(Conflict, match="it must be attended first"):
        signed(department, MANAGER, "approved", "quality_manager")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (training(TODAY - timedelta(days=2)), "done-before"),
        (training(TODAY + timedelta(days=2)), "done-later"),
        (training(revision=2), "not-approved"),
        (training(revision=None), "no-revision"),
        (training(done=None), "not-done"),
    ],
)
def test_a_training_that_cannot_have_been_is_not_recorded(
    department: Office, content: Content, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        recorded(department, content)

    assert [fault.code for fault in refusal.value.faults] == [code]


def test_a_planned_training_is_recorded_and_signed_by_nobody(department: Office) -> None:
    recorded(department, training(None, "planned", 7))

    with pytest.raises(Conflict, match="is signed only with outcome 'complete'"):
        signed(department, TRAINEE, "attended", "trainee")
    with department.reading() as session:
        projects = [department.project(session)]
        assert waiting_to_sign(session, department.staff[TRAINEE], projects) == []


def test_an_imported_training_is_not_signed_where_it_cannot_have_been(department: Office) -> None:
    early = RecordDraft(
        "RPM", "training", "TRN-001", training(TODAY - timedelta(days=200)), state="recorded"
    )
    with department.writing() as session:
        import_records(session, [early], department.staff[AUTHOR], get_registry())

    with pytest.raises(Invalid) as refusal:
        signed(department, TRAINEE, "attended", "trainee")

    assert [fault.code for fault in refusal.value.faults] == ["done-before"]


def test_a_complete_training_waits_for_the_person_then_for_who_confirms_it(
    department: Office,
) -> None:
    recorded(department, training())

    def waits(uid: str) -> list[tuple[str, str]]:
        with department.reading() as session:
            projects = [department.project(session)]
            found = waiting_to_sign(session, department.staff[uid], projects)
            return [(one.key.uid, one.meaning) for one in found]

    assert (waits(TRAINEE), waits(MANAGER)) == ([("TRN-001", "attended")], [])
    signed(department, TRAINEE, "attended", "trainee")
    assert (waits(TRAINEE), waits(MANAGER)) == ([], [("TRN-001", "approved")])
