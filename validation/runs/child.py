"""The first lines of an isolated child: die with the parent, keep within limits, then pytest.

Executed by path (``python -s -P -B child.py ORDER``), so it sees the standard library only until
it has put the installation and, last, the device's checkout on the path. The first process is a
supervisor: when the service dies, and when the scenario is over, it takes with it whatever was
started, also what left its process group. How the scenario ended it tells through a pipe.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when its parent dies."""

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): what a descendant leaves behind becomes this process's child, whatever its group."""

LONGEST_END_S = 3.0
"""Longest time in which everything a scenario started is hunted down, should it keep forking."""

ORPHANED = 97
"""Exit code when the service was gone before the child could tie itself to it."""

SIGNAL_BASE = 128
"""Exit codes above it name the signal that ended the scenario, as shells do."""


def die_with_parent(parent: int, sign: signal.Signals) -> None:
    """Ask the kernel for a signal when the parent dies; leave at once if it is dead already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(sign), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:
        os._exit(ORPHANED)


def keep_within(limits: dict[str, int]) -> None:
    """Bound CPU time, address space and file size of this process and all it starts."""
    cpu = limits["cpu_s"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits["file_bytes"], limits["file_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_pytest(order: dict[str, Any]) -> int:
    """Hand over to pytest with our installation first and the device's checkout last."""
    sys.path.insert(0, order["install_root"])
    if order["confinement"] is not None:
        # Before the device's checkout is on the path; without it nothing is executed at all.
        from validation.runs.confinement import Confinement, confine

        confine(Confinement(**order["confinement"]))
    sys.path.append(order["checkout"])
    os.chdir(order["checkout"])

    # Only now: the limits stand, and the path is ours.
    import pytest

    return int(pytest.main(order["arguments"]))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, also of one that left."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) was refused")


def _children() -> list[int]:
    own, found = str(os.getpid()), []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = place.read_text("utf-8", "replace")
        except OSError:
            continue
        # The name of a process may hold anything, so the fields begin behind its bracket.
        if stat.rpartition(")")[2].split()[1] == own:
            found.append(int(place.parent.name))
    return found


def _end_everything(_signal: int = 0, _frame: FrameType | None = None) -> None:
    """End all that the scenario started, in this group or out of it, and this process at last."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    deadline = time.monotonic() + LONGEST_END_S
    while time.monotonic() < deadline and (children := _children()):
        for pid in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
    os.killpg(0, signal.SIGKILL)


def main(order_file: str) -> int:
    """Supervise one pytest process."""
    order = json.loads(Path(order_file).read_text("utf-8"))
    adopt_orphans()
    signal.signal(signal.SIGTERM, _end_everything)
    die_with_parent(order["parent"], signal.SIGTERM)
    supervisor = os.getpid()
    told = order["told"]
    child = os.fork()
    if child == 0:
        os.close(told)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(supervisor, signal.SIGKILL)
        keep_within(order["limits"])
        return run_pytest(order)
    _, status = os.waitpid(child, 0)
    signalled = os.WIFSIGNALED(status)
    code = SIGNAL_BASE + os.WTERMSIG(status) if signalled else os.WEXITSTATUS(status)
    os.write(told, str(code).encode())
    # Not left to the service, which may be killed before it sees that the scenario is over.
    _end_everything()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
