"""Choose a test of QATrack+ for a QA procedure, or for a connection or pathway that has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field
from sqlmodel import Session

from core.clock import now
from core.errors import Fault, Invalid, NotFound
from core.people.actor import Actor
from core.records import service as records
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record
from core.records.snapshot import natural_order
from dataflows.qatrack import queries
from dataflows.qatrack.models import QatrackServer
from dataflows.qatrack.queries import PROCEDURE, SOURCE_OF_KIND
from dataflows.qatrack.servers import ask_to_read, find_server, servers
from dataflows.qatrack.standing import WORDS, Item, Kind, OnUnit, Standing, on_unit

ROLES: Mapping[str, str] = {"connection": "controls_connection", "pathway": "controls_pathway"}
"""What a new procedure does to the record that it is made for."""

KINDS = tuple(Kind)

OFTEN: Mapping[str, str] = {
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "monthly",
    "quarterly": "quarterly",
    "semi-annual": "six-monthly",
    "six-monthly": "six-monthly",
    "annual": "annual",
    "yearly": "annual",
    "biennial": "two-yearly",
    "two-yearly": "two-yearly",
}
"""Frequencies of QATrack+, by their slug, in the words of a QA procedure."""


class Choice(BaseModel):
    """What the form posts: the name of a test, and what a new procedure says of itself."""

    item: str = Field(default="", max_length=600)
    title: str = Field(default="", max_length=500)
    frequency: str = Field(default="", max_length=40)
    reason: str = Field(default="", max_length=2000)
    expected: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that can be chosen: what it is, where it is done, and how often."""

    server: str
    item: Item
    what: str
    units: tuple[OnUnit, ...]
    doubt: tuple[datetime, str] | None

    @property
    def name(self) -> str:
        """Everything by which it is known again."""
        return f"{self.server}/{self.item.key.kind}/{self.item.key.slug}"

    @property
    def matter(self) -> str:
        """Everything that a search looks at."""
        units = (f"{one.item.told['unit']} {one.item.told['unit_name']}" for one in self.units)
        return " ".join([self.item.name, self.item.key.slug, self.what, *units]).casefold()


def lines(session: Session, kind: str = "", words: str = "") -> list[Line]:
    """Return what every server has, of one kind or all, that holds each of some words."""
    wanted = words.casefold().split()
    found = [
        line
        for server in servers(session)
        for line in _lines_of(session, server)
        if not kind or line.item.key.kind == kind
    ]
    return [line for line in found if all(word in line.matter for word in wanted)]


def _lines_of(session: Session, server: QatrackServer) -> Sequence[Line]:
    shelf, at = queries.shelf_of(session, server), now()
    source, doubt = shelf.source, shelf.source.doubt(at)
    order = sorted(shelf.items, key=lambda key: (KINDS.index(key.kind), natural_order(key.slug)))
    return [
        Line(
            server.name,
            shelf.items[key],
            WORDS[key.kind],
            tuple(on_unit(one, source.zone, at) for one in shelf.done_as(shelf.items[key])),
            doubt,
        )
        for key in order
    ]


def choose(session: Session, project: Project, record: Record, choice: Choice, by: Actor) -> Record:
    """Keep a QA procedure as a test of QATrack+, or make one that controls a connection or pathway.

    Its last result is read next, so it is asked for at once.

    Raises
    ------
    NotFound
        If the record is of another type.
    Invalid
        If nothing was chosen, or it is no longer there.
    Refused, Conflict
        If the person may not write QA procedures, or someone else changed this one.
    """
    if record.type != PROCEDURE and record.type not in ROLES:
        raise NotFound(f"{record.uid} is a {record.type}; no test of QATrack+ is chosen for it.")
    line = next((one for one in lines(session) if one.name == choice.item), None)
    if line is None:
        fault = Fault(
            "QAT06", "item", "no test is chosen, or it is no longer there.", "Choose one."
        )
        raise Invalid("No test was linked.", [fault])
    kept = {
        "source": SOURCE_OF_KIND[line.item.key.kind],
        "slug": line.item.key.slug,
        "instance": line.server,
    }
    reason = choice.reason or f"Kept in QATrack+ as {line.item.name}."
    made = (
        _change(session, record, kept, choice.expected, reason, by)
        if record.type == PROCEDURE
        else _make(session, project, record, kept, line, choice, reason, by)
    )
    ask_to_read(session, find_server(session, line.server), by, project_id=project.id)
    return made


def _change(
    session: Session, record: Record, kept: Mapping[str, str], expected: str, reason: str, by: Actor
) -> Record:
    content = records.read_content(session, record)
    changed = Content(content.title, content.body, {**content.fields, **kept}, content.links)
    records.save_draft(session, record, changed, by, expected=expected, reason=reason)
    return record


def _make(
    session: Session,
    project: Project,
    record: Record,
    kept: Mapping[str, str],
    line: Line,
    choice: Choice,
    reason: str,
    by: Actor,
) -> Record:
    often = choice.frequency or frequency_of(line)
    if not often:
        mend = "Choose a frequency or an event."
        fault = Fault("QAT07", "frequency", "QATrack+ says none that is used here.", mend)
        raise Invalid("No test was linked.", [fault])
    content = Content(
        title=choice.title.strip() or line.item.name,
        fields={**kept, "scope": record.type, "frequency": often},
        links=(LinkDraft(ROLES[record.type], record.uid),),
    )
    return records.create_record(session, project, PROCEDURE, content, by, reason=reason)


def frequency_of(line: Line) -> str:
    """Return how often a test is done in the words of a QA procedure; empty where that differs."""
    often = {OFTEN.get(one.item.told["frequency"], "") for one in line.units}
    return often.pop() if len(often) == 1 else ""


def places_of(standing: Standing) -> Mapping[str, str]:
    """Return where the pages of QATrack+ about the unit that decides are, by what one does there.

    They ask for a sign-in of their own.
    """
    decides, source = standing.worst, standing.source
    if decides is None or source is None:
        return {}
    found = {
        "Perform it": f"{source.address}/qc/utc/perform/{decides.item.number}/",
        "Its history": f"{source.address}/qc/review/utc/{decides.item.number}/",
    }
    last = decides.item.told["last"]
    if last:
        found["Its last result"] = f"{source.address}/qc/session/details/{last['number']}/"
    return found
