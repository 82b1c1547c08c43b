"""What keeps a concession or the minutes of a review from being submitted or signed.

A concession lets something through, for a while that is not too long; minutes are signed by who
held the chair, and somebody sat there who has no part in the design.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sqlmodel import Session

from core.clock import now
from core.errors import Fault
from core.records.content import Content
from core.records.models import Project, Record, Revision
from core.records.signable import named_signers
from core.records.snapshot import Key
from core.records.types import get_registry
from core.records.writing import content_of
from qms.baselines.current import project_snapshot
from qms.due_days import as_day
from qms.releases.gathering import gather
from qms.releases.scope import NEWEST, choose_release, releases_of
from qms.rules.check import check
from qms.rules.packs import framework_pack
from qms.rules.registry import RULES

Check = Callable[[Session, Project, Record, Revision, Content], Sequence[Fault]]


def demand_faults(session: Session, project: Project, record: Record) -> tuple[Fault, ...]:
    """Return what is wrong with the latest revision of a concession or of a review's minutes."""
    asked = CHECKS.get(record.type)
    if asked is None:
        return ()
    revision = session.get_one(Revision, record.latest_id)
    return tuple(asked(session, project, record, revision, content_of(session, revision, project)))


def _concession(
    session: Session, project: Project, record: Record, _: Revision, content: Content
) -> list[Fault]:
    code = str(content.fields.get("rule") or "").strip()
    faults = _expiry(record, content)
    if code and code not in RULES:
        near = difflib.get_close_matches(code.upper(), RULES, 1)
        mend = f"Did you mean {near[0]}?" if near else "Take it from the release check."
        faults.append(
            Fault("rule", record.uid, f"names the check {code[:20]}, which is none.", mend)
        )
    elif code:
        faults += _lets_nothing_through(session, project, record, content, code)
    return faults


def _expiry(record: Record, content: Content) -> list[Fault]:
    expires, today = as_day(content.fields.get("expires")), now().date()
    days = int(str(framework_pack().limits["concession_days"]))
    last = today + timedelta(days=days)
    if expires is not None and expires < today:
        what = f"expired on {expires}, so it lets nothing through."
        return [Fault("expires", record.uid, what, f"Set a day up to {last}.")]
    if expires is not None and expires > last:
        what = f"expires on {expires}; a concession lasts at most {days} days."
        return [Fault("expires", record.uid, what, f"Set a day up to {last}.")]
    return []


def _lets_nothing_through(
    session: Session, project: Project, record: Record, content: Content, code: str
) -> list[Fault]:
    """Ask the check about what the concession is for; it must object to some of that."""
    concerned = _targets(project, content, "concerns")
    if not concerned:
        return []  # Its type asks for a link, and says so.
    snapshot = project_snapshot(session, project)
    wanted = _targets(project, content, "release")
    if not wanted:
        scope = choose_release(releases_of(snapshot, project.key), NEWEST)
        wanted = [Key(project.key, scope.uid)] if scope else []
    objected: set[Key] = set()
    alone: list[Key | None] = [None]
    for release in wanted or alone:
        judged = snapshot.records.get(release) if release else None
        result = check(gather(session, project, judged, snapshot), framework_pack())
        objected |= {
            finding.record
            for rule in result.rules
            if rule.code == code
            for finding in rule.findings
        }
    if objected.intersection(concerned):
        return []
    named = ", ".join(key.uid for key in concerned)
    others = ", ".join(sorted(key.uid for key in objected)[:5])
    mend = f"It objects to {others}." if others else "It objects to nothing now."
    what = f"lets nothing through: {code} has no objection to {named}."
    return [Fault("nothing", record.uid, what, mend)]


def _targets(project: Project, content: Content, role: str) -> list[Key]:
    return [
        Key(link.project or project.key, link.target) for link in content.links if link.role == role
    ]


def _minutes(
    session: Session, _: Project, record: Record, revision: Revision, content: Content
) -> list[Fault]:
    faults = []
    record_type = get_registry().of(record.type)
    for meaning, uid in named_signers(session, record_type, revision).items():
        if uid and uid in revision.authors:
            what = f"is written by {uid}, whom it names in the chair and who signs it as {meaning}."
            mend = "Have somebody else write the minutes, or correct who held the chair."
            faults.append(Fault("chair", record.uid, what, mend))
    rows = content.fields.get("attendance") or ()
    if rows and not any(row.get("independent") for row in rows):
        what = "was attended by nobody who is independent of the design."
        faults.append(Fault("independent", record.uid, what, "Name who is, or hold it again."))
    return faults


CHECKS: Mapping[str, Check] = {"waiver": _concession, "design_review": _minutes}
"""Record type -> what is asked of it before it goes to review, and before each signature."""
