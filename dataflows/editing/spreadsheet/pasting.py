"""Take a table from a spreadsheet: judge it whole, and import it whole or not at all."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.content import Content, RecordDraft
from core.records.models import Project
from core.records.sheets.grid import Grid
from core.records.types import get_registry
from core.records.writers import require_author
from dataflows.editing.defaults import Series, Systems, staff_group_of, today, uid_from
from dataflows.editing.spreadsheet.judging import Defaults, Judge, Judged, Row
from dataflows.interchange.kept import Kept, kept_records
from dataflows.interchange.planning import NOTHING, Plan, Planned, Verdict, carry_out, plan

KINDS = ("connection", "system")
REASON = "Pasted from a spreadsheet."

MOST_NAMED = 5
"""New records of a kind that a sentence names; of more in one series, the first and the last."""

_NUMBERED = re.compile(r"(\D+)(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Pasted:
    """A table, what its rows are, and what they say that do not say it themselves."""

    grid: Grid
    kind: str = "connection"
    surveyed_from: str = ""
    responsible: str = ""
    create_systems: bool = False


@dataclass(frozen=True)
class Preview:
    """What an import of a table would do.

    Attributes
    ----------
    created : tuple of RecordDraft
        Systems that would be created because rows name them.
    """

    judged: Judged
    plan: Plan
    created: tuple[RecordDraft, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that keeps the table from being imported, headings first."""
        found = [*self.judged.faults, *(one for row in self.judged.rows for one in row.faults)]
        return tuple(dict.fromkeys([*found, *self.plan.faults]))

    @property
    def faulty(self) -> tuple[Row, ...]:
        """The rows with faults."""
        return tuple(row for row in self.judged.rows if row.faults)

    def verdicts(self) -> list[tuple[Row, Planned | None]]:
        """Return every row with what would become of it."""
        known = {one.draft.origin: one for one in self.plan.planned}
        return [(row, None if row.faults else known.get(row.where)) for row in self.judged.rows]

    @property
    def told(self) -> str:
        """What was done, with the ids of what is new, each kind by itself."""
        made: dict[str, list[str]] = {}
        for one in self.plan.planned:
            if one.verdict is Verdict.CREATE:
                made.setdefault(one.draft.type, []).append(one.draft.uid or "")
        new = "; ".join(_new(kind, uids) for kind, uids in made.items())
        return f"{self.plan.outcome}{f' ({new})' if new else ''}"

    def count(self, verdict: Verdict) -> int:
        """How many rows are of a verdict."""
        return sum(one is not None and one.verdict == verdict for _, one in self.verdicts())


def preview(session: Session, project: Project, pasted: Pasted, by: Actor) -> Preview:
    """Judge a table and write nothing.

    Raises
    ------
    Refused
        If the person may not write what the rows are.
    """
    if pasted.kind not in KINDS:
        fault = Fault("kind", "kind", f"'{pasted.kind[:40]}' cannot be pasted.", "Use connection.")
        raise Invalid(NOTHING, [fault])
    record_type = get_registry().of(pasted.kind)
    require_author(record_type, project, by)
    kept = kept_records(session, project, types=KINDS)
    group = staff_group_of(session, by)
    defaults = Defaults(today(), group, pasted.surveyed_from, pasted.responsible.strip())
    titles = {one.record.uid: one.content.title for one in kept if one.record.type == "system"}
    number = _free_id if pasted.kind == "system" else _numbers(session, project)
    judge = Judge(record_type, project.key, kept, Systems(titles), defaults, number)
    if pasted.kind == "system":
        judge = replace(judge, systems=Systems({**titles, **_named(judge, pasted.grid)}))
    judged = judge.judge(pasted.grid)
    created: tuple[RecordDraft, ...] = ()
    if pasted.create_systems and judged.missing and pasted.kind == "connection":
        created = _systems(judged.missing, kept, project.key, defaults)
        more = {one.uid or "": one.content.title for one in created}
        # Judged again from the first number, with the systems that there would be.
        number = _numbers(session, project)
        judge = replace(judge, systems=Systems({**titles, **more}), number=number)
        judged = judge.judge(pasted.grid)
    drafts = [row.draft for row in judged.rows if row.draft is not None and not row.faults]
    found = plan(session, project, [*created, *drafts], by)
    return Preview(_with_faults(judged, found), _without(found, judged), created)


