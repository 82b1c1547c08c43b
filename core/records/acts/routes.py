"""Act on records: submit, sign, reject, discard, withdraw, move, decide, re-review; one or many."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, FiducialError, Invalid
from core.people.actor import Actor
from core.records import approval, discarding, issues, reviewing, service, withdrawing
from core.records.approval import Signing
from core.records.issues import Decision
from core.records.models import Project, Record
from core.records.reading.routes import record_answer
from core.records.waiting import waiting_to_sign
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    WriteSession,
    page,
    say,
)
from core.web.answers import ASKS_PASSWORD
from core.web.proving import prove
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/p/{project_key}")


MOST_NAMED = 5
"""Records that one sentence names; how many more there are is said."""


class ActForm(BaseModel):
    """What the forms on a record's page send; each uses what it needs."""

    reason: str = Field(default="", max_length=10_000)
    password: str = Field(default="", max_length=1_000)
    expected: str = Field(default="", max_length=200)
    meaning: str = Field(default="", max_length=40)
    role: str = Field(default="", max_length=60)
    to: str = Field(default="", max_length=40)
    answers: str = Field(default="", max_length=200)

    def kept(self, act: str) -> Mapping[str, str]:
        """Return what stays typed after a refusal; a password never does."""
        kept = {"reason": self.reason, "role": self.role, "to": self.to, "answers": self.answers}
        return {"act": act, **kept}


def _act(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    person: Actor,
    act: tuple[str, ActForm],
    perform: Callable[[], str],
) -> Response:
    """Do one thing to a record and say it; a refusal is kept and shown on the record's page."""
    uid, key = record.uid, project.key
    try:
        sentence = perform()
    except FiducialError as error:
        refuse_within(request, session, uid, error)
        name, form = act
        return record_answer(request, session, project, record, person, error, form.kept(name))
    response = RedirectResponse(f"/p/{key}/{uid}", status_code=303)
    say(response, sentence)
    return response


