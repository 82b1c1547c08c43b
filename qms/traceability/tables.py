"""The matrix as a plain table for export: the same rows, columns and words as the page. Pure."""

from collections.abc import Mapping, Sequence

from core.exports import Sheet
from qms.traceability.coverage import Outcome
from qms.traceability.matrix import Entry, Matrix, Row


def sheet(
    matrix: Matrix,
    rows: Sequence[Row],
    labels: Mapping[str, str],
    shown_as: str = "all",
    of: int | None = None,
) -> Sheet:
    """Return rows of a matrix as a table.

    Parameters
    ----------
    rows : sequence of Row
        The rows in the order shown.
    labels : mapping of str to str
        Record type to its label on the page.
    shown_as : str
        The filter in force, told with the table.
    of : int, optional
        How many rows there are without any filter; those of the matrix unless given.
    """
    judged = any(row.judgement.outcome is not Outcome.NONE for row in rows)
    label = labels.get(matrix.rows_type, matrix.rows_type)
    headings = [label, "Title", "Revision", "State"]
    headings += [column.label or labels.get(column.name, column.name) for column in matrix.columns]
    headings += ["Commits", *(["Verdict"] if judged else []), "Findings"]
    return Sheet(
        title=f"Trace {matrix.project}",
        headings=headings,
        rows=[_line(matrix, row, judged=judged) for row in rows],
        about={
            "Project": matrix.project,
            "Release": matrix.release or "none: latest runs",
            "Shown": shown_as,
            "Rows": f"{len(rows)} of {len(matrix.rows) if of is None else of}",
        },
    )


def _line(matrix: Matrix, row: Row, *, judged: bool) -> tuple[str | int, ...]:
    findings = "\n".join(f"{flag}: {sentence}" for flag, sentence in row.judgement.reasons)
    return (
        row.record.key.uid,
        row.record.title,
        row.record.revision,
        row.record.state.replace("_", " "),
        *("\n".join(_said(entry) for entry in row.cells[c.name]) for c in matrix.columns),
        "\n".join([str(row.code), *(f"needs re-review: {one.told}" for one in row.lines)])
        if row.lines
        else row.code,
        *([str(row.judgement.outcome)] if judged else []),
        findings,
    )


def _said(entry: Entry) -> str:
    """Say an entry as the page does: id, verdict, figures, and what needs re-review."""
    words = [entry.record.key.uid]
    if entry.verdict is not None:
        words.append(str(entry.verdict.word))
        if entry.verdict.detail:
            words.append(f"({entry.verdict.detail})")
    if entry.imported is not None and not (entry.verdict and entry.verdict.imported):
        words.append(f"({entry.imported.detail})")
    if entry.not_effective:
        words.append("control not effective")
    if entry.suspicions:
        words.append("needs re-review")
    return " ".join(words)
