"""The installation's public key: its page, and the file that verifies every pack made here."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from core.signing.keys import PUBLIC_NAME, PublicKey, load_key, print_fingerprint
from core.web import CurrentPerson, page
from core.web.downloads import download
from core.web.transaction import settings_of

router = APIRouter(tags=["signing"])

MEDIA_TYPE = "application/x-pem-file"


def _public_key(request: Request) -> PublicKey:
    return load_key(settings_of(request).data_dir).public


@router.get("/key")
def show_key(request: Request, person: CurrentPerson) -> HTMLResponse:
    """Show the key that signs here, and how a pack is verified with it."""
    key = _public_key(request)
    return page(
        request,
        "signing/key.html",
        actor=person,
        fingerprint=print_fingerprint(key.fingerprint),
        file_name=PUBLIC_NAME,
    )


@router.get(f"/{PUBLIC_NAME}")
def download_key(request: Request, _person: CurrentPerson) -> Response:
    """Hand the public half out; the private half never leaves the data folder."""
    return download(_public_key(request).to_pem(), MEDIA_TYPE, PUBLIC_NAME)
