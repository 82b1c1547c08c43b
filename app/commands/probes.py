"""Commands that probe the DICOM listeners of the map, and hold a destination list against it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.console import WITH_FAULTS, AsJson, AsPerson, acting, installation, say
from app.commands.flows import ProjectKey

Connections = Annotated[
    list[str] | None, typer.Argument(metavar="[CONNECTION]...", help="Uids; all that may be.")
]


def probe(
    person: AsPerson,
    connections: Connections = None,
    project: ProjectKey = "DEPT",
    as_json: AsJson = False,
) -> None:
    """Probe the DICOM associations of some connections, or of all that may be probed."""
    from app.worker import see_through
    from core.errors import Conflict, Refused
    from core.jobs.service import find_job
    from core.records.service import find_project
    from dataflows.probing import service
    from dataflows.service import read_department

    with installation() as opened:
        by = acting(opened, person)
        with opened.database.writing() as session:
            found = find_project(session, project)
            if not by.has(found.id or 0, *service.MAY_PROBE):
                raise Refused(
                    f"{by.name} may not probe; that needs {', '.join(service.MAY_PROBE)}."
                )
            department = read_department(session, project, by)
            job = service.ask(session, found, department, connections or (), by, opened.settings)
            number, uids = job.id or 0, list(job.payload["connections"])
        state = see_through(opened.database, opened.settings, number)
        with opened.database.reading() as session:
            error = find_job(session, number).error
            if state != "done":
                raise Conflict(f"Job {number} ended as {state}. {error}".strip())
            found = find_project(session, project)
            department = read_department(session, project, by)
            standings = service.standings_of(session, found, department, opened.settings, *uids)
            rows = [_told(one) for one in standings]
    lines = [
        f"{row['connection']} {row['number']} {row['role']}: {row['result']}. {row['why']}"
        for row in rows
    ]
    say(rows, as_json, "\n".join(lines))
    if any(row["outcome"] != "ok" for row in rows):
        raise typer.Exit(WITH_FAULTS)


def _told(one: Any) -> dict[str, Any]:
    question, last = one.asked.question, one.last
    return {
        "connection": one.asked.connection.uid,
        "number": one.asked.number,
        "role": question.role,
        "calling_ae": question.calling_ae,
        "called_ae": question.called_ae,
        "host": question.host,
        "port": question.port,
        "outcome": one.outcome,
        "result": one.word,
        "why": one.why,
        "took_ms": last.took_ms if last else None,
        "probed_at": last.probed_at.isoformat() if last else None,
        "person": last.person if last else None,
        "tool": last.tool if last else None,
    }


def drift(
    system: Annotated[str, typer.Argument(help="Uid of the system whose list it is.")],
    file: Annotated[Path, typer.Argument(help="Its destination list, CSV or JSON.")],
    person: AsPerson,
    project: ProjectKey = "DEPT",
    as_json: AsJson = False,
) -> None:
    """Import the destination list of a system and tell what differs from the map."""
    from core.errors import Invalid, Refused
    from core.records.service import find_project
    from core.records.types import get_registry
    from dataflows.probing import drifting
    from dataflows.probing.sheets import drift_sheet
    from dataflows.service import read_department

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error
    with installation() as opened:
        by = acting(opened, person)
        with opened.database.writing() as session:
            found = find_project(session, project)
            authors = get_registry().of("connection").authors
            if not by.has(found.id or 0, *authors):
                raise Refused(f"{by.name} may not import; that needs {', '.join(authors)}.")
            department = read_department(session, project, by)
            kept = drifting.import_list(session, found, department, system, file.name, content, by)
            report = drifting.report(department, kept)
            sheet = drift_sheet(department, report.drift, f"Destinations of {system}")
            number = kept.id
    rows = [dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows]
    lines = [
        " ".join(str(cell) for cell in row if cell not in ("", None))
        for row in sheet.rows
        if row[0] != "same"
    ]
    told = {"list": number, "told": report.drift.told, "endpoints": rows}
    say(told, as_json, "\n".join([f"List {number}: {report.drift.told}", *lines]))
    if not report.drift.is_none:
        raise typer.Exit(WITH_FAULTS)
