"""The service and its worker end together, in order, whoever asks for it and however."""

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import serving
from app.schema import upgrade
from core.jobs.processes import start_guarded
from core.settings import Settings
from tests.conftest import ROOT

CTRL_C = b"\x03"
SOON_S = 20
"""Far below the 25 seconds after which a worker that does not end is killed."""


@dataclass
class Terminal:
    """A command in a terminal of its own, as a person runs it."""

    process: subprocess.Popen[bytes]
    screen: int
    seen: bytes = field(default=b"")

    def look(self, seconds: float = 0.1) -> None:
        """Read what appears."""
        readable, _, _ = select.select([self.screen], [], [], seconds)
        if readable:
            try:
                self.seen += os.read(self.screen, 65536)
            except OSError:
                # Linux says so when the last process of the terminal has gone.
                time.sleep(seconds)

    def wait_for(self, text: bytes, seconds: float = 240) -> None:
        """Wait until something appears."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen.decode()}"
            assert self.process.poll() is None, self.seen.decode()
            self.look()

    def children(self) -> set[int]:
        """Return every process that the command started, and theirs."""
        found: set[int] = set()
        waiting = [self.process.pid]
        while waiting:
            one = waiting.pop()
            for task in Path(f"/proc/{one}/task").glob("*/children"):
                new = {int(child) for child in task.read_text().split()} - found
                found |= new
                waiting += new
        return found

    def ended_within(self, seconds: float) -> int:
        """Return the exit code; fails when there is none in time."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still there: {self.seen.decode()}"
            self.look()
        self.look()
        return int(self.process.returncode)


@pytest.fixture
def terminal() -> Iterator[object]:
    """Open a command in a terminal; what is left of it is killed."""
    opened: list[Terminal] = []

    def start(*arguments: str, data_dir: Path, port: int, ignoring: bool = False) -> Terminal:
        ours, theirs = pty.openpty()

        def prepare() -> None:
            os.setsid()
            # Makes the terminal the controlling one, so that Ctrl-C in it is a signal.
            import fcntl
            import termios

            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # Said either way: who starts the tests with `&` hands an ignored interrupt down.
            signal.signal(signal.SIGINT, signal.SIG_IGN if ignoring else signal.SIG_DFL)

        process = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-m", "app.cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env={
                **os.environ,
                "FIDUCIAL_DATA_DIR": str(data_dir),
                "FIDUCIAL_PORT": str(port),
                "FIDUCIAL_REFERENCE_DATA": str(data_dir / "none"),
            },
            preexec_fn=prepare,
        )
        os.close(theirs)
        opened.append(Terminal(process, ours))
        return opened[-1]

    yield start
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.screen)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(terminal, tmp_path: Path, port: int):
    """An empty installation, served with its worker; both are at work."""
    if not (tmp_path / "fiducial.db").exists():
        upgrade(Settings(data_dir=tmp_path, database_url="")).engine.dispose()

    def start(**options: bool) -> Terminal:
        opened = terminal("serve", data_dir=tmp_path, port=port, **options)
        opened.wait_for(b"started")
        end = time.monotonic() + 240
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in") as page:
                    assert page.status == 200
                    return opened
            except OSError:
                assert time.monotonic() < end, opened.seen.decode()
                time.sleep(0.2)

    return start


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}/exe").exists()}


def test_ctrl_c_in_the_terminal_ends_service_and_worker(served) -> None:
    terminal = served()
    children = terminal.children()
    assert children

    os.write(terminal.screen, CTRL_C)

    assert terminal.ended_within(SOON_S) == 0
    assert alive(children) == set()
    assert b"stopped after 0 attempts" in terminal.seen
    assert b"Traceback" not in terminal.seen


@pytest.mark.parametrize(
    ("asked", "ignoring"),
    [
        (signal.SIGTERM, False),
        # What a shell without job control gives every command it starts with `&`.
        (signal.SIGINT, True),
    ],
)
def test_a_script_ends_service_and_worker(served, asked: signal.Signals, ignoring: bool) -> None:
    terminal = served(ignoring=ignoring)
    children = terminal.children()

    terminal.process.send_signal(asked)

    assert terminal.ended_within(SOON_S) == 0
    assert alive(children) == set()
    assert b"stopped after 0 attempts" in terminal.seen
    assert b"Traceback" not in terminal.seen


def test_a_taken_port_is_told_with_the_way_out(terminal, tmp_path: Path, port: int) -> None:
    upgrade(Settings(data_dir=tmp_path, database_url="")).engine.dispose()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()

        opened = terminal("serve", data_dir=tmp_path, port=port)

        assert opened.ended_within(240) == 1
    assert b"choose another with FIDUCIAL_PORT" in opened.seen
    assert b"Traceback" not in opened.seen


def test_a_database_without_its_guards_is_told_of_at_the_start(served, tmp_path: Path) -> None:
    database = upgrade(Settings(data_dir=tmp_path, database_url=""))
    with database.engine.begin() as connection:
        connection.exec_driver_sql('DROP TRIGGER "guard_ledger_entry_delete"')
    database.engine.dispose()

    terminal = served()
    os.write(terminal.screen, CTRL_C)

    assert terminal.ended_within(SOON_S) == 0
    assert b"lacks 1 of its guards (guard_ledger_entry_delete" in terminal.seen


def test_a_second_interrupt_does_not_wait_for_the_present_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker here never ends by itself, as one in a long step would not for 20 seconds."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)"
    started = []

    def start(_command: list[str], **options: object) -> subprocess.Popen[bytes]:
        started.append(start_guarded([sys.executable, "-c", stubborn], **options))
        return started[0]

    monkeypatch.setattr(serving, "start_guarded", start)
    # Who starts the tests with `&` hands an ignored interrupt down, to this process too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()

    try:
        with serving.worker_beside(Settings(data_dir=tmp_path)):
            time.sleep(1)
            threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
    finally:
        signal.signal(signal.SIGINT, before)

    assert time.monotonic() - began < serving.GRACE_S / 2
    assert started[0].returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ctrl-c", "sigterm"])
def test_the_demo_can_be_stopped_while_it_loads_and_goes_on_later(
    terminal, tmp_path: Path, port: int, how: str
) -> None:
    opened = terminal("demo", data_dir=tmp_path, port=port)
    opened.wait_for(b"People and projects")

    if how == "ctrl-c":
        os.write(opened.screen, CTRL_C)
    else:
        opened.process.send_signal(signal.SIGTERM)

    assert opened.ended_within(SOON_S) == 130
    assert b"What was done stays" in opened.seen
    assert b"Traceback" not in opened.seen
    again = terminal("demo", data_dir=tmp_path, port=port)
    again.wait_for(b"Data sets as DICOM")
    assert again.seen.count(b"done") >= 4
