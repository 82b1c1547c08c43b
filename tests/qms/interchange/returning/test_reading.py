"""What we wrote to one file comes back as it was, whatever the form; what we did not is refused."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.db import open_database
from core.errors import Invalid
from core.records.content import Content, LinkDraft
from core.records.service import find_project
from core.records.type_shape import FieldSpec
from core.records.types import get_registry
from qms.interchange.markdown.record_file import RecordFile, write_record
from qms.interchange.returning.reading import form_of, read_records
from qms.interchange.writers.forms import FORMS, write_as
from qms.interchange.writers.kept import kept_records
from tests.qms.interchange.writers.test_forms import HARD


def back(folder: Path, data: bytes) -> list[RecordFile]:
    path = folder / "a file without an ending"
    path.write_bytes(data)
    found = read_records(path, get_registry())
    assert [str(one) for one in found.faults] == []
    return list(found.records)


def same(records: list[RecordFile], again: list[RecordFile]) -> None:
    """Hold everything against each other but the order of fields, which no digest is over."""
    told = [(one.uid, one.type, one.project, one.revision, one.state) for one in records]
    read = {one.uid: one for one in again}
    assert sorted(read) == sorted(one.uid for one in records)
    assert [
        (one.uid, one.type, one.project, one.revision, one.state)
        for one in (read[first.uid] for first in records)
    ] == told
    for one in records:
        assert read[one.uid].content == one.content
        assert read[one.uid].digest == one.content_digest
        assert not read[one.uid].is_edited


@pytest.fixture(scope="module")
def device(demo_records: Path) -> Iterator[list[RecordFile]]:
    database = open_database(f"sqlite:///{demo_records}")
    with database.reading() as session:
        yield [*kept_records(session, find_project(session, "RPM"), drafts=True), HARD]
    database.engine.dispose()


@pytest.mark.parametrize("form", FORMS)
def test_the_device_comes_back_as_it_was(
    device: list[RecordFile], tmp_path: Path, form: str
) -> None:
    data = write_as(form, "RPM", "Device", device, get_registry())

    assert form_of(data) == form
    same(device, back(tmp_path, data))


def test_one_record_as_markdown_is_read_alone(tmp_path: Path) -> None:
    again = back(tmp_path, write_record(HARD))

    same([HARD], again)


UIDS = st.from_regex(r"[A-Z][A-Za-z0-9._-]{0,8}", fullmatch=True)
XML = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿")
    | st.sampled_from("\t\n\r\x85\u2028 <&]>_x0041D\"'=[{")
)
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | XML | st.just(
    "_x0041_x000D_\r_x\x07_x0041\x07"
)  # fmt: skip
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def odd_records(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[RecordFile]]:
    """Records with every kind of field that there is, and with values that no type allows."""
    plain = st.recursive(
        st.none() | st.booleans() | WHOLE | FLOATS | texts,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
        max_leaves=4,
    )
    rows = st.dictionaries(texts, plain, max_size=2)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": WHOLE, "number": WHOLE | FLOATS, "boolean": st.booleans(), "mapping": rows,
        "list": st.lists(texts, max_size=3), "table": st.lists(rows, max_size=2),
    }  # fmt: skip

    def value(spec: FieldSpec) -> st.SearchStrategy[Any]:
        usual = st.sampled_from(spec.choices) if spec.choices else kinds.get(spec.kind, texts)
        return st.one_of(usual, usual, usual, plain)

    def record(name: str) -> st.SearchStrategy[RecordFile]:
        known = get_registry().of(name)
        link = st.builds(
            LinkDraft,
            st.sampled_from([*known.links, "of_no_type"]),
            UIDS,
            st.none() | st.just("ELSE"),
            rows,
        )
        fields = st.fixed_dictionaries(
            {}, optional={one: value(spec) for one, spec in known.fields.items()}
        )
        content = st.builds(Content, texts, texts, fields, st.lists(link, max_size=4).map(tuple))
        revision = st.integers(1, 99)
        return st.builds(RecordFile, st.just("RPM"), st.just(name), UIDS, content, revision)

    every = [one.name for one in get_registry().all() if len({x.kind for x in one.fields.values()})]
    return st.lists(
        st.sampled_from(sorted(every)).flatmap(record), max_size=3, unique_by=lambda one: one.uid
    )


@pytest.mark.parametrize("form", FORMS)
def test_odd_contents_come_back_as_they_were(form: str, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("odd")

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(odd_records(XML if form.startswith("reqif") else ANY))
    def holds(records: list[RecordFile]) -> None:
        data = write_as(form, "RPM", "Device", records, get_registry())

        same(records, back(folder, data))

    holds()


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return out.getvalue()


def foreign_workbook() -> bytes:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["ID", "Requirement"])  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


FOREIGN_REQIF = (
    "<REQ-IF><THE-HEADER><REQ-IF-HEADER><REQ-IF-TOOL-ID>Other Tool 9</REQ-IF-TOOL-ID>"
    "</REQ-IF-HEADER></THE-HEADER><CORE-CONTENT><REQ-IF-CONTENT/></CORE-CONTENT></REQ-IF>"
)
FOREIGN_NEEDS = {
    "current_version": "1",
    "versions": {"1": {"creator": {"program": "sphinx_needs"}, "needs": {}}},
}
BOMB = '<!DOCTYPE a [<!ENTITY b "c">]><REQ-IF>&b;</REQ-IF>'


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (FOREIGN_REQIF.encode(), "TR323", "holds ReqIF of Other Tool 9."),
        (zipped(a_reqif=FOREIGN_REQIF), "TR323", "holds ReqIF of Other Tool 9."),
        (json.dumps(FOREIGN_NEEDS).encode(), "TR323", "holds needs of sphinx_needs."),
        (foreign_workbook(), "TR323", "is no workbook that we wrote"),
        (b"<html/>", "TR320", "is XML, but no ReqIF."),
        (b"id,title\n1,2\n", "TR320", "holds no records"),
        (b'{"items": []}', "TR320", "holds no records"),
        (b"PK\x03\x04 and nothing more", "TR320", "holds no records"),
        (zipped(a_png="x"), "TR320", "holds no records"),
        (zipped(a_reqif=FOREIGN_REQIF, b_reqif=FOREIGN_REQIF), "TR320", "2 documents"),
        (BOMB.encode(), "TR005", "declares a document type or an entity"),
        (zipped(a_reqif=BOMB), "TR005", "declares a document type or an entity"),
        (zipped(a_reqif=" " * 9_000_000), "TR006", "as only a zip bomb does"),
        (b"<REQ-IF", "TR003", "is not well-formed XML"),
    ],
)
def test_a_file_that_we_did_not_write_is_refused_by_name(
    tmp_path: Path, data: bytes, code: str, told: str
) -> None:
    (tmp_path / "theirs").write_bytes(data)

    with pytest.raises(Invalid, match=r"theirs(/\S+)? was not read\.") as caught:
        read_records(tmp_path / "theirs", get_registry())

    [fault] = caught.value.faults
    assert fault.code == code
    assert told in str(fault)
    if code == "TR323":
        assert "`fiducial import corpus`" in fault.mend


def test_a_field_that_its_type_knows_no_more_comes_back(tmp_path: Path) -> None:
    old = replace(HARD, content=replace(HARD.content, fields={"colour": "red", "category": "no"}))

    for form in FORMS:
        data = write_as(form, "RPM", "Device", [old], get_registry())

        same([old], back(tmp_path, data))
