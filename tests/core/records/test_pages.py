"""The thread in a browser: need, requirement, link, submit, sign, change, re-review, refuse."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.ledger.models import LedgerEntry
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.models import Revision
from core.records.service import counts_by_type, create_project, create_record
from tests.core.conftest import PASSWORD, Browser, forms_of, words_of

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]

NEED = {
    "title": "Trust the numbers",
    "body": "Numbers are right.",
    "field.stakeholder": "Physicist",
    "field.acceptance": "Numbers agree.",
}
"""As typed into the form of a user need."""

REQUIREMENT = {
    "title": "Dose-volume metrics are exact",
    "body": "Agree with the closed form, see UN-001.",
    "field.category": "functional",
    "field.acceptance": "At most 0.4 % of the volume.",
    "link.derives_from.1.target": "UN-001",
}
"""As typed into the form of a requirement."""


@pytest.fixture
def amara(browser_of: Open) -> Browser:
    """The author."""
    return browser_of("PPL-AK")


def write(browser: Browser, type_name: str, typed: dict[str, str]) -> str:
    """Write a record and return where it ended."""
    path = f"/p/RPM/new/{type_name}"
    assert browser.open(path).status_code == 200
    answer = browser.send(path, typed, action="save")
    assert answer.status_code == 200, words_of(answer.text)[-500:]
    return answer.url.path


def submit(browser: Browser, uid: str, password: str = PASSWORD) -> Any:
    browser.open(f"/p/RPM/{uid}")
    return browser.send(f"/p/RPM/{uid}/submit", password=password)


def sign(browser: Browser, uid: str, password: str = PASSWORD) -> Any:
    browser.open(f"/p/RPM/{uid}")
    return browser.send(f"/p/RPM/{uid}/sign", password=password)


def bring_into_force(browser_of: Open, amara: Browser, uid: str) -> None:
    assert submit(amara, uid).status_code == 200, words_of(amara.page.text)
    for signer in ("PPL-CV", "PPL-DM", "PPL-EQ"):
        browser = browser_of(signer)
        page = browser.open(f"/p/RPM/{uid}").text
        if f'action="/p/RPM/{uid}/sign"' in page:
            assert sign(browser, uid).status_code == 200


@pytest.fixture
def need_and_requirement(browser_of: Open, amara: Browser) -> Browser:
    """UN-001 and REQ-001 in force, linked; the author's browser."""
    write(amara, "user_need", NEED)
    bring_into_force(browser_of, amara, "UN-001")
    write(amara, "requirement", REQUIREMENT)
    bring_into_force(browser_of, amara, "REQ-001")
    return amara


def test_a_need_and_a_requirement_come_into_force_in_the_browser_alone(
    need_and_requirement: Browser, office: Any
) -> None:
    page = need_and_requirement.open("/p/RPM/REQ-001")

    said = words_of(page.text)
    assert "approved revision 1 · effective since" in said
    assert "derives from UN-001 Trust the numbers" in said
    assert 'href="/p/RPM/UN-001" rel=' in page.text, "a uid in the text leads to its record"
    assert "Chidi Vance" in said
    assert "technical reviewer: reviewed" in said
    with office.reading() as session:
        assert office.record(session, "REQ-001").effective_id is not None
        assert verify_audit(session).findings == []
    assert "leads to REQ-001" in words_of(need_and_requirement.open("/p/RPM/UN-001").text)


def test_saving_an_unchanged_form_keeps_the_content_digest(
    need_and_requirement: Browser, office: Any
) -> None:
    need_and_requirement.open("/p/RPM/REQ-001/edit")

    need_and_requirement.send("/p/RPM/REQ-001/edit", action="save")

    with office.reading() as session:
        record = office.record(session, "REQ-001")
        latest = session.get_one(Revision, record.latest_id)
        effective = session.get_one(Revision, record.effective_id)
        assert latest.number == 2
        assert latest.content_digest == effective.content_digest


