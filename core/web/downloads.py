"""A file, or a table in the form that was asked for, as the answer to a request."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import FileResponse, Response

from core.blobs import BlobStore
from core.exports import Sheet, export
from core.web.transaction import settings_of

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ")


def exported(sheet: Sheet, format_name: str, name: str) -> Response:
    """Answer with a table in one of the export forms; the file is called `name.format_name`.

    Raises
    ------
    Invalid
        If there is no such form, or the table is too long for it.
    """
    data, media_type = export(sheet, format_name)
    return download(data, media_type, f"{name}.{format_name}")


def download(data: bytes, media_type: str, name: str) -> Response:
    """Answer with a file to be kept; a page (`.html`) is shown by the browser instead."""
    headers = {"Content-Disposition": disposition(name, inline=name.endswith(".html"))}
    return Response(data, media_type=media_type, headers=headers)


def kept_file(
    request: Request, sha256: str, name: str, media_type: str = "application/octet-stream"
) -> FileResponse:
    """Answer with a file that somebody sent, once its bytes are seen to be those that came.

    It is kept and not shown: whatever it is, it may run nothing as a page of ours.

    Raises
    ------
    NotFound
        If the file is gone.
    DamagedBlob
        If it no longer has the bytes of its digest.
    """
    store = BlobStore(settings_of(request).data_dir / "blobs")
    store.verify(sha256)
    return FileResponse(
        store.path(sha256),
        media_type=media_type,
        headers={
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the header that names a file; a name that is not plain ASCII is told in UTF-8."""
    shown = "inline" if inline else "attachment"
    if _PLAIN.issuperset(name):
        return f'{shown}; filename="{name}"'
    return f"{shown}; filename*=UTF-8''{quote(name, safe='')}"
