"""Submit, sign and reject revisions: the way into force."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import digest, rfc3339
from core.clock import now
from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import Actor
from core.people.service import Reauthentication
from core.records import acceptance, lifecycle
from core.records.checking import missing_content
from core.records.models import Project, Record, Revision
from core.records.service import (
    lock_record,
    project_of,
    record_event,
    refuse_unread,
    refuse_withdrawn,
)
from core.records.settling import settle_links
from core.records.signable import (
    about_of,
    is_signable,
    refuse_anyone_else,
    refuse_unfit_event,
    refuse_unnamed,
    why_unsignable,
)
from core.records.targets import withdrawn_faults
from core.records.type_shape import MEANINGS, RecordType
from core.records.types import get_registry
from core.records.writers import require_author
from core.records.writing import content_of, envelope_document, new_links
from core.signing.models import Signature

TrainingCheck = Callable[[Session, str, str, str], Sequence[str]]
"""``(session, project key, person uid, role) -> what training is missing``, in sentences."""

Gate = Callable[[Session, Project, Record], Sequence[str]]
"""``(session, project, record) -> what forbids signing it now``, in sentences."""

Submission = Callable[[Session, Project, Record], Sequence[Fault]]
"""``(session, project, record) -> what keeps it from review``, beside what its type asks for."""


@dataclass
class _Ports:
    training: TrainingCheck | None = None
    gate: Gate | None = None
    submission: Submission | None = None


ports = _Ports()
"""Filled by `app`; without a training check, a type that asks for training refuses to be signed."""


@dataclass(frozen=True)
class Signing:
    """What one signature says, beside who gives it."""

    meaning: str
    role: str
    reason: str = ""


def submit(
    session: Session,
    record: Record,
    by: Actor,
    proof: Reauthentication,
    expected: str,
    reason: str = "",
) -> Revision:
    """Hand a draft to review; its content is immutable from here on.

    Where the type asks for it, this is the author's signature as *authored*.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Raises
    ------
    Invalid
        With everything that is still missing.
    Refused
        For anyone who did not write on the revision.
    Conflict
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    require_author(record_type, project, by)
    revision = session.get_one(Revision, record.latest_id, populate_existing=True)
    if record_type.lifecycle != "controlled":
        raise Conflict(f"{record.uid} has no review; it is in force as it stands.")
    refuse_withdrawn(record)
    if by.uid not in revision.authors:
        raise Refused(
            f"{by.name} did not write revision {revision.number} of {record.uid} and may not "
            f"submit it as its author; {revision.author_name} did. Ask its author, or edit it "
            "first and answer for it too."
        )
    if revision.state != lifecycle.DRAFT:
        raise Conflict(f"{record.uid} has no draft to submit.")
    refuse_unread(record, revision, expected)
    faults = lacking(session, project, record, revision)
    if faults:
        raise Invalid(f"{record.uid} cannot be submitted yet.", faults)
    revision.created_at = now()
    revision.envelope_digest = digest(envelope_document(revision))
    session.flush()
    revision.state = lifecycle.IN_REVIEW
    record_event(session, "submit", record, revision, project, by, {"reason": reason})
    if "authored" in record_type.sign:
        role = _role_of(by, project, record_type, "authored")
        put_signature(session, record, revision, by, proof, Signing("authored", role, reason))
    _bring_into_force(session, record, revision, record_type, by)
    return revision


def lacking(session: Session, project: Project, record: Record, revision: Revision) -> list[Fault]:
    """Return everything that keeps a draft from review."""
    record_type, content = get_registry().of(record.type), content_of(session, revision, project)
    faults = [
        *missing_content(record_type, content, record.uid),
        *withdrawn_faults(
            session, record_type, new_links(session, record, content, project), project.key
        ),
    ]
    if ports.submission is not None:
        faults += ports.submission(session, project, record)
    return faults


