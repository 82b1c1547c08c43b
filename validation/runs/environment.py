"""Say where a run takes place: machine, system, Python, packages, engine and models, by digest."""

import os
import platform
import sys
from collections.abc import Mapping
from hashlib import file_digest
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from core.canonical import digest
from engine.provenance import engine_files
from validation.runs.confinement import in_force
from validation.runs.execute import INSTALL_ROOT

LOCK_NAME = "requirements.lock"
LOCKS = (Path(__file__).with_name(LOCK_NAME), INSTALL_ROOT / LOCK_NAME)
"""Where the lock lies: beside this file when installed from a wheel, else at the clone's top."""


def describe_environment(models: Mapping[str, str]) -> dict[str, Any]:
    """Return the environment of a run as plain values.

    Parameters
    ----------
    models : mapping
        Path of each model the device declares to its SHA-256.
    """
    packages = installed_packages()
    return {
        "machine": platform.node(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "os": _system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "engine_files": list(engine_files()),
        "packages": packages,
        "packages_digest": digest(packages),
        "lock_digest": _lock_digest(),
        "models": dict(models),
        "confinement": in_force(),
        "threads": 1,
        "hash_seed": 0,
        "time_zone": "UTC",
    }


def installed_packages() -> dict[str, str]:
    """Return every installed distribution and its version, by normalised name."""
    found = {
        dist.metadata["Name"].lower().replace("_", "-"): dist.version for dist in distributions()
    }
    return dict(sorted(found.items()))


def lock_file() -> Path | None:
    """Return the package lock that this installation came with, if it has one."""
    return next((lock for lock in LOCKS if lock.is_file()), None)


def _lock_digest() -> str:
    """Return the SHA-256 of the package lock this installation came with; empty without one."""
    lock = lock_file()
    return _sha256(lock) if lock else ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
