"""A record as a controlled document: its header, signatures and history are rendered, never typed.

What stands above and below the text comes from the record itself, so no printed version can name
another author, revision or approval than the one that is kept.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.clock import now
from core.records import lifecycle
from core.records.approval import signatures_of
from core.records.models import Project, Record, Revision
from core.records.neighbours import Neighbour, neighbourhood
from core.records.pages import find_revision, revisions_of, shown_fields
from core.records.panels import Panel
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import get_registry
from core.signing.models import Signature

AnnexProvider = Callable[[Session, Project, Record], Panel | None]
"""``(session, project, record) -> Panel``, or None where a document of this type has no annex."""

ANNEXES: list[AnnexProvider] = []
"""What features add behind the text of a document; filled by `app` at start-up."""


@dataclass(frozen=True)
class Document:
    """One revision of a record with everything that is printed around it.

    Attributes
    ----------
    standing : str
        What a reader must know first: in force, superseded, draft.
    links : sequence of Neighbour
        What it states; of the revision in force or under way, also what leads to it.
    """

    project: Project
    record: Record
    record_type: RecordType
    revision: Revision
    standing: str
    fields: Sequence[tuple[FieldSpec, Any]]
    links: Sequence[Neighbour]
    signatures: Sequence[Signature]
    revisions: Sequence[Revision]
    annexes: Sequence[Panel] = ()
    printed: datetime = field(default_factory=now)

    @property
    def in_force(self) -> bool:
        """Whether this is the revision that counts."""
        return self.standing == "in force"


def use_annexes(providers: Sequence[AnnexProvider]) -> None:
    """Name what is printed behind the text; naming it again changes nothing."""
    ANNEXES[:] = providers


def document_of(
    session: Session,
    project: Project,
    record: Record,
    readable: Collection[str],
    number: int | None = None,
) -> Document:
    """Return a record as it is printed: the revision in force, the latest, or the one asked for.

    An annex tells of today, so only the revision in force or under way has it.

    Raises
    ------
    NotFound
        If the record has no such revision.
    """
    chosen = session.get_one(Revision, record.effective_id or record.latest_id)
    revision = find_revision(session, record, number) if number is not None else chosen
    record_type = get_registry().of(record.type)
    around = neighbourhood(session, project, record, revision, readable)
    current = revision.id in (record.effective_id, record.latest_id)
    found = (annex(session, project, record) for annex in ANNEXES if current)
    return Document(
        project=project,
        record=record,
        record_type=record_type,
        revision=revision,
        standing=standing(record, revision),
        fields=shown_fields(record_type, revision)[0],
        links=(*around.outgoing, *(around.incoming if current else ())),
        signatures=signatures_of(session, revision),
        revisions=[one for one in revisions_of(session, record) if one.number <= revision.number],
        annexes=[annex for annex in found if annex is not None],
    )


def standing(record: Record, revision: Revision) -> str:
    """Say whether a revision counts, in the words that stand on each of its pages."""
    if record.withdrawn_at is not None:
        return "withdrawn"
    if revision.id == record.effective_id:
        return "in force"
    if revision.state == lifecycle.DISCARDED:
        return "discarded, never in force"
    if revision.id == record.latest_id:
        return f"{revision.state.replace('_', ' ')}, not in force"
    return "superseded"
