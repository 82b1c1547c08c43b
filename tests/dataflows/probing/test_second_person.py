"""What a destination list proposes is accepted by a second person, or it does not count."""

from collections.abc import Sequence

import pytest
from sqlmodel import Session

from core.errors import Conflict, Invalid, Refused
from core.people.actor import Actor
from core.records import approval, lifecycle
from core.records.approval import Signing
from core.records.content import Content, LinkDraft
from core.records.service import create_record, edit_token, latest_revision, read_content
from dataflows.inventory import Department
from dataflows.probing import drifting
from dataflows.probing.drifting import Report
from dataflows.service import read_department
from tests.conftest import Office

pytestmark = pytest.mark.database

AUTHOR, REVIEWER, MANAGER = "PPL-AK", "PPL-CV", "PPL-EQ"
MOVED = b"AE title,host,port\nARC,192.0.2.99,11112\nNEW,192.0.2.98,104\n"


def association(ae: str, host: str, port: int) -> dict:
    return {"role": "store", "scu_ae": "CT", "scp_ae": ae, "scp_host": host, "scp_port": port,
            "service": "Storage"}  # fmt: skip


@pytest.fixture
def mapped(office: Office, all_trained: None) -> Office:
    """A scanner that stores to an archive, approved by other people than its author."""
    fields = {
        "category": "dicom", "protocol": "DICOM C-STORE", "data_types": ["CT Image"],
        "trigger": "automatic", "mode": "push", "responsible": "Imaging",
        "surveyed_from": "interview", "surveyed_on": "2026-11-01", "surveyed_by": "Imaging",
        "associations": [association("ARC", "192.0.2.11", 104)],
    }  # fmt: skip
    system = {"kind": "archive", "owner": "Imaging", "criticality": "high"}
    ends = (LinkDraft("from_system", "CT"), LinkDraft("to_system", "ARC"))
    with office.writing() as session:
        by, project = office.staff[AUTHOR], office.project(session)
        for uid in ("CT", "ARC"):
            create_record(session, project, "system", Content(uid, fields=system), by, uid=uid)
        content = Content("CT to archive", fields=fields, links=ends)
        create_record(session, project, "connection", content, by, uid="C1")
        for uid in ("CT", "ARC", "C1"):
            approve(session, office, uid)
    return office


def approve(session: Session, office: Office, uid: str) -> None:
    submit(session, office, uid)
    sign(session, office, uid, "reviewed", "technical_reviewer", REVIEWER)
    sign(session, office, uid, "approved", "quality_manager", MANAGER)


def submit(session: Session, office: Office, uid: str) -> None:
    record, read = office.record(session, uid), office.read(session, uid)
    approval.submit(session, record, office.staff[AUTHOR], office.proof(AUTHOR), read)


def sign(
    session: Session, office: Office, uid: str, meaning: str, role: str, who: str | Actor
) -> None:
    by = office.staff[who] if isinstance(who, str) else who
    record, read = office.record(session, uid), office.read(session, uid)
    approval.sign(session, record, Signing(meaning, role), by, office.proof(by.uid), read)


def department_of(session: Session, office: Office) -> Department:
    return read_department(session, office.key, office.staff[AUTHOR])


def imported(session: Session, office: Office, content: bytes = MOVED) -> Report:
    by, project = office.staff[AUTHOR], office.project(session)
    department = department_of(session, office)
    kept = drifting.import_list(session, project, department, "CT", "ct.csv", content, by)
    return drifting.report(department, kept)


def propose(session: Session, office: Office, found: Report, *uids: str) -> Sequence[str]:
    by, project = office.staff[AUTHOR], office.project(session)
    return [record.uid for record in drifting.propose(session, project, found, uids, by)]


def endpoint_in_force(office: Office) -> tuple[str, str, int]:
    with office.reading() as session:
        [one] = department_of(session, office).connections["C1"].associations
        return one.scp_ae, one.scp_host, one.scp_port


def test_an_import_changes_nothing(mapped: Office) -> None:
    with mapped.writing() as session:
        found = imported(session, mapped)

    assert found.drift.told == "1 added, 0 removed, 1 changed, 0 the same"
    assert list(found.proposable) == ["C1"]
    assert endpoint_in_force(mapped) == ("ARC", "192.0.2.11", 104)
    with mapped.reading() as session:
        assert latest_revision(session, mapped.record(session, "C1")).number == 1


