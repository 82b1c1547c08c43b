"""Whether records and signatures still are what the audit trail saw."""

from collections import defaultdict

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.canonical import digest
from core.ledger.models import LedgerEntry
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
    """Verify the records with `verify_audit`, and the evidence of every run.

    This is the one answer that the page, `fiducial audit verify` and a restoration give.
    """
    result = verify_audit(session, anchors)
    result.findings += [
        AuditFinding(one.code, one.where, one.what) for one in evidence_faults(session, files)
    ]
    return result


def verify_audit(session: Session, anchors: tuple[Anchor, ...] = ()) -> Verification:
    """Verify the chain, every revision, every signature and the guards of the database."""
    result = verify_chain(session, anchors)
    seen, signed = _last_seen(session)
    _verify_revisions(session, result, seen)
    _verify_signatures(session, result, signed)
    result.findings += [AuditFinding("row", one.where, one.what) for one in mismatches(session)]
    result.findings += guard_findings(session.connection())
    return result


def _last_seen(
    session: Session,
) -> tuple[dict[tuple[int, str, int], dict[str, str]], dict[str, str]]:
    """Return what the trail last said of each revision, and the digests of signatures."""
    seen: dict[tuple[int, str, int], dict[str, str]] = {}
    signed: dict[str, str] = {}
    query = (
        select(LedgerEntry)
        .where(col(LedgerEntry.action).startswith("record:"))
        .order_by(col(LedgerEntry.seq))
    )
    for entry in session.execute(query).scalars():
        details = entry.details
        if "revision" not in details or entry.project_id is None:
            continue
        seen[entry.project_id, entry.subject, int(details["revision"])] = details
        if "signature" in details:
            signed[details["signature"]] = entry.subject
    return seen, signed


def _verify_revisions(
    session: Session, result: Verification, seen: dict[tuple[int, str, int], dict[str, str]]
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
        last = seen.get(name)
        if last is None:
            result.findings.append(
                AuditFinding("unrecorded", where, "was made behind the audit trail's back.")
            )
        elif now != last["content"] or revision.content_digest != last["content"]:
            result.findings.append(
                AuditFinding(
                    "changed", where, "its content is not the one that the audit trail recorded."
                )
            )
        elif (
            revision.envelope_digest != last["envelope"]
            or digest(envelope_document(revision)) != last["envelope"]
            or revision.state != last["state"]
        ):
            result.findings.append(
                AuditFinding(
                    "changed",
                    where,
                    "its author, time, reason or state is not what the audit trail recorded.",
                )
            )
    for _, uid, number in sorted(set(seen) - present):
        result.findings.append(
            AuditFinding("deleted", f"{uid} revision {number}", "is recorded, but its row is gone.")
        )


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


def _verify_signatures(session: Session, result: Verification, signed: dict[str, str]) -> None:
    found = set()
    for signature in session.execute(select(Signature).order_by(col(Signature.id))).scalars():
        result.signatures += 1
        made = signature_digest(signature)
        found.add(made)
        if made not in signed:
            result.findings.append(
                AuditFinding(
                    "signature",
                    f"signature {signature.id} of {signature.printed_name}",
                    "is not the one that the audit trail recorded.",
                )
            )
    for gone in sorted(set(signed) - found):
        result.findings.append(
            AuditFinding(
                "signature", signed[gone], f"its signature {gone[:12]} is gone or changed."
            )
        )
