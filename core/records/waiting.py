"""What waits for a person: signatures, re-reviews and their own drafts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlmodel import Session, col

from core.errors import Fault
from core.people.actor import Actor
from core.records import lifecycle
from core.records.acceptance import ACCEPTABLE, due_each
from core.records.approval import lacking
from core.records.models import Link, Project, Record, Revision
from core.records.permissions import allowed_roles, signatures_due
from core.records.queries import load_doubts
from core.records.remarks import Remark, remarks_on
from core.records.service import edit_token
from core.records.signable import is_signable, named_signers
from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.records.suspects import Suspicion
from core.records.talking.reading import open_threads
from core.records.types import get_registry
from core.signing.models import Signature


@dataclass(frozen=True)
class Waiting:
    """One revision that waits: for this person's signature, or to be finished.

    Attributes
    ----------
    meaning, roles : str, tuple of str
        The signature that is due, and the person's roles that may give it; empty for a draft.
    threads : int
        How many talks about the record are open.
    token : str
        What a form remembers of the revision.
    """

    key: Key
    label: str
    title: str
    revision: int
    author: str
    since: datetime
    token: str
    meaning: str = ""
    roles: tuple[str, ...] = ()
    threads: int = 0


def waiting_to_sign(session: Session, person: Actor, projects: Sequence[Project]) -> list[Waiting]:
    """Return the revisions in review, and events, that a person may sign now, the oldest first."""
    rows = _latest(session, projects, lifecycle.IN_REVIEW)
    if any(one.lifecycle == "event" and one.meanings for one in get_registry().all()):
        rows += [
            row
            for row in _latest(session, projects, lifecycle.RECORDED)
            if is_signable(get_registry().of(row[0].type), row[1])
        ]
    proposed = _to_accept(session, person, projects)
    rows = sorted([*rows, *(row for row, _ in proposed)], key=_since)
    dues = {row[1].id: due for row, due in proposed}
    about = _about(session, rows)
    given: dict[int, list[Signature]] = defaultdict(list)
    for start in range(0, len(rows), 500):
        ids = [revision.id for _, revision, _ in rows[start : start + 500]]
        query = select(Signature).where(col(Signature.revision_id).in_(ids))
        for one in session.execute(query.order_by(col(Signature.id))).scalars():
            given[one.revision_id].append(one)
    talks = open_threads(session, (record.id or 0 for record, _, _ in rows))
    found = []
    for record, revision, project in rows:
        record_type = get_registry().of(record.type)
        current = [
            one
            for one in given[revision.id or 0]
            if one.envelope_digest == revision.envelope_digest
        ]
        whom = about.get(revision.id or 0, "")
        due = dues.get(revision.id)
        named = named_signers(session, record_type, revision) if record_type.sign_by else None
        number = project.id or 0
        mine, _ = signatures_due(record_type, number, revision, current, person, whom, due, named)
        found += [
            replace(
                _waiting(record, revision, project, meaning, roles),
                threads=talks.get(record.id or 0, 0),
            )
            for meaning, roles in mine
        ]
    return found


def _since(row: tuple[Record, Revision, Project]) -> tuple[datetime, int]:
    return (row[1].created_at, row[0].id or 0)


def _to_accept(
    session: Session, person: Actor, projects: Sequence[Project]
) -> list[tuple[tuple[Record, Revision, Project], tuple[str, ...]]]:
    """Return the issues that wait to be accepted, each with the signature that is due.

    Whoever never accepts any is not asked about, as each costs a look at what it proposed.
    """
    types = {one.name: one for one in get_registry().all() if one.accepting}
    roles = {role for one in types.values() for name in one.accepting for role in one.sign[name]}
    projects = [one for one in projects if person.has(one.id or 0, *roles)]
    if not types or not projects:
        return []
    rows = [
        row for state in ACCEPTABLE for row in _latest(session, projects, state, types=list(types))
    ]
    dues = due_each(session, rows)
    return [(row, due) for row in rows if (due := dues.get(row[1].id or 0))]


def _about(session: Session, rows: Sequence[tuple[Record, Revision, Project]]) -> dict[int, str]:
    """Return, by revision, the uid of the person whom it is about, where its type names one."""
    roles = {one.name: one.about for one in get_registry().all() if one.about is not None}
    revisions = {
        revision.id or 0: roles[record.type] for record, revision, _ in rows if record.type in roles
    }
    found: dict[int, str] = {}
    ids = list(revisions)
    for start in range(0, len(ids), 500):
        links = session.execute(
            select(col(Link.revision_id), col(Link.role), col(Record.uid))
            .join(Record, col(Record.id) == col(Link.target_id))
            .where(col(Link.revision_id).in_(ids[start : start + 500]))
        )
        found.update({number: uid for number, role, uid in links if role == revisions[number]})
    return found


def own_drafts(session: Session, person: Actor, projects: Sequence[Project]) -> list[Waiting]:
    """Return the drafts that a person began and nobody submitted, the oldest first."""
    return [
        _waiting(record, revision, project)
        for record, revision, project in _latest(session, projects, lifecycle.DRAFT, person)
    ]


@dataclass(frozen=True)
class Submittable:
    """A draft that a person wrote on and may submit, and what it still lacks."""

    draft: Waiting
    lacks: Sequence[Fault]


@dataclass(frozen=True)
class Submittables:
    """One page of the drafts that a person may submit.

    Attributes
    ----------
    page : int
        The page that is shown: the last one where there are fewer than was asked for.
    by_type : sequence of (str, int)
        How many there are of each type, whatever is listed.
    """

    drafts: Sequence[Submittable]
    total: int
    page: int
    by_type: Sequence[tuple[str, int]]


def submittable(
    session: Session,
    person: Actor,
    project: Project,
    size: int,
    page: int = 1,
    record_type: str = "",
) -> Submittables:
    """Return one page of the drafts that a person may submit, the oldest first.

    Parameters
    ----------
    size : int
        Drafts on a page; what a draft lacks costs a look at each, and only these are looked at.
    record_type : str
        Only drafts of this type, where one is named.
    """
    types = [one.name for one in get_registry().all() if person.has(project.id or 0, *one.authors)]
    if not types:
        return Submittables((), 0, 1, ())
    mine = _in_state([project], lifecycle.DRAFT, person, co_author=True, types=types)
    counted = mine.with_only_columns(col(Record.type), func.count()).order_by(None)
    counts = {name: int(n) for name, n in session.execute(counted.group_by(col(Record.type)))}
    total = counts.get(record_type, 0) if record_type else sum(counts.values())
    page = min(page, max(1, -(-total // size)))
    if record_type:
        mine = mine.where(col(Record.type) == record_type)
    rows = [tuple(row) for row in session.execute(mine.limit(size).offset((page - 1) * size))]
    found = [
        Submittable(_waiting(*row), tuple(lacking(session, project, row[0], row[1])))
        for row in rows
    ]
    return Submittables(found, total, page, [(one, counts[one]) for one in types if one in counts])


@dataclass(frozen=True)
class Returned:
    """A draft that came back from review, with the last reason that was given."""

    key: Key
    label: str
    title: str
    revision: int
    remark: Remark


def returned_to(session: Session, person: Actor, projects: Sequence[Project]) -> list[Returned]:
    """Return the drafts that a person wrote on and a reviewer sent back, the latest first."""
    drafts = _latest(session, projects, lifecycle.DRAFT, person, co_author=True)
    said = remarks_on(session, [record for record, _, _ in drafts])
    found = [
        Returned(
            Key(project.key, record.uid),
            get_registry().of(record.type).label,
            revision.title,
            revision.number,
            said[record.id or 0, revision.number][-1],
        )
        for record, revision, project in drafts
        if (record.id or 0, revision.number) in said
    ]
    return sorted(found, key=lambda one: one.remark.at, reverse=True)


@dataclass(frozen=True)
class Doubtful:
    """A record that needs re-review, what threw doubt on it, and since when."""

    record: RecordView
    doubts: Sequence[Suspicion]
    since: datetime | None


def waiting_for_review(
    session: Session, person: Actor, projects: Sequence[Project]
) -> list[Doubtful]:
    """Return the records that need re-review and that a person may re-review, with the causes."""
    ids = {project.key: project.id or 0 for project in projects}
    found, around = load_doubts(session)
    doubts: dict[Key, list[Suspicion]] = defaultdict(list)
    for one in found:
        record = around.records[one.record]
        roles = allowed_roles(get_registry().of(record.type))
        if one.record.project in ids and person.has(ids[one.record.project], *roles):
            told = one if one.cause.project in ids else replace(one, diff=())
            doubts[one.record].append(told)
    ordered = sorted(doubts, key=lambda key: (key.project, natural_order(key.uid)))
    return [
        Doubtful(around.records[key], doubts[key], _first_cause(around, doubts[key]))
        for key in ordered
    ]


def _first_cause(around: Snapshot, doubts: Sequence[Suspicion]) -> datetime | None:
    """Return when the first of what threw doubt on a record came into force, where it is known."""
    causes = (around.records.get(one.cause) for one in doubts)
    moments = [one.approved_at for one in causes if one is not None and one.approved_at]
    return min(moments, default=None)


def _latest(
    session: Session,
    projects: Sequence[Project],
    state: str,
    author: Actor | None = None,
    *,
    co_author: bool = False,
    types: Sequence[str] = (),
) -> list[tuple[Record, Revision, Project]]:
    query = _in_state(projects, state, author, co_author=co_author, types=types)
    return [tuple(row) for row in session.execute(query)]


def _in_state(
    projects: Sequence[Project],
    state: str,
    author: Actor | None = None,
    *,
    co_author: bool = False,
    types: Sequence[str] = (),
) -> Select[Record, Revision, Project]:
    """Return the question for the records whose latest revision is in a state, oldest first."""
    query = (
        select(Record, Revision, Project)
        .join(Revision, col(Revision.id) == col(Record.latest_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Project.id).in_([one.id for one in projects]),
            col(Revision.state) == state,
            col(Record.withdrawn_at).is_(None),
        )
        .order_by(col(Revision.created_at), col(Record.id))
    )
    if author is not None:
        wrote: ColumnElement[bool] = col(Revision.author_id) == author.person_id
        if co_author:
            named = f'"{author.uid}"'
            wrote |= cast(col(Revision.co_authors), Text).contains(named, autoescape=True)
        query = query.where(wrote)
    if types:
        query = query.where(col(Record.type).in_(types))
    return query


def _waiting(
    record: Record,
    revision: Revision,
    project: Project,
    meaning: str = "",
    roles: tuple[str, ...] = (),
) -> Waiting:
    return Waiting(
        key=Key(project.key, record.uid),
        label=get_registry().of(record.type).label,
        title=revision.title,
        revision=revision.number,
        author=revision.author_name,
        since=revision.created_at,
        token=edit_token(revision),
        meaning=meaning,
        roles=roles,
    )
