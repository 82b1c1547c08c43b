"""Faults seeded in third-party components: family C."""

from dataclasses import replace
from datetime import timedelta

from qms.rules.facts import Component


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
