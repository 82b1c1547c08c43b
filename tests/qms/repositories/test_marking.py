"""Markers become links that follow their lines, and need re-review when these change."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from core.errors import Conflict, Invalid, NotFound
from core.records.models import Record
from core.records.service import find_project
from qms.repositories import marking, sources
from qms.repositories.asking import contents_of_release
from qms.repositories.following import Doubt
from qms.repositories.lines import (
    accept,
    find_lines,
    unknown_markers,
    unread_files,
)
from qms.repositories.models import MarkedLines, SourceBlob
from qms.repositories.released import lines_released
from qms.repositories.released_code import code_released
from qms.repositories.service import mirror_of
from tests.qms.repositories.conftest import (
    FIRST,
    FIRST_SECOND,
    Team,
    approve,
    approved,
    at,
    release,
    revise,
)


def test_markers_of_the_default_branch_become_links(team: Team) -> None:
    head = approved(team).commit(20, {"other.txt": "text"})

    report = team.scan()

    (one,) = team.lines("REQ-001")
    assert (report.read, report.marked, report.suspect) == (1, 2, 0)
    assert (one.link.commit, one.link.path, one.link.line) == (head, "rpm/plan.py", 1)
    assert (one.link.first, one.link.last, one.doubt) == (2, 3, None)


def test_one_changed_line_makes_exactly_its_link_suspect_with_the_difference(team: Team) -> None:
    approved(team).scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})

    report = team.scan()

    (one,) = team.lines("REQ-001")
    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]
    assert report.suspect == 1
    assert "-    return plan.margin + 1\n+    return plan.margin + 2" in one.link.diff
    assert one.since == "revision 1 of REQ-001 was approved"


def test_it_does_not_matter_when_the_scans_were(team: Team) -> None:
    approved(team).commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})

    team.scan()

    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]
    assert "+    return plan.margin + 2" in team.lines("REQ-001")[0].link.diff


@pytest.mark.parametrize("scanned_before", [True, False])
def test_moving_a_file_loses_nothing(team: Team, scanned_before: bool) -> None:
    approved(team)
    if scanned_before:
        team.scan()
    before = [one.link.id for one in team.lines("REQ-001")]
    team.commit(20, {"rpm/plan.py": None, "lib/margins.py": "import math\n\n" + FIRST})

    team.scan()

    (one,) = team.lines("REQ-001")
    assert (one.link.path, one.link.first, one.doubt) == ("lib/margins.py", 4, None)
    assert one.link.base_path == "rpm/plan.py"
    assert one.link.base_of == "revision 1"
    assert [one.link.id] == before or not scanned_before
    assert team.doubts() == []


@pytest.mark.parametrize("scanned_between", [True, False])
def test_a_file_that_moves_and_changes_keeps_its_doubt(team: Team, scanned_between: bool) -> None:
    approved(team).scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})
    if scanned_between:
        team.scan()
    moved = FIRST.replace("margin + 1", "margin + 2")
    team.commit(30, {"rpm/plan.py": None, "lib/margins.py": moved})

    team.scan()

    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]
    assert len(team.lines("REQ-001")) == 1


def test_a_removed_marker_needs_re_review(team: Team) -> None:
    approved(team).scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("# REQ-002\n", "")})

    team.scan()

    assert team.doubts() == [("REQ-002", Doubt.GONE)]
    team.commit(30, {"rpm/plan.py": FIRST})
    team.scan()
    assert team.doubts() == []


def test_a_new_approval_takes_the_lines_as_they_are(team: Team) -> None:
    approved(team).scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})
    team.scan()

    team.approve("REQ-001", 30, number=2)

    assert team.doubts() == []
    team.scan()
    assert team.doubts() == []
    team.commit(40, {"rpm/plan.py": FIRST})
    team.scan()
    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]


def test_a_marker_that_came_after_the_approval_counts_from_then(team: Team) -> None:
    approved(team).scan()
    team.commit(20, {"new.py": "# REQ-001\nx = 1\n"})
    team.scan()
    assert team.doubts() == []

    team.commit(30, {"new.py": "# REQ-001\nx = 2\n"})
    team.scan()

    assert [one.since for one in team.lines("REQ-001") if one.doubt] == ["they were first marked"]


def test_accepting_lines_ends_the_doubt_until_they_change_again(team: Team) -> None:
    approved(team).scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})
    team.scan()
    (one,) = [each for each in team.lines("REQ-001") if each.doubt]
    number, digest, by = one.link.id or 0, one.link.digest, team.registered.by

    with team.registered.db.writing() as session:
        project = find_project(session, "RPM")
        with pytest.raises(Invalid) as without_reason:
            accept(session, project, number, digest, "  ", by)
        with pytest.raises(Conflict, match="changed since you read them"):
            accept(session, project, number, "0" * 64, "Fine.", by)
        accept(session, project, number, digest, "The larger margin is what was asked.", by)
        with pytest.raises(Conflict, match="need no re-review"):
            accept(session, project, number, digest, "Again.", by)
    assert without_reason.value.faults[0].code == "GIT11"
    assert team.doubts() == []
    team.scan()
    assert team.doubts() == []
    assert team.lines("REQ-001")[0].since == "they were accepted"

    team.commit(4_000_000_000 - FIRST_SECOND, {"rpm/plan.py": FIRST})
    team.scan()
    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]


def test_a_content_once_read_is_not_read_again(team: Team, monkeypatch) -> None:
    approved(team).scan()
    with team.registered.db.reading() as session:
        held = len(session.execute(select(SourceBlob)).all())
    monkeypatch.setattr(sources, "markers_in", lambda *_: pytest.fail("read again"))

    team.commit(20, {"rpm/plan.py": None, "a.py": FIRST, "b.py": FIRST})
    report = team.scan()

    assert (held, report.read, report.marked) == (1, 0, 4)


def test_what_is_not_read_is_told_and_nothing_hostile_stops_a_scan(team: Team, monkeypatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_FILE", 200)
    monkeypatch.setattr(marking, "LARGEST_FILE", 200)
    approved(team).commit(
        20,
        {
            "large.py": "#" * 300, "binary.py": b"# REQ-001\0", "--output=x.py": "# REQ-001\nx\n",
            "wide.py": "x" * 150, "unknown.py": "# REQ-999 and UTF-8\n# UTF-8\n@relation(NO_1)\n",
        },
    )  # fmt: skip

    team.scan()

    with team.registered.db.reading() as session:
        project = find_project(session, "RPM")
        unread = {one.path: one.why for one in unread_files(session, project.id or 0)}
        unknown = [(one.path, one.line, one.named) for one in unknown_markers(session, project)]
    assert set(unread) == {"large.py", "binary.py"}
    assert "larger than" in unread["large.py"]
    assert unknown == [("unknown.py", 1, "REQ-999"), ("unknown.py", 3, "NO_1")]
    assert "--output=x.py" in {one.link.path for one in team.lines("REQ-001")}


def test_files_whose_names_are_no_text_are_told_apart_and_can_be_read(team: Team) -> None:
    content = b"# REQ-001\nx = 1\n"
    names = [b'"a\\344.py"', b'"a\\366.py"', b'"a\\\\xe4.py"', b'"a\\303\\244.py"']
    files = [b"M 100644 inline %s\ndata %d\n%s\n" % (one, len(content), content) for one in names]
    when = b"committer A <a@example.org> 1700000001 +0000\ndata 1\nx\n"
    team.source.feed(b"commit refs/heads/trunk\n" + when + b"".join(files))

    team.scan()

    found = {one.link.path for one in team.lines("REQ-001")}
    assert found == {r"a\xe4.py", r"a\xf6.py", r"a\x5cxe4.py", "a\u00e4.py"}
    mirror = mirror_of(team.registered.settings, team.number)
    assert {mirror.read(team.source.head(), one, 100) for one in found} == {content}
    assert mirror.read(team.source.head(), r"a\x0aHEAD:a.py", 100) is None


def test_what_is_cut_off_of_a_file_is_told(team: Team) -> None:
    many = "# " + "REQ-001, " * 200 + "REQ-001\n"
    team.commit(
        1,
        {
            "same.py": many * 3 + "x = 1\n\n\n# REQ-002\ny = 2\n",
            "many.py": "".join(f"# REQ-{n}\nx = 1\n\n" for n in range(600)),
            "long.py": "x = 1\n" * 20_001 + "# REQ-001\n",
            "wide.py": "#" + " " * 2_000 + "REQ-001\n",
            "wide_but_empty.py": "# REQ-001\nx = 1\n#" + " " * 2_000 + "\n",
            "sixteen.py": "# REQ-001\nx = 1\n".encode("utf-16"),
            "broad.c": "".join(
                f"// @relation(R{n}, scope=range_start)\n" for n in range(200)
            ) + "x;\n" * 18_000 + "".join(
                f"// @relation(R{n}, scope=range_end)\n" for n in range(200)
            ),
        },
    )  # fmt: skip

    team.scan()

    with team.registered.db.reading() as session:
        told = {one.path: one.why for one in unread_files(session, team.registered.project_id)}
    assert {path: why.split(";")[0] for path, why in told.items()} == {
        "many.py": "holds more than 500 markers",
        "long.py": "holds more than 20000 lines",
        "wide.py": "holds ids in lines of more than 2000 characters, which were not read",
        "sixteen.py": "is not text",
        "broad.c": "marks more than 1000000 lines in all",
    }
    assert [(one.link.path, one.link.first) for one in team.lines("REQ-002")] == [("same.py", 8)]


def test_a_record_that_comes_later_is_linked_at_the_next_scan(team: Team) -> None:
    team.commit(1, {"a.py": "# REQ-003\nx = 1\n"})
    team.scan()
    with team.registered.db.writing() as session:
        team.registered.add_records(session, "REQ-003")

    report = team.scan()

    assert (report.read, report.marked) == (0, 1)
    assert team.lines("REQ-003")[0].link.path == "a.py"


def test_another_project_s_link_is_not_found(team: Team) -> None:
    approved(team).scan()
    with team.registered.db.reading() as session:
        link = session.execute(select(MarkedLines)).scalars().first()
        assert link is not None
        assert find_lines(session, find_project(session, "RPM"), link.id or 0).uid == "REQ-001"


def test_a_release_contains_what_its_commits_name_since_the_one_before(team: Team) -> None:
    """Its files are read at its own commit too."""
    first = approved(team).source.head()
    team.source.add("Margins\n\nImplements: REQ-001\nVerifies: TST-001\n", "Tidy")
    second = team.commit(10_000, {"extra.py": "# REQ-002\nx = 1\n"})
    team.commit(20_000, {"extra.py": None})
    release(team.registered, "REL-1", first)
    release(team.registered, "REL-2", second)
    report = team.scan()

    with team.registered.db.reading() as session:
        project = find_project(session, "RPM")
        settings = team.registered.settings
        began = contents_of_release(session, project, "REL-1", settings)
        told = contents_of_release(session, project, "REL-2", settings)
        record = session.execute(select(Record).where(Record.uid == "REQ-002")).scalar_one()
        places = lines_released(session, project, record, settings)
        code = code_released(session, project, places, settings)
        with pytest.raises(NotFound, match="REL-3"):
            contents_of_release(session, project, "REL-3", settings)

    assert report.read == 3
    assert [(one.release, one.commit, one.path, one.first, one.last) for one in places] == [
        ("REL-2", second, "extra.py", 2, 2),
        ("REL-2", second, "rpm/plan.py", 7, 8),
    ]
    assert [one.lines[0] for one in code] == [(2, "x = 1"), (7, "def dose(plan):")]
    assert [(len(one.lines), one.left_out) for one in code] == [(1, 0), (2, 0)]
    assert (began.since, [one.subject for one in began.commits]) == ((), ["Change"])
    assert told.since == ("REL-1",)
    assert [one.subject for one in told.commits] == ["Margins", "Tidy", "Change"]
    assert {role: list(named) for role, named in told.records.items()} == {
        "implements": ["REQ-001"],
        "verifies": ["TST-001"],
    }
    assert [one.subject for one in told.untraced] == ["Tidy", "Change"]


def test_a_release_contains_what_only_a_draft_of_a_release_named(team: Team) -> None:
    """Nobody signed the draft: what is new since what was released is new."""
    first, drafted, revised, last = (team.commit(n, {"a.txt": str(n)}) for n in (1, 2, 3, 4))
    release(team.registered, "REL-1", first)
    release(team.registered, "REL-2", drafted, signed=False)
    release(team.registered, "REL-3", last, signed=False)
    team.scan()

    def contents() -> tuple[Sequence[str], list[str]]:
        with team.registered.db.reading() as session:
            project = find_project(session, "RPM")
            told = contents_of_release(session, project, "REL-3", team.registered.settings)
            return told.since, [one.sha for one in told.commits]

    before = contents()
    approve(team.registered.db, "REL-2", at(5), 2, {"commit": drafted})
    revise(team.registered.db, "REL-2", 3, {"commit": revised})

    assert before == (("REL-1",), [drafted, revised, last])
    assert contents() == (("REL-1", "REL-2"), [revised, last])
