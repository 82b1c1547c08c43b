"""What a person may do with a record now: every button on a page has its answer here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.people.actor import Actor
from core.records import lifecycle
from core.records.approval import next_meanings
from core.records.discarding import may_discard
from core.records.issues import is_signed
from core.records.models import Project, Record, Revision
from core.records.type_shape import RecordType
from core.records.writers import still_raises
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
    withdraw_as : tuple of str
        The person's roles that may withdraw what is in force; that asks for the password.
    decisions : tuple of str
        States that an issue may be brought into by a signature of this person.
    decide_as : tuple of str
        The person's roles that may sign that.
    decided_by : tuple of str
        The roles that decide, where this person may not.
    """

    edit: bool = False
    submit: bool = False
    reject: bool = False
    discard: bool = False
    withdraw: bool = False
    review: bool = False
    attach: bool = False
    moves: tuple[str, ...] = ()
    sign_as: tuple[tuple[str, tuple[str, ...]], ...] = ()
    waits_for: str = ""
    withdraw_as: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    decide_as: tuple[str, ...] = ()
    decided_by: tuple[str, ...] = ()


def allowed_roles(record_type: RecordType) -> frozenset[str]:
    """Return the roles that write or sign a type; they re-review it and attach files to it."""
    return frozenset(record_type.authors).union(*record_type.sign.values())


def signatures_due(
    record_type: RecordType,
    project_id: int,
    latest: Revision,
    given: Sequence[Signature],
    person: Actor,
    about: str,
    due: Sequence[str] | None = None,
    named: Mapping[str, str] | None = None,
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], str]:
    """Return what a person may sign now, and what somebody else must sign.

    Parameters
    ----------
    about : str
        The person whom the record is about, if its type names one.
    due : sequence of str, optional
        What can be signed now, where that was found out already.
    named : mapping, optional
        Signature -> the one person who gives it, where the record names one.
    """
    mine, waits = [], ""
    for meaning in next_meanings(record_type, latest, given) if due is None else due:
        needed: tuple[str, ...] = record_type.sign[meaning]  # type: ignore[index]
        # Nobody lends a right that they would not have here themselves.
        apart = (*latest.authors, about)
        held = tuple(
            role
            for role in person.held_of(project_id, needed)
            if meaning == "authored"
            or (lent := person.deputy_for(project_id, role)) is None
            or lent.uid not in apart
        )
        if meaning == "attended":
            if person.uid == about:
                mine.append((meaning, needed))
            else:
                waits = f"signed by {about}, whom it is about"
        elif named and meaning in named and named[meaning] != person.uid:
            waits = f"{meaning} by {named[meaning] or 'whom it names'}, who alone may"
        elif held and person.uid not in apart:
            mine.append((meaning, held))
        else:
            waits = f"{meaning} by {' or '.join(role.replace('_', ' ') for role in needed)}"
    return tuple(mine), waits


def permissions(
    project: Project,
    record: Record,
    record_type: RecordType,
    revisions: tuple[Revision, Revision],
    given: Sequence[Signature],
    person: Actor,
    about: str = "",
    due: Sequence[str] | None = None,
    named: Mapping[str, str] | None = None,
) -> Permissions:
    """Return what a person may do with a record now; the services decide again when it is done.

    Parameters
    ----------
    revisions : (Revision, Revision)
        The one in force, or the latest where none is, and the latest.
    given : sequence of Signature
        The signatures of the latest.
    about : str
        Uid of the person whom the record is about, if its type names one.
    due, named
        As `signatures_due` takes them.
    """
    shown, latest = revisions
    if record.withdrawn_at is not None:
        return Permissions()
    project_id = project.id or 0
    allowed = person.has(project_id, *allowed_roles(record_type))
    writes = person.has(project_id, *record_type.authors)
    in_review = latest.state == lifecycle.IN_REVIEW
    is_draft, wrote = latest.state == lifecycle.DRAFT, person.uid in latest.authors
    sign_as, waits_for = signatures_due(
        record_type, project_id, latest, given, person, about, due, named
    )
    if is_draft and writes and not wrote:
        waits_for = f"submitted by {latest.author_name}, who wrote it"
    in_force = record.effective_id is not None
    decides_as = _decides_as(record_type, project_id, latest, person)
    withdraws_as = _decides_as(record_type, project_id, shown, person) if in_force else ()
    moves, signed = _moves(record_type, latest)
    return Permissions(
        edit=_may_edit(record_type, project_id, latest, person),
        submit=is_draft and writes and wrote,
        discard=may_discard(project, record, record_type, latest, person),
        reject=in_review and person.has(project_id, *_signers(record_type)),
        withdraw=bool(withdraws_as) if in_force else writes,
        withdraw_as=withdraws_as,
        review=allowed and in_force,
        attach=allowed or still_raises(record_type, project_id, latest, person),
        moves=moves if writes else (),
        decisions=signed if decides_as else (),
        decide_as=decides_as,
        decided_by=record_type.deciders if signed and not decides_as else (),
        sign_as=sign_as,
        waits_for=waits_for,
    )


def _signers(record_type: RecordType) -> set[str]:
    return {role for roles in record_type.sign.values() for role in roles}


def _moves(record_type: RecordType, latest: Revision) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the states that an issue may come into next: without a signature, and with one."""
    if record_type.lifecycle != "issue":
        return (), ()
    to = lifecycle.MOVES["issue"].get(latest.state, ())
    signed = tuple(state for state in to if is_signed(record_type, state))
    return tuple(state for state in to if state not in signed), signed


def _may_edit(record_type: RecordType, project_id: int, latest: Revision, person: Actor) -> bool:
    """Whether a person may change a record: who writes it, or raised it and it is still open."""
    kind = record_type.lifecycle
    if kind == "event" or lifecycle.is_decided(kind, latest.state):
        return False
    own = still_raises(record_type, project_id, latest, person)
    writes = own or person.has(project_id, *record_type.authors)
    return writes and latest.state != lifecycle.IN_REVIEW


def _decides_as(
    record_type: RecordType, project_id: int, latest: Revision, person: Actor
) -> tuple[str, ...]:
    """Return the roles in which a person decides on a revision; its author has none, if signed."""
    if record_type.deciding and person.uid in latest.authors:
        return ()
    return person.held_of(project_id, record_type.deciders)
