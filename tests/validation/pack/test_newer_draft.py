"""A signed release stays what it is while its next revision is being written."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from core.db import Database, open_database
from core.people.service import find_actor
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from qms.baselines.current import project_snapshot
from qms.releases.service import start_pack
from tests.demonstration import BuiltDemo
from validation.pack.job import build_release_pack
from validation.pack.standing import latest_pack_file

pytestmark = pytest.mark.slow


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def redrafted(demo_copy: BuiltDemo):
    """The demonstration; somebody began another revision of its signed release."""
    db = open_database(demo_copy.settings.database, demo_copy.data_dir)
    with db.writing() as session:
        record = find_record(session, find_project(session, "RPM"), "REL-0.1.0")
        content = read_content(session, record)
        changed = replace(content, title="Another name", fields={**content.fields, "version": "9"})
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, changed, find_actor(session, "PPL-AK"), token)
        assert record.latest_id != record.effective_id
    yield db
    db.engine.dispose()


def test_the_pack_of_the_signed_revision_is_built_and_is_the_same(
    redrafted: Database, demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    made = build_release_pack(redrafted, demo_copy.settings, "RPM", "0.1.0", tmp_path / "again.zip")

    assert sha256(made) == sha256(demo_copy.pack)


def test_who_manages_releases_starts_it_and_the_last_one_is_still_handed_out(
    redrafted: Database, demo_copy: BuiltDemo
) -> None:
    with redrafted.writing() as session:
        project = find_project(session, "RPM")
        address = start_pack(session, project, "REL-0.1.0", find_actor(session, "PPL-EQ"))
        held = latest_pack_file(session, demo_copy.settings, "RPM", "REL-0.1.0")
        shown = project_snapshot(session, project).of_type("release", "RPM")[0]

    assert address.startswith("/jobs/")
    assert held is not None
    assert held.sha256 == sha256(demo_copy.pack)
    assert (shown.state, shown.fields["version"]) == ("approved", "0.1.0")
