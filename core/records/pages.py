"""What the page of a record shows, as plain values: read once, drawn by the template."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Fault, NotFound
from core.ledger.brought import Told, told
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.records import lifecycle
from core.records.acceptance import acceptances
from core.records.acceptance import due as due_acceptance
from core.records.approval import signatures_of
from core.records.attaching import files_of
from core.records.comparing import Difference, compare, word_difference
from core.records.issues import lacking_for_next
from core.records.models import Attachment, Project, Record, Revision
from core.records.neighbours import Neighbourhood, neighbourhood
from core.records.permissions import Permissions, allowed_roles, permissions
from core.records.queries import load_touched
from core.records.remarks import Remark, remarks_of
from core.records.reviewing import review_token
from core.records.service import edit_token, latest_revision
from core.records.signable import about_of, named_signers
from core.records.snapshot import Key, RecordView
from core.records.suspects import Suspicion
from core.records.talking.reading import ThreadView, threads_of
from core.records.talking.service import parts
from core.records.targets import known_records
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import get_registry
from core.records.writing import content_of
from core.signing.models import Signature

LATEST_ENTRIES = 30
"""Lines of the audit trail on the record's own page; the audit trail has them all."""

_NAMED = re.compile(
    r"[A-Z][A-Z0-9]{0,9}-[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]|[A-Z][A-Z0-9]{0,9}-\w"
)


@dataclass(frozen=True)
class RecordPage:
    """One revision of a record with everything around it.

    Attributes
    ----------
    shown : Revision
        The revision in force, or the latest where none is.
    pending : Revision or None
        The revision above the one in force: a draft, or in review.
    changes : sequence of Difference
        What the pending revision changes.
    token : str
        What a form remembers of the latest revision.
    fields : sequence of (spec, value)
        Those that are filled in.
    empty : sequence of str
        Labels of the others.
    remarks : mapping of int to sequence of Remark
        Why revisions were rejected or discarded, by their numbers.
    acceptances : sequence of (int, Signature)
        What accepts it as it stands, signed on an earlier revision that proposed the same.
    lacks : sequence of (state, faults)
        What an issue still lacks for each state that it may come into next.
    capacity : callable
        Turns a role of the reader into words, with whose deputy they are in it.
    """

    record: Record
    record_type: RecordType
    shown: Revision
    pending: Revision | None
    changes: Sequence[Difference]
    token: str
    fields: Sequence[tuple[FieldSpec, Any]]
    empty: Sequence[str]
    links: Neighbourhood
    signatures: Sequence[Signature]
    pending_signatures: Sequence[Signature]
    may: Permissions
    revisions: Sequence[Revision]
    files: Sequence[Attachment]
    trail: Sequence[Told]
    acceptances: Sequence[tuple[int, Signature]]
    lacks: Sequence[tuple[str, Sequence[Fault]]]
    threads: Sequence[ThreadView]
    remarks: Mapping[int, Sequence[Remark]]
    capacity: Callable[[str], str]
    address_of: Callable[[str], str | None]

    @property
    def state(self) -> str:
        """The state as the heading says it."""
        return "withdrawn" if self.record.withdrawn_at else self.shown.state

    @property
    def is_decided(self) -> bool:
        """Whether the latest revision is one that somebody decided on: closed, for example."""
        return lifecycle.is_decided(self.record_type.lifecycle, self.latest.state)

    @property
    def doubts(self) -> list[tuple[Suspicion, list[Difference]]]:
        """Why the record needs re-review, with what changed word by word."""
        return [
            (
                doubt,
                [
                    Difference(one.label, word_difference(one.before, one.after))
                    for one in doubt.diff
                ],
            )
            for doubt in self.links.doubts
        ]

    @property
    def review_token(self) -> str:
        """What the form of a re-review remembers of the changes that it shows."""
        return review_token(self.shown, self.links.doubts)

    @property
    def reviewers(self) -> list[str]:
        """The roles that may say that the record still holds."""
        return sorted(allowed_roles(self.record_type))

    @property
    def shown_token(self) -> str:
        """What a form remembers of the revision that is shown."""
        return edit_token(self.shown)

    @property
    def open_threads(self) -> list[ThreadView]:
        """The talks that nobody settled yet."""
        return [one for one in self.threads if one.is_open]

    @property
    def sent_back(self) -> Sequence[Remark]:
        """Why the latest revision came back to its author, the last reason first."""
        return self.remarks.get(self.latest.number, ())[::-1]

    @property
    def parts(self) -> list[tuple[str, str]]:
        """What a talk may be about, with its label."""
        return parts(self.record_type)

    def capacities(self, roles: Sequence[str]) -> list[tuple[str, str]]:
        """Return roles of the reader, each with its words."""
        return [(role, self.capacity(role)) for role in roles]

    @property
    def latest(self) -> Revision:
        """What would be submitted, signed or edited next."""
        return self.pending or self.shown


