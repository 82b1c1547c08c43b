"""What has no QA is named, exactly."""

from dataclasses import replace

import pytest

from dataflows.coverage import (
    Event,
    by_event,
    connections_by_event,
    coverage,
    pathways_by_event,
)
from dataflows.inventory import Department, Procedure

pytestmark = pytest.mark.verifies("TST-016")


def test_the_demo_has_exactly_ten_external_connections_and_two_pathways_without_qa(
    department: Department,
) -> None:
    found = coverage(department)

    assert [c.uid for c in found.external] == [
        "C022", "C033", "C035", "C046", "C047", "C048", "C051", "C059", "C061", "C064",
    ]  # fmt: skip
    assert [p.uid for p in found.pathways] == ["P3", "P5"]
    assert (found.external_total, found.internal_total, found.pathway_total) == (65, 26, 5)
    assert len(found.internal) == 26
    assert found.idle == ()
    assert not found.complete


def test_a_procedure_covers_the_connection_it_names_and_no_other(department: Department) -> None:
    extra = Procedure("QA-900", "Plan archive read-back", connections=("C022",))

    found = coverage(replace(department, procedures={**department.procedures, "QA-900": extra}))

    assert len(found.external) == 9
    assert "C022" not in {c.uid for c in found.external}


def test_an_end_to_end_test_does_not_cover_the_connections_on_its_way(
    department: Department,
) -> None:
    steps = {step.connection for step in department.pathways["P1"].steps}

    assert "P1" in department.qa_of_pathway
    assert "C046" in steps
    assert "C046" in {c.uid for c in coverage(department).external}


def test_a_procedure_that_controls_nothing_is_named(small: Department) -> None:
    department = replace(small, procedures={"QA-1": Procedure("QA-1", "Forgotten")})

    assert [p.uid for p in coverage(department).idle] == ["QA-1"]


def test_covering_everything_makes_the_coverage_complete(small: Department) -> None:
    every = Procedure("QA-1", "All", connections=("C1", "C2", "C3"))

    found = coverage(replace(small, procedures={"QA-1": every}))

    assert found.complete
    assert [c.uid for c in found.internal] == ["C4"]


def test_the_coverage_by_event_has_the_same_gaps_as_the_coverage(department: Department) -> None:
    found = coverage(department)

    rows = (*connections_by_event(department), *pathways_by_event(department))

    gaps = [one.uid for one in rows if not one.covered and "inside" not in one.kind]
    assert gaps == [c.uid for c in found.external] + ["P3", "P5"]
    assert len(rows) == 91 + 5


def test_each_event_lists_what_is_tested_and_what_is_not(department: Department) -> None:
    rows = (*connections_by_event(department), *pathways_by_event(department))

    events = {at.event: at for at in by_event(rows)}

    assert list(events) == list(Event)
    for at in events.values():
        assert {one.uid for one in at.tested}.isdisjoint(one.uid for one in at.untested)
        assert len(at.tested) + len(at.untested) == 65 + 5
    assert "C023" in {one.uid for one in events[Event.PERIODIC].tested}
    assert "C023" in {one.uid for one in events[Event.UPGRADE].untested}


def test_a_frequency_is_for_one_event_and_none_for_none(small: Department) -> None:
    procedures = {
        uid: Procedure(uid, uid, frequency=frequency, connections=("C1",))
        for uid, frequency in (
            ("QA-1", "acceptance"),
            ("QA-2", "commissioning"),
            ("QA-3", "on-upgrade"),
            ("QA-4", "daily"),
            ("QA-5", ""),
        )
    }

    [row] = connections_by_event(replace(small, procedures=procedures), ["C1"])

    assert {event.value: [p.uid for p in row.at[event]] for event in Event} == {
        "acceptance": ["QA-1"],
        "commissioning": ["QA-2"],
        "upgrade": ["QA-3"],
        "periodic": ["QA-4"],
    }
    assert [p.uid for p in row.unscheduled] == ["QA-5"]
    assert row.missing == ()


def test_a_procedure_that_nobody_approved_is_told_apart(small: Department) -> None:
    draft, approved = (
        Procedure("QA-1", "Draft", connections=("C1", "C2")),
        Procedure("QA-2", "Approved", connections=("C2",), pathways=("P1",)),
    )
    procedures = {"QA-1": draft, "QA-2": approved}

    found = coverage(replace(small, procedures=procedures, drafts=frozenset({"QA-1"})))

    assert found.only_drafts == ("C1",)
    assert [c.uid for c in found.external] == ["C3"]
