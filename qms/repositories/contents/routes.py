"""The page of what a release contains since the ones before it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from core.exports import forms_for
from core.web import ProjectInPath, ReadSession, page
from core.web.answers import MAY_CONFLICT
from core.web.downloads import exported
from core.web.transaction import settings_of
from qms.repositories.asking import contents_of_release
from qms.repositories.contents.tables import contents_sheet

router = APIRouter(prefix="/p/{project}/releases/{uid}/contents", tags=["repositories"])

MOST_COMMITS = 500
"""Commits that the page lists; the exports hold all of them."""


@router.get("", responses=MAY_CONFLICT)
def show_contents(
    request: Request, project: ProjectInPath, uid: str, session: ReadSession
) -> HTMLResponse:
    """Show the records, pull requests and commits of a release."""
    contents = contents_of_release(session, project, uid, settings_of(request))
    address = f"/p/{project.key}/releases/{uid}/contents/export"
    rows = len(contents_sheet(project.key, contents).rows)
    return page(
        request,
        "qms/repositories/contents.html",
        project=project,
        nav="Releases",
        contents=contents,
        commits=contents.commits[:MOST_COMMITS],
        subjects={one.sha: one for one in contents.commits},
        more=max(len(contents.commits) - MOST_COMMITS, 0),
        exports=[(name.upper(), f"{address}/{name}") for name in forms_for(rows)],
    )


@router.get("/export/{format_name}", responses=MAY_CONFLICT)
def export_contents(
    request: Request, project: ProjectInPath, uid: str, session: ReadSession, format_name: str
) -> Response:
    """Return every commit of a release and what it names, in one of the export formats."""
    contents = contents_of_release(session, project, uid, settings_of(request))
    sheet = contents_sheet(project.key, contents)
    return exported(sheet, format_name, f"{project.key}-{uid}-contents")
