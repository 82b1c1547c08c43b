"""What this installation can do: each capability with its state, what is off without it, its mend.

`examine` only looks: it opens the database for reading, tries to write one empty file into the data
folder and takes it away again, and changes nothing.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

import app.tables  # noqa: F401 - the guards know a table once its model is imported
from app.packs import check_packs
from app.schema import newest, revision_of
from core.db import Database, open_database
from core.errors import FiducialError, Invalid
from core.ledger.guards import missing_guards
from core.pdf import missing_library
from core.records.leftovers import left_over_everywhere
from core.records.types import get_registry
from core.settings import Settings
from core.signing.keys import load_key, print_fingerprint
from qms.clauses.packs import clause_book
from qms.rules.packs import framework_pack
from validation.runs.confinement import in_force, is_confined
from validation.runs.environment import installed_packages, lock_file
from validation.runs.installation import other_versions

ROOT = Path(__file__).resolve().parent.parent
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"

ASSETS = (
    *("nhsuk.css", "fiducial.css", "explore.css"),
    *("nhsuk.js", "htmx.js", "fiducial.js", "explore.js", "cytoscape.js"),
    *("plantuml-page.js", "plantuml.js"),
)
FONTS = ("Liberation Sans", "Liberation Mono", "DejaVu Sans")
"""The families that the style sheets name; another family moves every line break of a pack."""

TIME_LIMIT_S = 10
FREE_SPACE_BYTES = 1_000_000_000
"""A pack with its run and a backup of both fit into this; below it the doctor warns."""


class State(StrEnum):
    """How it stands with one capability."""

    READY = "ready"
    WARNING = "warning"
    MISSING = "missing"
    ABSENT = "absent"
    """Not there, and nothing of the service needs it."""


@dataclass(frozen=True)
class Capability:
    """One thing the installation may be able to do.

    Attributes
    ----------
    name : str
        What it is.
    state : State
        How it stands.
    detail : str
        What was found: a version, a path, the reason.
    off : str
        What does not work without it.
    mend : str
        What to do; empty where nothing is to be done.
    """

    name: str
    state: State
    detail: str
    off: str
    mend: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the capability as `fiducial doctor --json` prints it."""
        return {key: str(value) for key, value in asdict(self).items()}


def examine(settings: Settings) -> list[Capability]:
    """Return every capability, the necessary ones first."""
    return [
        _printing(),
        _fonts(),
        _diagrams(),
        _git(),
        _pages(),
        _packages(),
        _frameworks(),
        _data_folder(settings.data_dir.absolute()),
        *_database(settings),
        _signing_key(settings.data_dir),
        _confinement(),
        *_peers(),
        _reference_data(settings.reference_data),
    ]


def needs_mending(capabilities: Iterable[Capability]) -> bool:
    """Tell whether something is missing that the service needs: exit code 1 of the command."""
    return any(capability.state is State.MISSING for capability in capabilities)


# What every page and pack needs


def _printing() -> Capability:
    missing = missing_library()
    name, off = "PDF printing", "validation packs and every other PDF"
    if missing:
        mend = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig"
        return Capability(name, State.MISSING, missing, off, mend)
    return Capability(name, State.READY, "WeasyPrint with Pango", off)


def _fonts() -> Capability:
    name, off = "fonts", "the same pack looks different on another machine"
    absent = [family for family in FONTS if _answer("fc-match", family, "family") != family]
    if absent:
        mend = "apt-get install fontconfig fonts-liberation fonts-dejavu-core"
        return Capability(name, State.MISSING, f"not found: {', '.join(absent)}", off, mend)
    return Capability(name, State.READY, ", ".join(FONTS), off)


def _diagrams() -> Capability:
    name, off = "diagrams", "the picture of the department map (its table and matrix remain)"
    version = _answer("dot", "-V")
    if not version:
        return Capability(name, State.MISSING, "no `dot`", off, "apt-get install graphviz")
    return Capability(name, State.READY, version, off)


