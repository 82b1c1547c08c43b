"""Talk about a revision: begin a thread, answer in it, settle it with a sentence."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger import append
from core.people.actor import Actor
from core.records.models import Project, Record, Revision
from core.records.service import edit_token, lock_record, project_of, refuse_unread
from core.records.talking.models import Comment, Thread
from core.records.type_shape import RecordType
from core.records.types import get_registry

LONGEST_TEXT = 5_000
FIELD = "field."


@dataclass(frozen=True)
class Opening:
    """What a thread begins with.

    Attributes
    ----------
    read : str
        The `edit_token` of the revision that was read: it may be the one in force or the latest.
    about : str
        Empty for the whole, "body", or "field." and the name of a field.
    """

    read: str
    about: str
    text: str


def open_thread(session: Session, record: Record, opening: Opening, by: Actor) -> Thread:
    """Begin a talk about a revision of a record.

    Raises
    ------
    Invalid
        With everything that is wrong with the text and with what it is about.
    Refused
        If the request does not say what was read.
    Conflict
        If that is no longer how the record stands, or the record is withdrawn.
    """
    record, project = _held(session, record, by)
    revision = _revision_read(session, record, opening.read)
    text, faults = _read_text(opening.text)
    if opening.about and opening.about not in dict(parts(get_registry().of(record.type))):
        mend = "Choose one that the page offers."
        faults.append(Fault("part", "about", "is no part of this record.", mend))
    if faults:
        raise Invalid("No thread was opened.", faults)
    thread = Thread(
        record_id=record.id or 0,
        revision_id=revision.id or 0,
        revision_number=revision.number,
        content_digest=revision.content_digest,
        about=opening.about,
        person_id=by.person_id,
        person_name=by.name,
        person_uid=by.uid,
    )
    session.add(thread)
    session.flush()
    _say(session, thread, text, by)
    _tell(session, "open", thread, record, project, by)
    return thread


def answer(session: Session, record: Record, number: int, text: str, by: Actor) -> Thread:
    """Say something in a thread that is open.

    Raises
    ------
    NotFound, Invalid
    Conflict
        If it is settled, or the record is withdrawn.
    """
    record, project = _held(session, record, by)
    thread = _open_one(session, record, number)
    said, faults = _read_text(text)
    if faults:
        raise Invalid("Nothing was said.", faults)
    _say(session, thread, said, by)
    _tell(session, "answer", thread, record, project, by)
    return thread


def settle(session: Session, record: Record, number: int, text: str, by: Actor) -> Thread:
    """End a talk with a sentence; it stays readable.

    Raises
    ------
    NotFound, Invalid
    Refused
        For whoever neither began it nor wrote what it is about.
    Conflict
        If it is settled already, or the record is withdrawn.
    """
    record, project = _held(session, record, by)
    thread = _open_one(session, record, number)
    if not may_settle(thread, authors_of(session, record, thread), by):
        raise Refused(
            f"{by.name} may not settle this thread; {thread.person_name}, who began it, or an "
            f"author of {record.uid} may."
        )
    said, faults = _read_text(text)
    if faults:
        raise Invalid("The thread was not settled.", faults)
    _say(session, thread, said, by, settles=True)
    _tell(session, "settle", thread, record, project, by, {"reason": said})
    return thread


def parts(record_type: RecordType) -> list[tuple[str, str]]:
    """Return what a thread of a record of some type may be about, with its label."""
    fields = [(f"{FIELD}{name}", spec.label) for name, spec in record_type.fields.items()]
    return [("body", record_type.body.label), *fields]


def authors_of(session: Session, record: Record, thread: Thread) -> frozenset[str]:
    """Return who wrote what a thread is about, or the latest revision."""
    ids = (thread.revision_id, record.latest_id)
    rows = session.execute(select(Revision).where(col(Revision.id).in_(ids))).scalars()
    return frozenset().union(*(one.authors for one in rows))


def may_settle(thread: Thread, authors: frozenset[str], person: Actor) -> bool:
    """Whether a person may end a talk: who began it, or an author."""
    return person.person_id == thread.person_id or person.uid in authors


def _held(session: Session, record: Record, by: Actor) -> tuple[Record, Project]:
    record = lock_record(session, record)
    project = project_of(session, record)
    if not by.belongs_to(project.id or 0):
        raise Refused(f"{by.name} may not read {project.key}.")
    if record.withdrawn_at is not None:
        raise Conflict(
            f"{record.uid} is withdrawn: what was said about it stays readable, and nothing is "
            "added."
        )
    return record, project


def _revision_read(session: Session, record: Record, read: str) -> Revision:
    """Return the revision that was read: the latest, or the one in force."""
    ids = [number for number in (record.latest_id, record.effective_id) if number is not None]
    found = [session.get_one(Revision, number, populate_existing=True) for number in ids]
    for one in found:
        if edit_token(one) == read:
            return one
    latest = found[0]
    if not read:
        refuse_unread(record, latest, read)
    raise Conflict(
        f"{record.uid} changed after you opened it (it is now revision {latest.number}, "
        f"{latest.state.replace('_', ' ')}). Nothing was said yet: read it again, what you wrote "
        "is kept."
    )


def _open_one(session: Session, record: Record, number: int) -> Thread:
    thread = session.get(Thread, number)
    if thread is None or thread.record_id != record.id:
        raise NotFound(f"{record.uid} has no thread {number}.")
    settled = select(Comment).where(col(Comment.thread_id) == thread.id, col(Comment.settles))
    if session.execute(settled).first() is not None:
        raise Conflict("This thread is settled. Open another one if there is more to say.")
    return thread


def _read_text(written: str) -> tuple[str, list[Fault]]:
    # A browser sends its line breaks as CR LF.
    text = written.replace("\r\n", "\n").strip()
    if not text:
        return "", [Fault("empty", "text", "is empty.", "Say what you mean.")]
    if len(text) > LONGEST_TEXT:
        mend = f"Say it in at most {LONGEST_TEXT} letters, or attach a file."
        return "", [Fault("long", "text", "is too long.", mend)]
    return text, []


def _say(
    session: Session, thread: Thread, text: str, by: Actor, *, settles: bool = False
) -> Comment:
    count = select(func.count()).where(col(Comment.thread_id) == thread.id)
    comment = Comment(
        thread_id=thread.id or 0,
        ordinal=session.execute(count).scalar_one() + 1,
        text=text,
        settles=settles,
        person_id=by.person_id,
        person_name=by.name,
        person_uid=by.uid,
    )
    session.add(comment)
    session.flush()
    return comment


def _tell(
    session: Session,
    action: str,
    thread: Thread,
    record: Record,
    project: Project,
    by: Actor,
    more: dict[str, str] | None = None,
) -> None:
    told = {"thread": thread.id, "of_revision": thread.revision_number, "about": thread.about}
    append(session, f"record:thread:{action}", by, project.id, record.uid, {**told, **(more or {})})
