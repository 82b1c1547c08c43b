"""The first lines of an isolated child: die with the parent, keep within limits, then pytest.

Executed by path (``python -s -P -B child.py ORDER``), so it sees the standard library only until
it has put the installation and, last, the device's checkout on the path. The first process is a
supervisor: when the service dies, and when the scenario is over, it takes the whole process group
with it, grandchildren included. How the scenario ended it tells through a pipe of its own.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when its parent dies."""

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


def _end_group(_signal: int = 0, _frame: FrameType | None = None) -> None:
    os.killpg(0, signal.SIGKILL)


def main(order_file: str) -> int:
    """Supervise one pytest process."""
    order = json.loads(Path(order_file).read_text("utf-8"))
    signal.signal(signal.SIGTERM, _end_group)
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
    _end_group()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
