"""Link a QA procedure to a connection in one step, whether the procedure exists or not."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from core.errors import Fault, Invalid, NotFound
from core.people.actor import Actor
from core.records import service as records
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record
from core.records.queries import load_snapshot
from core.records.snapshot import Key
from core.records.types import get_registry

CONNECTION, PROCEDURE = "connection", "qa_procedure"
ROLE = "controls_connection"


class QaLinkForm(BaseModel):
    """What the form posts: an existing procedure by its uid, or the fields of a new one."""

    # The form stands on a page among other forms, so its names are its own.
    model_config = ConfigDict(alias_generator=lambda name: f"qa_{name}", populate_by_name=True)

    procedure: str = Field(default="", max_length=80)
    title: str = Field(default="", max_length=500)
    source: str = Field(default="qatrack-testlist", max_length=40)
    slug: str = Field(default="", max_length=200)
    frequency: str = Field(default="on-upgrade", max_length=40)
    reason: str = Field(default="", max_length=2000)


@dataclass(frozen=True, slots=True)
class QaChoices:
    """What the form offers: procedures that do not control the connection yet, and two lists."""

    procedures: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    frequencies: tuple[str, ...]


def choices(session: Session, project: Project, uid: str) -> QaChoices:
    """Return what can be chosen in the form on a connection."""
    latest = load_snapshot(session, [project.key], effective=False)
    connection = Key(project.key, uid)
    taken = {one.source for one in latest.incoming(connection, ROLE)}
    fields = get_registry().of(PROCEDURE).fields
    return QaChoices(
        procedures=tuple(
            (one.key.uid, f"{one.key.uid} {one.title}")
            for one in latest.of_type(PROCEDURE, project.key)
            if one.key not in taken and not one.withdrawn
        ),
        sources=fields["source"].choices,
        frequencies=fields["frequency"].choices,
    )


def link(session: Session, project: Project, uid: str, asked: QaLinkForm, by: Actor) -> Record:
    """Link the procedure that the form names, or a new one, to a connection.

    An approved procedure gets a new draft that states the link as well; it is in force when that
    draft is approved.

    Raises
    ------
    NotFound
        If there is no such connection or procedure.
    Invalid
        If neither a procedure nor a title is given, both are, or the link exists already.
    Refused, Conflict
        If the person may not write QA procedures, or this one is in review.
    """
    connection = _of_type(session, project, uid, CONNECTION)
    if bool(asked.procedure) == bool(asked.title.strip()):
        raise Invalid(
            "No QA was linked.",
            [
                Fault(
                    "choice",
                    "procedure",
                    "Either an existing procedure or the title of a new one is needed, not both."
                    if asked.procedure
                    else "Neither an existing procedure nor the title of a new one is given.",
                )
            ],
        )
    if asked.procedure:
        return _link_existing(session, project, connection, asked, by)
    content = Content(
        title=asked.title,
        fields={
            "source": asked.source,
            "slug": asked.slug,
            "scope": CONNECTION,
            "frequency": asked.frequency,
        },
        links=(LinkDraft(ROLE, connection.uid),),
    )
    reason = asked.reason or f"Controls {connection.uid}."
    return records.create_record(session, project, PROCEDURE, content, by, reason=reason)


def _link_existing(
    session: Session, project: Project, connection: Record, asked: QaLinkForm, by: Actor
) -> Record:
    procedure = _of_type(session, project, asked.procedure, PROCEDURE)
    content = records.read_content(session, procedure)
    added = LinkDraft(ROLE, connection.uid)
    if any((one.role, one.target) == (added.role, added.target) for one in content.links):
        raise Invalid(
            "No QA was linked.",
            [
                Fault(
                    "link-twice",
                    procedure.uid,
                    f"Its latest revision controls {connection.uid} already.",
                    "Approve that revision if it is a draft.",
                )
            ],
        )
    records.save_draft(
        session,
        procedure,
        Content(content.title, content.body, content.fields, (*content.links, added)),
        by,
        # The link is added to whatever is newest now, so nobody's change can be overwritten.
        expected=records.edit_token(records.latest_revision(session, procedure)),
        reason=asked.reason or f"Controls {connection.uid} too.",
    )
    return procedure


def _of_type(session: Session, project: Project, uid: str, type_name: str) -> Record:
    found = records.find_record(session, project, uid)
    if found.type != type_name:
        raise NotFound(f"{uid} is no {type_name.replace('_', ' ')}; it is a {found.type}.")
    return found
