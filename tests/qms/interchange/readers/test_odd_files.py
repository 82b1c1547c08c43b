"""Values that no record can hold, links to themselves and pipes are told, and end no reading."""

import os
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.types import get_registry
from qms.interchange.corpus import Corpus
from qms.interchange.mapping.records import Stated, map_corpus
from qms.interchange.readers.reading import read_corpus

pytestmark = [pytest.mark.verifies("TST-031"), pytest.mark.usefixtures("_types")]


@pytest.fixture(scope="module")
def _types() -> None:
    from app.tables import prepare

    prepare()


def told(corpus: Corpus) -> list[tuple[str, str]]:
    """What was found; every record of the items has a digest, every word can be encoded."""
    found = map_corpus(corpus, Stated(), get_registry(), "RPM")
    assert all(one.content_digest for one in found.folder.records)
    assert str(found.folder.faults).encode()
    return [(one.code, str(one.place)) for one in corpus.findings]


def needs(path: Path, need: str) -> Path:
    text = f'{{"current_version": "1", "versions": {{"1": {{"needs": {{"A":\n{need}}}}}}}}}'
    path.write_text(text)
    return path


def doorstop(folder: Path, **items: str) -> Path:
    (folder / ".doorstop.yml").write_text("settings:\n  prefix: REQ\n")
    for name, text in items.items():
        (folder / f"{name}.yml").write_text(text)
    return folder


@pytest.mark.parametrize(
    "need", ['{"id": "A\\ud800", "type": "req"}', '{"id": "A", "type": "req", "x\\uDC00": "1"}']
)
def test_half_of_a_surrogate_pair_in_json_is_told(tmp_path: Path, need: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_corpus(needs(tmp_path / "needs.json", need), "sphinx-needs")

    [fault] = caught.value.faults
    assert (fault.code, fault.where) == ("TR003", "needs.json:2")
    assert str(fault).encode()


def test_a_whole_pair_in_json_is_one_character(tmp_path: Path) -> None:
    corpus = read_corpus(
        needs(tmp_path / "needs.json", '{"id": "A", "type": "req", "title": "\\ud83d\\ude00"}')
    )

    assert [one.title for one in corpus.items] == ["\U0001f600"]


@pytest.mark.parametrize("number", ["1e999", "-1E+400", "12345678901234567890"])
def test_a_number_of_json_that_no_record_holds_is_kept_as_it_is_written(
    tmp_path: Path, number: str
) -> None:
    corpus = read_corpus(
        needs(tmp_path / "needs.json", f'{{"id": "A", "type": "req", "x": {number}}}')
    )

    assert [one.fields["x"] for one in corpus.items] == [number]
    assert told(corpus) == [("TR008", "needs.json:2")]


@pytest.mark.parametrize(
    "value", ["1.0e+999", f"0x{'F' * 5_000}", f"1{'0' * 40}", '"\\ud800"', "9" * 9_000]
)
def test_a_value_of_yaml_that_no_record_holds_is_told(tmp_path: Path, value: str) -> None:
    corpus = read_corpus(doorstop(tmp_path, REQ1=f"text: a\nx: {value}\n"))

    assert ("TR003", "REQ1.yml:2") in told(corpus)
    assert all(len(one.what) < 200 for one in corpus.findings)


def test_an_escape_of_yaml_that_names_no_character_is_told(tmp_path: Path) -> None:
    folder = doorstop(tmp_path, REQ1='text: "a\\U00110000"\n', REQ2="text: kept\n")

    corpus = read_corpus(folder)

    assert [one.text for one in corpus.items] == ["kept"]
    assert told(corpus)[0] == ("TR003", "REQ1.yml")


@pytest.mark.parametrize(("kind", "value"), [("REAL", "1e999"), ("INTEGER", "9" * 30)])
def test_a_number_of_reqif_that_no_record_holds_is_told(
    tmp_path: Path, kind: str, value: str
) -> None:
    (tmp_path / "a.reqif").write_text(
        "<REQ-IF><CORE-CONTENT><REQ-IF-CONTENT><SPEC-OBJECTS>\n"
        f'<SPEC-OBJECT IDENTIFIER="A"><VALUES>\n<ATTRIBUTE-VALUE-{kind} THE-VALUE="{value}"/>'
        "</VALUES></SPEC-OBJECT></SPEC-OBJECTS></REQ-IF-CONTENT></CORE-CONTENT></REQ-IF>"
    )

    corpus = read_corpus(tmp_path)

    assert ("TR008", "a.reqif:3") in told(corpus)
    assert corpus.items[0].fields == {"value": value}


def test_links_that_lead_to_each_other_and_pipes_are_named_and_not_opened(tmp_path: Path) -> None:
    folder = doorstop(tmp_path, REQ1="text: a\nreferences:\n- path: REQ3.yml\n  type: file\n")
    (folder / "loop").symlink_to("loop")
    (folder / "REQ2.yml").symlink_to("REQ4.yml")
    (folder / "REQ4.yml").symlink_to("REQ2.yml")
    os.mkfifo(folder / "REQ3.yml")

    corpus = read_corpus(folder)

    assert [one.uid for one in corpus.items] == ["REQ1"]
    passed = [place for code, place in told(corpus) if code == "TR004"]
    assert passed == ["REQ2.yml", "REQ3.yml", "REQ4.yml", "loop"]


def test_a_file_whose_name_is_no_text_is_named_with_its_bytes(tmp_path: Path) -> None:
    folder = doorstop(tmp_path, REQ1="text: a\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/REQ\xff.yml")).write_text("text: b\n")

    corpus = read_corpus(folder)

    assert [one.uid for one in corpus.items] == ["REQ1"]
    assert told(corpus)[0] == ("TR002", "REQ\\xff.yml")
