"""Files that were edited come in as drafts; what was changed on both sides is told, never lost."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session

from core.db import Database, open_database
from core.errors import Invalid, Refused
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import find_actor
from core.records.content import Content, LinkDraft
from core.records.service import (
    create_project,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.types import get_registry
from qms.baselines.service import find_baseline, verify_baseline
from qms.interchange.markdown.folder import RecordFolder, read_folder, write_folder
from qms.interchange.markdown.proposing import Proposals, keep_proposals, plan_proposals
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.markdown.standing import Verdict
from qms.interchange.returning.reading import read_records
from qms.interchange.writers.forms import FORMS, write_as
from qms.interchange.writers.kept import kept_records
from tests.conftest import Office
from tests.demonstration import BuiltDemo

pytestmark = pytest.mark.verifies("TST-030")

NEED = RecordFile("RPM", "user_need", "UN-001", Content("See the dose"))
REQUIREMENT = RecordFile(
    "RPM",
    "requirement",
    "REQ-001",
    Content(
        "Reads the plan",
        "It **shall** read.",
        {"category": "interface", "acceptance": "It is read."},
        (LinkDraft("derives_from", "UN-001"),),
    ),
    revision=4,
)


def edited(one: RecordFile, title: str) -> RecordFile:
    """Return a file as somebody edits it: the digest it was written with stays."""
    return replace(one, content=replace(one.content, title=title), digest=one.digest)


def keep(office: Office, *files: RecordFile, by: str = "PPL-AK") -> Proposals:
    folder = RecordFolder(files, ())
    with office.writing() as session:
        incoming = [(office.project(session), folder)]
        [found] = keep_proposals(session, incoming, office.staff[by], "Why")
    return found


def plan(office: Office, *files: RecordFile, by: str = "PPL-AK") -> list[tuple[str, str, str]]:
    with office.reading() as session:
        project = office.project(session)
        incoming = [(project, RecordFolder(files, ()))]
        [found] = plan_proposals(session, incoming, office.staff[by])
    assert not found.faults
    return [(one.file.uid, one.verdict.value, one.note) for one in found.proposed]


def kept(office: Office) -> list[RecordFile]:
    with office.reading() as session:
        return kept_records(session, office.project(session), drafts=True)


def test_what_is_new_is_created_as_drafts_of_the_person(office: Office) -> None:
    found = keep(office, NEED, REQUIREMENT)

    assert found.sentence == "2 to create, 0 to change, 0 unchanged, 0 in conflict"
    assert found.baseline is None
    with office.reading() as session:
        revision = latest_revision(session, office.record(session, "REQ-001"))
        assert (revision.state, revision.number, revision.author_uid) == ("draft", 4, "PPL-AK")
        assert revision.content_digest == REQUIREMENT.content_digest


def test_a_file_may_leave_its_project_out_or_name_it_in_every_link(office: Office) -> None:
    links = (LinkDraft("derives_from", "UN-001", "RPM"),)
    bare = replace(
        REQUIREMENT, project="", content=replace(REQUIREMENT.content, links=links), digest=""
    )

    keep(office, NEED, bare)

    assert [one.content for one in kept(office)] == [REQUIREMENT.content, NEED.content]


def test_what_was_not_edited_is_unchanged(office: Office) -> None:
    keep(office, NEED, REQUIREMENT)

    assert plan(office, *kept(office)) == [
        ("REQ-001", "unchanged", ""),
        ("UN-001", "unchanged", ""),
    ]


def test_an_edit_of_a_file_becomes_a_draft(office: Office) -> None:
    keep(office, NEED, REQUIREMENT)
    [requirement, need] = kept(office)

    found = keep(office, edited(requirement, "Reads all plans"), need)

    assert [one.verdict for one in found.proposed] == [Verdict.UPDATE, Verdict.UNCHANGED]
    assert [one.content.title for one in kept(office)] == ["Reads all plans", "See the dose"]


def test_an_edit_on_both_sides_is_a_conflict_and_nothing_is_kept(office: Office) -> None:
    keep(office, NEED, REQUIREMENT)
    [requirement, need] = kept(office)
    with office.writing() as session:
        record = office.record(session, "REQ-001")
        content = replace(read_content(session, record), title="Reads it here")
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, content, office.staff["PPL-AK"], token)

    mine = edited(requirement, "Reads it there")
    [(_, verdict, note), _] = plan(office, mine, need)
    with pytest.raises(Invalid) as caught:
        keep(office, mine, edited(need, "See it"))

    assert verdict == "conflict"
    # The open draft was saved over, so that nobody can show what the file was written from.
    assert note == "was never what the file says it was written from"
    assert [one.code for one in caught.value.faults] == ["TR318"]
    assert [one.content.title for one in kept(office)] == ["Reads it here", "See the dose"]


def test_a_file_that_says_no_revision_cannot_change_a_record(office: Office) -> None:
    keep(office, NEED)

    [(_, verdict, note)] = plan(office, replace(NEED, content=Content("Other"), digest=""))

    assert verdict == "conflict"
    assert note == "exists, and the file does not say which revision it was written from"


def test_a_draft_of_somebody_else_is_not_written_over(office: Office) -> None:
    keep(office, NEED)
    [need] = kept(office)
    with office.writing() as session:
        grant_author(office, session)

    [(_, verdict, note)] = plan(office, edited(need, "Other"), by="PPL-EQ")

    assert (verdict, note) == ("conflict", "has an open draft of Amara Kole")


def grant_author(office: Office, session: Session) -> None:
    project = office.project(session)
    held = office.staff["PPL-EQ"]
    roles = {project.id: frozenset({"author", "quality_manager"})}
    office.staff["PPL-EQ"] = Actor(held.person_id, held.name, held.uid, roles)


def test_what_was_recorded_once_is_not_changed_by_a_file(office: Office) -> None:
    watch = RecordFile("RPM", "surveillance", "SRV-001", Content("Watch"))
    seen = RecordFile(
        "RPM",
        "surveillance_event",
        "SRE-001",
        Content("Seen", "All well.", {}, (LinkDraft("result_of", "SRV-001"),)),
    )
    keep(office, watch, seen)
    [before, _] = sorted(kept(office), key=lambda one: one.uid)

    [(_, verdict, note)] = plan(office, edited(before, "Not seen"))

    assert before.uid == "SRE-001"
    assert verdict == "conflict"
    assert note == "was recorded once; correct it with an event of its own"


def test_an_issue_comes_with_its_state_and_is_edited_like_any_record(office: Office) -> None:
    problem = RecordFile("RPM", "problem", "PRB-001", Content("Slow"), state="assessed")
    keep(office, problem)
    [before] = kept(office)

    [(_, verdict, _)] = plan(office, edited(before, "Very slow"))

    assert before.state == "assessed"
    assert verdict == "update"


def test_a_table_that_an_act_made_is_not_written_by_a_file(office: Office) -> None:
    made = {"taken_at": "2026-11-20"}
    log = RecordFile("RPM", "hazard_log", "HZL-001", Content("Hazards", "", made))
    keep(office, log)
    [before] = kept(office)
    forged = replace(before, content=replace(before.content, fields={"taken_at": "2026-11-21"}))

    with pytest.raises(Invalid) as caught:
        keep(office, forged)

    assert [one.code for one in caught.value.faults] == ["TR312"]


def test_a_new_record_states_an_origin_as_an_import_does_or_is_refused(office: Office) -> None:
    def stating(**said: object) -> RecordFile:
        origin = {"format": "reqif", "id": "a", "file": "a.reqif", "position": [1, 2], **said}
        return replace(REQUIREMENT, content=Content("See", "", {"origin": origin}), digest="")

    for odd in ({"position": [2**31]}, {"files": [{"name": "a"}]}, {"links": "none"}):
        with pytest.raises(Invalid) as caught:
            keep(office, stating(**odd))
        assert [one.code for one in caught.value.faults] == ["TR312"]
    assert kept(office) == []
    assert keep(office, stating()).counts[Verdict.CREATE] == 1


def test_a_file_of_an_earlier_revision_says_nothing_new(demo: Database) -> None:
    with demo.writing() as session:
        project, by = find_project(session, "RPM"), find_actor(session, "PPL-AK")
        [early] = [one for one in kept_records(session, project) if one.uid == "REQ-001"]
        record = find_record(session, project, "REQ-001")
        content = replace(read_content(session, record), title="Later")
        save_draft(session, record, content, by, edit_token(latest_revision(session, record)))
        both = [early, edited(early, "On a branch")]

        [in_force] = plan_proposals(session, [(project, RecordFolder((both[0],), ()))], by)
        [branch] = plan_proposals(session, [(project, RecordFolder((both[1],), ()))], by)

    assert in_force.proposed[0].verdict is Verdict.UNCHANGED
    assert in_force.proposed[0].note == "says what is in force; the open draft stays"
    assert branch.proposed[0].verdict is Verdict.CONFLICT
    assert branch.proposed[0].note == (
        f"was edited here too: the file was written from revision {early.revision}, and revision "
        f"{early.revision + 1} (draft) says something else"
    )


def test_who_may_not_write_may_not_import(office: Office) -> None:
    with pytest.raises(Refused, match="Vera Wynn may not write a"):
        keep(office, NEED, by="PPL-VW")


def test_every_fault_of_every_file_is_told_and_nothing_is_kept(office: Office) -> None:
    wrong = replace(
        REQUIREMENT,
        content=Content("A", "", {"colour": "red"}, (LinkDraft("derives_from", "UN-002"),)),
        file="requirement/REQ-001.md",
        lines={("fields", "colour"): 7, ("links", 0): 9},
    )
    other = replace(NEED, project="ELSE", file="user_need/UN-001.md")

    with pytest.raises(Invalid) as caught:
        keep(office, wrong, other)

    assert [(one.code, one.where) for one in caught.value.faults] == [
        ("TR316", "user_need/UN-001.md:1"),
        ("TR312", "requirement/REQ-001.md:7"),
        ("TR313", "requirement/REQ-001.md:9"),
    ]
    assert kept(office) == []


@pytest.fixture
def demo(demo_copy: BuiltDemo) -> Iterator[Database]:
    database = open_database(demo_copy.settings.database, demo_copy.data_dir)
    yield database
    database.engine.dispose()


def test_the_demonstration_comes_back_as_it_was_and_an_edit_as_a_draft(
    demo: Database, tmp_path: Path
) -> None:
    with demo.reading() as session:
        records = kept_records(session, find_project(session, "RPM"))
    write_folder(tmp_path, records, get_registry())
    path = tmp_path / "requirement" / "REQ-001.md"
    path.write_text(path.read_text().replace("\ntitle: ", "\ntitle: Edited, "))

    with demo.writing() as session:
        project, by = find_project(session, "RPM"), find_actor(session, "PPL-AK")
        incoming = [(project, read_folder(tmp_path))]
        [found] = keep_proposals(session, incoming, by, "By pull request")

    assert found.counts == {
        Verdict.CREATE: 0,
        Verdict.UPDATE: 1,
        Verdict.UNCHANGED: len(records) - 1,
        Verdict.CONFLICT: 0,
    }
    with demo.reading() as session:
        project = find_project(session, "RPM")
        revision = latest_revision(session, find_record(session, project, "REQ-001"))
        assert revision.state == "draft"
        assert revision.title.startswith("Edited, ")
        frozen = find_baseline(session, project, str(found.baseline))
        assert verify_baseline(session, frozen).intact


@pytest.mark.parametrize("form", ["markdown", *FORMS])
def test_the_demonstration_comes_back_the_same_in_an_empty_installation(
    demo: Database, database: Database, tmp_path: Path, form: str
) -> None:
    """Both of its projects, which link to each other's people and systems.

    A second time all of it is unchanged, and an edit of one text is one change.
    """
    with demo.reading() as session:
        sets = {key: kept_records(session, find_project(session, key)) for key in ("DEPT", "RPM")}
    roles = frozenset({"author", "developer", "quality_manager", "release_manager", "tester"})

    with database.writing() as session:
        by = everybody(session, roles)
        incoming = [
            (create_project(session, key, key, by), brought(tmp_path / key, key, records, form))
            for key, records in sets.items()
        ]
        keep_proposals(session, incoming, by, "Moved")

    with database.reading() as session:
        for key, records in sets.items():
            again = kept_records(session, find_project(session, key), drafts=True)
            assert [(one.uid, one.digest) for one in again] == [
                (one.uid, one.digest) for one in records
            ]
            assert [one.content for one in again] == [one.content for one in records]
        project = find_project(session, "RPM")
        there = kept_records(session, project, drafts=True)
        unchanged = brought(tmp_path / "there", "RPM", there, form)
        [first] = plan_proposals(session, [(project, unchanged)], by)
        changed = brought(
            tmp_path / "there",
            "RPM",
            there,
            form,
            ("figures within minutes", "figures within a minute"),
        )
        [second] = plan_proposals(session, [(project, changed)], by)
    assert first.counts[Verdict.UNCHANGED] == len(there)
    assert [one.file.uid for one in second.of(Verdict.UPDATE)] == ["UN-001"]
    assert second.counts[Verdict.UNCHANGED] == len(there) - 1


def brought(
    folder: Path,
    key: str,
    records: list[RecordFile],
    form: str,
    edit: tuple[str, str] | None = None,
) -> RecordFolder:
    """Write records in a form, perhaps edit one text of the file, and read it back."""
    folder.mkdir(exist_ok=True)
    if form == "markdown":
        write_folder(folder, records, get_registry())
        for path in folder.rglob("*.md") if edit else ():
            path.write_text(path.read_text().replace(*edit))
        return read_folder(folder)
    path = folder / key
    data = write_as(form, key, key, records, get_registry())
    path.write_bytes(replaced(data, *edit) if edit else data)
    return read_records(path, get_registry())


def replaced(data: bytes, old: str, new: str) -> bytes:
    """Return a file, or the members of a zip, with a text replaced."""
    if not data.startswith(b"PK"):
        return data.replace(old.encode(), new.encode())
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name).replace(old.encode(), new.encode()))
    return out.getvalue()


def everybody(session: Session, roles: frozenset[str]) -> Actor:
    person = Person(username="ak", uid="PPL-AK", name="Amara Kole", password_hash="none")
    session.add(person)
    session.flush()
    return Actor(person.id or 0, person.name, person.uid, {None: roles})
