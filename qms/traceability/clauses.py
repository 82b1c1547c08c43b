"""The rows of a matrix that a clause concerns: those in which a record speaks to it."""

from dataclasses import replace

from sqlmodel import Session

from core.records.models import Project
from core.records.snapshot import Key
from qms.clauses.packs import clause_book
from qms.clauses.service import clause_file
from qms.traceability.matrix import Matrix


def is_listed(words: str) -> bool:
    """Whether some framework lists what was typed: `13485 7.3.3`, or a bare `7.3.3` in any."""
    return bool(clause_book().search(words))


def of_clause(session: Session, project: Project, matrix: Matrix, words: str) -> Matrix:
    """Return the matrix with the rows alone in which a record speaks to a clause.

    The record may be that of the row or stand in one of its cells, in force or not. What no
    framework lists has no row.
    """
    wanted = _speakers(session, project, matrix.release, words)
    rows = tuple(
        row
        for row in matrix.rows
        if row.record.key in wanted
        or any(entry.record.key in wanted for cell in row.cells.values() for entry in cell)
    )
    return replace(matrix, rows=rows)


def _speakers(session: Session, project: Project, release: str | None, words: str) -> set[Key]:
    file = clause_file(session, project, release)
    return {
        speaker.record.key
        for pointed in file.led("", words)
        for number in pointed.clauses
        for answer in (file.clause(pointed.framework, number),)
        for speaker in (*answer.in_force, *answer.drafts)
    }
