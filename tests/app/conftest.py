"""The application on a furnished installation, as every kind of person meets it."""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.main import create_app
from core.db import open_database
from core.people import passwords
from core.web.forgery import HEADER
from core.web.identity import COOKIE
from tests.app.access_table import Line
from tests.app.furnished import DryDatabase, Installation, Things, furnish
from tests.app.moved import House as MovedTo
from tests.app.moved import Source, empty_house, source_house
from tests.conftest import TEST_DATABASE, renew

QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


class House:
    """The application on a furnished installation whose changes are all taken back."""

    def __init__(self, app: FastAPI, installation: Installation, client: TestClient) -> None:
        self.app, self.installation, self.client = app, installation, client

    def ask(self, line: Line, who: str, things: Things) -> Response:
        """Send the request of a line as somebody; `things` say what its address names."""
        somebody = self.installation.people[who]
        cookies = f"{COOKIE}={somebody.cookie}" if somebody.cookie else ""
        sends = {name: value.format_map(things) for name, value in line.sends.items()}
        if line.path == "/sign-in":
            cookies, sends["before"] = f"{cookies}; fiducial_before=known", "known"
        how = _how(line)
        told = {name: [text] if name in line.listed else text for name, text in sends.items()}
        return self.client.request(
            line.method,
            address_of(line, things),
            headers={"cookie": cookies, HEADER: somebody.csrf},
            **({how: told} if sends or line.method != "DELETE" else {}),
        )


def _how(line: Line) -> str:
    """Return where a line's request carries what it sends."""
    if line.method == "GET" and line.sends:
        return "params"
    return "json" if line.path.startswith("/api/") and line.sends else "data"


def address_of(line: Line, things: Things) -> str:
    """Return the address of a line with the things in it that it names."""
    return line.path.format_map({part: things[line.at.get(part, part)] for part in parts_of(line)})


def parts_of(line: Line) -> list[str]:
    """Return the names of the parts of an address."""
    return [part for _, part, _, _ in Formatter().parse(line.path) if part]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("furnished")
    if TEST_DATABASE:
        database = open_database(TEST_DATABASE)
        renew(database)
    else:
        path = folder / "fiducial.db"
        path.write_bytes(empty_sqlite.read_bytes())
        database = open_database(f"sqlite:///{path}")
    installation = furnish(database, folder)
    installation.own |= {"person": "PPL-viewer", "kind": "dot"}
    installation.other |= {"person": "PPL-nobody", "kind": "dot"}
    app = create_app(installation.settings, DryDatabase(database.engine))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", lambda: QUICK)
        with TestClient(
            app, base_url="http://127.0.0.1", follow_redirects=False, headers={"accept": "*/*"}
        ) as client:
            yield House(app, installation, client)
    # The decoy that was hashed quickly would tell known names from unknown ones by the clock.
    passwords._nobody.cache_clear()
    database.engine.dispose()


@pytest.fixture(scope="module")
def source(empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """Two projects that leave their installation in one archive."""
    made = source_house(tmp_path_factory.mktemp("source"), empty_sqlite)
    yield made
    made.house.database.engine.dispose()


@pytest.fixture
def empty(empty_sqlite: Path, tmp_path: Path) -> Iterator[MovedTo]:
    """An installation that nobody has put anything into."""
    made = empty_house(tmp_path / "var", empty_sqlite)
    yield made
    made.database.engine.dispose()
