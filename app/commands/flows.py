"""Commands about the department map."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.console import AsJson, acting, installation, say, tell, write_bytes

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.exports import Sheet
    from core.people.actor import Actor
    from dataflows.inventory import Department

flows = typer.Typer(help="The department map.", no_args_is_help=True)

ProjectKey = Annotated[str, typer.Option("--project", help="Key of the project with the map.")]
Level = Annotated[str, typer.Option(help="0 for major systems, 'all' for every part.")]
Form = Annotated[str, typer.Option("--format", help="csv, json, html or xlsx.")]


@contextmanager
def _reading(project: str) -> Iterator[tuple["Session", "Department"]]:
    from dataflows.service import read_department

    with installation() as opened, opened.database.reading() as session:
        yield session, read_department(session, project, _reader())


def _reader() -> "Actor":
    """Whoever may read the database file may read every project in it."""
    from core.people.actor import Actor

    return Actor(0, "command line", "", {None: frozenset({"viewer"})})


@contextmanager
def _map(project: str) -> Iterator["Department"]:
    with _reading(project) as (_, department):
        yield department


def _print(sheet: "Sheet", form: str) -> None:
    from core.exports import export

    write_bytes(export(sheet, form)[0])


@flows.command("matrix")
def matrix(project: ProjectKey = "DEPT", level: Level = "0", form: Form = "csv") -> None:
    """Export the data transfer matrix at a level."""
    from dataflows.matrix import matrix_of
    from dataflows.sheets import matrix_sheet
    from dataflows.views import Selection, choose

    with _map(project) as department:
        shown = choose(department, Selection(level=level))
        _print(matrix_sheet(department, matrix_of(department, shown.view), shown.title), form)


@flows.command("diagram")
def diagram(
    project: ProjectKey = "DEPT",
    level: Level = "0",
    focus: Annotated[str, typer.Option(help="Uid of a system or pathway.")] = "",
    colour: Annotated[str, typer.Option(help="category, qa, status or risk.")] = "category",
    renderer: Annotated[str, typer.Option(help="graphviz, or plantuml: the server named.")] = (
        "graphviz"
    ),
    form: Annotated[str, typer.Option("--format", help="svg, dot or plantuml.")] = "svg",
) -> None:
    """Draw the map: SVG by Graphviz or a PlantUML server, or its DOT or PlantUML text."""
    from core.errors import Invalid
    from core.settings import get_settings
    from dataflows.diagram import to_dot, to_plantuml
    from dataflows.plantuml.server import draw_now
    from dataflows.qatrack.queries import states_on
    from dataflows.render import draw
    from dataflows.render import renderer as graphviz_renderer
    from dataflows.tones import ColourBy
    from dataflows.views import Selection, choose

    for said, known in (
        (form, ("svg", "dot", "plantuml")),
        (renderer, ("graphviz", "plantuml")),
        (colour, tuple(ColourBy)),
    ):
        if said not in known:
            raise Invalid(f"There is no '{said[:20]}' here; there are {', '.join(known)}.")
    selection = Selection(level, ColourBy(colour), focus)
    with _reading(project) as (session, department):
        drawn = choose(department, selection).picture(department, states_on(session, department))
    if form != "svg":
        write_bytes((to_plantuml(drawn) if form == "plantuml" else to_dot(drawn)).encode())
        return
    if renderer == "plantuml":
        found = draw_now(to_plantuml(drawn), get_settings())
        svg, by = found.svg, found.renderer
    else:
        svg, by = draw(to_dot(drawn)), graphviz_renderer()
    typer.echo(f"Drawn by {by}.", err=True)
    write_bytes(svg.encode())


@flows.command("coverage")
def covered(
    project: ProjectKey = "DEPT",
    by: Annotated[str, typer.Option(help="gaps, connection, pathway, event or failure.")] = "gaps",
    form: Form = "csv",
) -> None:
    """List what no QA procedure controls, the QA by event, or failure modes with their QA."""
    from core.errors import Invalid
    from dataflows.coverage import coverage
    from dataflows.planning.by import BY, coverage_by_sheet
    from dataflows.planning.failure_modes import failure_modes, failure_sheet
    from dataflows.planning.service import read_map, statuses
    from dataflows.qatrack.queries import standings_on
    from dataflows.sheets import coverage_sheet

    chosen = next((name for name, _ in BY if name == by), None)
    if chosen is None:
        raise Invalid(f"Coverage is told by {', '.join(dict(BY))}, not by '{by[:20]}'.")
    with installation() as opened, opened.database.reading() as session:
        read = read_map(session, project, _reader())
        department = read.department
        if chosen == "gaps":
            found, standings = coverage(department), standings_on(session, department)
            _print(coverage_sheet(department, found, standings), form)
        elif chosen == "failure":
            modes = failure_modes(read.snapshot, department)
            qa = statuses(session, department, {uid for one in modes for uid in one.controls})
            _print(failure_sheet(department, modes, qa), form)
        else:
            _print(coverage_by_sheet(department, chosen), form)


@flows.command("impact")
def touched(
    system: Annotated[str, typer.Argument(help="Uid of a system or connection.")],
    project: ProjectKey = "DEPT",
    purpose: Annotated[
        str, typer.Option("--for", help="upgrade, replace, retire or qa.")
    ] = "upgrade",
    form: Form = "csv",
    as_json: AsJson = False,
) -> None:
    """List what a change of a system touches, for what is planned."""
    from dataflows.planning import service
    from dataflows.planning.plan import purpose_named
    from dataflows.planning.sheets import plan_sheet
    from dataflows.planning.told import plan_told

    chosen = purpose_named(purpose)
    with installation() as opened, opened.database.reading() as session:
        read = service.read_map(session, project, _reader())
        made = service.plan(session, read, system, chosen)
        if as_json:
            say(plan_told(read.department, made).model_dump(mode="json"), as_json, "")
        else:
            _print(plan_sheet(read.department, made), form)


@flows.command("pack")
def pack(
    system: Annotated[str, typer.Argument(help="Uid of a system.")],
    output: Annotated[Path, typer.Option("-o", help="The zip file to make.")],
    project: ProjectKey = "DEPT",
    purpose: Annotated[
        str, typer.Option("--for", help="upgrade, replace, retire or qa.")
    ] = "upgrade",
    as_json: AsJson = False,
) -> None:
    """Build the change-impact pack of a system: picture, tables, print and page to sign."""
    from core.blobs import BlobStore
    from dataflows.planning.pack.build import build, record
    from dataflows.planning.plan import purpose_named
    from dataflows.planning.service import readable_to

    chosen = purpose_named(purpose)
    with installation() as opened:
        with opened.database.reading() as session:
            readable = readable_to(session, _reader())
            contents, data = build(
                session,
                project,
                system,
                chosen,
                readable,
                lambda done, total, text: tell(f"{done}/{total} {text}"),
            )
        stored = BlobStore(opened.settings.data_dir.resolve() / "blobs").put(data)
        with opened.database.writing() as session:
            record(session, contents, stored, readable, None)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    told = {"file": str(output), "sha256": stored.sha256, "model": contents.origin.model}
    say(told, as_json, f"{output}\nSHA-256 {stored.sha256}\nMap {contents.origin.model}")


@flows.command("counts")
def counts(project: ProjectKey = "DEPT", as_json: AsJson = False) -> None:
    """Count systems and routes, collapsed and expanded."""
    from dataflows.views import Selection, choose

    found, lines = [], []
    with _map(project) as department:
        for level in ("0", "all"):
            view = choose(department, Selection(level=level)).view
            categories = dict(
                sorted(Counter(route.category.value for route in view.routes).items())
            )
            systems, routes = len(view.systems), len(view.routes)
            found.append(
                {"level": level, "systems": systems, "routes": routes, "categories": categories}
            )
            told = ", ".join(f"{number} {name}" for name, number in categories.items())
            lines.append(f"level {level}: {systems} systems, {routes} routes ({told})")
    say(found, as_json, "\n".join(lines))


@flows.command("diff")
def diff(
    before: Annotated[str, typer.Option("--from", help="A day, a time, or 'baseline 3'.")],
    after: Annotated[str, typer.Option("--to", help="The same, or today.")] = "today",
    project: ProjectKey = "DEPT",
    form: Annotated[str, typer.Option("--format", help="csv, json, html, xlsx or pdf.")] = "",
) -> None:
    """Say what changed on the map between two days or baselines; exit 1 when anything did.

    Words that went stand as [-went-], words that came as {+came+}.
    """
    from core.records.service import find_project
    from dataflows.history.service import compared, sheet

    with installation() as opened, opened.database.reading() as session:
        found = compared(session, find_project(session, project), before, after)
    tell(f"{found.before} to {found.after}: {len(found.lines)} changes.")
    if form:
        _print(sheet(found, project), form)
    elif found.lines:
        say(None, False, "\n".join(map(str, found.lines)))
    raise typer.Exit(1 if found.lines else 0)


def update_map(path: Path, into: str, person: str, dry_run: bool, as_json: bool) -> None:
    """Bring a department file back: create what is new, change what differs, or tell it only."""
    from core.errors import Invalid
    from core.records.service import find_project
    from dataflows.interchange.planning import NOTHING
    from dataflows.interchange.service import keep_import, plan_import, read_file

    if not path.is_file():
        raise Invalid(f"{path} is no file.")
    with installation() as opened:
        found = read_file(path.read_bytes(), path.name, into)
        by = acting(opened, person)
        if dry_run:
            with opened.database.reading() as session:
                plan = plan_import(session, find_project(session, into), found, by)
        else:
            with opened.database.writing() as session:
                project = find_project(session, into)
                plan = keep_import(session, project, found, by, f"Imported from {path.name}.")
        told: list[dict[str, Any]] = [
            {
                "uid": one.draft.uid,
                "verdict": one.verdict.value,
                "changes": [difference.label for difference in one.differences],
                "note": one.note,
            }
            for one in plan.planned
        ]
    if plan.faults:
        raise Invalid(NOTHING, plan.faults)
    lines = [
        f"{one['verdict']:<9} {one['uid']}  {', '.join(one['changes'])}  {one['note']}".rstrip()
        for one in told
        if one["verdict"] != "unchanged"
    ]
    lines.append(f"{plan.sentence}; nothing was kept." if dry_run else f"{plan.outcome}.")
    say({"kept": not dry_run, "records": told}, as_json, "\n".join(lines))
