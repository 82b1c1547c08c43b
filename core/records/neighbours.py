"""What one record is linked with, in both directions, and which of it needs re-review."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.models import Link, Project, Record, Revision
from core.records.queries import Reviews, outdated_reviews, suspect_end, with_diff
from core.records.snapshot import Key, LinkView, RecordView, Snapshot, natural_order
from core.records.snapshot_rows import read_rows_of, shown_revision
from core.records.suspects import Suspicion, direct_suspicions
from core.records.types import get_registry


@dataclass(frozen=True)
class Neighbour:
    """One link as the page of a record shows it.

    Attributes
    ----------
    label : str
        The role, read from this record's end.
    readable : bool
        Whether the reader may know more of the other record than its uid.
    cause : str
        What became of the other record since this one was last reviewed against it, if anything.
    doubted : bool
        The other record needs re-review because this one changed.
    in_force : bool
    relies : bool
        Withdrawing this record would make the other one need re-review.
    """

    label: str
    key: Key
    title: str
    state: str
    attributes: Mapping[str, Any]
    readable: bool = True
    cause: str = ""
    doubted: bool = False
    in_force: bool = False
    relies: bool = False


@dataclass(frozen=True)
class Neighbourhood:
    """The links of a record, and why it needs re-review, if it does."""

    outgoing: tuple[Neighbour, ...]
    incoming: tuple[Neighbour, ...]
    hidden: int
    doubts: tuple[Suspicion, ...]

    @property
    def relying(self) -> tuple[Neighbour, ...]:
        """The records in force that need re-review once this one is withdrawn, each once."""
        found = {one.key: one for one in (*self.incoming, *self.outgoing) if one.relies}
        return tuple(found.values())

    @property
    def losing(self) -> tuple[Neighbour, ...]:
        """The records in force that state a link to this one and keep it without a doubt."""
        relying = {one.key for one in self.relying}
        found = {one.key: one for one in self.incoming if one.in_force and one.key not in relying}
        return tuple(found.values())


def neighbourhood(
    session: Session,
    project: Project,
    record: Record,
    shown: Revision,
    readable: Collection[str],
) -> Neighbourhood:
    """Return what the shown revision links to, and what in force links to the record.

    Parameters
    ----------
    readable : collection of str
        Keys of the projects that the reader may read; links from elsewhere are only counted.
    """
    outgoing = _outgoing(session, shown)
    incoming = _incoming(session, record)
    reviews, ends = outdated_reviews(session, record.id)
    beside = {record.id or 0, *(row[2] for row in (*outgoing, *incoming))}
    around = read_rows_of(session, beside | ends)
    views = {number: row.view for number, row in around.items()}
    known = {view.key: view for view in views.values()}
    here = Key(project.key, record.uid)
    doubts = _doubts(record, shown, views, (outgoing, incoming), reviews)
    own = tuple(
        with_diff(session, known, one) if one.cause.project in readable else one
        for one in doubts
        if one.record == here
    )
    causes = {(one.role, one.cause): one.happened for one in own}
    doubted = {(one.role, one.record) for one in doubts if one.cause == here}
    own_type = get_registry().of(record.type)

    def line(
        label: str, role: str, attributes: Mapping[str, Any], other: RecordView, source: str
    ) -> Neighbour:
        may = other.key.project in readable
        return Neighbour(
            label=label,
            key=other.key,
            title=other.title if may else "",
            state=other.state if may else "",
            attributes=attributes,
            readable=may,
            cause=causes.get((role, other.key), ""),
            doubted=(role, other.key) in doubted,
            in_force=other.in_force,
            relies=other.in_force and suspect_end(source, role) != "none",
        )

    out = []
    for role, attributes, other in outgoing:
        spec = own_type.links.get(role)
        out.append(line(spec.label if spec else role, role, attributes, views[other], record.type))
    into = [
        line(_reverse(views[other].type, role), role, attributes, views[other], views[other].type)
        for role, attributes, other in incoming
    ]
    seen = [one for one in into if one.readable]
    seen.sort(key=lambda one: (one.label, one.key.project, natural_order(one.key.uid)))
    return Neighbourhood(tuple(out), tuple(seen), len(into) - len(seen), own)


def _reverse(source_type: str, role: str) -> str:
    types = get_registry()
    spec = types.of(source_type).links.get(role) if source_type in types else None
    return spec.reverse if spec else f"named by ({role})"


Row = tuple[str, Mapping[str, Any], int]


def _outgoing(session: Session, shown: Revision) -> list[Row]:
    rows = session.execute(
        select(col(Link.role), col(Link.attributes), col(Link.target_id))
        .where(col(Link.revision_id) == shown.id)
        .order_by(col(Link.position))
    )
    return [(role, attributes or {}, target) for role, attributes, target in rows]


def _incoming(session: Session, record: Record) -> list[Row]:
    rows = session.execute(
        select(col(Link.role), col(Link.attributes), col(Revision.record_id))
        .join(Revision, col(Revision.id) == col(Link.revision_id))
        .join(Record, shown_revision())
        .where(col(Link.target_id) == record.id)
    )
    return [(role, attributes or {}, source) for role, attributes, source in rows]


def _doubts(
    record: Record,
    shown: Revision,
    views: Mapping[int, RecordView],
    links: tuple[list[Row], list[Row]],
    reviews: Reviews,
) -> list[Suspicion]:
    """Return the doubts at both ends of this record's links; those of a draft are no doubts yet."""
    if record.effective_id != shown.id:
        return []
    here = views[record.id or 0]
    outgoing, incoming = links
    known = [LinkView(role, here.key, views[other].key, more) for role, more, other in outgoing]
    known += [LinkView(role, views[other].key, here.key, more) for role, more, other in incoming]
    # A record linked to itself stands in both lists.
    small = Snapshot(
        views.values(), {(one.role, one.source, one.target): one for one in known}.values()
    )
    return direct_suspicions(small, reviews, suspect_end)
