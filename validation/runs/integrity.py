"""Hold what the database says of each executed scenario against its evidence file and the trail.

Three witnesses of one scenario must agree: the rows that pages read, the evidence line kept by
its SHA-256, and the audit entry that named that SHA-256 when the rows were written.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.blobs import BlobStore, DamagedBlob
from core.db import Table
from core.errors import Fault, NotFound
from core.ledger.brought import acts
from core.ledger.brought import told as read_told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from validation.protocols.plan import MANUAL
from validation.runs.models import (
    FIGURES,
    EventKind,
    Run,
    RunAttachment,
    RunMeasurement,
    RunScenario,
    RunState,
    RunStep,
)
from validation.runs.plain import run_as_plain
from validation.runs.scenario_rows import SCENARIO_RECORDED
from validation.runs.signing import execution_digest

MEND = "Restore the last backup and compare; nothing may rely on this run until then."

ENTRIES_PER_RUN = 30
"""How many audit entries are verified while what belongs to one run, however short, is gathered."""

Plain = dict[str, Any]


def run_faults(session: Session, store: BlobStore) -> list[Fault]:
    """Return every scenario whose rows, evidence file and audit entry do not agree."""
    told = _told_by_the_trail(session)
    found = []
    for run in session.scalars(select(Run).order_by(col(Run.project_id), col(Run.number))):
        plain = run_as_plain(session, run)
        named = told.pop((run.project_id, run.number), {})
        found += [
            _fault(f"{plain['project']} run {run.number} {name}", what)
            for name, what in _without_figures(session, run)
        ]
        for scenario in plain["scenarios"]:
            where = f"{plain['project']} run {run.number} {scenario['name']}"
            stated = named.pop(scenario["name"], "")
            found += [_fault(where, what) for what in _disagreements(scenario, stated, store)]
        where = f"{plain['project']} run {run.number}"
        found += [_fault(where, what) for what in _unsigned(plain)]
        found += [_fault(f"{where} {name}", "has an audit entry but no rows.") for name in named]
    for (project_id, number), named in told.items():
        project = session.get(Project, project_id)
        where = f"{project.key if project else project_id} run {number}"
        found += [_fault(f"{where} {name}", "has an audit entry but no rows.") for name in named]
    return found


def runs_worth(session: Session) -> int:
    """Return how many entries of the audit trail take as long to verify as all runs.

    Each row counts as one entry, with the line of evidence that it is held against.
    """
    worth: dict[type[Table], int] = {
        Run: ENTRIES_PER_RUN, RunScenario: 1, RunStep: 1, RunMeasurement: 1, RunAttachment: 1,
    }  # fmt: skip
    return sum(
        each * int(session.scalar(select(func.count()).select_from(table)) or 0)
        for table, each in worth.items()
    )


def _unsigned(run: Plain) -> Iterator[str]:
    """Yield what is wrong with the signature of a run by hand that has ended."""
    if run["protocol"] != MANUAL or run["state"] != RunState.COMPLETE:
        return
    device = run["device"]
    held = execution_digest(
        str(run["number"]),
        run["protocol_digest"],
        device["tag"],
        device["commit"],
        [one["evidence_sha256"] for one in run["scenarios"]],
    )
    given = [one["data"] for one in run["events"] if one["kind"] == EventKind.SIGNED]
    if not given:
        yield "was executed by hand and nobody signed it."
    for one in given:
        if one["uid"] != run["tester"]["uid"] or one["digest"] != held:
            yield f"is signed by {one['uid']} over another execution."


def _told_by_the_trail(session: Session) -> dict[tuple[int, int], dict[str, str]]:
    """Return, per run, the SHA-256 of each scenario's evidence as it was written down."""
    entries = session.scalars(
        select(LedgerEntry).where(acts(SCENARIO_RECORDED)).order_by(col(LedgerEntry.seq))
    )
    told: dict[tuple[int, int], dict[str, str]] = {}
    for entry in map(read_told, entries):
        details = entry.details
        key = (entry.project_id or 0, int(details["run"]))
        told.setdefault(key, {})[details["scenario"]] = details["evidence_sha256"]
    return told


def _disagreements(scenario: Plain, stated: str, store: BlobStore) -> Iterator[str]:
    if not stated:
        yield "has rows but no audit entry."
    elif stated != scenario["evidence_sha256"]:
        yield f"names evidence {scenario['evidence_sha256'][:12]}, its audit entry {stated[:12]}."
    try:
        evidence = json.loads(store.read(scenario["evidence_sha256"], verify=True))
    except (NotFound, DamagedBlob) as error:
        yield str(error)
        return
    except ValueError:
        yield "names a file that is no evidence."
        return
    for name in ("title", "feature", "line", "tags", "example", "status", "flags", "failure"):
        if scenario[name] != evidence[name]:
            yield f"{name} is {scenario[name]!r} in the database, {evidence[name]!r} in evidence."
    if [_bare(step) for step in scenario["steps"]] != [_bare(step) for step in evidence["steps"]]:
        yield "steps, measurements or files differ between the database and the evidence."


def _without_figures(session: Session, run: Run) -> Iterator[tuple[str, str]]:
    """Yield scenario and fault of each measurement whose row has lost what was measured."""
    rows = session.execute(
        select(
            col(RunScenario.name),
            col(RunStep.text),
            col(RunMeasurement.id),
            col(RunMeasurement.name),
            col(RunMeasurement.figures),
        )
        .join(RunStep, col(RunStep.scenario_id) == col(RunScenario.id))
        .join(RunMeasurement, col(RunMeasurement.step_id) == col(RunStep.id))
        .where(col(RunScenario.run_id) == run.id)
        .order_by(col(RunMeasurement.id))
    )
    for scenario, step, number, name, figures in rows:
        held = figures if isinstance(figures, dict) else {}
        lost = [one for one in FIGURES if one not in held]
        if lost:
            yield (
                scenario,
                f"measurement '{name}' (row {number}) of the step '{step}' has no "
                f"{', '.join(lost)}.",
            )


def _bare(step: Plain) -> Plain:
    """Return what both witnesses say of a step; times are written differently."""
    names = ("keyword", "text", "status", "inputs", "measurements", "attachments", "failure")
    bare = {name: step[name] for name in names}
    bare["measurements"] = [dict(sorted(one.items())) for one in step["measurements"]]
    return bare


def _fault(where: str, what: str) -> Fault:
    return Fault("run-altered", where, what, MEND)
