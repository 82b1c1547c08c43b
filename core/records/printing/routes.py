"""A record on paper."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from core.records.printing.document import document_of, to_pdf
from core.web import CurrentPerson, ProjectInPath, ReadSession, RecordInPath, readable_projects

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
    readable = readable_projects(session, person)
    document = document_of(session, project, record, readable, revision)
    name = f"{project.key}-{record.uid}-{document.revision.number}.pdf"
    return Response(
        to_pdf(document),
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