def _git() -> Capability:
    name, off = "Git", "repositories, commit links, and runs from a device's tag"
    version = _answer("git", "--version")
    if not version:
        return Capability(name, State.MISSING, "no `git`", off, "apt-get install git")
    return Capability(name, State.READY, version, off)


def _pages() -> Capability:
    name, off = "page assets", "the look of every page, and its keys"
    absent = [asset for asset in ASSETS if not (VENDOR / asset).is_file()]
    if absent:
        detail = f"not in {VENDOR}: {', '.join(absent)}"
        return Capability(name, State.MISSING, detail, off, "python3 scripts/setup.py")
    return Capability(name, State.READY, str(VENDOR), off)


def _packages() -> Capability:
    name, off = "Python packages", "packs that come out byte for byte the same on another machine"
    lock = lock_file()
    if lock is None:
        detail = "no requirements.lock to compare with"
        return Capability(name, State.WARNING, detail, off, "install from a clone or a wheel of it")
    other = other_versions(lock.read_text(encoding="utf-8"), installed_packages())
    if other:
        mend = "python3 scripts/setup.py, or pip install --require-hashes -r requirements.lock"
        return Capability(name, State.WARNING, "; ".join(other), off, mend)
    return Capability(name, State.READY, f"as locked in {lock}", off)


def _frameworks() -> Capability:
    name, off = (
        "types and frameworks",
        "the service: it does not start on faulty types, clauses or rules",
    )
    try:
        check_packs()
    except Invalid as refusal:
        return Capability(name, State.MISSING, str(refusal), off, "mend the files named")
    changes = framework_pack().changes
    own = "; ".join(changes) or "types and release check as they ship"
    return Capability(name, State.READY, f"{len(clause_book().lists)} lists of clauses; {own}", off)


def _data_folder(folder: Path) -> Capability:
    name, off = "data folder", "everything: records, files, keys and packs live there"
    mend = f"let this account write {folder}, or set FIDUCIAL_DATA_DIR to a folder that it may"
    if not folder.is_dir():
        detail = f"{folder} is not there yet"
        return Capability(name, State.MISSING, detail, off, "`fiducial init`, or `make demo`")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Capability(name, State.MISSING, f"{folder}: {error.strerror}", off, mend)
    free = shutil.disk_usage(folder).free
    detail = f"{folder}, {free / 1e9:.1f} GB free"
    if free < FREE_SPACE_BYTES:
        return Capability(name, State.WARNING, detail, off, "make room: a write may soon fail")
    return Capability(name, State.READY, detail, off)


def _database(settings: Settings) -> list[Capability]:
    name, off = "database", "everything: there is no record without it"
    url = make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would make an empty file, and the doctor changes nothing.
        return [
            Capability(name, State.MISSING, f"{shown} is not there yet", off, "`fiducial init`")
        ]
    try:
        with _opened(settings) as database, database.engine.connect() as connection:
            return [
                Capability(name, State.READY, shown, off),
                _schema(connection),
                _guards(connection),
                _contents(connection),
            ]
    except (SQLAlchemyError, FiducialError) as error:
        reason = str(error).splitlines()[0]
        mend = "start the database server, or mend FIDUCIAL_DATABASE_URL"
        return [Capability(name, State.MISSING, f"{shown}: {reason}", off, mend)]


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """Open the database and close every connection, so that SQLite's side files go as well."""
    database = open_database(settings.database)
    try:
        yield database
    finally:
        database.engine.dispose()


def _schema(connection: Connection) -> Capability:
    name, off = "schema", "the service: it does not start on tables of another version"
    here, wanted = revision_of(connection), newest()
    if here != wanted:
        detail = f"at {here or 'nothing'}, should be at {wanted}"
        return Capability(name, State.MISSING, detail, off, "`fiducial db upgrade`")
    return Capability(name, State.READY, f"at {wanted}", off)


