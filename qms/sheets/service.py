"""Take a table of records: judge it whole, and import it whole or not at all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from core.canonical import digest
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ledger import append, hold_still
from core.people.actor import Actor
from core.records.content import Content, LinkDraft, RecordDraft, content_digest
from core.records.importing import import_faults, import_records
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.service import edit_token, next_uid, save_draft
from core.records.sheets.grid import Grid
from core.records.sheets.headings import columns_of
from core.records.snapshot import Key
from core.records.targets import known_records
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_author
from qms.baselines.before_import import frozen
from qms.risks.policies import policy_in_force
from qms.risks.rows import CONTROLLED_BY, OWN, SPOKEN, RiskJudge
from qms.sheets.judging import Judge
from qms.sheets.kept import Held, held_records
from qms.sheets.rows import CHANGE, CREATE, UNCHANGED, CellFault, Judged, Row

NOTHING = "Nothing was imported."
STALE = (
    "Nothing was imported: the project, or what you sent, is not as it was when it was checked. "
    "What it would do now is shown below; read it, and import it then."
)
REASON = "Imported from a spreadsheet."
RISK = "risk"


@dataclass(frozen=True)
class Table:
    """A table as it stands in the form.

    Attributes
    ----------
    chosen : mapping
        What a column is, by its place, where somebody said so.
    shown : mapping
        What formulas last came to, by row and place; known of a file that was just sent.
    """

    grid: Grid
    chosen: Mapping[int, str] = field(default_factory=dict)
    shown: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """What an import of a table would do.

    Attributes
    ----------
    controls : mapping of str to Content
        What records that control risks would say, each with the risks that rows name it for.
    """

    judged: Judged
    judge: Judge
    held: Mapping[str, Held]
    controls: Mapping[str, Content]

    def count(self, verdict: str) -> int:
        """How many rows without a fault are of a verdict."""
        return sum(one.verdict == verdict and not one.faults for one in self.judged.rows)

    @property
    def created(self) -> int:
        """How many records would be created."""
        return self.count(CREATE)

    @property
    def changed(self) -> int:
        """How many records would get a draft with what their row says."""
        return self.count(CHANGE)

    @property
    def unchanged(self) -> int:
        """How many rows say what is kept."""
        return self.count(UNCHANGED)

    @property
    def does(self) -> int:
        """How many rows and controls an import would write."""
        return self.created + self.changed + len(self.controls)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that keeps the table from being imported."""
        own = (one.fault for row in self.judged.rows for one in row.faults)
        return (*self.judged.faults, *own)

    @property
    def digest(self) -> str:
        """What a form remembers of what was shown: it differs if anything else would be done."""
        kind, project = self.judge.record_type.name, self.judge.project
        told = []
        for row in self.judged.rows:
            if row.content is not None and row.verdict != UNCHANGED:
                # A number that is given on import is another one each time.
                uid = row.uid if row.held is not None or _stated(row) else ""
                said = content_digest(project, kind, uid or "X", row.content)
                token = edit_token(row.held.latest) if row.held is not None else ""
                told.append([row.verdict, uid, said, token, sorted(row.controls.items())])
            elif row.controls:
                told.append([row.verdict, row.uid, sorted(row.controls.items())])
        tokens = [[uid, edit_token(self.held[uid].latest)] for uid in sorted(self.controls)]
        return digest([told, tokens])


def sheet_type(name: str) -> RecordType:
    """Return a type of which rows may be imported; raises `NotFound` for any other."""
    registry = get_registry()
    if name not in registry or registry.of(name).lifecycle != "controlled":
        raise NotFound("No rows of a spreadsheet become records of that type.")
    return registry.of(name)


def judge_for(
    session: Session,
    project: Project,
    record_type: RecordType,
    by: Actor,
    readable: Collection[str] = (),
) -> Judge:
    """Return what judges rows of a type in a project.

    Raises
    ------
    Invalid
        If the risk policy in force is faulty.
    """
    held = held_records(session, project, by)
    known: dict[Key, str | None] = {}

    def elsewhere(key: str, uid: str) -> str | None:
        if key not in readable:
            return None
        wanted = Key(key, uid)
        if wanted not in known:
            found = known_records(session, [wanted]).get(wanted)
            known[wanted] = found.type if found and found.withdrawn_at is None else None
        return known[wanted]

    def number(taken: Iterable[str]) -> str:
        others = set(taken)
        while (uid := next_uid(session, project, record_type)) in others:
            pass
        return uid

    if record_type.name != RISK:
        return Judge(record_type, project.key, held, elsewhere, number)
    policy, _ = policy_in_force(load_snapshot(session, [project.key]), project.key)
    controllers, kinds = _controllers()
    prefixes = tuple(get_registry().of(one).prefix for one in controllers)
    return RiskJudge(
        record_type, project.key, held, elsewhere, number, policy, controllers, prefixes, kinds
    )


def columns_read(record_type: RecordType) -> list[str]:
    """Return what the columns of a table of a type are called."""
    own = OWN if record_type.name == RISK else ()
    spoken = SPOKEN if record_type.name == RISK else {}
    return list(dict.fromkeys(one.label for one in columns_of(record_type, spoken, own).values()))


