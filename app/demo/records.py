"""Load the demo's department and device, and bring into force what its people approved."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from app.demo.device_repository import DeviceRepository
from app.demo.people import Signers
from core.db import Database
from core.errors import NotFound
from core.people.actor import Actor
from core.records import acceptance, approval
from core.records.approval import Signing, next_meanings, signatures_of
from core.records.content import RecordDraft
from core.records.importing import import_records
from core.records.issues import Decision, decide, is_signed, move
from core.records.lifecycle import BEFORE_DECISION, DRAFT, RECORDED
from core.records.models import Record
from core.records.service import (
    create_project,
    edit_token,
    find_project,
    find_record,
    latest_revision,
)
from core.records.signable import about_of
from core.records.type_shape import RecordType
from core.records.types import get_registry
from dataflows.department import load_department
from qms.interchange.design_record import DesignRecord, load_design_record
from qms.risks.issuing import take_as_read
from qms.risks.logged import HAZARD_LOG
from validation.runs.toolcheck import ToolCheck

HERE = Path(__file__).parent
DEPARTMENT, DEVICE = "DEPT", "RPM"
TITLES = {DEPARTMENT: "Example radiotherapy department", DEVICE: "RT Plan Metrics"}
AUTHOR = "PPL-AK"
RELEASE = "REL-0.1.0"

SIGNERS = {
    "technical_reviewer": "PPL-CV",
    "clinical_safety_officer": "PPL-DM",
    "clinical_lead": "PPL-DM",
    "quality_manager": "PPL-EQ",
    "top_management": "PPL-NV",
    "trainer": "PPL-CV",
}
"""Who signs in which role."""

INTERPRETER = "SOUP-01"
BUILT_IN = {"SOUP-02": "pydicom", "SOUP-04": "numpy", "SOUP-11": "shapely"}
"""What the release is built of, by its uid in the register: the lock pins other versions for other
versions of Python, and the story's reviewer evaluates the build that there is."""

TOOLS = {"EQP-001": "Fiducial", "EQP-002": "Python", "EQP-003": "pytest", "EQP-004": "pytest-bdd"}
"""What executes and records the device's runs, by its uid in the register of tools."""

FIRST = ("project", "document", "person", "risk_policy", "training")
"""What others need before they can be signed: training on a document in force."""

LAST = (HAZARD_LOG, "residual_risk_review", "safety_case")
"""What speaks of the others as they were signed and as their tests came out, in its order."""

AT_ONCE = 20
"""Records per transaction: few enough to show progress, many enough to be quick."""

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Loaded:
    """Both files, read and held together."""

    department: tuple[RecordDraft, ...]
    device: DesignRecord

    @property
    def drafts(self) -> tuple[RecordDraft, ...]:
        """Every record of both."""
        return (*self.department, *self.device.drafts)


def read_files(built: Mapping[str, str]) -> Loaded:
    """Read the department and the device; raises Invalid with every fault."""
    return Loaded(
        tuple(load_department(HERE / "department.yaml", DEPARTMENT)),
        _as_installed(load_design_record(HERE / "project.yaml", DEVICE, built=built)),
    )


def _as_installed(record: DesignRecord) -> DesignRecord:
    """Give the components that the release is built of the versions that are installed here."""
    installed = {uid: version(name) for uid, name in BUILT_IN.items()}
    installed[INTERPRETER] = ".".join(platform.python_version_tuple()[:2])
    return replace(record, drafts=tuple(_at_version(one, installed) for one in record.drafts))


def _at_version(draft: RecordDraft, installed: Mapping[str, str]) -> RecordDraft:
    found = installed.get(draft.uid or "")
    if found is None:
        return draft
    purl = f"{str(draft.content.fields['purl']).partition('@')[0]}@{found}"
    fields = {**draft.content.fields, "version": found, "purl": purl}
    return replace(draft, content=replace(draft.content, fields=fields))


def built_values(
    repository: DeviceRepository, digests: Mapping[str, str], tools: ToolCheck | None
) -> dict[str, str]:
    """Return what the file leaves to the build: commits, digests, and how the tools were found."""
    return {
        f"{RELEASE}.commit": repository.commit,
        f"{RELEASE}.build.image_digest": f"sha256:{repository.archive_digest}",
        **{f"{uid}.digest": f"sha256:{digest}" for uid, digest in digests.items()},
        **(_validated_tools(tools) if tools is not None else {}),
    }


def _validated_tools(tools: ToolCheck) -> dict[str, str]:
    """Return the versions in use, and as validated only what the check found to hold."""
    told = f"fiducial tools check: {tools.sentence}"
    found = {f"{uid}.version": tools.versions[name] for uid, name in TOOLS.items()}
    if not tools.held:
        return found
    for uid, name in TOOLS.items():
        found |= {
            f"{uid}.validated.version": tools.versions[name],
            f"{uid}.validated.evidence": told,
        }
    return found


def create_projects(session: Session) -> None:
    """Create both projects as demonstrations, where they do not exist."""
    for key, title in TITLES.items():
        try:
            find_project(session, key)
        except NotFound:
            create_project(session, key, title, None, demonstration=True)


def import_files(session: Session, loaded: Loaded, by: Actor) -> int:
    """Import both files in one batch, or nothing when they were imported before."""
    device = find_project(session, DEVICE)
    if session.scalar(select(col(Record.id)).where(col(Record.project_id) == device.id).limit(1)):
        return 0
    return len(import_records(session, loaded.drafts, by, get_registry()).created)


