"""Read the files of one import and keep their records, or tell every fault of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.content import RecordDraft
from core.records.importing import ImportResult, import_faults, import_records
from core.records.types import TypeRegistry
from dataflows.interchange.service import read_file
from qms.interchange.design_record import FaultyRecord, load_design_record

KINDS = ("department", "design-record")
NOTHING = "Nothing was imported."


@dataclass(frozen=True)
class Source:
    """One file, what it is, and the project that its records shall belong to."""

    kind: str
    project: str
    path: Path


@dataclass(frozen=True)
class Read:
    """What came of reading all files of an import."""

    drafts: tuple[RecordDraft, ...]
    faults: tuple[Fault, ...]
    complete: bool
    """Whether something came of every file; links into one that gave nothing prove nothing."""


def read_sources(sources: Sequence[Source]) -> Read:
    """Read every file, whatever is wrong with the one before it."""
    drafts: list[RecordDraft] = []
    faults: list[Fault] = []
    complete = True
    for source in sources:
        try:
            drafts += _read(source)
        except FaultyRecord as refusal:
            faults += refusal.faults
            drafts += refusal.drafts
        except Invalid as refusal:
            faults += refusal.faults or [Fault("file", source.path.name, refusal.message)]
            complete = False
    return Read(tuple(drafts), tuple(faults), complete)


def keep(session: Session, read: Read, by: Actor, registry: TypeRegistry) -> ImportResult:
    """Create what was read, records that lead to each other included, or nothing of it.

    Raises
    ------
    Invalid
        With the faults of every file and, of what could be read, what its record types and links
        say of it.
    """
    if read.faults:
        more = import_faults(session, read.drafts, registry) if read.complete else []
        raise Invalid(NOTHING, dict.fromkeys([*read.faults, *more]))
    return import_records(session, read.drafts, by, registry)


def _read(source: Source) -> Sequence[RecordDraft]:
    if source.kind not in KINDS:
        known = ", ".join(KINDS)
        raise Invalid(f"'{source.kind}' is nothing that can be imported; there are {known}.")
    if not source.path.is_file():
        raise Invalid(f"{source.path} is no file.")
    if source.kind == "department":
        return read_file(source.path.read_bytes(), source.path.name, source.project)
    return load_design_record(source.path, source.project).drafts
