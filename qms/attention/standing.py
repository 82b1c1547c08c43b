"""What needs attention in a project now, counted by kind; the page and the night ask the same."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import ports
from core.clock import now
from core.records import lifecycle
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key, Snapshot, natural_order
from core.verdicts import VerdictWord
from qms.actions import ASSIGNED, DONE, due_day
from qms.baselines.current import project_snapshot
from qms.releases.gathering import gather
from qms.releases.keeping import checked
from qms.releases.outside import marked_lines
from qms.releases.scope import NEWEST, choose_release, releases_of
from qms.rules.facts import LinesFact
from qms.rules.packs import framework_pack
from qms.training_matrix.matrix import Standing
from qms.training_matrix.service import training_matrix

EXPIRES_WITHIN = timedelta(days=30)
"""Long enough to ask for another concession, or to mend what the first lets through."""

TEST, WAIVER = "test", "waiver"


@dataclass(frozen=True)
class Due:
    """One record and the day by which something of it is due."""

    key: Key
    title: str
    day: date


@dataclass(frozen=True)
class Attention:
    """Everything that needs attention in one project.

    Attributes
    ----------
    release : str
        The release that is judged; empty for the record alone.
    failing : int
        Rules that fail.
    counts : mapping
        How many, by the name of each kind.
    overdue : tuple of Due
        Actions and reports to authorities whose day has gone by, the oldest first.
    expiring : tuple of Due
        Concessions that end soon, the next first.
    lines : tuple of LinesFact
        Marked lines of source that need re-review, whatever release is judged.
    """

    release: str
    failing: int
    counts: Mapping[str, int]
    overdue: tuple[Due, ...]
    expiring: tuple[Due, ...]
    lines: tuple[LinesFact, ...] = ()


def attention(session: Session, project: Project) -> Attention:
    """Ask every rule about a project's newest release, or its record alone, and count the rest."""
    today = now().date()
    snapshot = project_snapshot(session, project)
    scope = choose_release(releases_of(snapshot, project.key), NEWEST)
    release = snapshot.get(scope.uid, project.key) if scope else None
    given = gather(session, project, release, snapshot)
    result = checked(given, framework_pack())
    doubtful = {one.record for one in given.suspects if one.record.project == project.key}
    states = _states(session, project)
    people = training_matrix(session, project, snapshot).rows
    overdue = _overdue(session, project, today)
    expiring = _expiring(snapshot, project, today)
    lines = tuple(one for one in marked_lines(session, project, None) if one.doubt)
    counts = {
        "errors": result.errors,
        "warnings": result.warnings,
        "re_review": len(doubtful),
        "marked_lines": len(lines),
        "failing_tests": _failing(session, snapshot, project, scope.uid if scope else None),
        "in_review": states[lifecycle.IN_REVIEW],
        "drafts": states[lifecycle.DRAFT],
        "overdue_actions": len(overdue),
        "overdue_training": sum(row.has(Standing.OVERDUE) for row in people),
        "lacking_training": sum(row.lacks for row in people),
        "expiring": len(expiring),
    }
    judged = scope.uid if scope else ""
    return Attention(judged, len(result.failing), counts, overdue, expiring, lines)


def _states(session: Session, project: Project) -> Counter[str]:
    """Count the records by the state that their list shows, without those withdrawn."""
    shown = func.coalesce(col(Record.effective_id), col(Record.latest_id))
    rows = session.execute(
        select(col(Revision.state), func.count())
        .join(Record, shown == col(Revision.id))
        .where(col(Record.project_id) == project.id, col(Record.withdrawn_at).is_(None))
        .group_by(col(Revision.state))
    )
    found: Counter[str] = Counter()
    for state, count in rows:
        found[state] += count
    return found


def _failing(session: Session, snapshot: Snapshot, project: Project, release: str | None) -> int:
    verdicts = ports.verdicts(session, project.key, release)
    return sum(
        verdicts[one.uid].word is VerdictWord.FAILED
        for one in snapshot.of_type(TEST, project.key)
        if one.uid in verdicts and not one.withdrawn
    )


def _overdue(session: Session, project: Project, today: date) -> tuple[Due, ...]:
    rows = session.execute(
        select(col(Record.uid), col(Record.type), col(Revision.title), col(Revision.fields))
        .join(Revision, col(Revision.id) == col(Record.latest_id))
        .where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(list(ASSIGNED)),
            col(Record.withdrawn_at).is_(None),
            col(Revision.state).not_in(DONE),
        )
    )
    found = []
    for uid, kind, title, fields in rows:
        day = due_day(kind, fields or {}, today)
        if day is not None and day < today:
            found.append(Due(Key(project.key, uid), title, day))
    return tuple(sorted(found, key=_by_day))


def _expiring(snapshot: Snapshot, project: Project, today: date) -> tuple[Due, ...]:
    found = []
    for one in snapshot.of_type(WAIVER, project.key):
        stated = one.fields.get("expires")
        if not (one.in_force and not one.withdrawn and stated):
            continue
        day = stated if isinstance(stated, date) else date.fromisoformat(str(stated))
        if today <= day <= today + EXPIRES_WITHIN:
            found.append(Due(one.key, one.title, day))
    return tuple(sorted(found, key=_by_day))


def _by_day(due: Due) -> tuple[object, ...]:
    return due.day, natural_order(due.key.uid)
