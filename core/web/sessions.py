"""The database session of a route. One request is one transaction; nobody calls commit.

A person who is signed in may do what their roles allow. A program's token must also have been made
for it, so a route that changes something says with its session what kind of change that is.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from core.errors import Refused
from core.people.tokens import ACT, RIGHTS, START, WRITE
from core.web.forgery import OwnForm
from core.web.identity import Visitor
from core.web.receiving import is_safe
from core.web.transaction import RequestSession

ReadSession = RequestSession
"""For a route that changes nothing; shared with `WriteSession` where one request has both."""

RIGHT_OF: dict[object, str] = {}
"""The right that a session asks of a token, for the OpenAPI document."""


def _changing(right: str) -> Callable[[Request, RequestSession, Visitor, OwnForm], Session]:
    def session_for(
        request: Request, session: RequestSession, visitor: Visitor, _checked: OwnForm
    ) -> Session:
        if is_safe(request):
            raise RuntimeError(f"{request.url.path} writes in answer to {request.method}.")
        if visitor is not None and visitor.program and right not in visitor.rights:
            raise Refused(f"This token was not made to {RIGHTS[right]}; its owner makes another.")
        return session

    RIGHT_OF[session_for] = right
    return session_for


WriteSession = Annotated[Session, Depends(_changing(WRITE), scope="function")]
"""For a route that changes something: committed before the answer is sent, or not at all."""

StartSession = Annotated[Session, Depends(_changing(START), scope="function")]
"""For a route that starts work which goes on after the answer."""

ActSession = Annotated[Session, Depends(_changing(ACT), scope="function")]
"""For a route that does with a record what cannot be taken back like a draft."""
