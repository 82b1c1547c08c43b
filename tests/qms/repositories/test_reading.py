"""A new reading of markers replaces what an earlier one kept, and asks for nothing but changes."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from core.clock import now
from core.db import Database
from core.records.service import find_project
from qms.repositories.following import Doubt
from qms.repositories.lines import accept
from qms.repositories.models import MarkedLines, Repository, SourceBlob, SourceMarker
from tests.qms.repositories.conftest import Registered, SourceRepository, approve
from tests.qms.repositories.test_marking import FIRST, Team

LATER = 4_000_000_000 - 1_700_000_000


@pytest.fixture
def team(registered: Registered, source: SourceRepository) -> Team:
    """Two functions whose requirements were approved, as an earlier reading kept them."""
    made = Team(registered, source)
    made.commit(1, {"rpm/plan.py": FIRST})
    for uid in ("REQ-001", "REQ-002"):
        made.approve(uid, 10)
    return made


def as_the_first_reading_kept_it(db: Database, *, accepted: bool = False) -> None:
    """Shorten every block by a line, and give it another digest, as an upgrade finds them."""
    with db.writing() as session:
        session.execute(update(Repository).values(marked_reading=1))
        session.execute(update(SourceBlob).values(reading=1))
        for one in session.execute(select(SourceMarker)).scalars():
            one.last, one.digest = one.first, f"old {one.digest}"
        for link in session.execute(select(MarkedLines)).scalars():
            link.last, link.digest = link.first, f"old {link.digest}"
            link.base_last, link.base_digest = link.base_first, f"old {link.base_digest}"
            link.base_reading = 1


def test_an_upgrade_makes_nothing_suspect_and_reads_everything_once(team: Team) -> None:
    team.scan()
    before = [(one.link.id, one.link.committed_at) for one in team.lines("REQ-001")]
    as_the_first_reading_kept_it(team.registered.db)

    upgraded, again = team.scan(), team.scan()

    (one,) = team.lines("REQ-001")
    assert (upgraded.read, upgraded.suspect, again.read) == (1, 0, 0)
    assert [(one.link.id, one.link.committed_at)] == before
    assert (one.link.first, one.link.last, one.link.base_last) == (2, 3, 3)
    assert one.link.digest == one.link.base_digest
    assert "old" not in one.link.digest


def test_an_upgrade_finds_what_the_first_reading_was_silent_about(team: Team) -> None:
    team.scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})
    as_the_first_reading_kept_it(team.registered.db)

    team.scan()

    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]
    assert "+    return plan.margin + 2" in team.lines("REQ-001")[0].link.diff


@pytest.mark.parametrize("scanned_between", [True, False])
def test_what_was_accepted_before_an_upgrade_is_still_accepted(
    team: Team, scanned_between: bool
) -> None:
    team.scan()
    team.commit(20, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})
    team.scan()
    accept_all(team)
    if scanned_between:
        team.scan()
    as_the_first_reading_kept_it(team.registered.db)

    team.scan()
    accepted = team.doubts()
    team.commit(LATER, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 3")})
    team.scan()

    assert accepted == []
    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]


def accept_all(team: Team) -> None:
    """Accept the lines of REQ-001 that are in doubt."""
    with team.registered.db.writing() as session:
        project = find_project(session, "RPM")
        for one in team.lines("REQ-001"):
            if one.doubt:
                accept(session, project, one.link.id or 0, one.link.digest, "Fine.",
                       team.registered.by)  # fmt: skip


def again_in_force(team: Team) -> None:
    approve(team.registered.db, "REQ-001", now(), 2)


@pytest.mark.parametrize("before", [lambda _: None, again_in_force])
def test_what_nobody_could_have_seen_was_not_approved_whatever_its_date(
    team: Team, before: Callable[[Team], None]
) -> None:
    """A commit that bears a date before the approval, and was fetched after it."""
    first = team.source.head()
    team.scan()
    before(team)
    team.commit(2, {"rpm/plan.py": FIRST.replace("margin + 1", "margin + 2")})

    team.scan()

    (one,) = team.lines("REQ-001")
    assert team.doubts() == [("REQ-001", Doubt.CHANGED)]
    assert one.link.base_commit == first
