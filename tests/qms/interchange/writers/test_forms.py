"""What is exported reads back with the same ids, texts, links and digests, form by form."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import Session

from core.db import open_database
from core.errors import Invalid
from core.records.content import Content, LinkDraft
from core.records.service import find_project
from core.records.types import get_registry
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.forms import FORMS, write_as
from qms.interchange.writers.json_form import from_json
from qms.interchange.writers.kept import kept_records
from qms.interchange.writers.needs import field_names, link_type_of, option_of
from qms.interchange.writers.spreadsheet import HEADINGS, LINK, unescaped

TEXT_KINDS = {"string", "text", "markdown", "date", "choice"}

HARD = RecordFile(
    "RPM",
    "requirement",
    "REQ-900",
    Content(
        "=1+1 <b>&",
        "  Led by spaces.\n\n\n- a\tb\n_x0041_\r\nÜ ☃ \U0001f600 ",
        {"acceptance": "=SUM(A1)\n\n[x]", "category": "interface"},
        (
            LinkDraft("derives_from", "UN-001"),
            LinkDraft("controls", "RSK-001", None, {"kind": "protective measure"}),
            LinkDraft("derives_from", "UN-002"),
            LinkDraft("concerns", "TPS", "DEPT"),
        ),
    ),
)


@pytest.fixture(scope="module")
def session(demo_records: Path) -> Iterator[Session]:
    database = open_database(f"sqlite:///{demo_records}")
    with database.reading() as opened:
        yield opened
    database.engine.dispose()


@pytest.fixture(scope="module")
def device(session: Session) -> list[RecordFile]:
    """The demonstration's device, with a record that no form likes."""
    return [*kept_records(session, find_project(session, "RPM"), drafts=True), HARD]


def same(one: RecordFile, read: dict[str, Any]) -> None:
    links = tuple(LinkDraft(*link) for link in read["links"])
    content = Content(read["title"], read["text"], read["fields"], links)
    again = RecordFile("RPM", read["type"], read["id"], content)
    assert content == one.content
    assert again.content_digest == read["digest"] == (one.digest or one.content_digest)


def of_kind(type_name: str, field: str, text: str) -> Any:
    return (
        text if get_registry().of(type_name).fields[field].kind in TEXT_KINDS else json.loads(text)
    )


def test_every_form_writes_the_same_bytes_for_the_same_records(device: list[RecordFile]) -> None:
    for form in ("json", "needs"):
        one, two = (write_as(form, "RPM", "Device", device, get_registry()) for _ in range(2))

        assert one == two


def test_a_form_that_there_is_not_is_named() -> None:
    with pytest.raises(Invalid, match="'docx' is no form of records; there are markdown, json"):
        write_as("docx", "RPM", "Device", [], get_registry())


@pytest.mark.parametrize("form", FORMS)
def test_no_record_is_a_file_too(form: str) -> None:
    assert write_as(form, "RPM", "Device", [], get_registry())


def test_json_reads_back_as_it_was(device: list[RecordFile]) -> None:
    read = from_json(write_as("json", "RPM", "Device", device, get_registry()), "rpm.json")

    assert not read.faults
    assert [one.content for one in read.records] == [one.content for one in device]
    assert not any(one.is_edited for one in read.records)
    assert [one.state for one in read.records] == [one.state for one in device]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "TR320"),
        (b'{"format": "x"}', "TR320"),
        (b'{"format": "fiducial-records/1", "project": {"key": "A"}, "records": 1}', "TR320"),
        (b'{"format": "fiducial-records/1", "records": [], "records": []}', "TR320"),
    ],
)
def test_json_that_is_something_else_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_json(data, "a.json")

    assert [one.code for one in caught.value.faults] == [told]


def test_every_faulty_entry_of_json_is_told(device: list[RecordFile]) -> None:
    value = json.loads(write_as("json", "RPM", "Device", device[:4], get_registry()))
    entries = value["records"]
    entries[0]["colour"], entries[1]["revision"], entries[2]["id"] = 1, True, entries[3]["id"]

    read = from_json(json.dumps(value).encode(), "a.json")

    assert [(one.code, one.where) for one in read.faults] == [
        ("TR321", "a.json record 1"), ("TR321", "a.json record 2"), ("TR310", "a.json record 4"),
    ]  # fmt: skip


