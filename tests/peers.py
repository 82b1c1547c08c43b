"""Independent peers that tests hold the service against: `need("dcmtk")` finds one or says why not.

A peer that is missing skips the test with a visible reason on a person's machine, and fails it
where CI=true: there a skipped proof would be a proof that nobody misses.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _absolute(path: str) -> Path | None:
    found = Path(path)
    return found if found.exists() else None


def _newest(pattern: str) -> Path | None:
    return max(Path("/").glob(pattern), default=None)


def _command(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


PEERS: dict[str, tuple[Callable[[], Path | None], str]] = {
    # By absolute path: pynetdicom puts scripts of the same names into the virtual environment.
    "dcmtk": (lambda: _absolute("/usr/bin/storescu"), "apt-get install dcmtk"),
    "orthanc": (lambda: _absolute("/usr/sbin/Orthanc"), "apt-get install orthanc"),
    "chromium": (lambda: _command("chromium"), "apt-get install chromium"),
    "postgresql": (
        lambda: _newest("usr/lib/postgresql/*/bin/initdb"),
        "apt-get install postgresql",
    ),
    "poppler": (lambda: _command("pdftotext"), "apt-get install poppler-utils"),
    "graphviz": (lambda: _command("dot"), "apt-get install graphviz"),
    "axe": (lambda: _absolute(str(ROOT / "node_modules/axe-core/axe.min.js")), "make test"),
    "assets": (lambda: _absolute(str(ROOT / "app/static/vendor/nhsuk.css")), "make test"),
}
"""Name of a peer: how to find it, and how to get it."""


def need(peer: str) -> Path:
    """Return where a peer is; without it skip the test, or fail it where CI=true.

    The path is the peer's command (DCMTK: `storescu`, its siblings are in the same folder;
    PostgreSQL: `initdb`) or file.
    """
    find, mend = PEERS[peer]
    found = find()
    if found is not None:
        return found
    reason = f"needs {peer}, which is not on this machine: {mend}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure() -> None:
    """Keep this machine's Git configuration out: a bare machine has neither a name nor a branch."""
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no worker is left alone with one at the end.

    One of the first files builds the demonstration, which takes minutes; the others that need it
    come later, because they would only wait for it.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    needing = {item.path for item in items if "built_demo" in getattr(item, "fixturenames", ())}
    builder = next((item.path for item in items if item.path in needing & slow), None)

    def turn(item: pytest.Item) -> int:
        if item.path == builder:
            return 0
        if item.path in slow:
            return 2 if item.path in needing else 1
        return 3

    items.sort(key=turn)


@pytest.fixture(name="need")
def _need() -> Callable[[str], Path]:
    """Give a test the function `need`, so that it imports nothing from here."""
    return need
