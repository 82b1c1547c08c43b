"""What a person may do with a record now: every button on a page has its answer here."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.people.actor import Actor
from core.records import lifecycle
from core.records.approval import next_meanings
from core.records.models import Project, Record, Revision
from core.records.types import RecordType
from core.signing.models import Signature


@dataclass(frozen=True)
class Permissions:
    """What may be done next, and by whom where it is not this person.

    Attributes
    ----------
    sign_as : tuple of (meaning, roles)
        The signature that is due, with those of its roles that the person holds.
    waits_for : str
        The signature that is due, when someone else must give it.
    """

    edit: bool = False
    submit: bool = False
    reject: bool = False
    withdraw: bool = False
    review: bool = False
    attach: bool = False
    moves: tuple[str, ...] = ()
    sign_as: tuple[tuple[str, tuple[str, ...]], ...] = ()
    waits_for: str = ""


def allowed_roles(record_type: RecordType) -> frozenset[str]:
    """Return the roles that write or sign a type; they re-review it and attach files to it."""
    return frozenset(record_type.authors).union(*record_type.sign.values())


def signatures_due(
    record_type: RecordType,
    project_id: int,
    latest: Revision,
    given: Sequence[Signature],
    person: Actor,
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], str]:
    """Return what a person may sign now, and what somebody else must sign."""
    mine, waits = [], ""
    for meaning in next_meanings(record_type, latest, given):
        needed: tuple[str, ...] = record_type.sign[meaning]  # type: ignore[index]
        held = tuple(role for role in needed if person.has(project_id, role))
        if held and person.person_id not in latest.authors:
            mine.append((meaning, held))
        else:
            waits = f"{meaning} by {' or '.join(role.replace('_', ' ') for role in needed)}"
    return tuple(mine), waits


def permissions(
    project: Project,
    record: Record,
    record_type: RecordType,
    latest: Revision,
    given: Sequence[Signature],
    person: Actor,
) -> Permissions:
    """Return what a person may do with a record now; the services decide again when it is done."""
    project_id = project.id or 0
    allowed = person.has(project_id, *allowed_roles(record_type))
    if record.withdrawn_at is not None:
        return Permissions()
    writes = person.has(project_id, *record_type.authors)
    kind, in_review = record_type.lifecycle, latest.state == lifecycle.IN_REVIEW
    sign_as, waits_for = signatures_due(record_type, project_id, latest, given, person)
    signers = {role for roles in record_type.sign.values() for role in roles}
    return Permissions(
        edit=writes and kind != "event" and not in_review,
        submit=writes and kind == "controlled" and latest.state == lifecycle.DRAFT,
        reject=in_review and person.has(project_id, *signers),
        withdraw=writes,
        review=allowed and record.effective_id is not None,
        attach=allowed,
        moves=lifecycle.MOVES[kind].get(latest.state, ()) if writes and kind == "issue" else (),
        sign_as=sign_as,
        waits_for=waits_for,
    )
