"""Faults seeded in third-party components: family C."""

from dataclasses import replace
from datetime import timedelta

from qms.rules.facts import Declared
from qms.soup.components import Component


def test_component_without_supplier(demo) -> None:
    demo.fill("SOUP-04", supplier=None)

    demo.must_name("C01", "SOUP-04")


def test_component_without_needs(demo) -> None:
    demo.fill("SOUP-04", needs=None)

    demo.must_name("C02", "SOUP-04")


def test_anomalies_read_long_ago(demo) -> None:
    demo.fill("SOUP-04", evaluated_on=(demo.today - timedelta(days=181)).isoformat())

    demo.must_name("C03", "SOUP-04")


def test_evaluation_without_person(demo) -> None:
    demo.unlink("SOUP-02", "evaluated_by", "PPL-CV")

    demo.must_name("C03", "SOUP-02")


def test_evaluation_in_the_future(demo) -> None:
    demo.fill("SOUP-03", evaluated_on="2027-01-01")

    demo.must_name("C03", "SOUP-03")


def test_dead_entry(demo) -> None:
    demo.unlink("SI-11", "uses", "SOUP-10")

    demo.must_name("C04", "SOUP-10")


def test_built_with_an_unknown_component(demo) -> None:
    demo.bill = (*demo.bill, Component("left-pad", "1.3.0"))

    demo.must_name("C05", "REL-0.1.0")


def test_built_with_another_version(demo) -> None:
    demo.bill = tuple(replace(c, version="2.5.0") if c.name == "numpy" else c for c in demo.bill)

    demo.must_name("C05", "REL-0.1.0")


def test_registered_and_not_built_in(demo) -> None:
    demo.bill = tuple(c for c in demo.bill if c.name != "shapely")

    demo.must_name("C05", "REL-0.1.0")


def test_bill_unknown(demo) -> None:
    demo.bill = None

    demo.must_name("C05", "REL-0.1.0")


def test_critical_component_rated_low(demo) -> None:
    demo.fill("SOUP-04", risk="medium")

    demo.must_name("C06", "SOUP-04")


def test_the_repository_pins_another_version(demo) -> None:
    demo.lock(numpy={"version": "2.5.5"})

    demo.must_name("C07", "REL-0.1.0")
    [finding] = demo.result("C07").findings
    assert finding.blocks
    assert finding.address == "/p/RPM/SOUP-04"
    assert "SOUP-04 says numpy 2.4.6; requirements.lock states 2.5.5." in finding.sentence
    assert "software items SI-03, SI-04, SI-05; requirements REQ-" in finding.sentence
    assert "risks RSK-" in finding.sentence
    assert "tests TST-" in finding.sentence
    assert (
        "Due: evaluation of the anomaly list of numpy 2.5.5 "
        "(https://github.com/numpy/numpy/issues). The last one, of 2.4.6, was on 2026-11-19 by "
        "PPL-CV." in finding.sentence
    )


def test_the_repository_pins_what_nobody_registered(demo) -> None:
    demo.lock(Component("left-pad", "1.3.0", direct=True))

    demo.must_name("C07", "REL-0.1.0")


def test_what_came_along_needs_no_entry_and_is_told(demo) -> None:
    demo.lock(Component("six", "1.17.0", direct=False, needed_by=("pydicom",)))

    demo.must_name("C07")
    assert "Came along and need no entry of their own: six." in demo.result("C07").remark


def test_the_repository_does_not_pin_what_is_used(demo) -> None:
    demo.lock(without="shapely")

    demo.must_name("C07", "REL-0.1.0")


def test_a_kind_that_no_lock_states_is_not_sought_in_one(demo) -> None:
    demo.must_name("C07")
    told = demo.result("C07").remark
    assert told == "No package that a lock file can state: SOUP-01 CPython."


def test_the_same_component_registered_twice(demo) -> None:
    demo.fill("SOUP-11", purl="pkg:pypi/NumPy@2.2.0")

    assert "C07" in {rule.code for rule in demo.check().failing}


def test_nothing_is_declared(demo) -> None:
    demo.declared = Declared(None, "commit 3f2c1a9 holds none of requirements.lock")

    demo.must_name("C07", "REL-0.1.0")
    [finding] = demo.result("C07").findings
    assert "does not say what it is built of: commit 3f2c1a9 holds none" in finding.sentence


def test_component_without_licence(demo) -> None:
    demo.fill("SOUP-04", licence=None)

    demo.must_name("C08", "SOUP-04")
