"""Who kills the worker of a run again and again, and who reads the run meanwhile."""

import json
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobState
from core.jobs.processes import Process, is_alive, process
from tests.validation.runs.conftest import Department, StartWorker
from validation.runs.models import RunScenario

PLANNED = [
    "scenario:TST-001:0",
    "scenario:TST-002:0",
    "scenario:TST-002:1",
    "scenario:TST-003:0",
    "scenario:TST-004:0",
]
"""The second test has two scenarios, so that it can be half done."""


LOOK_S = 0.03
"""How often a moment is looked for: often enough to meet it, no more, for a look asks the database
and takes its time from the worker that is waited for."""

READ_S = 0.5
"""Between two looks of somebody who reads the run meanwhile."""


def until(fact: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(LOOK_S)


def attempts_of(department: Department) -> list[JobAttempt]:
    with department.db.reading() as session:
        query = select(JobAttempt).order_by(col(JobAttempt.number))
        found = list(session.scalars(query))
        session.expunge_all()
    return found


def job_state(department: Department) -> str:
    with department.db.reading() as session:
        return str(session.scalars(select(col(Job.state))).one())


@dataclass
class Reader:
    """Somebody who reads the run again and again, and holds every answer against the last."""

    department: Department
    number: int
    over: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)
    seen: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    fault: BaseException | None = None

    def __post_init__(self) -> None:
        """Sign in, and begin to read."""
        self.browser = self.department.browser("PPL-VW")
        self.address = f"/p/RPM/runs/{self.number}"
        self.thread = threading.Thread(target=self._read_on, daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Stop reading; what was found wrong is raised here."""
        self.over.set()
        self.thread.join(30)
        if self.fault is not None:
            raise self.fault

    def _read_on(self) -> None:
        try:
            while not self.over.wait(READ_S):
                self.look()
        except BaseException as fault:  # noqa: BLE001 - raised again by `end`
            self.fault = fault

    def look(self) -> None:
        """Read the run and its page once."""
        with self.turn:
            self.reads += 1
            self.read(self.browser.get(f"{self.address}.json").json())
            self.read_page(self.browser.get(f"{self.address}/progress").text)

    def read(self, run: dict[str, Any]) -> None:
        """Hold one answer to be the beginning of the protocol, whole and never taken back."""
        shown = run["scenarios"]
        assert [one["name"] for one in shown] == PLANNED[: len(shown)]
        assert shown[: len(self.seen)] == self.seen
        for one in shown[len(self.seen) :]:
            self.assert_whole(one)
        self.seen = shown
        complete = run["state"] == "complete"
        assert complete or run["state"] in ("queued", "running")
        assert run["verdict"] == ("passed" if complete else run["state"])
        assert len(shown) == len(PLANNED) or not complete
        begun = {one["test"] for one in shown}
        for test in run["tests"]:
            assert test["verdict"] == (run["verdict"] if test["uid"] in begun else "not run")

    def assert_whole(self, scenario: dict[str, Any]) -> None:
        """Hold a scenario to be complete: its steps, its value, and every file of it."""
        assert scenario["status"] == "passed"
        assert [step["status"] for step in scenario["steps"]] == ["passed"] * 3
        assert all(step["ended_at"] for step in scenario["steps"])
        [value] = scenario["steps"][2]["measurements"]
        assert value["actual"] == value["expected"]
        [kept] = scenario["steps"][1]["attachments"]
        files = [scenario[f"{part}_sha256"] for part in ("evidence", "stdout", "stderr")]
        for sha256 in (kept["sha256"], *files):
            assert self.browser.get(f"{self.address}/files/{sha256}").status_code == 200

    def read_page(self, text: str) -> None:
        """Hold the page to tell passed scenarios only, as many as its heading counts."""
        told = re.search(r"(\d+) of (\d+) scenarios passed, (\d+) values measured, 0 out", text)
        assert told is not None
        shown = re.findall(r'id="scenario-(\d+)"', text)
        assert shown == [str(at) for at in range(len(shown))]
        assert {int(count) for count in told.groups()} == {len(shown)}
        heading, live = text.partition("</h2>")[0], "hx-trigger" in text
        assert ("verdict--good" in heading) is not live


@dataclass
class Executioner:
    """Starts workers on one run and kills each at a moment that chance chose."""

    department: Department
    start_worker: StartWorker
    chance: random.Random
    kills: dict[str, int] = field(default_factory=dict)
    interrupted: list[int] = field(default_factory=list)
    remains: dict[Path, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def kill(self, moment: str) -> None:
        """Start a worker, wait for a moment of its life, and kill it with all it started."""
        attempts = len(attempts_of(self.department))
        worker = self.start_worker(self.department)
        if moment != "starting":
            self.attempt = attempts + 1
            until(lambda: len(attempts_of(self.department)) > attempts or self._is_done())
            getattr(self, moment)()
        else:
            time.sleep(self.chance.uniform(0.0, 1.0))
        family = family_of(worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        until(lambda: not any(is_alive(one) for one in family), 60)
        until(lambda: not processes_in(self.department.settings.data_dir), 60)
        self.kills[moment] = self.kills.get(moment, 0) + 1
        self._note_the_end()

    def preparing(self) -> None:
        """Between the lease and the first scenario of the attempt."""
        time.sleep(self.chance.uniform(0.0, 2.5))

    def executing(self) -> None:
        """While a scenario is executed."""
        until(lambda: self._evidence() is not None or self._all_recorded())
        time.sleep(self.chance.uniform(0.0, 1.0))

    def ended(self) -> None:
        """Between the end of a scenario and its commit, or just after."""
        until(lambda: self._status() not in (None, "running") or self._all_recorded())
        time.sleep(self.chance.uniform(0.0, 0.3))

    def finishing(self) -> None:
        """Between the end of the last scenario and the end of the job."""
        until(lambda: self._is_last_ended() or self._all_recorded())
        time.sleep(self.chance.uniform(0.0, 0.5))

    def _note_the_end(self) -> None:
        """Remember which attempt was cut short, and that no one writes for it any more."""
        last = attempts_of(self.department)[-1:]
        cut = [one.number for one in last if one.outcome == AttemptOutcome.RUNNING]
        self.interrupted += [number for number in cut if number not in self.interrupted]
        for folder, remains in self.remains.items():
            # The attempt that closes the run removes them; it changes none.
            written = remains_of(folder).items() - remains.items()
            assert not written, f"someone went on writing in {folder.name}"
        for number in cut:
            folder = self._runs / f"attempt-{number}"
            self.remains[folder] = remains_of(folder)

    @property
    def _runs(self) -> Path:
        return self.department.settings.data_dir / "runs" / "1"

    def _evidence(self) -> Path | None:
        found = self._runs.glob(f"attempt-{self.attempt}/scenario-*/out/scenario.jsonl")
        return max(found, default=None)

    def _status(self) -> str | None:
        found = self._evidence()
        if found is None:
            return None
        with found.open() as lines:
            return json.loads(lines.readline())["status"]

    def _is_last_ended(self) -> bool:
        last = PLANNED[-1].replace(":", "-")
        found = self._evidence()
        return found is not None and last in found.parts and self._status() != "running"

    def _is_done(self) -> bool:
        return job_state(self.department) == JobState.DONE

    def _all_recorded(self) -> bool:
        with self.department.db.reading() as session:
            query = select(func.count()).select_from(RunScenario)
            return session.scalar(query) == len(PLANNED)


def family_of(pid: int) -> list[Process]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    family, waiting = [], [pid]
    while waiting:
        found = waiting.pop()
        family.append(process(found))
        waiting += children.get(found, [])
    return [one for one in family if one is not None]


def processes_in(folder: Path) -> list[int]:
    """Return every process that works beneath a folder, whoever started it."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = link.readlink()
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(int(link.parent.name))
    return found


def remains_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file of a folder with its size and the time it was last written."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
