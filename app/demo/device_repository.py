"""The demo device's own Git repository: the files beside this module, committed as a story.

Authors, dates and messages are fixed, so every installation builds the same commits.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from git import Repo

SOURCE = Path(__file__).parent / "device"
TAG = "v0.1.0"
BRANCH = "main"

KOLE = ("Amara Kole", "amara.kole@northmoor.example")
TARRANT = ("Ben Tarrant", "ben.tarrant@northmoor.example")


@dataclass(frozen=True)
class Commit:
    """One commit of the story: what it adds, who wrote it, when, and what it says."""

    files: tuple[str, ...]
    author: tuple[str, str]
    at: str
    message: str


STORY = (
    Commit(
        ("app.yaml", "requirements.lock", "steps/conftest.py"),
        KOLE,
        "2026-03-23T09:12:00+00:00",
        "Declare what the device takes in, does and withholds\n\n"
        "The manifest pins the engine and names the records it answers to; the lock file pins\n"
        "the packages that the engine loads for it.\n\n"
        "Implements: SI-00, SI-02, SI-03, SI-04, SI-05\n",
    ),
    Commit(
        ("features/intake.feature", "steps/intake.py"),
        TARRANT,
        "2026-03-26T14:40:00+00:00",
        "Refuse mismatched and broken sets with a code, a reason and a next step\n\n"
        "Implements: REQ-003, REQ-004, REQ-006\n"
        "Verifies: TST-004, TST-005, RSK-001, RSK-002\n",
    ),
    Commit(
        ("features/dose.feature", "steps/dose.py"),
        KOLE,
        "2026-04-08T16:05:00+00:00",
        "Hold dose-volume figures to closed-form answers and withhold weak ones\n\n"
        "Coverage is exact, and each figure carries the bound of its numerical error.\n\n"
        "Implements: REQ-007, REQ-008, REQ-009, REQ-010, REQ-011\n"
        "Verifies: TST-007, TST-008, TST-009, TST-010, TST-026, RSK-004, RSK-005\n"
        "Fixes: CR-001, CR-002\n",
    ),
    Commit(
        ("features/numerical_comparison.feature", "steps/numerical_comparison.py"),
        TARRANT,
        "2026-04-14T10:30:00+00:00",
        "Compare published plans with the figures of their planning system\n\n"
        "A numerical comparison: no plan, no identity, and it counts for no release.\n\n"
        "Implements: SI-05\n",
    ),
)
"""Every file of the device's folder stands in exactly one commit."""

CHANGES_MADE_IN = 2
"""Place in the story of the commit that carries both change requests."""


@dataclass(frozen=True)
class DeviceRepository:
    """The repository as it was built.

    Attributes
    ----------
    commit : str
        What the release's tag names.
    changes_commit : str
        The commit that carries the change requests.
    archive_digest : str
        SHA-256 of what the release's build command gives.
    """

    folder: Path
    commit: str
    changes_commit: str
    archive_digest: str


def build_device_repository(folder: Path) -> DeviceRepository:
    """Build the repository, or read it back where it is there already.

    A folder that a killed build left without its tag is made anew.
    """
    if not _is_complete(folder):
        shutil.rmtree(folder, ignore_errors=True)
        _write(folder)
    with Repo(folder) as repository:
        head = repository.commit(TAG)
        story = [head.hexsha, *(each.hexsha for each in head.iter_parents())][::-1]
        archive: bytes = repository.git.archive(
            "--format=tar", TAG, stdout_as_string=False, strip_newline_in_stdout=False
        )
    return DeviceRepository(
        folder, head.hexsha, story[CHANGES_MADE_IN], sha256(archive).hexdigest()
    )


def _is_complete(folder: Path) -> bool:
    if not (folder / ".git").is_dir():
        return False
    with Repo(folder) as repository:
        return TAG in [tag.name for tag in repository.tags]


def _write(folder: Path) -> None:
    folder.mkdir(parents=True)
    # Nobody's own Git settings (signing, templates, line ends) may change what is built.
    alone = {**_alone(), "GIT_TEMPLATE_DIR": ""}
    repository = Repo.init(folder, initial_branch=BRANCH, env=alone)
    with repository:
        for commit in STORY:
            for name in commit.files:
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(SOURCE / name, place)
            repository.git.add("--", *commit.files, env=alone)
            repository.git.commit(
                "--no-gpg-sign",
                "--no-verify",
                "--cleanup=verbatim",
                "--message",
                commit.message,
                env=alone | _identity(commit.author, commit.at),
            )
        last = STORY[-1]
        repository.git.tag(
            "--annotate",
            "--no-sign",
            "--message",
            "Bench candidate 0.1.0: the dose-volume core",
            TAG,
            env=alone | _identity(KOLE, last.at),
        )


def _alone() -> dict[str, str]:
    return {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.autocrlf",
        "GIT_CONFIG_VALUE_0": "false",
    }


def _identity(who: tuple[str, str], at: str) -> dict[str, str]:
    moment = datetime.fromisoformat(at).isoformat()
    name, address = who
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", name), ("EMAIL", address), ("DATE", moment))
    }