def test_a_form_tells_what_it_will_touch_before_and_whether_it_does(
    need_and_requirement: Browser,
) -> None:
    browser = need_and_requirement
    assert "makes 1 record need re-review" in words_of(browser.open("/p/RPM/UN-001/edit").text)

    changed = browser.send("/p/RPM/UN-001/edit", title="Trust every number", action="preview")
    assert "This change makes 1 record need re-review" in words_of(changed.text)
    assert 'value="Trust every number"' in changed.text

    unchanged = browser.send("/p/RPM/UN-001/edit", title="Trust the numbers", action="preview")
    assert "none will need re-review" in words_of(unchanged.text)


def test_a_form_tells_who_loses_a_link_before_it_is_saved(need_and_requirement: Browser) -> None:
    browser = need_and_requirement
    browser.open("/p/RPM/REQ-001/edit")

    typed = {"link.derives_from.1.target": ""}
    preview = browser.send("/p/RPM/REQ-001/edit", typed, action="preview")

    said = words_of(preview.text)
    assert "UN-001 will need re-review once it is in force: it no longer states the link" in said
    assert "none will need re-review" not in said


def test_an_approved_change_makes_the_requirement_suspect_until_it_is_re_reviewed(
    need_and_requirement: Browser, browser_of: Open, actions: Actions
) -> None:
    amara = need_and_requirement
    amara.open("/p/RPM/UN-001/edit")
    amara.send("/p/RPM/UN-001/edit", title="Trust every number", action="save")
    pending = words_of(amara.open("/p/RPM/UN-001").text)
    assert "Proposed: revision 2" in pending
    assert "needs re-review" not in words_of(amara.open("/p/RPM/REQ-001").text).lower()
    bring_into_force(browser_of, amara, "UN-001")

    doubted = amara.open("/p/RPM/REQ-001").text
    assert "Trust <del>the</del><ins>every</ins>" in doubted
    assert "since this record changed" in words_of(amara.open("/p/RPM/UN-001").text)
    assert "needs re-review" in words_of(amara.open("/").text)

    amara.open("/p/RPM/REQ-001")
    cleared = amara.send("/p/RPM/REQ-001/review", reason="The limit already covers it.")
    assert "is re-reviewed against UN-001" in words_of(cleared.text)
    assert 'id="review"' not in amara.open("/p/RPM/REQ-001").text
    assert actions("record:requirement:review")[-1].details["reason"]


def test_a_stale_form_is_refused_and_keeps_what_was_typed(
    need_and_requirement: Browser, browser_of: Open, actions: Actions, office: Any
) -> None:
    slow, fast = need_and_requirement, browser_of("PPL-AK")
    for one in (slow, fast):
        one.open("/p/RPM/REQ-001/edit")
    fast.send("/p/RPM/REQ-001/edit", title="First", action="save")

    refused = slow.send("/p/RPM/REQ-001/edit", title="Second", action="save")

    assert refused.status_code == 409
    assert 'value="Second"' in refused.text
    assert "<del>First</del>" in refused.text
    assert [one.subject for one in actions("refusal:record:conflict")] == ["REQ-001"]
    with office.reading() as session:
        record = office.record(session, "REQ-001")
        assert session.get_one(Revision, record.latest_id).title == "First"
    again = slow.send("/p/RPM/REQ-001/edit", action="save")
    assert again.status_code == 200, "having seen the difference, the person may save"


def test_every_fault_of_a_form_is_told_at_its_field_and_nothing_is_lost(amara: Browser) -> None:
    write(amara, "user_need", NEED)
    amara.open("/p/RPM/new/risk")

    refused = amara.send(
        "/p/RPM/new/risk",
        {
            "title": "",
            "field.severity": "very",
            "field.sequence": "first\r\n  still first\r\nsecond",
            "link.involves.1.target": "SI-404",
        },
        action="save",
    )

    said = words_of(refused.text)
    assert refused.status_code == 422
    assert "Title : has no title." in said
    assert '<a href="#field.severity">Severity</a>' in refused.text
    assert "SI-404" in said
    assert 'value="very"' in refused.text
    assert "first\n  still first\nsecond</textarea>" in refused.text


