"""A release says whose turn it is, and offers the step to nobody else."""

from dataclasses import replace

import pytest
from sqlmodel import Session, col, select

from core.clock import now
from core.people.models import Person
from core.people.service import grant
from core.records.models import Project
from core.records.service import find_project
from core.records.snapshot import RecordView, SignatureView
from qms.baselines.current import project_snapshot
from qms.releases.gathering import find_release
from qms.releases.pages import line_of, own_step, release_page
from qms.releases.turns import Turn, turn_of
from tests.qms.releases.conftest import Device

HOLDERS = {
    "PPL-AK": ["author", "quality_manager"],
    "PPL-CV": ["technical_reviewer"],
    "PPL-DM": ["clinical_safety_officer"],
    "PPL-EQ": ["quality_manager"],
}


@pytest.fixture
def staffed(device: Device) -> Device:
    """The demo device, whose people hold their roles in the project."""
    with device.db.writing() as session:
        project = find_project(session, "RPM")
        for uid, roles in HOLDERS.items():
            person = session.scalars(select(Person).where(col(Person.uid) == uid)).one()
            grant(session, person, roles, None, project.id)
    return device


def turn(device: Device, reader: str, *given: str, **parts: object) -> Turn | None:
    """Return whose turn it is, as somebody reads it, after some signatures."""

    def signed(release: RecordView) -> RecordView:
        seal = release.envelope_digest
        marks = tuple(SignatureView("Somebody", "", "", one, now(), seal) for one in given)
        return replace(release, signatures=marks, **parts)

    def ask(session: Session, project: Project) -> Turn | None:
        release = find_release(project_snapshot(session, project), "RPM", "0.1.0")
        return turn_of(session, project, signed(release), device.person(reader))

    with device.db.reading() as session:
        return ask(session, find_project(session, "RPM"))


def test_a_draft_is_submitted_by_who_wrote_it_and_by_nobody_else(staffed: Device) -> None:
    told = (
        "Amara Kole wrote it and submits it; after that it waits for the technical reviewer,"
        " clinical safety officer and quality manager."
    )

    assert turn(staffed, "PPL-AK") == Turn("Submit for signatures", mine=True, told=told)
    assert turn(staffed, "PPL-EQ") == Turn("Submit for signatures", mine=False, told=told)


def test_in_review_it_names_who_signs_next(staffed: Device) -> None:
    first = turn(staffed, "PPL-CV", "authored", state="in_review")
    other = turn(staffed, "PPL-EQ", "authored", state="in_review")
    later = turn(staffed, "PPL-DM", "authored", "reviewed", state="in_review")

    told = "Waits for the technical reviewer to sign as reviewed: Chidi Vance."
    assert first == Turn("Sign as reviewed", mine=True, told=told)
    assert other == Turn("Sign as reviewed", mine=False, told=told)
    assert later is not None
    assert (later.act, later.mine) == ("Sign as approved", True)


def test_an_author_who_holds_the_role_is_not_offered_the_signature(staffed: Device) -> None:
    before = ("authored", "reviewed", "approved")
    last = turn(staffed, "PPL-AK", *before, state="in_review")

    assert last is not None
    assert not last.mine
    assert last.told == "Waits for the quality manager to sign as released: Esther Quill."


def test_a_role_held_everywhere_is_held_here_too(device: Device) -> None:
    with device.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-CV")).one()
        grant(session, person, ["technical_reviewer"], None)

    waiting = turn(device, "PPL-CV", "authored", state="in_review")

    assert waiting is not None
    assert (waiting.mine, waiting.told.endswith("Chidi Vance.")) == (True, True)


def test_a_role_that_nobody_holds_is_said_so(device: Device) -> None:
    waiting = turn(device, "PPL-CV", "authored", state="in_review")

    assert waiting is not None
    assert waiting.told.endswith("nobody holds that role and may sign.")


@pytest.mark.parametrize("state", ["approved", "withdrawn"])
def test_what_is_decided_is_nobodys_turn(staffed: Device, state: str) -> None:
    assert turn(staffed, "PPL-AK", state=state) is None


def test_the_next_step_waits_for_who_wrote_the_release_and_says_who_else_may(
    staffed: Device,
) -> None:
    with staffed.db.reading() as session:
        project = find_project(session, "RPM")
        release = find_release(project_snapshot(session, project), "RPM", "0.1.0")
        line = line_of(session, project, release.uid)
        own, other = (
            own_step(session, project, line, staffed.person(uid)) for uid in ("PPL-AK", "PPL-EQ")
        )
        told = release_page(session, project, release.uid, staffed.person("PPL-EQ")).freezing

    assert line.current is not None
    assert (line.current.number, own, other) == (1, "Freeze the baseline", "")
    assert told == "Amara Kole, who wrote this release, freezes it."


def test_what_the_steps_mend_leads_to_the_steps_and_what_is_written_to_the_record(
    staffed: Device,
) -> None:
    with staffed.db.reading() as session:
        project = find_project(session, "RPM")
        release = find_release(project_snapshot(session, project), "RPM", "0.1.0")
        page = release_page(session, project, release.uid, staffed.person("PPL-EQ"))
        found = [one for rule in page.result.rules for one in rule.findings]

    own = {one.address for one in found if one.record == release.key}
    assert f"/p/RPM/releases/{release.uid}#steps" in own
    unsigned = [one for one in found if one.code == "F09"]
    assert {one.address for one in unsigned} == {f"/p/RPM/releases/{release.uid}#steps"}
