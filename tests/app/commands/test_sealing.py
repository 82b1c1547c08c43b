"""A release is sealed in a team's own repository, and the trail is held against it later."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from git import Repo
from typer.testing import CliRunner, Result

from app.cli import cli
from core.db import open_database
from core.records.service import find_project
from core.settings import get_settings
from core.signing.keys import load_key
from qms.baselines.current import project_snapshot
from qms.releases.gathering import find_release
from qms.releases.sealing import SealStanding, seal_standing
from qms.repositories.scanning import scan_repository
from tests.demonstration import BuiltDemo

pytestmark = pytest.mark.verifies("TST-046")

TAG = "sealed/0.1.0"


class Sealing:
    """A demonstration of one's own, and a clone of its device's repository."""

    def __init__(self, demo: BuiltDemo, folder: Path) -> None:
        self.demo = demo
        self.db = demo.data_dir / "fiducial.db"
        [(address, self.commit)] = self.asked(
            "select address, sha from repository r join repository_tag t on t.repository_id = r.id "
            "where t.name = 'v0.1.0'"
        )
        # The demonstration was copied, and its repository with it.
        self.source = demo.data_dir / "demo" / Path(address).name
        with closing(sqlite3.connect(self.db)) as database:
            database.execute("update repository set address = ?", (str(self.source),))
            database.commit()
        self.clone = folder / "work"
        made = Repo.clone_from(str(self.source), str(self.clone))
        with made, made.config_writer() as config:
            config.set_value("user", "name", "Amara Kole")
            config.set_value("user", "email", "ak@example.org")

    def asked(self, query: str) -> list[tuple]:
        """Ask the database itself."""
        with closing(sqlite3.connect(self.db)) as database:
            return database.execute(query).fetchall()

    def entries(self) -> int:
        """Count the entries of the audit trail."""
        return self.asked("select count(*) from ledger_entry")[0][0]

    def run(self, *words: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(cli, [*words])

    def seal(self, *words: str, repository: Path | str = "", person: str = "PPL-EQ") -> Result:
        """Seal the release."""
        where = str(repository or self.clone)
        return self.run(
            "git",
            "seal",
            "RPM",
            "--release",
            "0.1.0",
            "--repository",
            where,
            "--as",
            person,
            *words,
        )

    def message(self, tag: str = TAG) -> str:
        """Return what a tag says."""
        with Repo(self.clone) as repo:
            return str(repo.tags[tag].tag.message)

    def name_version(self, version: str) -> None:
        """Give the signed release another version, as its form would have taken it."""
        with closing(sqlite3.connect(self.db)) as database:
            for (name,) in database.execute(
                "select name from sqlite_master where type = 'trigger' and tbl_name = 'revision'"
            ).fetchall():
                database.execute(f'drop trigger "{name}"')
            database.execute(
                "update revision set fields = json_set(fields, '$.version', ?) where id in "
                "(select effective_id from record where uid = 'REL-0.1.0')",
                (version,),
            )
            database.commit()

    def standing(self, name: str = "0.1.0") -> SealStanding:
        """Return what the page of the release says of its seal."""
        settings = self.demo.settings
        database = open_database(settings.database, settings.data_dir)
        with database.reading() as session:
            project = find_project(session, "RPM")
            release = find_release(project_snapshot(session, project), "RPM", name)
            key = load_key(settings.data_dir).public
            found = seal_standing(session, project, release, key)
        database.engine.dispose()
        assert found
        return found

    def scan(self) -> None:
        """Scan the repository."""
        settings = self.demo.settings
        database = open_database(settings.database, settings.data_dir)
        scan_repository(database, settings, 1)
        database.engine.dispose()


@pytest.fixture
def sealing(
    demo_copy: BuiltDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sealing]:
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(demo_copy.data_dir))
    get_settings.cache_clear()
    yield Sealing(demo_copy, tmp_path)
    get_settings.cache_clear()


def told(result: Result) -> str:
    """Return what was said, in one line."""
    return " ".join(result.output.split())


def test_a_tag_says_where_the_record_stood_and_is_read_back(sealing: Sealing) -> None:
    hook = sealing.clone / ".git/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {sealing.clone}/hooked\n")
    hook.chmod(0o755)

    made = sealing.seal("--json")

    assert made.exit_code == 0, told(made)
    said = json.loads(made.output)
    seq, head = sealing.asked(
        "select seq, hash from ledger_entry order by seq desc limit 1 offset 1"
    )[0]
    [(root,)] = sealing.asked("select root from baseline order by number desc limit 1")
    assert (said["ref"], said["commit"]) == (f"refs/tags/{TAG}", sealing.commit)
    assert (said["seq"], said["head"], said["root"]) == (seq, head, root)
    first, _, *lines = sealing.message().splitlines()
    assert first == "Fiducial seal 1"
    assert lines[:4] == [
        "product: RPM", "release: REL-0.1.0", "version: 0.1.0", f"commit: {sealing.commit}"
    ]  # fmt: skip
    assert lines[5:8] == [f"root: {root}", f"ledger-seq: {seq}", f"ledger-head: {head}"]
    assert not (sealing.clone / "hooked").exists()
    against = f"{sealing.clone}@{TAG}"
    assert sealing.run("audit", "verify", "--against", against).exit_code == 0
    assert sealing.run("baseline", "verify", "RPM", root, "--against", against).exit_code == 0
    assert sealing.run("baseline", "verify", "RPM", root[:8]).exit_code == 0

    # Again, it finds what it would write; the trail has grown meanwhile.
    again = sealing.seal("--json")
    assert json.loads(again.output)["new"] is False
    assert json.loads(again.output)["seq"] == seq


def test_a_cut_tail_and_a_chain_made_anew_are_found_by_the_tag(sealing: Sealing) -> None:
    sealing.seal()
    [(seq,)] = sealing.asked("select max(seq) from ledger_entry")
    with closing(sqlite3.connect(sealing.db)) as database:
        for (name,) in database.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name like 'ledger%'"
        ).fetchall():
            database.execute(f'drop trigger "{name}"')
        database.execute("delete from ledger_entry where seq > ?", (seq - 3,))
        [(last,)] = database.execute("select hash from ledger_entry where seq = ?", (seq - 3,))
        database.execute("update ledger_head set seq = ?, hash = ?", (seq - 3, last))
        database.commit()

    plain = sealing.run("audit", "verify")
    held = sealing.run("audit", "verify", "--against", f"{sealing.clone}@{TAG}")

    assert "the end was cut" not in plain.output
    assert held.exit_code == 1
    assert f"{TAG} saw entry {seq - 1}: the end was cut." in " ".join(held.output.split())


def test_a_note_serves_as_well_and_the_mirror_tells_where_the_seal_stands(sealing: Sealing) -> None:
    before = sealing.standing()
    made = sealing.seal("--notes")
    assert made.exit_code == 0, told(made)
    held = sealing.run("audit", "verify", "--against", f"{sealing.clone}@notes")
    with Repo(sealing.clone) as repo:
        repo.git.push("origin", "refs/notes/fiducial")
    commits = sealing.asked("select count(*) from repository_commit")
    sealing.scan()
    after = sealing.standing()

    assert (before.word, before.places) == ("not there yet", ())
    assert before.command == (
        "fiducial git seal RPM --release REL-0.1.0 --tag sealed/0.1.0 --repository PATH --as UID"
    )
    assert held.exit_code == 0, told(held)
    assert (after.word, after.places, after.why) == ("ok", ("refs/notes/fiducial",), "")
    assert sealing.asked("select count(*) from repository_commit") == commits, "a note is no commit"


def test_whatever_a_version_holds_the_command_runs_nothing_else(sealing: Sealing) -> None:
    sealing.name_version("1.0; touch $(pwd)/x")

    assert sealing.standing("REL-0.1.0").command == (
        "fiducial git seal RPM --release REL-0.1.0 --notes --repository PATH --as UID"
    )


def test_a_seal_that_nobody_could_read_back_is_not_written(sealing: Sealing) -> None:
    sealing.name_version("0.1.0\u00a0b")
    before = sealing.entries()

    refused = sealing.run(
        "git", "seal", "RPM", "--release", "REL-0.1.0", "--notes",
        "--repository", str(sealing.clone), "--as", "PPL-EQ",
    )  # fmt: skip

    assert refused.exit_code != 0
    assert "version: cannot stand in a seal." in told(refused)
    with Repo(sealing.clone) as repo:
        assert "notes" not in repo.git.for_each_ref()
    assert sealing.entries() == before


def test_a_tag_of_that_name_with_other_content_is_left_alone(sealing: Sealing) -> None:
    with Repo(sealing.clone) as repo:
        repo.create_tag(TAG, ref=sealing.commit)
        lightweight = repo.tags[TAG].object.hexsha
    before = sealing.entries()

    refused = sealing.seal()

    assert refused.exit_code != 0
    assert "is there already and is no seal of a release" in told(refused)
    with Repo(sealing.clone) as repo:
        assert repo.tags[TAG].object.hexsha == lightweight
    assert sealing.entries() == before


def test_a_forged_seal_differs_and_proves_nothing(sealing: Sealing) -> None:
    sealing.seal()
    forged = sealing.message().replace("baseline: ", "baseline: 9")
    with Repo(sealing.clone) as repo:
        repo.git.tag("-f", "-a", TAG, sealing.commit, "-m", forged)
        repo.git.push("origin", f"refs/tags/{TAG}")
    sealing.scan()

    held = sealing.run("audit", "verify", "--against", f"{sealing.clone}@{TAG}")

    assert held.exit_code != 0
    assert "is not signed by the key of this installation" in told(held)
    assert sealing.standing().word == "differs"
    assert "where the record says" in sealing.standing().why


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--tag=--upload-pack=x"], "GIT12"),
        (["--tag", "a/../b"], "GIT12"),
        (["--tag", "x.lock"], "GIT12"),
        (["--tag", "a b"], "GIT12"),
        (["--tag", "x", "--notes"], "GIT12"),
        (["--release", "1.0.0"], "GIT14"),
    ],
)
def test_what_cannot_be_sealed_is_refused_by_name(sealing: Sealing, words, code: str) -> None:
    before, refs = sealing.entries(), Repo(sealing.clone).git.for_each_ref()

    refused = sealing.seal(*words)

    assert refused.exit_code != 0
    assert code in told(refused)
    assert (sealing.entries(), Repo(sealing.clone).git.for_each_ref()) == (before, refs)


def test_only_a_working_repository_that_holds_the_commit_is_written(
    sealing: Sealing, tmp_path: Path
) -> None:
    other = Repo.init(tmp_path / "other")
    linked = tmp_path / "linked"
    linked.symlink_to(sealing.demo.data_dir / "repositories" / "1.git")

    for place, code in (
        (tmp_path / "other", "GIT16"),
        (tmp_path / "nowhere", "GIT13"),
        ("--upload-pack=x", "GIT13"),
        (sealing.demo.data_dir / "repositories" / "1.git", "GIT13"),
        (linked, "GIT13"),
    ):
        refused = sealing.run(
            "git", "seal", "RPM", "--release", "0.1.0", f"--repository={place}", "--as", "PPL-EQ"
        )
        assert code in told(refused), place
    assert other.git.for_each_ref() == ""
    assert "may not seal" in told(sealing.seal(person="PPL-BT"))
