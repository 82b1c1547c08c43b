"""Load snapshots, and what a change throws doubt on: the database finds, pure rules judge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Link, LinkReview, Project, Record, Revision
from core.records.snapshot import Key, RecordView, Snapshot
from core.records.snapshot_keeping import keeper_of
from core.records.snapshot_rows import read_rows, read_rows_of, shown_revision, snapshot_of
from core.records.suspects import (
    FARTHEST,
    FieldChange,
    Happened,
    Reviewed,
    Suspicion,
    direct_suspicions,
    touched_by,
)
from core.records.types import get_registry
from core.records.writing import trigger_values

LONGEST_SHOWN = 400

Reviews = Mapping[tuple[Key, str, Key], Reviewed]
"""What both ends of a link said when it was last reviewed, by source, role and target."""

Outdated = Mapping[tuple[int, str, int], tuple[tuple[Key, str, Key], Reviewed]]
"""The same by the ids of both ends."""


def load_snapshot(
    session: Session, projects: Sequence[str] | None = None, effective: bool = True
) -> Snapshot:
    """Return every record of some projects (or of all) with its links.

    A session that only reads may be given a snapshot that another one loaded: its values are
    shared, so nobody changes them.

    Parameters
    ----------
    effective : bool
        True: the revision in force, or the latest draft of a record that never was in force.
        False: the latest revision of every record.
    """
    if projects is None:
        projects = list(session.execute(select(col(Project.key))).scalars())
    keeper = keeper_of(session)
    if keeper is not None:
        return keeper.snapshot(session, projects, effective=effective)
    return snapshot_of(read_rows(session, projects, effective=effective))


def suspect_end(source_type: str, role: str) -> str:
    """Return whose end of a link suffers when the other changes."""
    types = get_registry()
    spec = types.of(source_type).links.get(role) if source_type in types else None
    return spec.suspect if spec else "none"


def load_suspicions(session: Session, snapshot: Snapshot) -> list[Suspicion]:
    """Return every record of a snapshot that needs re-review, with what changed at the cause."""
    reviews, _ = outdated_reviews(session)
    return _suspicions(session, snapshot, reviews)


def load_doubts(session: Session, record_id: int | None = None) -> tuple[list[Suspicion], Snapshot]:
    """Return all that needs re-review, or over the links of one record, and the records it names.

    Unlike `load_suspicions` this reads nothing but the records in doubt and the causes.
    """
    reviews, ends = outdated_reviews(session, record_id)
    around = snapshot_of(read_rows_of(session, ends))
    return _suspicions(session, around, reviews), around


def _suspicions(session: Session, snapshot: Snapshot, reviews: Reviews) -> list[Suspicion]:
    if not reviews:
        return []
    diffs: dict[tuple[Key, str], tuple[FieldChange, ...]] = {}
    found = []
    for one in direct_suspicions(snapshot, reviews, suspect_end):
        change = (one.cause, one.reviewed)
        if one.happened is Happened.CHANGED and change not in diffs:
            diffs[change] = diff_since(session, snapshot.records[one.cause], one.reviewed)
        more = link_changes(one, snapshot.records[one.link.source].type)
        found.append(replace(one, diff=(*diffs.get(change, ()), *more)))
    return found


def with_diff(session: Session, records: Mapping[Key, RecordView], doubt: Suspicion) -> Suspicion:
    """Return a doubt with what changed at its cause and in what the link says."""
    diff: tuple[FieldChange, ...] = ()
    if doubt.happened is Happened.CHANGED:
        diff = diff_since(session, records[doubt.cause], doubt.reviewed)
    return replace(doubt, diff=(*diff, *link_changes(doubt, records[doubt.link.source].type)))


def link_changes(doubt: Suspicion, source_type: str) -> tuple[FieldChange, ...]:
    """Return what a link says now that it did not say when its target was last reviewed."""
    if doubt.record != doubt.link.target or doubt.happened in (
        Happened.WITHDRAWN,
        Happened.LINK_GONE,
    ):
        return ()
    types = get_registry()
    spec = types.of(source_type).links.get(doubt.role) if source_type in types else None
    now = doubt.link.attributes
    return tuple(
        FieldChange(
            spec.attributes[name].label if spec and name in spec.attributes else name,
            _text(doubt.said.get(name)),
            _text(now.get(name)),
        )
        for name in dict.fromkeys((*doubt.said, *now))
        if doubt.said.get(name) != now.get(name)
    )


def outdated_reviews(session: Session, record_id: int | None = None) -> tuple[Reviews, set[int]]:
    """Return the last review of each link that may be in doubt since, and the ends of those links.

    That is a link an end of which changed or was withdrawn, of which its source says something
    else, or that it no longer states; a review that saw that the link was gone settles it.

    Parameters
    ----------
    record_id : int, optional
        Only the links of this record.
    """
    keeper = keeper_of(session)
    if record_id is not None:
        found = _read_outdated(session, {record_id})
    elif keeper is not None:
        found = keeper.fact(session, _read_outdated, _renew_outdated)
    else:
        found = _read_outdated(session)
    return dict(found.values()), {end for source, _, target in found for end in (source, target)}


def _renew_outdated(session: Session, known: Outdated, changed: set[int]) -> Outdated:
    """Bring up to date what is known: only links at a changed record can have become other."""
    still = {
        link: said
        for link, said in known.items()
        if link[0] not in changed and link[2] not in changed
    }
    return {**still, **_read_outdated(session, changed)}


def _read_outdated(session: Session, ids: set[int] | None = None) -> Outdated:
    newest = select(func.max(col(LinkReview.id)).label("id")).group_by(
        col(LinkReview.source_id), col(LinkReview.role), col(LinkReview.target_id)
    )
    if ids is not None:
        newest = newest.where(
            col(LinkReview.source_id).in_(ids) | col(LinkReview.target_id).in_(ids)
        )
    last = newest.subquery()
    source, target = aliased(Record), aliased(Record)
    says, said = aliased(Revision), aliased(Revision)
    said_then = cast(col(LinkReview.attributes), Text)
    rows = session.execute(
        select(
            col(source.id),
            col(LinkReview.role),
            col(target.id),
            col(LinkReview.source_fingerprint),
            col(LinkReview.target_fingerprint),
            col(LinkReview.attributes),
        )
        .join(last, last.c.id == col(LinkReview.id))
        .join(source, col(source.id) == col(LinkReview.source_id))
        .join(says, col(says.id) == col(source.effective_id))
        .join(target, col(target.id) == col(LinkReview.target_id))
        .join(said, col(said.id) == col(target.effective_id))
        .outerjoin(
            Link,
            (col(Link.revision_id) == col(says.id))
            & (col(Link.role) == col(LinkReview.role))
            & (col(Link.target_id) == col(target.id)),
        )
        .where(
            col(LinkReview.gone).is_(False),
            (col(says.fingerprint) != col(LinkReview.source_fingerprint))
            | (col(said.fingerprint) != col(LinkReview.target_fingerprint))
            | col(source.withdrawn_at).is_not(None)
            | col(target.withdrawn_at).is_not(None)
            | col(Link.id).is_(None)
            # As text: two spellings of one value are told apart here and not by the rule.
            | (cast(col(Link.attributes), Text) != said_then) & (said_then != "null"),
        )
    ).all()
    keys = _keys(session, {end for row in rows for end in (row[0], row[2])})
    return {
        (row[0], row[1], row[2]): (
            (keys[row[0]], row[1], keys[row[2]]),
            Reviewed(row[3], row[4], row[5]),
        )
        for row in rows
    }


def _keys(session: Session, ids: Iterable[int]) -> dict[int, Key]:
    found = {}
    for chunk in chunks(ids):
        rows = session.execute(
            select(col(Record.id), col(Project.key), col(Record.uid))
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(col(Record.id).in_(chunk))
        )
        found.update({number: Key(project, uid) for number, project, uid in rows})
    return found


def load_touched(
    session: Session, project: Project, record: Record
) -> list[tuple[Suspicion, RecordView]]:
    """Return what a change of one record would throw doubt on, nearest first, with what it is."""
    around = snapshot_of(read_rows_of(session, _reached_by_doubt(session, record)))
    found = touched_by(around, Key(project.key, record.uid), suspect_end)
    return [(one, around.records[one.record]) for one in found]


def _reached_by_doubt(session: Session, record: Record) -> set[int]:
    """Return the ids of all that doubt about a record can reach, and some it cannot."""
    reached = {record.id or 0}
    border = reached
    for _ in range(FARTHEST):
        suffering = set()
        for source_type, role, source, target in _links_at(session, border):
            end = suspect_end(source_type, role)
            if end in ("source", "both") and target in border:
                suffering.add(source)
            if end in ("target", "both") and source in border:
                suffering.add(target)
        border = suffering - reached
        reached |= border
    return reached


def _links_at(session: Session, ids: Iterable[int]) -> list[tuple[str, str, int, int]]:
    """Return type of the source, role, source and target of the links in force at some records."""
    found: list[tuple[str, str, int, int]] = []
    for chunk in chunks(ids):
        query = (
            select(col(Record.type), col(Link.role), col(Record.id), col(Link.target_id))
            .join(Revision, shown_revision())
            .join(Link, col(Link.revision_id) == col(Revision.id))
        )
        # Two statements, because no index serves "either end".
        for end in (col(Record.id), col(Link.target_id)):
            found += [tuple(row) for row in session.execute(query.where(end.in_(chunk)))]
    return found


def diff_since(session: Session, cause: RecordView, reviewed: str) -> tuple[FieldChange, ...]:
    """Return what changed at a record since the revision with a fingerprint; () if none has it."""
    record_type = get_registry().of(cause.type)
    old = (
        session.execute(
            select(Revision)
            .join(Record, col(Record.id) == col(Revision.record_id))
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(
                col(Project.key) == cause.key.project,
                col(Record.uid) == cause.key.uid,
                col(Revision.fingerprint) == reviewed,
            )
            .order_by(col(Revision.number).desc())
        )
        .scalars()
        .first()
    )
    if old is None:
        return ()
    before = trigger_values(record_type, old.title, old.body, old.fields)
    after = trigger_values(record_type, cause.title, cause.body, cause.fields)
    return tuple(
        FieldChange(label, _text(before.get(label)), _text(after.get(label)))
        for label in after
        if before.get(label) != after.get(label)
    )


def _text(value: object) -> str:
    if value in (None, "", [], {}):
        return "(empty)"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " ..."
