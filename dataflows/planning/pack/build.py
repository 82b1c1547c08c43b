"""Build a change-impact pack, as a job of the worker or at once, and find the packs that exist."""

import io
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core import ledger
from core.blobs import BlobStore, StoredBlob, remember
from core.canonical import digest
from core.errors import NotFound
from core.jobs.context import JobContext, JsonDict
from core.jobs.models import Job, JobState
from core.jobs.service import enqueue, newest_job
from core.ledger.brought import acts
from core.ledger.brought import told as read_told
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of
from core.records.models import Project, Record
from core.records.service import find_project
from core.settings import Settings
from dataflows.planning.pack.contents import Contents, contents_of, manifest
from dataflows.planning.pack.printing import to_pdf
from dataflows.planning.plan import Purpose, purpose_named
from dataflows.planning.service import ReadMap, read_map_within, readable_to

KIND = "dataflows.pack"
SYSTEM = "system"
BUILT = "pack:change-impact:build"
"""The audit trail's word for a change-impact pack that was built."""

MEDIA_TYPE = "application/zip"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first day that zip can say: a pack does not tell when it was built."""

STEPS = 3

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class PackFile:
    """A pack that was built: its name and digest, its map and sign-off, and where it is kept."""

    name: str
    sha256: str
    model: str
    baseline: str
    path: Path
    at: datetime


def ask_for_pack(
    session: Session, project: Project, system: str, purpose: Purpose, by: Actor
) -> Job:
    """Let a worker build a pack of what the asking person may read; twice while it waits is once.

    Whoever asks holds up everybody who writes, so the map is left to the worker to read.

    Raises
    ------
    NotFound
        If the map has no such system.
    """
    there = session.scalars(
        select(col(Record.id)).where(
            col(Record.project_id) == project.id,
            col(Record.type) == SYSTEM,
            col(Record.uid) == system,
            col(Record.withdrawn_at).is_(None),
        )
    ).first()
    if there is None:
        raise NotFound(f"There is no system {system} on this map; a pack is made for a system.")
    readable = readable_to(session, by) | {project.key}
    payload = _payload(project, readable, system, purpose)
    return enqueue(session, KIND, payload, by, digest(payload), project_id=project.id)


def pack_in_work(
    session: Session, project: Project, read: ReadMap, system: str, purpose: Purpose
) -> Job | None:
    """Return the job of such a pack that waits or runs, or that failed last; None otherwise."""
    job = newest_job(session, KIND, digest(_payload(project, read.readable, system, purpose)))
    return job if job is not None and job.state != JobState.DONE else None


def _payload(
    project: Project, readable: Iterable[str], system: str, purpose: Purpose
) -> dict[str, str | list[str]]:
    return {
        "project": project.key,
        "system": system,
        "purpose": purpose.value,
        "readable": sorted(readable),
    }


def run(ctx: JobContext) -> JsonDict:
    """Build and keep the pack that a job's payload names."""
    told = ctx.payload
    purpose = purpose_named(str(told["purpose"]))
    store = BlobStore(ctx.settings.data_dir.resolve() / "blobs")

    def work() -> tuple[Contents, StoredBlob]:
        with ctx.db.reading() as session:
            contents, data = build(
                session, told["project"], told["system"], purpose, told["readable"], ctx.progress
            )
        return contents, store.put(data)

    def commit(session: Session, value: tuple[Contents, StoredBlob]) -> JsonDict:
        contents, stored = value
        person = session.get(Person, ctx.created_by) if ctx.created_by else None
        by = actor_of(session, person) if person is not None else None
        record(session, contents, stored, told["readable"], by)
        origin = contents.origin
        plan = f"/p/{origin.project}/map/impact/{origin.subject}"
        # Where the pack is told of and taken away, not the file itself: a page can be left again.
        address = f"{plan}?purpose={origin.purpose}#pack"
        return {"name": f"{origin.name}.zip", "sha256": stored.sha256, "address": address}

    result: JsonDict = ctx.step("build", work=work, commit=commit)
    return result


def build(
    session: Session,
    project: str,
    system: str,
    purpose: Purpose,
    readable: Collection[str],
    progress: Progress = lambda _done, _total, _text: None,
) -> tuple[Contents, bytes]:
    """Return the contents of a pack and its zip file."""
    progress(0, STEPS, "Reading the map and drawing its picture")
    found = find_project(session, project)
    read = read_map_within(session, project, readable)
    contents = contents_of(session, read, system, purpose, found.title, found.demonstration)
    progress(1, STEPS, "Printing")
    members = {**contents.texts, "change-impact.pdf": to_pdf(contents)}
    progress(2, STEPS, "Packing")
    data = zipped({**members, "manifest.json": manifest(contents.origin, members)})
    progress(STEPS, STEPS, "Built")
    return contents, data


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Write a zip file whose bytes follow from its members alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            archive.writestr(info, members[name])
    return out.getvalue()


def record(
    session: Session,
    contents: Contents,
    stored: StoredBlob,
    readable: Collection[str],
    by: Actor | None,
) -> None:
    """Keep a pack by its digest, and say in the audit trail that it was built and of what."""
    origin = contents.origin
    remember(session, stored, MEDIA_TYPE)
    ledger.append(
        session,
        BUILT,
        by,
        project_id=find_project(session, origin.project).id,
        subject=origin.subject,
        data={
            "name": f"{origin.name}.zip",
            "purpose": origin.purpose.value,
            "model": origin.model,
            "baseline": origin.baseline.root if origin.baseline else "",
            "renderer": origin.renderer,
            "sha256": stored.sha256,
            "readable": sorted({origin.project, *readable}),
        },
    )


def latest_pack(
    session: Session,
    settings: Settings,
    project: Project,
    system: str,
    purpose: Purpose,
    readable: Collection[str],
) -> PackFile | None:
    """Return the newest pack that tells no more than the reader may read, or None."""
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            acts(BUILT),
            col(LedgerEntry.project_id) == project.id,
            col(LedgerEntry.subject) == system,
        )
        .order_by(col(LedgerEntry.seq).desc())
    )
    within = {project.key, *readable}
    for entry in map(read_told, entries):
        told = entry.details
        if told["purpose"] == purpose and within.issuperset(told["readable"]):
            try:
                path = BlobStore(settings.data_dir.resolve() / "blobs").path(told["sha256"])
            except NotFound:
                continue
            return PackFile(
                name=told["name"],
                sha256=told["sha256"],
                model=told["model"],
                baseline=told.get("baseline", ""),
                path=path,
                at=entry.at,
            )
    return None
