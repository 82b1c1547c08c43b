"""Answer who asks whether QA still works: the procedures that watch what a device relies on."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.qa_controls import ControlWord, QaControl
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key
from dataflows.inventory import Procedure
from dataflows.planning.plan import QaStatus, qa_status_of
from dataflows.qatrack.queries import PROCEDURE, Fields, standings

MONITORS = "monitors"
WATCHING = ("controls_connection", MONITORS)
"""The links by which a QA procedure says what it watches."""

RELYING = ("arises_on", "received_over")
"""The links by which records of a device name the connections that they rely on."""


NOT_APPROVED = "it is not approved, so it decides nothing"


@dataclass
class Watch:
    """A QA procedure as it states itself, whether that is in force, and what it watches."""

    fields: Fields
    in_force: bool
    watches: set[Key] = field(default_factory=set)


def qa_controls(session: Session, project: str, at: datetime | None = None) -> list[QaControl]:
    """Return the QA procedures that watch what the records of a project rely on.

    These are procedures of any project that monitor a requirement of `project` or control a
    connection which a risk or requirement of it names. Only a procedure in force decides
    anything: a first draft is told as not approved.

    Parameters
    ----------
    at : datetime, optional
        A moment in the past: records as they were in force then, and of QATrack+ only what had
        been read by then.
    """
    watches = _watched(session, project, at)
    told = {f"{key.project}/{key.uid}": one.fields for key, one in watches.items() if one.in_force}
    found = standings(session, told, at) if told else {}
    controls = []
    for key in sorted(watches):
        one = watches[key]
        procedure = Procedure(key.uid, "", source=str(one.fields.get("source") or ""))
        status = (
            qa_status_of(procedure, found.get(f"{key.project}/{key.uid}"))
            if one.in_force
            else QaStatus("not asked", why=NOT_APPROVED, asked=False)
        )
        watched = frozenset(one.watches)
        controls.append(QaControl(key, watched, word_of(status), reason_of(status)))
    return controls


def word_of(status: QaStatus) -> ControlWord:
    """Return whether a procedure controls what it watches; any doubt of a server says no."""
    if not status.asked:
        return ControlWord.NOT_ASKED
    return ControlWord.EFFECTIVE if status.effective else ControlWord.NOT_EFFECTIVE


def reason_of(status: QaStatus) -> str:
    """Return why, as a clause that reads the same until something happens."""
    return status.why if not status.asked else status.words


def _watched(session: Session, project: str, at: datetime | None) -> dict[Key, Watch]:
    """Return the procedures that watch something of a project, each with what it watches."""
    own, other = aliased(Record), aliased(Project)
    relied = (
        select(col(Link.target_id))
        .join(Revision, col(Revision.id) == col(Link.revision_id))
        .join(own, col(own.id) == col(Revision.record_id))
        .join(other, col(other.id) == col(own.project_id))
        .where(
            col(other.key) == project,
            _not_withdrawn(own, at),
            col(Revision.id) == _chosen(own, at),
            col(Link.role).in_(RELYING),
        )
    )
    target, of_target = aliased(Record), aliased(Project)
    rows = session.execute(
        select(
            col(Project.key),
            col(Record.uid),
            col(Revision.fields),
            _in_force(at),
            col(of_target.key),
            col(target.uid),
        )
        .join(Record, col(Record.project_id) == col(Project.id))
        .join(Revision, col(Revision.id) == _chosen(Record, at))
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(target, col(target.id) == col(Link.target_id))
        .join(of_target, col(of_target.id) == col(target.project_id))
        .where(
            col(Record.type) == PROCEDURE,
            _not_withdrawn(Record, at),
            col(Link.role).in_(WATCHING),
            or_(
                and_(col(of_target.key) == project, col(Link.role) == MONITORS),
                col(Link.target_id).in_(relied),
            ),
        )
    ).all()
    found: dict[Key, Watch] = {}
    for key, uid, fields, in_force, target_key, target_uid in rows:
        one = found.setdefault(Key(key, uid), Watch(fields or {}, bool(in_force)))
        one.watches.add(Key(target_key, target_uid))
    return found


def _not_withdrawn(record: type[Record], at: datetime | None) -> ColumnElement[bool]:
    never = col(record.withdrawn_at).is_(None)
    return never if at is None else or_(never, col(record.withdrawn_at) > at)


def _in_force(at: datetime | None) -> ColumnElement[bool]:
    """Whether the chosen revision of a procedure is, or was, in force."""
    if at is None:
        return col(Record.effective_id).is_not(None)
    return and_(col(Revision.approved_at).is_not(None), col(Revision.approved_at) <= at)


def _chosen(record: type[Record], at: datetime | None) -> ColumnElement[int | None]:
    """Return the revision in force, now or at a moment, or else the draft that there was."""
    if at is None:
        return func.coalesce(col(record.effective_id), col(record.latest_id))
    approved, drafted = aliased(Revision), aliased(Revision)
    return func.coalesce(
        select(func.max(approved.id))
        .where(col(approved.record_id) == col(record.id), col(approved.approved_at) <= at)
        .scalar_subquery(),
        select(func.max(drafted.id))
        .where(col(drafted.record_id) == col(record.id), col(drafted.created_at) <= at)
        .scalar_subquery(),
    )
