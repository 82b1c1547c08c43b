"""The training page: who is trained on which document, what is due, and the way to begin it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.web import CurrentPerson, ProjectInPath, ReadSession, page
from core.web.downloads import exported
from qms.training_matrix.matrix import Cell, Member, Row, Standing
from qms.training_matrix.service import TrainingMatrix, sheet, training_matrix

router = APIRouter(prefix="/p/{project}/training", tags=["quality record"])

TYPE = "training"
ALL, LACKS = "everybody", "anything missing"
FOR_OTHERS = ("author", "developer", "quality_manager", "trainer")
"""Who plans the training of others; everybody else begins their own."""


class View(BaseModel):
    """Which people are shown: of one role, and who stands in some way."""

    role: str = Field(default="", max_length=100)
    show: str = Field(default=ALL, max_length=50)

    def query(self, **changes: Any) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump(exclude_defaults=True) | changes
        return urlencode({name: value for name, value in asked.items() if value})

    @property
    def words(self) -> str:
        """What is shown, for an export."""
        return f"{self.show}, {self.role.replace('_', ' ') or 'every role'}"


@router.get("")
def show_training(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show everybody against every document that a role asks for."""
    matrix = training_matrix(session, project)
    shown = shown_rows(matrix, view)
    address = f"/p/{project.key}/training"
    own = matrix.of(person.uid)
    return page(
        request,
        "qms/training/training.html",
        project=project,
        nav="Record",
        matrix=matrix,
        rows=shown,
        own=[cell for cell in own.cells if cell.lacks] if own else [],
        view=view,
        address=address,
        filters=_filters(matrix, view, address),
        begin=_beginning(project, person),
        exports=[
            (name.upper(), f"{address}/export/{name}?{view.query()}")
            for name in forms_for(len(shown))
        ],
    )


@router.get("/export/{format_name}")
def export_training(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Export what the page shows."""
    matrix = training_matrix(session, project)
    table = sheet(project, matrix, shown_rows(matrix, view), view.words)
    return exported(table, format_name, f"{project.key}-training")


def shown_rows(matrix: TrainingMatrix, view: View) -> tuple[Row, ...]:
    """Return the people whom a view shows."""
    return tuple(
        row
        for row in matrix.rows
        if view.role in ("", *row.member.roles) and _stands(row, view.show)
    )


def _stands(row: Row, show: str) -> bool:
    if show in set(Standing):
        return row.has(Standing(show))
    return row.lacks if show == LACKS else True


def _filters(matrix: TrainingMatrix, view: View, address: str) -> list[tuple[str, int, str]]:
    """Return how many people of the chosen role each filter would show."""
    of_role = [row for row in matrix.rows if view.role in ("", *row.member.roles)]
    words = [ALL, LACKS, *(one.value for one in Standing if one is not Standing.NOT_ASKED)]
    return [
        (
            word,
            sum(_stands(row, word) for row in of_role),
            f"{address}?{view.query(show='' if word == ALL else word)}",
        )
        for word in words
    ]


def _beginning(project: Project, person: Actor) -> Any:
    """Return what leads to a training that is filled in, for whom this person may begin one."""
    writes = person.has(project.id or 0, *get_registry().of(TYPE).authors)
    others = person.has(project.id or 0, *FOR_OTHERS)

    def address(member: Member | Actor, cell: Cell) -> str:
        if not writes or not cell.can_be_begun or not (others or member.uid == person.uid):
            return ""
        column = cell.column
        given = {
            "title": f"{column.title or column.document}, revision {column.revision}",
            "outcome": "complete",
            "person": member.uid,
            "covers": column.document,
            "covers.revision": str(column.revision),
        }
        return f"/p/{project.key}/new/{TYPE}?{urlencode(given)}"

    return address
