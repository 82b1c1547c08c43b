"""Runs by hand in the browser: begin one, record step after step, sign it or give it up."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.errors import FiducialError
from core.people.actor import Actor
from core.records.models import Project
from core.records.queries import load_snapshot
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    require,
    say,
)
from core.web.answers import ASKS_PASSWORD
from core.web.proving import prove
from core.web.transaction import settings_of
from qms.repositories.models import Repository, RepositoryTag
from validation.manual import service
from validation.manual.beginning import ByHand, begin, releases_of_test
from validation.manual.service import MAY_END, Observation, SentFile
from validation.protocols.plan import MANUAL
from validation.runs.routes import refused, run_page
from validation.runs.service import RUN_ROLES, find_run
from validation.runs.showing import Refusal

router = APIRouter(prefix="/p/{project}/runs", tags=["runs"])

LATEST_TAGS = 50
"""Tags offered to a run of no release, the latest first."""


class BeginForm(BaseModel):
    """The form that begins a run by hand; the service judges it."""

    test: str = Field(default="", max_length=200)
    at: str = Field(default="", max_length=500)
    """"release REL-0.1.0" or "tag v0.1.0"."""
    site: str = Field(default="", max_length=200)
    machine: str = Field(default="", max_length=200)
    tools: str = Field(default="", max_length=2000)
    reason: str = Field(default="", max_length=2000)

    def asked(self) -> ByHand:
        """Return what is asked for."""
        kind, _, name = self.at.partition(" ")
        return ByHand(
            self.test.strip(),
            release=name if kind == "release" else "",
            tag=name if kind == "tag" else "",
            site=self.site,
            machine=self.machine,
            tools=self.tools,
            reason=self.reason,
        )


class EndForm(BaseModel):
    """The form that signs a run by hand, or gives it up."""

    password: str = Field(default="", max_length=1000)
    reason: str = Field(default="", max_length=2000)


@router.get("/by-hand")
def show_beginning(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    test: Annotated[str, Query(max_length=200)] = "",
    release: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Show the form that begins a run by hand, with what it will execute."""
    form = BeginForm(test=test, at=f"release {release}" if release else "")
    return _begin_page(request, project, person, session, form)


@router.post("/by-hand", status_code=303)
def begin_by_hand(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[BeginForm, Form()],
) -> Response:
    """Begin a run by hand; a refused form comes back as it was typed, with every fault."""
    require(project, person, *RUN_ROLES)
    try:
        run = begin(session, project, form.asked(), person)
    except FiducialError as error:
        told = refused(request, session, "begin", error, {})
        return _begin_page(request, project, person, session, form, told)
    return RedirectResponse(f"/p/{project.key}/runs/{run.number}#steps", status_code=303)


@router.post("/{number}/entries", status_code=303)
def record_entry(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    step: Annotated[int, Form(ge=1, le=100_000)],
    observed: Annotated[str, Form(max_length=10_000)] = "",
    measured: Annotated[str, Form(max_length=100)] = "",
    outcome: Annotated[str, Form(max_length=100)] = "",
    files: Annotated[Sequence[UploadFile], File()] = (),
) -> Response:
    """Record what was observed in one step; a later entry of the step corrects it."""
    require(project, person, *RUN_ROLES)
    run = find_run(session, project, number)
    sent = [
        SentFile(one.filename or "", one.content_type or "", one.file)
        for one in files
        if one.filename
    ]
    told = Observation(observed, measured, outcome, sent)
    try:
        made = service.record_entry(session, _store(request), run, step, told, person)
    except FiducialError as error:
        typed = {"observed": observed, "measured": measured, "outcome": outcome}
        why = refused(request, session, f"step-{step}", error, typed)
        return run_page(request, project, person, session, run, why)
    response = RedirectResponse(f"/p/{project.key}/runs/{number}#step-{step}", status_code=303)
    said = f"is recorded as {made.data['status']}" if made else "says that already"
    say(response, f"Step {step} {said}.")
    return response


@router.post("/{number}/sign", status_code=303, responses=ASKS_PASSWORD)
def sign_run(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    form: Annotated[EndForm, Form()],
) -> Response:
    """End a run by hand with its tester's signature."""
    require(project, person, *RUN_ROLES)
    run = find_run(session, project, number)
    try:
        proof = prove(request, session, person, form.password)
        service.sign(session, _store(request), run, person, proof)
    except FiducialError as error:
        why = refused(request, session, "sign", error, {})
        return run_page(request, project, person, session, run, why)
    response = RedirectResponse(f"/p/{project.key}/runs/{number}", status_code=303)
    say(response, f"Run {number} is signed as executed; its verdict counts now.")
    return response


@router.post("/{number}/give-up", status_code=303)
def give_up_run(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    form: Annotated[EndForm, Form()],
) -> Response:
    """End a run by hand without a verdict; what was recorded stays to be read."""
    require(project, person, *RUN_ROLES, *MAY_END)
    run = find_run(session, project, number)
    try:
        service.give_up(session, run, person, form.reason)
    except FiducialError as error:
        why = refused(request, session, "give-up", error, {"reason": form.reason})
        return run_page(request, project, person, session, run, why)
    response = RedirectResponse(f"/p/{project.key}/runs/{number}", status_code=303)
    say(response, f"Run {number} is given up; it says nothing about its test.")
    return response


def _begin_page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    form: BeginForm,
    refusal: Refusal | None = None,
) -> HTMLResponse:
    """Return the form with the manual tests that are in force, and where they can be executed."""
    latest = load_snapshot(session, [project.key], effective=False)
    tests = [
        one
        for one in load_snapshot(session, [project.key]).of_type("test", project.key)
        if one.fields.get("method") == MANUAL and one.in_force
    ]
    chosen = next((one for one in tests if one.uid == form.test), None)
    releases = releases_of_test(latest, chosen.key) if chosen else []
    places = [
        (f"release {one.uid}", f"{one.uid} {one.title}, tag {one.fields.get('git_tag')}")
        for one in reversed(releases)
    ]
    places += [(f"tag {name}", f"no release, tag {name}") for name in _tags(session, project)]
    return page(
        request,
        "validation/begin_by_hand.html",
        project=project,
        actor=person,
        nav="Runs",
        tests=[(one.uid, f"{one.uid} {one.title}") for one in tests],
        chosen=chosen,
        places=places,
        form=form,
        may_execute=person.has(project.id or 0, *RUN_ROLES),
        refusal=refusal or Refusal("nothing"),
        status=refusal.status if refusal else 200,
    )


def _tags(session: Session, project: Project) -> list[str]:
    """Return the tags that the project's repositories have now, each name once."""
    query = (
        select(col(RepositoryTag.name))
        .join(Repository, col(Repository.id) == col(RepositoryTag.repository_id))
        .where(
            col(Repository.project_id) == project.id,
            col(Repository.retired_at).is_(None),
            col(RepositoryTag.lost_at).is_(None),
        )
        .order_by(col(RepositoryTag.id).desc())
        .limit(LATEST_TAGS)
    )
    return list(dict.fromkeys(session.scalars(query)))


def _store(request: Request) -> BlobStore:
    return BlobStore(settings_of(request).data_dir / "blobs")
