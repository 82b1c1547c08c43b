"""The ReqIF that we write is read by the `reqif` package, and says what the records say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core.db import open_database
from core.records.content import Content, LinkDraft
from core.records.service import find_project
from core.records.types import get_registry
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.returning.reading import read_records
from qms.interchange.writers.kept import kept_records
from qms.interchange.writers.reqif import XHTML, to_reqif
from tests.qms.interchange.writers.test_forms import HARD, of_kind, same

parser = pytest.importorskip("reqif.parser", reason="the reqif package is not installed")


def test_an_independent_reader_finds_every_record(demo_records: Path, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{demo_records}")
    with database.reading() as session:
        kept = kept_records(session, find_project(session, "RPM"), drafts=True)
    database.engine.dispose()
    device = [*kept, HARD]
    path = tmp_path / "rpm.reqif"
    path.write_bytes(to_reqif("RPM", "Device", device, get_registry()))

    content = parser.ReqIFParser.parse(str(path)).core_content.req_if_content

    uids = [one.identifier for one in content.spec_objects]
    assert uids == [one.uid for one in device]
    links: dict[str, list[Any]] = {uid: [] for uid in uids}
    for one in content.spec_relations:
        place, said = json.loads(one.values_attribute.value)
        role = one.relation_type_ref.removeprefix("_RPM-rt-")
        links[one.source].append((place, (role, one.target, None, said)))
    for one, found in zip(device, content.spec_objects, strict=True):
        told = values_of(one, found)
        for place, role, project, target, said in json.loads(told.pop("Fiducial.Links", "[]")):
            foreign = None if project == "RPM" else project
            links[one.uid].append((place, (role, target, foreign, said)))
        ordered = [link for _, link in sorted(links[one.uid], key=lambda pair: pair[0])]
        same(one, {**told, "links": ordered})


def values_of(one: RecordFile, found: Any) -> dict[str, Any]:
    prefix = f"_RPM-ot-{one.type}-"
    said = {
        attribute.definition_ref.removeprefix(prefix): attribute.value
        for attribute in found.attributes
    }
    told = {
        "id": said.pop("ReqIF.ForeignID"),
        "type": one.type,
        "title": said.pop("ReqIF.Name"),
        "text": plain(said.pop("ReqIF.Text")),
        "digest": said.pop("Fiducial.Digest"),
        "Fiducial.Links": said.pop("Fiducial.Links", "[]"),
    }
    told["text"] = said.pop("Fiducial.Text", told["text"])
    assert said.pop("Fiducial.Revision") == str(one.revision)
    assert said.pop("Fiducial.State") == one.state
    others = json.loads(said.pop("Fiducial.Fields", "{}"))
    return {**told, "fields": {**{k: field(one, k, v) for k, v in said.items()}, **others}}


def field(one: RecordFile, name: str, value: Any) -> Any:
    spec = get_registry().of(one.type).fields[name]
    if spec.kind == "choice":
        return spec.choices[int(value[0].rpartition("-")[2])]
    return plain(value) if spec.kind in ("text", "markdown") else of_kind(one.type, name, value)


def plain(written: str) -> str:
    """Return the text of a division of XHTML, its breaks as ends of lines."""
    text = written.strip().replace("<xhtml:", "<").replace("</xhtml:", "</")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    return (root.text or "") + "".join(f"\n{one.tail or ''}" for one in root)


def test_spaces_of_a_text_are_kept_as_they_are() -> None:
    one = RecordFile("RPM", "requirement", "REQ-1", Content("A", "\n  a\n\n b\n"))
    two = RecordFile("RPM", "test", "TST-1", Content("B", links=(LinkDraft("verifies", "REQ-1"),)))

    root = ElementTree.fromstring(to_reqif("RPM", "D", [one, two], get_registry()))  # noqa: S314

    first = root.find(f".//{{{XHTML}}}div")
    assert first is not None
    assert (first.text or "") + "".join(f"\n{each.tail or ''}" for each in first) == "\n  a\n\n b\n"


def test_what_an_independent_tool_reads_and_writes_again_is_no_edit(
    demo_records: Path, tmp_path: Path
) -> None:
    unparser = pytest.importorskip("reqif.unparser")
    database = open_database(f"sqlite:///{demo_records}")
    with database.reading() as session:
        kept = kept_records(session, find_project(session, "RPM"), drafts=True)
    database.engine.dispose()
    path = tmp_path / "rpm.reqif"
    path.write_bytes(to_reqif("RPM", "Device", kept, get_registry()))

    path.write_text(unparser.ReqIFUnparser.unparse(parser.ReqIFParser.parse(str(path))))

    again = read_records(path, get_registry())
    assert [str(one) for one in again.faults] == []
    assert [one.uid for one in again.records] == [one.uid for one in kept]
    assert [one.uid for one in again.records if one.is_edited] == []


def test_what_we_write_keeps_to_the_schema_of_reqif(tmp_path: Path) -> None:
    need = RecordFile("RPM", "user_need", "UN-001", Content("See"))
    path = tmp_path / "rpm.reqif"
    path.write_bytes(to_reqif("RPM", "Device", [need, HARD], get_registry()))

    told = subprocess.run(  # noqa: S603 - our own file and the package of the tests
        [sys.executable, "-m", "reqif.cli.main", "validate", "--use-reqif-schema", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert "0 errors, 0 schema issues found, 0 semantic issues" in told.stdout, told.stdout
