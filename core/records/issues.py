"""Move quality issues: work on them by their authors' word, decide on them by signature."""

from dataclasses import dataclass

from sqlmodel import Session

from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import Actor
from core.people.service import Reauthentication
from core.records import lifecycle
from core.records.acceptance import acceptance_faults
from core.records.approval import Signing, put_signature, refuse_signer
from core.records.demands import demanded
from core.records.models import Project, Record, Revision
from core.records.service import (
    lock_record,
    new_revision,
    project_of,
    record_event,
    refuse_unread,
    refuse_withdrawn,
)
from core.records.snapshot import Key
from core.records.targets import known_records
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_author
from core.records.writing import content_of, fill, write_links


@dataclass(frozen=True)
class Decision:
    """What is decided on an issue, in which of the decider's roles, and why."""

    to: str
    role: str
    reason: str


def is_signed(record_type: RecordType, to: str) -> bool:
    """Whether a move to a state is a decision that the type wants signed."""
    return bool(record_type.deciding) and lifecycle.is_decided(record_type.lifecycle, to)


def move(
    session: Session, record: Record, to: str, by: Actor, reason: str, expected: str
) -> Revision:
    """Move a quality issue to another state, or reopen one that was decided on.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Returns
    -------
    Revision
        A new one where the issue was reopened: the decision stays with the one it was signed on.

    Raises
    ------
    Conflict
        If its lifecycle does not lead there, or it is not what was read.
    Refused
        If the person may not write it, or if this is a decision that is signed (`decide`).
    Invalid
        Without a reason, or when it lacks what that state asks for: words, or its acceptance.
    """
    record, project, record_type, latest = _held(session, record, to)
    if is_signed(record_type, to):
        who = " or ".join(role.replace("_", " ") for role in record_type.deciders)
        raise Refused(
            f"{record.uid} does not become {to} by the word of whoever works on it: {who} signs "
            "that, with the reason."
        )
    require_author(record_type, project, by)
    refuse_unread(record, latest, expected)
    _refuse_without_reason(record, to, reason)
    _refuse_unfinished(session, record, latest, project, record_type, to)
    before = latest.state
    if lifecycle.is_decided(record_type.lifecycle, before):
        latest = _begin_again(session, record, latest, project, record_type, by, reason.strip())
    return _put_state(session, record, latest, project, by, before, to, reason.strip())


def decide(
    session: Session,
    record: Record,
    decision: Decision,
    by: Actor,
    proof: Reauthentication,
    expected: str,
) -> Revision:
    """Close, reject or defer a quality issue, by a signature over what it says.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Raises
    ------
    Conflict
        If its lifecycle does not lead there, or it is not what was read.
    Refused
        If no signature decides that, or for whoever may not give it: an author of the revision,
        or a person without the role or the training.
    Invalid
        Without a reason, or when it lacks what that state asks for: words, or its acceptance.
    """
    record, project, record_type, latest = _held(session, record, decision.to)
    if not is_signed(record_type, decision.to):
        raise Refused(f"{record.uid} becomes {decision.to.replace('_', ' ')} without a signature.")
    reason = decision.reason.strip()
    said = f"{decision.to.replace('_', ' ').capitalize()}: {reason}"
    signing = Signing(record_type.deciding, decision.role, said)
    refuse_signer(session, record, latest, signing, by)
    refuse_unread(record, latest, expected)
    _refuse_without_reason(record, decision.to, reason)
    _refuse_unfinished(session, record, latest, project, record_type, decision.to)
    put_signature(session, record, latest, by, proof, signing)
    return _put_state(session, record, latest, project, by, latest.state, decision.to, reason)


def _held(
    session: Session, record: Record, to: str
) -> tuple[Record, Project, RecordType, Revision]:
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    latest = session.get_one(Revision, record.latest_id, populate_existing=True)
    refuse_withdrawn(record)
    if record_type.lifecycle != "issue" or not lifecycle.may_move("issue", latest.state, to):
        raise Conflict(
            f"{record.uid} is {latest.state.replace('_', ' ')}; it cannot become "
            f"{to.replace('_', ' ')[:40] or 'nothing'}."
        )
    return record, project, record_type, latest


def _refuse_without_reason(record: Record, to: str, reason: str) -> None:
    if not reason.strip():
        done = to if to in lifecycle.BEFORE_DECISION else "moved"
        raise Invalid(
            f"{record.uid} was not {done}.",
            [Fault("reason", record.uid, "The reason is empty.", "Say why, for later readers.")],
        )


def lacking_for(
    session: Session,
    record: Record,
    latest: Revision,
    project: Project,
    record_type: RecordType,
    to: str,
) -> list[Fault]:
    """Return everything that keeps an issue from a state: words that it lacks, or its acceptance.

    To reopen it asks nothing: what it came to lack is mended in the revision that begins then.
    """
    if lifecycle.is_decided(record_type.lifecycle, latest.state):
        return []
    content = content_of(session, latest, project)
    return [
        *demanded(session, project, record_type, record, content, to),
        *acceptance_faults(session, project, record, record_type, latest, to),
    ]


def lacking_for_next(
    session: Session, record: Record, latest: Revision, project: Project, record_type: RecordType
) -> list[tuple[str, list[Fault]]]:
    """Return what an issue lacks for each state that it may come into next, if anything."""
    if record_type.lifecycle != "issue" or record.withdrawn_at is not None:
        return []
    found = [
        (to, lacking_for(session, record, latest, project, record_type, to))
        for to in lifecycle.MOVES["issue"].get(latest.state, ())
    ]
    return [(to, faults) for to, faults in found if faults]


def _refuse_unfinished(
    session: Session,
    record: Record,
    latest: Revision,
    project: Project,
    record_type: RecordType,
    to: str,
) -> None:
    """Refuse a state for which the issue does not say enough, with everything that it lacks."""
    faults = lacking_for(session, record, latest, project, record_type, to)
    if faults:
        done = to if to in lifecycle.BEFORE_DECISION else f"brought to {to.replace('_', ' ')}"
        raise Invalid(f"{record.uid} cannot be {done} yet.", faults)


def _put_state(
    session: Session,
    record: Record,
    revision: Revision,
    project: Project,
    by: Actor,
    before: str,
    to: str,
    reason: str,
) -> Revision:
    revision.state = to
    session.flush()
    more = {"from": before, "to": to, "reason": reason}
    record_event(session, "move", record, revision, project, by, more)
    return revision


def _begin_again(
    session: Session,
    record: Record,
    decided: Revision,
    project: Project,
    record_type: RecordType,
    by: Actor,
    reason: str,
) -> Revision:
    """Return a new revision that says the same; what was decided keeps its state and signature."""
    content = content_of(session, decided, project)
    keys = [Key(link.project or project.key, link.target) for link in content.links]
    revision = new_revision(
        record,
        decided.number + 1,
        by,
        f"Reopened: {reason}",
        lifecycle.DRAFT,
        decided.envelope_digest,
    )
    # Whoever wrote what was decided on still wrote it, and may not decide on it now.
    revision.co_authors = sorted(decided.authors - {by.uid})
    fill(revision, record_type, project, record.uid, content)
    session.add(revision)
    session.flush()
    # Links can be written to a draft only, so the state is set afterwards.
    write_links(session, revision, project, content, known_records(session, keys))
    revision.approved_at = revision.created_at
    record.latest_id = record.effective_id = revision.id
    return revision
