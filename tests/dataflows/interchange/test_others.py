"""A file or a table never takes the place of what someone else is writing."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from core.clock import now
from core.db import Database
from core.errors import Conflict, Invalid
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import find_actor, grant
from core.records import lifecycle
from core.records.models import Project
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.sheets.grid import read_grid
from dataflows.editing.spreadsheet.pasting import Pasted, preview
from dataflows.editing.spreadsheet.pasting import keep as keep_table
from dataflows.interchange.planning import Plan, Verdict
from dataflows.interchange.service import export_department, keep_import, plan_import, read_file


@pytest.fixture
def colleague(map_db: Database) -> Actor:
    """A second author, who has a draft of C012."""
    with map_db.writing() as session:
        person = Person(username="bela", uid="PPL-BB", name="Bela Braun", password_hash="")
        session.add(person)
        session.flush()
        grant(session, person, ["author"], None, None)
        by = find_actor(session, "PPL-BB")
        project = find_project(session, "DEPT")
        for uid in ("C001", "C012"):
            record = find_record(session, project, uid)
            revision = latest_revision(session, record)
            revision.state, revision.approved_at = lifecycle.APPROVED, now()
            session.flush()
            record.effective_id = revision.id
            session.flush()
        _write(session, project, "C012", by, "What Bela found")
        return by


def _write(session: Session, project: Project, uid: str, by: Actor, words: str) -> None:
    record = find_record(session, project, uid)
    content = replace(read_content(session, record), body=words)
    save_draft(session, record, content, by, edit_token(latest_revision(session, record)))


def _words(session: Session, project: Project, uid: str) -> str:
    return read_content(session, find_record(session, project, uid)).body


def _edited(data: bytes, change: Callable[[str], str]) -> bytes:
    """Change the sheet of connections of a zip."""
    out = BytesIO()
    with ZipFile(BytesIO(data)) as before, ZipFile(out, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode("utf-8-sig")
            after.writestr(name, change(text) if name == "connections.csv" else text)
    return out.getvalue()


def _c001(text: str) -> str:
    lines = text.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.startswith("C001,"))
    uid, _, rest = lines[place].partition(",")
    return "".join([*lines[:place], f"{uid},Changed {rest}", *lines[place + 1 :]])


def _verdicts(found: Plan) -> dict[str, Verdict]:
    return {
        one.draft.uid or "": one.verdict
        for one in found.planned
        if one.verdict is not Verdict.UNCHANGED
    }


def test_what_is_in_force_in_a_file_leaves_the_draft_of_a_colleague(
    map_db: Database, author: Actor, colleague: Actor
) -> None:
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        record = find_record(session, project, "C012")
        sheets = _edited(export_department(session, project, "zip", latest=False), _c001)

        found = plan_import(session, project, read_file(sheets, "map.zip", "DEPT"), author)
        assert found.faults == ()
        assert _verdicts(found) == {"C001": Verdict.CHANGE}
        latest_revision(session, record).state = lifecycle.IN_REVIEW
        session.flush()
        keep_import(session, project, read_file(sheets, "map.zip", "DEPT"), author, "")

        assert _words(session, project, "C012") == "What Bela found"
        again = plan_import(session, project, read_file(sheets, "map.zip", "DEPT"), author)
        assert _verdicts(again) == {}


def test_a_file_that_changes_what_others_write_or_review_is_refused_by_name(
    map_db: Database, author: Actor, colleague: Actor
) -> None:
    def change(text: str) -> str:
        return _c001(text).replace("What Bela found", "What Amara found")

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        sheets = _edited(export_department(session, project, "zip"), change)
        drafts = read_file(sheets, "map.zip", "DEPT")

        told = [fault.what for fault in plan_import(session, project, drafts, author).faults]
        with pytest.raises(Invalid):
            keep_import(session, project, drafts, author, "")
        own = plan_import(session, project, drafts, colleague)
        record = find_record(session, project, "C012")
        latest_revision(session, record).state = lifecycle.IN_REVIEW
        session.flush()
        reviewed = [fault.what for fault in plan_import(session, project, drafts, author).faults]

    assert [one.partition(",")[0] for one in told] == ["C012 has an open draft of Bela Braun"]
    assert [one.partition(",")[0] for one in reviewed] == ["C012 is in review"]
    assert own.faults == ()
    notes = {one.draft.uid: one.note for one in own.planned if one.note}
    assert notes == {"C012": "takes your open draft further"}


def test_a_row_is_held_to_the_same(map_db: Database, author: Actor, colleague: Actor) -> None:
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        protocol = read_content(session, find_record(session, project, "C012")).fields["protocol"]
        same = Pasted(read_grid(f"Id\tProtocol\nC012\t{protocol}\nC001\tFTP\n"))
        other = Pasted(read_grid("Id\tProtocol\nC012\tFTP\nC001\tFTP\n"))

        refused = preview(session, project, other, author)
        done = keep_table(session, project, same, author)

        assert [row.number for row in refused.faulty] == [2]
        assert "C012 has an open draft of Bela Braun" in refused.faults[0].what
        assert (done.count(Verdict.CHANGE), done.count(Verdict.UNCHANGED)) == (1, 1)
        assert _words(session, project, "C012") == "What Bela found"


def test_what_changed_since_it_was_shown_is_not_imported(map_db: Database, author: Actor) -> None:
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        table = Pasted(read_grid("Id\tProtocol\nC001\tFTP\n"))
        drafts = read_file(
            _edited(export_department(session, project, "zip"), _c001), "map.zip", "DEPT"
        )
        file, rows = (
            plan_import(session, project, drafts, author),
            preview(session, project, table, author),
        )
        seen, seen_rows = file.digest, rows.plan.digest
        _write(session, project, "C001", author, "Written in between")

        for shown in (seen, ""):
            with pytest.raises(Conflict):
                keep_import(session, project, drafts, author, "", shown)
        with pytest.raises(Conflict):
            keep_table(session, project, table, author, seen_rows)

        assert _words(session, project, "C001") == "Written in between"
        keep_import(
            session, project, drafts, author, "",
            plan_import(session, project, drafts, author).digest,
        )  # fmt: skip


def test_the_page_of_files_shows_again_what_changed_in_between(
    browser: TestClient, map_db: Database, author: Actor
) -> None:
    data = _edited(browser.get("/p/DEPT/map/department.zip?drafts=true").content, _c001)
    sent = {"file": ("map.zip", data)}
    checked = browser.post("/p/DEPT/map/files", files=sent, data={"csrf_token": "its-own"}).text
    assert "Import it as drafts" in checked
    seen = checked.partition('name="seen" value="')[2].partition('"')[0]
    keep = {"csrf_token": "its-own", "action": "keep", "seen": seen}
    with map_db.writing() as session:
        _write(session, find_project(session, "DEPT"), "C001", author, "Written in between")

    refused = browser.post("/p/DEPT/map/files", files=sent, data=keep)

    assert refused.status_code == 409
    assert "not as it was when it was checked" in refused.text
    assert "1 to change" in refused.text
    again = refused.text.partition('name="seen" value="')[2].partition('"')[0]
    kept = browser.post("/p/DEPT/map/files", files=sent, data={**keep, "seen": again})
    assert kept.status_code == 303
