"""Issue the hazard log: freeze the risk file into a record that the clinical safety officer signs.

An issue is a record of its own. Its rows are taken from the risk file by an act of its author, and
handed to review and signed only while they still say what the risk file says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Fault, Invalid, NotFound
from core.people.actor import Actor
from core.records import lifecycle
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record, Revision
from core.records.service import (
    create_record,
    edit_token,
    latest_revision,
    project_of,
    read_content,
    save_draft,
)
from core.records.types import get_registry
from core.records.writers import require_author
from core.records.writing import content_of
from qms.risks.logged import (
    HAZARD_LOG,
    ISSUED_FOR,
    NAMING,
    policy_sentence,
    root_of,
    rows_of,
)
from qms.risks.service import risk_file

FROZEN = ("judged_by", "policy", "hazards", "root")
"""What an issue takes from the risk file, beside the moment at which it did."""

TAKE_AGAIN = "Take the risk file as it stands, and read it, before it is handed on."


@dataclass(frozen=True)
class Issue:
    """One issue of the hazard log, as it was frozen."""

    record: Record
    revision: Revision

    @property
    def hazards(self) -> Sequence[Mapping[str, Any]]:
        """The rows that were frozen."""
        return tuple(self.revision.fields.get("hazards") or ())

    @classmethod
    def of(cls, session: Session, record: Record) -> "Issue":
        """Return a record that is an issue, in force or else as it was last drafted."""
        return cls(record, session.get_one(Revision, record.effective_id or record.latest_id))


def as_it_stands(session: Session, project: str, release: str | None) -> dict[str, Any]:
    """Return the risk file as an issue for a release holds it.

    Raises
    ------
    NotFound
        If there is no such release.
    Invalid
        If the policy in force is faulty.
    """
    file = risk_file(session, project, release)
    rows = rows_of(file.assessments, file.policy, file.owners)
    label = f"those of release {file.release.uid}" if file.release else "the latest runs"
    return {
        "judged_by": label,
        "policy": policy_sentence(file.policy, file.policy_record),
        "hazards": rows,
        "root": root_of(rows),
    }


def begin(session: Session, project: Project, release: str | None, by: Actor) -> Record:
    """Write the draft of a new issue, with the risk file as it stands now.

    Raises
    ------
    Invalid, NotFound, Refused
        As `as_it_stands` and `create_record`.
    """
    fields = as_it_stands(session, project.key, release)
    links = (LinkDraft(ISSUED_FOR, release),) if release else ()
    title = f"Hazard log for {release}" if release else "Hazard log"
    content = Content(title, "", {**fields, "taken_at": _moment()}, links)
    return create_record(session, project, HAZARD_LOG, content, by)


def take(session: Session, record: Record, by: Actor, expected: str) -> Revision:
    """Let the draft of an issue hold the risk file as it stands now.

    Raises
    ------
    Conflict, Invalid, NotFound, Refused
        As `as_it_stands` and `save_draft`.
    """
    project = project_of(session, record)
    require_author(get_registry().of(HAZARD_LOG), project, by)
    if record.type != HAZARD_LOG:
        raise NotFound(f"{record.uid} is no issue of the hazard log.")
    content = read_content(session, record)
    foreign = _elsewhere(project, record, content)
    if foreign:
        raise Invalid("The risk file was not taken.", foreign)
    fields = as_it_stands(session, project.key, _release(content))
    changed = {**content.fields, **fields, "taken_at": _moment()}
    reason = f"Risk file taken: {len(fields['hazards'])} hazards."
    return save_draft(session, record, replace(content, fields=changed), by, expected, reason)


def issues_of(session: Session, project: Project) -> list[Issue]:
    """Return every issue of a project, the newest first, each as it is in force or drafted."""
    query = (
        select(Record, Revision)
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .where(
            col(Record.project_id) == project.id,
            col(Record.type) == HAZARD_LOG,
            col(Record.withdrawn_at).is_(None),
        )
        .order_by(col(Record.id).desc())
    )
    return [Issue(record, revision) for record, revision in session.execute(query).all()]


def changed_since(session: Session, project: Project, record: Record) -> list[str]:
    """Return what the risk file says otherwise than the latest revision of an issue."""
    return _differing(session, project, read_content(session, record))


def take_as_read(session: Session, record: Record, by: Actor) -> Revision:
    """Do the same with the draft as it stands, for a program that read it just now."""
    return take(session, record, by, edit_token(latest_revision(session, record)))


def issue_faults(session: Session, project: Project, record: Record) -> list[Fault]:
    """Return why an issue, or what rests on one, may not be handed on or signed."""
    content = read_content(session, record)
    if record.type == HAZARD_LOG:
        return _stale(session, project, record, content)
    role = NAMING.get(record.type)
    if role is None:
        return []
    faults = []
    for link in content.links:
        if link.role != role:
            continue
        issue = _named(session, project, link)
        if issue is None or issue.withdrawn_at is not None or issue.effective_id is None:
            what = f"rests on {link.target}, an issue of the hazard log that is not in force."
            faults.append(
                Fault("D16", record.uid, what, "Have the clinical safety officer sign the issue.")
            )
            continue
        faults += _other_release(session, project, record, content, issue)
    return faults


def issue_of(session: Session, project: Project, record: Record) -> Issue | None:
    """Return the issue that a record is, or rests on, as it was when the record came into force.

    What rests on an issue and is signed keeps it: a later revision of the issue is another one.
    """
    if record.type == HAZARD_LOG:
        return Issue.of(session, record)
    revision = session.get_one(Revision, record.effective_id or record.latest_id)
    role = NAMING.get(record.type)
    links = content_of(session, revision, project).links
    named = next((link for link in links if link.role == role), None)
    issue = _named(session, project, named) if named else None
    if issue is None:
        return None
    query = select(Revision).where(
        col(Revision.record_id) == issue.id, col(Revision.approved_at).is_not(None)
    )
    if revision.state == lifecycle.APPROVED:
        query = query.where(col(Revision.approved_at) <= revision.approved_at)
    found = session.scalars(query.order_by(col(Revision.number).desc()).limit(1)).first()
    return Issue(issue, found) if found is not None else None


def _stale(session: Session, project: Project, record: Record, content: Content) -> list[Fault]:
    if not content.fields.get("hazards"):
        return []  # Its type says so already.
    foreign = _elsewhere(project, record, content)
    if foreign:
        return foreign
    differ = _differing(session, project, content)
    if not differ:
        return []
    what = f"no longer says what the risk file says: {', '.join(differ)} changed since."
    return [Fault("hazard-log", record.uid, what, TAKE_AGAIN)]


def _differing(session: Session, project: Project, content: Content) -> list[str]:
    """Return the risks, or else what judges them, of which an issue says something else."""
    if _of_another(project, content):
        return ["the release, which is one of another project,"]
    stands = as_it_stands(session, project.key, _release(content))
    if all(content.fields.get(name) == stands[name] for name in FROZEN):
        return []
    held = {str(row.get("risk")): row for row in content.fields.get("hazards") or ()}
    rows = {str(row["risk"]): row for row in stands["hazards"]}
    differ = [uid for uid in {**rows, **held} if held.get(uid) != rows.get(uid)]
    return differ or ["the policy, or the tests that count,"]


def _other_release(
    session: Session, project: Project, record: Record, content: Content, issue: Record
) -> list[Fault]:
    argued = {link.target for link in content.links if link.role == "argues_for"}
    revision = session.get_one(Revision, issue.effective_id)
    issued = {
        link.target
        for link in content_of(session, revision, project).links
        if link.role == ISSUED_FOR
    }
    if not argued or issued & argued:
        return []
    what = (
        f"argues for {', '.join(sorted(argued))} and rests on {issue.uid}, which was issued for "
        f"{', '.join(sorted(issued)) or 'no release'}."
    )
    return [Fault("D16", record.uid, what, "Name the issue of the hazard log for that release.")]


def _elsewhere(project: Project, record: Record, content: Content) -> list[Fault]:
    what = f"is issued for {_release(content)}, a release of another project."
    mend = f"Name a release of {project.key}, whose risk file it holds."
    return [Fault("hazard-log", record.uid, what, mend)] if _of_another(project, content) else []


def _of_another(project: Project, content: Content) -> bool:
    """Whether the release that an issue names has another project's risk file."""
    own = (None, project.key)
    return any(one.role == ISSUED_FOR and one.project not in own for one in content.links)


def _named(session: Session, project: Project, link: LinkDraft) -> Record | None:
    query = (
        select(Record)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key) == (link.project or project.key), col(Record.uid) == link.target)
    )
    return session.scalars(query).first()


def _release(content: Content) -> str | None:
    return next((link.target for link in content.links if link.role == ISSUED_FOR), None)


def _moment() -> str:
    return now().strftime("%Y-%m-%d %H:%M UTC")