def _controllers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the types whose records control risks, and the kinds of control, as types say."""
    registry = get_registry()
    types: list[str] = []
    kinds: list[str] = []
    for name in registry.names():
        link = registry.of(name).links.get(CONTROLLED_BY)
        if link is not None and RISK in link.to:
            types.append(name)
            kinds += link.attributes["kind"].choices if "kind" in link.attributes else ()
    return tuple(types), tuple(dict.fromkeys(kinds))


def preview(
    session: Session,
    project: Project,
    record_type: RecordType,
    table: Table,
    by: Actor,
    readable: Collection[str] = (),
) -> Preview:
    """Judge a table. What was judged took numbers that nothing has: the caller takes them back.

    Raises
    ------
    Refused
        If the person may not write records of the type.
    """
    require_author(record_type, project, by)
    judge = judge_for(session, project, record_type, by, readable)
    grid = _settled(judge, table)
    judged = judge.judge(grid, table.chosen, table.shown)
    _told_by_import(session, project, record_type, judged)
    return Preview(judged, judge, judge.held, _controls(project, judge, judged))


def _settled(judge: Judge, table: Table) -> Grid:
    """Return the table with what formulas came to, in the columns that are only compared."""
    headings = judge.headings(table.grid.headings, table.chosen)
    compared = {
        place
        for place, one in enumerate(headings.columns)
        if one is not None and one.name in judge.computed
    }
    cells = {at: text for at, text in table.shown.items() if text and at[1] in compared}
    return table.grid.corrected({}, cells, ())


def _told_by_import(
    session: Session, project: Project, record_type: RecordType, judged: Judged
) -> None:
    """Give each row what the importer itself has against it, should judging have missed it."""
    rows = {row.where: row for row in judged.rows}
    drafts = [_draft(project, record_type, row) for row in judged.rows if row.verdict == CREATE]
    for fault in import_faults(session, drafts, get_registry()) if drafts else ():
        row = rows.get(fault.where)
        if row is not None:
            row.faults.append(CellFault(None, fault))


def _draft(project: Project, record_type: RecordType, row: Row) -> RecordDraft:
    content = row.content or Content("")
    return RecordDraft(project.key, record_type.name, row.uid, content, origin=row.where)


def _stated(row: Row) -> bool:
    place = row.places.get("id")
    return place is not None and bool(row.cells[place].strip())


def _controls(project: Project, judge: Judge, judged: Judged) -> dict[str, Content]:
    """Return each record that rows name as a control, with the links that it lacks."""
    changed: dict[str, Content] = {}
    for row in judged.rows:
        for uid, kind in row.controls.items() if not row.faults else ():
            content = changed.get(uid) or judge.held[uid].content
            changed_links = _linked(project, content.links, row.uid, kind)
            if changed_links != content.links:
                changed[uid] = replace(content, links=changed_links)
    return changed


def _linked(
    project: Project, links: tuple[LinkDraft, ...], risk: str, kind: str
) -> tuple[LinkDraft, ...]:
    """Return the links of a control with the one to a risk, of the kind where one is stated."""
    found = list(links)
    for place, one in enumerate(found):
        here = one.project in (None, project.key)
        if one.role == CONTROLLED_BY and one.target == risk and here:
            if kind and one.attributes.get("kind") != kind:
                found[place] = replace(one, attributes={**one.attributes, "kind": kind})
            return tuple(found)
    said = {"kind": kind} if kind else {}
    return (*links, LinkDraft(CONTROLLED_BY, risk, attributes=said))


def keep(
    session: Session,
    project: Project,
    record_type: RecordType,
    table: Table,
    by: Actor,
    seen: str,
    readable: Collection[str] = (),
) -> tuple[Preview, int | None]:
    """Freeze what is in force, then import a table as drafts: all of it or nothing.

    Parameters
    ----------
    seen : str
        The digest of what the person was shown.

    Returns
    -------
    Preview, int or None
        What was done, and the baseline of what was in force before; None where nothing was.

    Raises
    ------
    Conflict
        If what would be done is not what was shown.
    Invalid
        With every fault of every row; then nothing was written.
    Refused
        As `preview`, and if controls are named that the person may not write.
    """
    hold_still(session)
    found = preview(session, project, record_type, table, by, readable)
    if found.faults:
        raise Invalid(NOTHING, found.faults)
    if seen != found.digest:
        raise Conflict(STALE)
    for uid in found.controls:
        require_author(get_registry().of(found.held[uid].type), project, by)
    number = frozen(session, project, REASON, by)
    rows = found.judged.rows
    drafts = [_draft(project, record_type, row) for row in rows if row.verdict == CREATE]
    if drafts:
        import_records(session, drafts, by, get_registry())
    for row in rows:
        if row.verdict == CHANGE and row.held is not None and row.content is not None:
            token = edit_token(row.held.latest)
            save_draft(session, row.held.record, row.content, by, token, REASON)
    for uid, content in found.controls.items():
        held = found.held[uid]
        save_draft(session, held.record, content, by, edit_token(held.latest), REASON)
    data = {
        "type": record_type.name,
        "created": found.created,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "controls": sorted(found.controls),
        "baseline": number,
    }
    append(session, "record:sheet:import", by, project.id, project.key, data)
    return found, number
