"""The demonstration, driven whole once: from an empty folder to a pack that verifies offline."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from app.demo.demo import PUBLISHED_PLAN, Outcome, run_demo
from app.demo.device_repository import SOURCE, STORY, build_device_repository
from app.demo.people import SIGN_INS_FILE, Signers
from app.demo.records import approve
from core.db import Database, open_database
from core.ledger.verify import verify_chain
from core.people.proving import sign_in
from core.people.service import find_actor
from core.records.issues import Decision, decide
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.settings import Settings
from dataflows.graph import level_cut, roll_up
from dataflows.survey import department_from_snapshot
from qms.baselines.current import project_snapshot
from qms.releases.gathering import find_release, gather
from qms.releases.service import release_check
from qms.rules.check import check
from qms.rules.packs import framework_pack
from qms.rules.registry import RULES
from qms.soup.locks import read_lock
from tests.demonstration import BuiltDemo
from tests.qms.soup.mirrors import commit
from validation.pack.job import build_release_pack
from validation.runs.bill import loaded_packages
from validation.runs.plain import run_as_plain
from validation.runs.service import Deviation, find_run, note_deviation
from validation.verify.command import verify_command

pytestmark = pytest.mark.slow

RELEASE = "REL-0.1.0"
IDLE = 22
"""Rules of registers that the demonstration does not keep, and of what never happened in it."""


@dataclass(frozen=True)
class Done:
    """The demo after its first run."""

    settings: Settings
    outcome: Outcome
    told: str
    told_again: str


@pytest.fixture(scope="module")
def done(module_demo: BuiltDemo) -> Done:
    """A second run answers what the first one did; what the first one told was kept."""
    again = io.StringIO()
    outcome = run_demo(module_demo.settings, Console(file=again), serve=False)
    return Done(module_demo.settings, outcome, module_demo.told, again.getvalue())


@pytest.fixture
def copied(done: Done, tmp_path: Path) -> tuple[Settings, Database]:
    """The demo's folder once more, to go on working in."""
    folder = tmp_path / "var"
    shutil.copytree(done.settings.data_dir, folder)
    settings = done.settings.model_copy(update={"data_dir": folder})
    return settings, open_database(settings.database, folder)


