"""Whether records, signatures and evidence still are what the audit trail saw."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.canonical import digest
from core.ledger.brought import acts_like, told
from core.ledger.models import LedgerEntry
from core.ledger.placing import Seen, placed
from core.ledger.verify import Anchor, AuditFinding, Verification, guard_findings, verify_chain
from core.ledger.witness import mismatches
from core.ports import evidence_faults
from core.records.approval import signature_digest
from core.records.content import Content, LinkDraft, content_digest
from core.records.models import Link, Project, Record, Revision
from core.records.writing import envelope_document
from core.signing.models import Signature


def verify_installation(
    session: Session, files: BlobStore, anchors: tuple[Anchor, ...] = ()
) -> Verification:
    """Verify the records with `verify_audit`, and all evidence: runs, baselines, imported results.

    This is the one answer that the page, `fiducial audit verify` and a restoration give.
    """
    result = verify_audit(session, anchors)
    result.findings += [
        placed(AuditFinding(one.code, one.where, one.what), None, result.checks)
        for one in evidence_faults(session, files)
    ]
    return result


def verify_audit(session: Session, anchors: tuple[Anchor, ...] = ()) -> Verification:
    """Verify the chain, every revision, every signature and the guards of the database."""
    result = verify_chain(session, anchors)
    keys = {one.id or 0: one.key for one in session.execute(select(Project)).scalars()}
    seen, signed = _last_seen(session, keys)
    _verify_revisions(session, result, seen, keys)
    _verify_signatures(session, result, signed)
    result.findings += [
        placed(AuditFinding("row", one.where, one.what), one.last, result.checks)
        for one in mismatches(session, keys)
    ]
    result.findings += [
        placed(one, None, result.checks) for one in guard_findings(session.connection())
    ]
    return result


Said = tuple[dict[str, str], Seen]
"""What an entry said, and which one it was."""


def _last_seen(
    session: Session, keys: Mapping[int, str]
) -> tuple[dict[tuple[int, str, int], Said], dict[str, tuple[str, Seen]]]:
    """Return what the trail last said of each revision, and of each signature by its digest."""
    seen: dict[tuple[int, str, int], Said] = {}
    signed: dict[str, tuple[str, Seen]] = {}
    query = select(LedgerEntry).where(acts_like("record:%")).order_by(col(LedgerEntry.seq))
    for entry in map(told, session.execute(query).scalars()):
        details = entry.details
        if "revision" not in details or entry.project_id is None:
            continue
        at = Seen(entry.seq, entry.written)
        seen[entry.project_id, entry.subject, int(details["revision"])] = (dict(details), at)
        if entry.signature:
            name = f"{entry.subject} of {_key_of(entry.project_id, keys)}"
            signed[entry.signature] = (name, at)
    return seen, signed


def _key_of(project: int, keys: Mapping[int, str]) -> str:
    # The row of a project can be deleted by hand too.
    return keys.get(project, f"a project that is gone, row {project}")


def _verify_revisions(
    session: Session,
    result: Verification,
    seen: Mapping[tuple[int, str, int], Said],
    keys: Mapping[int, str],
) -> None:
    links = _links(session)
    rows = session.execute(
        select(Revision, Record, col(Project.key))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .order_by(col(Revision.id))
    )
    present = set()
    for revision, record, key in rows:
        result.revisions += 1
        name = (record.project_id, record.uid, revision.number)
        present.add(name)
        where = f"{record.uid} revision {revision.number} of {key}"
        stated = tuple(
            LinkDraft(role, uid, None if project == key else project, attributes)
            for role, project, uid, attributes in links.get(revision.id or 0, ())
        )
        content = Content(revision.title, revision.body, dict(revision.fields), stated)
        now = content_digest(key, record.type, record.uid, content)
        last, at = seen.get(name, (None, None))
        code, what = _judged(revision, last, now)
        if what:
            finding = AuditFinding(code, where, what)
            result.findings.append(placed(finding, at, result.checks))
    for name in sorted(set(seen) - present):
        project, uid, number = name
        where = f"{uid} revision {number} of {_key_of(project, keys)}"
        gone = AuditFinding("deleted", where, "is recorded, but its row is gone.")
        result.findings.append(placed(gone, seen[name][1], result.checks))


def _judged(revision: Revision, last: Mapping[str, str] | None, now: str) -> tuple[str, str]:
    """Return a code and what does not fit; empty where a revision is what was recorded."""
    if last is None:
        return "unrecorded", "was made behind the audit trail's back."
    if now != last["content"] or revision.content_digest != last["content"]:
        return "changed", "its content is not the one that the audit trail recorded."
    if (
        revision.envelope_digest != last["envelope"]
        or digest(envelope_document(revision)) != last["envelope"]
        or revision.state != last["state"]
    ):
        return "changed", "its author, time, reason or state is not what the audit trail recorded."
    return "", ""


def _links(session: Session) -> dict[int, list[tuple[str, str, str, dict[str, object]]]]:
    found = defaultdict(list)
    rows = session.execute(
        select(
            col(Link.revision_id),
            col(Link.role),
            col(Project.key),
            col(Record.uid),
            col(Link.attributes),
        )
        .join(Record, col(Record.id) == col(Link.target_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .order_by(col(Link.revision_id), col(Link.position))
    )
    for revision, role, project, uid, attributes in rows:
        found[revision].append((role, project, uid, attributes or {}))
    return found


def _verify_signatures(
    session: Session, result: Verification, signed: Mapping[str, tuple[str, Seen]]
) -> None:
    found = set()
    for signature in session.execute(select(Signature).order_by(col(Signature.id))).scalars():
        result.signatures += 1
        made = signature_digest(signature)
        found.add(made)
        if made not in signed:
            where = f"signature {signature.id} of {signature.printed_name}"
            what = "is not the one that the audit trail recorded."
            finding = AuditFinding("signature", where, what)
            result.findings.append(placed(finding, None, result.checks))
    for gone in sorted(set(signed) - found):
        subject, at = signed[gone]
        finding = AuditFinding(
            "signature", subject, f"its signature {gone[:12]} is gone or changed."
        )
        result.findings.append(placed(finding, at, result.checks))
