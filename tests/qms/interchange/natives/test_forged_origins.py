"""An origin is what a file of records says: nothing that it names is written over or believed."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from core.errors import Invalid
from qms.interchange.corpus import Attached, Corpus, Item, Place
from qms.interchange.mapping.back import corpus_of
from qms.interchange.markdown.folder import read_folder, write_folder
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.natives import openfasttrace, reqif
from qms.interchange.natives.writing import write_corpus
from tests.qms.interchange.natives.test_writing import FILES, records

pytestmark = pytest.mark.verifies("TST-043")

FORGED = b"[core]\n\tfsmonitor = touch /tmp/x\n"


def there(form: str, folder: Path) -> Path:
    for path, text in FILES[form].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def stating(one: RecordFile, **origin: Any) -> RecordFile:
    """Return a record whose origin says something else."""
    fields = {**one.content.fields, "origin": {**one.content.fields["origin"], **origin}}
    return replace(one, content=replace(one.content, fields=fields))


def through_files(folder: Path, found: list[RecordFile]) -> list[RecordFile]:
    """Return records as they come in from a folder of Markdown."""
    write_folder(folder, found)
    read = read_folder(folder)
    assert read.faults == ()
    return list(read.records)


def carrying(name: str, data: bytes) -> tuple[dict[str, Any], dict[str, Attached]]:
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "sha256": digest}, {digest: Attached(name, digest, data)}


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def refused(corpus: Corpus, folder: Path) -> list[tuple[str, str]]:
    """Return code and place of each fault; whatever is in the folder stays as it was."""
    before = bytes_of(folder)
    with pytest.raises(Invalid) as refusal:
        write_corpus(corpus, folder)
    assert bytes_of(folder) == before
    return [(one.code, one.where) for one in refusal.value.faults]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (".git/config", "TR344"), ("sub/.github/workflows/a.yml", "TR344"), (".envrc", "TR344"),
        ("../out", "TR344"), ("x" * 300, "TR344"), ("req/.doorstop.yml", "TR345"),
    ],
)  # fmt: skip
def test_a_forged_origin_writes_no_file_over_another(tmp_path: Path, name: str, code: str) -> None:
    folder = there("doorstop", tmp_path / "there")
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("theirs")
    first, *others = records(folder, "doorstop")
    stated, files = carrying(name, FORGED)

    came_in = through_files(tmp_path / "md", [stating(first, files=[stated]), *others])
    corpus = corpus_of(came_in, "doorstop", files)

    assert refused(corpus, folder) == [(code, name[:200])]


def test_a_file_that_an_item_carries_goes_where_it_was(tmp_path: Path) -> None:
    folder = there("doorstop", tmp_path / "there")
    first, *others = records(folder, "doorstop")
    stated, files = carrying("docs/plan.txt", b"plan")
    named = {**first.content.fields["origin"]["fields"], "references": [{"path": "docs/plan.txt"}]}
    corpus = corpus_of([stating(first, files=[stated], fields=named), *others], "doorstop", files)

    unnamed = corpus_of([stating(first, files=[stated]), *others], "doorstop", files)
    assert refused(unnamed, folder) == [("TR345", first.uid)]
    assert set(write_corpus(corpus, folder).written) == {"docs/plan.txt", "req/REQ001.yml"}
    assert write_corpus(corpus, folder).written == ()


@pytest.mark.parametrize(("name", "theirs"), [("conftest.py", b"theirs"), ("tst/empty", b"")])
def test_a_forged_file_that_its_item_names_leaves_another_one_as_it_is(
    tmp_path: Path, name: str, theirs: bytes
) -> None:
    folder = there("doorstop", tmp_path / "there")
    (folder / name).write_bytes(theirs)
    first, *others = records(folder, "doorstop")
    stated, files = carrying(name, FORGED)
    named = {**first.content.fields["origin"]["fields"], "references": [{"path": name}]}
    corpus = corpus_of([stating(first, files=[stated], fields=named), *others], "doorstop", files)

    unnamed = corpus_of([stating(first, files=[stated]), *others], "doorstop", files)
    assert refused(unnamed, folder) == [("TR345", first.uid)]
    done = write_corpus(corpus, folder)

    assert [(one.code, one.where) for one in done.left_out] == [("TR342", name)]
    assert done.written == ("req/REQ001.yml",)
    assert (folder / name).read_bytes() == theirs


@pytest.mark.parametrize("name", ["tst/TST-001.yml", "tst/.doorstop.yml"])
def test_a_forged_file_fills_neither_an_empty_item_nor_empty_settings(
    tmp_path: Path, name: str
) -> None:
    folder = there("doorstop", tmp_path / "there")
    found = records(folder, "doorstop")
    stated, files = carrying(name, (folder / name).read_bytes())
    (folder / name).write_bytes(b"")
    named = {**found[0].content.fields["origin"]["fields"], "references": [{"path": name}]}
    forged = stating(found[0], files=[stated], fields=named)

    assert refused(corpus_of([forged, *found[1:]], "doorstop", files), folder) == [("TR342", name)]


def test_two_files_of_one_name_are_told(tmp_path: Path) -> None:
    first, second = records(there("doorstop", tmp_path / "there"), "doorstop")
    (one, files), (two, more) = carrying("a.txt", b"one"), carrying("a.txt", b"two")
    both = [stating(first, files=[one]), stating(second, files=[two])]

    assert refused(corpus_of(both, "doorstop", files | more), tmp_path / "new") == [
        ("TR345", "a.txt")
    ]


def test_yaml_that_is_no_item_of_doorstop_is_not_changed(tmp_path: Path) -> None:
    folder = there("doorstop", tmp_path / "there")
    (folder / "mkdocs.yml").write_text("site_name: Ours\n")
    first, *others = records(folder, "doorstop")

    corpus = corpus_of([stating(first, file="mkdocs.yml"), *others], "doorstop", {})

    assert refused(corpus, folder) == [("TR342", "mkdocs.yml")]


def test_a_hazard_log_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    folder = there("rdm", tmp_path / "there")
    corpus = corpus_of(records(folder, "rdm"), "rdm", {})
    book = Workbook()
    book.create_sheet("Of nobody else")
    book.save(folder / "log.xlsx")
    hazard = Item("H1", "hazard", "Dose", "", Place("log.xlsx/Log", 2))
    before = bytes_of(folder)

    done = write_corpus(replace(corpus, items=(*corpus.items, hazard)), folder)

    assert [(one.code, one.where) for one in done.left_out] == [("TR342", "log.xlsx")]
    assert bytes_of(folder) == before


@pytest.mark.parametrize(
    "text",
    [
        "- a\n", "text\n", "requirements: text\n", "requirements: [text]\n", "requirements: 3\n",
        "requirements:\n  a: 1\n", "a: [\n", "a: 2026-13-45\n",
    ],
)  # fmt: skip
def test_project_data_of_another_shape_is_refused_in_words(tmp_path: Path, text: str) -> None:
    folder = there("rdm", tmp_path / "there")
    corpus = corpus_of(records(folder, "rdm"), "rdm", {})
    (folder / "data/requirements.yml").write_text(text)
    (folder / "data/manual_tests.yml").write_text("- name: Try\n  steps: one\n")
    (folder / "data/risk.yml").write_text("risks:\n- null\n")

    assert refused(corpus, folder) == [
        ("TR342", "data/manual_tests.yml"),
        ("TR342", "data/requirements.yml"),
    ]


@pytest.mark.parametrize("text", ["- a\n", "text\n", "links: text\n", "links: 5\n"])
def test_an_item_file_of_another_shape_is_refused_in_words(tmp_path: Path, text: str) -> None:
    folder = there("doorstop", tmp_path / "there")
    corpus = corpus_of(records(folder, "doorstop"), "doorstop", {})
    for name in ("req/REQ001.yml", "tst/TST-001.yml"):
        (folder / name).write_text(text)

    assert refused(corpus, folder) == [("TR342", "req/REQ001.yml"), ("TR342", "tst/TST-001.yml")]


def test_a_file_where_a_folder_is_needed_and_a_folder_where_a_file_is_are_told_first(
    tmp_path: Path,
) -> None:
    corpus = corpus_of(records(there("rdm", tmp_path / "there"), "rdm"), "rdm", {})
    blocked, below = tmp_path / "blocked", tmp_path / "below"
    (blocked / "data/risk.yml").mkdir(parents=True)
    below.mkdir()
    (below / "data").write_text("theirs")

    assert refused(corpus, blocked) == [("TR342", "data/risk.yml")]
    assert [code for code, _ in refused(corpus, below)] == ["TR342"] * 3
    assert refused(corpus, below / "data" / "new") == [("TR342", str(below / "data"))]


def test_one_file_below_another_is_told(tmp_path: Path) -> None:
    found = [Item(uid, "row", uid, "x", Place(f"{uid}.csv")) for uid in ("a", "b")]
    found[1] = replace(found[1], place=Place("a.csv/b.csv"))

    assert refused(Corpus("sheets", tuple(found)), tmp_path / "new") == [("TR342", "a.csv/b.csv")]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("a.xlsx/Risks", "a\x0bb"), ("a.xlsx/Risks: all", "a"), ("a.xlsx/" + "x" * 32, "a"),
        ("a.xlsx/Risks", "x" * 40_000),
    ],
)  # fmt: skip
def test_what_a_workbook_cannot_hold_is_told(tmp_path: Path, place: str, text: str) -> None:
    item = Item("R1", "row", "Dose", text, Place(place))

    assert [code for code, _ in refused(Corpus("sheets", (item,)), tmp_path / "new")] == ["TR345"]


def test_what_other_forms_cannot_hold_is_told(tmp_path: Path) -> None:
    named = dict.fromkeys(("ReqIF.Text", "ReqIF.Name", "ReqIF.ChapterName"), "x")
    item = Item("R1", "row", "Dose\x0b", "Text", Place("a"), "Nowhere", (1,), fields=named)

    for form in ("roboclerk", "reqif", "rdm"):
        corpus = Corpus(form, (replace(item, place=Place(f"a.{form}")),))
        assert {code for code, _ in refused(corpus, tmp_path / form)} == {"TR345"}


@pytest.mark.parametrize(
    ("form", "position"),
    [
        ("openfasttrace", [10**6]), ("openfasttrace", [1] * 101), ("openfasttrace", [-1]),
        ("reqif", [2**31]), ("reqif", [0, 1]), ("doorstop", ["one"]),
    ],
)  # fmt: skip
def test_a_place_that_no_reader_told_is_left_out_by_name(
    tmp_path: Path, form: str, position: list[Any]
) -> None:
    first, *_ = records(there("openfasttrace", tmp_path / "there"), "openfasttrace")

    corpus = corpus_of([stating(first, format=form, position=position)], form, {})

    assert [one.code for one in corpus.findings] == ["TR347"]
    assert "(position" in corpus.findings[0].what


def test_places_far_apart_write_no_more_than_a_reader_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openfasttrace, "MOST_BLOCKS", 1_000)
    monkeypatch.setattr(reqif, "MOST_PLACES", 1_000)
    far = (600, 600)
    item = Item("req~a~1", "req", "A", "Text", Place("a.md"), "a.md", far, "1")

    for form, name in (("openfasttrace", "a.md"), ("reqif", "a.reqif")):
        corpus = Corpus(form, (replace(item, place=Place(name)),))
        assert [code for code, _ in refused(corpus, tmp_path / form)] == ["TR345"]
