"""Hostile and careless YAML is refused with its place, all faults of a kind at once."""

import itertools

import pytest

from core.errors import Invalid
from core.located_yaml import DEEPEST, LARGEST_BYTES, read_mapping, read_yaml
from tests.effort import effort


def faults_of(content: str | bytes) -> list[tuple[str, str]]:
    """Return code and place of every fault."""
    with pytest.raises(Invalid) as caught:
        read_mapping(content, "x.yaml")
    return [(fault.code, fault.where) for fault in caught.value.faults]


def test_lines_are_those_of_the_file() -> None:
    text = b"a: 1\nb:\n  - c: x\n    d: y\n"
    read = read_mapping(text, "x.yaml")
    document, faults = read_yaml(text, "x.yaml")

    assert read.line_of("b") == 2
    assert read["b"][0].line == 3
    assert read["b"][0].line_of("d") == 4
    assert read["b"][0].line_of("e") == 3
    assert faults == ()
    assert document.where(("b", 0, "d")) == "x.yaml:4"
    assert document.where(("b", 0, "e", "f")) == "x.yaml:3"
    assert document.where(("z",)) == "x.yaml:1"


def test_values_keep_their_kind_and_dates_stay_text() -> None:
    text = "a: 7\nb: 0x1F\nc: -1.5e3\nd: true\ne: 2026-01-14\nf: '7'\ng:\nh: 0o17\non: off\n"

    assert dict(read_mapping(text, "x.yaml")) == {
        "a": 7,
        "b": 31,
        "c": -1500.0,
        "d": True,
        "e": "2026-01-14",
        "f": "7",
        "g": None,
        "h": 15,
        "on": "off",
    }


def test_every_fault_of_the_spelling_is_named_at_once() -> None:
    found = faults_of(
        "a: 1\na: 2\nb: &x [1]\nc: *x\nd: !!python/name:os.system ''\ne: !run {k: 1}\n"
        "? [k]\n: 1\nf: .inf\ng: .nan\n"
    )

    assert found == [
        ("duplicate-key", "x.yaml:2"),
        ("yaml-anchor", "x.yaml:3"),
        ("yaml-tag", "x.yaml:5"),
        ("yaml-tag", "x.yaml:6"),
        ("yaml-key", "x.yaml:7"),
        ("yaml-value", "x.yaml:9"),
        ("yaml-value", "x.yaml:10"),
    ]


def test_a_bomb_of_aliases_costs_nothing() -> None:
    """Written out, the last of them would hold two to the 21st values."""
    names = [f"n{number}" for number in range(21)]
    bomb = "n0: &n0 [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n" for before, name in itertools.pairwise(names)
    )

    found: list[tuple[str, str]] = []

    spent = effort(lambda: found.extend(faults_of(bomb)))

    assert found == [("yaml-anchor", f"x.yaml:{line}") for line in range(1, 22)]
    assert spent < 50


def test_a_reference_of_a_mapping_to_itself_is_refused() -> None:
    assert faults_of("a: &a {b: *a}\n") == [("yaml-anchor", "x.yaml:1")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a: [1", ("yaml-syntax", "x.yaml:1")),
        ("a: \x00", ("yaml-syntax", "x.yaml")),
        (b"\xff\xfe\x00", ("not-text", "x.yaml")),
        ("- a\n- b\n", ("yaml-shape", "x.yaml:1")),
        ("just words\n", ("yaml-shape", "x.yaml:1")),
        ("", ("yaml-empty", "x.yaml")),
        ("a: " + "[" * 3000, ("yaml-depth", "x.yaml")),
        ("a: " + "[" * 3000 + "]" * 3000, ("yaml-depth", "x.yaml")),
        ("a: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), ("yaml-depth", "x.yaml:1")),
        (b"x" * (LARGEST_BYTES + 1), ("yaml-size", "x.yaml")),
        ("a: 1\n---\nb: 2\n", ("yaml-syntax", "x.yaml:2")),
    ],
)
def test_what_is_no_record_file_is_refused(content: str | bytes, told: tuple[str, str]) -> None:
    assert faults_of(content) == [told]


def test_as_deep_as_is_allowed_is_read() -> None:
    text = "a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)

    assert read_mapping(text, "x.yaml")["a"]
