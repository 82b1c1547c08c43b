"""A small installation to back up, and what to compare of it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from app.schema import upgrade_database
from core.blobs import BlobStore, keep
from core.canonical import digest
from core.db import Database, Table, open_database
from core.ledger import append
from core.people.passwords import choose
from core.people.service import actor_of, create_person, grant
from core.records.content import Content
from core.records.models import Revision
from core.records.service import create_project, create_record
from core.settings import Settings
from core.signing.keys import create_key

ROOT = Path(__file__).parents[2]
WORDS = "four random words here"
GIT = [
    "git",
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.org",
    "-c",
    "init.defaultBranch=main",
]


@dataclass(frozen=True)
class Installation:
    """A small installation that is in use."""

    settings: Settings
    database: Database
    lost_commit: str


def git(*arguments: str, folder: Path) -> str:
    command = [*GIT, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def make_installation(data_dir: Path, database_url: str = "") -> Installation:
    """Make three records, two files, a key, and a mirror in which one commit was rewritten away."""
    data_dir.mkdir()
    settings = Settings(data_dir=data_dir, database_url=database_url)
    database = open_database(settings.database)
    upgrade_database(database)
    create_key(data_dir)
    store = BlobStore(data_dir / "blobs")
    with database.writing() as session:
        person = create_person(
            session, "ada", "PPL-AD", "Ada Field", choose("a long password"), None
        )
        project = create_project(session, "RPM", "RT Plan Metrics", None)
        grant(session, person, ["author"], None, project.id)
        actor = actor_of(session, person)
        for number in range(3):
            create_record(
                session,
                project,
                "user_need",
                Content(f"Need {number}", "Trust the *numbers*"),
                actor,
            )
        keep(session, store, b"a phantom", "application/dicom")
        keep(session, store, os.urandom(300_000))
        append(session, "files:blob:keep", actor, project.id, "phantom")
    return Installation(settings, database, make_mirror(data_dir))


def make_mirror(data_dir: Path) -> str:
    work = data_dir.parent / "work"
    work.mkdir()
    git("init", "-q", folder=work)
    (work / "app.yaml").write_text("name: rpm\n")
    git("add", ".", folder=work)
    git("commit", "-q", "-m", "first", folder=work)
    lost = git("rev-parse", "HEAD", folder=work)
    mirror = data_dir / "repositories" / "1.git"
    mirror.parent.mkdir()
    git("clone", "-q", "--mirror", str(work), str(mirror), folder=work)
    git("commit", "-q", "--amend", "-m", "first, rewritten", folder=work)
    git("fetch", "-q", folder=mirror)
    # All references packed: the folders below `refs` are empty now.
    git("pack-refs", "--all", folder=mirror)
    (mirror / "hooks").mkdir(exist_ok=True)
    (mirror / "hooks" / "post-update").write_text("#!/bin/sh\n")
    return lost


def digests(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        query = select(Revision.content_digest, Revision.envelope_digest).order_by(col(Revision.id))
        return [tuple(row) for row in session.execute(query)]


def everything(database: Database) -> str:
    """Return one digest over every row of every table."""
    rows: dict[str, Any] = {}
    with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            found = session.execute(select(table)).all()
            rows[table.name] = sorted([str(value) for value in row] for row in found)
    return digest(rows)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
