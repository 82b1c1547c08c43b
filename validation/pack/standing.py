"""Ask for the pack of a release, and say which packs it has.

What was built is told by the audit trail; the files are kept by their SHA-256.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.errors import Conflict, NotFound
from core.jobs.models import LIVE_STATES, Job, JobState
from core.jobs.service import enqueue, newest_job
from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.records.models import Project, Record, Revision
from core.records.service import find_project, find_record
from core.settings import Settings
from qms.releases.ports import PackStanding

KIND = "validation.pack"
MEDIA_TYPE = "application/zip"
BUILT = "pack:release:build"
"""The audit trail's word for a pack that was built and found intact."""


@dataclass(frozen=True)
class PackFile:
    """A pack that was built: its name, its digest, and where the installation keeps it."""

    name: str
    sha256: str
    path: Path
    at: datetime
    members: int


def request_pack(session: Session, project: Project, release: str, by: Actor) -> Job:
    """Ask the worker for the pack of a release.

    Raises
    ------
    Conflict
        If no revision of the release is signed.
    """
    refuse_unsigned(find_record(session, project, release))
    payload = {"project": project.key, "release": release}
    key = job_key(project.key, release)
    return enqueue(session, KIND, payload, by, key, project_id=project.id)


def start_pack(session: Session, project: Project, release: str, by: Actor, reason: str) -> str:
    """Ask the worker for a pack; return the page that shows how far it is."""
    del reason
    return f"/jobs/{request_pack(session, project, release, by).id}"


def refuse_unsigned(record: Record) -> None:
    """Refuse a record that is no release, or one of which no revision was signed.

    A newer draft stops nothing: the pack shows the signed revision, as it was then.
    """
    if record.type != "release":
        raise NotFound(f"{record.uid} is a {record.type}, not a release.")
    if record.effective_id is None:
        raise Conflict(
            f"{record.uid} is not signed yet; the pack is frozen at the final signature."
        )


def latest_pack_file(
    session: Session, settings: Settings, project_key: str, release: str
) -> PackFile | None:
    """Return the newest pack of a release as it is in force now, or None."""
    built = _built(session, project_key, release)
    if built is None:
        return None
    at, told = built
    try:
        path = BlobStore(settings.data_dir.resolve() / "blobs").path(told["sha256"])
    except NotFound:
        return None
    return PackFile(told["name"], told["sha256"], path, at, int(told["members"]))


def latest_pack(session: Session, project_key: str, release: str) -> PackStanding | None:
    """Say where a release's newest pack stands: being built, built, or failed to be."""
    job = newest_job(session, KIND, job_key(project_key, release))
    if job is not None and job.state in LIVE_STATES:
        return PackStanding("building", "the pack", f"/jobs/{job.id}", job.created_at)
    built = _built(session, project_key, release)
    if (
        job is not None
        and job.state == JobState.FAILED
        and (built is None or built[0] < job_end(job))
    ):
        return PackStanding("failed", "the pack", f"/jobs/{job.id}", job.ended_at)
    if built is None:
        return None
    at, told = built
    address = f"/p/{project_key}/releases/{release}/pack"
    return PackStanding("built", told["name"], address, at, told["sha256"])


def job_key(project_key: str, release: str) -> str:
    """Return the key under which one pack of a release is built at a time."""
    return f"{project_key} {release}"


def job_end(job: Job) -> datetime:
    """Return when a job ended, or when it was asked for while it has not."""
    return job.ended_at or job.created_at


def _built(
    session: Session, project_key: str, release: str
) -> tuple[datetime, Mapping[str, Any]] | None:
    """Return when the newest pack of the release in force was built, and what was told of it."""
    project = find_project(session, project_key)
    record: Record = find_record(session, project, release)
    if record.effective_id is None:
        return None
    envelope = session.get_one(Revision, record.effective_id).envelope_digest
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            acts(BUILT),
            col(LedgerEntry.project_id) == project.id,
            col(LedgerEntry.subject) == release,
        )
        .order_by(col(LedgerEntry.seq).desc())
    )
    for entry in map(told, entries):
        if entry.details["release"] == envelope:
            return entry.at, entry.details
    return None
