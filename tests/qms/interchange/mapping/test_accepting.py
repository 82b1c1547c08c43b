"""What a reader had to leave out stops an import until somebody names its code."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.records.types import get_registry
from qms.interchange.mapping.records import Stated, map_corpus
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import column_map

pytestmark = pytest.mark.verifies("TST-043")


def stops(path: Path, *columns: str) -> Sequence[tuple[str, str]]:
    """What stops the import of these files; nothing of it once its code is accepted."""
    corpus = read_corpus(path, columns=column_map(columns))
    registry = get_registry()
    accepted = Stated(accepted=frozenset({"TR014"}))

    assert map_corpus(corpus, accepted, registry, "RPM").folder.faults == ()
    faults = map_corpus(corpus, Stated(), registry, "RPM").folder.faults
    assert all("Or accept it: --accept TR014." in one.mend for one in faults)
    return [(one.code, one.where) for one in faults]


def test_a_misspelt_relation_of_strictdoc_stops(tmp_path: Path) -> None:
    (tmp_path / "a.sdoc").write_text(
        "[DOCUMENT]\nTITLE: A\n\n[REQUIREMENT]\nUID: A-1\n\n"
        "[REQUIREMENT]\nUID: A-2\nRELATIONS:\n- TYPE: Parnt\n  VALUE: A-1\n"
    )

    assert stops(tmp_path) == [("TR014", "a.sdoc:10")]


def test_a_misspelt_section_of_roboclerk_stops_and_an_empty_one_does_not(tmp_path: Path) -> None:
    held = {"SystemRequirements": [{"ItemID": "1"}], "Risks": [], "SoftwareRequirments": [{}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(held, indent=0))

    assert stops(path) == [("TR014", "a.json:8")]

    path.write_text(json.dumps(held | {"SoftwareRequirments": []}))
    assert stops(path) == []


def test_a_doorstop_document_in_markdown_stops(tmp_path: Path) -> None:
    (tmp_path / ".doorstop.yml").write_text("settings:\n  prefix: REQ\n")
    (tmp_path / "REQ1.yml").write_text("text: a\n")
    (tmp_path / "md").mkdir()
    (tmp_path / "md/.doorstop.yml").write_text("settings:\n  prefix: MD\n  itemformat: markdown\n")
    (tmp_path / "md/MD1.md").write_text("text\n")

    assert stops(tmp_path) == [("TR014", "md/.doorstop.yml:3")]


def test_needs_of_a_version_that_is_not_there_stop(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"current_version": "1", "versions": {"1": {"needs": {"A": {"id": "A"}}}}}'
    )
    (tmp_path / "b.json").write_text(
        '{"current_version": "3",\n"versions": {"1": {"needs": {"B": {"id": "B"}}}, "2": {}}}'
    )

    assert stops(tmp_path) == [("TR014", "b.json:1")]


def test_a_stated_column_that_is_not_there_stops_and_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Ref,Title,Text\nA-1,x,y\n")
    (tmp_path / "b.csv").write_text("ID,Name,Text\n1,x,y\n")

    assert stops(tmp_path, "uid=Ref") == [("TR014", "b.csv:1")]
    assert stops(tmp_path / "b.csv", "title=Nmae") == [("TR014", "b.csv:1")]
    [item] = read_corpus(tmp_path / "b.csv", columns=column_map(["title=Nmae"])).items
    assert (item.title, item.fields) == ("", {"Name": "x"})


def test_a_misspelt_list_of_rdm_stops_and_one_of_another_program_does_not(tmp_path: Path) -> None:
    path = tmp_path / "requirements.yml"
    path.write_text("requirements:\n- id: r-1\nspecifcation:\n- id: s-1\n")

    assert stops(tmp_path) == [("TR014", "requirements.yml:3")]

    path.write_text("requirements:\n- id: r-1\nreviewers: [AK]\n")
    assert stops(tmp_path) == []
