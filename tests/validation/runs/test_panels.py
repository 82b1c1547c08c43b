"""Runs on the pages of the records they are about."""

import re

from core.records import service as records
from core.web.pages import environment
from validation.runs.panels import runs_panel


def panel_of(department, uid: str):
    with department.db.reading() as session:
        project = department.project(session)
        found = runs_panel(session, project, records.find_record(session, project, uid))
    if found is None:
        return None
    html = environment().get_template(found.template).render(**found.context)
    return found.title, " ".join(re.sub(r"<[^>]+>", " ", html).split()), html


def test_a_test_names_every_run_that_executed_it(executed):
    title, words, html = panel_of(executed, "TST-001")

    assert title == "Runs: 1"
    assert "passed in run 1 revision 1 at v0.1.0" in words
    assert "1 scenario, Farid Rowe" in words
    assert 'href="/p/RPM/runs/1"' in html


def test_a_release_names_its_runs(executed):
    title, words, _ = panel_of(executed, "REL-0.1.0")

    assert title == "Runs: 1"
    assert "passed in run 1 2 of 2 scenarios passed at v0.1.0" in words


def test_what_was_not_executed_says_so(department):
    title, words, html = panel_of(department, "TST-002")

    assert title == "Runs: not run"
    assert "No run has executed this test" in words
    assert 'href="/p/RPM/runs"' in html
