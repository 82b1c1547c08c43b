"""People at work: the service as `fiducial serve` starts it, and their browsers."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.demonstration import BuiltDemo
from tests.journeys.arriving import arrival

STARTS_WITHIN_S = 240


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(data_dir: Path, **settings: str) -> Iterator[str]:
    """Serve a data folder with its worker, as the command does; give the origin."""
    port = free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FIDUCIAL_")},
        "FIDUCIAL_DATA_DIR": str(data_dir),
        **settings,
    }
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    log = data_dir.parent / f"serve-{port}.log"
    with log.open("w") as said:
        process = subprocess.Popen(  # noqa: S603 - the service of this very checkout
            command, env=environment, stdout=said, stderr=said
        )
        try:
            origin = f"http://127.0.0.1:{port}"
            _wait_for(origin, process, log)
            yield origin
        finally:
            process.terminate()
            process.wait(40)


def _wait_for(origin: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            urlopen(f"{origin}/sign-in", timeout=5).close()  # noqa: S310 - an origin of our own
        except (URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the service did not start:\n{log.read_text()}")


@dataclass
class Desk:
    """A served installation and the browsers of the people who work with it."""

    origin: str
    password: str
    chromium: Browser
    axe: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def person(self, username: str, password: str | None = None) -> Page:
        """Open a browser of one's own and sign in with the form on the page."""
        context = self.chromium.new_context(
            base_url=self.origin, viewport={"width": 1280, "height": 900}
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", self._note)
        page.goto("/sign-in")
        page.get_by_label("Name").fill(username)
        page.get_by_label("Password").fill(password or self.password)
        with arrival(page):
            page.get_by_role("button", name="Sign in").click()
        return page

    def _note(self, message: ConsoleMessage) -> None:
        # A refused request is told by the page itself; Chromium repeats its status as an error.
        kind, text = message.type, message.text
        if kind == "error" and not re.match(r"Failed to load resource: .* status of 4\d\d", text):
            self.complaints.append(f"{message.page and message.page.url}: {text}")

    def violations(self, page: Page) -> list[tuple[str, str]]:
        """Return what axe finds on the open page: the rule and the first node."""
        page.wait_for_load_state()
        page.evaluate(self.axe)
        result = page.evaluate("axe.run()")
        assert len(result["passes"]) > 5
        return [(found["id"], found["nodes"][0]["html"]) for found in result["violations"]]

    def close(self) -> None:
        """Close every browser."""
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="module")
def desk_of(chromium: Browser) -> Iterator[Callable[[str, str], Desk]]:
    """Give the desk of a served installation: its origin and its people's password."""
    from tests.peers import need

    axe = need("axe").read_text(encoding="utf-8")
    opened: list[Desk] = []

    def open_desk(origin: str, password: str) -> Desk:
        opened.append(Desk(origin, password, chromium, axe))
        return opened[-1]

    yield open_desk
    for desk in opened:
        desk.close()
    assert [complaint for desk in opened for complaint in desk.complaints] == []


@pytest.fixture(scope="module")
def desk(module_demo: BuiltDemo, desk_of: Callable[[str, str], Desk]) -> Iterator[Desk]:
    """The demonstration, served, for the tests of one module."""
    with served(module_demo.data_dir) as origin:
        yield desk_of(origin, module_demo.password)
