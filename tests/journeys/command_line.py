"""The command line as people and nightly scripts use it: a process of its own, one folder."""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.conftest import ROOT

LONGEST_S = 300


def fiducial(
    *arguments: object,
    folder: Path,
    data_dir: Path | None = None,
    environment: Mapping[str, str] | None = None,
    memory_bytes: int = 0,
    cpu_s: int = 0,
    longest_s: float = LONGEST_S,
) -> subprocess.CompletedProcess[str]:
    """Run ``fiducial`` in a folder; no setting of this machine's own reaches it.

    Parameters
    ----------
    folder : Path
        Where the command is run.
    data_dir : Path, optional
        The installation it works on; without one the command has none.
    memory_bytes, cpu_s : int, optional
        Address space and processor time the process, and each of its children, may have.
    """
    told = {name: value for name, value in os.environ.items() if not name.startswith("FIDUCIAL_")}
    told |= {"PYTHONPATH": str(ROOT), "COLUMNS": "200", **(environment or {})}
    if data_dir is not None:
        told["FIDUCIAL_DATA_DIR"] = str(data_dir)
    return subprocess.run(  # noqa: S603 - the command of this very checkout
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=folder,
        env=told,
        capture_output=True,
        text=True,
        check=False,
        timeout=longest_s,
        preexec_fn=partial(_keep_within, memory_bytes, cpu_s),
    )


def _keep_within(memory_bytes: int, cpu_s: int) -> None:
    for limit, most in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
        if most:
            resource.setrlimit(limit, (most, most))
