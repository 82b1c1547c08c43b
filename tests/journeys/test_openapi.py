"""An independent reader of the OpenAPI document asks for everything that stands in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.web.forgery import HEADER
from tests.journeys.conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
ENDING = ("/sign-in", "/sign-out", "/account/password")
"""What would end or replace the session that everything else is asked in."""

DRAWN_LATER = "/p/{project}/map/diagram.{kind}"
"""Answers 503 with Retry-After, as documented, while the worker still draws: no fault there."""

THERE = {
    "project": ["RPM"],
    "uid": ["REQ-001", "UN-002", "REL-0.1.0", "TST-009", "RSK-004"],
    "name": ["rt-plan-metrics"],
    "type_name": ["requirement", "risk", "problem"],
    "format_name": ["csv", "json", "xlsx", "html"],
}
"""What the demonstration has; a name made up at random would only be told that it has not."""


def pointed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with parts of addresses that may also name what there is."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for part in operation.get("parameters", ()):
                if part["in"] == "path" and part["name"] in THERE:
                    there = {"enum": THERE[part["name"]]}
                    part["schema"] = {"anyOf": [there, part["schema"]]}
    return document


def test_no_answer_is_a_fault_of_the_server_or_undocumented(desk: Desk, tmp_path: Path) -> None:
    page = desk.person("esther.quill")
    page.goto("/account")
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    token = page.locator("input[name=csrf_token]").first.input_value()
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(pointed(page.request.get("/openapi.json").json())))

    told = subprocess.run(  # noqa: S603 - a package of the lock
        [
            SCHEMATHESIS, "run", document, "--url", desk.origin,
            "--header", f"cookie: {cookies}", "--header", f"{HEADER}: {token}",
            "--header", "accept: text/html, application/json",
            *(word for path in (*ENDING, DRAWN_LATER) for word in ("--exclude-path", path)),
            "--checks", ",".join(CHECKS), "--phases", "fuzzing", "--max-examples", "1",
            "--max-redirects", "0", "--continue-on-failure", "--no-shrink", "--seed", "7",
            "--suppress-health-check", "all",
        ],
        capture_output=True, text=True, check=False, timeout=900, cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip

    assert told.returncode == 0, told.stdout[-6000:]
    assert "failures" not in told.stdout.lower()
    asked = re.search(r"Tested: +(\d+)", told.stdout)
    assert asked is not None
    assert int(asked[1]) > 100
