"""A release that was signed is told as it was then, whatever is found today."""

from dataclasses import replace

import pytest

from core.clock import now
from core.db import open_database
from core.people.service import find_actor
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from qms.releases.pages import release_lines, release_page
from tests.demonstration import BuiltDemo

pytestmark = pytest.mark.slow


def test_later_work_turns_today_red_and_leaves_what_was_signed(demo_copy: BuiltDemo) -> None:
    db = open_database(demo_copy.settings.database, demo_copy.data_dir)
    with db.writing() as session:
        project = find_project(session, "RPM")
        record = find_record(session, project, "REQ-009")
        content = read_content(session, record)
        bare = replace(content, fields={**content.fields, "acceptance": ""})
        token = edit_token(latest_revision(session, record))
        draft = save_draft(session, record, bare, find_actor(session, "PPL-AK"), token)
        draft.state, draft.approved_at = "approved", now()
        record.effective_id = draft.id

    with db.reading() as session:
        project = find_project(session, "RPM")
        shown = release_page(session, project, "REL-0.1.0", find_actor(session, "PPL-EQ"))
        lines = {line.record.key.uid: line for line in release_lines(session, project)}
    db.engine.dispose()

    assert "B04" in [rule.code for rule in shown.result.failing]
    assert shown.signed is not None
    assert shown.signed.result.passed
    assert len(shown.signed.result.applied) == len(shown.result.applied)
    assert lines["REL-0.1.0"].signed == shown.signed
    assert lines["REL-1.0.0"].signed is None
