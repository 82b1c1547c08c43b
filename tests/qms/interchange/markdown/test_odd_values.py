"""What no record can say is told of its file, and no file is opened that is none."""

import os
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.types import get_registry
from qms.interchange.markdown.folder import read_folder
from qms.interchange.markdown.record_file import LARGEST_REVISION, read_record
from qms.interchange.returning.reading import read_records

pytestmark = pytest.mark.verifies("TST-031")


def front(line: str) -> bytes:
    return f"---\nid: REQ-001\ntype: requirement\ntitle: Reads\n{line}\n---\n".encode()


DEEP = "[" * 70 + "]" * 70

ODD = {
    "a revision beyond every database": (f"revision: 1{'0' * 25}", {"TR303"}),
    "a revision beyond the largest": (f"revision: {LARGEST_REVISION + 1}", {"TR305"}),
    "a revision in hexadecimal": (f"revision: 0x{'F' * 5_000}", {"TR303"}),
    "half of a pair as text": ('state: "\\ud800"', {"TR303"}),
    "half of a pair as key": ('"k\\ud800": a', {"TR303"}),
    "half of a pair in a field": ('fields: {"category": "\\ud800"}', {"TR303"}),
    "half of a pair in a link": ('links: [{derives_from: "A\\ud800"}]', {"TR303", "TR306"}),
    "no character at all": ('state: "\\U00110000"', {"TR303"}),
    "a number without end": ("fields: {x: 1.0e+999}", {"TR303"}),
    "a number that no double holds": ("fields:\n  x: 9007199254740993", {"TR303"}),
    "a field nested too deeply": (f'fields:\n  x: {{"a": {DEEP}}}', {"TR305"}),
}


@pytest.mark.parametrize(("line", "codes"), ODD.values(), ids=ODD)
def test_a_value_that_no_record_can_say_is_told(line: str, codes: set[str]) -> None:
    record, faults = read_record(front(line), "a.md")

    assert {one.code for one in faults} == codes
    assert str(faults).encode()
    assert record is None or record.content_digest


def test_pipes_and_names_that_are_no_text_are_told_and_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "requirement"
    folder.mkdir()
    (folder / "REQ-001.md").write_bytes(front("state: draft"))
    os.mkfifo(folder / "REQ-002.md")
    Path(os.fsdecode(os.fsencode(folder) + b"/REQ\xff.md")).write_bytes(front("state: draft"))

    found = read_folder(tmp_path)

    assert [one.uid for one in found.records] == ["REQ-001"]
    assert [(one.code, one.where) for one in found.faults] == [
        ("TR307", "requirement/REQ-002.md"),
        ("TR301", "requirement/REQ\\xff.md"),
    ]


ENTRY = (
    '{"format": "fiducial-records/1", "project": {"key": "RPM"}, "records": [{"id": "A", '
    '"type": "requirement", "title": "t", "revision": %s, "state": "draft", '
    '"digest": "", "fields": %s, "links": [], "text": ""}]}'
)


@pytest.mark.parametrize(
    ("revision", "fields"),
    [("0", "{}"), (str(2**31), "{}"), ("1", '{"x": "\\ud800"}'), ("1", '{"x": 1e999}'),
     ("1", f'{{"x": {DEEP}}}')],
)  # fmt: skip
def test_json_that_no_record_can_say_is_told(tmp_path: Path, revision: str, fields: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(ENTRY % (revision, fields))

    try:
        faults = read_records(path, get_registry()).faults
    except Invalid as refusal:
        faults = tuple(refusal.faults)

    assert {one.code for one in faults} <= {"TR320", "TR321"}
    assert len(faults) == 1
