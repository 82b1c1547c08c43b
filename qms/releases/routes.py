"""The pages of a project's releases, and the buttons of their five steps."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from core.signing.keys import PublicKey, has_key, load_key
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, require, say
from core.web.downloads import disposition
from core.web.transaction import settings_of
from qms.releases import service
from qms.releases.finding_pages import PAGE_SIZE
from qms.releases.pages import release_lines, release_page
from qms.releases.sealing import seal_standing
from qms.rules.told import CheckTold, check_told

router = APIRouter(prefix="/p/{project}/releases", tags=["releases"])

LONGEST_REASON = 2000


@router.get("")
def show_releases(
    request: Request, project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """List the releases of a project, each with where it stands."""
    return page(
        request,
        "qms/releases/releases.html",
        project=project,
        actor=person,
        nav="Releases",
        lines=release_lines(session, project),
    )


@router.get("/{uid}")
def show_release(
    request: Request,
    project: ProjectInPath,
    uid: str,
    person: CurrentPerson,
    session: ReadSession,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """Show a release: five steps, and the release check with a page of its findings."""
    return page(
        request,
        "qms/releases/release.html",
        project=project,
        actor=person,
        nav="Releases",
        shown=(shown := release_page(session, project, uid, person, number)),
        seal=seal_standing(session, project, shown.record, _public_key(request)),
        page_size=PAGE_SIZE,
    )


@router.get("/{uid}/check.json")
def read_check(
    response: Response, project: ProjectInPath, uid: str, session: ReadSession
) -> CheckTold:
    """Return the release check as plain values; the counts are those of the page."""
    found = service.release_check(session, project, uid)
    name = disposition(f"{project.key}-{found.release}-check.json")
    response.headers["Content-Disposition"] = name
    return check_told(found)


@router.post("/{uid}/freeze", status_code=303)
def freeze_baseline(
    project: ProjectInPath, uid: str, person: CurrentPerson, session: WriteSession
) -> RedirectResponse:
    """Freeze what is in force and let the release name it."""
    baseline = service.freeze(session, project, uid, person)
    response = _back(project.key, uid)
    say(response, f"Baseline {baseline.number} of {baseline.count} records is frozen for {uid}.")
    return response


@router.post("/{uid}/validate", status_code=303)
def validate_release(
    project: ProjectInPath,
    uid: str,
    person: CurrentPerson,
    session: WriteSession,
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> RedirectResponse:
    """Start the validation of the release and show its run."""
    address = service.start_validation(session, project, uid, person, reason)
    return RedirectResponse(address, status_code=303)


@router.post("/{uid}/pack", status_code=303)
def build_pack(
    project: ProjectInPath, uid: str, person: CurrentPerson, session: WriteSession
) -> RedirectResponse:
    """Have the release's pack built and show how far it is."""
    require(project, person, *service.PACK_ROLES)
    return RedirectResponse(service.start_pack(session, project, uid, person), status_code=303)


def _public_key(request: Request) -> PublicKey | None:
    data_dir = settings_of(request).data_dir
    return load_key(data_dir).public if has_key(data_dir) else None


def _back(project: str, uid: str) -> RedirectResponse:
    return RedirectResponse(f"/p/{project}/releases/{uid}", status_code=303)