def _guards(connection: Connection) -> Capability:
    name, off = "guards", "the proof that nobody changed history behind the service's back"
    missing = missing_guards(connection)
    if missing:
        mend = "`fiducial audit verify`, then `fiducial db upgrade` makes them anew"
        return Capability(name, State.MISSING, f"no trigger {', '.join(missing)}", off, mend)
    return Capability(name, State.READY, "every trigger is in place", off)


def _contents(connection: Connection) -> Capability:
    name, off = "what records hold", "editing or finding it: no type knows it any longer"
    try:
        with Session(connection) as session:
            found = left_over_everywhere(session, get_registry())
    except (SQLAlchemyError, Invalid) as error:
        reason = str(error).splitlines()[0]
        return Capability(name, State.WARNING, f"not looked at: {reason}", off, "mend the above")
    if found:
        mend = "give the types in FIDUCIAL_TYPES_DIR back what they had; nothing of it is deleted"
        return Capability(name, State.WARNING, "; ".join(found), off, mend)
    return Capability(name, State.READY, "every type knows what its records hold", off)


def _signing_key(data_dir: Path) -> Capability:
    name, off = "signing key", "signed packs; without it nobody can tell who made one"
    try:
        fingerprint = load_key(data_dir).fingerprint
    except FiducialError as error:
        return Capability(name, State.MISSING, str(error), off, "`fiducial init` makes it once")
    return Capability(name, State.READY, print_fingerprint(fingerprint), off)


def _confinement() -> Capability:
    name = "confinement"
    off = "the wall between a device's step code and the keys, files and database kept here"
    said = in_force()
    if not is_confined(said):
        mend = (
            "a Linux kernel from 6.2 on with Landlock; until then validate only devices you trust"
        )
        return Capability(name, State.WARNING, said, off, mend)
    if os.geteuid() == 0:
        detail, mend = (
            f"{said}, but this account is root",
            "run the service with an account of its own",
        )
        return Capability(name, State.WARNING, detail, off, mend)
    return Capability(name, State.READY, said, off)


# What only tests and deeper checks use


def _peers() -> list[Capability]:
    peers = {
        "DCMTK": (
            _first(Path("/usr/bin/storescu")),
            "comparison with a second DICOM tool",
            "dcmtk",
        ),
        "Orthanc": (
            _first(Path("/usr/sbin/Orthanc")),
            "the probe of a DICOM listener that knows its callers",
            "orthanc",
        ),
        "Poppler": (_command("pdftotext"), "the tests that read a PDF back", "poppler-utils"),
        "Chromium": (_command("chromium"), "the tests that walk the pages", "chromium"),
        "PostgreSQL": (
            _newest("usr/lib/postgresql/*/bin/postgres"),
            "`make test DB=postgresql`; a server elsewhere needs only FIDUCIAL_DATABASE_URL",
            "postgresql",
        ),
    }
    return [
        Capability(name, State.READY, str(found), off)
        if found
        else Capability(
            name, State.ABSENT, "not on this machine", off, f"apt-get install {package}"
        )
        for name, (found, off, package) in peers.items()
    ]


def _reference_data(folder: Path) -> Capability:
    name, off = "reference data", "the comparison with published plans in tests and demonstration"
    if not folder.is_dir():
        detail = f"{folder.absolute()} is not there"
        return Capability(name, State.ABSENT, detail, off, "set FIDUCIAL_REFERENCE_DATA")
    return Capability(name, State.READY, str(folder.absolute()), off)


def _command(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _first(path: Path) -> Path | None:
    return path if path.exists() else None


def _newest(pattern: str) -> Path | None:
    return max(Path("/").glob(pattern), default=None)


def _answer(*command: str) -> str:
    """Return the first line that a program prints, or nothing when it is absent or fails."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603
            [program, *command[1:]],
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else ""