@router.post("/{uid:uid}/submit", status_code=303, responses=ASKS_PASSWORD)
def submit(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Hand the draft to review; where the type asks for it, sign as its author."""

    def perform() -> str:
        proof = prove(request, session, person, form.password)
        revision = approval.submit(session, record, person, proof, form.expected, form.reason)
        state = "is in review" if revision.state == "in_review" else "is in force"
        return f"{record.uid} revision {revision.number} {state}."

    return _act(request, session, project, record, person, ("submit", form), perform)


@router.post("/{uid:uid}/sign", status_code=303, responses=ASKS_PASSWORD)
def sign(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Sign the revision in review."""

    def perform() -> str:
        proof = prove(request, session, person, form.password)
        signing = Signing(form.meaning, form.role, form.reason)
        read = reviewing.doubts_read(session, record, form.answers) if form.answers else ()
        revision = approval.sign(session, record, signing, person, proof, form.expected)
        signed = f"{record.uid} revision {revision.number} is signed as {form.meaning}"
        if revision.state != "approved":
            return f"{signed}."
        answered = reviewing.answer(session, record, revision, person, read)
        causes = ", ".join(dict.fromkeys(one.cause.uid for one in answered))
        force = f" and answers {causes}" if causes else ""
        return f"{signed}; it is in force now{force}.{_follows(session, project, record)}"

    return _act(request, session, project, record, person, ("sign", form), perform)


def _follows(session: Session, project: Project, record: Record) -> str:
    """Say what needs re-review now that a revision came into force."""
    own = dict.fromkeys(one.cause.uid for one in reviewing.suspicions_of(session, record))
    told = f" It still needs re-review against {', '.join(own)}." if own else ""
    others = reviewing.in_doubt_because_of(session, project, record)
    if others:
        need = "need" if others[1:] else "needs"
        told += f" {_some(others)} {need} re-review because of it."
    return told


def _some(uids: Sequence[str]) -> str:
    more = len(uids) - MOST_NAMED
    named = ", ".join(uids[:MOST_NAMED])
    return f"{named} and {more} {'others' if more > 1 else 'other'}" if more > 0 else named


@router.post("/{uid:uid}/reject", status_code=303)
def reject(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Send the revision in review back to its author."""

    def perform() -> str:
        approval.reject(session, record, person, form.reason, form.expected)
        return f"{record.uid} is sent back to its author."

    return _act(request, session, project, record, person, ("reject", form), perform)


@router.post("/{uid:uid}/discard", status_code=303)
def discard(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Discard the draft above the revision in force; it stays readable."""

    def perform() -> str:
        gone = discarding.discard(session, record, person, form.reason, form.expected)
        return f"Revision {gone.number} of {record.uid} is discarded; what is in force stays."

    return _act(request, session, project, record, person, ("discard", form), perform)


@router.post("/{uid:uid}/withdraw", status_code=303, responses=ASKS_PASSWORD)
def withdraw(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Withdraw the record; it stays readable."""

    def perform() -> str:
        # Only what is in force asks for the password; the page shows the field only then.
        proof = None
        if record.effective_id is not None:
            proof = prove(request, session, person, form.password)
        withdrawing.withdraw(session, record, person, form.reason, form.expected, proof)
        return f"{record.uid} is withdrawn."

    return _act(request, session, project, record, person, ("withdraw", form), perform)


@router.post("/{uid:uid}/move", status_code=303)
def move(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Move a quality issue to another state, or reopen one that was decided on."""

    def perform() -> str:
        issues.move(session, record, form.to, person, form.reason, form.expected)
        return f"{record.uid} is {form.to.replace('_', ' ')} now."

    return _act(request, session, project, record, person, ("move", form), perform)


@router.post("/{uid:uid}/decide", status_code=303, responses=ASKS_PASSWORD)
def decide(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Close, reject or defer a quality issue, with a signature."""

    def perform() -> str:
        proof = prove(request, session, person, form.password)
        decision = Decision(form.to, form.role, form.reason)
        issues.decide(session, record, decision, person, proof, form.expected)
        return f"{record.uid} is {form.to.replace('_', ' ')} now, with your signature."

    return _act(request, session, project, record, person, ("decide", form), perform)


@router.post("/{uid:uid}/review", status_code=303)
def review(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ActForm, Form()],
) -> Response:
    """Say that the record still holds against what changed around it."""

    def perform() -> str:
        done = reviewing.review(session, record, person, form.reason, form.expected)
        causes = ", ".join(dict.fromkeys(one.cause.uid for one in done))
        left = reviewing.others_in_doubt(session, project, done)
        told = ""
        if left:
            told = (
                f" {_some(left)} {'need' if left[1:] else 'needs'} re-review for the same reason."
            )
        return f"{record.uid} is re-reviewed against {causes}.{told}"

    return _act(request, session, project, record, person, ("review", form), perform)


class BatchForm(BaseModel):
    """Several revisions to sign with one password; each as "uid/meaning/role/token"."""

    chosen: list[str] = Field(default=[], max_length=1_000)
    password: str = Field(default="", max_length=1_000)
    reason: str = Field(default="", max_length=10_000)


@router.get("/sign")
def show_waiting(
    request: Request, project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """List what this person may sign in the project now."""
    return _waiting_page(request, session, project, person, BatchForm())


@router.post("/sign", status_code=303, responses=ASKS_PASSWORD)
def sign_many(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[BatchForm, Form()],
) -> Response:
    """Sign everything chosen, or nothing where one of it is refused."""
    key = project.key
    try:
        signed = _sign_all(request, session, project, person, form)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _waiting_page(request, session, project, person, form, error)
    response = RedirectResponse(f"/p/{key}/sign", status_code=303)
    say(response, f"Signed {', '.join(signed)}." if len(signed) < 20 else f"Signed {len(signed)}.")
    return response


def _sign_all(
    request: Request, session: Session, project: Project, person: Actor, form: BatchForm
) -> Sequence[str]:
    if not form.chosen:
        fault = Fault("none", "waiting", "Nothing is ticked.", "Tick what you have read.")
        raise Invalid("Nothing was signed.", [fault])
    proof = prove(request, session, person, form.password)
    signed = []
    for one in form.chosen:
        uid, meaning, role, token = (*one.split("/", 3), "", "", "")[:4]
        record = service.find_record(session, project, uid)
        signing = Signing(meaning, role, form.reason)
        approval.sign(session, record, signing, person, proof, token)
        signed.append(uid)
    return signed


def _waiting_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    form: BatchForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    return page(
        request,
        "records/sign.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        waiting=waiting_to_sign(session, person, [project]),
        form=form,
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) else (),
    )
