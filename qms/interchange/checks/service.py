"""Ask for a check of files, and keep what it came to: once, whole, with its line in the trail."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from core.blobs import BlobStore, StoredBlob, keep, remember
from core.errors import Refused
from core.jobs.service import enqueue
from core.ledger import append, hold_still
from core.people.actor import Actor
from core.records.models import Project
from qms.interchange.checks.arriving import Asked
from qms.interchange.checks.models import (
    TraceCheck,
    TraceCheckFile,
    TraceCheckFinding,
    TraceCheckResult,
)

JOB = "qms.interchange.check"
MOST_ATTEMPTS = 2
"""A file that ends the process that reads it is not tried for ever."""

MAY_CHECK = (
    "author", "developer", "tester", "validation_tester", "technical_reviewer", "release_manager",
    "quality_manager",
)  # fmt: skip
"""Roles that may have files of another tool checked; everybody in the project reads the result."""

MOST_KEPT = 100_000
"""Findings that are shown one by one; the counts and the kept result speak of all of them."""

PROGRAM, PAGE = "program", "page"


def ask(
    session: Session, store: BlobStore, project: Project, wanted: Asked, by: Actor, via: str
) -> TraceCheck:
    """Keep what was sent and have it checked by a job.

    Raises
    ------
    Refused
        If the person holds no role that may.
    """
    if not by.has(project.id or 0, *MAY_CHECK):
        raise Refused(f"{by.name} may not have files checked in {project.key}.")
    # The number that comes next is nobody else's until this is kept.
    hold_still(session)
    number = _last_number(session, project) + 1
    payload = {"project": project.key, "number": number}
    job = enqueue(session, JOB, payload, by, project_id=project.id, most_attempts=MOST_ATTEMPTS)
    made = TraceCheck(
        project_id=project.id or 0,
        number=number,
        job_id=job.id or 0,
        via=via,
        asked_by=by.name,
        form=wanted.form,
        levels=list(wanted.levels),
        columns=list(wanted.columns),
    )
    session.add(made)
    session.flush()
    digests = {}
    for one in wanted.files:
        kept = keep(session, store, one.content)
        digests[one.name] = kept.sha256
        session.add(
            TraceCheckFile(check_id=made.id or 0, name=one.name, sha256=kept.sha256, size=kept.size)
        )
    data = {"via": via, "files": digests, "format": wanted.form, "levels": list(wanted.levels)}
    data["columns"] = list(wanted.columns)
    append(session, "trace:check:ask", by, project.id, f"trace check {number}", data)
    return made


def keep_result(
    session: Session,
    project: Project,
    check: TraceCheck,
    result: Mapping[str, Any],
    stored: StoredBlob,
    by: Actor | None,
) -> None:
    """Keep what a check came to.

    Parameters
    ----------
    result : mapping
        As `Told.as_plain` writes it, or `refused` with its `faults`.
    stored : StoredBlob
        The same, kept as a file.
    """
    findings = result.get("findings", [])
    session.add(
        TraceCheckResult(
            check_id=check.id or 0,
            sha256=remember(session, stored, "application/json").sha256,
            refused=result.get("refused", ""),
            faults=list(result.get("faults", [])),
            form=result.get("format", ""),
            items=result.get("items", 0),
            links=result.get("links", 0),
            findings=len(findings),
            counts=dict(result.get("counts", {})),
            left_out=dict(result.get("left_out", {})),
            not_judged=dict(result.get("not_judged", {})),
        )
    )
    session.flush()
    rows = [_row(check.id or 0, place, one) for place, one in enumerate(findings[:MOST_KEPT])]
    if rows:
        session.execute(insert(TraceCheckFinding), rows)
    data = {
        "result": stored.sha256,
        "refused": bool(result.get("refused")),
        "counts": dict(result.get("counts", {})),
    }
    append(session, "trace:check:tell", by, project.id, f"trace check {check.number}", data)


def _row(check_id: int, ordinal: int, one: Mapping[str, Any]) -> dict[str, Any]:
    line = one["place"]["line"]
    return {
        "check_id": check_id,
        "ordinal": ordinal,
        "code": one["code"],
        "place": one["place"]["file"] if line is None else f"{one['place']['file']}:{line}",
        "uid": one["uid"] or "",
        "what": one["what"],
        "mend": one["mend"],
    }


def _last_number(session: Session, project: Project) -> int:
    query = select(func.max(col(TraceCheck.number))).where(col(TraceCheck.project_id) == project.id)
    return session.execute(query).scalar_one() or 0
