"""What was said about a record, how many threads are open, and which of them wait for whom."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key
from core.records.talking.models import Comment, Thread
from core.records.talking.service import FIELD, may_settle, parts
from core.records.type_shape import RecordType

CHUNK = 500


@dataclass(frozen=True)
class ThreadView:
    """One thread with everything that was said in it.

    Attributes
    ----------
    about : str
        The part it is about, in the words of the form; "the whole" where it is none.
    changed : bool
        Whether its revision said something else when it was begun.
    may_settle : bool
        Whether the person who reads it may.
    """

    id: int
    revision: int
    about: str
    part: str
    changed: bool
    opened_by: str
    at: datetime
    comments: Sequence[Comment]
    may_settle: bool

    @property
    def is_open(self) -> bool:
        """Whether nobody settled it yet."""
        return not self.comments[-1].settles


@dataclass(frozen=True)
class Unanswered:
    """An open thread in which somebody else spoke last, for a person who is asked."""

    key: Key
    title: str
    thread: int
    revision: int
    who: str
    since: datetime


def threads_of(
    session: Session, record: Record, record_type: RecordType, person: Actor
) -> list[ThreadView]:
    """Return the threads of a record, the open ones first, then the latest begun first."""
    threads = _threads(session, [record.id or 0])
    if not threads:
        return []
    said = _comments(session, threads)
    revisions = _revisions(session, {one.revision_id for one in threads} | {record.latest_id or 0})
    latest = revisions[record.latest_id or 0].authors
    labels = dict(parts(record_type))
    found = []
    for one in threads:
        revision = revisions[one.revision_id]
        bare = one.about.removeprefix(FIELD)
        found.append(
            ThreadView(
                id=one.id or 0,
                revision=one.revision_number,
                about=labels.get(one.about, bare) if one.about else "the whole",
                part=one.about,
                changed=revision.content_digest != one.content_digest,
                opened_by=one.person_name,
                at=one.at,
                comments=said[one.id or 0],
                may_settle=may_settle(one, revision.authors | latest, person),
            )
        )
    return sorted(found, key=lambda one: (not one.is_open, -one.id))


def open_threads(session: Session, record_ids: Iterable[int]) -> dict[int, int]:
    """Return how many threads of some records are open, by the record's id; none is left out."""
    found: dict[int, int] = {}
    wanted = list(record_ids)
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(col(Thread.record_id), func.count())
            .where(col(Thread.record_id).in_(wanted[start : start + CHUNK]), ~_settled())
            .group_by(col(Thread.record_id))
        )
        found.update({row[0]: row[1] for row in session.execute(query)})
    return found


def waiting_to_answer(
    session: Session, person: Actor, projects: Sequence[Project]
) -> list[Unanswered]:
    """Return the open threads that wait for a person, the oldest word first.

    Those of records whose revision or latest revision the person wrote, and those that the person
    began, where somebody else spoke last. Nothing waits on a record that is withdrawn.
    """
    query = (
        select(Thread, Record, col(Project.key))
        .join(Record, col(Record.id) == col(Thread.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Project.id).in_([one.id for one in projects]),
            col(Record.withdrawn_at).is_(None),
            ~_settled(),
        )
    )
    rows = [tuple(row) for row in session.execute(query)]
    said = _comments(session, [thread for thread, _, _ in rows])
    others = [row for row in rows if said[row[0].id][-1].person_id != person.person_id]
    wanted = {number for one, record, _ in others for number in (one.revision_id, record.latest_id)}
    revisions = _revisions(session, wanted)
    found = []
    for thread, record, key in others:
        latest = revisions[record.latest_id]
        authors = revisions[thread.revision_id].authors | latest.authors
        if not may_settle(thread, authors, person):
            continue
        last = said[thread.id][-1]
        found.append(
            Unanswered(
                key=Key(key, record.uid),
                title=latest.title,
                thread=thread.id,
                revision=thread.revision_number,
                who=last.person_name,
                since=last.at,
            )
        )
    return sorted(found, key=lambda one: (one.since, one.thread))


def _settled() -> ColumnElement[bool]:
    return exists().where(col(Comment.thread_id) == col(Thread.id), col(Comment.settles))


def _threads(session: Session, record_ids: Sequence[int]) -> list[Thread]:
    query = select(Thread).where(col(Thread.record_id).in_(record_ids)).order_by(col(Thread.id))
    return list(session.execute(query).scalars())


def _comments(session: Session, threads: Sequence[Thread]) -> dict[int, list[Comment]]:
    found: dict[int, list[Comment]] = defaultdict(list)
    ids = [one.id for one in threads]
    for start in range(0, len(ids), CHUNK):
        query = (
            select(Comment)
            .where(col(Comment.thread_id).in_(ids[start : start + CHUNK]))
            .order_by(col(Comment.thread_id), col(Comment.ordinal))
        )
        for one in session.execute(query).scalars():
            found[one.thread_id].append(one)
    return found


def _revisions(session: Session, ids: Collection[int]) -> dict[int, Revision]:
    found: dict[int, Revision] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        query = select(Revision).where(col(Revision.id).in_(wanted[start : start + CHUNK]))
        found.update({one.id or 0: one for one in session.execute(query).scalars()})
    return found
