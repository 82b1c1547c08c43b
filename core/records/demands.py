"""What an issue must say before it is opened, changed or moved: what its type and features ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.checking import missing_content
from core.records.content import Content
from core.records.models import Project, Record
from core.records.type_shape import RecordType

Demand = Callable[[Session, Project, RecordType, Record | None, Content, str], Sequence[Fault]]
"""``(session, project, type, record, content, state) -> faults`` that keep an issue from a state.

There is no record yet when one is opened."""

Notes = Callable[[RecordType], Mapping[str, str]]
"""``type -> what a form says beside a field`` of what a feature will ask of it."""


@dataclass
class _Ports:
    demand: Demand | None = None
    notes: Notes | None = None


ports = _Ports()
"""Filled by `app`."""


def demanded(
    session: Session,
    project: Project,
    record_type: RecordType,
    record: Record | None,
    content: Content,
    to: str,
    where: str = "",
) -> list[Fault]:
    """Return everything that keeps an issue from being in a state, saying what it says."""
    uid = record.uid if record is not None else where
    moment = lifecycle.MOMENT.get(to)
    if record_type.lifecycle != "issue" or moment is None:
        return []
    faults = missing_content(record_type, content, uid, moment)
    if ports.demand is not None:
        faults += ports.demand(session, project, record_type, record, content, to)
    return faults


def refuse_unsaid(
    session: Session,
    project: Project,
    record_type: RecordType,
    record: Record | None,
    content: Content,
    to: str,
    where: str,
    before: Content | None = None,
) -> None:
    """Refuse to open an issue, or to take away what its state asked for.

    Parameters
    ----------
    before : Content, optional
        What it said until now; what was lacking in that does not keep anybody from mending a part.

    Raises
    ------
    Invalid
        With everything that is missing.
    """
    faults = demanded(session, project, record_type, record, content, to, where)
    if before is not None:
        known = set(demanded(session, project, record_type, record, before, to, where))
        faults = [one for one in faults if one not in known]
    if faults and record is None:
        raise Invalid(f"{where} was not opened.", faults)
    if faults:
        raise Invalid(
            f"{where} was not saved: it is {to.replace('_', ' ')}, and what it would say does not "
            "go with that.",
            faults,
        )
