"""The tokens of one's own programs: make one, see it once, revoke it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.clock import now
from core.errors import FiducialError, Invalid, NotFound
from core.people import tokens
from core.people.actor import Actor
from core.people.models import Person
from core.people.proving import checked_person
from core.people.tokens import LONGEST_DAYS, Wish
from core.web import (
    CurrentPerson,
    NumberInPath,
    ReadSession,
    WriteSession,
    page,
    readable_projects,
    say,
)
from core.web.answers import ASKS_PASSWORD
from core.web.proving import check
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/account/tokens", tags=["people"])

USUAL_DAYS = 90


class TokenForm(BaseModel):
    """What the form of a new token posts."""

    token_name: str = Field(default="", max_length=200)
    scope: list[Annotated[str, Field(max_length=20)]] = Field(default=[], max_length=20)
    """What it may besides reading: some of `core.people.tokens.RIGHTS`."""
    project: str = Field(default="", max_length=60)
    expires: str = Field(default="", max_length=20)
    password: str = Field(default="", max_length=1000)


@router.get("")
def show_tokens(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """Show one's own tokens, and the form that makes another."""
    return _tokens_page(request, session, person, TokenForm())


@router.post("", responses=ASKS_PASSWORD)
def make_token(
    request: Request,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[TokenForm, Form()],
) -> HTMLResponse:
    """Make a token; this answer is the only one that holds it."""
    try:
        checked = check(request, session, person, form.password)
        checked_person(session, person, checked)
        wish = Wish(
            form.token_name,
            tokens.WRITE in form.scope,
            _limit(session, person, form),
            form.expires,
            starts=tokens.START in form.scope,
            acts=tokens.ACT in form.scope,
        )
        token = tokens.make_token(session, wish, person)
    except FiducialError as error:
        refuse_within(request, session, person.uid, error)
        return _tokens_page(request, session, person, form, error=error)
    return _tokens_page(request, session, person, TokenForm(), made=token)


@router.post("/{token_id}/revoke", status_code=303)
def revoke_token(
    person: CurrentPerson, session: WriteSession, token_id: NumberInPath
) -> RedirectResponse:
    """End one of one's own tokens."""
    account = session.get_one(Person, person.person_id)
    ended = tokens.revoke_token(session, account, token_id, person)
    response = RedirectResponse("/account/tokens", status_code=303)
    say(response, f"{ended.name} is revoked: whatever still uses it is refused from now on.")
    return response


def _limit(session: Session, person: Actor, form: TokenForm) -> int | None:
    if not form.project:
        return None
    for one in readable_projects(session, person):
        if one.key == form.project:
            return one.id
    raise NotFound(f"There is no project {form.project[:40]} that you may read.")


def _tokens_page(
    request: Request,
    session: Session,
    person: Actor,
    form: TokenForm,
    *,
    made: str = "",
    error: FiducialError | None = None,
) -> HTMLResponse:
    readable = readable_projects(session, person)
    today = now().date()
    usual = str(today + timedelta(days=USUAL_DAYS))
    answer: HTMLResponse = page(
        request,
        "people/tokens.html",
        status=status_of(error) if error else 200,
        made=made,
        held=[(one, tokens.is_live(one)) for one in tokens.tokens_of(session, person.person_id)],
        keys={one.id: one.key for one in readable},
        scope_of=tokens.scope_of,
        readable=[(one.key, f"{one.key} {one.title}") for one in readable],
        form=form.model_copy(update={"expires": form.expires or usual}),
        latest=str(today + timedelta(days=LONGEST_DAYS)),
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
    )
    return answer
