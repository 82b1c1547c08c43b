"""Read the rows of a snapshot: one statement per table, rows instead of entities."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, null, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key, LinkView, RecordView, SignatureView, Snapshot
from core.signing.models import Signature


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record of a snapshot with the links that it states.

    Attributes
    ----------
    revision_id : int
        The revision shown; links stand in a snapshot in the order of their revisions.
    """

    revision_id: int
    view: RecordView
    links: tuple[LinkView, ...]


def snapshot_of(rows: Mapping[int, RecordRow]) -> Snapshot:
    """Return the snapshot of some rows by the ids of their records."""
    return Snapshot(*_in_order(rows))


def snapshot_after(
    snapshot: Snapshot, rows: Mapping[int, RecordRow], changed: Iterable[RecordRow]
) -> Snapshot:
    """Return the snapshot of some rows, made from one that differs by those changed only."""
    return snapshot.renewed(*_in_order(rows), [row.view.key for row in changed])


def _in_order(
    rows: Mapping[int, RecordRow],
) -> tuple[Iterator[RecordView], Iterator[LinkView]]:
    ordered = sorted(rows.values(), key=lambda row: row.revision_id)
    return (
        (rows[number].view for number in sorted(rows)),
        (link for row in ordered for link in row.links),
    )


def read_rows(
    session: Session, projects: Sequence[str], *, effective: bool
) -> dict[int, RecordRow]:
    """Read every record of some projects; `effective` as `load_snapshot` has it."""
    return _read(session, [col(Project.key).in_(projects)], effective=effective)


def read_rows_of(
    session: Session, ids: Iterable[int], *, effective: bool = True
) -> dict[int, RecordRow]:
    """Read some records of whatever projects, by their ids."""
    found: dict[int, RecordRow] = {}
    for chunk in chunks(ids):
        found |= _read(session, [col(Record.id).in_(chunk)], effective=effective)
    return found


def _read(
    session: Session, wanted: Sequence[ColumnElement[bool]], *, effective: bool
) -> dict[int, RecordRow]:
    chosen = shown_revision(effective=effective)
    signatures = _signatures(session, chosen, wanted)
    links = _links(session, chosen, wanted)
    found = {}
    for row in session.execute(_revisions(chosen, wanted)):
        view = RecordView(
            key=Key(row[1], row[2]),
            type=row[3],
            title=row[9],
            body=row[10],
            fields=row[11] or {},
            state="withdrawn" if row[4] else row[8],
            revision=row[7],
            author=row[12],
            author_uid=row[13],
            co_authors=tuple(row[18] or ()),
            approved_at=row[14],
            content_digest=row[15],
            envelope_digest=row[16],
            fingerprint=row[17],
            signatures=tuple(
                one for one in signatures.get(row[6], ()) if one.envelope_digest == row[16]
            ),
            withdrawn=row[4] is not None,
            in_force=row[5] == row[6] and row[4] is None,
        )
        stated = tuple(
            LinkView(role, view.key, target, attributes or {})
            for role, target, attributes in links.get(row[6], ())
        )
        found[row[0]] = RecordRow(row[6], view, stated)
    return found


def shown_revision(*, effective: bool = True) -> ColumnElement[bool]:
    """Return what joins a record to what counts of it: what is in force, or else the latest."""
    shown = (
        func.coalesce(col(Record.effective_id), col(Record.latest_id))
        if effective
        else col(Record.latest_id)
    )
    # Both columns, so that the database may start from either table.
    return (col(Revision.record_id) == col(Record.id)) & (col(Revision.id) == shown)


def _revisions(
    chosen: ColumnElement[bool], wanted: Sequence[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    # Most revisions have one author; reading ten thousand empty lists takes its time.
    co_authors = case(
        (cast(col(Revision.co_authors), Text) == "[]", null()), else_=col(Revision.co_authors)
    )
    query: Select[*tuple[Any, ...]] = (
        select(
            col(Record.id),
            col(Project.key),
            col(Record.uid),
            col(Record.type),
            col(Record.withdrawn_at),
            col(Record.effective_id),
            col(Revision.id),
            col(Revision.number),
            col(Revision.state),
            col(Revision.title),
            col(Revision.body),
            col(Revision.fields),
            col(Revision.author_name),
            col(Revision.author_uid),
            col(Revision.approved_at),
            col(Revision.content_digest),
            col(Revision.envelope_digest),
            col(Revision.fingerprint),
            co_authors,
        )
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(Revision, chosen)
        .where(*wanted)
    )
    return query


LinkRow = tuple[str, Key, Mapping[str, Any] | None]


def _links(
    session: Session, chosen: ColumnElement[bool], wanted: Sequence[ColumnElement[bool]]
) -> dict[int, list[LinkRow]]:
    target, place = aliased(Record), aliased(Project)
    # Most links have no attributes; reading forty thousand empty objects takes half the time.
    attributes = case(
        (cast(col(Link.attributes), Text) == "{}", null()), else_=col(Link.attributes)
    )
    rows = session.execute(
        select(col(Revision.id), col(Link.role), col(place.key), col(target.uid), attributes)
        .select_from(Record)
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(Revision, chosen)
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(target, col(target.id) == col(Link.target_id))
        .join(place, col(place.id) == col(target.project_id))
        .where(*wanted)
        .order_by(col(Revision.id), col(Link.position))
    )
    ends: dict[tuple[str, str], Key] = {}
    found: dict[int, list[LinkRow]] = defaultdict(list)
    for revision, role, project, uid, more in rows:
        end = ends.get((project, uid)) or ends.setdefault((project, uid), Key(project, uid))
        found[revision].append((role, end, more))
    return found


def _signatures(
    session: Session, chosen: ColumnElement[bool], wanted: Sequence[ColumnElement[bool]]
) -> dict[int, list[SignatureView]]:
    rows = session.execute(
        select(
            col(Signature.revision_id),
            col(Signature.printed_name),
            col(Signature.person_uid),
            col(Signature.role),
            col(Signature.meaning),
            col(Signature.at),
            col(Signature.envelope_digest),
            col(Signature.reason),
            col(Signature.deputy_for),
        )
        .select_from(Record)
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(Revision, chosen)
        .join(Signature, col(Signature.revision_id) == col(Revision.id))
        .where(*wanted)
        .order_by(col(Signature.id))
    )
    found: dict[int, list[SignatureView]] = defaultdict(list)
    for revision, *said in rows:
        found[revision].append(SignatureView(*said))
    return found
