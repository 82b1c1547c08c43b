"""Freeze what is in force, find what was frozen, and verify it."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from core import ledger
from core.errors import Conflict, NotFound
from core.people.actor import Actor
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key, Snapshot
from qms.baselines.comparison import BaselineLine, root_hash
from qms.baselines.models import Baseline, BaselineEntry

CREATED = "baseline:baseline:create"
"""What the audit trail calls the making of one."""

APART = frozenset({"release", "waiver"})
"""A release names its baseline and is not inside it; a concession is printed with the release."""


@dataclass(frozen=True)
class Verification:
    """Whether a baseline still holds.

    Attributes
    ----------
    root, count : str, int
        What the stored lines give now.
    lost : tuple of BaselineLine
        Lines whose revision no longer exists with the digest that was frozen.
    """

    baseline: Baseline
    root: str
    count: int
    lost: tuple[BaselineLine, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was changed behind the audit trail's back."""
        same = self.root == self.baseline.root and self.count == self.baseline.count
        return same and not self.lost

    def __str__(self) -> str:
        frozen = self.baseline
        name = f"Baseline {frozen.number}"
        if self.intact:
            return f"{name} is intact: {self.count} records, root {self.root}."
        told = [f"{name} does not hold; restore the last backup and compare."]
        if (self.root, self.count) != (frozen.root, frozen.count):
            told.append(
                f"  Its lines: {self.count} records with root {self.root}, "
                f"frozen were {frozen.count} with root {frozen.root}."
            )
        told += [
            f"  {line.project} {line.uid} revision {line.revision}: no revision has the digest "
            "that was frozen."
            for line in self.lost
        ]
        return "\n".join(told)

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "baseline": self.baseline.number,
            "intact": self.intact,
            "root": self.root,
            "count": self.count,
            "frozen": {"root": self.baseline.root, "count": self.baseline.count},
            "lost": [asdict(line) for line in self.lost],
        }


def lines_in_force(snapshot: Snapshot, project: str, types: Iterable[str]) -> list[BaselineLine]:
    """Return the controlled records of a project that are in force, and those they link to.

    Parameters
    ----------
    snapshot : Snapshot
        The project's records and those of the projects it links to.
    types : iterable of str
        The record types that are controlled: cases and events have a life of their own and are
        told in the pack as they stand.
    """
    controlled = frozenset(types) - APART
    own = {
        key
        for key, record in snapshot.records.items()
        if key.project == project and record.in_force and record.type in controlled
    }
    linked = {
        link.target
        for key in own
        for link in snapshot.outgoing(key)
        if link.target.project != project
    }
    keys: set[Key] = own | linked
    return [
        BaselineLine(key.project, key.uid, record.revision, record.envelope_digest)
        for key in sorted(keys)
        if (record := snapshot.records.get(key)) is not None
        and record.in_force
        and record.type in controlled
    ]


def create_baseline(
    session: Session,
    project: Project,
    lines: Sequence[BaselineLine],
    purpose: str,
    by: Actor,
    told: Mapping[str, Any] | None = None,
) -> Baseline:
    """Freeze lines under a root hash.

    Parameters
    ----------
    told : mapping, optional
        What else the audit trail says of it: why, and who signed it.

    Raises
    ------
    Conflict
        If there is nothing in force to freeze.
    """
    if not lines:
        raise Conflict(f"Nothing is in force in {project.key} yet; approve records first.")
    number = session.scalar(
        select(func.coalesce(func.max(col(Baseline.number)), 0)).where(
            col(Baseline.project_id) == project.id
        )
    )
    baseline = Baseline(
        project_id=project.id or 0,
        number=int(number or 0) + 1,
        root=root_hash(lines),
        count=len(lines),
        purpose=purpose,
        person_id=by.person_id,
        person_name=by.name,
    )
    session.add(baseline)
    session.flush()
    session.execute(
        insert(BaselineEntry),
        [
            {
                "baseline_id": baseline.id,
                "project": line.project,
                "uid": line.uid,
                "revision": line.revision,
                "digest": line.digest,
            }
            for line in lines
        ],
    )
    ledger.append(
        session,
        CREATED,
        by,
        project_id=project.id,
        subject=f"baseline {baseline.number}",
        data={"root": baseline.root, "count": baseline.count, "purpose": purpose, **(told or {})},
    )
    return baseline


def find_baseline(session: Session, project: Project, name: str) -> Baseline:
    """Return a baseline by its number, its root hash, or the first 8 or more digits of that.

    Raises
    ------
    NotFound
        If there is none.
    Conflict
        If the digits fit several different ones.
    """
    query = select(Baseline).where(col(Baseline.project_id) == project.id)
    if name.isascii() and name.isdigit() and len(name) < 8:
        query = query.where(col(Baseline.number) == int(name))
    elif len(name) >= 8:
        query = query.where(col(Baseline.root).startswith(name, autoescape=True))
    else:
        raise NotFound(f"Name a baseline by its number or by 8 digits of its root, not {name!r}.")
    found = session.scalars(query.order_by(col(Baseline.number).desc())).all()
    if not found:
        raise NotFound(f"{project.key} has no baseline {name[:64]}.")
    if len({one.root for one in found}) > 1:
        raise Conflict(f"{name} fits several baselines of {project.key}; give more digits.")
    return found[0]


def baselines_of(session: Session, project: Project) -> Sequence[Baseline]:
    """Return a project's baselines, the latest first."""
    return session.scalars(
        select(Baseline)
        .where(col(Baseline.project_id) == project.id)
        .order_by(col(Baseline.number).desc())
    ).all()


def lines_of(session: Session, baseline: Baseline) -> list[BaselineLine]:
    """Return the lines of a baseline, as stored."""
    rows = session.execute(
        select(
            col(BaselineEntry.project),
            col(BaselineEntry.uid),
            col(BaselineEntry.revision),
            col(BaselineEntry.digest),
        ).where(col(BaselineEntry.baseline_id) == baseline.id)
    )
    return [BaselineLine(*row) for row in rows]


def kept_revisions(session: Session, projects: Collection[str]) -> set[BaselineLine]:
    """Return every revision of some projects, as a baseline would name it."""
    rows = session.execute(
        select(
            col(Project.key), col(Record.uid), col(Revision.number), col(Revision.envelope_digest)
        )
        .join(Record, col(Record.id) == col(Revision.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key).in_(projects))
    )
    return {BaselineLine(*row) for row in rows}


def verify_baseline(
    session: Session, baseline: Baseline, kept: Set[BaselineLine] | None = None
) -> Verification:
    """Compute the root hash of the stored lines again, and look each frozen revision up.

    Parameters
    ----------
    kept : set of BaselineLine, optional
        The revisions of every project that the lines name, where several baselines are verified
        and they were read already.
    """
    lines = lines_of(session, baseline)
    if kept is None:
        kept = kept_revisions(session, {line.project for line in lines})
    lost = tuple(line for line in sorted(lines) if line not in kept)
    return Verification(baseline, root_hash(lines), len(lines), lost)