def test_more_empty_rows_saves_nothing(amara: Browser, office: Any) -> None:
    amara.open("/p/RPM/new/requirement")
    before = amara.page.text.count("derives_from")

    more = amara.send("/p/RPM/new/requirement", title="Kept", action="rows")

    assert more.text.count("derives_from") > before
    assert 'value="Kept"' in more.text
    with office.reading() as session:
        assert counts_by_type(session, office.project(session)) == {}


def test_an_author_cannot_approve_what_they_wrote_even_with_a_forged_form(
    amara: Browser, office: Any, actions: Actions
) -> None:
    write(amara, "user_need", NEED)
    submit(amara, "UN-001")
    assert 'action="/p/RPM/UN-001/sign"' not in amara.open("/p/RPM/UN-001").text

    token = dict(amara.form("/sign-out").fields)["csrf_token"]
    forged = {"meaning": "approved", "role": "clinical_lead", "password": PASSWORD}
    refused = amara.client.post("/p/RPM/UN-001/sign", data={**forged, "csrf_token": token})

    assert refused.status_code == 403
    assert "may not sign" in words_of(refused.text)
    assert [one.subject for one in actions("refusal:record:refused")] == ["UN-001"]


def test_a_wrong_password_signs_nothing_and_is_in_the_audit_trail(
    amara: Browser, actions: Actions, office: Any
) -> None:
    write(amara, "user_need", NEED)

    refused = submit(amara, "UN-001", "not my password")

    assert refused.status_code == 401
    assert "That is not your password" in words_of(refused.text)
    assert [one.subject for one in actions("refusal:record:unauthenticated")] == ["UN-001"]
    with office.reading() as session:
        record = office.record(session, "UN-001")
        assert session.get_one(Revision, record.latest_id).state == "draft"


def test_many_revisions_are_signed_with_one_password_or_none_is(
    amara: Browser, browser_of: Open, office: Any
) -> None:
    for title in ("One", "Two"):
        write(amara, "user_need", {**NEED, "title": title})
    for uid in ("UN-001", "UN-002"):
        submit(amara, uid)
    signer = browser_of("PPL-DM")
    page = signer.open("/p/RPM/sign").text
    chosen = [value.split('"', 1)[0] for value in page.split('name="chosen" value="')[1:]]
    assert len(chosen) == 2

    stale = [chosen[0], chosen[1].rsplit("/", 1)[0] + "/9.draft.0000"]
    refused = signer.send("/p/RPM/sign", chosen=stale, password=PASSWORD)
    assert refused.status_code == 409
    assert "UN-001" in signer.open("/p/RPM/sign").text, "nothing of the batch was signed"

    signer.send("/p/RPM/sign", chosen=chosen, password=PASSWORD)
    assert "Nothing waits for your signature" in words_of(signer.open("/p/RPM/sign").text)


def test_rejecting_needs_a_reason_and_leads_back_to_a_draft(
    amara: Browser, browser_of: Open
) -> None:
    write(amara, "user_need", NEED)
    submit(amara, "UN-001")
    dana = browser_of("PPL-DM")
    dana.open("/p/RPM/UN-001")
    assert dana.send("/p/RPM/UN-001/reject", reason=" ").status_code == 422

    dana.send("/p/RPM/UN-001/reject", reason="Say which numbers.")

    assert "draft revision 1" in words_of(amara.open("/p/RPM/UN-001").text)
    assert "Say which numbers." in words_of(amara.page.text)


def test_two_revisions_are_compared_word_by_word(
    need_and_requirement: Browser,
) -> None:
    browser = need_and_requirement
    browser.open("/p/RPM/REQ-001/edit")
    typed = {"field.acceptance": "At most 0.5 % of the volume."}
    browser.send("/p/RPM/REQ-001/edit", typed, action="save", reason="Wider.")

    page = browser.open("/p/RPM/REQ-001/compare").text

    assert "<del>0.4</del><ins>0.5</ins>" in page
    assert "Wider." in words_of(browser.open("/p/RPM/REQ-001/history").text)
    assert "0.4 %" in words_of(browser.open("/p/RPM/REQ-001/history/1").text)
    assert browser.open("/p/RPM/REQ-001/history/9").status_code == 404


