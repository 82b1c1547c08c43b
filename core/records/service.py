"""Create, change and move records; every change is in the audit trail of the same transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import now
from core.db import insert_into
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger import append, hold_still
from core.people.actor import Actor
from core.records import lifecycle
from core.records.checking import UID
from core.records.content import Content
from core.records.demands import refuse_unsaid
from core.records.models import Project, Record, Revision, UidCounter
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_raiser
from core.records.writing import checked, content_of, fill, write_links


def create_project(
    session: Session, key: str, title: str, by: Actor | None, *, demonstration: bool = False
) -> Project:
    """Create the container of a device's or department's records.

    Raises
    ------
    Invalid, Conflict
        If the key is no key or is taken.
    """
    if not (2 <= len(key) <= 20 and key.isascii() and key.isalnum() and key[0].isupper()):
        raise Invalid(
            "The project was not created.",
            [Fault("key", "key", f"'{key[:40]}' is no key.", "Use 2 to 20 letters, as RPM.")],
        )
    if not title.strip():
        raise Invalid("The project was not created.", [Fault("title", "title", "is empty.")])
    if session.execute(select(Project).where(col(Project.key) == key)).first():
        raise Conflict(f"There is a project {key} already.")
    project = Project(key=key, title=title.strip(), demonstration=demonstration)
    session.add(project)
    session.flush()
    append(session, "project:project:create", by, project.id, key, {"title": project.title})
    return project


def find_project(session: Session, key: str) -> Project:
    """Return a project by its key; raises NotFound."""
    found: Project | None = session.execute(
        select(Project).where(col(Project.key) == key)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no project {key}.")
    return found


def find_record(session: Session, project: Project, uid: str) -> Record:
    """Return a record by its uid; raises NotFound."""
    found: Record | None = session.execute(
        select(Record).where(col(Record.project_id) == project.id, col(Record.uid) == uid)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no record {uid[:80]} in {project.key}.")
    return found


def latest_revision(session: Session, record: Record) -> Revision:
    """Return the newest revision of a record, draft or not."""
    return session.get_one(Revision, record.latest_id)


def project_of(session: Session, record: Record) -> Project:
    """Return the project that a record belongs to."""
    return session.get_one(Project, record.project_id)


def create_record(
    session: Session,
    project: Project,
    type_name: str,
    content: Content,
    by: Actor,
    uid: str | None = None,
    number: int = 1,
    reason: str = "",
) -> Record:
    """Create a record with its first revision.

    Parameters
    ----------
    uid : str, optional
        Without one the project gives the next number of the type.
    number : int
        Number of the first revision; above 1 only where history was kept elsewhere.

    Raises
    ------
    Invalid
        With everything that is wrong with the content.
    Refused, Conflict
        If the person may not write this type, or the uid is taken.
    """
    hold_still(session)
    record_type = get_registry().of(type_name)
    require_raiser(record_type, project, by)
    chosen = uid or next_uid(session, project, record_type)
    if not UID.fullmatch(chosen):
        fault = Fault("uid", chosen[:80], "is no uid.", "Begin with a capital: REQ-001, PACS.ARC.")
        raise Invalid("The record was not created.", [fault])
    taken = select(Record).where(col(Record.project_id) == project.id, col(Record.uid) == chosen)
    if session.execute(taken).first():
        raise Conflict(f"There is a record {chosen} in {project.key} already.")
    kept, targets = checked(session, record_type, project, chosen, content)
    refuse_unsaid(session, project, record_type, None, kept, lifecycle.OPEN, chosen)
    record = Record(project_id=project.id or 0, type=type_name, uid=chosen)
    session.add(record)
    session.flush()
    revision = new_revision(record, number, by, reason, lifecycle.DRAFT)
    fill(revision, record_type, project, chosen, kept)
    session.add(revision)
    session.flush()
    record.latest_id = revision.id
    write_links(session, revision, project, kept, targets)
    _begin(record, revision, record_type)
    record_event(session, "create", record, revision, project, by)
    return record


def new_revision(
    record: Record, number: int, by: Actor, reason: str, state: str, previous: str = ""
) -> Revision:
    """Return an empty revision; `fill` gives it content and digests."""
    return Revision(
        record_id=record.id or 0,
        number=number,
        state=state,
        title="",
        author_id=by.person_id,
        author_name=by.name,
        author_uid=by.uid,
        reason=reason,
        content_digest="",
        envelope_digest="",
        previous_digest=previous,
        fingerprint="",
    )


def _begin(record: Record, revision: Revision, record_type: RecordType) -> None:
    # Links can be written to a draft only, so the lifecycle's own first state is set afterwards.
    first = lifecycle.FIRST[record_type.lifecycle]
    if first != revision.state:
        revision.state = first
        revision.approved_at = now()
        record.effective_id = revision.id


def next_uid(session: Session, project: Project, record_type: RecordType) -> str:
    """Return the next number of a type; a number is given out once, whatever becomes of it."""
    hold_still(session)
    counter = _counter(session, project, record_type.prefix)
    taken = {
        uid
        for (uid,) in session.execute(
            select(col(Record.uid)).where(
                col(Record.project_id) == project.id,
                col(Record.uid).startswith(f"{record_type.prefix}-", autoescape=True),
            )
        )
    }
    while True:
        counter.last += 1
        uid = f"{record_type.prefix}-{counter.last:03d}"
        if uid not in taken:
            break
    session.flush()
    return uid


def _counter(session: Session, project: Project, prefix: str) -> UidCounter:
    """Return the counter of a prefix, held until the transaction ends; begun where it is new."""
    begun = insert_into(session, UidCounter).values(project_id=project.id, prefix=prefix, last=0)
    session.execute(begun.on_conflict_do_nothing())
    held: UidCounter = session.execute(
        select(UidCounter)
        .where(col(UidCounter.project_id) == project.id, col(UidCounter.prefix) == prefix)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    return held


def edit_token(revision: Revision) -> str:
    """Return what a form remembers of the revision it was opened on."""
    return f"{revision.number}.{revision.state}.{revision.content_digest[:16]}"


def refuse_unread(record: Record, revision: Revision, expected: str) -> None:
    """Refuse to act on anything else than the revision that the person read.

    Raises
    ------
    Refused
        If the request does not say what was read.
    Conflict
        If that is no longer how the record stands.
    """
    state = revision.state.replace("_", " ")
    now_says = f"it is now revision {revision.number}, {state}"
    refuse_stale(record, expected, edit_token(revision), now_says)


def refuse_stale(record: Record, expected: str, token: str, now_says: str) -> None:
    """Refuse a form that was opened on something else, or that does not say on what.

    Raises
    ------
    Conflict, Refused
    """
    if not expected:
        raise Refused(
            f"Nothing was done: the request does not say which revision was read. Open the page "
            f"of {record.uid}, read it, and act from there."
        )
    if expected != token:
        raise Conflict(
            f"{record.uid} changed after you opened it ({now_says}). Nothing was done: read it "
            "again."
        )


def refuse_withdrawn(record: Record) -> None:
    """Refuse to act on a record that is withdrawn; raises Conflict."""
    if record.withdrawn_at is not None:
        raise Conflict(
            f"{record.uid} is withdrawn: it can no longer be changed, moved or signed. Write a "
            "new record if it is needed after all."
        )


def lock_record(session: Session, record: Record) -> Record:
    """Hold a record until the transaction ends, so that two people cannot change it at once."""
    hold_still(session)
    held: Record = session.execute(
        select(Record)
        .where(col(Record.id) == record.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    return held


def save_draft(
    session: Session,
    record: Record,
    content: Content,
    by: Actor,
    expected: str,
    reason: str = "",
) -> Revision:
    """Save content: into the open draft, or as a new draft above the revision in force.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that the form was opened on.

    Raises
    ------
    Conflict
        If someone else saved first, or the record is in review or withdrawn.
    Invalid, Refused
        As `create_record`.
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    latest = session.get_one(Revision, record.latest_id, populate_existing=True)
    require_raiser(record_type, project, by, latest)
    _refuse_closed(record, latest, record_type)
    if edit_token(latest) != expected:
        raise Conflict(
            f"{record.uid} was saved by {latest.author_name} after you opened it. Nothing was "
            "overwritten: compare both and save again."
        )
    kept, targets = checked(session, record_type, project, record.uid, content)
    if latest.state == lifecycle.DRAFT:
        revision = latest
        if by.uid not in revision.authors:
            revision.co_authors = [*revision.co_authors, by.uid]
        revision.reason = reason or revision.reason
        revision.created_at = now()
    else:
        number = _next_number(session, record)
        revision = new_revision(record, number, by, reason, lifecycle.DRAFT, latest.envelope_digest)
        if record_type.lifecycle == "issue":
            before = content_of(session, latest, project)
            refuse_unsaid(
                session, project, record_type, record, kept, latest.state, record.uid, before
            )
            # An issue grows by its revisions: whoever wrote an earlier one wrote this one too.
            revision.co_authors = sorted(latest.authors - {by.uid})
    in_force = session.get(Revision, record.effective_id) if record.effective_id else None
    fill(revision, record_type, project, record.uid, kept, in_force)
    session.add(revision)
    session.flush()
    record.latest_id = revision.id
    write_links(session, revision, project, kept, targets)
    if record_type.lifecycle == "issue":
        revision.state, revision.approved_at = latest.state, now()
        record.effective_id = revision.id
    record_event(session, "save", record, revision, project, by)
    return revision


