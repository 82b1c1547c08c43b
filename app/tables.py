"""Every table, record type, port and job of the product, named once.

Importing this module makes all tables known; `prepare` fills the ports. Whatever starts a process
(web, worker, command line, tests) begins here.
"""

from pathlib import Path

from sqlmodel import Session

import core.blobs
import core.jobs.models
import core.ledger.models
import core.people.deputies.models
import core.people.models
import core.records.models
import core.records.talking.models
import core.signing.models  # noqa: F401 - importing makes its tables known
import dataflows.probing.models
import dataflows.qatrack.models  # noqa: F401 - importing makes its tables known
import qms.interchange.checks.models
import qms.results.models
import qms.traceability.views.models  # noqa: F401 - importing makes its tables known
import validation.runs.models  # noqa: F401 - importing makes its tables known
from app import answers
from app.probing import probe_association
from core import ports
from core.errors import Fault
from core.jobs import service as jobs
from core.records import approval, demands, writing
from core.records.models import Project, Record
from core.records.types import use_packs
from dataflows.planning import ports as planning_ports
from dataflows.planning.controls import qa_controls
from qms.competence import missing_training, training_faults
from qms.issue_demands import issue_demands, notes
from qms.releases import ports as release_ports
from qms.releases.gate import blocking_findings
from qms.review_demands import demand_faults
from qms.soup.declared import declared
from qms.submission import approval_obstacles, submission_faults
from validation.pack.as_signed import as_signed
from validation.pack.standing import latest_pack, start_pack
from validation.runs.bill import components_of, engine_paths_of
from validation.runs.verdicts import release_verdicts

ROOT = Path(__file__).resolve().parent.parent
JOB_NAMES = {
    "app.nightly": "What is done every night",
    "dataflows.pack": "Change-impact pack",
    "dataflows.plantuml": "Drawing by the PlantUML server",
    "dataflows.probe": "Probe of DICOM associations",
    "dataflows.qatrack.refresh": "Reading QATrack+",
    "dataflows.render": "Picture of the map",
    "qms.interchange.check": "Check of files",
    "qms.repositories.scan": "Scan of a repository",
    "validation.pack": "Pack of a release",
    "validation.run": "Validation run",
}
"""What each kind of job is called on its page."""

TYPE_PACKS = (ROOT / "qms" / "types", ROOT / "dataflows" / "types")


def obstacles(session: Session, project: Project, record: Record) -> tuple[str, ...]:
    """Return what forbids signing a record now: a release has its check, a risk its own rules."""
    return (
        *blocking_findings(session, project, record),
        *approval_obstacles(session, project, record),
        *map(str, demand_faults(session, project, record)),
    )


def unsubmittable(session: Session, project: Project, record: Record) -> tuple[Fault, ...]:
    """Return what keeps a record from review: its rules, and what its kind is asked for."""
    return (
        *submission_faults(session, project, record),
        *demand_faults(session, project, record),
    )


def prepare() -> None:
    """Name the type packs and fill every port; doing it again changes nothing."""
    use_packs(TYPE_PACKS)
    jobs.names.update(JOB_NAMES)
    approval.ports.training = missing_training
    approval.ports.gate = obstacles
    approval.ports.submission = unsubmittable
    writing.ports.content = training_faults
    demands.ports.demand, demands.ports.notes = issue_demands, notes
    ports.verdict_source.fill(release_verdicts)
    ports.evidence_check.fill(answers.evidence_faults)
    ports.evidence_size.fill(answers.evidence_worth)
    ports.frozen_source.fill(answers.frozen_revisions)
    ports.qa_control_source.fill(qa_controls)
    planning_ports.risk_levels.fill(answers.risk_levels)
    planning_ports.drift_result.fill(answers.drift_of)
    planning_ports.drift_until.fill(answers.drift_until)
    planning_ports.sign_off.fill(answers.signed_off)
    ports.prober.fill(probe_association)
    release_ports.recorded_runs.fill(answers.recorded_runs)
    release_ports.bill_of_materials.fill(components_of)
    release_ports.bundled_paths.fill(engine_paths_of)
    release_ports.declared_components.fill(declared)
    release_ports.as_signed.fill(as_signed)
    release_ports.latest_run.fill(answers.latest_run)
    release_ports.run_starter.fill(answers.start_validation)
    release_ports.latest_pack.fill(latest_pack)
    release_ports.pack_starter.fill(start_pack)
