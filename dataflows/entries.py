"""The shape of a department file: what each entry may hold, field by field."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Uid = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9._-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1)]
Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\r\n]*$")]
AeTitle = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[ -\[\]-~]+$")]
"""DICOM PS3.5 table 6.2-1, AE: at most 16 characters of the default repertoire, no backslash."""
Scale = Annotated[int, Field(ge=1, le=10)]
Level = Literal["high", "medium", "low"]


def _iso_date(value: object) -> object:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date):
        return value
    raise ValueError("write a date as YYYY-MM-DD")


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Reference = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Z][A-Za-z0-9_-]*/)?[A-Z][A-Za-z0-9._-]*$"),
]
"""A record of another project: REQ-001, or RPM/REQ-001 where the map does not tell the project."""


Frequency = Literal[
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "six-monthly",
    "annual",
    "two-yearly",
    "acceptance",
    "commissioning",
    "on-upgrade",
]


class Entry(BaseModel):
    """Every entry refuses fields it does not know and values of another kind."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SystemEntry(Entry):
    """A system, or a part of one."""

    id: Uid
    name: Line
    kind: Line
    parent: Uid | None = None
    owner: Line
    criticality: Level
    realises: list[Reference] = []
    manufacturer: Line | None = None
    product: Line | None = None
    version: Line | None = None
    note: Text | None = None


class ScuEntry(Entry):
    """The asking end of an association."""

    ae: AeTitle


class ScpEntry(Entry):
    """The listening end of an association."""

    ae: AeTitle
    host: Line
    port: Annotated[int, Field(ge=1, le=65535)]


class AssociationEntry(Entry):
    """Who asks, who listens, and for which service."""

    role: Literal["store", "query", "request", "store-suboperation", "work-item"]
    scu: ScuEntry
    scp: ScpEntry
    service: Line


class FailureModeEntry(Entry):
    """What can go wrong on a connection; the priority comes from a look-up."""

    what: Line
    severity: Scale
    occurrence: Scale
    detection: Scale
    action_priority: Level


class QaEntry(Entry):
    """A QA procedure, named where it is used."""

    kind: Literal["qatrack-testlist", "qatrack-testlistcycle", "qatrack-utc", "document", "other"]
    ref: Line
    instance: Line | None = None
    scope: Literal["connection", "pathway"]
    frequency: Frequency
    monitors: list[Reference] = []


class SurveyedEntry(Entry):
    """Where the knowledge of a connection comes from."""

    source: Literal["qms-document", "configuration", "interview"]
    date: IsoDate
    staff_group: Line


class ConnectionEntry(Entry):
    """One way that data goes from one system to another."""

    id: Uid
    name: Line | None = None
    source: Uid
    target: Uid
    category: Literal["dicom", "file", "other"]
    status: Literal["active", "planned", "retired", "none"] | None = None
    protocol: Line
    data_types: Annotated[list[Line], Field(min_length=1)]
    trigger: Literal["automatic", "manual", "query", "scheduled"]
    mode: Literal["push", "pull", "manual"]
    identifiers: list[Line] = []
    transformation: Text | None = None
    integrity: Text | None = None
    interpretation: Text | None = None
    consistency: Text | None = None
    responsible: Line
    surveyed: SurveyedEntry
    tls: bool | None = None
    interface: Line | None = None
    associations: list[AssociationEntry] = []
    failure_modes: list[FailureModeEntry] = []
    fallback: Text | None = None
    qa: list[QaEntry] = []
    note: Text | None = None


class StepEntry(Entry):
    """One step of a pathway."""

    connection: Uid
    entry: bool = False


class PathwayEntry(Entry):
    """The ordered connections of one kind of treatment."""

    id: Uid
    name: Line
    modality: Literal[
        "external-beam", "brachytherapy", "molecular-radiotherapy", "imaging", "other"
    ]
    qa: list[QaEntry] = []
    steps: Annotated[list[StepEntry], Field(min_length=1)]
    note: Text | None = None


class ProcedureEntry(Entry):
    """A QA procedure with an id of its own: it may control several connections, or none yet."""

    id: Uid
    name: Line
    kind: Literal["qatrack-testlist", "qatrack-testlistcycle", "qatrack-utc", "document", "other"]
    ref: Line | None = None
    instance: Line | None = None
    scope: Literal["connection", "pathway"]
    frequency: Frequency
    connections: list[Uid] = []
    pathways: list[Uid] = []
    monitors: list[Reference] = []
    note: Text | None = None


class LinkEntry(Entry):
    """One link of a record that is written whole; to REQ-001, or to RPM/REQ-001."""

    role: Line
    to: Reference
    attributes: dict[str, Any] = {}


class RecordEntry(Entry):
    """A record as it is kept, where the entries above cannot hold it: one not finished yet."""

    type: Literal["system", "connection", "pathway", "qa_procedure"]
    id: Uid
    title: Line
    text: str = ""
    fields: dict[str, Any] = {}
    links: list[LinkEntry] = []


class KnownGapEntry(Entry):
    """A gap that the department knows of, on the connection it belongs to."""

    id: Uid
    connection: Uid
    what: Text


class AboutEntry(Entry):
    """What the file says about the department itself."""

    id: Line
    name: Line
    note: Text | None = None
    scales: Text | None = None
    reading: Text | None = None
    known_gaps: list[KnownGapEntry] = []


class DepartmentEntry(Entry):
    """A whole department file."""

    # `schema` would hide a method of pydantic's base class.
    version: Literal["dataflows/2"] = Field(alias="schema")
    department: AboutEntry
    systems: list[SystemEntry]
    connections: list[ConnectionEntry]
    pathways: list[PathwayEntry] = []
    procedures: list[ProcedureEntry] = []
    records: list[RecordEntry] = []