def sign(
    session: Session,
    record: Record,
    signing: Signing,
    by: Actor,
    proof: Reauthentication,
    expected: str,
) -> Revision:
    """Sign the revision in review; the last signature that the type asks for approves it.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Raises
    ------
    Refused
        For an author of the revision, without the role, without current training, or where the
        request does not say what was read.
    Conflict
        If there is nothing to sign, it is not what was read, it was signed so before, or an
        earlier signature is missing.
    """
    record = lock_record(session, record)
    record_type = get_registry().of(record.type)
    revision = session.get_one(Revision, record.latest_id, populate_existing=True)
    refuse_withdrawn(record)
    if not is_signable(record_type, revision) and not acceptance.is_acceptable(
        record_type, revision
    ):
        raise Conflict(why_unsignable(record, record_type, revision))
    # Who, before what: a person who may not sign is told so, whatever their form says.
    refuse_signer(session, record, revision, signing, by)
    refuse_unread(record, revision, expected)
    _refuse_out_of_turn(session, record, revision, record_type, signing)
    refuse_unfit_event(session, record, revision, record_type)
    put_signature(session, record, revision, by, proof, signing)
    _bring_into_force(session, record, revision, record_type, by)
    return revision


def reject(session: Session, record: Record, by: Actor, reason: str, expected: str) -> Revision:
    """Send a revision in review back to its author, with the reason.

    Raises
    ------
    Invalid
        Without a reason.
    Refused, Conflict
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    revision = session.get_one(Revision, record.latest_id, populate_existing=True)
    refuse_withdrawn(record)
    if revision.state != lifecycle.IN_REVIEW:
        raise Conflict(f"{record.uid} is not in review.")
    refuse_unread(record, revision, expected)
    allowed = {role for roles in record_type.sign.values() for role in roles}
    if not by.has(project.id or 0, *allowed):
        raise Refused(
            f"{by.name} may not reject {record.uid}; that needs a role that may sign it: "
            f"{', '.join(sorted(allowed))}."
        )
    if not reason.strip():
        raise Invalid(
            f"{record.uid} was not rejected.",
            [Fault("reason", record.uid, "The reason is empty.", "Say what must change.")],
        )
    revision.state = lifecycle.DRAFT
    record_event(session, "reject", record, revision, project, by, {"reason": reason.strip()})
    return revision


def signatures_of(session: Session, revision: Revision) -> list[Signature]:
    """Return the signatures that bind what a revision says now, in order."""
    rows = session.execute(
        select(Signature)
        .where(
            col(Signature.revision_id) == revision.id,
            col(Signature.envelope_digest) == revision.envelope_digest,
        )
        .order_by(col(Signature.id))
    ).scalars()
    return list(rows)


def next_meanings(
    record_type: RecordType, revision: Revision, given: Sequence[Signature]
) -> tuple[str, ...]:
    """Return the signatures that can be given now: the first meaning not given yet."""
    if not is_signable(record_type, revision):
        return ()
    signed = {one.meaning for one in given}
    return tuple(meaning for meaning in record_type.meanings if meaning not in signed)[:1]


def refuse_signer(
    session: Session, record: Record, revision: Revision, signing: Signing, by: Actor
) -> None:
    """Refuse a person who may not give a signature on a revision, whatever its turn.

    Raises
    ------
    Refused
        For an author of the revision, without the role, without current training, or while the
        check that stands before this signature fails.
    """
    project, record_type = project_of(session, record), get_registry().of(record.type)
    roles = record_type.sign.get(signing.meaning)  # type: ignore[call-overload]
    if signing.meaning not in MEANINGS or roles is None:
        raise Refused(f"A {record_type.label.lower()} is not signed as '{signing.meaning}'.")
    about = about_of(session, record_type, revision)
    if signing.meaning == "attended":
        refuse_anyone_else(record, about, by)
        return
    refuse_unnamed(session, record, record_type, revision, signing.meaning, by)
    if by.uid == about:
        raise Refused(
            f"{record.uid} is about {by.name}, who may not sign it as {signing.meaning}; ask "
            "someone else."
        )
    if by.uid in revision.authors:
        raise Refused(
            f"{by.name} wrote revision {revision.number} of {record.uid} and may not sign it as "
            f"{signing.meaning}; ask someone else."
        )
    if signing.role not in roles or not by.has(project.id or 0, signing.role):
        raise Refused(
            f"{by.name} may not sign {record.uid} as {signing.meaning} in the role "
            f"{signing.role.replace('_', ' ') or 'nobody'}; that needs "
            f"{' or '.join(role.replace('_', ' ') for role in roles)}."
        )
    lent = by.deputy_for(project.id or 0, signing.role)
    apart = (*revision.authors, about) if signing.meaning != "authored" else ()
    if lent is not None and lent.uid in apart:
        raise Refused(
            f"{by.name} holds the role {signing.role.replace('_', ' ')} for {lent.name}, who could "
            f"not sign {record.uid} as {signing.meaning} either; ask someone else."
        )
    if record_type.training:
        _refuse_untrained(session, project, by, signing.role)
    blocking = ports.gate(session, project, record) if ports.gate else ()
    if blocking:
        raise Refused(f"{record.uid} cannot be signed while its check fails. {' '.join(blocking)}")


def _refuse_out_of_turn(
    session: Session, record: Record, revision: Revision, record_type: RecordType, signing: Signing
) -> None:
    project = project_of(session, record)
    waiting = acceptance.due_or_refuse(session, project, record, record_type, revision)
    if waiting is None:
        waiting = next_meanings(record_type, revision, signatures_of(session, revision))
    if signing.meaning not in waiting:
        first = f"it must be {waiting[0]} first" if waiting else "it is signed already"
        raise Conflict(f"{record.uid} cannot be signed as {signing.meaning} now: {first}.")


def _refuse_untrained(session: Session, project: Project, by: Actor, role: str) -> None:
    if ports.training is None:
        raise Refused("Training cannot be looked up here, so nothing that needs it can be signed.")
    missing = ports.training(session, project.key, by.uid, role)
    if missing:
        raise Refused(
            f"{by.name} may not sign as {role.replace('_', ' ')} yet: {' '.join(missing)}"
        )


def _role_of(by: Actor, project: Project, record_type: RecordType, meaning: str) -> str:
    return by.held_of(project.id or 0, record_type.sign[meaning])[0]  # type: ignore[index]


def put_signature(
    session: Session,
    record: Record,
    revision: Revision,
    by: Actor,
    proof: Reauthentication,
    signing: Signing,
) -> None:
    """Put a signature under a revision, once everything that forbids it was asked.

    Raises
    ------
    Refused
        If the password that was given is not the signer's own.
    """
    if proof.person_id != by.person_id:
        raise Refused("The password given was another person's; nothing was signed.")
    project = project_of(session, record)
    # Whoever attends a training does so as themselves, whatever role they hold.
    own = signing.meaning == "attended"
    lent = None if own else by.deputy_for(project.id or 0, signing.role)
    signature = Signature(
        revision_id=revision.id or 0,
        person_id=by.person_id,
        printed_name=by.name,
        person_uid=by.uid,
        role=signing.role,
        meaning=signing.meaning,
        envelope_digest=revision.envelope_digest,
        reason=signing.reason,
        deputy_for=lent.name if lent else "",
        deputy_for_uid=lent.uid if lent else "",
    )
    session.add(signature)
    session.flush()
    deputy = {"deputy_for": lent.uid} if lent else {}
    record_event(
        session,
        "sign",
        record,
        revision,
        project,
        by,
        {
            "meaning": signing.meaning,
            "role": signing.role,
            "signature": signature_digest(signature),
            **deputy,
        },
    )


def signature_digest(signature: Signature) -> str:
    """Return the digest over everything that a signature says, kept in the audit trail."""
    said = {
        "revision_id": signature.revision_id,
        "name": signature.printed_name,
        "uid": signature.person_uid,
        "role": signature.role,
        "meaning": signature.meaning,
        "at": rfc3339(signature.at),
        "envelope": signature.envelope_digest,
        "reason": signature.reason,
    }
    # Signatures given before there were deputies keep the digest that they have.
    if signature.deputy_for or signature.deputy_for_uid:
        said["deputy_for"] = {"name": signature.deputy_for, "uid": signature.deputy_for_uid}
    return digest(said)


def _bring_into_force(
    session: Session, record: Record, revision: Revision, record_type: RecordType, by: Actor
) -> None:
    if record_type.lifecycle != "controlled":
        return
    given = {one.meaning for one in signatures_of(session, revision)}
    if not given.issuperset(record_type.meanings):
        return
    revision.state, revision.approved_at = lifecycle.APPROVED, now()
    record.effective_id = revision.id
    session.flush()
    record_event(session, "approve", record, revision, project_of(session, record), by)
    settle_links(session, record, by)
