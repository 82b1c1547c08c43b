"""The demonstration moves to an empty installation by command, and answers there as it did here."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from git import Repo
from sqlmodel import Session, select
from typer.testing import CliRunner, Result

from app.cli import cli
from app.main import create_app
from core.canonical import rfc3339
from core.db import open_database
from core.ledger.chain import head
from core.ledger.models import LedgerEntry
from core.people.models import Person
from core.people.proving import sign_in
from core.people.service import actor_of
from core.records.service import find_project, find_record
from core.settings import Settings, get_settings
from core.signing.keys import load_key
from core.web.identity import COOKIE
from qms.baselines.current import project_snapshot
from qms.releases.gathering import find_release
from qms.releases.sealing import seal_release, seal_standing
from qms.repositories.sealed import Workplace
from tests.app.commands.test_sealing import TAG, Sealing
from tests.app.moved import members_of
from tests.demonstration import BuiltDemo
from validation.pack.assemble import assemble

pytestmark = pytest.mark.verifies("TST-044")

PASSWORD = "correct horse battery staple"
KEYS = ("--from", "RPM", "--from", "DEPT")

ASKED = (
    ("trace", "RPM", "--release", "0.1.0", "--format", "json"),
    ("trace", "RPM", "--rows", "risk", "--format", "json"),
    ("trace", "DEPT", "--rows", "connection", "--format", "json"),
    ("check", "RPM", "--release", "0.1.0", "--json"),
    ("check", "RPM", "--json"),
    ("check", "DEPT", "--json"),
    ("baseline", "verify", "RPM", "1"),
    ("baseline", "list", "RPM", "--json"),
    ("project", "list", "--json"),
    ("git", "answers", "RPM", "--json"),
)


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    yield
    get_settings.cache_clear()


def fiducial(folder: Path, patch: pytest.MonkeyPatch, *arguments: object) -> Result:
    """Run a command in an installation."""
    patch.setenv("FIDUCIAL_DATA_DIR", str(folder))
    patch.setenv("FIDUCIAL_INIT_PASSWORD", PASSWORD)
    get_settings.cache_clear()
    return CliRunner().invoke(cli, [*map(str, arguments)])


@dataclass
class Moved:
    """The demonstration with a sealed release, and where it was imported."""

    source: Sealing
    there: Path
    archive: Path
    told: dict[str, Result]

    @property
    def here(self) -> Path:
        """The data folder that it came from."""
        return self.source.demo.data_dir

    @property
    def settings(self) -> Settings:
        """The settings of the installation where it was imported."""
        return Settings(data_dir=self.there, database_url="")

    @contextmanager
    def arrived(self) -> Iterator[Session]:
        """Read where it was imported."""
        database = open_database(self.settings.database, self.there)
        with database.reading() as session:
            yield session
        database.engine.dispose()


@pytest.fixture(scope="module")
def moved(built_demo: BuiltDemo, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """Seal release 0.1.0 of the demonstration, and move it with what it links to."""
    folder = tmp_path_factory.mktemp("moved")
    demo, there = built_demo.copy_to(folder / "demo"), folder / "var"
    archive, key = folder / "demo.zip", demo.data_dir / "keys" / "installation.pub.pem"
    source = Sealing(demo, folder)
    with pytest.MonkeyPatch.context() as patch:
        fiducial(demo.data_dir, patch, "project", "list")
        sealed = source.seal()
        with Repo(source.clone) as repo:
            repo.git.push("origin", f"refs/tags/{TAG}")
        source.scan()
        told = {
            "sealed": sealed,
            "out": fiducial(demo.data_dir, patch, "export", "project", *KEYS, "-o", archive),
            "begun": fiducial(there, patch, "init", "--name", "A Manager", "--username", "am",
                              "--uid", "PPL-AM"),
        }  # fmt: skip
        command = ("import", "project", archive, "--as", "PPL-AM", "--key", key)
        told["dry"] = fiducial(there, patch, *command, "--dry-run")
        told["none"] = fiducial(there, patch, "project", "list")
        told["brought"] = fiducial(there, patch, *command)
    return Moved(source, there, archive, told)


def test_the_demonstration_moves_and_gives_the_same_answers(
    moved: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, told = moved.here, moved.there, moved.told
    back = fiducial(there, monkeypatch, "export", "project", *KEYS, "-o", tmp_path / "back.zip")

    done = [told["out"].exit_code, told["begun"].exit_code, back.exit_code]
    assert done == [0, 0, 0], told["out"].output
    assert "376 records in 376 revisions, 944 signatures, 2 baselines, 2 runs" in told["out"].stderr
    assert told["dry"].exit_code == 0, told["dry"].output
    assert "DEPT and RPM would come with 376 records" in told["dry"].stdout
    assert "There is no project yet." in told["none"].stdout
    assert told["brought"].exit_code == 0, told["brought"].output
    assert "the key you gave" in told["brought"].stdout
    assert "cannot sign in until" in told["brought"].stdout
    for question in ASKED:
        one = fiducial(here, monkeypatch, *question)
        other = fiducial(there, monkeypatch, *question)
        assert (other.exit_code, other.stdout) == (one.exit_code, one.stdout), question
        assert one.stdout.strip()
    written = [tmp_path / "here.json", tmp_path / "there.json"]
    for folder, path in zip((here, there), written, strict=True):
        records = fiducial(folder, monkeypatch, "export", "records", "--from", "RPM",
                           "--format", "json", "-o", path)  # fmt: skip
        assert records.exit_code == 0, records.output
    assert written[0].read_bytes() == written[1].read_bytes()
    verified = fiducial(there, monkeypatch, "audit", "verify", "--json")
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["signatures"] == 944
    first, second = members_of(moved.archive), members_of(tmp_path / "back.zip")
    assert [one for one in first if first[one] != second.get(one)] == ["trail/entries.jsonl"]


def test_the_seal_of_a_release_that_moved_agrees_and_says_who_wrote_it(moved: Moved) -> None:
    key, place = load_key(moved.there), Workplace(str(moved.source.clone), moved.there)

    at_home = moved.source.standing()
    with moved.arrived() as session:
        project = find_project(session, "RPM")
        release = find_release(project_snapshot(session, project), "RPM", "0.1.0")
        found = seal_standing(session, project, release, key.public)
        esther = session.exec(select(Person).where(Person.uid == "PPL-EQ")).one()
        somebody = actor_of(session, esther)
        again = seal_release(session, project, "0.1.0", place, TAG, key, somebody)

    assert moved.told["sealed"].exit_code == 0, moved.told["sealed"].output
    assert (at_home.word, at_home.own) == ("ok", (TAG,))
    assert found
    assert (found.word, found.why, found.own, found.elsewhere) == ("ok", "", (), (TAG,))
    assert (again.new, again.elsewhere) == (False, True)


def test_the_page_of_a_release_that_moved_says_whose_trail_its_seal_saw(moved: Moved) -> None:
    settings = moved.settings
    database = open_database(settings.database, moved.there)
    token, _ = sign_in(database, "am", PASSWORD, "127.0.0.1", settings)
    with TestClient(create_app(settings, database), base_url="http://127.0.0.1") as client:
        client.cookies.set(COOKIE, token)
        page = client.get("/p/RPM/releases/REL-0.1.0", headers={"accept": "text/html"}).text
    database.engine.dispose()

    [told] = re.findall(r'<section id="seal">(.*?)</section>', page, re.DOTALL)
    assert f"{TAG} in the mirror: commit and baseline are as the seal says." in told
    assert "sealed by the installation that the project came from" in told
    assert "audit verify --against" not in told


def test_a_pack_and_a_seal_of_the_source_are_not_held_against_the_trail_of_the_destination(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moved.arrived() as session:
        before = head(session).seq
    pack, tag = moved.source.demo.pack, f"{moved.source.clone}@{TAG}"

    at_home = fiducial(moved.here, monkeypatch, "audit", "verify", "--against", pack)
    by_pack, by_tag = (
        fiducial(moved.there, monkeypatch, "audit", "verify", "--against", one, "--record")
        for one in (pack, tag)
    )

    assert at_home.exit_code == 0, at_home.output
    assert (by_pack.exit_code, by_tag.exit_code) == (1, 1)
    assert "It is of the installation that DEPT and RPM came from; compare it there." in " ".join(
        by_pack.stderr.split()
    )
    assert "is not signed by the key of this installation" in by_tag.stderr
    assert "made anew" not in by_pack.output + by_tag.output
    with moved.arrived() as session:
        assert head(session).seq == before, "nothing was recorded"


def test_a_pack_that_is_made_of_a_release_that_moved_names_the_trail_where_it_is_made(
    moved: Moved,
) -> None:
    with moved.arrived() as session:
        project = find_project(session, "RPM")
        release = find_record(session, project, "REL-0.1.0")
        contents, _ = assemble(session, project, release, moved.settings)
        seen = contents.ledger.head
        entry = session.exec(select(LedgerEntry).where(LedgerEntry.seq == seen["seq"])).one()

        assert entry.action == "brought:record:release:approve"
        assert (seen["hash"], seen["at"]) == (entry.hash, rfc3339(entry.at))


def test_an_archive_that_is_no_zip_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = fiducial(tmp_path, monkeypatch, "export", "project", "--from", "RPM", "-o", "x.tar")

    assert refused.exit_code == 1
    assert "does not end in .zip" in refused.stderr
