"""One fault for each rule, in a department that keeps everything: caught, and told in few words.

The faults are the ones that the tests beside this one seed; here each is counted as a reader of
the release check meets it, with everything else it sets off.
"""

import inspect
from collections.abc import Callable, Iterator
from statistics import mean
from types import ModuleType
from typing import Any

import pytest

from qms.rules.registry import RULES
from tests.qms.rules import (
    test_design,
    test_evidence,
    test_identity,
    test_models,
    test_outside,
    test_registers,
    test_release,
    test_risk,
    test_soup,
    test_surroundings,
)
from tests.qms.rules.conftest import Case

pytestmark = pytest.mark.verifies("TST-008")

FAMILIES: tuple[ModuleType, ...] = (
    test_identity,
    test_design,
    test_soup,
    test_risk,
    test_evidence,
    test_outside,
    test_release,
    test_registers,
    test_surroundings,
    test_models,
)


class Named(Exception):
    """The test came to the point where it says which rule must name which records."""


def faults() -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """Yield every test that seeds a fault, with the first of its parameters."""
    for family in FAMILIES:
        for name, test in vars(family).items():
            if not name.startswith("test_") or ".must_name(" not in inspect.getsource(test):
                continue
            given: dict[str, Any] = {}
            for mark in getattr(test, "pytestmark", []):
                names, values = mark.args
                names = names.split(",") if isinstance(names, str) else names
                first = values[0] if len(names) > 1 else [values[0]]
                given.update(zip((one.strip() for one in names), first, strict=True))
            yield f"{family.__name__}.{name}", test, given


def seeded(test: Callable[..., None], given: dict[str, Any], case: Case) -> tuple[str, list[str]]:
    """Let a test seed its fault; return the rule and the records that it expects to be named."""
    named: list[tuple[str, list[str]]] = []

    def note(code: str, *uids: str) -> None:
        named.append((code, sorted(uids)))
        raise Named

    case.must_name = note  # type: ignore[method-assign]
    fixture = next(one for one in inspect.signature(test).parameters if one in ("demo", "whole"))
    with pytest.raises(Named):
        test(**{fixture: case}, **given)
    return named[0]


@pytest.fixture(scope="module")
def told(design_record: Any, registry: Any) -> dict[str, list[str]]:
    """Every finding on the first fault that is seeded for each rule."""
    from tests.qms.rules.conftest import whole_case

    sentences: dict[str, list[str]] = {}
    for _, test, given in faults():
        case = whole_case(design_record, registry)
        code, uids = seeded(test, given, case)
        if code in sentences or not uids:
            continue
        findings = [one for one in case.check().findings if not one.waiver]
        sentences[code] = [one.sentence for one in findings]
        assert {one.record.uid for one in findings if one.code == code} >= set(uids), code
    return sentences


def test_every_rule_catches_the_fault_seeded_for_it(told: dict[str, list[str]]) -> None:
    assert set(told) == set(RULES)


def test_a_fault_is_told_in_two_findings_or_less(told: dict[str, list[str]]) -> None:
    """On average: some faults truly are several, as a missing policy is for each risk."""
    longest = sorted(told.items(), key=lambda item: -len(item[1]))[:5]

    assert mean(map(len, told.values())) <= 2, longest
