"""Measure the budgets: `make bench`, or `make bench ARGS=dose` for the files named `bench_dose*`.

Each `bench_*.py` beside this file offers `measure()`, which yields rows. All of them are printed
and written to var/bench.json; the exit code is 1 when a budget is not kept. A row without a budget
is only measured, and a ratio is the peer's figure over ours: below 1 we take longer than the peer.
"""

import importlib
import json
import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

import app.collecting  # noqa: F401 - what is measured runs as the product's programs do
from tests.benchmarks.bench import Row

HERE = Path(__file__).resolve().parent
RESULT = HERE.parents[1] / "var" / "bench.json"


def measured(wanted: str) -> list[Row]:
    """Run every benchmark whose name begins as wanted, telling which one is at work."""
    console = Console(stderr=True)
    rows: list[Row] = []
    for path in sorted(HERE.glob(f"bench_{wanted}*.py")):
        with console.status(f"{path.stem} ..."):
            rows += importlib.import_module(f"tests.benchmarks.{path.stem}").measure()
    return rows


def show(rows: list[Row]) -> None:
    """Print the rows as a table."""
    title = f"{os.cpu_count()} cores, Python {platform.python_version()}; ratio: peer / ours"
    table = Table("what", "figure", "budget", "peer", "kept", title=title)
    for row in rows:
        limit, kept = "", ""
        if row.budget is not None:
            limit = f"{'>=' if row.at_least else '<='} {row.budget:g} {row.unit}"
            kept = "yes" if row.met else "[bold red]no[/]"
        peer = f"{row.peer} {row.peer_value:.3g} ({row.ratio:.2g}x)" if row.ratio else ""
        table.add_row(row.name, f"{row.value:.3g} {row.unit}", limit, peer, kept)
    Console().print(table)


def main(wanted: str = "") -> int:
    """Measure, show, write; return the exit code."""
    rows = measured(wanted)
    if not rows:
        sys.stderr.write(f"There is no benchmark bench_{wanted}*.py in {HERE}.\n")
        return 1
    show(rows)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([row.to_json() for row in rows], indent=2) + "\n")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
