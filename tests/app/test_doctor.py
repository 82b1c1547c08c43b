"""The doctor finds what is missing, says what is off without it, and touches nothing."""

from pathlib import Path

import pytest

from app import doctor
from app.doctor import Capability, State, examine, needs_mending
from app.schema import upgrade
from core.settings import Settings
from core.signing.keys import create_key
from validation.runs import confinement

pytestmark = pytest.mark.verifies("TST-039")


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    """An installation as `fiducial init` leaves it."""
    made = Settings(data_dir=tmp_path / "var", database_url="", reference_data=tmp_path / "none")
    upgrade(made).engine.dispose()
    create_key(made.data_dir)
    return made


@pytest.fixture(name="assets", autouse=True)
def _assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    for asset in doctor.ASSETS:
        (vendor / asset).touch()
    monkeypatch.setattr(doctor, "VENDOR", vendor)
    return vendor


def named(found: list[Capability], name: str) -> Capability:
    return next(capability for capability in found if capability.name == name)


def test_a_sound_installation_needs_no_mending(settings, need) -> None:
    need("graphviz")

    found = examine(settings)

    assert [one for one in found if one.state is State.MISSING] == []
    assert not needs_mending(found)
    assert named(found, "reference data").state is State.ABSENT


def test_everything_that_is_missing_says_what_is_off_and_how_to_mend_it(tmp_path) -> None:
    nowhere = Settings(data_dir=tmp_path / "nowhere", reference_data=tmp_path / "none")

    found = examine(nowhere)

    lacking = [one for one in found if one.state in (State.MISSING, State.ABSENT)]
    assert {"data folder", "database", "signing key"} <= {one.name for one in lacking}
    assert all(one.off and one.mend for one in lacking)
    assert needs_mending(found)


def test_looking_changes_nothing(tmp_path, settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in settings.data_dir.rglob("*")}

    examine(settings)
    examine(Settings(data_dir=tmp_path / "nowhere"))

    after = {path: path.stat().st_mtime_ns for path in settings.data_dir.rglob("*")}
    assert before.keys() == after.keys()
    assert not (tmp_path / "nowhere").exists()


def test_a_dropped_trigger_is_named(settings) -> None:
    database = upgrade(settings)
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        connection.exec_driver_sql('DROP TRIGGER "guard_revision_update"')

    guards = named(examine(settings), "guards")

    assert guards.state is State.MISSING
    assert "guard_revision_update" in guards.detail


def test_a_schema_of_another_version_is_named(settings) -> None:
    database = upgrade(settings)
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")

    schema = named(examine(settings), "schema")

    assert schema.state is State.MISSING
    assert "at older" in schema.detail
    assert "db upgrade" in schema.mend


def test_a_database_that_cannot_be_reached_is_named_without_its_password(settings) -> None:
    elsewhere = settings.model_copy(
        update={"database_url": "postgresql://fiducial:secret@127.0.0.1:1/record"}
    )

    found = examine(elsewhere)

    assert named(found, "database").state is State.MISSING
    assert "127.0.0.1:1" in named(found, "database").detail
    assert all("secret" not in str(one.to_json()) for one in found)


def test_a_key_that_others_can_read_is_not_ready(settings) -> None:
    (settings.data_dir / "keys" / "installation.pem").chmod(0o644)

    key = named(examine(settings), "signing key")

    assert key.state is State.MISSING
    assert "chmod 600" in key.detail


def test_a_page_asset_that_was_not_built_is_named(settings, assets) -> None:
    (assets / "htmx.js").unlink()

    pages = named(examine(settings), "page assets")

    assert pages.state is State.MISSING
    assert pages.detail.endswith(": htmx.js")


def test_absent_programs_are_told_from_those_that_fail(settings, monkeypatch, tmp_path) -> None:
    broken = tmp_path / "bin" / "dot"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))

    found = examine(settings)

    assert named(found, "Git").state is State.MISSING
    assert named(found, "diagrams").state is State.MISSING
    assert named(found, "Chromium").state is State.ABSENT


def test_a_data_folder_that_cannot_be_written_is_named(settings) -> None:
    # Not even root makes a file here.
    unwritable = settings.model_copy(update={"data_dir": Path("/proc")})

    folder = named(examine(unwritable), "data folder")

    assert folder.state is State.MISSING
    assert "FIDUCIAL_DATA_DIR" in folder.mend


def test_a_machine_that_cannot_confine_step_code_is_a_warning(settings, monkeypatch) -> None:
    monkeypatch.setattr(confinement, "abi", lambda: 0)

    found = named(examine(settings), "confinement")

    assert found.state is State.WARNING
    assert "could read the keys and database" in found.detail
    assert "Landlock" in found.mend


@pytest.mark.skipif(not confinement.abi(), reason=confinement.in_force())
def test_confinement_is_ready_for_an_account_that_is_not_root(settings, monkeypatch) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    assert named(examine(settings), "confinement").state is State.READY

    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    as_root = named(examine(settings), "confinement")
    assert (as_root.state, as_root.mend) == (
        State.WARNING,
        "run the service with an account of its own",
    )


def test_a_disk_that_is_nearly_full_is_a_warning(settings, monkeypatch) -> None:
    usage = doctor.shutil.disk_usage(settings.data_dir)._replace(free=10)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage)

    folder = named(examine(settings), "data folder")

    assert folder.state is State.WARNING
    assert folder.mend


def test_packages_of_other_versions_than_the_locked_ones_are_named(
    settings, monkeypatch, tmp_path
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "ruamel-yaml==0.0.1 ; python_version < '4' \\\n    --hash=sha256:0\nabsent==1\n"
    )
    monkeypatch.setattr(doctor, "lock_file", lambda: lock)

    packages = named(examine(settings), "Python packages")

    assert packages.state is State.WARNING
    assert packages.detail.startswith("ruamel-yaml ")
    assert packages.detail.endswith(", locked is 0.0.1")


def test_the_packages_here_are_the_locked_ones(settings) -> None:
    assert named(examine(settings), "Python packages").state is State.READY
