"""Hostile and careless YAML is refused with its place, all faults of a kind at once."""

import pytest

from core.errors import Invalid
from qms.interchange.lined_yaml import MAX_BYTES, read_lined_yaml


def faults_of(content: bytes) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read_lined_yaml(content, "x.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_lines_are_those_of_the_file() -> None:
    read = read_lined_yaml(b"a: 1\nb:\n  - c: x\n    d: y\n", "x.yaml")

    assert read.line_of("b") == 2
    assert read["b"][0].line == 3
    assert read["b"][0].line_of("d") == 4


def test_values_keep_their_kind_and_dates_stay_text() -> None:
    read = read_lined_yaml(b"a: 7\nb: 0x1F\nc: 1.5\nd: true\ne: 2026-01-14\nf: '7'\ng:\n", "x.yaml")

    assert dict(read) == {
        "a": 7,
        "b": 31,
        "c": 1.5,
        "d": True,
        "e": "2026-01-14",
        "f": "7",
        "g": None,
    }


def test_every_double_key_alias_and_tag_is_named_at_once() -> None:
    found = faults_of(b"a: 1\na: 2\nb: &x [1]\nc: *x\nd: !!python/name:os.system ''\n? [k]\n: 1\n")

    assert [fault.split(":")[1] for fault in found] == ["2", "3", "5", "6"]
    assert "says a twice (first on line 1)" in found[0]
    assert "uses an alias" in found[1]
    assert "uses the tag" in found[2]
    assert "a key that is not text" in found[3]


def test_a_bomb_of_aliases_costs_nothing() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(
        f"{name}: &{name} [*{before}, *{before}]\n".encode()
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    assert len(faults_of(bomb)) > 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: [1", "x.yaml:1: is not YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"- a\n- b\n", "does not begin with a mapping"),
        (b"", "does not begin with a mapping"),
        (b"a: " + b"[" * 3000, "is n"),
        (b"x" * (MAX_BYTES + 1), "at most 5000000 are read"),
        (b"a: 1\n---\nb: 2\n", "is not YAML"),
    ],
)
def test_what_is_no_record_file_is_refused(content, told) -> None:
    [fault] = faults_of(content)

    assert told in fault
