"""The release check and the five steps of a release: freeze, validate, check, sign, pack.

Every step's state is computed from what exists; none is stored.
"""

from dataclasses import replace

from sqlmodel import Session

from core import ledger
from core.collector import collector_at_rest
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.people.actor import Actor
from core.records.content import Content
from core.records.models import Project, Record
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    lock_record,
    read_content,
    save_draft,
)
from core.records.snapshot import RecordView
from core.records.types import get_registry
from qms.baselines.current import freeze_now, project_snapshot
from qms.baselines.models import Baseline
from qms.releases import ports
from qms.releases.gate import freezing_findings, must_pass
from qms.releases.gathering import find_release, gather
from qms.repositories.service import commit_of_tag
from qms.rules.check import RELEASE, check
from qms.rules.findings import CheckResult
from qms.rules.packs import GATES, framework_pack

PACK_ROLES = ("release_manager", "quality_manager")
"""Who has a pack built: the newest one is what the release page hands out."""

FREEZING_STATES = ("draft",)
"""Only a draft of the release can take up another baseline; what is submitted stays as it is."""


def release_check(
    session: Session, project: Project | str, version: str | None = None, gate: str = RELEASE
) -> CheckResult:
    """Judge a project, with one of its releases where one is named.

    Page, JSON and command call this one function, so their counts are the same.

    Parameters
    ----------
    version : str, optional
        A release's version or uid. Without it the record alone is judged.
    gate : str
        Which rules are asked; "release" asks every one.

    Raises
    ------
    NotFound
        If there is no such project, release or gate.
    """
    if gate not in GATES:
        raise NotFound(f"There is no gate {gate[:40]!r}; there are {', '.join(GATES)}.")
    found = find_project(session, project) if isinstance(project, str) else project
    with collector_at_rest():
        snapshot = project_snapshot(session, found)
        release = find_release(snapshot, found.key, version) if version else None
        return check(gather(session, found, release, snapshot), framework_pack(), gate)


def freeze(session: Session, project: Project, uid: str, by: Actor) -> Baseline:
    """Freeze what is in force, and let the release name it and the commit of its tag.

    Whoever freezes becomes an author of this revision of the release.

    Raises
    ------
    Invalid
        With everything that is missing: a tag, a commit it names; and with everything that the
        gates of the plan and the design find at error level and no concession lets through.
    Conflict
        If the release is submitted or signed already.
    Refused
        If the person may not write a release.
    """
    # Held first: what is frozen is read by several statements that must see one state.
    record = lock_record(session, find_record(session, project, uid))
    _must_be_release(record)
    latest = latest_revision(session, record)
    if latest.state not in FREEZING_STATES:
        raise Conflict(
            f"{uid} is {latest.state.replace('_', ' ')}; only a draft can be frozen. "
            "Reject it or propose a change first."
        )
    if not may_freeze(project, by):
        raise Refused(f"{by.name} may not write a release in {project.key}, nor freeze one.")
    content = read_content(session, record)
    commit = _commit(session, project, uid, content)
    found = freezing_findings(session, project, record, commit)
    must_pass(f"The baseline of {uid} cannot be frozen", found)
    baseline = freeze_now(session, project, f"Release {uid}", by)
    fields = {**content.fields, "commit": commit, "baseline": baseline.root}
    save_draft(
        session,
        record,
        replace(content, fields=fields),
        by,
        edit_token(latest),
        reason=f"Baseline {baseline.number} of {baseline.count} records frozen.",
    )
    return baseline


def start_validation(
    session: Session, project: Project, uid: str, by: Actor, reason: str = ""
) -> str:
    """Start the release's validation; returns the page of the run."""
    _must_be_release(find_record(session, project, uid))
    starter = ports.run_starter.source
    if starter is None:
        raise Conflict("No validation is installed here, so no run can be started.")
    return starter(session, project, uid, by, reason)


def start_pack(session: Session, project: Project, uid: str, by: Actor) -> str:
    """Have the release's pack built; returns the page where it can be followed.

    Raises
    ------
    Conflict
        If the release is not signed yet: a pack freezes the final signature.
    """
    record = find_record(session, project, uid)
    _must_be_release(record)
    # A newer draft stops nothing: the pack shows the revision that was signed.
    if record.effective_id is None:
        raise Conflict(f"{uid} is not signed yet; the pack is frozen at the final signature.")
    starter = ports.pack_starter.source
    if starter is None:
        raise Conflict("No validation is installed here, so no pack can be built.")
    address = starter(session, project, uid, by, "")
    ledger.append(session, "release:pack:start", by, project_id=project.id, subject=uid)
    return address


def may_build_pack(project: Project, by: Actor) -> bool:
    """Whether a person may have a release's pack built."""
    return by.has(project.id or 0, *PACK_ROLES)


def may_freeze(project: Project, by: Actor) -> bool:
    """Whether a person may write a release, and so freeze one."""
    return by.has(project.id or 0, *get_registry().of("release").authors)


def releases_of(session: Session, project: Project) -> list[RecordView]:
    """Return a project's releases, as they are in force or drafted."""
    return project_snapshot(session, project).of_type("release", project.key)


def _must_be_release(record: Record) -> None:
    if record.type != "release":
        raise NotFound(f"{record.uid} is a {record.type}, not a release.")


def _commit(session: Session, project: Project, uid: str, content: Content) -> str:
    """Return the commit that the release's tag names, or say everything that is missing."""
    tag = str(content.fields.get("git_tag") or "")
    if not tag:
        raise Invalid(
            f"{uid} cannot be frozen.",
            [Fault("no-tag", uid, "names no Git tag.", "Propose a change and name it.")],
        )
    commit = commit_of_tag(session, project.key, tag)
    faults = []
    if commit is None:
        what = f"names the tag {tag}, which no repository of {project.key} has."
        faults.append(Fault("tag-unknown", uid, what, "Register the repository and scan it."))
    stated = str(content.fields.get("commit") or "")
    if commit and stated and stated != commit and not content.fields.get("baseline"):
        what = f"names commit {stated[:12]}, its tag {tag} names {commit[:12]}."
        faults.append(Fault("tag-moved", uid, what, "Correct the commit, or the tag."))
    if faults or commit is None:
        raise Invalid(f"{uid} cannot be frozen.", faults)
    return commit
