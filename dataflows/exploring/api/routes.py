"""The views of the map as programs see them: the same answers as the pages give."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from core.web import CurrentPerson, ProjectInPath, ReadSession
from core.web.transaction import settings_of
from dataflows import service
from dataflows.exploring.scene import Scene
from dataflows.exploring.service import explore
from dataflows.frame import LONGEST, WINDOW, View, Window
from dataflows.matrix import Cell, Emptiness, matrix_of
from dataflows.render import DrawingStore
from dataflows.tones import ColourBy
from dataflows.views import choose

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])


class AskedView(BaseModel):
    """Which part of the map: as the addresses of its pages say it."""

    level: str = Field(default="0", max_length=10)
    focus: str = Field(default="", max_length=80)
    open: str = Field(default="", max_length=LONGEST)
    close: str = Field(default="", max_length=LONGEST)
    drafts: bool = False

    @property
    def view(self) -> View:
        """The same as a page is asked."""
        return View.model_validate(self.model_dump())


class AskedScene(AskedView):
    """And what the colour of a line says."""

    colour: ColourBy = ColourBy.CATEGORY


class AskedWindow(AskedView):
    """And which window of the matrix."""

    size: int = Field(default=WINDOW, ge=10, le=200)
    row: int = Field(default=1, ge=1, le=1_000_000)
    column: int = Field(default=1, ge=1, le=1_000_000)


class RouteTold(BaseModel):
    """The connections of one category in a cell."""

    category: str
    connections: tuple[str, ...]


class CellTold(BaseModel):
    """A cell that says something: routes, what is inside one system, or that none is intended."""

    source: str
    target: str
    routes: tuple[RouteTold, ...] = ()
    inside: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    without_qa: tuple[str, ...] = ()
    none_intended: bool = False


class MatrixTold(BaseModel):
    """A window of the transfer matrix; a pair without a cell has not been surveyed.

    Attributes
    ----------
    systems, total : int
        Of the whole matrix, not of this window.
    """

    title: str
    systems: int
    total: int
    by_category: dict[str, int]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[CellTold, ...]


@router.get("/scene")
def read_scene(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    asked: Annotated[AskedScene, Query()],
) -> Scene:
    """Return a picture of the map as values: boxes with places, lines with facts, legend."""
    store = DrawingStore(settings_of(request).data_dir)
    return explore(session, store, project.key, person, asked.view).scene


@router.get("/matrix")
def read_matrix(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    asked: Annotated[AskedWindow, Query()],
) -> MatrixTold:
    """Return a window of the transfer matrix: the cells that say something."""
    department = service.read_department(session, project.key, person, drafts=asked.drafts)
    shown = choose(department, asked.view.selection)
    systems = len(shown.view.systems)
    down, across = (Window(number, asked.size, systems) for number in (asked.row, asked.column))
    matrix = matrix_of(department, shown.view, down.slice, across.slice)
    told = (_told(cell) for cell in matrix.cells.values())
    return MatrixTold(
        title=shown.title,
        systems=systems,
        total=matrix.total,
        by_category={category.value: number for category, number in matrix.by_category.items()},
        rows=matrix.rows,
        columns=matrix.columns,
        cells=tuple(cell for cell in told if cell.routes or cell.inside or cell.none_intended),
    )


def _told(cell: Cell) -> CellTold:
    return CellTold(
        source=cell.source,
        target=cell.target,
        routes=tuple(
            RouteTold(category=one.category.value, connections=one.connections)
            for one in cell.routes
        ),
        inside=cell.hidden,
        procedures=cell.procedures,
        without_qa=cell.uncovered,
        none_intended=cell.emptiness is Emptiness.NONE_INTENDED,
    )
