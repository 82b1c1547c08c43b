"""The database session of a route. One request is one transaction; nobody calls commit."""

from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from core.web.forgery import OwnForm
from core.web.transaction import RequestSession, is_safe

ReadSession = RequestSession
"""For a route that changes nothing; shared with `WriteSession` where one request has both."""


def _for_writing(request: Request, session: RequestSession, _checked: OwnForm) -> Session:
    if is_safe(request):
        raise RuntimeError(f"{request.url.path} writes in answer to {request.method}.")
    return session


WriteSession = Annotated[Session, Depends(_for_writing, scope="function")]
"""For a route that changes something: committed before the answer is sent, or not at all."""
