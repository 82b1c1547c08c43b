"""Talk on the page of a record: begin a thread, answer in it, settle it."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError, NotFound
from core.people.actor import Actor
from core.records.models import Project, Record
from core.records.reading.routes import record_answer
from core.records.talking import service
from core.records.talking.service import Opening
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    RecordInPath,
    WriteSession,
    say,
)
from core.web.refusals import refuse_within

router = APIRouter(prefix="/p/{project_key}")


class TalkForm(BaseModel):
    """What the forms of a talk send; an answer needs only the text."""

    text: str = Field(default="", max_length=50_000)
    read: str = Field(default="", max_length=200)
    about: str = Field(default="", max_length=200)

    def kept(self, act: str) -> Mapping[str, str]:
        """Return what stays typed after a refusal."""
        return {"act": act, "text": self.text, "about": self.about, "read": self.read}


@router.post("/{uid:uid}/threads", status_code=303)
def open_thread(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[TalkForm, Form()],
) -> Response:
    """Begin a talk about the revision that was read."""

    def perform() -> str:
        service.open_thread(session, record, Opening(form.read, form.about, form.text), person)
        return "The thread is open. It waits for an answer of the authors."

    return _talk(request, session, project, record, person, ("thread", form), perform)


@router.post("/{uid:uid}/threads/{thread_id}/answer", status_code=303)
def answer_thread(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    thread_id: NumberInPath,
    form: Annotated[TalkForm, Form()],
) -> Response:
    """Answer in a thread."""

    def perform() -> str:
        service.answer(session, record, thread_id, form.text, person)
        return "Your answer is in the thread."

    act = f"answer-{thread_id}"
    return _talk(request, session, project, record, person, (act, form), perform)


@router.post("/{uid:uid}/threads/{thread_id}/settle", status_code=303)
def settle_thread(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    thread_id: NumberInPath,
    form: Annotated[TalkForm, Form()],
) -> Response:
    """Settle a thread with a sentence."""

    def perform() -> str:
        service.settle(session, record, thread_id, form.text, person)
        return "The thread is settled. It stays readable."

    act = f"settle-{thread_id}"
    return _talk(request, session, project, record, person, (act, form), perform)


def _talk(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    person: Actor,
    act: tuple[str, TalkForm],
    perform: Callable[[], str],
) -> Response:
    """Say something; a refusal is kept and shown on the record's page, with what was typed."""
    uid, key = record.uid, project.key
    try:
        sentence = perform()
    except NotFound:
        raise
    except FiducialError as error:
        refuse_within(request, session, uid, error)
        name, form = act
        return record_answer(request, session, project, record, person, error, form.kept(name))
    response = RedirectResponse(f"/p/{key}/{uid}#talk", status_code=303)
    say(response, sentence)
    return response
