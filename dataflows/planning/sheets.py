"""A plan, and the coverage by event, as rows: a page and a file hold the same."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from core.exports import Sheet
from dataflows.coverage import AtEvent, Event, EventRow
from dataflows.impact import Endpoint, Losses
from dataflows.inventory import Connection, Department, Outside, Procedure
from dataflows.pathways import WalkedStep
from dataflows.planning.evidence import LastRun
from dataflows.planning.plan import Plan, Purpose

Row = Sequence[str | int | float | None]

PLAN_HEADINGS = ("Part", "Id", "What", "Detail", "Stands")
EVENT_HEADINGS = ("Kind", "Id", "What", "Responsible", *(event.value for event in Event), "Gap")
UNAPPROVED = "not approved yet"

AT_EVENT_HEADINGS = ("Event", "Kind", "Id", "What", "QA procedures")


def plan_sheet(department: Department, plan: Plan) -> Sheet:
    """Lay out a plan, part by part, in the order of its page."""
    rows = [_marked(row, department.drafts) for row in _rows(department, plan)]
    about = {
        "project": department.project,
        "purpose": plan.purpose.value,
        "pathways": str(len(plan.impact.pathways)),
        "downstream": str(len(plan.impact.downstream)),
    }
    return Sheet(plan.heading, PLAN_HEADINGS, rows, about)


def _marked(row: Row, drafts: Collection[str]) -> Row:
    """Say of a row, whose second cell is an id, that nobody has approved it yet."""
    *told, stands = row
    return (*told, _stands(stands, UNAPPROVED)) if row[1] in drafts else row


def _stands(*said: str | int | float | None) -> str:
    return "; ".join(str(one) for one in said if one not in (None, ""))


def _steps(department: Department, steps: Iterable[WalkedStep], before: str = "") -> str:
    """Return steps by number and connection, and which of these nobody has approved yet."""
    return "; ".join(
        f"{before}{step.number} {step.uid}"
        + (f" ({UNAPPROVED})" if step.uid in department.drafts else "")
        for step in steps
    )


def _rows(department: Department, plan: Plan) -> Iterator[Row]:
    found = plan.impact
    for device in plan.devices:
        yield ("device", outside_uid(device.device), device.device.title, device.how, "")
    for one in plan.evidence:
        kind = one.record.type.replace("_", " ") or "record"
        why = [*one.why, *([] if one.direct else ["further downstream"])]
        yield (kind, outside_uid(one.record), one.record.title, "; ".join(why), one.stands)
    yield from (_run_row(run) for run in plan.runs)
    if plan.losses is not None:
        yield from _loss_rows(department, plan.losses)
    if plan.shows_endpoints:
        yield from (_endpoint_row(department, end) for end in found.endpoints)
    yield from _connection_rows(plan, "connection between systems", found.external)
    yield from _connection_rows(plan, "connection inside the system", found.internal)
    for procedure in found.procedures:
        yield _procedure_row(plan, "QA to repeat", procedure)
    if plan.purpose is Purpose.QA:
        for event in plan.programme.events:
            yield from _event_rows(event)
    for touched in found.pathways:
        title = touched.pathway.title
        for part, steps in (("pathway", touched.direct), ("steps downstream", touched.downstream)):
            told = _steps(department, steps)
            yield (part, touched.pathway.uid, title, told, len(steps))
    for group in found.groups:
        yield ("group to tell", "", group, "", "")


def _connection_rows(plan: Plan, part: str, connections: Iterable[Connection]) -> Iterator[Row]:
    for one in connections:
        stands = "no QA" if one.uid in plan.impact.uncovered else ""
        ends = f"{one.source} to {one.target}, {one.protocol or one.category.value}"
        yield (part, one.uid, one.title, f"{ends}; {one.responsible}", stands)


def _procedure_row(plan: Plan, part: str, procedure: Procedure) -> Row:
    controls = " ".join((*procedure.connections, *procedure.pathways))
    status = plan.qa.get(procedure.uid)
    stands = status.words if status else ""
    when = procedure.frequency or "no frequency stated"
    told = f"{when}; controls {controls or 'nothing'}"
    return (part, procedure.uid, procedure.title, told, stands)


def _run_row(run: LastRun) -> Row:
    verdict = run.verdict
    where = f"run {verdict.run}" if verdict.run else ""
    when = f"{verdict.at:%Y-%m-%d %H:%M} UTC" if verdict.at else ""
    commit = f"commit {verdict.commit[:7]}" if verdict.commit else ""
    told = ", ".join(filter(None, (verdict.word.value, where, commit, when, verdict.detail)))
    shows = f"of {', '.join(run.shows)}" if run.shows else ""
    return ("last run of test", outside_uid(run.record), run.record.title, shows, told)


def _endpoint_row(department: Department, end: Endpoint) -> Row:
    address = " ".join(str(part) for part in (end.ae, end.host, end.port) if part)
    # A connection in draft is marked by its id; here the system may be the one that is.
    stands = f"{end.system} {UNAPPROVED}" if end.system in department.drafts else ""
    what = f"{end.system} {end.side}: {end.role}"
    return ("endpoint to set", end.connection, what, address, stands)


def _loss_rows(department: Department, lost: Losses) -> Iterator[Row]:
    for one in lost.systems:
        title = department.systems[one.system].title
        if one.sources:
            left = f"sources left: {one.left_in or 'none'}"
            yield ("loses its source", one.system, title, _uids(one.sources), left)
        if one.targets:
            left = f"targets left: {one.left_out or 'none'}"
            yield ("loses its target", one.system, title, _uids(one.targets), left)
    for broken in lost.pathways:
        gone = _steps(department, broken.lost)
        breaks = _steps(department, broken.breaks, "breaks at step ")
        yield (
            "pathway that loses steps",
            broken.pathway.uid,
            broken.pathway.title,
            f"loses {gone}",
            breaks or "what is left hangs together",
        )
    for procedure in lost.idle:
        yield ("QA left without subject", procedure.uid, procedure.title, "", "")
    for procedure in lost.narrowed:
        yield ("QA that loses part of its subject", procedure.uid, procedure.title, "", "")


def _event_rows(event: AtEvent) -> Iterator[Row]:
    for one in event.tested:
        told = "; ".join(f"{p.uid} {p.title}" for p in one.at[event.event])
        yield (f"QA at {event.event}", one.uid, one.title, told, "")
    for one in event.untested:
        yield (f"gap at {event.event}", one.uid, one.title, one.kind, "no QA")


def _uids(connections: Iterable[Connection]) -> str:
    return "; ".join(c.uid for c in connections)


def event_sheet(department: Department, rows: Iterable[EventRow], title: str) -> Sheet:
    """List connections or pathways, one per row, with their QA procedures at each event."""
    return Sheet(
        title,
        EVENT_HEADINGS,
        [
            (
                one.kind,
                one.uid,
                one.title,
                one.responsible,
                *("; ".join(p.uid for p in one.at[event]) for event in Event),
                "" if one.covered else "no QA at all",
            )
            for one in rows
        ],
        {"project": department.project},
    )


def at_event_sheet(department: Department, events: Iterable[AtEvent]) -> Sheet:
    """List what is tested and what is not at each event, one thing per row."""
    rows = [
        (
            event.event.value,
            one.kind,
            one.uid,
            one.title,
            "; ".join(p.uid for p in one.at[event.event]) or "no QA",
        )
        for event in events
        for one in (*event.tested, *event.untested)
    ]
    return Sheet("QA by event", AT_EVENT_HEADINGS, rows, {"project": department.project})


def outside_uid(outside: Outside) -> str:
    """Return a record of another project as it is written in a file."""
    return f"{outside.project}/{outside.uid}"
