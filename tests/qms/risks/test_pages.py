"""The risk page: two matrices whose counts filter the table, and exports of what is shown."""

import csv
import io
import re

import pytest
from sqlalchemy import select

from core import ports
from core.records.models import Project, Record, Revision
from core.records.service import edit_token, find_project, find_record, latest_revision
from core.verdicts import Verdict, VerdictWord
from qms.risks.panels import issue_panel, risk_panel
from qms.risks.routes import router


def everything_passed(_session, _project, _release):
    return {f"TST-{n:03d}": Verdict(VerdictWord.PASSED, run="1") for n in range(1, 26)}


@pytest.fixture
def site(new_site):
    with ports.verdict_source.filled(everything_passed):
        yield new_site(router)


@pytest.fixture
def browser(site):
    return site.browser("PPL-DM", "clinical_safety_officer")


def rewrite(site, uid, **changes):
    """Change fields of a draft behind the service's back."""
    with site.db.writing() as session:
        record = session.execute(select(Record).where(Record.uid == uid)).scalar_one()
        revision = session.get_one(Revision, record.latest_id)
        revision.fields = revision.fields | changes


def in_force(site, *types):
    """Bring the drafts of some types into force, as approval would."""
    with site.db.writing() as session:
        for record in session.execute(select(Record).where(Record.type.in_(types))).scalars():
            session.get_one(Revision, record.latest_id).state = "approved"
            record.effective_id = record.latest_id


def cells(response):
    """(moment, severity, likelihood) -> count, as the links of the two matrices say."""
    found = re.findall(
        r'href="/p/RPM/risks\?release=REL-0\.1\.0&amp;moment=(\w+)&amp;severity=(\d)'
        r'&amp;likelihood=(\d)"[^>]*>(\d+)</a>',
        response.text,
    )
    return {(moment, int(s), int(p)): int(count) for moment, s, p, count in found}


def test_unapproved_controls_leave_every_risk_where_it_was(browser, words) -> None:
    response = browser.get("/p/RPM/risks")

    assert response.status_code == 200
    counted = cells(response)
    before = {key[1:]: count for key, count in counted.items() if key[0] == "before"}
    after = {key[1:]: count for key, count in counted.items() if key[0] == "after"}
    assert before == after == {(4, 3): 5, (3, 3): 6, (4, 2): 2}
    assert "REQ-003 is draft and not approved." in words(response)


def test_verified_controls_move_the_counts_of_the_second_matrix(site, browser) -> None:
    in_force(site, "requirement")

    counted = cells(browser.get("/p/RPM/risks"))

    after = {key[1:]: count for key, count in counted.items() if key[0] == "after"}
    assert sum(after.values()) == 13
    assert after == {(4, 1): 6, (3, 1): 5, (3, 2): 1, (4, 2): 1}


def test_each_cell_filters_the_table_to_what_it_counts(site, browser, words) -> None:
    in_force(site, "requirement")
    counted = cells(browser.get("/p/RPM/risks"))

    for (moment, severity, likelihood), count in counted.items():
        response = browser.get(
            "/p/RPM/risks",
            params={"moment": moment, "severity": severity, "likelihood": likelihood},
        )
        assert f"{count} of 13 risks" in words(response)
        assert (
            len(re.findall(r'<th scope="row"><a class="uid" href="/p/RPM/RSK-', response.text))
            == count
        )


def test_an_empty_cell_is_a_sentence(browser, words) -> None:
    response = browser.get("/p/RPM/risks?moment=after&severity=5&likelihood=5")

    assert "There are no risks here." in words(response)


@pytest.mark.parametrize("query", ["severity=9&likelihood=9&moment=after", "severity=1"])
def test_a_cell_off_the_matrix_shows_all(browser, words, query) -> None:
    assert "13 risks" in words(browser.get(f"/p/RPM/risks?{query}"))


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "html", "pdf"])
def test_every_export_holds_exactly_the_risks_shown(browser, name) -> None:
    response = browser.get(f"/p/RPM/risks/export/{name}?moment=before&severity=4&likelihood=2")

    assert response.status_code == 200
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert [row["Risk"] for row in rows] == ["RSK-008", "RSK-010"]
        assert {row["Level before"] for row in rows} == {"3"}
        assert rows[0]["Owner"] == "Esther Quill"


