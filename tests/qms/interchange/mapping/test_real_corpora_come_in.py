"""Every corpus of other tools that is at hand comes in whole, and goes on to an empty instance."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.blobs import BlobStore
from core.db import open_database
from core.records.content import Content
from core.records.service import create_project
from core.records.types import get_registry
from qms.interchange.corpus import Corpus, Item
from qms.interchange.mapping.back import corpus_of
from qms.interchange.mapping.keeping import keep_corpus, plan_corpus
from qms.interchange.mapping.origin import origin_in
from qms.interchange.mapping.records import MappedCorpus, Stated, map_corpus
from qms.interchange.mapping.uids import uid_of
from qms.interchange.markdown.folder import RecordFolder, read_folder, write_folder
from qms.interchange.markdown.proposing import Proposals, keep_proposals
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.readers.reading import read_corpus
from qms.interchange.writers.json_form import from_json, to_json
from qms.interchange.writers.kept import kept_records
from tests.conftest import Office, add_staff

pytestmark = pytest.mark.verifies("TST-043")

CORPORA = {
    "doorstop": ("doorstop", 43, {"requirement": 29, "item": 14}, {"traces_to": 22}, ()),
    "strictdoc": (
        "strictdoc",
        1110,
        {"requirement": 299, "design": 2, "item": 809},
        {"traces_to": 229, "satisfies": 1},
        (),
    ),
    "openfasttrace": (
        "openfasttrace",
        116,
        {"user_need": 10, "requirement": 45, "design": 61},
        {"derives_from": 59, "satisfies": 65},
        ("TR013",),
    ),
    "roboclerk": (
        "roboclerk",
        167,
        {"test": 149, "requirement": 10, "risk": 2, "soup": 2, "item": 4},
        {"verifies": 6, "traces_to": 16},
        (),
    ),
    "gstt-project": (
        "rdm",
        17,
        {"test": 7, "requirement": 4, "design": 3, "risk": 1, "soup": 2},
        {"satisfies": 3},
        ("TR101", "TR334"),
    ),
    "reqif/tests/integration/examples/04_convert_reqif_to_json/sample2_sdoc.reqif": (
        "reqif", 18, {"requirement": 18}, {}, (),
    ),
    "reqif/tests/integration/examples/04_convert_reqif_to_json/sample1_polarion.reqif": (
        "reqif", 2, {"requirement": 1, "item": 1}, {}, (),
    ),
}  # fmt: skip
"""Format, items, record types, links and what has to be accepted, by the folder."""


def mapped(path: Path, accepted: tuple[str, ...]) -> tuple[Corpus, MappedCorpus]:
    corpus = read_corpus(path)
    return corpus, map_corpus(corpus, Stated(accepted=frozenset(accepted)), get_registry(), "RPM")


def keep(office: Office, found: MappedCorpus, tmp_path: Path) -> Proposals:
    with office.writing() as session:
        project, by = office.project(session), office.staff["PPL-AK"]
        store = BlobStore(tmp_path / "blobs")
        return keep_corpus(session, store, project, found, by, ("here", Stated())).proposals


def kept(office: Office) -> list[RecordFile]:
    with office.reading() as session:
        return kept_records(session, office.project(session), drafts=True)


def said(item: Item) -> tuple[object, ...]:
    """Everything of an item but the line it stands on."""
    fields = {key: repr(value) for key, value in item.fields.items()}
    links = [(one.role, one.target, one.stated, one.attributes) for one in item.references]
    return (
        item.uid, item.kind, item.title, item.text, item.document, item.position, item.place.file,
        fields, links, [(one.name, one.sha256) for one in item.attached],
    )  # fmt: skip


@pytest.fixture
def elsewhere(empty_sqlite: Path, tmp_path: Path) -> Iterator[Office]:
    """Project RPM in an instance of its own, with nothing in it."""
    shutil.copy(empty_sqlite, tmp_path / "elsewhere.db")
    opened = open_database(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    with opened.writing() as session:
        staff = add_staff(session, create_project(session, "RPM", "Elsewhere", None))
    yield Office(opened, "RPM", staff)
    opened.engine.dispose()


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_comes_in_with_its_counts_and_goes_on_without_loss(
    name: str, reference_data: Path, office: Office, elsewhere: Office, tmp_path: Path
) -> None:
    format_name, items, types, links, accepted = CORPORA[name]
    corpus, found = mapped(reference_data / "trace" / name, accepted)

    proposals = keep(office, found, tmp_path)
    records = kept(office)

    assert corpus.format == format_name
    assert len(proposals.proposed) == len(corpus.items) == items == len(records)
    assert Counter(one.type for one in records) == types
    assert Counter(link.role for one in records for link in one.content.links) == links
    assert {(origin_in(one.content) or {})["id"] for one in records} == {
        one.uid for one in corpus.items
    }
    # What is kept tells every item again, and as files the records say the same elsewhere.
    again = corpus_of(records, format_name, {one.sha256: one for _, one in files(corpus)})
    assert {one.uid: said(one) for one in again.items} == {
        one.uid: said(one) for one in corpus.items
    }
    as_json, as_markdown = through_json(records), through_markdown(records, tmp_path)
    for folder in (as_json, as_markdown):
        assert folder.faults == ()
        assert contents(folder.records) == contents(records)
    with elsewhere.writing() as session:
        incoming = [(elsewhere.project(session), as_markdown)]
        keep_proposals(session, incoming, elsewhere.staff["PPL-AK"], "Moved")
    assert contents(kept(elsewhere)) == contents(records)
    with office.reading() as session:
        project = office.project(session)
        plan = plan_corpus(session, project, found, office.staff["PPL-AK"])
    assert plan.sentence == f"0 to create, 0 to change, {items} unchanged, 0 in conflict"


def contents(records: Sequence[RecordFile]) -> dict[str, tuple[Content, str]]:
    return {one.uid: (one.content, one.digest) for one in records}


def files(corpus: Corpus) -> list[tuple[str, object]]:
    return [(uid_of(item.uid), one) for item in corpus.items for one in item.attached]


def through_markdown(records: list[RecordFile], tmp_path: Path) -> RecordFolder:
    write_folder(tmp_path / "record", records, get_registry())
    return read_folder(tmp_path / "record")


def through_json(records: list[RecordFile]) -> RecordFolder:
    return from_json(to_json("RPM", "Device", records), "rpm.json")