def test_needs_keep_ids_texts_links_and_digests(device: list[RecordFile]) -> None:
    value = json.loads(write_as("needs", "RPM", "Device", device, get_registry()))
    needs = value["versions"][value["current_version"]]["needs"]

    names = field_names(device)
    declared = value["versions"][""]["needs_schema"]["properties"]
    assert declared["derives_from"]["field_type"] == "links"
    assert len(needs) == len(device)
    for one in device:
        need = needs[one.uid]
        fields = {
            name: of_kind(one.type, name, need[option_of(name)]) for name in one.content.fields
        }
        order = json.loads(need.get("link_order", "[]"))
        by_role = {role: iter(need[link_type_of(role, names)]) for role, *_ in order}
        links = []
        for role, _, said in order:
            project, _, target = next(by_role[role]).rpartition("/")
            links.append((role, target, project or None, said))
        same(one, {**need, "text": need["content"], "fields": fields, "links": links})


def test_a_workbook_keeps_ids_texts_links_and_digests(device: list[RecordFile]) -> None:
    book = load_workbook(io.BytesIO(write_as("xlsx", "RPM", "Device", device, get_registry())))
    read = {row["Id"]: (page.title, row) for page in book for row in rows_of(page)}

    assert len(read) == len(device)
    for one in device:
        name, row = read[one.uid]
        values = {key: row[key] for key in row if key not in HEADINGS and not key.startswith(LINK)}
        fields = {
            key: listed(value) if isinstance(one.content.fields[key], list | dict) else value
            for key, value in values.items()
            if value is not None
        }
        stated: list[tuple[int, Any]] = []
        for key in row:
            for line in (row[key] or "").split("\n") if key.startswith(LINK) else []:
                if line:
                    place, whole, *said = line.split(" ", 2)
                    project, _, target = whole.rpartition("/")
                    attributes = json.loads(said[0]) if said else {}
                    link = (key.removeprefix(LINK), target, project or None, attributes)
                    stated.append((int(place), link))
        told = {"id": one.uid, "type": name, "title": row["Title"], "text": row["Text"] or ""}
        links = [link for _, link in sorted(stated, key=lambda pair: pair[0])]
        same(one, {**told, "digest": row["Digest"], "fields": fields, "links": links})


def rows_of(page: Any) -> Iterator[dict[str, Any]]:
    headings, *rows = page.iter_rows(values_only=True)
    for row in rows:
        cells = (unescaped(cell) if isinstance(cell, str) else cell for cell in row)
        yield dict(zip(headings, cells, strict=True))


def listed(text: str) -> Any:
    return json.loads(text) if text[0] in "[{" else text.split("\n")


def test_a_long_text_goes_on_in_further_columns_and_is_not_cut() -> None:
    text = "a_x0041" * 7_000
    long = RecordFile("RPM", "requirement", "REQ-1", Content("A", text))

    book = load_workbook(io.BytesIO(write_as("xlsx", "RPM", "Device", [long], get_registry())))

    [row] = rows_of(book["requirement"])
    parts = [row[one] for one in row if one.startswith("Text")]
    assert len(parts) == 4
    assert "".join(parts) == text


def test_a_text_that_no_cells_can_hold_is_told_and_not_cut() -> None:
    long = RecordFile("RPM", "requirement", "REQ-1", Content("A", "\x07" * 16_000))

    with pytest.raises(Invalid) as caught:
        write_as("xlsx", "RPM", "Device", [long], get_registry())

    assert [str(one) for one in caught.value.faults] == [
        "RPM REQ-1: Text is longer than cells of a spreadsheet can be. "
        "Export it as JSON or Markdown."
    ]


def test_a_character_that_xml_cannot_hold_is_told() -> None:
    odd = RecordFile("RPM", "requirement", "REQ-1", Content("A", "\x07"))

    with pytest.raises(Invalid) as caught:
        write_as("reqif", "RPM", "Device", [odd], get_registry())

    assert [one.where for one in caught.value.faults] == ["RPM REQ-1"]
