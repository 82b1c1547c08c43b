"""Check the installation that a run is executed on: its packages, its engine, its answers.

Before anything of the device is executed, the installed packages are held against the lock they
came from and the engine's self-test is made; when the run has ended, the environment and the
engine must have the digests they had.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.canonical import digest
from engine.provenance import engine_digest, engine_files
from validation.runs.environment import describe_environment, installed_packages, lock_file

START, END = "start", "end"


@dataclass(frozen=True)
class InstallationCheck:
    """What was found of an installation at one time.

    Attributes
    ----------
    when : str
        "start" or "end".
    figures : int
        Reference figures that the engine's self-test recalculated; 0 at the end.
    problems : tuple of str
        What does not hold, as clauses; empty where everything does.
    """

    when: str
    environment_digest: str
    engine_digest: str
    figures: int = 0
    problems: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What the run tells of it."""
        if self.when == END:
            found = f"Environment {self.environment_digest[:12]}, engine {self.engine_digest[:12]}"
            return f"{found} when the run ended."
        if self.problems:
            return f"The installation failed its check: {'; '.join(self.problems)}."
        return (
            "The installation passed its check: packages as locked, "
            f"{self.figures} reference figures of the engine as expected."
        )

    def as_data(self) -> dict[str, Any]:
        """Return what an event of the run keeps of it beside the sentence."""
        return {
            "when": self.when,
            "environment_digest": self.environment_digest,
            "engine_digest": self.engine_digest,
            "figures": self.figures,
            "problems": list(self.problems),
        }


def check_installation(environment: Mapping[str, Any]) -> InstallationCheck:
    """Check the installation before a run; it takes about two seconds."""
    engine = engine_digest()
    figures, failed = _selftest(engine)
    return InstallationCheck(START, digest(environment), engine, figures, (*_packages(), *failed))


def installation_at_end(models: Mapping[str, str]) -> InstallationCheck:
    """Look at the installation again when a run has ended."""
    engine_files.cache_clear()
    # Not what this process remembers of its engine, but what lies on the disk now.
    return InstallationCheck(END, digest(describe_environment(models)), engine_digest.__wrapped__())


def other_versions(lock: str, installed: Mapping[str, str]) -> list[str]:
    """Name each installed package that has another version than a lock pins.

    Examples
    --------
    >>> other_versions("numpy==2.4.6", {"numpy": "2.4.5"})
    ['numpy 2.4.5, locked is 2.4.6']
    """
    held = {_one_spelling(name): version for name, version in installed.items()}
    return [
        f"{package} {held[package]}, locked is {' or '.join(sorted(versions))}"
        for package, versions in locked_versions(lock).items()
        if package in held and held[package] not in versions
    ]


def locked_versions(lock: str) -> dict[str, set[str]]:
    """Return each package that a lock pins, with its versions: it may differ by Python.

    Examples
    --------
    >>> locked_versions("ruamel-yaml==0.19.1 ; python_version < '4'")
    {'ruamel-yaml': {'0.19.1'}}
    """
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE):
        found.setdefault(_one_spelling(name), set()).add(version)
    return found


def _one_spelling(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages() -> list[str]:
    lock = lock_file()
    if lock is None:
        return ["there is no package lock to compare with"]
    return other_versions(lock.read_text(encoding="utf-8"), installed_packages())


@lru_cache(maxsize=1)
def _selftest(engine: str) -> tuple[int, tuple[str, ...]]:
    """Make the self-test once for one engine in a process; each run has a process of its own."""
    # Here, not above: every process knows this module, only a run makes the engine work.
    from engine.selftest import run_selftest

    del engine
    found = run_selftest()
    return len(found.checks), tuple(str(one) for one in found.checks if not one.passed)
