"""A release is judged by the lines of its own commit, once a scan has read that."""

import shutil
import subprocess
from typing import Any

import pytest
from sqlalchemy import event, select, update

from core.records.models import Project, Record
from core.records.service import find_project
from core.records.snapshot import Key, RecordView
from qms.releases.outside import marked_lines
from qms.repositories import markers
from qms.repositories.at_release import UNREAD, lines_at
from qms.repositories.models import MarkedLines
from qms.repositories.released import _source_files, lines_released
from qms.repositories.service import mirror_of
from qms.rules.facts import LinesFact
from tests.qms.repositories.conftest import FIRST, Team, approved, release

pytestmark = pytest.mark.verifies("TST-026")

ELSE = "\n\ndef other():\n    return 0\n"


def judged(team: Team, commit: str) -> list[LinesFact]:
    """Return the marked lines of a release that names a commit."""
    view = RecordView(Key("RPM", "REL-9"), "release", "", fields={"commit": commit})
    team.registered.db.data_dir = team.registered.settings.data_dir
    with team.registered.db.reading() as session:
        project: Project = find_project(session, "RPM")
        return list(marked_lines(session, project, view))


def doubts(team: Team, commit: str) -> list[tuple[str, str]]:
    return [(one.record.uid, one.doubt) for one in judged(team, commit)]


def test_a_commit_that_no_scan_has_read_is_told_and_nothing_is_said_of_its_lines(
    team: Team,
) -> None:
    approved(team).scan()
    between = team.commit(20, {"rpm/plan.py": FIRST + ELSE})
    head = team.commit(30, {"rpm/plan.py": FIRST + ELSE + ELSE})
    team.scan()

    unread = judged(team, between)
    release(team.registered, "REL-1", between)
    team.scan()

    assert [(one.record.uid, one.doubt) for one in unread] == [
        ("REQ-001", UNREAD),
        ("REQ-002", UNREAD),
    ]
    assert unread[0].told == f"rpm rpm/plan.py:2-3 at commit {between[:7]}: {UNREAD}"
    assert doubts(team, between) == doubts(team, head) == [("REQ-001", ""), ("REQ-002", "")]


@pytest.mark.parametrize("first", ["REL-1", "REL-2"])
def test_a_further_scan_reads_the_commit_of_every_release(team: Team, first: str) -> None:
    """Whichever release was made first; the branch has not moved since the last scan."""
    approved(team).scan()
    between = team.commit(20, {"rpm/plan.py": FIRST + ELSE})
    head = team.commit(30, {"rpm/plan.py": FIRST + ELSE + ELSE})
    team.scan()
    named = {"REL-1": between, "REL-2": head}
    for uid in sorted(named, reverse=first == "REL-2"):
        release(team.registered, uid, named[uid])

    report = team.scan()

    assert report.read == 1
    assert doubts(team, between) == [("REQ-001", ""), ("REQ-002", "")]


def test_lines_that_were_reviewed_otherwise_are_no_pass_before_they_are_read(team: Team) -> None:
    team.commit(2, {"rpm/plan.py": "x = 1\n"})
    for uid in ("REQ-001", "REQ-002"):
        team.approve(uid, 1)
    released = team.commit(20, {"rpm/plan.py": FIRST})
    team.commit(30, {"rpm/plan.py": FIRST.replace("+ 1", "+ 2")})
    team.scan()

    before = doubts(team, released)
    release(team.registered, "REL-1", released)
    team.scan()

    assert before == [("REQ-001", UNREAD), ("REQ-002", UNREAD)]
    assert doubts(team, released) == [
        ("REQ-001", "changed since revision 1 of REQ-001 was approved"),
        ("REQ-002", ""),
    ]


def test_a_commit_that_was_read_otherwise_than_now_was_not_read(team: Team, monkeypatch) -> None:
    """An upgrade may bring another reading of markers; the next scan follows it."""
    head = approved(team).source.head()
    team.scan()
    for module in ("sources", "marking", "bases", "at_release"):
        monkeypatch.setattr(f"qms.repositories.{module}.READING", markers.READING + 1)

    before = doubts(team, head)
    team.scan()

    assert before == [("REQ-001", UNREAD), ("REQ-002", UNREAD)]
    assert doubts(team, head) == [("REQ-001", ""), ("REQ-002", "")]