def test_a_faulty_policy_shows_every_fault_and_no_level(site, browser, words) -> None:
    rewrite(site, "DOC-RMP-MATRIX", matrix={"rows": [[1, 2], [None, 2]]})

    response = browser.get("/p/RPM/risks")

    assert response.status_code == 200
    assert "cannot be used, so no level is shown" in words(response)
    assert "has no row for likelihood Medium" in words(response)
    assert "risk-matrix" not in response.text


def test_a_figure_off_the_scale_is_told_beside_the_risk(site, browser, words) -> None:
    rewrite(site, "RSK-001", severity=99)

    assert "Severity before the controls is 99" in words(browser.get("/p/RPM/risks"))


def test_the_panel_shows_the_level_of_a_risk_and_what_a_requirement_controls(site) -> None:
    with site.db.reading() as session:
        project = session.execute(select(Project).where(Project.key == "RPM")).scalar_one()
        found = {
            uid: risk_panel(
                session,
                project,
                session.execute(select(Record).where(Record.uid == uid)).scalar_one(),
            )
            for uid in ("RSK-001", "REQ-011", "REQ-013", "TST-001")
        }

    assert found["RSK-001"].context["assessments"][0].before.number == 3
    assert found["REQ-011"].title == "Controls 2 risks"
    assert found["REQ-013"] is None
    assert found["TST-001"] is None


def test_a_stranger_or_a_member_of_another_project_sees_nothing(site) -> None:
    other = site.browser("PPL-XX", "viewer", project="DEPT")

    assert other.get("/p/RPM/risks").status_code == 404
    assert other.get("/p/RPM/risks/export/csv").status_code == 404
    other.cookies.clear()
    assert other.get("/p/RPM/risks").status_code in (303, 401)


def panel_of(site, uid: str):
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        return issue_panel(session, project, find_record(session, project, uid))


def test_an_author_issues_the_hazard_log_of_the_release_shown(site, words) -> None:
    author = site.browser("PPL-XX", "author")

    answer = author.post(
        "/p/RPM/risks/issues", data={"release": "REL-0.1.0", "csrf_token": "csrf-PPL-XX"}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/p/RPM/HZL-001")
    assert "HZL-001 Hazard log for REL-0.1.0 draft revision 1" in words(author.get("/p/RPM/risks"))
    panel = panel_of(site, "HZL-001")
    assert [row["risk"] for row in panel.context["rows"]] == [f"RSK-{n:03d}" for n in range(1, 14)]
    assert panel.context["changed"] == []


def test_a_draft_takes_the_risk_file_again_and_says_what_changed(site) -> None:
    author = site.browser("PPL-XX", "author")
    author.post("/p/RPM/risks/issues", data={"release": "REL-0.1.0", "csrf_token": "csrf-PPL-XX"})
    rewrite(site, "RSK-003", harm="something else")
    context = panel_of(site, "HZL-001").context
    assert context["changed"] == ["RSK-003"]

    at, sent = "/p/RPM/risks/issues/HZL-001/take", {"csrf_token": "csrf-PPL-XX"}
    stale = author.post(at, data={"expected": "0.draft.0", **sent})
    taken = author.post(at, data={"expected": context["expected"], **sent})

    assert (stale.status_code, taken.status_code) == (409, 303)
    again = panel_of(site, "HZL-001").context
    assert again["changed"] == []
    assert "Harm: something else" in again["rows"][2]["hazard"]


def test_who_does_not_write_the_log_is_offered_and_granted_no_issue(site, browser) -> None:
    assert "Issue the hazard log" not in browser.get("/p/RPM/risks").text

    assert (
        browser.post(
            "/p/RPM/risks/issues", data={"release": "none", "csrf_token": "csrf-PPL-DM"}
        ).status_code
        == 403
    )


def test_another_record_takes_no_risk_file(site) -> None:
    author = site.browser("PPL-XX", "author")
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        token = edit_token(latest_revision(session, find_record(session, project, "REQ-001")))

    answer = author.post(
        "/p/RPM/risks/issues/REQ-001/take", data={"expected": token, "csrf_token": "csrf-PPL-XX"}
    )

    assert answer.status_code == 404
    assert panel_of(site, "REQ-001") is None


def test_questions_about_risks_are_asked_below_the_table_and_no_others(browser, words) -> None:
    told = words(browser.get("/p/RPM/risks"))

    assert "J02 Is the sequence of events credible and complete?" in told
    assert "J04 Do the benefits outweigh the overall residual risk?" in told
    assert "J06" not in told