def record_page(
    session: Session, project: Project, record: Record, person: Actor, readable: Collection[str]
) -> RecordPage:
    """Read everything that the page of a record shows."""
    record_type = get_registry().of(record.type)
    latest = latest_revision(session, record)
    shown = session.get_one(Revision, record.effective_id or record.latest_id)
    pending = latest if latest.id != shown.id else None
    changes: Sequence[Difference] = ()
    if pending is not None:
        before, after = (content_of(session, one, project) for one in (shown, pending))
        changes = compare(record_type, before, after)
    given, about = signatures_of(session, latest), about_of(session, record_type, latest)
    named = named_signers(session, record_type, latest)
    due = due_acceptance(session, project, record, record_type, latest)
    filled, empty = shown_fields(record_type, shown)
    threads = threads_of(session, record, record_type, person)
    said = [comment.text for thread in threads for comment in thread.comments]
    return RecordPage(
        record=record,
        record_type=record_type,
        shown=shown,
        pending=pending,
        changes=changes,
        token=edit_token(latest),
        fields=filled,
        empty=empty,
        links=neighbourhood(session, project, record, shown, readable),
        signatures=signatures_of(session, shown),
        pending_signatures=given if pending is not None else (),
        may=permissions(
            project, record, record_type, (shown, latest), given, person, about, due, named
        ),
        revisions=revisions_of(session, record),
        files=files_of(session, record),
        trail=trail_of(session, record),
        acceptances=[
            (number, one)
            for number, one in acceptances(session, project, record, record_type, latest)
            if number != shown.number
        ],
        lacks=lacking_for_next(session, record, latest, project, record_type),
        threads=threads,
        remarks=remarks_of(session, record),
        capacity=partial(person.capacity, project.id or 0),
        address_of=addresses(session, project, [shown.body, *_texts(filled), *said]),
    )


def _rows(session: Session, query: Any) -> list[Any]:
    return list(session.execute(query).scalars())


def shown_fields(
    record_type: RecordType, revision: Revision
) -> tuple[list[tuple[FieldSpec, Any]], list[str]]:
    """Return the fields of a revision that are filled in, and the labels of others to fill in.

    A value whose field the type no longer has is shown under its bare name.
    """
    filled, empty = [], []
    for name, spec in record_type.fields.items():
        value = revision.fields.get(name)
        if value in (None, "", [], {}):
            # What no person fills in is not missing where nothing filled it.
            empty += [] if spec.made else [spec.label]
        else:
            filled.append((spec, value))
    for name, value in revision.fields.items():
        if name not in record_type.fields:
            kind = "mapping" if isinstance(value, dict | list) else "string"
            filled.append((FieldSpec.model_validate({"label": name, "kind": kind}), value))
    return filled, empty


def _texts(fields: Sequence[tuple[FieldSpec, Any]]) -> list[str]:
    return [value for spec, value in fields if spec.kind == "markdown"]


def addresses(
    session: Session, project: Project, texts: Sequence[str]
) -> Callable[[str], str | None]:
    """Return what turns a record's id met in some texts into its address."""
    named = {Key(project.key, uid) for text in texts for uid in _NAMED.findall(text)}
    found = {key.uid: f"/p/{key.project}/{key.uid}" for key in known_records(session, named)}
    return found.get


def revisions_of(session: Session, record: Record) -> list[Revision]:
    """Return every revision of a record, the newest first."""
    query = select(Revision).where(col(Revision.record_id) == record.id)
    return _rows(session, query.order_by(col(Revision.number).desc()))


def find_revision(session: Session, record: Record, number: int) -> Revision:
    """Return one revision of a record by its number."""
    query = select(Revision).where(
        col(Revision.record_id) == record.id, col(Revision.number) == number
    )
    found: Revision | None = session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"{record.uid} has no revision {number}.")
    return found


def revision_before(session: Session, record: Record, number: int) -> Revision | None:
    """Return the revision before a number; None where that is the first.

    What was discarded is passed over: no revision was written from it.
    """
    query = (
        select(Revision)
        .where(col(Revision.record_id) == record.id, col(Revision.number) < number)
        .where(col(Revision.state) != lifecycle.DISCARDED)
        .order_by(col(Revision.number).desc())
    )
    found: Revision | None = session.execute(query).scalars().first()
    return found


def trail_of(session: Session, record: Record) -> list[Told]:
    """Return the latest entries of the audit trail about a record, the newest first."""
    query = (
        select(LedgerEntry)
        .where(
            col(LedgerEntry.project_id) == record.project_id,
            col(LedgerEntry.subject) == record.uid,
        )
        .order_by(col(LedgerEntry.seq).desc())
        .limit(LATEST_ENTRIES)
    )
    return [told(one) for one in _rows(session, query)]


def touched(
    session: Session, project: Project, record: Record, readable: Collection[str]
) -> list[tuple[Suspicion, RecordView]]:
    """Return what a change of a record throws doubt on, nearest first, with what it is."""
    found = load_touched(session, project, record)
    return [(one, other) for one, other in found if one.record.project in readable]
