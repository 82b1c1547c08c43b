"""What a pack says of live facts: results of QA, drift and risks, and how much is signed."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select
from typer.testing import CliRunner

from app.answers import drift_of, drift_until, risk_levels, signed_off
from app.cli import cli
from app.schema import newest
from core.blobs import BlobStore
from core.canonical import rfc3339
from core.clock import now
from core.db import Database
from core.people.actor import Actor
from core.people.service import Reauthentication, find_actor
from core.records.models import Record
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.settings import get_settings
from dataflows.planning import ports
from dataflows.planning.pack.build import record
from dataflows.planning.pack.contents import Contents, contents_of, manifest
from dataflows.planning.pack.printing import to_html
from dataflows.planning.plan import Purpose
from dataflows.planning.service import model_digest, read_map
from dataflows.probing import drifting
from qms.baselines.current import freeze_now
from qms.baselines.freezing import freeze_baseline
from tests.dataflows.conftest import Browse
from tests.dataflows.planning.facts import approve, leave_reading

MOVED = b"AE title,host,port\nPQA,192.0.2.99,11112\n"
"""What the planning system is set to send to, where the map says 192.0.2.26."""


@pytest.fixture
def answered() -> Iterator[None]:
    """What the product answers where the map asks for facts of others."""
    with (
        ports.drift_result.filled(drift_of),
        ports.drift_until.filled(drift_until),
        ports.risk_levels.filled(risk_levels),
        ports.sign_off.filled(signed_off),
    ):
        yield


def _pack(session: Session, by: Actor, system: str) -> Contents:
    read = read_map(session, "DEPT", by)
    return contents_of(session, read, system, Purpose.UPGRADE, "Department")


def _rows(made: Contents, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made.texts[name].decode("utf-8-sig"))))


@pytest.mark.usefixtures("answered")
def test_a_pack_holds_results_drift_and_risks_in_its_tables_and_in_print(risky: Database) -> None:
    with risky.writing() as session:
        by = find_actor(session, "PPL-AK")
        leave_reading(session, now() + timedelta(days=5), "failed")
        project, read = find_project(session, "DEPT"), read_map(session, "DEPT", by)
        drifting.import_list(session, project, read.department, "TPS", "tps.csv", MOVED, by)

        made = _pack(session, by, "TPS")
        again = _pack(session, by, "TPS")

    [end_to_end] = [row for row in _rows(made, "qa.csv") if row["QA procedure"] == "QA-022"]
    [drift] = [row for row in _rows(made, "drift.csv") if row["AE title"] == "PQA"]
    [risk] = _rows(made, "risks.csv")
    told = (end_to_end["Stands"], end_to_end["Last result"], end_to_end["Effective"])
    assert told == ("failing", "failed", "no")
    assert (drift["List"], drift["What"]) == ("tps.csv", "changed")
    assert (drift["Host"], drift["Host in the list"]) == ("192.0.2.26", "192.0.2.99")
    assert risk["Risk"] == "RPM/RSK-001"
    assert risk["Level"].endswith("control not effective")
    print_ = to_html(made)
    for said in ("failing", "192.0.2.99", "control not effective"):
        assert said in print_
    # Where a server was asked, a pack is the same on the day that it names.
    assert made.texts == again.texts or made.origin.qa_judged_on != again.origin.qa_judged_on


def test_a_signed_map_keeps_its_digest_until_another_revision_is_signed(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        for one in session.exec(select(Record)).all():
            approve(session, one)
        before = _digest(session, author)
        project = find_project(session, "DEPT")
        record = find_record(session, project, "C023")
        said = read_content(session, record)
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, replace(said, title="Otherwise"), author, token)
        drafted = latest_revision(session, record).number, _digest(session, author)
        approve(session, record)
        after = _digest(session, author)

    assert drafted == (2, before)
    assert after != before
    for change in ("title = 'Nicer'", "content_digest = 'f'", "state = 'draft'"):
        with pytest.raises(DBAPIError), map_db.writing() as session:
            session.execute(text(f"UPDATE revision SET {change} WHERE number = 1"))
    with map_db.reading() as session:
        assert _digest(session, author) == after


def _digest(session: Session, by: Actor) -> str:
    return model_digest(read_map(session, "DEPT", by).snapshot, "DEPT")


def test_one_command_makes_the_pack_and_says_of_which_map(
    map_db: Database, author: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("FIDUCIAL_DATABASE_URL", f"sqlite:///{tmp_path / 'map.db'}")
    get_settings.cache_clear()
    with map_db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": newest()})

    asked = ("flows", "pack", "PQA", "--for", "replace", "-o", str(tmp_path / "pack.zip"))
    answer = CliRunner().invoke(cli, [*asked, "--json"])

    get_settings.cache_clear()
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    with map_db.reading() as session:
        assert told["model"] == _digest(session, author)
    made = (tmp_path / "pack.zip").read_bytes()
    assert hashlib.sha256(made).hexdigest() == told["sha256"]
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert json.loads(archive.read("manifest.json"))["purpose"] == "replace"
        assert archive.read("change-impact.pdf").startswith(b"%PDF")


@pytest.mark.usefixtures("answered")
def test_every_pack_prints_the_digest_of_the_map_and_who_signed_it_off(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        drafted = _pack(session, author, "PQA")
        for one in session.exec(select(Record)).all():
            approve(session, one)
        signed = _pack(session, author, "PQA")
        project = find_project(session, "DEPT")
        first = freeze_now(session, project, "Release REL-1.0.0", author)
        freeze_now(session, project, "Once more", author)
        frozen = _pack(session, author, "PQA")
        root, at = first.root, first.at
        proof = Reauthentication(author.person_id)
        for name in ("Sign-off", "Signed again"):
            freeze_baseline(session, project, name, "The map is agreed.", author, proof=proof)
        agreed = _pack(session, author, "PQA")

    counted = "of 213 records of the map are signed and in force"
    assert drafted.origin.signed == f"0 {counted}; no baseline froze this map"
    assert signed.origin.signed == f"213 {counted}; no baseline froze this map"
    # A release, a command and a program freeze without a password: that is nobody's signature.
    assert frozen.origin.signed == (
        f"213 {counted}; this map is baseline 1, not signed, frozen by Amara Kole at {rfc3339(at)}"
    )
    assert agreed.origin.signed.startswith(
        f"213 {counted}; this map is baseline 3, signed by Amara Kole, author at "
    )
    assert json.loads(manifest(frozen.origin, {}))["baseline_signed_by"] == ""
    assert json.loads(manifest(agreed.origin, {}))["baseline_signed_by"] == "Amara Kole, author"
    assert frozen.origin.facts_until == at
    assert root in frozen.texts["README.txt"].decode()
    assert root in to_html(frozen)
    assert root not in to_html(signed)
    for made in (drafted, signed, frozen, agreed):
        print_ = "".join(to_html(made).split())
        # The first twelve digits stand alone, because they stand on the foot of every page.
        assert f"{made.origin.model[:12]}</span>{made.origin.model[12:]}" in print_
        assert "".join(made.origin.signed.split()) in print_
        assert f"Map {made.origin.model}: {made.origin.signed}" in made.texts["README.txt"].decode()


@pytest.mark.usefixtures("answered")
def test_a_map_that_went_on_is_not_the_baseline_that_froze_it(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        for one in session.exec(select(Record)).all():
            approve(session, one)
        project = find_project(session, "DEPT")
        freeze_now(session, project, "Sign-off", author)
        gone = find_record(session, project, "C064")
        gone.withdrawn_at = now()
        session.add(gone)
        session.flush()

        made = _pack(session, author, "PQA")

    assert made.origin.signed.startswith("212 of 212 records")
    assert made.origin.baseline is None


@pytest.mark.usefixtures("answered")
def test_the_page_of_a_pack_says_when_its_map_was_frozen_or_changed_since(
    browse: Browse, map_db: Database, author: Actor, tmp_path: Path
) -> None:
    browser = browse("PPL-AK")
    at = "/p/DEPT/map/impact/HDR"
    with map_db.writing() as session:
        for one in session.exec(select(Record)).all():
            approve(session, one)
        made = _pack(session, author, "HDR")
        _keep(session, author, tmp_path, made)
    kept = browser.get(at).text
    with map_db.writing() as session:
        first = freeze_now(session, find_project(session, "DEPT"), "Sign-off", author)
        baseline = ports.SignedOff("baseline 1", first.root, first.person_name, first.at, "")
    frozen = browser.get(at).text
    with map_db.writing() as session:
        told_of = replace(made, origin=replace(made.origin, baseline=baseline))
        _keep(session, author, tmp_path, told_of)
    again = browser.get(at).text
    of_another_map = replace(made, origin=replace(made.origin, model="0" * 64))
    with map_db.writing() as session:
        _keep(session, author, tmp_path, of_another_map)
    changed = browser.get(at).text

    told = [
        [word for word in ("signed off or frozen since", "has changed since") if word in page]
        for page in (kept, frozen, again, changed)
    ]
    assert all("DEPT-upgrade-HDR.zip" in page for page in (kept, frozen, again, changed))
    assert told == [[], ["signed off or frozen since"], [], ["has changed since"]]


def _keep(session: Session, by: Actor, folder: Path, made: Contents) -> None:
    """Leave what the building of a pack leaves, without its print."""
    stored = BlobStore(folder / "var" / "blobs").put(b"a pack")
    record(session, made, stored, ["DEPT"], by)
