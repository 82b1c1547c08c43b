"""What one feature answers another, in the form in which that one asks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.errors import Fault, Invalid
from core.exports import Sheet
from core.people.actor import Actor
from core.ports import FrozenRevisions
from core.records.models import Project, Record
from core.records.service import find_project
from dataflows.inventory import Department
from dataflows.planning.ports import SignedOff
from dataflows.probing import drifting
from dataflows.probing.sheets import DRIFT_HEADINGS, drift_sheet
from dataflows.survey import MAP_TYPES
from qms.baselines import service as baselines
from qms.baselines.freezing import signatures
from qms.baselines.integrity import baseline_faults, baselines_worth
from qms.releases.ports import RunStanding
from qms.releases.scope import NEWEST
from qms.results.integrity import result_faults, results_worth
from qms.risks.service import risk_file
from qms.rules.facts import RunOfTest
from validation.protocols.plan import VERIFICATION
from validation.runs.facts import runs_of_tests
from validation.runs.integrity import run_faults, runs_worth
from validation.runs.models import Run
from validation.runs.plain import run_as_plain
from validation.runs.requests import RunRequest
from validation.runs.service import start_run


def evidence_faults(session: Session, files: BlobStore) -> Sequence[Fault]:
    """Return the faults of every run, every baseline and every import of results."""
    found = run_faults(session, files)
    for project in session.scalars(select(Project).order_by(col(Project.key))):
        found += baseline_faults(session, project)
        found += result_faults(session, project, files)
    return found


def evidence_worth(session: Session) -> int:
    """Return how many entries of the audit trail verifying runs, baselines and results is worth."""
    return runs_worth(session) + baselines_worth(session) + results_worth(session)


def recorded_runs(session: Session, project: str, release: str) -> Sequence[RunOfTest]:
    """Return every execution of every test of a project; a release judges those at its commit."""
    del release
    return runs_of_tests(session, project)


def latest_run(session: Session, project: str, release: str) -> RunStanding | None:
    """Return where the newest run of a release stands."""
    run = session.scalars(
        select(Run)
        .join(Project, col(Project.id) == col(Run.project_id))
        .where(
            col(Project.key) == project,
            col(Run.release_uid) == release,
            col(Run.protocol) == VERIFICATION,
        )
        .order_by(col(Run.number).desc())
        .limit(1)
    ).first()
    if run is None:
        return None
    plain = run_as_plain(session, run)
    counted = plain["counts"]
    return RunStanding(
        number=str(run.number),
        word=str(plain["verdict"]),
        commit=run.commit,
        address=f"/p/{project}/runs/{run.number}",
        detail=f"{counted['passed']} of {counted['scenarios']} scenarios passed, "
        f"{counted['measurements']} measurements",
    )


def start_validation(
    session: Session, project: Project, release: str, by: Actor, reason: str
) -> str:
    """Start the release's protocol; returns the page of the run."""
    run = start_run(session, project, RunRequest(release=release, reason=reason), by)
    return f"/p/{project.key}/runs/{run.number}"


def frozen_revisions(session: Session, project: str, name: str) -> FrozenRevisions:
    """Return which revision of each record of a project a baseline froze."""
    baseline = baselines.find_baseline(session, find_project(session, project), name)
    lines = baselines.lines_of(session, baseline)
    own = {line.uid: line.revision for line in lines if line.project == project}
    return FrozenRevisions(f"baseline {baseline.number}", own)


def signed_off(session: Session, project: str, revisions: Mapping[str, int]) -> SignedOff | None:
    """Return the baseline that froze exactly this map, whatever else it froze beside it.

    The first that is signed, or else the first that a release, a command or a program froze.
    """
    found = find_project(session, project)
    mapped = select(col(Record.uid)).where(
        col(Record.project_id) == found.id, col(Record.type).in_(MAP_TYPES)
    )
    of_map = set(session.scalars(mapped))
    signed = signatures(session, found)
    unsigned = None
    for baseline in reversed(baselines.baselines_of(session, found)):
        by = signed.get(baseline.number, "")
        if unsigned is not None and not by:
            continue
        lines = baselines.lines_of(session, baseline)
        frozen = {
            line.uid: line.revision
            for line in lines
            if line.project == project and line.uid in of_map
        }
        if frozen == revisions:
            label = f"baseline {baseline.number}"
            one = SignedOff(label, baseline.root, baseline.person_name, baseline.at, by)
            if by:
                return one
            unsigned = one
    return unsigned


def drift_of(session: Session, department: Department, systems: Collection[str]) -> Sheet | None:
    """Return what the newest destination list of each system says beside the map."""
    project = find_project(session, department.project)
    rows = []
    for system in _with_parents(department, systems):
        listed = drifting.latest_list(session, project, system)
        if listed is not None:
            drift = drifting.report(department, listed).drift
            told = drift_sheet(department, drift, listed.name)
            rows += [(system, listed.name, *row) for row in told.rows]
    if not rows:
        return None
    headings = ("System", "List", *DRIFT_HEADINGS)
    return Sheet("Destination lists against the map", headings, rows, {"Project": project.key})


def _with_parents(department: Department, systems: Collection[str]) -> list[str]:
    """Return some systems and those that they are parts of, of which a list may be too."""
    return sorted({up for system in systems for up in department.lineage[system]})


def drift_until(
    session: Session, department: Department, systems: Collection[str]
) -> datetime | None:
    """Return when the newest of the destination lists of some systems was imported."""
    project = find_project(session, department.project)
    whole = _with_parents(department, systems)
    lists = (drifting.latest_list(session, project, system) for system in whole)
    return max((one.imported_at for one in lists if one is not None), default=None)


def risk_levels(session: Session, project: str) -> Mapping[str, str]:
    """Return the level of each risk after the controls that work, judged by the newest release."""
    try:
        file = risk_file(session, project, NEWEST)
    except Invalid:
        # A faulty policy gives no level; the risk page names its faults.
        return {}
    told = {}
    for one in file.assessments:
        level = f"level {one.after}" if one.after else "not evaluated"
        told[one.risk.key.uid] = f"{level}, control not effective" if one.not_effective else level
    return told
