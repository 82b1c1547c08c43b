"""What is read of a folder is opened, counted and parsed no more often than it has to be."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from qms.interchange.readers import detecting, doorstop, files
from qms.interchange.readers.detecting import detect
from qms.interchange.readers.files import Files, files_below
from qms.interchange.readers.reading import read_corpus

pytestmark = pytest.mark.verifies("TST-031")

NEEDS = {"current_version": "1", "versions": {"1": {"needs": {"A": {"id": "A"}}}}}


def test_a_file_counts_once_whether_its_format_was_found_out_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "needs.json"
    path.write_text(json.dumps(NEEDS))
    monkeypatch.setattr(files, "LARGEST_TOGETHER", path.stat().st_size)

    corpus = read_corpus(tmp_path)

    assert [one.uid for one in corpus.items] == ["A"]
    assert corpus.findings == ()


def test_different_files_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text(json.dumps(NEEDS))
    (tmp_path / "b.json").write_text(json.dumps(NEEDS))
    monkeypatch.setattr(files, "LARGEST_TOGETHER", 100)

    corpus = read_corpus(tmp_path)

    assert [(one.code, str(one.place)) for one in corpus.findings] == [("TR001", "b.json")]


def test_one_look_into_a_json_file_answers_for_each_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text(json.dumps({"Risks": [], "SOUPs": []}))
    (tmp_path / "c.json").write_text("[]")
    parsed = []
    read_json = detecting.read_json
    monkeypatch.setattr(
        detecting, "read_json", lambda *said: (parsed.append(said[1]), read_json(*said))[1]
    )

    assert detect(files_below(tmp_path)).format == "roboclerk"
    assert parsed == ["a.json", "b.json", "c.json"]


class Counted(tuple[str, ...]):
    """Names that count how often somebody went through all of them."""

    times = 0

    def __iter__(self) -> Iterator[str]:
        Counted.times += 1
        return super().__iter__()


def test_a_file_of_an_item_is_found_without_going_through_all_names(tmp_path: Path) -> None:
    (tmp_path / ".doorstop.yml").write_text("settings:\n  prefix: R\n")
    (tmp_path / "x.txt").write_text("x")
    for number in range(20):
        (tmp_path / f"R{number}.yml").write_text("references:\n- path: x.txt\n  type: file\n")
    counted = Counted(files_below(tmp_path).names)
    Counted.times = 0

    items = doorstop.read(Files(tmp_path, counted)).items

    assert [len(one.attached) for one in items] == [1] * 20
    assert Counted.times < 5