def keep(
    session: Session, project: Project, pasted: Pasted, by: Actor, seen: str | None = None
) -> Preview:
    """Import a table in one transaction.

    Parameters
    ----------
    seen : str, optional
        The digest of the plan that the person was shown.

    Raises
    ------
    Conflict
        If what would be done is not what was shown.
    Invalid
        With every fault of every row; then nothing was written.
    Refused
        As `preview`.
    """
    found = preview(session, project, pasted, by)
    if found.faults:
        raise Invalid(NOTHING, found.faults)
    carry_out(session, found.plan, by, REASON, seen)
    return found


def _new(kind: str, uids: Sequence[str]) -> str:
    """Return which records of a kind are new.

    A range is told only of one series: systems have names, and nobody knows what lies between two.
    """
    record_type = get_registry().of(kind)
    one = len(uids) == 1
    if len(uids) <= MOST_NAMED:
        named = ", ".join(uids)
    elif _in_a_row(uids):
        named = f"{uids[0]} to {uids[-1]}"
    else:
        named = f"{', '.join(uids[:MOST_NAMED])} and {len(uids) - MOST_NAMED} more"
    label = record_type.label if one else record_type.plural
    return f"{label.lower()} {named} {'is' if one else 'are'} new"


def _in_a_row(uids: Sequence[str]) -> bool:
    """Whether ids are the numbers of one series without a gap, such as C092, C093, C094."""
    found = [_NUMBERED.fullmatch(uid) for uid in uids]
    parts = [(one[1], int(one[2])) for one in found if one]
    first = parts[0] if parts else ("", 0)
    return parts == [(first[0], first[1] + place) for place in range(len(uids))]


def _numbers(session: Session, project: Project) -> Callable[[str, Iterable[str]], str]:
    series = Series(session, project, get_registry().of("connection"))
    return lambda _, taken: series.next(taken)


def _free_id(name: str, taken: Iterable[str]) -> str:
    others, first, number = set(taken), uid_from(name), 2
    uid = first
    while uid in others:
        uid, number = f"{first}-{number}", number + 1
    return uid


def _named(judge: Judge, grid: Grid) -> dict[str, str]:
    """Return the systems that a table of systems describes itself, as parents of each other."""
    return {
        row.draft.uid or "": row.draft.content.title
        for row in judge.judge(grid).rows
        if row.draft is not None
    }


def _systems(
    names: Sequence[str], kept: Sequence[Kept], project: str, defaults: Defaults
) -> tuple[RecordDraft, ...]:
    taken = {one.record.uid for one in kept}
    drafts = []
    for name in names:
        uid = _free_id(name, taken)
        taken.add(uid)
        fields = {"owner": defaults.responsible} if defaults.responsible else {}
        content = Content(name, fields=fields)
        drafts.append(RecordDraft(project, "system", uid, content, origin=f"system {name}"))
    return tuple(drafts)


def _with_faults(judged: Judged, found: Plan) -> Judged:
    """Give each fault that the types and links found to its row."""
    rows = {row.where: row for row in judged.rows}
    for fault in found.faults:
        if fault.where in rows and fault not in rows[fault.where].faults:
            rows[fault.where].faults.append(fault)
    return judged


def _without(found: Plan, judged: Judged) -> Plan:
    """Return the plan with only those faults that belong to no row."""
    rows = {row.where for row in judged.rows}
    return Plan(found.planned, tuple(one for one in found.faults if one.where not in rows))
