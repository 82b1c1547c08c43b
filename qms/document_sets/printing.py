"""A document of a set on paper: its Markdown as PDF/A, with its id and version on every page."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from core.markdown import to_html
from core.pdf import render_pdf
from qms.document_sets.rendering import Rendered

STYLES = Path(__file__).parents[2] / "templates" / "pdf"
USUAL = ("base.css", "document_set.css")
DEMONSTRATION = "demonstration.css"
SHORT = 12


def to_pdf(
    document: Rendered, product: str, version: str, created: datetime, *, demonstration: bool
) -> bytes:
    """Print one document.

    Parameters
    ----------
    product : str
        What the device is called, at the head of each page.
    created : datetime
        The time that stands as the document's date.
    """
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    names: Sequence[str] = (*USUAL, *([DEMONSTRATION] if demonstration else []))
    return render_pdf(
        _page(document, product, version, digest),
        title=f"{document.id} {document.title}",
        identifier=f"{document.id} {version} {digest}",
        created=created,
        stylesheets=[(STYLES / name).read_text(encoding="utf-8") for name in names],
    )


def _page(document: Rendered, product: str, version: str, digest: str) -> str:
    running = {
        "product": product,
        "version": f"version {version}",
        "document": document.id,
        "digest": digest[:SHORT],
    }
    head = "".join(f'<p class="{name}">{escape(said)}</p>' for name, said in running.items())
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        f"<title>{escape(document.id)} {escape(document.title)}</title></head>"
        f'<body><div class="running">{head}</div><h1>{escape(document.title)}</h1>'
        f"{to_html(document.body, top_heading=1)}</body></html>"
    )
