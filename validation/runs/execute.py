"""Execute one scenario of a checked-out protocol in an isolated child, within limits.

The child sees neither our settings nor anybody's pytest configuration: its environment is built
from nothing, plugins are not loaded by themselves, conftest files outside the protocol's own
step folder are not read, the installation's own files are out of its reach where the machine can
do that, and it ends when the service ends.
"""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import validation
from validation.recorder.evidence import ScenarioEvidence, Status, utc_text
from validation.runs import child
from validation.runs.confinement import confinement_for
from validation.runs.data import RunData

EVIDENCE_NAME = "scenario.jsonl"
LISTING_NAME = "listing.json"
ATTACHMENTS_NAME = "attachments"

INSTALL_ROOT = Path(validation.__path__[0]).parent
"""Where our packages lie: the working tree in development, site-packages when installed."""

CONFIG = """[pytest]
addopts =
python_files = steps/*.py
norecursedirs = .* __pycache__
bdd_features_base_dir = features
filterwarnings = default
"""
"""The only pytest configuration the child reads.

pytest rewrites the assertions of every module whose file is of `python_files`. Named by the folder
they lie in, these are the step code's alone: a plain `*.py` would compile numpy and pydicom anew.
"""

POLL_S = 0.05
GRACE_S = 5.0
TAIL = 2_000
"""Characters of the child's own words kept in the failure text of a child that crashed."""


@dataclass(frozen=True)
class Limits:
    """What one scenario may use."""

    wall_s: float = 1800.0
    cpu_s: int = 1800
    memory_bytes: int = 8 * 2**30
    file_bytes: int = 2**30


DEFAULT_LIMITS = Limits()


def limits_of(minutes: float) -> Limits:
    """Return limits of which time, on the wall and of the processor, is so many minutes."""
    return Limits(wall_s=60 * minutes, cpu_s=max(1, math.ceil(60 * minutes)))


@dataclass(frozen=True)
class ChildEnd:
    """How a child ended, and its words."""

    limits: Limits
    exit_code: int
    timed_out: bool
    stdout: Path
    stderr: Path
    started_at: datetime
    ended_at: datetime

    @property
    def reason(self) -> str:
        """Say in words why the child ended."""
        if self.timed_out:
            return (
                f"The scenario went over its wall-clock limit of {self.limits.wall_s:g} s and was "
                "ended."
            )
        if self.exit_code > child.SIGNAL_BASE:
            number = self.exit_code - child.SIGNAL_BASE
            if number == signal.SIGXCPU:
                return (
                    f"The scenario used more than its {self.limits.cpu_s} s of processor time and "
                    "was ended."
                )
            return f"The scenario's process was ended by signal {signal.Signals(number).name}."
        if self.exit_code < 0:
            return f"The child was ended by signal {signal.Signals(-self.exit_code).name}."
        return f"The child ended with exit code {self.exit_code}."


@dataclass(frozen=True)
class Executed:
    """One attempt at one scenario: its evidence, the files it kept, and how the child ended."""

    evidence: ScenarioEvidence
    attachments: Path
    end: ChildEnd


class ListingFailed(Exception):
    """The child could not list the scenarios of a protocol."""


def list_scenarios(
    checkout: Path, work: Path, limits: Limits = DEFAULT_LIMITS, protected: Sequence[Path] = ()
) -> dict[str, Any]:
    """Return what the recorder lists of a protocol: its scenarios and what stands in their way.

    Listing executes the step code's modules, so it is confined as `run_scenario` is.
    """
    end = _run_child(checkout, work, ["--collect-only", "-q"], limits, protected=protected)
    listing = work / "out" / LISTING_NAME
    if not listing.exists():
        raise ListingFailed(f"{end.reason}\n{_tail(end)}".strip())
    held: dict[str, Any] = json.loads(listing.read_text("utf-8"))
    return held


def run_scenario(
    checkout: Path,
    planned: ScenarioEvidence,
    work: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    data: RunData | None = None,
    protected: Sequence[Path] = (),
    on_step: Callable[[ScenarioEvidence], None] | None = None,
) -> Executed:
    """Execute one scenario and return its evidence, whatever became of the child.

    Parameters
    ----------
    checkout : Path
        The device's repository at its tag, clean.
    planned : ScenarioEvidence
        The scenario as listed; it names the key and, should the child die, the steps not reached.
    work : Path
        An empty folder of this attempt alone.
    data : RunData, optional
        Frozen data; their folder is given to the child as ``FIDUCIAL_RUN_DATA``.
    protected : sequence of Path, optional
        What the child cannot read, but for the folders named above, where `confinement.in_force`
        says that it is confined.
    on_step : callable, optional
        Called with the evidence so far whenever a step begins or ends.
    """
    evidence_file = work / "out" / EVIDENCE_NAME

    def watch() -> None:
        if on_step is not None and (seen := _read(evidence_file)) is not None:
            on_step(seen)

    end = _run_child(
        checkout,
        work,
        ["--fiducial-key", planned.key],
        limits,
        data=data,
        protected=protected,
        watch=watch,
    )
    evidence = _read(evidence_file) or planned
    if evidence.status == Status.RUNNING:
        _close_broken(evidence, end)
    return Executed(evidence, work / "out" / ATTACHMENTS_NAME, end)


