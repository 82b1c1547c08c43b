"""What the page of one run shows, whether a worker executes it or a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.errors import Fault
from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from validation.manual.service import MAY_END, revision_problem, steps_of
from validation.protocols.plan import MANUAL, VERIFICATION
from validation.recorder.evidence import Status
from validation.runs import service
from validation.runs.comparison import differences
from validation.runs.models import EventKind, Run, RunState
from validation.runs.plain import run_as_plain
from validation.runs.service import MAY_NOTE, RUN_ROLES
from validation.runs.sheets import steps_sheet

SHOWN_EVENTS = (
    EventKind.REFUSED,
    EventKind.GIVEN_UP,
    EventKind.CHANGED,
    EventKind.INTERRUPTED,
    EventKind.DEVIATION,
)

CLOSED = "nothing"
"""The form that is open when nothing was refused."""


@dataclass(frozen=True)
class Refusal:
    """What a refused form of the page had in it, so that it comes back as it was typed.

    Attributes
    ----------
    form : str
        "deviation", "sign", "give-up", or "step-3".
    problem : str
        Why nothing was done, in one sentence.
    """

    form: str
    problem: str = ""
    faults: Sequence[Fault] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


def run_context(
    session: Session, project: Project, person: Actor, run: Run, refusal: Refusal | None = None
) -> dict[str, Any]:
    """Return what the page of a run shows this person; a refused form comes back as typed."""
    plain = run_as_plain(session, run)
    before = service.run_before(session, run)
    project_id = project.id or 0
    ended = plain["state"] not in ("queued", "running")
    executes = person.has(project_id, *RUN_ROLES)
    events = [{**event, "at": moment(event["at"])} for event in plain["events"]]
    again = plain["release"] and ended and plain["protocol"] == VERIFICATION
    return {
        "notes": [one for one in events if one["kind"] in SHOWN_EVENTS],
        "signatures": [one for one in events if one["kind"] == EventKind.SIGNED],
        "previous": before.number if before else None,
        "differences": (
            differences(run_as_plain(session, before), plain) if before and ended else []
        ),
        "ended": ended,
        "may_note": person.has(project_id, *MAY_NOTE),
        "may_repeat": bool(again and executes),
        "may_execute": executes,
        "job_id": run.job_id,
        "export_addresses": [
            ("All of it", f"/p/{project.key}/runs/{run.number}.json"),
            *exports(f"/p/{project.key}/runs/{run.number}", len(steps_sheet(plain).rows)),
        ],
        "by_hand": _by_hand(session, run, person, project) if run.protocol == MANUAL else None,
        "refusal": refusal or Refusal(CLOSED),
        **results(session, run, plain),
    }


def results(session: Session, run: Run, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the part of the page that changes needs, failures first."""
    job = service.job_of(session, run)
    told = job.progress if job is not None else {}
    scenarios = plain["scenarios"]
    return {
        "run": _with_times(plain),
        # What a person executes changes when they send a form, never by itself.
        "live": plain["state"] in ("queued", "running") and plain["protocol"] != MANUAL,
        "progress": {
            "done": told.get("done", 0),
            "total": told.get("total", 0),
            "text": told.get("text") or "Waiting for a worker",
        },
        "failures": [one for one in scenarios if one["status"] != Status.PASSED],
        "passed": [one for one in scenarios if one["status"] == Status.PASSED],
    }


def exports(address: str, rows: int) -> list[tuple[str, str]]:
    """Return the links under which so many rows are taken away."""
    return [(name.upper(), f"{address}/export/{name}") for name in forms_for(rows)]


def moment(text: str | None) -> datetime | None:
    """Return a time as pages show it."""
    return None if text is None else datetime.fromisoformat(text)


def _by_hand(session: Session, run: Run, person: Actor, project: Project) -> dict[str, Any]:
    """Return the steps of a run by hand, and what this person may do with them now."""
    running = run.state == RunState.RUNNING
    problem = revision_problem(session, run) if running else ""
    mine = running and run.tester_id == person.person_id
    mine = mine and person.has(project.id or 0, *RUN_ROLES)
    records = steps_of(session, run)
    return {
        "steps": records,
        "running": running,
        "signed": run.state == RunState.COMPLETE,
        "problem": problem,
        "recorded": sum(one.latest is not None for one in records),
        "may_record": mine and not problem,
        "may_give_up": running and (mine or person.has(project.id or 0, *MAY_END)),
    }


def _with_times(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with moments in place of their texts, as pages show local time."""
    tests = [{**test, "approved_at": moment(test["approved_at"])} for test in plain["tests"]]
    times = {name: moment(plain[name]) for name in ("created_at", "started_at", "ended_at")}
    return {**plain, "tests": tests, **times}
