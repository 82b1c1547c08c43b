"""Find records of a project: by type, state and words; in pages, or all of them for an export."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, func, or_, select
from sqlmodel import Session, col

from core.clock import now
from core.exports import Sheet
from core.records.forms import as_text
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import natural_order
from core.records.type_shape import FieldSpec, LinkSpec
from core.records.types import get_registry

PAGE_SIZE = 50

HEADINGS = ("Uid", "Type", "Title", "State", "Revision", "Author", "Changed (UTC)")
"""Of every list that leaves the house; a list of one type has what that wants listed behind."""

WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Wanted:
    """What is looked for; empty means any."""

    words: str = ""
    type: str = ""
    state: str = ""


@dataclass(frozen=True)
class RecordLine:
    """One record as a line of a list.

    Attributes
    ----------
    pending : str
        The state of a revision above that in force.
    more : tuple of str
        What it says in the fields and links that its type wants listed, in that order.
    """

    uid: str
    type: str
    title: str
    state: str
    revision: int
    author: str
    changed_at: datetime
    pending: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """One page of what was found, with the counts that the filters show."""

    lines: Sequence[RecordLine]
    total: int
    by_type: Sequence[tuple[str, str, int]]
    by_state: Sequence[tuple[str, int]]


def find_records(
    session: Session, project: Project, wanted: Wanted, page: int = 1, size: int | None = PAGE_SIZE
) -> Listing:
    """Return one page of the records that fit, ordered by type and then naturally by uid.

    The record whose uid was typed comes first, before those that only name it.

    Parameters
    ----------
    size : int, optional
        None returns every record.
    """
    found = _found(session, project, wanted.words)
    types = Counter(row[2] for row in found if wanted.state in ("", row[3]))
    states = Counter(row[3] for row in found if wanted.type in ("", row[2]))
    typed = wanted.words.strip().casefold()
    rank = {name: place for place, name in enumerate(_in_groups())}
    fitting = sorted(
        (row for row in found if wanted.type in ("", row[2]) and wanted.state in ("", row[3])),
        key=lambda row: (
            row[1].casefold() != typed,
            rank.get(row[2], len(rank)),
            natural_order(row[1]),
        ),
    )
    chosen = fitting if size is None else fitting[(page - 1) * size : page * size]
    registry = get_registry()
    return Listing(
        lines=_lines(session, [row[0] for row in chosen]),
        total=len(fitting),
        by_type=[
            (name, registry.of(name).plural if name in registry else name, types[name])
            for name in sorted(types, key=lambda one: rank.get(one, len(rank)))
        ],
        by_state=sorted(states.items()),
    )


def _found(
    session: Session, project: Project, words: str
) -> list[tuple[int | None, str, str, str]]:
    """Return id, uid, type and state of every record that says some words, or of every record."""
    shown = func.coalesce(col(Record.effective_id), col(Record.latest_id))
    columns: tuple[Any, ...] = (
        col(Record.id),
        col(Record.uid),
        col(Record.type),
        col(Record.withdrawn_at),
        col(Revision.state),
    )
    query: Select[Any] = (
        select(*columns)
        .join(Revision, col(Revision.id) == shown)
        .where(col(Record.project_id) == project.id)
    )
    rows = session.execute(_saying(query, words) if words else query)
    return [
        (row[0], row[1], row[2], WITHDRAWN if row[3] else row[4])
        for row in rows
        if not words or row.plainly or _says(row.fields, words)
    ]


def _saying(query: Select[Any], words: str) -> Select[Any]:
    """Narrow a query to what may say some words; `_says` then looks into the fields."""
    plainly = or_(
        col(Record.uid).icontains(words, autoescape=True),
        col(Revision.title).icontains(words, autoescape=True),
        col(Revision.body).icontains(words, autoescape=True),
    )
    # SQLite keeps JSON with letters beyond ASCII escaped, PostgreSQL as they are.
    written = {json.dumps(words, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    in_fields = (
        cast(col(Revision.fields), Text).icontains(one, autoescape=True) for one in sorted(written)
    )
    return query.add_columns(plainly.label("plainly"), col(Revision.fields)).where(
        or_(plainly, *in_fields)
    )


def _says(value: Any, words: str) -> bool:
    """Whether a field's value says some words; the name of a field is not what it says.

    Examples
    --------
    >>> _says({"harm": "Late rectal injury", "severity": 4}, "rectal")
    True
    >>> _says({"harm": "Late rectal injury", "severity": 4}, "severity")
    False
    """
    if isinstance(value, dict):
        return any(_says(one, words) for one in value.values())
    if isinstance(value, list):
        return any(_says(one, words) for one in value)
    return value is not None and words.casefold() in str(value).casefold()


def _in_groups() -> list[str]:
    types = get_registry().all()
    groups = list(dict.fromkeys(one.group for one in types))
    return [one.name for one in sorted(types, key=lambda one: groups.index(one.group))]


def _lines(session: Session, ids: Sequence[int | None]) -> list[RecordLine]:
    lines: dict[int, RecordLine] = {}
    for start in range(0, len(ids), 500):
        rows = session.execute(
            select(Record, Revision)
            .join(
                Revision,
                (col(Revision.id) == col(Record.latest_id))
                | (col(Revision.id) == col(Record.effective_id)),
            )
            .where(col(Record.id).in_(ids[start : start + 500]))
            .order_by(col(Revision.number))
        )
        revisions: dict[int, tuple[Record, list[Revision]]] = {}
        for record, revision in rows:
            revisions.setdefault(record.id or 0, (record, []))[1].append(revision)
        linked = _linked(session, [both[0].id for _, both in revisions.values()])
        for record_id, (record, both) in revisions.items():
            shown, newest = both[0], both[-1]
            listed = _listed(record.type)
            lines[record_id] = RecordLine(
                uid=record.uid,
                type=record.type,
                title=shown.title,
                state=WITHDRAWN if record.withdrawn_at else shown.state,
                revision=shown.number,
                author=shown.author_name,
                changed_at=newest.created_at,
                pending=newest.state if newest is not shown else "",
                more=tuple(
                    as_text(spec, shown.fields.get(name))
                    if isinstance(spec, FieldSpec)
                    else ", ".join(linked.get((shown.id or 0, name), ()))
                    for name, spec in listed.items()
                ),
            )
    return [lines[one] for one in ids if one in lines]


def _listed(type_name: str) -> dict[str, FieldSpec | LinkSpec]:
    """Return the fields and links that a type wants listed."""
    if type_name not in get_registry():
        return {}
    one = get_registry().of(type_name)
    parts: dict[str, FieldSpec | LinkSpec] = {**one.fields, **one.links}
    return {name: parts[name] for name in one.listed}


def listed_labels(type_name: str) -> list[str]:
    """Return the headings of the further columns in the list of a type."""
    return [f"{spec.label[0].upper()}{spec.label[1:]}" for spec in _listed(type_name).values()]


def _linked(session: Session, revisions: Sequence[int | None]) -> dict[tuple[int, str], list[str]]:
    """Return the uids that revisions link to in the roles that some type wants listed."""
    roles = {name for one in get_registry().all() for name in one.listed if name in one.links}
    rows = session.execute(
        select(col(Link.revision_id), col(Link.role), col(Record.uid))
        .join(Record, col(Record.id) == col(Link.target_id))
        .where(col(Link.revision_id).in_(revisions), col(Link.role).in_(sorted(roles)))
        .order_by(col(Link.position))
    )
    found: dict[tuple[int, str], list[str]] = {}
    for revision, role, uid in rows:
        found.setdefault((revision, role), []).append(uid)
    return found


def records_sheet(project: Project, listing: Listing, wanted: Wanted) -> Sheet:
    """Return a list as a table that leaves the house."""
    registry = get_registry()
    return Sheet(
        title=f"Records of {project.key}",
        headings=(*HEADINGS, *(listed_labels(wanted.type) if wanted.type else ())),
        rows=[
            (
                line.uid,
                registry.of(line.type).label if line.type in registry else line.type,
                line.title,
                line.state.replace("_", " "),
                line.revision,
                line.author,
                f"{line.changed_at:%Y-%m-%d %H:%M:%S}",
                *(line.more if wanted.type else ()),
            )
            for line in listing.lines
        ],
        about={
            "Project": f"{project.key} {project.title}",
            "Words": wanted.words or "any",
            "Type": wanted.type or "all",
            "State": wanted.state or "all",
            "Made (UTC)": f"{now():%Y-%m-%d %H:%M:%S}",
        },
    )
