"""Every corpus of other tools that is at hand goes back to its tool and comes in again the same."""

import shutil
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.types import get_registry
from qms.interchange.corpus import Attached
from qms.interchange.mapping.accepting import ACCEPTABLE
from qms.interchange.mapping.back import corpus_of
from qms.interchange.mapping.records import MappedCorpus, Stated, map_corpus
from qms.interchange.natives.writing import write_corpus
from qms.interchange.readers.reading import read_corpus

FOLDERS = ("doorstop", "openfasttrace", "roboclerk", "gstt-project", "strictdoc")


def came_in(path: Path, form: str | None = None) -> tuple[str, MappedCorpus]:
    corpus = read_corpus(path, form)
    stated = Stated(accepted=ACCEPTABLE)
    return corpus.format, map_corpus(corpus, stated, get_registry(), "RPM")


def digests(found: MappedCorpus) -> dict[str, str]:
    return {one.uid: one.content_digest for one in found.folder.records}


def goes_and_comes(path: Path, out: Path) -> int:
    form, found = came_in(path)
    files = {
        one.sha256: Attached(one.name, one.sha256, one.data)
        for carried in found.attached.values()
        for one in carried
    }
    write_corpus(corpus_of(found.folder.records, form, files), out)
    _, again = came_in(out, form)
    assert digests(again) == digests(found)
    return len(found.folder.records)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_corpus_goes_back_and_comes_in_with_the_same_digests(
    name: str, reference_data: Path, tmp_path: Path
) -> None:
    assert goes_and_comes(reference_data / "trace" / name, tmp_path / "out")


def test_every_reqif_file_that_holds_an_object_goes_back(
    reference_data: Path, tmp_path: Path
) -> None:
    trace = reference_data / "trace"
    paths = [*sorted(trace.rglob("*.reqif")), *sorted(trace.rglob("*.reqifz"))]
    held = [path for path in paths if holds_an_object(path)]

    for number, path in enumerate(held):
        goes_and_comes(path, tmp_path / str(number))

    assert (len(paths), len(held)) == (36, 25)


def holds_an_object(path: Path) -> bool:
    try:
        return bool(read_corpus(path).items)
    except Invalid:
        return False


def test_items_go_back_unchanged_into_the_folder_that_was_read_and_nothing_is_added(
    reference_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reqs"
    shutil.copytree(reference_data / "trace" / "doorstop" / "reqs", folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    goes_and_comes(folder, folder)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
