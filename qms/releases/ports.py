"""What a release needs from validation and its repository, asked through ports ``app`` fills."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.people.actor import Actor
from core.ports import Port
from core.records.models import Project
from core.records.snapshot import RecordView
from qms.rules.facts import Declared, RunOfTest
from qms.rules.findings import CheckResult
from qms.soup.components import Component


@dataclass(frozen=True)
class RunStanding:
    """Where the latest run of a release stands, for its page.

    Attributes
    ----------
    number : str
        The run as people name it.
    word : str
        queued, running, passed, failed, refused or stopped.
    commit : str
        The commit it executes.
    detail : str
        "41 of 58 steps, 0 failed".
    """

    number: str
    word: str
    commit: str
    address: str
    detail: str = ""

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.word not in ("queued", "running")


@dataclass(frozen=True)
class PackStanding:
    """The latest pack of a release, or the job that builds it.

    Attributes
    ----------
    word : str
        building, built or failed.
    """

    word: str
    name: str
    address: str
    at: datetime | None = None
    sha256: str = ""


@dataclass(frozen=True)
class SignedStanding:
    """What the release check says of a release as it was at its last signature."""

    at: datetime
    result: CheckResult


RunSource = Callable[[Session, str, str], Sequence[RunOfTest]]
"""``(session, project key, release uid) -> every recorded execution of a test of the project``."""

BillSource = Callable[[Session, str, str], Sequence[Component] | None]
"""``(session, project key, release uid) -> what was built in, or None where nobody knows``."""

PathSource = Callable[[Session, str, str], Collection[str]]
"""``(session, project key, commit) -> files of the engine that ran with the commit``."""
DeclaredSource = Callable[[Session, Project, RecordView, str], Declared]
"""``(session, project, release, Python) -> what the repository states at the release's commit``.
Without a Python its markers are read for the one that is running."""

StandingSource = Callable[[Session, str, str], RunStanding | None]
PackSource = Callable[[Session, str, str], PackStanding | None]

Starter = Callable[[Session, Project, str, Actor, str], str]
"""``(session, project, release uid, by, reason) -> address of what was started``."""

recorded_runs: Port[RunSource] = Port("which executions of tests are recorded?")
bill_of_materials: Port[BillSource] = Port("what was built into the release?")
bundled_paths: Port[PathSource] = Port("which files came with the engine?")
declared_components: Port[DeclaredSource] = Port(
    "what does the repository say that the release is built of?"
)
as_signed: Port[Callable[[Session, Project, str], SignedStanding | None]] = Port(
    "what did the check say of the release when it was signed?"
)
latest_run: Port[StandingSource] = Port("where does the release's latest run stand?")
latest_pack: Port[PackSource] = Port("where does the release's latest pack stand?")
run_starter: Port[Starter] = Port("start the validation of a release")
pack_starter: Port[Starter] = Port("build the pack of a release")
