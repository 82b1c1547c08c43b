"""What a device is built of: the packages its part of the engine loads, as a run recorded them.

The machine a run takes place on holds many packages more (the service, the test tools); those are
in the run's environment and in the pack's bill of materials. The register of third-party
components is held against what the device itself rests on.
"""

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    requires,
)
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.models import Project
from engine.provenance import engine_files
from qms.soup.components import Component
from validation.protocols.plan import MANUAL, VERIFICATION
from validation.runs.execute import INSTALL_ROOT
from validation.runs.models import Run, RunState

DEVICE_PARTS = ("engine.dicom", "engine.intake", "engine.dose")
"""The parts of the engine that a dose-volume device drives; files are read in a child process."""

ENGINE = "engine"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")


def components_of(session: Session, project: str, release: str) -> list[Component] | None:
    """Return what the release was built of, at the versions that its latest run recorded.

    None while no complete run of the release exists: nobody knows then.
    """
    environment = session.scalars(
        select(col(Run.environment))
        .join(Project, col(Project.id) == col(Run.project_id))
        .where(
            col(Project.key) == project,
            col(Run.release_uid) == release,
            col(Run.protocol) == VERIFICATION,
            col(Run.state) == RunState.COMPLETE,
        )
        .order_by(col(Run.number).desc())
        .limit(1)
    ).first()
    if not environment:
        return None
    return components(environment, loaded_packages())


def engine_paths_of(session: Session, project: str, commit: str) -> frozenset[str]:
    """Return the files and folders of the engine that ran with a commit, as its last run recorded.

    Before the first run they are those of the engine that is installed, which would run. Each
    begins with "engine/", as the paths of software items that the engine realises do.
    """
    environment = session.scalars(
        select(col(Run.environment))
        .join(Project, col(Project.id) == col(Run.project_id))
        .where(
            col(Project.key) == project,
            col(Run.commit) == commit,
            col(Run.protocol) != MANUAL,
            col(Run.state) == RunState.COMPLETE,
        )
        .order_by(col(Run.number).desc())
        .limit(1)
    ).first()
    names = (environment or {}).get("engine_files") or engine_files()
    files = [Path(ENGINE, str(name)) for name in names]
    folders = {folder for file in files for folder in file.parents if folder != Path()}
    return frozenset(path.as_posix() for path in (*files, *folders))


def components(environment: Mapping[str, object], packages: Iterable[str]) -> list[Component]:
    """Return some packages, and Python itself, as an environment records them. Pure."""
    recorded = environment.get("packages")
    versions = {
        _canonical(str(name)): str(version)
        for name, version in (recorded.items() if isinstance(recorded, Mapping) else ())
    }
    python = Component("cpython", str(environment.get("python", "")))
    return [
        python,
        *(Component(name, versions.get(_canonical(name), "unknown")) for name in packages),
    ]


@cache
def loaded_packages(parts: tuple[str, ...] = DEVICE_PARTS) -> tuple[str, ...]:
    """Return the packages that parts of the engine load, and what those need, by name."""
    known = packages_distributions()
    waiting = {name for module in _third_party(parts) for name in known.get(module, ())}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_needs(name)) - found
    return tuple(sorted(_canonical(name) for name in found))


def _third_party(parts: Iterable[str]) -> set[str]:
    """Return the top-level modules outside engine and standard library that are imported."""
    waiting = [file for part in parts for file in _files(part)]
    seen: set[Path] = set()
    outside: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in _imports(file):
            top = module.partition(".")[0]
            if top == ENGINE:
                waiting.extend(_module_files(module))
            elif top not in sys.stdlib_module_names:
                outside.add(top)
    return outside


def _files(part: str) -> list[Path]:
    place = INSTALL_ROOT.joinpath(*part.split("."))
    return sorted(place.rglob("*.py")) if place.is_dir() else _module_files(part)


def _module_files(module: str) -> list[Path]:
    """Return the file of a module; of ``engine.dose.dvh.V`` that of ``engine.dose.dvh``."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        place = INSTALL_ROOT.joinpath(*parts[:length])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return [file]
    return []


def _imports(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def _needs(name: str) -> list[str]:
    """Return what a package needs and is installed; what only an extra asks for is not built in."""
    try:
        stated = requires(name) or []
    except PackageNotFoundError:
        return []
    found = []
    for text in stated:
        wanted, _, condition = text.partition(";")
        named = _NAME.match(wanted.strip())
        if named and "extra" not in condition and _is_installed(named.group()):
            found.append(named.group())
    return found


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _canonical(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
