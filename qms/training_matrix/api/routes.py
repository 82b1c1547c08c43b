"""Who is trained on what, as programs read it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from core.web import ProjectInPath, ReadSession
from qms.training_matrix.matrix import Cell, Row, Standing
from qms.training_matrix.routes import View, shown_rows
from qms.training_matrix.service import training_matrix

router = APIRouter(prefix="/api/p/{project}/training", tags=["api"])


class DocumentTold(BaseModel):
    """A document that some role asks for; without a revision none is in force."""

    model_config = ConfigDict(from_attributes=True)

    document: str
    title: str
    revision: int | None
    since: date | None
    roles: list[str]


class CellTold(BaseModel):
    """How one person stands to one document, and the record of the training that says so."""

    document: str
    standing: Standing
    lacks: bool
    detail: str
    training: str
    roles: list[str]


class MemberTold(BaseModel):
    """One person of the project."""

    model_config = ConfigDict(from_attributes=True)

    uid: str
    name: str
    roles: list[str]


class PersonTold(MemberTold):
    """One person against every document."""

    lacks: bool
    cells: list[CellTold]


class ChangedDocument(BaseModel):
    """A document whose present revision somebody still has to be trained on."""

    document: str
    before: int
    revision: int | None
    people: list[MemberTold]


class TrainingTold(BaseModel):
    """The training matrix of a project; `matrix_at` is the record that says who needs what."""

    matrix_at: str
    documents: list[DocumentTold]
    people: list[PersonTold]
    changes: list[ChangedDocument]


@router.get("")
def read_training(
    project: ProjectInPath, session: ReadSession, view: Annotated[View, Query()]
) -> TrainingTold:
    """Return everybody against every document that a role asks for; filters as on the page."""
    matrix = training_matrix(session, project)
    return TrainingTold(
        matrix_at=matrix.matrix_at,
        documents=[DocumentTold.model_validate(one) for one in matrix.columns],
        people=[_person(row) for row in shown_rows(matrix, view)],
        changes=[
            ChangedDocument(
                document=one.column.document,
                before=one.before,
                revision=one.column.revision,
                people=[MemberTold.model_validate(member) for member in one.people],
            )
            for one in matrix.changes
        ],
    )


def _person(row: Row) -> PersonTold:
    member = row.member
    return PersonTold(
        uid=member.uid,
        name=member.name,
        roles=list(member.roles),
        lacks=row.lacks,
        cells=[_cell(one) for one in row.cells],
    )


def _cell(one: Cell) -> CellTold:
    return CellTold(
        document=one.column.document,
        standing=one.standing,
        lacks=one.lacks,
        detail=one.detail,
        training=one.training,
        roles=list(one.roles),
    )
