"""What goes back to its tool reads there as the records say it, or is refused by name."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from core.errors import Invalid
from core.records.content import LinkDraft
from core.records.types import get_registry
from qms.interchange.corpus import Corpus, Item, Place
from qms.interchange.mapping.back import corpus_of
from qms.interchange.mapping.records import Stated, map_corpus
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.natives.writing import NATIVES, write_corpus
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import column_map

DOORSTOP = """active: true
derived: false
header: |
  Reading
level: 1.10
links: []
normative: true
ref: ''
reviewed: null
text: |
  It shall read plans.
"""

FILES: Mapping[str, Mapping[str, str]] = {
    "doorstop": {
        "req/.doorstop.yml": "settings:\n  digits: 3\n  prefix: REQ\n  sep: ''\n",
        "req/REQ001.yml": DOORSTOP,
        "tst/.doorstop.yml": "settings:\n  digits: 3\n  parent: REQ\n  prefix: TST\n  sep: '-'\n",
        "tst/TST-001.yml": DOORSTOP.replace("links: []", "links:\n- REQ001: null"),
    },
    "rdm": {
        "data/requirements.yml": (
            "requirements:\n  - id: r-1\n    title: Reads\n    description: It shall read plans.\n"
            "specification:\n  - id: s-1\n    title: Parser\n    req_id: r-1\n    description: |\n"
            "      One.\n\n      Two: three.\n"
        ),
        "data/risk.yml": (
            "risks:\n  - id: h-1\n    hazard: Wrong dose\n    severity: 3\n    probability: 2\n"
        ),
        "data/manual_tests.yml": (
            "- name: Try\n  tester: AK\n  date: 2026-01-02\n  result: fail\n  steps:\n"
            "  - step: 1\n    req_ids: [r-1]\n    result: pass\n"
        ),
    },
    "sphinx-needs": {
        "needs.json": (
            '{"current_version": "1", "versions": {"1": {"needs_schema": {"properties": '
            '{"tests": {"field_type": "links"}}}, "needs": {'
            '"R-0.1.0": {"id": "R-0.1.0", "type": "req", "title": "Reads", "content": "It reads."},'
            '"T1": {"id": "T1", "type": "test", "title": "Try", "content": "x", "status": "open",'
            ' "tests": ["R-0.1.0", "R-0.1.0.2"], "links": ["R-0.1.0"]}}}}}'
        )
    },
    "openfasttrace": {
        "spec.md": (
            "# A\n\n## B\n`req~reads~2`\n\nIt reads.\n\nRationale:\n\nPlans.\n\nNeeds: dsn\n\n"
            "### C\n`dsn~parser~1`\n\nParses.\n\nCovers:\n* `req~reads~2`\n\nTags: a, b\n\n"
            "# D\ndsn --> impl : req~reads~2\n"
        )
    },
    "strictdoc": {
        "a.sdoc": (
            "[DOCUMENT]\nTITLE: A\nOPTIONS:\n  ROOT: true\n\n[[SECTION]]\nTITLE: S\n\n"
            "[REQUIREMENT]\nUID: R-1\nTITLE: Reads\nSTATEMENT: >>>\nOne.\n\nTwo.\n<<<\n\n"
            "[TEXT]\nSTATEMENT: Between.\n\n[[/SECTION]]\n\n[REQUIREMENT]\nUID: R-2\n"
            "STATUS: Draft\nSTATEMENT: Parses.\nRELATIONS:\n- TYPE: Parent\n  VALUE: R-1\n"
            "  ROLE: Refines\n- TYPE: File\n  VALUE: a.py\n"
        )
    },
    "roboclerk": {
        "data.json": (
            '{"SystemRequirements": [{"ItemID": "1", "ItemTitle": "Reads ", "Flag": true,'
            ' "RequirementDescription": "It reads.", "LinkedItems": []}],'
            ' "SOUPs": [{"ItemID": "2", "SOUPName": "numpy", "SOUPDetailedDescription": "",'
            ' "LinkedItems": [{"TargetID": "1", "LinkType": 2}]}]}'
        )
    },
    "reqif": {},
    "sheets": {
        "risks.csv": (
            "ID,Title,Text,Severity,Mitigates,Owner\n"
            'h1,Dose,"=1+1, said",3,,AK\nh2,,Two words,High,h1,\n'
        )
    },
}
"""One small corpus of each format, with what is easily lost."""


@pytest.fixture
def files(tmp_path: Path):
    def of(form: str, name: str = "there") -> Path:
        folder = tmp_path / name
        for path, text in FILES[form].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    return of


def records(folder: Path, form: str) -> list[RecordFile]:
    types = {"row": "risk"} if form == "sheets" else {}
    stated = Stated(types=types, accepted=frozenset({"TR334"}))
    found = map_corpus(read_corpus(folder, form), stated, get_registry(), "RPM")
    assert found.folder.faults == ()
    # A requirement first: what RDM calls some others by is their id too.
    return sorted(found.folder.records, key=lambda one: one.type != "requirement")


def back(found: list[RecordFile], form: str, folder: Path) -> Corpus:
    corpus = corpus_of(found, form, {})
    write_corpus(corpus, folder)
    return corpus


WRITTEN = [one for one in NATIVES if FILES[one]]


@pytest.mark.parametrize("form", WRITTEN)
def test_what_goes_out_comes_back_with_the_same_digests(files, tmp_path: Path, form: str) -> None:
    before = records(files(form), form)

    back(before, form, tmp_path / "new")

    after = records(tmp_path / "new", form)
    assert {one.uid: one.content for one in after} == {one.uid: one.content for one in before}
    assert {one.content_digest for one in after} == {one.content_digest for one in before}


@pytest.mark.parametrize("form", WRITTEN)
def test_what_was_changed_here_shows_there(files, tmp_path: Path, form: str) -> None:
    first, *others = records(files(form), form)
    content = replace(first.content, title="Another", body="Otherwise.\n\nAnd: more.")

    back([replace(first, content=content), *others], form, tmp_path / "new")

    changed = next(one for one in records(tmp_path / "new", form) if one.uid == first.uid)
    assert (changed.content.title, changed.content.body) == ("Another", "Otherwise.\n\nAnd: more.")


@pytest.mark.parametrize("form", ["rdm", "doorstop"])
def test_yaml_that_is_there_changes_by_the_edit_alone(files, form: str) -> None:
    folder = files(form)
    found = records(folder, form)
    texts = {path: path.read_text() for path in folder.rglob("*.yml")}

    back(found, form, folder)
    same = {path: path.read_text() for path in folder.rglob("*.yml")}
    first = found[0]
    found[0] = replace(first, content=replace(first.content, body="It shall write plans."))
    back(found, form, folder)

    assert same == texts
    now = {path: path.read_text() for path in folder.rglob("*.yml")}
    [changed] = [path for path in texts if now[path] != texts[path]]
    assert now[changed] == texts[changed].replace("It shall read plans.", "It shall write plans.")


def test_code_that_changed_since_the_import_stays_and_all_else_is_written(files) -> None:
    folder = files("doorstop")
    item, code = folder / "req/REQ001.yml", folder / "src/dose.py"
    item.write_text(f"{DOORSTOP}references:\n- path: src/dose.py\n  type: file\n")
    code.parent.mkdir()
    code.write_text("old")
    carried = read_corpus(folder, "doorstop").items[0].attached
    first, *others = records(folder, "doorstop")
    edited = replace(first, content=replace(first.content, body="It shall write plans."))
    corpus = corpus_of([edited, *others], "doorstop", {one.sha256: one for one in carried})
    code.write_text("new")
    before = item.read_text()

    done = write_corpus(corpus, folder)

    assert [(one.code, one.where) for one in done.left_out] == [("TR342", "src/dose.py")]
    assert (done.written, done.unchanged) == (("req/REQ001.yml",), 3)
    assert code.read_text() == "new"
    assert item.read_text() == before.replace("It shall read plans.", "It shall write plans.")


def test_a_link_that_was_made_or_taken_away_here_shows_there(files, tmp_path: Path) -> None:
    found = {one.uid: one for one in records(files("strictdoc"), "strictdoc")}
    first, second = found["R-1"], found["R-2"]
    found["R-2"] = replace(second, content=replace(second.content, links=()))
    links = (LinkDraft("traces_to", "R-2"),)
    found["R-1"] = replace(first, content=replace(first.content, links=links))

    back(list(found.values()), "strictdoc", tmp_path / "new")

    read = {one.uid: one for one in read_corpus(tmp_path / "new").items}
    assert [(one.role, one.target) for one in read["R-1"].references] == [("Parent", "R-2")]
    assert [(one.role, one.target) for one in read["R-2"].references] == [("File", "a.py")]


@pytest.mark.parametrize(
    ("form", "file"), [("doorstop", "tst/TST-001.yml"), ("rdm", "data/requirements.yml")]
)
def test_a_link_to_a_record_that_was_withdrawn_stays_and_is_told(
    files, form: str, file: str
) -> None:
    folder = files(form)
    gone, *others = records(folder, form)
    text = (folder / file).read_text()

    for withdrawn in ([gone], []):
        corpus = corpus_of(others, form, {}, withdrawn)
        write_corpus(corpus, folder)

        assert (folder / file).read_text() == text
        assert {one.code for one in corpus.findings} == {"TR349"}


def test_a_link_to_a_record_that_the_tool_never_had_is_told_and_left_out(files) -> None:
    first, *others = records(files("rdm"), "rdm")
    links = (LinkDraft("traces_to", "OWN-1"), LinkDraft("traces_to", "REQ-1", "OTHER"))
    found = [replace(first, content=replace(first.content, links=links)), *others]

    corpus = corpus_of(found, "rdm", {})

    assert [(one.code, one.uid) for one in corpus.findings] == [("TR348", first.uid)] * 2
    assert not next(one for one in corpus.items if one.uid == "r-1").references


def test_what_a_form_cannot_say_is_named_and_nothing_is_written(files, tmp_path: Path) -> None:
    found = records(files("openfasttrace"), "openfasttrace")
    body = "Parses.\n\n# Not a heading of ours\n\nNeeds: nothing"
    found[1] = replace(found[1], content=replace(found[1].content, body=body))

    with pytest.raises(Invalid) as refusal:
        back(found, "openfasttrace", tmp_path / "new")

    assert [fault.code for fault in refusal.value.faults] == ["TR345"]
    assert not (tmp_path / "new").exists()


def test_a_file_that_holds_more_is_not_overwritten(files) -> None:
    folder = files("openfasttrace")
    found = records(folder, "openfasttrace")
    text = (folder / "spec.md").read_text()

    with pytest.raises(Invalid) as refusal:
        back(found, "openfasttrace", folder)

    assert [fault.code for fault in refusal.value.faults] == ["TR342"]
    assert (folder / "spec.md").read_text() == text


@pytest.mark.parametrize("name", ["../out.md", "/out.md", "C:\\out.md", "a/../../out.md"])
def test_an_origin_that_names_a_file_outside_writes_nothing(
    files, tmp_path: Path, name: str
) -> None:
    first, *others = records(files("openfasttrace"), "openfasttrace")
    origin = {**first.content.fields["origin"], "file": name}
    content = replace(first.content, fields={"origin": origin})

    with pytest.raises(Invalid) as refusal:
        back([replace(first, content=content), *others], "openfasttrace", tmp_path / "in" / "new")

    assert [fault.code for fault in refusal.value.faults] == ["TR344"]
    assert not (tmp_path / "in").exists()


def test_a_link_to_elsewhere_in_the_folder_is_not_written_through(files, tmp_path: Path) -> None:
    found = records(files("rdm"), "rdm")
    (tmp_path / "outside").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "data").symlink_to(tmp_path / "outside")

    with pytest.raises(Invalid) as refusal:
        back(found, "rdm", tmp_path / "new")

    assert {fault.code for fault in refusal.value.faults} == {"TR344"}
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_origin_of_another_shape_is_left_out_by_name(files) -> None:
    first, *others = records(files("rdm"), "rdm")
    origin = {**first.content.fields["origin"], "links": [{"role": 3}]}
    forged = replace(first, content=replace(first.content, fields={"origin": origin}))

    corpus = corpus_of([forged, *others], "rdm", {})

    assert (corpus.findings[0].code, corpus.findings[0].uid) == ("TR347", first.uid)
    assert {one.code for one in corpus.findings[1:]} == {"TR349"}
    assert len(corpus.items) == len(others)


def test_a_record_that_the_tool_never_had_is_left_out_by_name(files) -> None:
    found = records(files("rdm"), "rdm")
    own = replace(found[0], uid="REQ-001", content=replace(found[0].content, fields={}))

    corpus = corpus_of([*found, own], "rdm", {})

    assert [(one.code, one.uid) for one in corpus.findings] == [("TR340", "REQ-001")]


def test_a_workbook_with_macros_is_left_as_it_is_and_all_else_is_written(
    files, tmp_path: Path
) -> None:
    found = records(files("rdm"), "rdm")
    corpus = corpus_of(found, "rdm", {})
    hazard = Item("H1", "hazard", "Dose", "", Place("log.xlsm/Sheet1", 2))

    done = write_corpus(replace(corpus, items=(*corpus.items, hazard)), tmp_path / "new")

    assert [(one.code, one.where) for one in done.left_out] == [("TR343", "log.xlsm")]
    assert len(done.written) == 3
    with pytest.raises(Invalid):
        write_corpus(replace(corpus, items=(hazard,)), tmp_path / "none")


def test_a_hazard_log_without_macros_goes_out_with_its_columns(tmp_path: Path) -> None:
    fields = {"possible_causes": "=A1", "initial_severity": "3"}
    hazard = Item("H1", "hazard", "Dose", "Harm.", Place("log.xlsx/Log", 2), "Log", fields=fields)

    write_corpus(Corpus("rdm", (hazard,)), tmp_path / "new")

    [read] = read_corpus(tmp_path / "new", "rdm").items
    assert (read.uid, read.kind, read.title, read.text) == ("H1", "hazard", "Dose", "Harm.")
    assert read.fields == fields


def test_no_cell_of_a_csv_begins_a_formula_and_the_text_comes_back(tmp_path: Path) -> None:
    texts = ["=cmd|'/c calc'!A1", "'=1", "-5", "@a", "it's", "'quoted'"]
    items = [
        Item(f"R-{number}", "row", "T", text, Place("a.csv", number + 2), "a.csv")
        for number, text in enumerate(texts)
    ]

    write_corpus(Corpus("sheets", tuple(items)), tmp_path / "new")

    with (tmp_path / "new" / "a.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@"))]
    assert [one.text for one in read_corpus(tmp_path / "new").items] == texts


def test_a_sheet_that_would_not_come_in_again_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Ref,ID,Title\nB-2,77,t\n")
    corpus = read_corpus(tmp_path, None, column_map(["uid=Ref"]))
    found = map_corpus(corpus, Stated(), get_registry(), "RPM")

    with pytest.raises(Invalid) as refusal:
        write_corpus(corpus_of(found.folder.records, "sheets", {}), tmp_path / "new")

    assert {fault.code for fault in refusal.value.faults} == {"TR345"}
    assert "TR008: Two columns are called 'ID'." in refusal.value.faults[0].what
    assert not (tmp_path / "new").exists()


def test_a_cell_that_shows_an_error_is_told(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["ID", "Title", "Owner"])
    book.active.append(["R-1", "T", "#N/A"])
    book.save(tmp_path / "a.xlsx")

    [finding] = read_corpus(tmp_path).findings

    assert (finding.code, finding.place.line) == ("TR008", 2)