def test_a_proposal_counts_when_a_second_person_has_approved_it(mapped: Office) -> None:
    with mapped.writing() as session:
        assert propose(session, mapped, imported(session, mapped)) == ["C1"]
        draft = latest_revision(session, mapped.record(session, "C1"))
        assert (draft.number, draft.state) == (2, lifecycle.DRAFT)
        assert draft.reason.startswith("Destination list of CT (ct.csv, imported ")
        assert "ARC at 192.0.2.11:104 is ARC at 192.0.2.99:11112." in draft.reason
    assert endpoint_in_force(mapped) == ("ARC", "192.0.2.11", 104)

    with mapped.writing() as session:
        submit(session, mapped, "C1")
        sign(session, mapped, "C1", "reviewed", "technical_reviewer", REVIEWER)
    assert endpoint_in_force(mapped) == ("ARC", "192.0.2.11", 104)
    with mapped.writing() as session:
        sign(session, mapped, "C1", "approved", "quality_manager", MANAGER)

    assert endpoint_in_force(mapped) == ("ARC", "192.0.2.99", 11112)
    with mapped.reading() as session:
        [listed] = drifting.lists_of(session, mapped.project(session))
        drift = drifting.report(department_of(session, mapped), listed).drift
        assert drift.told == "1 added, 0 removed, 0 changed, 1 the same"


@pytest.mark.parametrize(
    ("meaning", "role"), [("reviewed", "technical_reviewer"), ("approved", "quality_manager")]
)
def test_who_proposed_can_neither_review_nor_approve_it(
    mapped: Office, meaning: str, role: str
) -> None:
    """Not even holding every role: it is the author who is refused, not the role."""
    everything = frozenset({"author", "technical_reviewer", "quality_manager"})
    author = mapped.staff[AUTHOR]
    almighty = Actor(author.person_id, author.name, author.uid, {None: everything})
    with mapped.writing() as session:
        propose(session, mapped, imported(session, mapped))
        submit(session, mapped, "C1")

    with pytest.raises(Refused), mapped.writing() as session:
        sign(session, mapped, "C1", meaning, role, almighty)

    assert endpoint_in_force(mapped) == ("ARC", "192.0.2.11", 104)


def test_a_connection_that_somebody_works_on_is_refused_by_name(mapped: Office) -> None:
    with mapped.writing() as session:
        propose(session, mapped, imported(session, mapped))

    with pytest.raises(Invalid) as refused, mapped.writing() as session:
        propose(session, mapped, imported(session, mapped), "C1", "C2")
    assert [str(fault) for fault in refused.value.faults] == [
        "C1: has a draft of Amara Kole already. Finish or discard that first.",
        "C2: has no changed endpoint in this list.",
    ]

    with mapped.writing() as session:
        submit(session, mapped, "C1")
    with (
        pytest.raises(Invalid, match="Nothing was proposed") as refused,
        mapped.writing() as session,
    ):
        propose(session, mapped, imported(session, mapped))
    assert "is in review" in str(refused.value.faults[0])


def test_without_a_change_there_is_nothing_to_propose(mapped: Office) -> None:
    with mapped.writing() as session:
        found = imported(session, mapped, b"ae,host,port\nARC,192.0.2.11,104\n")
        assert found.drift.is_none
        with pytest.raises(Conflict, match="nothing to do"):
            propose(session, mapped, found)


def test_only_the_newest_list_of_a_system_is_proposed_from(mapped: Office) -> None:
    with mapped.writing() as session:
        old = imported(session, mapped)
        newest = imported(session, mapped, b"ae,host,port\nARC,192.0.2.77,104\n")
        with pytest.raises(Conflict, match=r"CT has a newer list, ct.csv of .*; propose from that"):
            propose(session, mapped, old)
        assert latest_revision(session, mapped.record(session, "C1")).number == 1

        assert propose(session, mapped, newest) == ["C1"]


def test_who_only_reads_proposes_nothing(mapped: Office) -> None:
    with mapped.writing() as session:
        listed = imported(session, mapped).listed.id or 0

    with mapped.writing() as session:
        project, viewer = mapped.project(session), mapped.staff["PPL-VW"]
        kept = drifting.find_list(session, project, listed)
        found = drifting.report(department_of(session, mapped), kept)
        with pytest.raises(Refused):
            drifting.propose(session, project, found, (), viewer)

    with mapped.reading() as session:
        record = mapped.record(session, "C1")
        content = read_content(session, record)
        assert edit_token(latest_revision(session, record))
        assert content.fields["associations"] == [association("ARC", "192.0.2.11", 104)]