def test_a_record_that_is_not_in_force_relies_on_no_line_read_or_not(team: Team) -> None:
    team.commit(1, {"rpm/plan.py": FIRST})
    team.approve("REQ-001", 10)
    between = team.commit(20, {"rpm/plan.py": FIRST + ELSE})
    team.commit(30, {"rpm/plan.py": FIRST})
    team.scan()

    assert doubts(team, between) == [("REQ-001", UNREAD), ("REQ-002", "")]


def test_a_commit_without_source_is_judged_itself_and_not_by_the_default_branch(
    team: Team,
) -> None:
    approved(team).scan()
    bare = team.commit(20, {"rpm/plan.py": None})
    team.commit(30, {"rpm/plan.py": FIRST})
    team.scan()

    removed = "the marker was removed"
    assert doubts(team, bare) == [("REQ-001", removed), ("REQ-002", removed)]


def test_a_release_that_names_no_whole_commit_stops_no_scan(team: Team) -> None:
    head = approved(team).source.head()
    release(team.registered, "REL-1", head[:7])
    release(team.registered, "REL-2", "--upload-pack=touch x")

    assert team.scan().marked == 2
    assert doubts(team, head[:7]) == [("REQ-001", ""), ("REQ-002", "")]


def test_a_release_asks_git_and_the_database_as_often_however_many_records_are_marked(
    team: Team, monkeypatch
) -> None:
    """The bases have all gone on, and each record was approved at a moment of its own."""
    uids = [f"REQ-{number}" for number in range(100, 125)]
    with team.registered.db.writing() as session:
        team.registered.add_records(session, *uids)
    marked = {f"rpm/{uid}.py": f"# {uid}\nx = 1\n" for uid in uids}
    head = team.commit(1, {"rpm/plan.py": FIRST, **marked})
    team.approve("REQ-001", 10)
    team.scan()
    few = _questions(team, head, monkeypatch)
    for number, uid in enumerate(uids):
        team.approve(uid, 20 + number)
    team.scan()

    many = _questions(team, head, monkeypatch)

    assert len(few["links"]) == len(many["links"]) == 27
    assert many["git"] <= few["git"] <= 4
    assert many["statements"] == few["statements"]


def _questions(team: Team, commit: str, monkeypatch) -> dict[str, Any]:
    """Judge a commit by bases that were accepted, and return what that took."""
    with team.registered.db.writing() as session:
        session.execute(
            update(MarkedLines).values(base_of="acceptance 1"), execution_options={"recorded": True}
        )
    team.registered.db.data_dir = team.registered.settings.data_dir
    git: list[object] = []
    statements: list[str] = []
    start = subprocess.Popen.__init__

    def counted(self: Any, *args: Any, **named: Any) -> None:
        git.append(args)
        start(self, *args, **named)

    with monkeypatch.context() as patched, team.registered.db.reading() as session:
        patched.setattr(subprocess.Popen, "__init__", counted)
        connection = session.connection()
        event.listen(
            connection, "before_cursor_execute", lambda *said: statements.append(str(said[2]))
        )
        links = lines_at(session, find_project(session, "RPM"), commit)
    (found,) = links.values()
    assert [one.why for one in found] == [""] * len(found)
    return {"links": found, "git": len(git), "statements": len(statements)}


def test_code_of_a_release_whose_commit_the_mirror_has_lost_is_not_shown(team: Team) -> None:
    """The mirror's folder was lost, and fetched again after the history was rewritten."""
    first = approved(team).source.head()
    release(team.registered, "REL-1", first)
    team.scan()
    told = _released(team)
    shutil.rmtree(mirror_of(team.registered.settings, team.number).path)
    team.source.count, team.source.branch = 0, "anew"
    team.commit(40, {"rpm/plan.py": FIRST})
    team.source.repo.git.symbolic_ref("HEAD", "refs/heads/anew")
    team.source.repo.git.update_ref("-d", "refs/heads/trunk")
    team.scan()
    _source_files.cache_clear()

    again = _released(team)

    assert told == [("REL-1", "rpm/plan.py", 2, 3)]
    assert again == []


def _released(team: Team) -> list[tuple[str, str, int, int]]:
    with team.registered.db.reading() as session:
        record = session.execute(select(Record).where(Record.uid == "REQ-001")).scalar_one()
        project = find_project(session, "RPM")
        found = lines_released(session, project, record, team.registered.settings)
        return [(one.release, one.path, one.first, one.last) for one in found]
