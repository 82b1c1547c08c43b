"""Items come in as drafts; what changed on one side, on both or on none is told apart."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from core.blobs import BlobStore
from core.clock import now
from core.errors import Invalid, Refused
from core.records.attaching import files_of
from core.records.content import Content
from core.records.service import edit_token, latest_revision, read_content, save_draft
from core.records.types import get_registry
from qms.interchange.corpus import Attached, Corpus, Item, Place
from qms.interchange.mapping.keeping import KeptCorpus, keep_corpus, plan_corpus
from qms.interchange.mapping.records import Stated, map_corpus
from tests.conftest import Office

pytestmark = pytest.mark.verifies("TST-043")

CARRIED = Attached("a/plan.txt", hashlib.sha256(b"plan").hexdigest(), b"plan")
FIRST = Item(
    "REQ-1", "req", "Reads", "It reads.", Place("a.csv", 2), fields={"Owner": "AK"},
    attached=(CARRIED,),
)  # fmt: skip
OTHER = Item("REQ-2", "req", "Writes", "It writes.", Place("a.csv", 3))


def mapped(*items: Item, moved: bool = False):
    return map_corpus(Corpus("sheets", items), Stated(moved=moved), get_registry(), "RPM")


def keep(office: Office, tmp_path: Path, *items: Item, by: str = "PPL-AK") -> KeptCorpus:
    with office.writing() as session:
        return keep_corpus(
            session, BlobStore(tmp_path), office.project(session), mapped(*items),
            office.staff[by], ("a.csv", Stated()),
        )  # fmt: skip


def verdicts(office: Office, *items: Item, moved: bool = False) -> list[tuple[str, str, str]]:
    with office.reading() as session:
        found = mapped(*items, moved=moved)
        plan = plan_corpus(session, office.project(session), found, office.staff["PPL-AK"])
    return [(one.file.uid, one.verdict.value, one.note) for one in plan.proposed]


def edit(office: Office, uid: str, **said: str) -> None:
    with office.writing() as session:
        record = office.record(session, uid)
        content = replace(read_content(session, record), **said)
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, content, office.staff["PPL-AK"], token, "Better")


def test_the_same_files_again_change_nothing_and_an_edited_one_its_record(
    office: Office, tmp_path: Path
) -> None:
    kept = keep(office, tmp_path, FIRST, OTHER)

    assert kept.files == 1
    assert verdicts(office, FIRST, OTHER) == [
        ("REQ-1", "unchanged", ""),
        ("REQ-2", "unchanged", ""),
    ]
    moved = replace(FIRST, place=Place("a.csv", 9))
    edited = replace(OTHER, fields={"Owner": "BT"})
    assert [one[1] for one in verdicts(office, moved, edited)] == ["unchanged", "update"]
    keep(office, tmp_path, moved, edited)
    assert [one[1] for one in verdicts(office, moved, edited)] == ["unchanged", "unchanged"]
    with office.reading() as session:
        content = read_content(session, office.record(session, "REQ-2"))
        files = [
            (one.name, one.sha256) for one in files_of(session, office.record(session, "REQ-1"))
        ]
    assert content.fields["origin"]["fields"] == {"Owner": "BT"}
    assert files == [("plan.txt", CARRIED.sha256)]


def test_what_was_edited_here_stays_and_conflicts_only_with_an_edit_there(
    office: Office, tmp_path: Path
) -> None:
    keep(office, tmp_path, FIRST, OTHER)
    edit(office, "REQ-1", body="It reads well.")

    alone = verdicts(office, FIRST, OTHER)
    alike = verdicts(office, replace(FIRST, text="It reads well."), OTHER)
    both = verdicts(office, replace(FIRST, text="It reads fast."), OTHER)
    beside = verdicts(office, replace(FIRST, fields={"Owner": "BT"}), OTHER)

    assert alone[0][1:] == (
        "unchanged",
        "was not changed in its tool; what was changed here stays",
    )
    assert alike[0][1] == "unchanged"
    assert both[0][1] == beside[0][1] == "conflict"
    with pytest.raises(Invalid) as refusal:
        keep(office, tmp_path, replace(FIRST, text="It reads fast."), OTHER)
    [fault] = refusal.value.faults
    assert (fault.code, fault.where) == ("TR318", "a.csv:2")


def test_a_record_that_was_not_imported_is_never_taken_over(office: Office, tmp_path: Path) -> None:
    keep(office, tmp_path, OTHER)
    with office.writing() as session:
        record = office.record(session, "REQ-2")
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, Content("Ours"), office.staff["PPL-AK"], token, "Ours now")

    [(_, verdict, note)] = verdicts(office, OTHER)

    assert (verdict, note) == ("conflict", "is a record here that was not imported from that item")


def test_an_item_of_another_file_and_document_with_the_same_id_is_a_conflict_unless_it_moved(
    office: Office, tmp_path: Path
) -> None:
    keep(office, tmp_path, replace(FIRST, document="a.csv"))
    other = replace(FIRST, title="Unlike", place=Place("b.csv", 2), document="b.csv")

    [(_, verdict, note)] = verdicts(office, other)

    assert verdict == "conflict"
    assert note == "was imported from a.csv; if its items lie here now, say --moved"
    assert [one[1] for one in verdicts(office, other, moved=True)] == ["update"]
    assert [one[1] for one in verdicts(office, replace(other, document="a.csv"))] == ["update"]


def test_who_may_write_no_requirement_imports_none(office: Office, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        keep(office, tmp_path, FIRST, by="PPL-VW")

    assert [one[1] for one in verdicts(office, FIRST)] == ["create"]


def test_an_item_whose_record_was_withdrawn_is_not_brought_back(
    office: Office, tmp_path: Path
) -> None:
    keep(office, tmp_path, FIRST, OTHER)
    with office.writing() as session:
        office.record(session, "REQ-2").withdrawn_at = now()

    with pytest.raises(Invalid) as refusal:
        keep(office, tmp_path, FIRST, OTHER)

    [fault] = refusal.value.faults
    assert (fault.code, fault.where) == ("TR317", "a.csv:3")
    assert fault.mend == "Take the item out in its tool too, or give it another id there."
