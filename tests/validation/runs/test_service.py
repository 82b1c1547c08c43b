"""Starting a run: everything that can be checked at once is, and every fault is told."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.errors import Conflict, Invalid, NotFound, Refused
from core.jobs import service as jobs
from core.jobs.models import Job
from core.ledger.models import LedgerEntry
from core.people.service import Reauthentication
from core.records import service as records
from core.records.withdrawing import withdraw
from tests.validation.runs.devices import adding_device
from validation.runs.listing import run_lines
from validation.runs.models import Run
from validation.runs.plain import run_as_plain, standing
from validation.runs.service import Deviation, find_run, job_of, note_deviation
from validation.runs.signing import deviation_digest

pytestmark = pytest.mark.verifies("TST-021")


def codes(refusal) -> list[str]:
    return [fault.code for fault in refusal.value.faults]


def nothing_was_left(department) -> bool:
    with department.db.reading() as session:
        return not session.scalars(select(Run)).all() and not session.scalars(select(Job)).all()


@pytest.mark.database
def test_a_start_keeps_run_tests_job_and_audit_entry_together(department):
    number = department.start()

    run = department.look(number, run_as_plain)
    assert (number, run["state"], run["verdict"]) == (1, "queued", "queued")
    assert [test["uid"] for test in run["tests"]] == ["TST-001", "TST-002"]
    assert [test["revision"] for test in run["tests"]] == [1, 1]
    assert department.look(number, lambda s, r: job_of(s, r).payload) == {"run": 1}

    def entry(session, _run):
        found = session.scalars(
            select(LedgerEntry).where(col(LedgerEntry.action) == "run:run:start")
        ).one()
        return found.person_name, found.details["commit"]

    commit = department.device.repository.head.commit.hexsha
    assert department.look(number, entry) == ("Farid Rowe", commit)


@pytest.mark.parametrize("by", ["PPL-AK", "PPL-CV", "PPL-VW"])
def test_who_may_not_execute_a_protocol_is_refused(department, by):
    with pytest.raises(Refused, match="validation_tester or release_manager"):
        department.start(by)

    assert nothing_was_left(department)


def test_a_release_manager_may_start_a_run(department):
    number = department.start("PPL-EQ")

    assert department.look(number, lambda _s, run: run.tester_role) == "release_manager"


@pytest.mark.database
def test_every_fault_of_a_request_is_told_at_once(empty_department, tmp_path):
    empty_department.add_test("TST-001", "Drafted", approved=False)
    empty_department.add_test("TST-002", "Withdrawn")
    with empty_department.db.writing() as session:
        record = records.find_record(session, empty_department.project(session), "TST-002")
        read = records.edit_token(records.latest_revision(session, record))
        manager = empty_department.actors["PPL-EQ"]
        proof = Reauthentication(manager.person_id)
        withdraw(session, record, manager, "Wrong.", read, proof)
    empty_department.add_release("REL-0.1.0", "v9.9.9", ["TST-001", "TST-002"])

    with pytest.raises(Invalid) as refusal:
        empty_department.start(data=tmp_path)

    assert codes(refusal) == [
        "tag-missing",
        "test-unapproved",
        "test-unapproved",
        "data-not-taken",
    ]
    assert "TST-001: is draft;" in str(refusal.value)
    assert "TST-002: is withdrawn;" in str(refusal.value)
    assert nothing_was_left(empty_department)


def test_the_revision_in_force_is_executed_while_a_newer_draft_is_written(department):
    with department.db.writing() as session:
        record = records.find_record(session, department.project(session), "TST-001")
        latest = records.latest_revision(session, record)
        content = records.read_content(session, record)
        changed = type(content)("Another title", content.body, content.fields, content.links)
        token = records.edit_token(latest)
        records.save_draft(session, record, changed, department.actors["PPL-AK"], token)

    run = department.look(department.start(), run_as_plain)

    assert run["tests"][0]["title"] == "Two numbers are added"
    assert run["tests"][0]["revision"] == 1


@pytest.mark.parametrize("release", ["", "9.9.9", "REL-9"])
def test_an_unknown_release_is_named_with_those_there_are(department, release):
    with pytest.raises(Invalid) as refusal:
        department.start(release=release)

    assert "release-unknown" in codes(refusal)
    assert "REL-0.1.0" in str(refusal.value)


def test_a_release_without_tests_or_tag_is_refused(department):
    department.add_release("REL-0.3.0", "", [])

    with pytest.raises(Invalid) as refusal:
        department.start(release="REL-0.3.0")

    assert codes(refusal) == ["tag-missing", "release-untested"]


def test_a_release_that_states_another_commit_than_its_tag_is_refused(department):
    department.add_release("REL-0.4.0", "v0.1.0", ["TST-001"], commit="f" * 40)

    with pytest.raises(Invalid) as refusal:
        department.start(release="REL-0.4.0")

    assert codes(refusal) == ["tag-moved"]


def test_an_unknown_protocol_is_refused(department):
    with pytest.raises(NotFound, match="verification and numerical"):
        department.start(protocol="smoke")


def test_a_second_run_waits_for_the_first(department):
    department.start()

    with pytest.raises(Conflict, match="Run 1 of this protocol is queued"):
        department.start(reason="again")


@pytest.mark.database
def test_a_rerun_names_its_predecessor_and_its_reason_and_hides_nothing(department):
    department.execute()

    with pytest.raises(Invalid) as refusal:
        department.start()
    assert codes(refusal) == ["reason-missing"]

    second = department.execute(reason="The reviewer asked for it.")
    run = department.look(second, run_as_plain)
    assert (second, run["predecessor"], run["reason"]) == (2, 1, "The reviewer asked for it.")

    with department.db.reading() as session:
        lines = run_lines(session, department.project(session))
    assert [(line.number, line.predecessor) for line in lines] == [(2, 1), (1, None)]


def test_a_rerun_of_something_else_is_refused(with_run):
    with_run.add_release("REL-0.2.0", "v0.1.0", ["TST-001"])

    with pytest.raises(Invalid) as refusal:
        with_run.start(release="REL-0.2.0", predecessor=1, reason="again")

    assert codes(refusal) == ["predecessor-unknown"]


@pytest.mark.database
def test_a_run_whose_job_was_cancelled_stands_stopped_and_may_be_repeated(department):
    number = department.start()
    with department.db.writing() as session:
        run = find_run(session, department.project(session), number)
        jobs.cancel(session, job_of(session, run), department.actors["PPL-FR"])

    assert department.look(number, lambda s, r: standing(r, job_of(s, r))) == "stopped"
    assert department.look(number, run_as_plain)["verdict"] == "stopped"
    assert department.start(reason="The first was cancelled.") == 2


def test_numbers_count_per_project(department):
    with department.db.writing() as session:
        other = records.create_project(session, "DEPT", "Department", None)
        with pytest.raises(NotFound, match="DEPT has no run 1"):
            find_run(session, other, 1)


@pytest.mark.database
def test_a_deviation_needs_all_three_sentences_and_is_noted_for_good(department):
    number = department.start()

    def note(**told):
        with department.db.writing() as session:
            run = find_run(session, department.project(session), number)
            deviation = Deviation(**{"what": "", "effect": "", "disposition": "", **told})
            by = department.actors["PPL-FR"]
            note_deviation(session, run, deviation, by, Reauthentication(by.person_id))

    with pytest.raises(Invalid) as refusal:
        note(what="The lamp went out.")
    assert [fault.where for fault in refusal.value.faults] == ["effect", "disposition"]
    note(what="The lamp went out.", effect="None.", disposition="Accepted.")

    [event] = department.look(number, run_as_plain)["events"]
    assert (event["kind"], event["by"]) == ("deviation", "Farid Rowe")
    signed = event["data"].pop("signed")
    assert event["data"] == {"effect": "None.", "disposition": "Accepted."}
    assert (signed["uid"], signed["role"], signed["meaning"]) == (
        "PPL-FR",
        "validation_tester",
        "noted",
    )
    assert signed["digest"] == deviation_digest(
        "RPM",
        str(number),
        "PPL-FR",
        "validation_tester",
        "The lamp went out.",
        "None.",
        "Accepted.",
    )


def test_a_tag_in_two_repositories_at_two_commits_is_refused(department, tmp_path):
    other = adding_device(tmp_path / "other")
    other.write({"README.md": "another"})
    other.repository.delete_tag("v0.1.0")
    other.commit("v0.1.0")
    department.add_device(other, "other")

    with pytest.raises(Conflict, match="several commits"):
        department.start()
