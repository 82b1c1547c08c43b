"""One table as CSV, JSON, XLSX, HTML or PDF, so that every page exports exactly what it shows."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from types import MappingProxyType
from typing import Any

from core.clock import now
from core.errors import Fault, Invalid

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a CSV cell that begins so for a formula and runs it."""

WIDEST_COLUMN = 60
LONGEST_CELL = 32_767
"""The most characters that one XLSX cell holds."""

_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r"}

STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem;color:#212b32}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:0 1rem}
dd{margin:0;overflow-wrap:anywhere}
div{overflow-x:auto}
table{border-collapse:collapse;font-size:14px}caption{text-align:left;font-weight:600}
th,td{border-bottom:1px solid #d8dde0;padding:.3rem .6rem;text-align:left;vertical-align:top}
thead th{background:#f0f4f5}
@media print{div{overflow:visible}thead{display:table-header-group}tr{break-inside:avoid}}"""
"""How an exported page looks, inside the page itself; the service lets browsers use just this."""

PRINT_STYLE = """@page{size:A4 landscape;margin:14mm 12mm;
@bottom-right{content:counter(page) " of " counter(pages);font:8pt sans-serif}}
body{margin:0;font:9pt/1.35 sans-serif}table{font-size:8pt;width:100%;table-layout:fixed}
td,th{overflow-wrap:break-word}"""
"""What is added to it on paper."""

MOST_PRINTED = 500
"""Rows of a table that is printed in one request; the layout takes seconds."""

NARROWEST_PRINTED = 8
"""Characters that the narrowest column is given on paper."""


@dataclass(frozen=True)
class Sheet:
    """A table ready to leave the house.

    Attributes
    ----------
    title : str
        What the table shows.
    headings : sequence of str
        One per column.
    rows : sequence of sequence of str, int, float or None
        As many cells as there are headings.
    about : mapping of str to str
        Where it comes from: project, release, filter, time.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | int | float | None]]
    about: Mapping[str, str] = field(default_factory=dict)


def to_csv(sheet: Sheet) -> bytes:
    """Write CSV with a byte-order mark, which Excel needs to read it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_inert(heading) for heading in sheet.headings])
    writer.writerows([_inert(cell) for cell in row] for row in sheet.rows)
    return out.getvalue().encode("utf-8-sig")


def _inert(cell: str | int | float | None) -> str | int | float | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def to_json(sheet: Sheet) -> bytes:
    """Write one object per row, keyed by heading, beside where the table comes from."""
    value = {
        "title": sheet.title,
        "about": dict(sheet.about),
        "headings": list(sheet.headings),
        "rows": [dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows],
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def to_xlsx(sheet: Sheet) -> bytes:
    """Write one worksheet with a frozen, filtered heading; every text stays text."""
    # Here, not above: every process knows this module, few write a spreadsheet.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    page = book.create_sheet(_sheet_name(sheet.title))
    page.freeze_panes = "A2"
    for column, width in enumerate(_widths(sheet), start=1):
        page.column_dimensions[get_column_letter(column)].width = width
    page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.headings))}{len(sheet.rows) + 1}"
    headings = [WriteOnlyCell(page, value=heading) for heading in sheet.headings]
    for heading in headings:
        heading.font = Font(bold=True)
    page.append(headings)
    cell_of = partial(WriteOnlyCell, page)
    for row in sheet.rows:
        page.append([_cell(cell_of, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(cell_of: Callable[..., Any], value: str | int | float | None) -> object:
    if not isinstance(value, str):
        return value
    clean = value.translate(_CONTROL)[:LONGEST_CELL]
    if not clean.startswith("="):
        return clean
    cell = cell_of(value=clean)
    cell.data_type = "s"
    return cell


def _sheet_name(title: str) -> str:
    return "".join(char for char in title if char not in r"[]:*?/\'")[:31] or "Table"


def _widths(sheet: Sheet) -> list[int]:
    columns = zip(sheet.headings, *sheet.rows, strict=True)
    return [
        min(
            max(len(line) for cell in column for line in f"{cell or ''} ".split("\n")) + 2,
            WIDEST_COLUMN,
        )
        for column in columns
    ]


def to_html(sheet: Sheet) -> bytes:
    """Write one page that needs nothing else and prints with repeated headings."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in sheet.headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in sheet.rows
    )
    about = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in sheet.about.items()
    )
    title = escape(sheet.title)
    return (
        f'<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>\n<dl>{about}</dl>\n"
        f'<div role="region" tabindex="0" aria-label="{title}"><table>'
        f"<caption>{len(sheet.rows)} rows</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div></main></body></html>\n"
    ).encode()


def _html(cell: str | int | float | None) -> str:
    return "" if cell is None else escape(str(cell)).replace("\n", "<br>")


def to_pdf(sheet: Sheet) -> bytes:
    """Print the page of `to_html` on A4 across, headings repeated and pages numbered.

    Raises
    ------
    Invalid
        If the table is too long to be printed while somebody waits.
    """
    if len(sheet.rows) > MOST_PRINTED:
        raise Invalid(
            "This table cannot be printed.",
            [
                Fault(
                    "EX02",
                    sheet.title,
                    f"has {len(sheet.rows):,} rows; at most {MOST_PRINTED:,} are printed at once.",
                    "Filter it, or take it as XLSX.",
                )
            ],
        )
    # Loads the layout engine, which no other form needs.
    from core.pdf import render_pdf

    made = now()
    told = {**sheet.about, "Printed": made.strftime("%Y-%m-%d %H:%M UTC")}
    page = to_html(replace(sheet, about=told)).decode()
    return render_pdf(
        page,
        title=sheet.title,
        identifier=f"{sheet.title} {made.isoformat()}",
        created=made,
        stylesheets=[PRINT_STYLE, *_shares(sheet)],
    )


def _shares(sheet: Sheet) -> list[str]:
    """Return the width of each column as CSS: set beforehand, the layout takes half the time."""
    widths = [max(width, NARROWEST_PRINTED) for width in _widths(sheet)]
    return [
        f"th:nth-child({column}){{width:{100 * width / sum(widths):.1f}%}}"
        for column, width in enumerate(widths, start=1)
    ]


@dataclass(frozen=True)
class Format:
    """One form in which a table can leave: how it is written and what a browser is told."""

    write: Callable[[Sheet], bytes]
    media_type: str


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format(to_csv, "text/csv; charset=utf-8"),
        "xlsx": Format(
            to_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        ),
        "json": Format(to_json, "application/json"),
        "html": Format(to_html, "text/html; charset=utf-8"),
        "pdf": Format(to_pdf, "application/pdf"),
    }
)


def forms_for(rows: int) -> tuple[str, ...]:
    """Return the forms in which a table of so many rows can leave: a long one is not printed."""
    return tuple(name for name in FORMATS if name != "pdf" or rows <= MOST_PRINTED)


def export(sheet: Sheet, format_name: str) -> tuple[bytes, str]:
    """Return the table in the named form, and its media type.

    Raises
    ------
    Invalid
        If there is no such form.
    """
    chosen = FORMATS.get(format_name)
    if chosen is None:
        fault = Fault("EX01", format_name, "is no export format.", f"Use {', '.join(FORMATS)}.")
        raise Invalid("This table cannot be exported.", [fault])
    return chosen.write(sheet), chosen.media_type
