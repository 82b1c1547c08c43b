"""What a change-impact pack holds: the plan as tables and texts, the picture, and where it is from.

Every text follows from the records, runs and readings that it names. Nothing in it says when it was
built, so the same map with the same sign-off and facts gives the same bytes; where QATrack+ was
asked, on the same day, because a test becomes overdue by the day.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlmodel import Session

from core.canonical import rfc3339
from core.clock import now
from core.errors import NotFound
from core.exports import Sheet, to_csv
from core.records.snapshot import Key
from dataflows.diagram import to_dot, to_plantuml
from dataflows.inventory import Department
from dataflows.matrix import matrix_of
from dataflows.planning import ports
from dataflows.planning.failure_modes import failure_modes, failure_sheet
from dataflows.planning.plan import HEADINGS, Plan, Purpose, QaStatus
from dataflows.planning.service import (
    ReadMap,
    model_digest,
    plan,
    records_of_map,
    statuses,
)
from dataflows.planning.sheets import event_sheet, outside_uid, plan_sheet
from dataflows.planning.told import plan_told
from dataflows.qatrack.queries import standings_on
from dataflows.render import draw, graphviz_version
from dataflows.sheets import connections_sheet, matrix_sheet
from dataflows.survey import MAP_TYPES
from dataflows.views import OPENED, Selection, choose

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands as the time of a pack whose map nobody has approved: a draft has no moment to name."""

QA_HEADINGS = (
    "QA procedure", "Title", "Frequency or event", "Controls", "Stands", "Since", "Due",
    "Last result", "Effective", "Why",
)  # fmt: skip
RUN_HEADINGS = ("Test", "Title", "Shows", "Verdict", "Run", "Commit", "At", "Figures")
RISK_HEADINGS = ("Risk", "Title", "Why it is touched", "Level")
END_HEADINGS = ("Connection", "Association", "System", "Side", "AE title", "Host", "Port")
NO_DRIFT = "No destination list was compared with the map."


@dataclass(frozen=True)
class Origin:
    """Where a pack comes from: the map, the renderer, and the latest moment that it tells of.

    Attributes
    ----------
    model : str
        The digest over every record of the map at the revision that was read.
    records, in_force : int
        How many records that is, and how many of them are signed and in force.
    baseline : SignedOff or None
        The baseline that froze exactly these revisions: the first that is signed, or else the
        first.
    qa_judged_on : str
        The day by which a test of QATrack+ is due or overdue; empty where no server was asked.
    """

    project: str
    title: str
    demonstration: bool
    subject: str
    purpose: Purpose
    model: str
    records: int
    in_force: int
    baseline: ports.SignedOff | None
    renderer: str
    facts_until: datetime
    qa_judged_on: str = ""

    @property
    def name(self) -> str:
        """What the pack is called, without its ending."""
        return f"{self.project}-{self.purpose}-{self.subject}"

    @property
    def signed(self) -> str:
        """Say how much of the map is signed, whether it was frozen as a whole, and by whom."""
        told = f"{self.in_force} of {self.records} records of the map are signed and in force"
        if self.baseline is None:
            return f"{told}; no baseline froze this map"
        one = self.baseline
        by = f"signed by {one.signed}" if one.signed else f"not signed, frozen by {one.by}"
        return f"{told}; this map is {one.label}, {by} at {rfc3339(one.at)}"

    def as_json(self) -> dict[str, str | int]:
        """Return it for the manifest."""
        return {
            "project": self.project,
            "subject": self.subject,
            "purpose": self.purpose.value,
            "model": self.model,
            "records": self.records,
            "records_in_force": self.in_force,
            "baseline": self.baseline.root if self.baseline else "",
            "baseline_signed_by": self.baseline.signed if self.baseline else "",
            "renderer": self.renderer,
            "facts_until": rfc3339(self.facts_until),
            "qa_judged_on": self.qa_judged_on,
        }


@dataclass(frozen=True)
class Contents:
    """Everything in a pack but its print and its manifest.

    Attributes
    ----------
    sheets : mapping of str to Sheet
        The tables by the name of their file, in the order of the print.
    """

    origin: Origin
    plan: Plan
    department: Department
    svg: str
    caption: str
    sheets: Mapping[str, Sheet]
    texts: Mapping[str, bytes]


