"""A record on paper."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from core.pdf import render_pdf
from core.records.printing.document import Document, document_of
from core.web import CurrentPerson, ProjectInPath, ReadSession, RecordInPath, readable_projects
from core.web.downloads import download
from core.web.pages import TEMPLATES, environment

TEMPLATE = "pdf/record.html"
STYLES = ("base.css", "record.css")
DEMONSTRATION_STYLE = "demonstration.css"

router = APIRouter(prefix="/p/{project_key}")


@router.get("/{uid:uid}/document.pdf")
def print_record(
    project: ProjectInPath,
    record: RecordInPath,
    session: ReadSession,
    person: CurrentPerson,
    revision: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> Response:
    """Print the revision in force, or the one asked for, as a controlled document."""
    readable = [one.key for one in readable_projects(session, person)]
    document = document_of(session, project, record, readable, revision)
    name = f"{project.key}-{record.uid}-{document.revision.number}.pdf"
    return download(to_pdf(document), "application/pdf", name)


def to_pdf(document: Document) -> bytes:
    """Print a document as PDF/A.

    Raises
    ------
    Invalid
        If its text asks for files from outside.
    """
    record, revision = document.record, document.revision
    styles = (*STYLES, *([DEMONSTRATION_STYLE] if document.project.demonstration else []))
    return render_pdf(
        environment().get_template(TEMPLATE).render(document=document),
        title=f"{record.uid} {revision.title}",
        identifier=f"{document.project.key} {record.uid} {revision.envelope_digest}",
        created=document.printed,
        stylesheets=[(TEMPLATES / "pdf" / name).read_text(encoding="utf-8") for name in styles],
    )
