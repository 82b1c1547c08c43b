"""Steps of intake.feature: seeded faults through the clinical intake."""

# The sentence above each step says what it does; its arguments are fixtures of these files.
# ruff: noqa: ANN001, ANN201, D103

from pytest_bdd import given, scenarios, then, when

from engine.errors import NEXT_STEPS
from engine.intake.intake import examine
from engine.synth.faults import WITHOUT_FAULT, files_of

scenarios("intake.feature")

MORE_THAN_A_WORD = 20
"""A reason is a sentence, not a code repeated."""


@given("a plan set without fault", target_fixture="good_set")
def good_set(data_set, evidence):
    files = files_of(data_set("DS-002"), WITHOUT_FAULT)
    evidence.input("files", [file.name for file in files])
    return files


@when("it is taken in", target_fixture="good_report")
def take_in(good_set, reader):
    return examine(good_set, reader)


@then("it is accepted")
def accepted(good_report, evidence):
    codes = ", ".join(sorted(good_report.codes)) or "none"
    evidence.measure(
        "faults of the set without fault",
        actual=codes, expected="none", tolerance=None, unit="codes", comparison="equal",
    )  # fmt: skip
    evidence.measure(
        "set accepted",
        actual=good_report.accepted is not None, expected=True, tolerance=None, unit="",
        comparison="equal",
    )  # fmt: skip


@given("plan sets with these seeded mismatches", target_fixture="faulty_sets")
@given("plan sets with these seeded faults", target_fixture="faulty_sets")
def faulty_sets(datatable, data_set):
    place = data_set("DS-002")
    return [(name, codes, files_of(place, name)) for name, codes in datatable[1:]]


@when("each of them is taken in", target_fixture="reports")
def take_all_in(faulty_sets, reader):
    return [(name, codes, examine(files, reader)) for name, codes, files in faulty_sets]


@then("each is refused with exactly its codes")
def refused_by_code(reports, evidence):
    for name, codes, report in reports:
        evidence.measure(
            name,
            actual=", ".join(sorted(report.codes)) or "accepted", expected=codes, tolerance=None,
            unit="codes", comparison="equal",
        )  # fmt: skip
    evidence.measure(
        "sets accepted in spite of a fault",
        actual=sum(report.accepted is not None for _, _, report in reports), expected=0,
        tolerance=0, unit="sets", comparison="equal",
    )  # fmt: skip


@then("every refusal states a reason and a next step")
def reasons_stated(reports, evidence):
    faults = [fault for _, _, report in reports for fault in report.faults]
    evidence.attach(
        "refusals.txt", "\n".join(str(fault) for fault in faults).encode(), "text/plain"
    )
    stated = [
        fault
        for fault in faults
        if len(fault.what) >= MORE_THAN_A_WORD and len(fault.next_step) >= MORE_THAN_A_WORD
    ]
    evidence.measure(
        "faults with a reason and a next step",
        actual=len(stated), expected=len(faults), tolerance=0, unit="faults", comparison="equal",
    )  # fmt: skip
    used = {fault.code for fault in faults}
    evidence.measure(
        "codes without a standing next step",
        actual=len(used - NEXT_STEPS.keys()), expected=0, tolerance=0, unit="codes",
        comparison="equal",
    )  # fmt: skip
