"""The training page: what is asked, what is lacking, and one link that begins it."""

import csv
import io
import re
from html import unescape

import pytest

from core.clock import now
from core.records.content import Content, LinkDraft
from core.records.service import create_record, save_draft
from tests.conftest import Office
from tests.core.conftest import PASSWORD, Browser, words_of
from tests.core.records.test_lost_links import bring_into_force

pytestmark = pytest.mark.database

AT = "/p/RPM/training"
MATRIX = {"training_matrix": [{"role": "tester", "documents": ["DOC-001"]}]}
PLAN = Content("Test plan", "Text.", {"kind": "plan"})


@pytest.fixture
def office_with_plan(office: Office, all_trained: None) -> Office:
    """Testers must be trained on DOC-001, which is in force; Farid Rowe is one."""
    author = office.staff["PPL-AK"]
    with office.writing() as session:
        project = office.project(session)
        create_record(session, project, "project", Content("Device", "", MATRIX), author)
        create_record(session, project, "document", PLAN, author, uid="DOC-001")
        farid = Content("Farid Rowe", "", {"roles": ["tester"]})
        create_record(session, project, "person", farid, author, uid="PPL-FR")
    bring_into_force(office, "DOC-001")
    return office


def begin(browser: Browser) -> str:
    """Return where the page leads whoever begins their own training."""
    found = re.findall(r'href="(/p/RPM/new/training\?[^"]+)"', browser.open(AT).text)
    assert len(set(found)) == 1
    return unescape(found[0])


def test_project_that_asks_for_no_training_says_so(office: Office, browser_of) -> None:
    said = words_of(browser_of("PPL-VW").open(AT).text)

    assert "No role in RT Plan Metrics asks for training on a document" in said


def test_trainee_begins_signs_and_is_trained_once_somebody_confirms(
    office_with_plan: Office, browser_of
) -> None:
    farid, esther = browser_of("PPL-FR"), browser_of("PPL-EQ")
    assert "What I lack" in farid.open(AT).text
    assert "My training (1)" in words_of(farid.open("/").text)

    farid.open(begin(farid))
    form = dict(farid.form("/p/RPM/new/training").fields)
    assert form["title"] == "Test plan, revision 1"
    assert form["field.outcome"] == "complete"
    assert "DOC-001" in form.values()
    assert "PPL-FR" in form.values()
    today = now().date()
    farid.send("/p/RPM/new/training", {"field.done": str(today)}, action="save")
    assert "TRN-001 is recorded." in words_of(farid.page.text)
    assert "unsigned" in words_of(farid.open(AT).text)
    for browser in (farid, esther):
        browser.open("/p/RPM/TRN-001")
        assert browser.send("/p/RPM/TRN-001/sign", password=PASSWORD).status_code == 200

    said = words_of(farid.open(AT).text)
    assert "What I lack" not in said
    assert "My training" not in words_of(farid.open("/").text)
    farid.open(AT)
    assert f"trained revision 1 on {today}" in said


def test_changed_document_is_told_with_who_has_to_read_it_again(
    office_with_plan: Office, browser_of
) -> None:
    author = office_with_plan.staff["PPL-AK"]
    with office_with_plan.writing() as session:
        links = (
            LinkDraft("person", "PPL-FR"),
            LinkDraft("covers", "DOC-001", None, {"revision": 1}),
        )
        today = now().date()
        done = Content("Read", "", {"outcome": "complete", "done": str(today)}, links)
        project = office_with_plan.project(session)
        create_record(session, project, "training", done, author)
    with office_with_plan.writing() as session:
        record = office_with_plan.record(session, "DOC-001")
        changed = Content("Test plan", "Another text.", {"kind": "plan"})
        read = office_with_plan.read(session, "DOC-001")
        save_draft(session, record, changed, author, read)
    bring_into_force(office_with_plan, "DOC-001")
    farid = browser_of("PPL-FR")

    page = farid.open(AT)

    said = words_of(page.text)
    assert "Changed after people were trained on it" in said
    assert "/p/RPM/DOC-001/compare?old=1&amp;new=2" in page.text
    assert "older revision revision 1" in said
    assert "covers.revision=2" in begin(farid)


def test_filters_count_people_and_export_what_they_show(
    office_with_plan: Office, browser_of
) -> None:
    vera = browser_of("PPL-VW")

    said = words_of(vera.open(AT).text)
    assert "everybody 6" in said
    assert "anything missing 1" in said
    assert "missing 1" in said
    assert "/p/RPM/new/training" not in vera.page.text
    for query, people in (
        ("", 6),
        ("show=missing", 1),
        ("role=tester", 1),
        ("role=tester&show=trained", 0),
    ):
        answer = vera.open(f"{AT}/export/csv?{query}")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == people, query
        assert ("Nobody stands so." in vera.open(f"{AT}?{query}").text) == (people == 0)
    assert vera.open(f"{AT}/export/csv?show=missing").text.count("missing, never trained") == 1