def members(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_pack_verifies_with_the_key_and_is_of_an_unknown_signer_without(done: Done) -> None:
    said: list[str] = []

    with_key = verify_command(done.outcome.pack_path, [done.outcome.key_path], write=said.append)
    without = verify_command(done.outcome.pack_path, write=said.append)

    assert (with_key, without) == (0, 2)
    assert "DEMONSTRATION" in said[0]


def test_the_release_check_is_green_with_every_count_stated(done: Done) -> None:
    result = done.outcome.check

    assert [rule.code for rule in result.failing] == []
    # Ten risks whose controls are part of 1.0.0 stand at level 3 by a concession for the bench.
    assert (result.warnings, result.conceded) == (0, 10)
    applied = len(RULES) - IDLE
    assert result.sentence == f"{applied} of {applied} pass, {IDLE} had nothing to look at"
    looked_at = {rule.code: rule.looked_at for rule in result.rules}
    assert (looked_at["E04"], looked_at["B04"], looked_at["D01"]) == (7, 26, 13)


def test_what_was_done_is_told_with_the_places(done: Done) -> None:
    assert done.outcome.check.sentence.split(",")[0] in done.told
    assert done.outcome.pack_path.name in done.told
    assert done.outcome.key_path.name in done.told


def test_the_command_it_tells_can_be_pasted_and_verifies_the_pack(done: Done) -> None:
    told = next(line for line in done.told_again.splitlines() if line.startswith("Verify  "))

    verified = subprocess.run(  # noqa: S602 - as a person pastes it
        told.removeprefix("Verify"), shell=True, capture_output=True, text=True, check=False
    )

    assert verified.returncode == 0, verified.stderr
    assert verified.stdout


def test_the_department_has_the_systems_and_routes_of_its_file(done: Done) -> None:
    with done.outcome.db.reading() as session:
        department = department_from_snapshot(load_snapshot(session, ["DEPT"]), "DEPT")

    collapsed = roll_up(department, level_cut(department, 0))
    expanded = roll_up(department, level_cut(department, department.depth))

    assert (len(collapsed.systems), len(collapsed.routes)) == (26, 59)
    assert (len(expanded.systems), len(expanded.routes)) == (51, 91)


def test_every_project_record_and_pack_says_demonstration(done: Done) -> None:
    with done.outcome.db.reading() as session:
        demonstrations = {key: find_project(session, key).demonstration for key in ("DEPT", "RPM")}
    held = members(done.outcome.pack_path)

    assert demonstrations == {"DEPT": True, "RPM": True}
    assert json.loads(held["release.json"])["cover"]["demonstration"] is True
    assert b"DEMONSTRATION" in held["README.txt"]


def test_the_audit_trail_holds_from_the_first_account_to_the_pack(done: Done) -> None:
    with done.outcome.db.reading() as session:
        verified = verify_chain(session)

    assert verified.findings == []
    assert verified.entries > 1900


def test_nobody_signs_what_they_wrote(done: Done) -> None:
    held = members(done.outcome.pack_path)
    records = [json.loads(held[name]) for name in held if name.startswith("records/")]
    signed = [record for record in records if record["signatures"]]

    assert len(signed) > 100
    for record in signed:
        by = {one["meaning"]: one["signer"] for one in record["signatures"]}
        # Whoever was trained may have written it down; who confirms it is somebody else.
        attended = by.pop("attended", None)
        if record["type"] not in ("problem", "change", "training"):
            assert by.pop("authored") == record["envelope"]["author"]
        writers = {record["envelope"]["author"], *record["envelope"]["co_authors"], attended}
        assert by, record["uid"]
        assert writers.isdisjoint(by.values()), record["uid"]


def test_the_pack_shows_what_was_not_run_as_not_run(done: Done) -> None:
    release = json.loads(members(done.outcome.pack_path)["release.json"])

    assert len(release["not_run"]) == 19
    assert {row["uid"]: row["verdict"] for row in release["trace"]} == {
        f"REQ-{number:03d}": "passed" for number in (3, 4, 6, 7, 8, 9, 10, 11)
    }
    lowered = {
        risk["uid"] for risk in release["risks"] if risk["after"]["level"] < risk["before"]["level"]
    }
    # RSK-005 is controlled by REQ-021 as well, which no test of this release covers.
    assert lowered == {"RSK-002", "RSK-004"}


def test_the_bill_of_materials_is_what_the_run_recorded(done: Done) -> None:
    held = members(done.outcome.pack_path)
    with done.outcome.db.reading() as session:
        run = find_run(session, find_project(session, "RPM"), done.outcome.run)
        recorded = run.environment["packages"]

    listed = {
        one["name"]: one["version"] for one in json.loads(held["sbom.cdx.json"])["components"]
    }

    assert listed == recorded


def test_published_figures_are_met_and_stand_in_the_pack(done: Done, reference_data: Path) -> None:
    assert (reference_data / PUBLISHED_PLAN).is_dir()
    run = json.loads(members(done.outcome.pack_path)[f"runs/{done.outcome.comparison}.json"])

    [scenario] = run["scenarios"]
    measured = {one["name"]: one for step in scenario["steps"] for one in step["measurements"]}
    assert set(measured) == {"PTV Dmean", "Rectum Dmean", "Rectum V30Gy%"}
    for name, expected, tolerance in (
        ("PTV Dmean", 45.880, 0.02),
        ("Rectum Dmean", 39.113, 0.15),
        ("Rectum V30Gy%", 87.57, 0.6),
    ):
        assert measured[name]["actual"] == pytest.approx(expected, abs=tolerance)
        assert (measured[name]["expected"], measured[name]["tolerance"]) == (expected, tolerance)


def test_a_second_run_changes_nothing_and_names_the_same_pack(done: Done) -> None:
    with done.outcome.db.reading() as session:
        before = verify_chain(session).head

    again = run_demo(done.settings, Console(file=io.StringIO()), serve=False)

    with again.db.reading() as session:
        assert verify_chain(session).head == before
    assert again.pack.sha256 == done.outcome.pack.sha256
    assert (again.run, again.comparison) == (done.outcome.run, done.outcome.comparison)


def test_the_demo_people_sign_in_with_the_password_that_is_kept(
    done: Done, copied: tuple[Settings, Database]
) -> None:
    settings, db = copied
    kept = done.settings.data_dir / SIGN_INS_FILE
    told = json.loads(kept.read_text())

    assert kept.stat().st_mode & 0o777 == 0o600
    _, actor = sign_in(db, "amara.kole", told["password"], "127.0.0.1", settings)
    assert actor.uid == "PPL-AK"


def test_a_pack_built_after_later_work_is_the_same_to_the_byte(
    done: Done, copied: tuple[Settings, Database], tmp_path: Path
) -> None:
    settings, db = copied
    signers = Signers(done.outcome.sign_ins.password)
    with db.writing() as session:
        project = find_project(session, "RPM")
        change_text(session, project, "REQ-009", signers)
        manager = find_actor(session, "PPL-EQ")
        change = find_record(session, project, "CR-001")
        decision = Decision("closed", "quality_manager", "Verified by run 1.")
        read = edit_token(latest_revision(session, change))
        decide(session, change, decision, manager, signers.proof(session, manager), read)
        run = find_run(session, project, done.outcome.run)
        deviation = Deviation("Read again.", "None.", "Kept.")
        note_deviation(session, run, deviation, manager, signers.proof(session, manager))
    with db.reading() as session:
        assert not release_check(session, "RPM", "0.1.0").passed

    later = build_release_pack(db, settings, "RPM", "0.1.0", tmp_path / "later.zip")

    assert sha256(later) == done.outcome.pack.sha256 == sha256(done.outcome.pack_path)
    db.engine.dispose()


def change_text(session, project: Project, uid: str, signers: Signers) -> None:
    record = find_record(session, project, uid)
    content = replace(read_content(session, record), body="Within 0.3 percent of the volume.")
    token = edit_token(latest_revision(session, record))
    save_draft(session, record, content, find_actor(session, "PPL-AK"), token)
    approve(session, record, signers)


def test_every_scenario_of_the_run_left_its_log_and_each_attempt_is_in_the_pack(
    done: Done,
) -> None:
    held = members(done.outcome.pack_path)
    with done.outcome.db.reading() as session:
        run = find_run(session, find_project(session, "RPM"), done.outcome.run)
        number, plain = run.number, run_as_plain(session, run)

    logs = {scenario["evidence_sha256"] for scenario in plain["scenarios"]}

    assert [scenario["status"] for scenario in plain["scenarios"]] == ["passed"] * 18
    assert all(f"evidence/{sha256}" in held for sha256 in logs)
    assert f"runs/{number}.json" in held


def test_the_device_repository_is_the_same_wherever_it_is_built(tmp_path: Path) -> None:
    first = build_device_repository(tmp_path / "one")
    second = build_device_repository(tmp_path / "two")

    files = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert (first.commit, first.archive_digest) == (second.commit, second.archive_digest)
    assert files == {name for commit in STORY for name in commit.files}


def test_an_updated_dependency_blocks_and_names_what_it_touches(
    copied: tuple[Settings, Database],
) -> None:
    """The device's next commit pins another numpy; nothing else is changed."""
    settings, db = copied
    mirror = next((settings.data_dir / "repositories").glob("*.git"))
    lock = (SOURCE / "requirements.lock").read_bytes()
    now_pinned = read_lock(lock, "requirements.lock").by_name["numpy"].version
    drifted = lock.replace(f"numpy=={now_pinned}".encode(), b"numpy==99.0")
    sha = commit(mirror, {"requirements.lock": drifted}, "next")

    with db.reading() as session:
        project = find_project(session, "RPM")
        snapshot = project_snapshot(session, project)
        release = find_release(snapshot, "RPM", RELEASE)
        moved = replace(release, fields={**release.fields, "commit": sha})
        result = check(gather(session, project, moved, snapshot), framework_pack())

    assert [rule.code for rule in result.failing] == ["C07"]
    [finding] = next(rule for rule in result.rules if rule.code == "C07").findings
    assert finding.blocks
    assert finding.address == "/p/RPM/SOUP-04"
    for named in ("SI-05", "REQ-009", "RSK-004", "TST-009", f"numpy {now_pinned}", "numpy 99.0"):
        assert named in finding.sentence
    assert "Due: evaluation of the anomaly list of numpy 99.0" in finding.sentence


def test_the_device_pins_what_our_own_lock_file_pins() -> None:
    lock, ours = (
        read_lock(path.read_bytes(), path.name)
        for path in (SOURCE / "requirements.lock", SOURCE.parents[2] / "requirements.lock")
    )

    assert set(lock.by_name) == set(loaded_packages())
    for one in (*lock.components, *lock.left_out):
        same = [each for each in (*ours.components, *ours.left_out) if each.purl == one.purl]
        assert [each.hashes for each in same] == [one.hashes]
