"""A record written as a file is the same record when it is read, whatever its type allows."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.located_yaml import read_yaml
from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import get_registry
from qms.interchange.markdown.plain_yaml import read_plain
from qms.interchange.markdown.record_file import RecordFile, path_of, read_record, write_record

pytestmark = pytest.mark.verifies("TST-030")

UIDS = st.from_regex(r"[A-Z][A-Za-z0-9._-]{0,12}", fullmatch=True)
SPOKEN = st.sampled_from(
    [
        "The dose is read.", "It is 0.5 Gy.", "no", "1.0", "2026-11-20", "- a", "a: b", "a #b",
        "---", "true", "  odd", "odd  ", "> 3", "'quoted'", '"both"', "a\tb", "Ünïcode. Ärger.",
        "{x}", "", "# head", "\u2028", "\r\n", "\n", "\n\n", "e.g. this", "null", "[1]", "\x85",
        "\ufeff", "~", "¼ dose", "²",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(SPOKEN, max_size=5).map(" ".join),
    st.lists(SPOKEN, max_size=5).map("\n".join),
).filter(lambda text: text.isascii() or _is_unicode(text))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def values(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """Values that a field of this kind may have, and some that it may not."""
    rows = fields(spec.columns) if spec.columns else ROWS
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(-(2**53) + 1, 2**53 - 1),
        "number": NUMBERS,
        "boolean": st.booleans(),
        "date": st.dates().map(str),
        "choice": st.sampled_from(spec.choices or ("none",)),
        "list": st.lists(TEXTS, max_size=4),
        "table": st.lists(rows, max_size=3),
        "mapping": ROWS,
    }
    return kinds.get(spec.kind, TEXTS)


ROWS = st.dictionaries(TEXTS, ANYTHING, max_size=3)


def fields(specs: Mapping[str, FieldSpec]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: values(one) for name, one in specs.items()})


@st.composite
def records(
    draw: st.DrawFn, record_type: RecordType | None = None
) -> tuple[RecordFile, RecordType]:
    record_type = record_type or draw(st.sampled_from(get_registry().all()))
    link = st.builds(
        LinkDraft,
        st.sampled_from(sorted(record_type.links) or ["follows"]),
        UIDS,
        st.none() | st.sampled_from(["DEPT", "ELSE2"]),
        st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), PLAIN, max_size=2),
    )
    content = Content(
        draw(TEXTS),
        draw(TEXTS),
        draw(fields(record_type.fields)),
        tuple(draw(st.lists(link, max_size=3))),
    )
    one = RecordFile("RPM", record_type.name, draw(UIDS), content, draw(st.integers(1, 99)))
    return one, record_type


def test_any_record_of_every_type_reads_back_with_its_digest() -> None:
    types = get_registry().all()

    for one in types:
        settings(max_examples=4)(given(records(one))(reads_back_alike))()

    assert len(types) > 40


def reads_back_alike(drawn: tuple[RecordFile, RecordType]) -> None:
    one, record_type = drawn
    data = write_record(one, record_type)
    read, faults = read_record(data, path_of(one))
    assert not faults
    assert read is not None
    assert (read.project, read.type, read.uid) == (one.project, one.type, one.uid)
    assert read.content == one.content
    assert read.content_digest == one.content_digest
    assert not read.is_edited
    assert write_record(read, record_type) == data


@settings(max_examples=40)
@given(records())
def test_what_is_read_quickly_is_what_all_of_yaml_reads(
    drawn: tuple[RecordFile, RecordType],
) -> None:
    """The quick reader knows a part of YAML, and in it agrees with the one that knows it all."""
    one, record_type = drawn
    text = write_record(one, record_type).decode()
    front = text[4 : text.index("\n---\n", 3)]

    found, lines = read_plain(front.split("\n"), 2)
    whole, faults = read_yaml(f"\n{front}\n", "a.md")

    assert not faults
    assert found == whole.value
    assert all(whole.lines[path] == line for path, line in lines.items())


EXAMPLE = b"""---
id: REQ-001
type: requirement
title: Reads the plan
revision: 2
state: draft
digest: sha256:ab
fields:
  acceptance: >-
    The plan is read.
    Nothing else is.
