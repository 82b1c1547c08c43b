"""Gather what the rules of a release check look at: records, doubts, runs, repository, baseline."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from core import ports as core_ports
from core.clock import now
from core.errors import Conflict, NotFound
from core.ledger.verified import last_verification
from core.records.acceptance import unaccepted
from core.records.models import Project
from core.records.queries import load_suspicions
from core.records.snapshot import Key, RecordView, Snapshot
from core.records.types import get_registry
from qms.baselines.comparison import compare
from qms.baselines.current import lines_now, project_snapshot
from qms.baselines.service import find_baseline, lines_of, verify_baseline
from qms.issue_demands import days_opened
from qms.releases import ports
from qms.releases.keeping import digests_now
from qms.releases.outside import imported_for, marked_lines
from qms.releases.source import source_of
from qms.repositories.service import commit_of_tag
from qms.rules.facts import AuditFact, BaselineFact, Declared, Facts, RuleInput, RunOfTest, Tagged
from qms.rules.packs import type_facts
from qms.soup.components import Component
from qms.soup.environment import INTERPRETER


def gather(
    session: Session,
    project: Project,
    release: RecordView | None,
    snapshot: Snapshot | None = None,
) -> RuleInput:
    """Return everything that a release check of one project looks at, as it stands now.

    Parameters
    ----------
    release : RecordView or None
        The release that is judged; None judges the record alone.
    snapshot : Snapshot, optional
        What `project_snapshot` gave, where it was loaded already.
    """
    snapshot = snapshot or project_snapshot(session, project)
    uid = release.key.uid if release is not None else None
    bill = built(session, project, uid)
    facts = Facts(
        today=now().date(),
        types=type_facts(get_registry()),
        runs=_recorded_runs(session, project, uid),
        tagged=_tagged(session, project, release),
        bill=bill,
        declared=declared(session, project, release, bill),
        source=source_of(session, project.key, release, snapshot),
        audit=audit_fact(session),
        baseline=_baseline(session, project, snapshot, release),
        content_digests=digests_now(snapshot, project.key),
        unaccepted=unaccepted(session, project),
        opened=days_opened(session, project),
        imported=imported_for(session, project.key, release),
        lines=marked_lines(session, project, release),
        qa=core_ports.qa_controls(session, project.key),
    )
    return RuleInput(
        snapshot=snapshot,
        verdicts=core_ports.verdicts(session, project.key, uid),
        suspects=load_suspicions(session, snapshot),
        facts=facts,
        project=project.key,
        release=release.key if release is not None else None,
    )


def audit_fact(
    session: Session, until: datetime | None = None, project: Project | None = None
) -> AuditFact | None:
    """Return the last verification of the audit trail that was recorded by some moment."""
    last = last_verification(session, until, project.id if project else None)
    return AuditFact(last.on, last.findings) if last is not None else None


def find_release(snapshot: Snapshot, project: str, name: str) -> RecordView:
    """Return a release by its uid or its version.

    Raises
    ------
    NotFound
        If there is none; the message names those there are.
    """
    releases = snapshot.of_type("release", project)
    for release in releases:
        if name in (release.key.uid, str(release.fields.get("version", ""))):
            return release
    known = ", ".join(str(r.fields.get("version") or r.key.uid) for r in releases) or "none yet"
    raise NotFound(f"{project} has no release {name[:80]!r}; there are: {known}.")


def _recorded_runs(session: Session, project: Project, uid: str | None) -> tuple[RunOfTest, ...]:
    source = ports.recorded_runs.source
    return tuple(source(session, project.key, uid or "")) if source else ()


def built(session: Session, project: Project, uid: str | None) -> tuple[Component, ...] | None:
    """Return what a release was built of, as its run recorded it; None where nobody knows."""
    source = ports.bill_of_materials.source
    bill = source(session, project.key, uid) if source and uid else None
    return None if bill is None else tuple(bill)


def declared(
    session: Session,
    project: Project,
    release: RecordView | None,
    bill: Sequence[Component] | None,
) -> Declared:
    """Return what the repository says at the release's commit, read for the Python of its run."""
    source = ports.declared_components.source
    if source is None or release is None:
        return Declared(None, "no release is judged" if release is None else "nobody reads it here")
    python = next((one.version for one in bill or () if one.name == INTERPRETER), "")
    return source(session, project, release, python)


def _tagged(session: Session, project: Project, release: RecordView | None) -> Tagged:
    tag = str(release.fields.get("git_tag") or "") if release is not None else ""
    if not tag:
        return Tagged(None, "the release names no tag")
    try:
        commit = commit_of_tag(session, project.key, tag)
    except Conflict as error:
        return Tagged(None, error.message.rstrip("."))
    return Tagged(commit, "" if commit else f"no repository of {project.key} has the tag {tag}")


def _baseline(
    session: Session, project: Project, snapshot: Snapshot, release: RecordView | None
) -> BaselineFact | None:
    root = str(release.fields.get("baseline") or "") if release is not None else ""
    if not root:
        return None
    try:
        baseline = find_baseline(session, project, root)
    except NotFound:
        return None
    diff = compare(lines_of(session, baseline), lines_now(snapshot, project.key))
    touched = (*diff.added, *diff.removed, *(one.after for one in diff.changed))
    changed = tuple(sorted(Key(line.project, line.uid) for line in touched))
    return BaselineFact(baseline.root, verify_baseline(session, baseline).intact, changed)
