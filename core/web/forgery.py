"""Refuse a change that another site made a browser send."""

import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from core.errors import Refused
from core.web.identity import Visitor
from core.web.receiving import ArrivedForm, is_safe

FIELD = "csrf_token"
HEADER = "x-csrf-token"

STALE = (
    "This form does not belong to your session: it was opened before you signed in, or by another "
    "site. Nothing was changed; open the page again and repeat what you did."
)


def _posted_token(request: Request, form: ArrivedForm) -> str:
    if is_safe(request):
        return ""
    posted = request.headers.get(HEADER) or form.get(FIELD)
    return posted if isinstance(posted, str) else ""


PostedToken = Annotated[str, Depends(_posted_token)]


def refuse_other_sites(request: Request) -> None:
    """Refuse a change whose Origin, Referer or Sec-Fetch-Site names another site.

    Raises
    ------
    Refused
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(STALE)
    sender = request.headers.get("origin") or request.headers.get("referer")
    if sender and urlsplit(sender).netloc.lower() != request.headers.get("host", "").lower():
        raise Refused(STALE)


def same(posted: str, kept: str) -> bool:
    """Compare two tokens without telling by the clock how much of them agrees."""
    return bool(kept) and secrets.compare_digest(posted.encode(), kept.encode())


def _check(request: Request, visitor: Visitor, posted: PostedToken) -> None:
    if is_safe(request) or visitor is None or visitor.program:
        return
    refuse_other_sites(request)
    if not same(posted, visitor.csrf):
        raise Refused(STALE)


OwnForm = Annotated[None, Depends(_check, scope="function")]
"""A change by a signed-in person came from a form of ours; part of `CurrentPerson`."""
