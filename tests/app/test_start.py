"""A process starts with what it needs: no library is loaded that only some other work wants."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = {"alembic", "cyclonedx", "networkx", "numpy", "openpyxl", "pydicom", "weasyprint"}
"""Each takes as long to load as a short command takes in all."""

PAGES = {"fastapi", "starlette", "uvicorn"}

LOADED = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


@pytest.mark.parametrize(
    ("start", "never"),
    [
        # Help and a misspelt option ask no database anything.
        ("import app.cli", {*HEAVY, *PAGES, "sqlalchemy", "pydantic_settings", "git"}),
        ("import app.worker", {*HEAVY, *PAGES, "git", "qms", "dataflows", "validation"}),
        ("import app.attempt; app.attempt.prepare()", {*HEAVY, *PAGES}),
        ("import app.schema; app.schema.newest()", {*HEAVY, *PAGES}),
        ("import app.main", HEAVY),
    ],
    ids=["help", "worker", "attempt", "command", "service"],
)
def test_a_process_loads_nothing_that_it_may_not_need(start: str, never: set[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", f"{start}\n{LOADED}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert never & set(json.loads(done.stdout)) == set()
