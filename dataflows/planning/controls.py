"""Answer who asks whether QA still works: the procedures that watch what a device relies on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

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


def qa_controls(session: Session, project: str, at: datetime | None = None) -> list[QaControl]:
    """Return the QA procedures that watch what the records of a project rely on.

    These are procedures of any project, in force or in their first draft, that monitor a
    requirement of `project` or control a connection which a risk or requirement of it names.
    """
    watches = _watched(session, project)
    fields = _fields(session, list(watches))
    told = {f"{key.project}/{key.uid}": fields[key] for key in watches}
    found = standings(session, told, at) if told else {}
    controls = []
    for key in sorted(watches):
        procedure = Procedure(key.uid, "", source=str(fields[key].get("source") or ""))
        status = qa_status_of(procedure, found.get(f"{key.project}/{key.uid}"))
        controls.append(QaControl(key, frozenset(watches[key]), word_of(status), reason_of(status)))
    return controls


def word_of(status: QaStatus) -> ControlWord:
    """Return whether a procedure controls what it watches; any doubt of a server says no."""
    if not status.asked:
        return ControlWord.NOT_ASKED
    return ControlWord.EFFECTIVE if status.effective else ControlWord.NOT_EFFECTIVE


def reason_of(status: QaStatus) -> str:
    """Return why, as a clause that reads the same until something happens."""
    return status.why if not status.asked else status.words


def _watched(session: Session, project: str) -> dict[Key, set[Key]]:
    """Return the procedures that watch something of a project, each with what it watches."""
    own, other = aliased(Record), aliased(Project)
    relied = (
        select(Link.target_id)
        .join(Revision, col(Revision.id) == col(Link.revision_id))
        .join(own, col(own.id) == col(Revision.record_id))
        .join(other, col(other.id) == col(own.project_id))
        .where(
            col(other.key) == project,
            col(own.withdrawn_at).is_(None),
            col(Revision.id) == func.coalesce(col(own.effective_id), col(own.latest_id)),
            col(Link.role).in_(RELYING),
        )
    )
    target, of_target = aliased(Record), aliased(Project)
    rows = session.exec(
        select(Project.key, Record.uid, of_target.key, target.uid)
        .join(Record, col(Record.project_id) == col(Project.id))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(target, col(target.id) == col(Link.target_id))
        .join(of_target, col(of_target.id) == col(target.project_id))
        .where(
            col(Record.type) == PROCEDURE,
            col(Record.withdrawn_at).is_(None),
            col(Link.role).in_(WATCHING),
            or_(
                and_(col(of_target.key) == project, col(Link.role) == MONITORS),
                col(Link.target_id).in_(relied),
            ),
        )
    ).all()
    found: dict[Key, set[Key]] = {}
    for key, uid, target_key, target_uid in rows:
        found.setdefault(Key(key, uid), set()).add(Key(target_key, target_uid))
    return found


def _fields(session: Session, procedures: Sequence[Key]) -> dict[Key, Fields]:
    """Return what some procedures state, as they are in force or first drafted."""
    if not procedures:
        return {}
    wanted = set(procedures)
    rows = session.exec(
        select(Project.key, Record.uid, Revision.fields)
        .join(Record, col(Record.project_id) == col(Project.id))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .where(
            col(Record.type) == PROCEDURE,
            col(Record.uid).in_(sorted({key.uid for key in wanted})),
        )
    ).all()
    return {Key(k, uid): fields or {} for k, uid, fields in rows if Key(k, uid) in wanted}
