"""Hand a release's pack out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse

from core.errors import NotFound
from core.settings import Settings
from core.web import ProjectInPath, ReadSession
from validation.pack.standing import MEDIA_TYPE, latest_pack_file

router = APIRouter(prefix="/p/{project_key}/releases", tags=["packs"])


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@router.get("/{uid}/pack")
def download_pack(
    project: ProjectInPath,
    uid: str,
    session: ReadSession,
    settings: Annotated[Settings, Depends(_settings)],
) -> FileResponse:
    """Send the newest pack of a release as the file that was signed."""
    found = latest_pack_file(session, settings, project.key, uid)
    if found is None:
        raise NotFound(f"There is no pack of {uid} yet; build it on the page of the release.")
    return FileResponse(found.path, media_type=MEDIA_TYPE, filename=found.name)