def _next_number(session: Session, record: Record) -> int:
    """Return the number of a further revision; that of a discarded one is not given again."""
    query = select(func.max(Revision.number)).where(col(Revision.record_id) == record.id)
    return int(session.execute(query).scalar_one()) + 1


def _refuse_closed(record: Record, latest: Revision, record_type: RecordType) -> None:
    refuse_withdrawn(record)
    if lifecycle.is_decided(record_type.lifecycle, latest.state):
        raise Conflict(
            f"{record.uid} is {latest.state}, and what was decided on is not changed behind the "
            "decision; reopen it first, with the reason."
        )
    if latest.state == lifecycle.IN_REVIEW:
        raise Conflict(
            f"{record.uid} revision {latest.number} is in review; reject it first, or wait."
        )
    if record_type.lifecycle == "event":
        raise Conflict(f"{record.uid} was recorded once; correct it with an event of its own.")


def record_event(
    session: Session,
    action: str,
    record: Record,
    revision: Revision,
    project: Project,
    by: Actor,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Put one change of a record into the audit trail, with the digests it left behind."""
    append(
        session,
        f"record:{record.type}:{action}",
        by,
        project.id,
        record.uid,
        {
            "revision": revision.number,
            "state": revision.state,
            "content": revision.content_digest,
            "envelope": revision.envelope_digest,
            **(more or {}),
        },
    )


def counts_by_type(session: Session, project: Project) -> dict[str, int]:
    """Return how many records of each type a project has."""
    rows = session.execute(
        select(col(Record.type), func.count())
        .where(col(Record.project_id) == project.id)
        .group_by(col(Record.type))
    )
    return dict(rows.all())


def read_content(session: Session, record: Record) -> Content:
    """Return the newest content of a record, for a form to begin with."""
    return content_of(session, latest_revision(session, record), project_of(session, record))
