"""10,000 items and their links, checked from files by us and by three tools that do the same.

Each tool reads the same content in its own form, as a process of its own; its CPU time with that
of its children counts. The tools are installed for this alone (peers.py).
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.tables import prepare
from tests.benchmarks.bench import Row, cpu_time
from tests.benchmarks.corpora import (
    things,
    write_doorstop,
    write_needs,
    write_ours,
    write_strictdoc,
)
from tests.benchmarks.peers import installed

SIZE = 10_000
BUDGET_S = 5.0
OURS = Path(sys.executable).with_name("fiducial")


def _run(command: Sequence[str | Path], at: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the commands of this file
        command, cwd=at, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}\n{done.stderr[-500:]}"
        )


def _seconds(command: Sequence[str | Path], at: Path, repeats: int = 1) -> float:
    return cpu_time(lambda: _run(command, at), repeats)


def _peers(folder: Path) -> dict[str, float]:
    """Return what each peer takes to check what lies below its folder."""
    at = installed()
    seconds = {
        "Doorstop": _seconds([at / "doorstop", "--quiet"], folder / "doorstop"),
        "StrictDoc": _seconds(
            [at / "strictdoc", "export", "--formats", "sdoc", "--output-dir", folder / "out", "."],
            folder / "strictdoc",
        ),
    }
    build = [at / "sphinx-build", "-q", "-W", "-b", "needs", ".", folder / "built"]
    seconds["Sphinx-Needs"] = _seconds(build, folder / "needs")
    return seconds


def measure() -> Iterator[Row]:
    """Yield our check of the same content beside that of each peer, and ours of their own files."""
    prepare()
    items = things(SIZE)
    links = sum(len(one.above) for one in items)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_ours(folder / "ours", items)
        write_doorstop(folder / "doorstop", items)
        write_strictdoc(folder / "strictdoc", items)
        write_needs(folder / "needs", items)
        ours = _seconds([OURS, "records", "check", "ours"], folder, 3)
        told = f"{SIZE:,} items, {links:,} links, checked from files"
        for peer, seconds in _peers(folder).items():
            yield Row(told, ours, "CPU s", BUDGET_S, peer=peer, peer_value=seconds)
        shutil.copy(folder / "built" / "needs.json", folder / "needs.json")
        for form in ("doorstop", "strictdoc", "needs.json"):
            took = _seconds([OURS, "trace-check", form], folder)
            yield Row(f"the same in the files of {form}, by trace-check", took, "CPU s")
