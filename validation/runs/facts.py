"""Runs as the release check looks at them: one entry per test and run, kept whatever came out."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.models import Project
from qms.rules.facts import DeviationFact, InstallationFact, Measured, RunOfTest
from validation.protocols.plan import COUNTED, MANUAL
from validation.recorder.evidence import Status
from validation.runs.installation import END, START
from validation.runs.models import EventKind, Run, RunState
from validation.runs.plain import run_as_plain
from validation.runs.toolcheck import tool_versions

ORDINARY = (EventKind.STARTED, EventKind.CHECKED, EventKind.ENTRY, EventKind.SIGNED)
"""Events that belong to the course of a run; all others are anomalies."""

BOUNDS = {"within": "", "at_most": "at most", "at_least": "at least", "equal": "exactly"}
"""What stands as tolerance where a comparison has no figure for it."""


def runs_of_tests(session: Session, project: str) -> list[RunOfTest]:
    """Return every recorded execution of every test of a project, in the order of the runs."""
    runs = session.scalars(
        select(Run)
        .join(Project, col(Project.id) == col(Run.project_id))
        .where(
            col(Project.key) == project,
            col(Run.protocol).in_(COUNTED),
            col(Run.started_at).is_not(None),
            col(Run.state).in_((RunState.COMPLETE, RunState.RUNNING)),
        )
        .order_by(col(Run.number))
    ).all()
    before = _predecessors(session, project)
    return [
        fact
        for run in runs
        for fact in facts_of(run_as_plain(session, run), lineage_of(run.number, before))
    ]


def lineage_of(number: int, before: Mapping[int, int | None]) -> tuple[str, ...]:
    """Return the run that a run repeats, the one which that repeats, and so on. Pure."""
    lineage: list[str] = []
    earlier = before.get(number)
    # A predecessor has a smaller number; a row that was edited by hand must not make a ring.
    while earlier is not None and earlier < number:
        lineage.append(str(earlier))
        number, earlier = earlier, before.get(earlier)
    return tuple(lineage)


def _predecessors(session: Session, project: str) -> dict[int, int | None]:
    """Return which run each run of a project repeats, the refused and the interrupted too."""
    rows = session.execute(
        select(col(Run.number), col(Run.predecessor))
        .join(Project, col(Project.id) == col(Run.project_id))
        .where(col(Project.key) == project)
    )
    return {row.number: row.predecessor for row in rows}


def facts_of(run: Mapping[str, Any], lineage: tuple[str, ...] = ()) -> list[RunOfTest]:
    """Return one run, as plain values, test by test. Pure."""
    found = []
    for test in run["tests"]:
        scenarios = [one for one in run["scenarios"] if one["test"] == test["uid"]]
        by_hand = run["protocol"] == MANUAL
        if not scenarios and not by_hand:
            continue
        ended = [one["ended_at"] for one in scenarios if one["ended_at"]]
        found.append(
            RunOfTest(
                test=test["uid"],
                run=str(run["number"]),
                outcome=_outcome(run, scenarios),
                commit=run["device"]["commit"],
                version=run["device"]["tag"],
                tester=run["tester"]["uid"],
                started_at=datetime.fromisoformat(run["started_at"]),
                ended_at=datetime.fromisoformat(max(ended)) if ended else None,
                test_revision=test["revision"],
                environment=run["environment_digest"],
                tools=_tools(run),
                anomalies=_anomalies(run, scenarios),
                measured=tuple(_measured(one) for one in _values(scenarios)),
                address=f"/p/{run['project']}/runs/{run['number']}",
                lineage=lineage,
                reason=run["reason"],
                files=tuple(_files(scenarios)),
                by_hand=by_hand,
                signed_by=tuple(
                    one["data"]["uid"] for one in run["events"] if one["kind"] == EventKind.SIGNED
                ),
                deviations=tuple(_deviations(run)),
                installation=_installation(run),
                data_sets=tuple((one["uid"], one["digest"] or "") for one in run["data_sets"]),
            )
        )
    return found


def _outcome(run: Mapping[str, Any], scenarios: list[dict[str, Any]]) -> str:
    if run["state"] != RunState.COMPLETE:
        return "interrupted"
    met = all(one["status"] == Status.PASSED for one in scenarios) and run["device"]["clean"]
    return "passed" if met else "failed"


def _tools(run: Mapping[str, Any]) -> tuple[str, ...]:
    if run["protocol"] == MANUAL:
        return tuple(run["environment"].get("tools", ()))
    environment = run["environment"]
    versions = tool_versions(environment.get("packages", {}), environment.get("python", ""))
    return tuple(f"{name} {version}" for name, version in versions.items())


def _anomalies(run: Mapping[str, Any], scenarios: list[dict[str, Any]]) -> str:
    """Return what was noticed; "none" where nothing was, never an empty text."""
    noticed = [event["text"] for event in run["events"] if event["kind"] not in ORDINARY]
    noticed += [f"{one['title']}: {flag}" for one in scenarios for flag in one["flags"]]
    noticed += [f"{one['title']}: {one['status']}" for one in scenarios if _unmet(one)]
    return "; ".join(noticed) or "none"


def _installation(run: Mapping[str, Any]) -> InstallationFact | None:
    """Return what a run found of its installation; None where it never looked."""
    checks = {
        one["data"]["when"]: one["data"]
        for one in run["events"]
        if one["kind"] == EventKind.CHECKED
    }
    if START not in checks:
        return None
    held = (run["environment_digest"], run["engine"]["digest"])
    kept = all(
        when in checks
        and (checks[when]["environment_digest"], checks[when]["engine_digest"]) == held
        for when in (START, END)
    )
    return InstallationFact(tuple(checks[START]["problems"]), kept)


def _deviations(run: Mapping[str, Any]) -> Iterator[DeviationFact]:
    """Yield each note of a deviation, in the order in which they were made."""
    for one in run["events"]:
        if one["kind"] == EventKind.DEVIATION:
            data = one["data"]
            yield DeviationFact(
                one["text"],
                data.get("disposition", ""),
                data.get("signed", {}).get("uid", ""),
                datetime.fromisoformat(one["at"]),
            )


def _unmet(scenario: Mapping[str, Any]) -> bool:
    return bool(scenario["status"] != Status.PASSED)


def _values(scenarios: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [value for one in scenarios for step in one["steps"] for value in step["measurements"]]


def _files(scenarios: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the digest of each scenario's evidence, and of what its steps attached."""
    for one in scenarios:
        yield one["evidence_sha256"]
        for step in one["steps"]:
            yield from (kept["sha256"] for kept in step["attachments"])


def _measured(value: Mapping[str, Any]) -> Measured:
    tolerance = value["tolerance"]
    return Measured(
        name=value["name"],
        expected=str(value["expected"]),
        tolerance=BOUNDS[value["comparison"]] if tolerance is None else str(tolerance),
        actual=str(value["actual"]),
        unit=value["unit"],
        passed=value["passed"],
    )
