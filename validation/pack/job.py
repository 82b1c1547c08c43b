"""Build the pack of a signed release: as a job of the worker, or at once for the command line."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core import ledger
from core.blobs import ABANDONED_AFTER_S, BlobStore, StoredBlob, remember
from core.clock import now
from core.db import Database
from core.errors import Conflict
from core.jobs.context import JobContext, JsonDict
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of
from core.records.service import find_project, find_record
from core.settings import Settings
from core.signing.keys import PUBLIC_NAME, key_folder, load_key
from qms.baselines.current import project_snapshot
from qms.releases.gathering import find_release
from validation.pack.assemble import assemble
from validation.pack.build import build_pack
from validation.pack.standing import BUILT, MEDIA_TYPE, refuse_unsigned
from validation.verify.findings import ExitCode
from validation.verify.verification import verify_pack

UNFINISHED = ".building-"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class BuiltPack:
    """A pack that was built and verified, before it is recorded."""

    name: str
    release: str
    root: str
    members: int
    statement: str

    def as_json(self) -> dict[str, Any]:
        """Return what the audit trail keeps of it, beside its SHA-256."""
        return {
            "name": self.name,
            "release": self.release,
            "root": self.root,
            "members": self.members,
            "statement": self.statement,
        }


def run(ctx: JobContext) -> JsonDict:
    """Build, verify and keep the pack that a job's payload names."""
    project_key, release = ctx.payload["project"], ctx.payload["release"]
    store = BlobStore(ctx.settings.data_dir.resolve() / "blobs")
    folder = ctx.settings.data_dir.resolve() / "packs"
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)

    def work() -> tuple[BuiltPack, StoredBlob]:
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as made:
            target = Path(made) / "pack.zip"
            built = _build(ctx.db, ctx.settings, project_key, release, target, ctx.progress)
            stored = store.put(target)
            target.replace(folder / built.name)
            return built, stored

    def commit(session: Session, value: tuple[BuiltPack, StoredBlob]) -> JsonDict:
        built, stored = value
        remember(session, stored, MEDIA_TYPE)
        person = session.get(Person, ctx.created_by) if ctx.created_by else None
        by = actor_of(session, person) if person is not None else None
        _record(session, project_key, release, built, stored.sha256, by)
        address = f"/p/{project_key}/releases/{release}#pack"
        return {
            **built.as_json(),
            "sha256": stored.sha256,
            "size": stored.size,
            "address": address,
        }

    result: JsonDict = ctx.step("build", work=work, commit=commit)
    return result


def _sweep(folder: Path) -> None:
    """Remove what killed builds left half-made."""
    for left in folder.glob(f"{UNFINISHED}*"):
        if now().timestamp() - left.stat().st_mtime > ABANDONED_AFTER_S:
            shutil.rmtree(left, ignore_errors=True)


def build_release_pack(
    db: Database,
    settings: Settings,
    project_key: str,
    version: str,
    target: Path,
    progress: Progress = lambda _done, _total, _text: None,
) -> Path:
    """Build the pack of a release into a file of its own, verify it and record its digest.

    Parameters
    ----------
    version : str
        Version or uid of the release.

    Raises
    ------
    Conflict
        If the release is not signed, or the pack does not verify.
    Invalid
        If what is recorded contradicts itself; every fault is named.
    """
    with db.reading() as session:
        project = find_project(session, project_key)
        release = find_release(project_snapshot(session, project), project_key, version).key.uid
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as made:
        unproven = Path(made) / target.name
        built = _build(db, settings, project_key, release, unproven, progress)
        stored = BlobStore(settings.data_dir.resolve() / "blobs").put(unproven)
        with db.writing() as session:
            remember(session, stored, MEDIA_TYPE)
            _record(session, project_key, release, built, stored.sha256, None)
        shutil.move(unproven, target)
    return target


def _build(
    db: Database,
    settings: Settings,
    project_key: str,
    release: str,
    target: Path,
    progress: Progress,
) -> BuiltPack:
    key = load_key(settings.data_dir)
    progress(0, 1, "Gathering records, runs and signatures")
    with db.reading() as session:
        project = find_project(session, project_key)
        record = find_record(session, project, release)
        refuse_unsigned(record)
        contents, evidence = assemble(session, project, record, settings)
        envelope = next(entry.envelope_digest for entry in contents.records if entry.uid == release)
    build_pack(contents, evidence, key, target, progress)
    verdict = verify_pack(target, [key_folder(settings.data_dir) / PUBLIC_NAME])
    if verdict.exit_code is not ExitCode.INTACT_AND_TRUSTED:
        told = "; ".join(str(finding) for finding in verdict.findings[:5])
        raise Conflict(f"The pack of {release} was built and does not verify: {told}")
    return BuiltPack(
        name=f"{contents.cover.document}.zip",
        release=envelope,
        root=contents.baseline.root,
        members=verdict.members,
        statement=verdict.statement,
    )


def _record(
    session: Session,
    project_key: str,
    release: str,
    built: BuiltPack,
    sha256: str,
    by: Actor | None,
) -> None:
    project = find_project(session, project_key)
    told = {**built.as_json(), "sha256": sha256}
    ledger.append(session, BUILT, by, project_id=project.id, subject=release, data=told)