def contents_of(
    session: Session,
    read: ReadMap,
    system: str,
    purpose: Purpose,
    title: str,
    demonstration: bool = False,
) -> Contents:
    """Gather the contents of the pack for one system and one purpose.

    Raises
    ------
    NotFound
        If the map has no such system.
    DrawingFailed
        If the picture cannot be drawn here.
    """
    department = read.department
    if system not in department.systems:
        raise NotFound(f"There is no system {system} on this map; a pack is made for a system.")
    made = plan(session, read, system, purpose)
    shown = choose(department, Selection(level=OPENED, focus=system))
    picture = shown.picture(department)
    dot = to_dot(picture)
    svg = draw(dot)
    sheets = {
        "plan": plan_sheet(department, made),
        "matrix": matrix_sheet(department, matrix_of(department, shown.view), shown.title),
        **_tables(session, read, made),
    }
    origin = _origin(session, read, made, (title, demonstration))
    told = plan_told(department, made).model_dump(mode="json")
    texts = {f"{name}.csv": to_csv(sheet) for name, sheet in sheets.items()}
    texts |= {
        "plan.json": (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode(),
        "diagram.svg": svg.encode(),
        "diagram.dot": dot.encode(),
        "diagram.puml": to_plantuml(picture).encode(),
        "README.txt": _readme(origin, made).encode(),
    }
    return Contents(origin, made, department, svg, picture.caption, sheets, texts)


def _origin(session: Session, read: ReadMap, made: Plan, project: tuple[str, bool]) -> Origin:
    """Say where a pack comes from; `project` is its title, and whether it is a demonstration."""
    department = read.department
    title, demonstration = project
    records = records_of_map(read.snapshot, department.project)
    baseline = sign_off_of(session, read)
    facts_until = _facts_until(session, read, made)
    return Origin(
        project=department.project,
        title=title,
        demonstration=demonstration,
        subject=made.impact.subject,
        purpose=made.purpose,
        model=model_digest(read.snapshot, department.project),
        records=len(records),
        in_force=sum(view.approved_at is not None for view in records),
        baseline=baseline,
        renderer=graphviz_version(),
        facts_until=max(facts_until, baseline.at) if baseline else facts_until,
        qa_judged_on=_judged_on(made.qa),
    )


def sign_off_of(session: Session, read: ReadMap) -> ports.SignedOff | None:
    """Return the baseline that the map is; a map with a draft in it is none."""
    source, project = ports.sign_off.source, read.department.project
    records = records_of_map(read.snapshot, project)
    if source is None or not records or any(view.approved_at is None for view in records):
        return None
    return source(session, project, {view.key.uid: view.revision for view in records})


def _tables(session: Session, read: ReadMap, made: Plan) -> dict[str, Sheet]:
    """Return the tables about what is touched, by the name of their file."""
    department = read.department
    connections = [c.uid for c in made.impact.direct]
    modes = failure_modes(read.snapshot, department, connections)
    qa = statuses(session, department, {uid for one in modes for uid in one.controls})
    drift = ports.drift_result.source
    found = drift(session, department, made.impact.scope) if drift else None
    tested = (*made.programme.connections, *made.programme.pathways)
    return {
        "connections": connections_sheet(department, made.impact.direct, "Direct connections"),
        "qa": _qa_sheet(department, made),
        "qa-by-event": event_sheet(department, tested, "QA by event"),
        "failure-modes": failure_sheet(department, modes, qa),
        "risks": _risk_sheet(department, made),
        "runs": _run_sheet(department, made),
        "endpoints": _end_sheet(department, made),
        "drift": found or Sheet("Drift", ("Result",), [(NO_DRIFT,)], {}),
    }


def manifest(origin: Origin, members: Mapping[str, bytes]) -> bytes:
    """Return the list of a pack's files with their digests, and where the pack is from."""
    value = {
        **origin.as_json(),
        "files": {name: sha256(data).hexdigest() for name, data in sorted(members.items())},
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _readme(origin: Origin, made: Plan) -> str:
    counts = made.impact
    return "\n".join(
        (
            f"{HEADINGS[origin.purpose].format(origin.subject)} ({made.subject.title})",
            f"Project {origin.project}, {origin.title}",
            f"Map {origin.model}: {origin.signed}",
            *([f"Baseline {origin.baseline.root}"] if origin.baseline else []),
            f"Picture by {origin.renderer}",
            f"Tells of facts until {rfc3339(origin.facts_until)}",
            *([f"QA judged on {origin.qa_judged_on}"] if origin.qa_judged_on else []),
            "",
            f"Connections between systems: {len(counts.external)}; inside: {len(counts.internal)}",
            f"Pathways: {len(counts.pathways)}; connections downstream: {len(counts.downstream)}",
            f"QA procedures to repeat: {len(counts.procedures)}; devices: {len(made.devices)}",
            *([f"Not approved yet: {', '.join(counts.drafts)}"] if counts.drafts else []),
            "",
            "change-impact.pdf holds all of it in print; manifest.json the SHA-256 of every file.",
            "A QA procedure that is unknown or not asked is no good news.",
            "",
        )
    )


def _qa_sheet(department: Department, made: Plan) -> Sheet:
    rows = []
    for procedure in made.impact.procedures:
        status = made.qa[procedure.uid]
        effective = {True: "yes", False: "no", None: "nobody can say"}[status.effective]
        rows.append(
            (
                procedure.uid,
                procedure.title,
                procedure.frequency,
                " ".join((*procedure.connections, *procedure.pathways)),
                status.word,
                status.since,
                status.due,
                status.last,
                effective,
                status.why,
            )
        )
    return Sheet("QA to repeat", QA_HEADINGS, rows, {"project": department.project})


def _run_sheet(department: Department, made: Plan) -> Sheet:
    rows = [
        (
            outside_uid(one.record),
            one.record.title,
            " ".join(one.shows),
            one.verdict.word.value,
            one.verdict.run,
            one.verdict.commit[:12],
            rfc3339(one.verdict.at) if one.verdict.at else "",
            one.verdict.detail,
        )
        for one in made.runs
    ]
    return Sheet("Last validation runs", RUN_HEADINGS, rows, {"project": department.project})


def _risk_sheet(department: Department, made: Plan) -> Sheet:
    rows = [
        (outside_uid(one.record), one.record.title, "; ".join(one.why), one.stands)
        for one in made.evidence
        if one.record.type == "risk"
    ]
    return Sheet("Risks", RISK_HEADINGS, rows, {"project": department.project})


def _end_sheet(department: Department, made: Plan) -> Sheet:
    rows = [
        (end.connection, end.role, end.system, end.side, end.ae, end.host, end.port)
        for end in made.impact.endpoints
    ]
    title = "Endpoints to set again" if made.shows_endpoints else "Endpoints as they are"
    return Sheet(title, END_HEADINGS, rows, {"project": department.project})


def _facts_until(session: Session, read: ReadMap, made: Plan) -> datetime:
    """Return the latest moment of anything told: approval, run, reading or destination list."""
    department = read.department
    outside = [one.record for one in made.evidence]
    outside += [*(one.record for one in made.runs), *(one.device for one in made.devices)]
    named = {Key(one.project, one.uid) for one in outside}
    views = [view for name in MAP_TYPES for view in read.snapshot.of_type(name, department.project)]
    views += [read.snapshot.records[key] for key in named if key in read.snapshot.records]
    moments = [view.approved_at for view in views if view.approved_at is not None]
    moments += [one.verdict.at for one in made.runs if one.verdict.at is not None]
    moments += _readings(session, department, made.qa)
    imported = ports.drift_until.source
    listed = imported(session, department, made.impact.scope) if imported else None
    return max([*moments, *([listed] if listed else [])], default=LONG_AGO)


def _judged_on(qa: Mapping[str, QaStatus]) -> str:
    """Return the day by which QA was judged; empty where no server was asked about any."""
    by_day = any(one.asked for one in qa.values())
    return now().date().isoformat() if by_day else ""


def _readings(
    session: Session, department: Department, procedures: Iterable[str]
) -> Iterable[datetime]:
    for standing in standings_on(session, department, procedures).values():
        if standing.source is not None and standing.source.read_at is not None:
            yield standing.source.read_at
