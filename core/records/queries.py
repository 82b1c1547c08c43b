"""Load snapshots and suspicions: one statement per table, rows instead of entities."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session, col

from core.records.models import Link, LinkReview, Project, Record, Revision
from core.records.snapshot import Key, LinkView, RecordView, SignatureView, Snapshot
from core.records.suspects import (
    FieldChange,
    Reviewed,
    Suspicion,
    direct_suspicions,
    touched_by,
)
from core.records.types import TypeRegistry, get_registry
from core.records.writing import trigger_values
from core.signing.models import Signature

LONGEST_SHOWN = 400


def load_snapshot(
    session: Session, projects: Sequence[str] | None = None, effective: bool = True
) -> Snapshot:
    """Load every record of some projects (or of all) with its links.

    Parameters
    ----------
    effective : bool
        True: the revision in force, or the latest draft of a record that never was in force.
        False: the latest revision of every record.
    """
    rows = session.execute(_revisions(projects, effective)).all()
    keys = {row[0]: Key(row[1], row[2]) for row in rows}
    revisions = {row[6]: Key(row[1], row[2]) for row in rows}
    signatures = _signatures(session, projects, effective)
    records = [
        RecordView(
            key=keys[row[0]],
            type=row[3],
            title=row[9],
            body=row[10],
            fields=row[11] or {},
            state="withdrawn" if row[4] else row[8],
            revision=row[7],
            author=row[12],
            author_uid=row[13],
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
        for row in rows
    ]
    return Snapshot(records, _links(session, projects, effective, revisions))


def _revisions(projects: Sequence[str] | None, effective: bool) -> Select[*tuple[Any, ...]]:
    chosen = _coalesced() if effective else col(Revision.id) == col(Record.latest_id)
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
        )
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(Revision, chosen)
    )
    if projects is not None:
        query = query.where(col(Project.key).in_(projects))
    return query


def _coalesced() -> ColumnElement[bool]:
    return (col(Revision.id) == col(Record.effective_id)) | (
        col(Record.effective_id).is_(None) & (col(Revision.id) == col(Record.latest_id))
    )


def _of_projects(
    query: Select[tuple[object, ...]], projects: Sequence[str] | None
) -> Select[tuple[object, ...]]:
    if projects is None:
        return query
    return query.where(
        col(Record.project_id).in_(select(col(Project.id)).where(col(Project.key).in_(projects)))
    )


def _links(
    session: Session,
    projects: Sequence[str] | None,
    effective: bool,
    revisions: dict[int, Key],
) -> list[LinkView]:
    chosen = _coalesced() if effective else col(Revision.id) == col(Record.latest_id)
    query: Select[tuple[object, ...]] = (
        select(col(Revision.id), col(Link.role), col(Link.target_id), col(Link.attributes))
        .select_from(Record)
        .join(Revision, chosen)
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .order_by(col(Revision.id), col(Link.position))
    )
    rows = session.execute(_of_projects(query, projects)).all()
    ends = _ends(session, {row[2] for row in rows})
    return [LinkView(row[1], revisions[row[0]], ends[row[2]], row[3] or {}) for row in rows]


def _ends(session: Session, ids: Iterable[int]) -> dict[int, Key]:
    wanted = set(ids)
    if not wanted:
        return {}
    query = select(col(Record.id), col(Project.key), col(Record.uid)).join(
        Project, col(Project.id) == col(Record.project_id)
    )
    return {row[0]: Key(row[1], row[2]) for row in session.execute(query) if row[0] in wanted}


def _signatures(
    session: Session, projects: Sequence[str] | None, effective: bool
) -> dict[int, list[SignatureView]]:
    chosen = _coalesced() if effective else col(Revision.id) == col(Record.latest_id)
    query: Select[tuple[object, ...]] = (
        select(Signature)  # type: ignore[assignment]
        .select_from(Record)
        .join(Revision, chosen)
        .join(Signature, col(Signature.revision_id) == col(Revision.id))
        .order_by(col(Signature.id))
    )
    found: dict[int, list[SignatureView]] = defaultdict(list)
    for one in session.execute(_of_projects(query, projects)).scalars():
        assert isinstance(one, Signature)  # noqa: S101 - narrows the type of a generic select
        found[one.revision_id].append(
            SignatureView(
                name=one.printed_name,
                person_uid=one.person_uid,
                role=one.role,
                meaning=one.meaning,
                at=one.at,
                envelope_digest=one.envelope_digest,
                reason=one.reason,
            )
        )
    return found


def suspect_end(source_type: str, link: LinkView, registry: TypeRegistry | None = None) -> str:
    """Return whose end of a link suffers when the other changes."""
    types = registry or get_registry()
    if source_type not in types:
        return "none"
    spec = types.of(source_type).links.get(link.role)
    return spec.suspect if spec else "none"


def load_reviews(
    session: Session, record_id: int | None = None
) -> dict[tuple[Key, str, Key], Reviewed]:
    """Return the last review of every link, or of every link of one record."""
    query = select(
        col(LinkReview.source_id),
        col(LinkReview.role),
        col(LinkReview.target_id),
        col(LinkReview.source_fingerprint),
        col(LinkReview.target_fingerprint),
    ).order_by(col(LinkReview.id))
    if record_id is not None:
        query = query.where(
            (col(LinkReview.source_id) == record_id) | (col(LinkReview.target_id) == record_id)
        )
    rows = session.execute(query).all()
    ends = _ends(session, {end for row in rows for end in (row[0], row[2])})
    return {(ends[row[0]], row[1], ends[row[2]]): Reviewed(row[3], row[4]) for row in rows}


def load_suspicions(session: Session, snapshot: Snapshot) -> list[Suspicion]:
    """Return every record of a snapshot that needs re-review, with what changed at the cause."""
    found = direct_suspicions(snapshot, load_reviews(session), suspect_end)
    return [with_diff(session, snapshot, one) for one in found]


def load_touched(snapshot: Snapshot, changed: Key) -> list[Suspicion]:
    """Return what a change of one record would throw doubt on, with the distance."""
    return touched_by(snapshot, changed, suspect_end)


def with_diff(session: Session, snapshot: Snapshot, suspicion: Suspicion) -> Suspicion:
    """Return a suspicion with what changed at its cause since the last review."""
    cause = snapshot.records[suspicion.cause]
    record_type = get_registry().of(cause.type)
    old = (
        session.execute(
            select(Revision)
            .join(Record, col(Record.id) == col(Revision.record_id))
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(
                col(Project.key) == cause.key.project,
                col(Record.uid) == cause.key.uid,
                col(Revision.fingerprint) == suspicion.reviewed,
            )
            .order_by(col(Revision.number).desc())
        )
        .scalars()
        .first()
    )
    if old is None:
        return suspicion
    before = trigger_values(record_type, old.title, old.body, old.fields)
    after = trigger_values(record_type, cause.title, cause.body, cause.fields)
    diff = tuple(
        FieldChange(label, _text(before.get(label)), _text(after.get(label)))
        for label in after
        if before.get(label) != after.get(label)
    )
    return Suspicion(
        suspicion.record,
        suspicion.cause,
        suspicion.role,
        suspicion.distance,
        suspicion.link,
        suspicion.reviewed,
        diff,
    )


def _text(value: object) -> str:
    if value in (None, "", [], {}):
        return "(empty)"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " ..."
