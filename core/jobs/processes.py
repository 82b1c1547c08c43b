"""Operating-system facts about processes: who is alive, and how a child dies with its parent."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""

_PROC = Path("/proc")
_DEAD_STATES = {"Z", "X", "x"}
"""Zombie and dead (proc(5)): the entry is still there, the process can no longer do anything."""

_START_TIME_FIELD = 19
"""Index of field 22, `starttime`, counted behind the command name of /proc/PID/stat."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one with the same number by its start time."""

    pid: int
    started: int


@dataclass(frozen=True)
class Place:
    """Where process numbers mean the same: one boot of one kernel, one process namespace."""

    host: str
    boot_id: str
    process_space: str


def here() -> Place:
    """Describe the place in which this process runs."""
    return Place(
        host=socket.gethostname(),
        boot_id=_read(_PROC / "sys/kernel/random/boot_id"),
        # Two containers share a boot; the same number is another process in each.
        process_space=_link(_PROC / "self/ns/pid"),
    )


def this_process() -> Process:
    """Describe the calling process."""
    found = process(os.getpid())
    return found or Process(os.getpid(), 0)


def process(pid: int) -> Process | None:
    """Describe a living process of this place; None when there is none with this number."""
    line = _read(_PROC / str(pid) / "stat")
    # The command name may hold spaces and brackets, so the fields begin behind its last one.
    fields = line.rpartition(")")[2].split()
    if len(fields) <= _START_TIME_FIELD or fields[0] in _DEAD_STATES:
        return None
    return Process(pid, int(fields[_START_TIME_FIELD]))


def is_alive(candidate: Process) -> bool:
    """Say whether exactly this process, not a successor with its number, is alive here."""
    if (_PROC / str(candidate.pid) / "stat").exists():
        return process(candidate.pid) == candidate
    try:
        os.kill(candidate.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Hidden from us, as another user's process is under `hidepid`: it lives for all we know.
        return True
    return True


def die_with_parent(expected_parent: int) -> None:
    """Have the kernel kill this process when the process that started it ends, however it ends.

    Raises
    ------
    SystemExit
        If the parent has already gone, which the kernel would no longer report.
    """
    _ask_for_parent_death_signal()
    if os.getppid() != expected_parent:
        raise SystemExit("The process that started this one has already ended.")


def start_guarded(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a program that the kernel kills when this process ends, even by `kill -9`.

    For programs that a job starts; takes the options of :class:`subprocess.Popen`. The signal is
    bound to the calling *thread*, so start it from one that lives as long as the program may.
    """
    return subprocess.Popen(  # noqa: S603 - the command is the caller's, never a shell's
        command,
        preexec_fn=_ask_for_parent_death_signal,
        **options,
    )


def _ask_for_parent_death_signal() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _load_libc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    except (OSError, AttributeError):
        return None
    return library


# Loaded here, because a forked child must not take the loader's lock.
_libc = _load_libc()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return ""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
