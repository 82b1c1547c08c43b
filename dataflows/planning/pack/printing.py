"""The pack in print: one document of its tables and its picture, with a page to sign."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.canonical import rfc3339
from core.exports import Sheet
from core.pdf import PdfAsset, render_pdf
from dataflows.matrix import ASIDE
from dataflows.planning.pack.contents import Contents

TEMPLATES = Path(__file__).parents[3] / "templates"
STYLES = ("base.css", "change_impact.css")
DEMONSTRATION_STYLE = "demonstration.css"
PICTURE = "diagram.svg"

IN_PRINT = ("qa", "qa-by-event", "failure-modes", "risks", "runs", "endpoints", "drift")
"""What is printed behind the plan and the matrix; the connections are wider than a page."""

NARROWEST, WIDEST = 9, 46
"""Characters between which the width of a printed column is counted."""


@dataclass(frozen=True)
class Printed:
    """A table on paper: without its empty columns, each of the others as wide as it needs."""

    title: str
    headings: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


def printed(sheet: Sheet) -> Printed:
    """Return a table as it is printed; widths are per cent of the page."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in sheet.rows]
    kept = [n for n in range(len(sheet.headings)) if any(row[n] for row in texts)]
    needs = [_need([str(sheet.headings[n]), *(row[n] for row in texts)]) for n in kept]
    return Printed(
        sheet.title,
        tuple(str(sheet.headings[n]) for n in kept),
        tuple(100 * need // sum(needs) for need in needs),
        tuple(tuple(row[n] for n in kept) for row in texts),
    )


def unfolded(matrix: Sheet) -> Sheet:
    """Return a matrix as it is printed: it is wider than a page, so each cell becomes a row."""
    rows = [
        (row[0], to, str(said).removeprefix(ASIDE))
        for row in matrix.rows
        for to, said in zip(matrix.headings[1:], row[1:], strict=True)
        if said
    ]
    headings = ("From", "To", "Connections and their QA")
    return Sheet("Extract of the transfer matrix", headings, rows, matrix.about)


def _need(texts: Sequence[str]) -> int:
    return min(max(NARROWEST, *(len(text) for text in texts)), WIDEST)


def to_html(contents: Contents) -> str:
    """Return the pack as one HTML document."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("pdf/change_impact.html").render(
        origin=contents.origin,
        plan=contents.plan,
        caption=contents.caption,
        picture=PICTURE,
        sheets=[
            printed(replace(contents.sheets["plan"], title="What is touched")),
            printed(unfolded(contents.sheets["matrix"])),
            *(printed(contents.sheets[name]) for name in IN_PRINT),
        ],
        facts_until=rfc3339(contents.origin.facts_until),
    )


def to_pdf(contents: Contents) -> bytes:
    """Print the pack as PDF/A; its date is the latest moment that it tells of."""
    origin = contents.origin
    styles = (*STYLES, *([DEMONSTRATION_STYLE] if origin.demonstration else []))
    return render_pdf(
        to_html(contents),
        title=contents.plan.heading,
        identifier=f"{origin.name} {origin.model}",
        created=origin.facts_until,
        stylesheets=[(TEMPLATES / "pdf" / name).read_text(encoding="utf-8") for name in styles],
        assets={PICTURE: PdfAsset(contents.svg.encode(), "image/svg+xml")},
    )
