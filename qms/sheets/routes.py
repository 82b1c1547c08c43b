"""Rows of a spreadsheet as records: sent, judged on the page, corrected there, imported at once."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import UploadFile

from core.errors import Conflict, Fault, FiducialError, Invalid
from core.people.actor import Actor
from core.records.models import Project
from core.records.sheets.corrections import corrected
from core.records.sheets.grid import NOT_READ, Grid, read_grid
from core.records.type_shape import RecordType
from core.records.writers import require_author
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    readable_projects,
    say,
)
from core.web.answers import NEEDS_ROLE
from core.web.receiving import ArrivedForm
from core.web.refusals import refuse_within, status_of
from qms.sheets import service
from qms.sheets.reading import LARGEST_FILE, Read, read_file
from qms.sheets.rows import Row
from qms.sheets.service import Preview, Table

router = APIRouter(prefix="/p/{project}/sheets", tags=["rows of spreadsheets"])

EDITABLE_ROWS = 50
"""Faulty rows that can be corrected at once; the rest come up when these are done."""

LEFT_OUT = "-"
"""What a column is that is passed over."""

LONG_CELL = 60
"""Characters from which a cell is corrected in a field of several lines."""

SEEN_AT = {"risk": "risks"}
"""Where what was imported is seen; other types in the list of records."""

OWN_FORM: dict[str, Any] = {
    "requestBody": {
        "description": "A file, or the table with its corrections and the button that was pressed.",
        "content": {
            kind: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
            for kind in ("multipart/form-data", "application/x-www-form-urlencoded")
        },
    }
}


@router.get("/{type_name}", responses=NEEDS_ROLE)
def show_form(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,  # noqa: ARG001 - the page of a project is read in one
    type_name: str,
) -> HTMLResponse:
    """Show the form for a spreadsheet of records of a type."""
    record_type = service.sheet_type(type_name)
    require_author(record_type, project, person)
    return _page(request, project, record_type, {})


@router.post("/{type_name}", openapi_extra=OWN_FORM)
def take(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    type_name: str,
    posted: ArrivedForm,
) -> Response:
    """Judge a table, or import it; faulty rows stay on the page to be corrected."""
    record_type = service.sheet_type(type_name)
    sent = {name: one for name, one in posted.items() if isinstance(one, str)}
    asking = _Asking(session, project, record_type, person)
    found: Preview | None = None
    table: Table | None = None
    try:
        require_author(record_type, project, person)
        table, read = asking.table(posted.get("file"), sent)
        if read.sheet:
            sent |= {"sheet": read.sheet, "others": "; ".join(read.others)}
            sent["hidden"] = ", ".join(map(str, read.hidden))
        if sent.get("action") == "keep":
            return asking.keep(table, sent.get("seen", ""))
        found = asking.preview(table)
        # What was judged took numbers that nothing has yet.
        session.rollback()
    except FiducialError as refusal:
        refuse_within(request, session, request.url.path, refusal)
        if table is not None and isinstance(refusal, Invalid | Conflict):
            found = asking.again(table)
        return _page(request, project, record_type, sent, found, refusal)
    return _page(request, project, record_type, sent, found)


class _Asking:
    """What one request asks of the service."""

    def __init__(
        self, session: Session, project: Project, record_type: RecordType, person: Actor
    ) -> None:
        self.session, self.project, self.type, self.person = session, project, record_type, person
        self.readable = {one.key for one in readable_projects(session, person)}

    def table(self, file: str | UploadFile | None, sent: Mapping[str, str]) -> tuple[Table, Read]:
        """Return the table of a file that was sent, or else of the form."""
        if isinstance(file, UploadFile) and file.filename:
            data = file.file.read(LARGEST_FILE + 1)
            judge = service.judge_for(self.session, self.project, self.type, self.person)
            read = read_file(data, file.filename, lambda names: judge.headings(names, {}).known)
            return Table(read.grid, {}, read.shown), read
        if not sent.get("text", "").strip():
            fault = Fault("file", "File", "was not sent.", "Choose a workbook or a CSV.")
            raise Invalid(NOT_READ, [fault])
        top = sent.get("top", "")
        first = int(top) if top.isdecimal() and len(top) < 6 else 1
        # A page that shows a table writes it with tabs, even where it has one column only.
        grid = read_grid(sent["text"], first, "\t" if sent.get("tabs") else "")
        return Table(corrected(grid, sent), _chosen(grid, sent)), Read(grid)

    def preview(self, table: Table) -> Preview:
        """Judge a table."""
        return service.preview(
            self.session, self.project, self.type, table, self.person, self.readable
        )

    def again(self, table: Table) -> Preview | None:
        """Judge a table whose import was refused; None where it could not even be judged."""
        try:
            found = self.preview(table)
        except FiducialError:
            return None
        self.session.rollback()
        return found

    def keep(self, table: Table, seen: str) -> Response:
        """Import a table and lead to what it made."""
        key, kind = self.project.key, self.type
        done, number = service.keep(
            self.session, self.project, kind, table, self.person, seen, self.readable
        )
        at = SEEN_AT.get(kind.name, f"records?type={kind.name}")
        response = RedirectResponse(f"/p/{key}/{at}", status_code=303)
        say(response, _done(done, number))
        return response


def _done(found: Preview, baseline: int | None) -> str:
    kind = found.judge.record_type
    count = found.created + found.changed
    parts = [f"{found.created} created", f"{found.changed} changed"]
    told = f"Imported {count} {(kind.label if count == 1 else kind.plural).lower()} as drafts: "
    told += ", ".join(parts)
    if found.controls:
        count = len(found.controls)
        told += f"; {count} control{'' if count == 1 else 's'} linked, also as drafts"
    told += f". What was in force is baseline {baseline}." if baseline else "."
    return told


def _chosen(grid: Grid, sent: Mapping[str, str]) -> dict[int, str]:
    """Return what each column was chosen to be, by its place; `-` leaves it out."""
    found = {}
    for place in range(len(grid.headings)):
        said = sent.get(f"column.{place}", "")
        if said:
            found[place] = said
    return found


def _page(
    request: Request,
    project: Project,
    record_type: RecordType,
    sent: Mapping[str, str],
    found: Preview | None = None,
    error: FiducialError | None = None,
) -> HTMLResponse:
    judged = found.judged if found else None
    editable = judged.faulty[:EDITABLE_ROWS] if judged else ()
    return page(
        request,
        "qms/sheets/sheet.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Risks" if record_type.name in SEEN_AT else "Record",
        type=record_type,
        known=service.columns_read(record_type),
        back=SEEN_AT.get(record_type.name, f"records?type={record_type.name}"),
        sent=sent,
        found=found,
        judged=judged,
        editable=editable,
        columns=_columns(found) if found else (),
        choices=_choices(found) if found else (),
        summary=[one for row in editable for one in _summary(found, row)] if found else (),
        label_of=lambda place: _label_of(found, place),
        is_long=lambda cell: len(cell) > LONG_CELL or "\n" in cell,
        stale=isinstance(error, Conflict),
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) and found is None else (),
    )


def _columns(found: Preview) -> list[dict[str, Any]]:
    """Return each column of a table with what it means, and whether that is yet to be said."""
    headings, judged = found.judged.headings, found.judged
    open_places = {one.place for one in headings.unknown} | set(judged.unnamed)
    return [
        {
            "place": place,
            "heading": heading,
            "name": one.name if one else "" if place in open_places else LEFT_OUT,
            "open": place in open_places,
        }
        for place, (heading, one) in enumerate(
            zip(judged.grid.headings, headings.columns, strict=True)
        )
    ]


def _choices(found: Preview) -> list[tuple[str, str]]:
    named = sorted((one.label, one.name) for one in found.judge.by_name.values())
    return [(LEFT_OUT, "leave it out"), *((name, label) for label, name in named)]


def _label_of(found: Preview | None, place: int) -> str:
    if found is None:
        return ""
    column = found.judged.headings.columns[place]
    return (column.label if column else found.judged.grid.headings[place]) or f"Column {place + 1}"


def _summary(found: Preview, row: Row) -> list[tuple[str, str, str]]:
    """Return each fault of a row: the id of its field, where it is, and what is wrong."""
    return [
        (
            f"cell-{row.number}-{one.place}" if one.place is not None else f"row-{row.number}",
            f"Row {row.number}"
            + (f", {_label_of(found, one.place)}" if one.place is not None else ""),
            f"{one.fault.what} {one.fault.mend}".strip(),
        )
        for one in row.faults
    ]
