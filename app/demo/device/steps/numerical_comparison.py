"""Steps of numerical_comparison.feature: published data against declared figures."""

# The sentence above each step says what it does; its arguments are fixtures of these files.
# ruff: noqa: ANN001, ANN201, D103

import json
import os
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from engine.comparison import compare
from engine.published import load_expectations

scenarios("numerical_comparison.feature")


@given(parsers.parse('the declared figures "{name}"'), target_fixture="declared")
def declared(name, evidence):
    expectations = load_expectations(name)
    evidence.input("source", expectations.source)
    evidence.input("parameters", expectations.parameters.as_dict())
    evidence.input("why these parameters", expectations.parameters_reason)
    return expectations


@given("the data folder of this run", target_fixture="folder")
def folder(declared, evidence):
    named = os.environ.get("FIDUCIAL_RUN_DATA")
    if not named:
        pytest.fail("This run was given no data folder; name it with --data.")
    for kind, file in declared.files.items():
        evidence.input(kind, file)
    return Path(named)


@when(
    "the declared metrics are computed under the declared parameters", target_fixture="comparison"
)
def comparison(folder, declared, reader, evidence):
    found = compare(folder, declared, reader)
    provenance = found.dose_result.provenance.as_dict()
    evidence.attach(
        "result.json", json.dumps(found.dose_result.as_dict()).encode(), "application/json"
    )
    for item in provenance["inputs"]:
        evidence.input(f"SHA-256 of {item['file']}", item["sha256"])
    return found


@then("each figure is within its declared tolerance")
def within(comparison, evidence):
    for one in comparison.comparisons:
        evidence.measure(
            one.expected.name,
            actual=one.actual, expected=one.expected.value, tolerance=one.expected.tolerance,
            unit=one.expected.unit,
        )  # fmt: skip