def _run_child(
    checkout: Path,
    work: Path,
    arguments: Sequence[str],
    limits: Limits,
    *,
    data: RunData | None = None,
    protected: Sequence[Path] = (),
    watch: Callable[[], None] | None = None,
) -> ChildEnd:
    """Start the child, follow it to its end, and leave nothing of its group behind."""
    for name in ("out", "tmp", "home"):
        (work / name).mkdir(parents=True)
    # The data is read, never written: it was frozen before the first scenario.
    read = [INSTALL_ROOT, *(data.parts if data is not None else ())]
    bounds = confinement_for(protected, [work, checkout], read)
    reading, telling = os.pipe()
    (work / "pytest.ini").write_text(CONFIG, "utf-8")
    order = {
        "parent": os.getpid(),
        "install_root": str(INSTALL_ROOT),
        "checkout": str(checkout),
        "confinement": asdict(bounds) if bounds is not None else None,
        "limits": {k: v for k, v in asdict(limits).items() if k != "wall_s"},
        "arguments": [*_pytest_arguments(checkout, work), *arguments, str(checkout / "steps")],
        "told": telling,
    }
    (work / "order.json").write_text(json.dumps(order), "utf-8")
    stdout, stderr = work / "stdout.txt", work / "stderr.txt"
    started = datetime.now(UTC)
    with stdout.open("wb") as out, stderr.open("wb") as err, os.fdopen(reading, "rb") as told:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own script
            [sys.executable, "-s", "-P", "-B", str(Path(child.__file__)), "order.json"],
            cwd=work,
            env=_environment(work, data.folder if data is not None else None),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=(telling,),
        )
        os.close(telling)
        timed_out = _follow(process, limits.wall_s, watch)
        # Empty where the supervisor was killed before the scenario was over.
        exit_code = int(told.read() or process.returncode)
    ended = datetime.now(UTC)
    return ChildEnd(limits, exit_code, timed_out, stdout, stderr, started, ended)


def _follow(
    process: subprocess.Popen[bytes], wall_s: float, watch: Callable[[], None] | None
) -> bool:
    """Wait for the child; end its whole group at the limit, on any error, and when it is done."""
    deadline = time.monotonic() + wall_s
    timed_out = False
    try:
        while not _has_ended(process.pid):
            if time.monotonic() > deadline:
                timed_out = True
                break
            time.sleep(POLL_S)
            if watch is not None:
                watch()
    finally:
        if not _has_ended(process.pid):
            # The supervisor also ends what left its group.
            process.send_signal(signal.SIGTERM)
            _await_end(process.pid)
        # The group is ended before its leader is reaped: until then its number is not reused.
        _end_group(process.pid)
        process.wait(GRACE_S)
    return timed_out


def _await_end(pid: int) -> None:
    patience = time.monotonic() + GRACE_S
    while not _has_ended(pid) and time.monotonic() < patience:
        time.sleep(POLL_S)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pytest_arguments(checkout: Path, work: Path) -> list[str]:
    return [
        "-c",
        str(work / "pytest.ini"),
        f"--rootdir={checkout}",
        f"--confcutdir={checkout / 'steps'}",
        "--import-mode=importlib",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_bdd.plugin",
        "-p",
        "validation.recorder.plugin",
        "--ignore-glob=*/conftest.py",
        f"--basetemp={work / 'tmp' / 'pytest'}",
        "--fiducial-out",
        str(work / "out"),
    ]


def _environment(work: Path, data: Path | None) -> dict[str, str]:
    """Build the child's environment from nothing: no setting, address or secret of ours."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(work / "home"),
        "TMPDIR": str(work / "tmp"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # One thread: sums keep their order, so a rerun gives the same last digit.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    return environment if data is None else {**environment, "FIDUCIAL_RUN_DATA": str(data)}


def _read(path: Path) -> ScenarioEvidence | None:
    return ScenarioEvidence.read(path) if path.exists() else None


def _close_broken(evidence: ScenarioEvidence, end: ChildEnd) -> None:
    """Close the evidence of a child that died: an error, with the step it died in."""
    evidence.started_at = evidence.started_at or end.started_at.isoformat(timespec="microseconds")
    evidence.ended_at = utc_text()
    evidence.status = Status.ERROR
    evidence.failure = f"{end.reason}\n{_tail(end)}".strip()
    for step in evidence.steps:
        if step.status == Status.RUNNING:
            step.status, step.ended_at, step.failure = Status.ERROR, evidence.ended_at, end.reason


def _tail(end: ChildEnd) -> str:
    words = [path.read_text("utf-8", "replace")[-TAIL:] for path in (end.stdout, end.stderr)]
    return "\n".join(text.strip() for text in words if text.strip())