def test_a_file_is_attached_and_comes_back_byte_for_byte(amara: Browser, actions: Actions) -> None:
    write(amara, "user_need", NEED)
    amara.open("/p/RPM/UN-001")
    token = dict(amara.form("/p/RPM/UN-001/files").fields)["csrf_token"]
    sent = ("../<b>note.txt", b"measured 0.31 %", "text/html")

    amara.client.post("/p/RPM/UN-001/files", data={"csrf_token": token}, files={"files": sent})

    page = amara.open("/p/RPM/UN-001").text
    assert "&lt;b&gt;note.txt" in page
    address = page.split("/p/RPM/UN-001/files/")[1].split('"')[0]
    answer = amara.client.get(f"/p/RPM/UN-001/files/{address}")
    assert answer.content == b"measured 0.31 %"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert actions("record:user_need:attach")[0].details["size"] == 15


def test_the_list_finds_by_words_and_exports_what_it_shows(need_and_requirement: Browser) -> None:
    browser = need_and_requirement
    assert "REQ-001" in browser.open("/p/RPM/records?q=closed form").text
    assert "No record fits." in words_of(browser.open("/p/RPM/records?q=100%").text)
    assert "UN-001" not in browser.open("/p/RPM/records?type=requirement").text

    table = browser.open("/p/RPM/records?type=requirement&format=csv").text

    assert [line.split(",")[0] for line in table.splitlines()[1:]] == ["REQ-001"]


def test_a_withdrawn_record_stays_readable_and_offers_nothing_more(amara: Browser) -> None:
    write(amara, "user_need", NEED)
    amara.open("/p/RPM/UN-001")
    amara.send("/p/RPM/UN-001/withdraw", reason="Nobody needs it.")

    page = amara.open("/p/RPM/UN-001")

    assert "Nobody needs it." in words_of(page.text)
    assert "/p/RPM/UN-001/edit" not in page.text
    assert amara.open("/p/RPM/UN-001/edit").status_code == 200
    assert amara.send("/p/RPM/UN-001/edit", title="x", action="save").status_code == 409


def test_a_viewer_reads_and_is_offered_no_change(
    need_and_requirement: Browser, browser_of: Open
) -> None:
    vera = browser_of("PPL-VW")

    page = vera.open("/p/RPM/REQ-001")

    assert page.status_code == 200
    assert '/p/RPM/REQ-001/edit"' not in page.text
    # Whoever reads may talk; nothing else is offered.
    offered = [one.action for one in forms_of(page.text) if one.action.startswith("/p/RPM")]
    assert set(offered) <= {"/p/RPM/REQ-001/threads", "/p/RPM/records"}
    assert vera.open("/p/RPM/new/requirement").status_code == 403


def test_a_link_tells_nothing_of_a_project_that_may_not_be_read(
    amara: Browser, office: Any
) -> None:
    with office.writing() as session:
        secret = create_project(session, "SECRET", "Not for everybody", None)
        by = replace(office.staff["PPL-AK"], roles={secret.id: frozenset({"author"})})
        create_record(session, secret, "user_need", Content("Hidden"), by, uid="UN-777")
    typed = {**REQUIREMENT, "link.derives_from.1.project": "SECRET"}

    amara.open("/p/RPM/new/requirement")
    answers = []
    for uid in ("UN-777", "UN-888"):
        typed["link.derives_from.1.target"] = uid
        refused = amara.send("/p/RPM/new/requirement", typed, action="save")
        answers.append((refused.status_code, words_of(refused.text).replace(uid, "UN-X")))

    assert answers[0] == answers[1]
    assert answers[0][0] == 422
