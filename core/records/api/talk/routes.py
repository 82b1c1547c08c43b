"""Talk about a record: begin a thread, answer in it, settle it."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.people.actor import Actor
from core.records.api.told import ThreadTold, thread_told
from core.records.models import Record
from core.records.talking import service
from core.records.talking.models import Thread
from core.records.talking.reading import threads_of
from core.records.talking.service import Opening
from core.records.types import get_registry
from core.web import CurrentPerson, NumberInPath, ReadSession, RecordInPath, WriteSession
from core.web.sent import Words

router = APIRouter(prefix="/p/{project_key}/records/{uid:uid}/threads")


class Said(BaseModel):
    """What is said."""

    text: Words = Field(max_length=50_000)


class Opened(Said):
    """What a thread begins with.

    `read` is the `expected` of the revision that was read; `about` is empty for the whole, "body",
    or "field." and the name of a field.
    """

    read: Words = Field(max_length=200)
    about: Words = Field(default="", max_length=200)


@router.get("")
def list_threads(
    record: RecordInPath, person: CurrentPerson, session: ReadSession
) -> list[ThreadTold]:
    """List the talks about a record, the open ones first."""
    record_type = get_registry().of(record.type)
    return [thread_told(one) for one in threads_of(session, record, record_type, person)]


@router.post("", status_code=201)
def open_thread(
    record: RecordInPath, person: CurrentPerson, session: WriteSession, sent: Opened
) -> ThreadTold:
    """Begin a talk about the revision that was read; it waits for an answer of the authors."""
    made = service.open_thread(session, record, Opening(sent.read, sent.about, sent.text), person)
    return _told(session, record, person, made)


@router.post("/{thread_id}/answer", status_code=201)
def answer_thread(
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    thread_id: NumberInPath,
    sent: Said,
) -> ThreadTold:
    """Answer in a thread."""
    answered = service.answer(session, record, thread_id, sent.text, person)
    return _told(session, record, person, answered)


@router.post("/{thread_id}/settle", status_code=201)
def settle_thread(
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    thread_id: NumberInPath,
    sent: Said,
) -> ThreadTold:
    """Settle a thread with a sentence; it stays readable, and nothing follows."""
    settled = service.settle(session, record, thread_id, sent.text, person)
    return _told(session, record, person, settled)


def _told(session: Session, record: Record, person: Actor, thread: Thread) -> ThreadTold:
    every = threads_of(session, record, get_registry().of(record.type), person)
    return thread_told(next(one for one in every if one.id == thread.id))
