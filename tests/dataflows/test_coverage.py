"""What has no QA is named, exactly."""

from dataclasses import replace

from dataflows.coverage import coverage, programme
from dataflows.inventory import Department, Procedure


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


def test_the_programme_of_a_system_lists_its_qa_by_event(department: Department) -> None:
    found = programme(department, "PQA")

    assert {f: [p.slug for p in ps] for f, ps in found.items()} == {
        "monthly": ["rpm-end-to-end-monthly"]
    }
    assert set(programme(department, "TPS")) == {"annual", "on-upgrade", "monthly"}


def test_a_procedure_that_nobody_approved_is_told_apart(small: Department) -> None:
    draft, approved = (
        Procedure("QA-1", "Draft", connections=("C1", "C2")),
        Procedure("QA-2", "Approved", connections=("C2",), pathways=("P1",)),
    )
    procedures = {"QA-1": draft, "QA-2": approved}

    found = coverage(replace(small, procedures=procedures, drafts=frozenset({"QA-1"})))

    assert found.only_drafts == ("C1",)
    assert [c.uid for c in found.external] == ["C3"]
