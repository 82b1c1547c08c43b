"""The tables of the map as rows: what a page shows and what an export holds are the same rows."""

from collections.abc import Iterable, Mapping, Sequence

from core.exports import Sheet
from core.records.snapshot import natural_order
from dataflows.coverage import Coverage
from dataflows.exploring.scene import Scene
from dataflows.graph import Route
from dataflows.inventory import Connection, Department, Pathway
from dataflows.matrix import Matrix, to_rows
from dataflows.pathways import faults, walk
from dataflows.qatrack.standing import Standing, State, worst_first
from dataflows.tones import Paint, priority_word
from dataflows.views import Shown

Row = Sequence[str | int | float | None]

CONNECTION_HEADINGS = (
    "Connection", "From", "From system", "To", "To system", "Category", "Protocol", "Data types",
    "Started by", "Mode", "Responsible", "Status", "QA procedures",
)  # fmt: skip
ROUTE_HEADINGS = (
    "Connections", "Steps", "From", "To", "Category", "With QA", "Of connections", "QA status",
    "Highest action priority",
)  # fmt: skip
SCENE_HEADINGS = (
    "Connections", "From", "To", "Category", "Data types", "With QA", "Of connections",
    "QA status", "Highest action priority",
)  # fmt: skip
PATHWAY_HEADINGS = ("Pathway", "Title", "Modality", "Steps", "Entries", "Faults", "QA procedures")
STEP_HEADINGS = (
    "Step", "Connection", "From", "To", "Category", "Data types", "Entry", "QA procedures",
    "Faults",
)  # fmt: skip
COVERAGE_HEADINGS = (
    "Kind", "Id", "What", "From", "To", "Responsible", "Controls", "QA status", "Due",
    "Last result",
)  # fmt: skip


def routes_sheet(
    department: Department, shown: Shown, states: Mapping[str, State] | None = None
) -> Sheet:
    """List the routes of a view, one per row: what the table beside the picture shows."""
    paint = Paint(shown.selection.colour, states or {})
    rows: list[Row] = []
    for route in shown.view.routes:
        connections = route.connections
        words = (shown.labels.get(uid, "") for uid in connections) if shown.labels else ()
        rows.append(
            (
                " ".join(connections),
                "; ".join(filter(None, words)),
                route.source,
                route.target,
                route.category.value,
                sum(uid in department.qa_of_connection for uid in connections),
                len(connections),
                paint.status_word(department, connections),
                priority_word(department, connections),
            )
        )
    return Sheet(shown.title, ROUTE_HEADINGS, rows, about(department))


def inside(department: Department, shown: Shown) -> list[Route]:
    """Return the connections that no line of a view shows: both their ends lie in one box."""
    every = sorted((c for held in shown.view.hidden.values() for c in held), key=natural_order)
    found = (department.connections[uid] for uid in every)
    return [Route(one.source, one.target, one.category, (one.uid,)) for one in found]


def scene_sheet(department: Department, scene: Scene) -> Sheet:
    """List the lines of the exploratory picture, one per row."""
    rows = [
        (
            " ".join(line.connections),
            line.source_uid,
            line.target_uid,
            line.category,
            "; ".join(line.data),
            line.with_qa,
            len(line.connections),
            line.status,
            line.risk,
        )
        for line in scene.lines
    ]
    return Sheet(scene.title, SCENE_HEADINGS, rows, about(department))


def connections_sheet(
    department: Department, connections: Iterable[Connection], title: str
) -> Sheet:
    """List the connections given, one per row."""
    return Sheet(
        title,
        CONNECTION_HEADINGS,
        [connection_row(department, c) for c in connections],
        about(department),
    )


def connection_row(department: Department, connection: Connection) -> Row:
    """Return one connection as cells."""
    source = department.systems[connection.source]
    target = department.systems[connection.target]
    return (
        connection.uid, source.uid, source.title, target.uid, target.title,
        connection.category.value, connection.protocol, "; ".join(connection.data_types),
        connection.trigger, connection.mode, connection.responsible, connection.status.value,
        "; ".join(department.qa_of_connection.get(connection.uid, ())),
    )  # fmt: skip


def matrix_sheet(department: Department, matrix: Matrix, title: str) -> Sheet:
    """Lay the matrix out as it is shown: sending systems down, receiving systems across."""
    headings, *rows = to_rows(matrix)
    return Sheet(title, headings, rows, about(department))


def pathways_sheet(department: Department, title: str) -> Sheet:
    """List the pathways, one per row."""
    rows = [
        (
            pathway.uid,
            pathway.title,
            pathway.modality,
            len(pathway.steps),
            sum(step.entry for step in pathway.steps),
            "; ".join(str(step) for step in faults(department, pathway)),
            "; ".join(department.qa_of_pathway.get(pathway.uid, ())),
        )
        for pathway in department.pathways.values()
    ]
    return Sheet(title, PATHWAY_HEADINGS, rows, about(department))


def pathway_sheet(department: Department, pathway: Pathway) -> Sheet:
    """List the steps of a pathway, one per row."""
    rows = [
        (
            step.number,
            step.uid,
            step.connection.source if step.connection else "",
            step.connection.target if step.connection else "",
            step.connection.category.value if step.connection else "",
            "; ".join(step.connection.data_types) if step.connection else "",
            "entry" if step.entry else "",
            "; ".join(department.qa_of_connection.get(step.uid, ())),
            "; ".join(fault.value for fault in step.faults),
        )
        for step in walk(department, pathway)
    ]
    return Sheet(f"{pathway.uid} {pathway.title}", STEP_HEADINGS, rows, about(department))


def coverage_sheet(
    department: Department, found: Coverage, standings: Mapping[str, Standing]
) -> Sheet:
    """List everything without QA, one per row, and how the QA in QATrack+ stands."""
    rows: list[Row] = []
    for kind, connections in (
        ("connection between systems", found.external),
        ("connection inside a system", found.internal),
    ):
        rows += [(kind, c.uid, c.title, c.source, c.target, c.responsible) for c in connections]
    rows += [("pathway", p.uid, p.title, "", "", "") for p in found.pathways]
    rows += [("procedure that controls nothing", p.uid, p.title, "", "", "") for p in found.idle]
    rows = [(*row, "", "", "", "") for row in rows]
    for uid, standing in worst_first(standings):
        one, worst = department.procedures[uid], standing.worst
        rows.append(
            (
                "QA procedure in QATrack+", uid, one.title, "", "", "",
                "; ".join((*one.connections, *one.pathways)),
                " ".join(filter(None, [standing.words, standing.reason])),
                worst.due_on.isoformat() if worst and worst.due_on else "",
                worst.result.value if worst else "",
            )
        )  # fmt: skip
    return Sheet("QA coverage", COVERAGE_HEADINGS, rows, about(department))


def about(department: Department) -> Mapping[str, str]:
    """Say where a table comes from."""
    return {"project": department.project}
