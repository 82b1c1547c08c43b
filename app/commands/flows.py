"""Commands about the department map."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.console import AsJson, installation, say, write_bytes

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.exports import Sheet
    from dataflows.inventory import Department

flows = typer.Typer(help="The department map.", no_args_is_help=True)

ProjectKey = Annotated[str, typer.Option("--project", help="Key of the project with the map.")]
Level = Annotated[str, typer.Option(help="0 for major systems, 'all' for every part.")]
Form = Annotated[str, typer.Option("--format", help="csv, json, html or xlsx.")]


@contextmanager
def _reading(project: str) -> Iterator[tuple["Session", "Department"]]:
    from core.people.actor import Actor
    from dataflows.service import read_department

    # Whoever may read the database file may read every project in it.
    reader = Actor(0, "command line", "", {None: frozenset({"viewer"})})
    with installation() as opened, opened.database.reading() as session:
        yield session, read_department(session, project, reader)


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
def covered(project: ProjectKey = "DEPT", form: Form = "csv") -> None:
    """List what no QA procedure controls, and how the QA in QATrack+ stands."""
    from dataflows.coverage import coverage
    from dataflows.qatrack.queries import standings_on
    from dataflows.sheets import coverage_sheet

    with _reading(project) as (session, department):
        found, standings = coverage(department), standings_on(session, department)
        _print(coverage_sheet(department, found, standings), form)


@flows.command("impact")
def touched(
    system: Annotated[str, typer.Argument(help="Uid of a system or connection.")],
    project: ProjectKey = "DEPT",
    form: Form = "csv",
) -> None:
    """List what a change of a system touches, in the order of the pathways."""
    from dataflows.service import impact
    from dataflows.sheets import impact_sheet

    with _map(project) as department:
        _print(impact_sheet(department, impact(department, system)), form)


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