def to_approve(loaded: Loaded) -> list[tuple[str, str]]:
    """Return (project, uid) of every record the demo's people sign, in a workable order.

    The device's file says which of its records are approved, and which training is complete; the
    department's map is in force as a whole. What is in `LAST` is signed after the release was
    validated.
    """
    registry = get_registry()
    device = [
        draft
        for draft in loaded.device.drafts
        if draft.type not in LAST
        if (draft.state == "approved" and registry.of(draft.type).lifecycle == "controlled")
        or (draft.type == "training" and draft.content.fields["outcome"] == "complete")
    ]
    device.sort(key=_turn)
    return [(draft.project, draft.uid or "") for draft in (*device, *loaded.department)]


def _turn(draft: RecordDraft) -> int:
    return FIRST.index(draft.type) if draft.type in FIRST else len(FIRST)


def to_issue(session: Session) -> list[Record]:
    """Return the device's records that are signed after the validation and are not in force yet."""
    device = find_project(session, DEVICE)
    query = select(Record).where(
        col(Record.project_id) == device.id,
        col(Record.type).in_(LAST),
        col(Record.effective_id).is_(None),
    )
    return sorted(session.scalars(query), key=lambda record: LAST.index(record.type))


def approve_all(
    db: Database, wanted: Sequence[tuple[str, str]], signers: Signers, tell: Tell
) -> int:
    """Give every record the signatures that it lacks; return how many lacked any."""
    with db.reading() as session:
        pending = [(key, uid) for key, uid in wanted if _is_pending(session, key, uid)]
    signers.next_act()
    for start in range(0, len(pending), AT_ONCE):
        tell(start, len(pending), f"{pending[start][1]} and those after it")
        with db.writing() as session:
            for key, uid in pending[start : start + AT_ONCE]:
                project = find_project(session, key)
                approve(session, find_record(session, project, uid), signers)
    return len(pending)


def _is_pending(session: Session, key: str, uid: str) -> bool:
    record = find_record(session, find_project(session, key), uid)
    if record.effective_id is None:
        return True
    revision = latest_revision(session, record)
    if revision.state != RECORDED:
        return False
    given = signatures_of(session, revision)
    return bool(next_meanings(get_registry().of(record.type), revision, given))


def approve(session: Session, record: Record, signers: Signers) -> None:
    """Give every signature that is still missing; each person signs in their own name."""
    record_type = get_registry().of(record.type)
    revision = latest_revision(session, record)
    if revision.state == DRAFT:
        author = signers.actor(session, AUTHOR)
        proof = signers.proof(session, author)
        if record.type == HAZARD_LOG:
            revision = take_as_read(session, record, author)
        approval.submit(session, record, author, proof, edit_token(revision))
    given = {one.meaning for one in signatures_of(session, revision)}
    for meaning in record_type.meanings:
        if meaning != "authored" and meaning not in given:
            sign(session, record, record_type, meaning, signers)


def accept_all(db: Database, loaded: Loaded, signers: Signers) -> int:
    """Sign what the device's file tells as under way, then bring it there; return how many.

    Nobody works on a change before it is accepted, so its signatures stand before its work here
    too. An issue that somebody went on with since then is left as it is.
    """
    registry = get_registry()
    brought = 0
    signers.next_act()
    for draft in loaded.device.drafts:
        record_type = registry.of(draft.type)
        needed_for = acceptance.NEEDED_FOR[record_type.accept_before]
        if not record_type.accepting or draft.state not in needed_for:
            continue
        with db.writing() as session:
            project = find_project(session, draft.project)
            record = find_record(session, project, draft.uid or "")
            revision = latest_revision(session, record)
            if (revision.number, revision.state) != (draft.number, "assessed"):
                continue
            asked = (session, project, record, record_type, revision)
            for meaning in acceptance.lacking(*asked):
                sign(session, record, record_type, meaning, signers)
            author = signers.actor(session, AUTHOR)
            for to in ("in_work", "verifying"):
                move(session, record, to, author, "As the record tells.", edit_token(revision))
                if to == draft.state:
                    break
            brought += 1
    return brought


def decide_all(db: Database, loaded: Loaded, signers: Signers) -> int:
    """Sign the decisions that the device's file tells of its issues; return how many were made.

    An issue that somebody went on with since then is left as it is.
    """
    registry = get_registry()
    decided = 0
    signers.next_act()
    for draft in loaded.device.drafts:
        record_type = registry.of(draft.type)
        if not is_signed(record_type, draft.state):
            continue
        with db.writing() as session:
            project = find_project(session, draft.project)
            record = find_record(session, project, draft.uid or "")
            revision = latest_revision(session, record)
            before = (draft.number, BEFORE_DECISION[draft.state])
            if (revision.number, revision.state) != before:
                continue
            role = record_type.deciders[0]
            signer = signers.actor(session, SIGNERS[role])
            reason = str(draft.content.fields.get("rationale") or "As the record tells.")
            decision = Decision(draft.state, role, reason)
            proof = signers.proof(session, signer)
            decide(session, record, decision, signer, proof, edit_token(revision))
            decided += 1
    return decided


def sign(
    session: Session, record: Record, record_type: RecordType, meaning: str, signers: Signers
) -> None:
    """Give one signature: that of the person trained, or of the first other one who may."""
    revision = latest_revision(session, record)
    about = about_of(session, record_type, revision)
    roles: tuple[str, ...] = record_type.sign[meaning]  # type: ignore[index]
    if meaning == "attended":
        role, uid = roles[0], about
    else:
        role, uid = next((role, SIGNERS[role]) for role in roles if SIGNERS[role] != about)
    signer = signers.actor(session, uid)
    proof = signers.proof(session, signer)
    read = edit_token(revision)
    approval.sign(session, record, Signing(meaning, role), signer, proof, read)