links:
  - derives_from: UN-001
  - uses: DEPT/TPS
    attributes:
      kind: measure
---

The software **shall** read.
"""


def test_a_file_written_by_hand_is_read() -> None:
    read, faults = read_record(EXAMPLE, "requirement/REQ-001.md")

    assert not faults
    assert read is not None
    assert read.content == Content(
        "Reads the plan",
        "The software **shall** read.",
        {"acceptance": "The plan is read. Nothing else is."},
        (
            LinkDraft("derives_from", "UN-001"),
            LinkDraft("uses", "TPS", "DEPT", {"kind": "measure"}),
        ),
    )
    assert (read.revision, read.digest) == (2, "ab")
    assert read.where("links", 1) == "requirement/REQ-001.md:14"
    assert read.where("fields", "unknown") == "requirement/REQ-001.md:8"


@pytest.mark.parametrize(
    "data", [EXAMPLE.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + EXAMPLE, EXAMPLE + b"\n\n"]
)
def test_what_an_editor_does_to_the_ends_of_lines_changes_no_record(data: bytes) -> None:
    read, faults = read_record(data, "a.md")

    assert not faults
    assert read is not None
    assert read.content == read_record(EXAMPLE, "a.md")[0].content  # type: ignore[union-attr]


def test_yaml_as_others_write_it_is_read_too() -> None:
    head = "---\n# by hand\nid: 'REQ-001'\ntype: requirement\n"
    text = f"{head}title: >\n  Two\n  lines\nfields: {{a: [x, 2]}}\n---\n"

    read, faults = read_record(text.encode(), "a.md")

    assert not faults
    assert read is not None
    assert read.content.fields == {"a": ["x", 2]}
    assert type(read.content.fields) is dict


GOOD = "---\nid: R\ntype: t\ntitle: A\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no fence", ["TR302 a.md:1"]),
        ("---\nid: REQ-001\n", ["TR302 a.md:1"]),
        ("---\nid: [\n---\n", ["TR303 a.md:3"]),
        ("---\nid: REQ-001\nid: REQ-002\ntype: test\ntitle: A\n---\n", ["TR303 a.md:3"]),
        ("---\ntitel: A\n---\n", ["TR304 a.md:2", *["TR305 a.md:1"] * 3]),
        ("---\nid: req\ntype: test\ntitle: 7\n---\n", ["TR305 a.md:4", "TR305 a.md:2"]),
        (f"{GOOD}links:\n  - x\n  - a: B\n    c: D\n---\n", ["TR306 a.md:6", "TR306 a.md:7"]),
        (f"{GOOD}id: &a R\n---\n", ["TR303 a.md:5"]),
        (f"{GOOD}fields: !!python/object x\n---\n", ["TR303 a.md:5"]),
        ("---\n- a\n---\n", ["TR302 a.md:2"]),
        ("---\n---\n", ["TR303 a.md"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_file_is_told_with_its_line(text: str, told: list[str]) -> None:
    _, faults = read_record(text.encode(), "a.md")

    assert [f"{one.code} {one.where}" for one in faults] == told


def test_a_file_that_is_no_text_is_refused_by_name() -> None:
    assert [str(one) for one in read_record(b"---\nid: \xff", "a.md")[1]] == [
        "a.md:2: is not text in UTF-8. Save it as UTF-8."
    ]


def test_a_key_that_is_nearly_right_is_named() -> None:
    _, faults = read_record(b"---\nid: R\ntype: t\ntitle: A\nfeilds: {}\n---\n", "a.md")

    assert faults[0].mend == "Did you mean fields?"
