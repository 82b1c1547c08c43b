"""Manual tests of RDM go back with each step where it was and with the links that it has now."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.records.content import LinkDraft
from qms.interchange.corpus import Reference
from qms.interchange.mapping.back import corpus_of
from qms.interchange.natives.writing import write_corpus
from qms.interchange.readers.reading import read_corpus
from tests.qms.interchange.natives.test_writing import FILES, records


@pytest.mark.parametrize("odd", ["", "null", "[a, b]", "- a: b", "Look at it"])
@pytest.mark.parametrize("anew", [False, True])
def test_a_step_that_is_no_mapping_stays_where_it_is(
    tmp_path: Path, odd: str, *, anew: bool
) -> None:
    file = tmp_path / "data/manual_tests.yml"
    file.parent.mkdir()
    file.write_text(
        f"- name: Try\n  description: Old.\n  steps:\n  - {odd}\n  - step: x\n    req_ids: [r-1]\n"
    )
    corpus = read_corpus(tmp_path, "rdm")
    edited = replace(corpus, items=(replace(corpus.items[0], text="New."),))
    before = file.read_text()
    folder = tmp_path / "new" if anew else tmp_path

    write_corpus(edited, folder)

    [read] = read_corpus(folder, "rdm").items
    assert (read.text, read.fields) == ("New.", corpus.items[0].fields)
    assert file.read_text() == (before if anew else before.replace("Old.", "New."))


@pytest.mark.parametrize("ids", ["[]", "[a, null]", "5", "a, b", "[7]", "null", "{a: b}"])
@pytest.mark.parametrize("anew", [False, True])
def test_ids_stay_as_they_are_written_where_no_link_changed(
    tmp_path: Path, ids: str, *, anew: bool
) -> None:
    file = tmp_path / "data/manual_tests.yml"
    file.parent.mkdir()
    file.write_text(f"- name: Try\n  description: Old.\n  steps:\n  - req_ids: {ids}\n")
    corpus = read_corpus(tmp_path, "rdm")
    before = file.read_text()
    folder = tmp_path / "new" if anew else tmp_path

    write_corpus(replace(corpus, items=(replace(corpus.items[0], text="New."),)), folder)

    assert read_corpus(folder, "rdm").items[0].fields == corpus.items[0].fields
    assert file.read_text() == (before if anew else before.replace("Old.", "New."))


def test_each_of_the_steps_that_are_called_alike_keeps_its_own_links(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    file = folder / "data/manual_tests.yml"
    file.parent.mkdir(parents=True)
    said = "  - step: OK\n    req_ids: [a, b]\n  - result: pass\n  - step: OK\n    req_ids: a, c\n"
    file.write_text(f"- name: Try\n  description: Old.\n  steps:\n{said}  - req_ids: [d]\n")
    corpus = read_corpus(folder, "rdm")
    [test] = corpus.items
    made = Reference("req_ids", "e", test.place)
    kept = [one for one in test.references if one.target != "b"]
    edited = replace(test, text="New.", references=(*kept, made))
    before = file.read_text()

    for place in (folder, tmp_path / "new"):
        write_corpus(replace(corpus, items=(replace(test, text="New."),)), place)
    assert file.read_text() == before.replace("Old.", "New.")
    write_corpus(replace(corpus, items=(edited,)), folder)

    [read] = read_corpus(folder, "rdm").items
    steps = [step.get("req_ids") for step in read.fields["steps"]]
    assert steps == [["a"], None, "a, c", ["d", "e"]]


def test_a_link_of_a_manual_test_that_was_made_or_taken_away_here_shows_there(
    tmp_path: Path,
) -> None:
    for path, text in FILES["rdm"].items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    found = {one.content.fields["origin"]["id"]: one for one in records(tmp_path, "rdm")}
    test = found["Try"]
    more = LinkDraft(test.content.links[0].role, found["s-1"].uid)

    for links, ids in (((), []), ((*test.content.links, more), ["r-1", "s-1"])):
        found["Try"] = replace(test, content=replace(test.content, links=links))
        write_corpus(corpus_of(found.values(), "rdm", {}), tmp_path)

        read = {one.uid: one for one in read_corpus(tmp_path, "rdm").items}
        assert [step["req_ids"] for step in read["Try"].fields["steps"]] == [ids]
