"""What surrounds every answer: the host it is for, its size, and what a browser may do with it."""

import base64
import hashlib
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.exports import STYLE
from core.settings import Settings

_EXPORTED = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"style-src 'self' 'sha256-{_EXPORTED}'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
"""Nothing from elsewhere; nothing inline but the style of exported pages, known by its digest;
`data:` for the icons inside the style sheet."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

STATIC = "/static/"

ROOM_FOR_A_FORM = 1_000_000
"""Bytes that a form may have beside the file it carries."""


FORM = "application/x-www-form-urlencoded"
NUL = (b"%00", b"\0")
"""How a form and an address write the character that no database keeps alike."""

UNREADABLE = "The request holds a character of the code 0; nothing was done. Take it out."


class _TooLarge(Exception):
    pass


class _Unreadable(Exception):
    pass


def _names_nul(scope: Scope) -> bool:
    return "\0" in scope["path"] or any(one in scope["query_string"] for one in NUL)


class Protection:
    """Middleware around the whole application.

    Parameters
    ----------
    settings : Settings
        Which hosts it answers for, and how large a file may be.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._limit = settings.largest_upload_mb * 1_000_000 + ROOM_FOR_A_FORM
        self._limit_mb = settings.largest_upload_mb
        self._https = settings.https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        answer = self._with_headers(scope["path"], send)
        if not self._knows(headers.get(b"host", "")):
            refusal = PlainTextResponse(
                "This server does not answer for that host; see FIDUCIAL_ALLOWED_HOSTS.", 400
            )
            await refusal(scope, receive, answer)
            return
        if _names_nul(scope):
            await PlainTextResponse(UNREADABLE, 400)(scope, receive, answer)
            return
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > self._limit:
            await self._refuse_size(scope, receive, answer)
            return
        try:
            kind = headers.get(b"content-type", "")
            await self._app(scope, self._counted(receive, form=kind.startswith(FORM)), answer)
        except _TooLarge:
            await self._refuse_size(scope, receive, answer)
        except _Unreadable:
            await PlainTextResponse(UNREADABLE, 400)(scope, receive, answer)

    def _knows(self, host: str) -> bool:
        name = host.lower()
        if not name.endswith("]"):
            name = name.rsplit(":", 1)[0]
        return "*" in self._hosts or name in self._hosts

    async def _refuse_size(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = f"That is too large: a file may have {self._limit_mb} MB."
        await PlainTextResponse(sentence, 413)(scope, receive, send)

    def _counted(self, receive: Receive, *, form: bool) -> Receive:
        # A sender of chunks names no length, so what arrives is counted as well.
        arrived, tail = 0, b""

        async def counted() -> Message:
            nonlocal arrived, tail
            message = await receive()
            body = message.get("body", b"")
            arrived += len(body)
            if arrived > self._limit:
                raise _TooLarge
            if form and any(one in tail + body for one in NUL):
                raise _Unreadable
            tail = (tail + body)[-2:]
            return message

        return counted

    def _with_headers(self, path: str, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._https:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if not path.startswith(STATIC):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return answer


def guard(app: Starlette, settings: Settings) -> None:
    """Put the protection around an application; called once, last of all middleware."""
    app.add_middleware(Protection, settings=settings)
