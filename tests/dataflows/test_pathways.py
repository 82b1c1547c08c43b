"""Pathways keep their order, and every break has a step number."""

from dataclasses import replace

import pytest

from dataflows.inventory import Department, Pathway, Step
from dataflows.pathways import StepFault, breaks, downstream, faults, walk


@pytest.mark.parametrize(
    ("uid", "steps", "entries"),
    [("P1", 53, 6), ("P2", 45, 6), ("P3", 41, 5), ("P4", 25, 4), ("P5", 20, 6)],
)
def test_the_demo_pathways_run_through_without_a_break(
    department: Department, uid: str, steps: int, entries: int
) -> None:
    pathway = department.pathways[uid]

    walked = list(walk(department, pathway))

    assert [step.number for step in walked] == list(range(1, steps + 1))
    assert sum(step.entry for step in walked) == entries
    assert faults(department, pathway) == ()


def test_together_the_demo_pathways_pass_over_every_connection(department: Department) -> None:
    walked = {step.connection for p in department.pathways.values() for step in p.steps}

    assert walked == set(department.connections)


@pytest.mark.parametrize("uid", ["P1", "P2", "P3", "P4", "P5"])
def test_unmarking_one_entry_makes_exactly_one_break_at_its_step(
    department: Department, uid: str
) -> None:
    pathway = department.pathways[uid]
    for index, step in enumerate(pathway.steps):
        if step.entry:
            steps = list(pathway.steps)
            steps[index] = replace(step, entry=False)

            found = breaks(department, replace(pathway, steps=tuple(steps)))

            assert [broken.number for broken in found] == [index + 1]


def test_every_kind_of_fault_is_found_and_said_with_its_number(small: Department) -> None:
    steps = (
        Step("C1"),
        Step("C4", entry=True),
        Step("C2"),
        Step("C2"),
        Step("C77"),
    )
    pathway = Pathway("P1", "", steps=steps)

    found = {step.number: step.faults for step in faults(small, pathway)}

    assert found == {
        1: (StepFault.BREAK,),
        2: (StepFault.IDLE_ENTRY,),
        4: (StepFault.REPEATED,),
        5: (StepFault.MISSING,),
    }
    assert str(breaks(small, pathway)[0]) == (
        "Step 1, C1 (A.1): it starts at a system that no earlier step has reached, "
        "and is not marked as an entry"
    )


def test_downstream_follows_the_order_of_the_pathway(small: Department) -> None:
    after = Pathway("P1", "", steps=(Step("C4", True), Step("C2")))
    before = Pathway("P2", "", steps=(Step("C2", True), Step("C4", True)))

    assert [s.uid for s in downstream(small, after, frozenset({"A.1"}))] == ["C4", "C2"]
    # C2 leaves before C4 arrives, so nothing that came from A.1 is on it.
    assert [s.uid for s in downstream(small, before, frozenset({"A.1"}))] == ["C4"]


def test_a_connection_touches_its_target_when_its_own_step_is_walked(small: Department) -> None:
    after = Pathway("P1", "", steps=(Step("C4", True), Step("C2")))
    before = Pathway("P2", "", steps=(Step("C2", True), Step("C4", True)))
    changed = frozenset({"C4"})

    assert [s.uid for s in downstream(small, after, frozenset(), changed)] == ["C2"]
    assert downstream(small, before, frozenset(), changed) == ()
