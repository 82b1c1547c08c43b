"""Acts on a record's page: each says what was read, and a decision asks for the password."""

import re
from collections.abc import Callable

import pytest

from core.clock import now
from core.ledger.models import LedgerEntry
from core.records.service import latest_revision
from tests.conftest import Office
from tests.core.conftest import PASSWORD, Browser, words_of

pytestmark = pytest.mark.verifies("TST-002")

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]

NEED = {
    "title": "Trust the numbers",
    "body": "Numbers are right.",
    "field.stakeholder": "Physicist",
    "field.acceptance": "Numbers agree.",
}
PROBLEM = {
    "title": "Dose doubled",
    "body": "Every Dmean is doubled.",
    "field.found_in": "0.1.0",
    "field.severity": "critical",
}


def write(browser: Browser, type_name: str, typed: dict[str, str]) -> None:
    path = f"/p/RPM/new/{type_name}"
    browser.open(path)
    assert browser.send(path, typed, action="save").status_code == 200


def submit(browser: Browser, uid: str = "UN-001") -> None:
    browser.open(f"/p/RPM/{uid}")
    assert browser.send(f"/p/RPM/{uid}/submit", password=PASSWORD).status_code == 200


def state(office: Office, uid: str) -> str:
    with office.reading() as session:
        return latest_revision(session, office.record(session, uid)).state


def test_every_act_is_refused_and_audited_where_the_form_does_not_say_what_was_read(
    browser_of: Open, office: Office, actions: Actions
) -> None:
    amara, dana, esther = browser_of("PPL-AK"), browser_of("PPL-DM"), browser_of("PPL-EQ")
    write(amara, "user_need", NEED)
    write(amara, "problem", PROBLEM)
    attempts = [
        (amara, "UN-001", "submit", {"password": PASSWORD}),
        (amara, "UN-001", "withdraw", {"reason": "No."}),
        (amara, "PR-001", "move", {"to": "assessed", "reason": "Seen."}),
        (esther, "PR-001", "decide", {"to": "rejected", "reason": "No.", "password": PASSWORD}),
    ]
    for browser, uid, act, typed in attempts:
        browser.open(f"/p/RPM/{uid}")
        refused = browser.send(f"/p/RPM/{uid}/{act}", typed, expected="")
        assert (refused.status_code, act) == (403, act)
        assert "does not say which revision was read" in words_of(refused.text)
    submit(amara)
    for act, typed in (
        ("sign", {"password": PASSWORD}),
        ("reject", {"reason": "Say which numbers."}),
    ):
        dana.open("/p/RPM/UN-001")
        refused = dana.send(f"/p/RPM/UN-001/{act}", typed, expected="")
        assert (refused.status_code, act) == (403, act)

    assert state(office, "UN-001") == "in_review"
    assert state(office, "PR-001") == "open"
    told = [one.subject for one in actions("refusal:record:refused")]
    assert told == ["UN-001", "UN-001", "PR-001", "PR-001", "UN-001", "UN-001"]


def test_the_batch_signs_nothing_that_does_not_say_what_was_read(
    browser_of: Open, office: Office
) -> None:
    amara, dana = browser_of("PPL-AK"), browser_of("PPL-DM")
    write(amara, "user_need", NEED)
    submit(amara)
    dana.open("/p/RPM/sign")

    chosen = ["UN-001/approved/clinical_lead/"]
    refused = dana.send("/p/RPM/sign", chosen=chosen, password=PASSWORD)

    assert refused.status_code == 403
    assert state(office, "UN-001") == "in_review"


COMPLAINT = {
    "title": "Wrong dose",
    "body": "Twice what was planned.",
    "field.source": "physicist",
    "field.received_on": "2026-06-01",
    "field.patient_effect": "death",
    "link.about.1.target": "PRJ-001",
}


def test_a_reader_raises_a_complaint_and_its_page_says_until_when_and_what_lacks(
    browser_of: Open,
) -> None:
    amara, vera = browser_of("PPL-AK"), browser_of("PPL-VW")
    write(amara, "project", {"title": "RT Plan Metrics"})
    assert "Nonconformity" in words_of(vera.open("/p/RPM/new").text)
    form = words_of(vera.open("/p/RPM/new/complaint").text)
    assert "death 10, severe harm 10, other 15" in form
    write(vera, "complaint", COMPLAINT)

    page = words_of(vera.open("/p/RPM/CMP-001").text)
    assert "Nobody has decided yet; a report is due by 2026-06-11" in page
    assert "To be assessed There is no link 'answered for by'." in page
    listed = words_of(amara.open("/p/RPM/records?type=complaint").text)
    assert "Effect on patients Reportable Answered for by" in listed
    assert "New action that arises from this" in words_of(amara.open("/p/RPM/CMP-001").text)


def test_an_issue_is_worked_on_by_its_authors_and_decided_on_by_signature(
    browser_of: Open, office: Office
) -> None:
    amara, esther = browser_of("PPL-AK"), browser_of("PPL-EQ")
    write(amara, "problem", PROBLEM)
    page = amara.open("/p/RPM/PR-001").text
    assert "signed by the quality manager or top management, never by whoever wrote it" in words_of(
        page
    )
    assert 'action="/p/RPM/PR-001/decide"' not in page
    assert '<option value="rejected">' not in page

    esther.open("/p/RPM/PR-001")
    typed = {"to": "rejected", "reason": "Read wrongly."}
    wrong = esther.send("/p/RPM/PR-001/decide", typed, password="not it")
    assert wrong.status_code == 401
    assert "Read wrongly." in wrong.text
    assert '<option value="rejected" selected>' in wrong.text
    done = esther.send("/p/RPM/PR-001/decide", typed, password=PASSWORD)
    assert "PR-001 is rejected now, with your signature." in words_of(done.text)
    assert "Rejected: Read wrongly." in words_of(esther.open("/p/RPM/PR-001").text)

    page = amara.open("/p/RPM/PR-001").text
    assert "/p/RPM/PR-001/edit" not in page
    refused = amara.open("/p/RPM/PR-001/edit")
    assert refused.status_code == 200
    refused = amara.send("/p/RPM/PR-001/edit", title="Nothing", action="save")
    assert refused.status_code == 409
    assert "reopen it first, with the reason" in words_of(refused.text)
    amara.open("/p/RPM/PR-001")
    amara.send("/p/RPM/PR-001/move", to="open", reason="Seen again.")
    assert "PR-001 is open now." in words_of(amara.page.text)
    assert "Reopened: Seen again." in words_of(amara.page.text)
    assert state(office, "PR-001") == "open"


def test_what_is_in_force_is_withdrawn_with_the_password_of_who_approves(
    browser_of: Open, office: Office
) -> None:
    amara, dana = browser_of("PPL-AK"), browser_of("PPL-DM")
    write(amara, "user_need", NEED)
    submit(amara)
    dana.open("/p/RPM/UN-001")
    assert dana.send("/p/RPM/UN-001/sign", password=PASSWORD).status_code == 200
    assert 'action="/p/RPM/UN-001/withdraw"' not in amara.open("/p/RPM/UN-001").text

    dana.open("/p/RPM/UN-001")
    refused = dana.send("/p/RPM/UN-001/withdraw", reason="Said twice.", password="not it")
    assert refused.status_code == 401
    done = dana.send("/p/RPM/UN-001/withdraw", reason="Said twice.", password=PASSWORD)

    assert "UN-001 is withdrawn." in words_of(done.text)
    assert "Said twice." in words_of(dana.open("/p/RPM/UN-001").text)


@pytest.fixture
def doubted(browser_of: Open) -> Browser:
    """REQ-001 in force derives from UN-001, which changed since; the author's browser."""
    amara = browser_of("PPL-AK")
    signers = [browser_of(one) for one in ("PPL-CV", "PPL-DM", "PPL-EQ")]

    def bring_into_force(uid: str) -> None:
        submit(amara, uid)
        for browser in signers:
            if f'action="/p/RPM/{uid}/sign"' in browser.open(f"/p/RPM/{uid}").text:
                browser.send(f"/p/RPM/{uid}/sign", password=PASSWORD)

    write(amara, "user_need", NEED)
    bring_into_force("UN-001")
    requirement = {
        "title": "Metrics are exact",
        "body": "They agree.",
        "field.category": "functional",
        "field.acceptance": "0.4 %",
        "link.derives_from.1.target": "UN-001",
    }
    write(amara, "requirement", requirement)
    bring_into_force("REQ-001")
    for title in ("Trust every number", "Trust each number"):
        amara.open("/p/RPM/UN-001/edit")
        amara.send("/p/RPM/UN-001/edit", title=title, action="save")
        bring_into_force("UN-001")
        if title == "Trust every number":
            amara.seen_before = amara.open("/p/RPM/REQ-001")  # type: ignore[attr-defined]
    return amara


def test_a_re_review_is_of_the_changes_that_were_shown(doubted: Browser) -> None:
    """The page was open while the need changed once more."""
    here = "/p/RPM/REQ-001/review"
    doubted.page = doubted.seen_before  # type: ignore[attr-defined]

    stale = doubted.send(here, reason="Still exact.")
    assert stale.status_code == 409
    assert "what it relies on changed again: UN-001" in words_of(stale.text)
    missing = doubted.send(here, reason="Still exact.", expected="")
    assert missing.status_code == 403

    done = doubted.send(here, reason="Still exact.")
    assert "is re-reviewed against UN-001" in words_of(done.text)


def test_who_approves_a_revision_says_whether_it_answers_what_made_it_necessary(
    doubted: Browser, browser_of: Open, actions: Actions
) -> None:
    chidi, esther = browser_of("PPL-CV"), browser_of("PPL-EQ")
    for title in ("Every metric is exact", "Each metric is exact"):
        doubted.open("/p/RPM/REQ-001/edit")
        doubted.send("/p/RPM/REQ-001/edit", title=title, action="save")
        submit(doubted, "REQ-001")
        assert 'name="answers"' not in chidi.open("/p/RPM/REQ-001").text
        chidi.send("/p/RPM/REQ-001/sign", password=PASSWORD)
        page = esther.open("/p/RPM/REQ-001").text
        assert "answers what made this record need re-review: UN-001" in words_of(page)
        [box] = re.findall(r'name="answers" type="checkbox" value="([^"]+)"', page)
        typed = {"answers": box} if title.startswith("Each") else {}
        told = words_of(esther.send("/p/RPM/REQ-001/sign", typed, password=PASSWORD).text)
        unsaid = "in force now. It still needs re-review against UN-001." in told
        assert unsaid is not bool(typed), told

    assert "it is in force now and answers UN-001." in told
    assert 'id="review"' not in doubted.open("/p/RPM/REQ-001").text
    kept = actions("record:requirement:review")[-1].details
    assert kept["reason"] == "Revision 3 answers it."


def test_the_person_trained_and_who_confirms_it_sign_a_training_on_its_page(
    browser_of: Open, office: Office
) -> None:
    amara, farid, esther = browser_of("PPL-AK"), browser_of("PPL-FR"), browser_of("PPL-EQ")
    person = {"title": "Farid Rowe", "uid": "PPL-FR", "field.roles": "tester"}
    write(amara, "person", person)
    write(amara, "document", {"title": "Plan", "field.kind": "plan"})
    submit(amara, "DOC-001")
    esther.open("/p/RPM/DOC-001")
    esther.send("/p/RPM/DOC-001/sign", password=PASSWORD)
    training = {
        "title": "Executing runs",
        "field.outcome": "complete",
        "field.done": now().date().isoformat(),
        "link.person.1.target": "PPL-FR",
        "link.covers.1.target": "DOC-001",
        "link.covers.1.attr.revision": "1",
    }
    early = {**training, "field.done": "2020-01-01"}
    amara.open("/p/RPM/new/training")
    refused = amara.send("/p/RPM/new/training", early, action="save")
    assert refused.status_code == 422
    assert "was done on 2020-01-01, before revision 1 of DOC-001" in words_of(refused.text)
    write(amara, "training", training)

    waits = words_of(amara.open("/p/RPM/TRN-001").text)
    assert "Revision 1 waits to be signed by PPL-FR, whom it is about." in waits
    assert 'action="/p/RPM/TRN-001/sign"' not in esther.open("/p/RPM/TRN-001").text
    assert "TRN-001" in farid.open("/p/RPM/sign").text
    farid.open("/p/RPM/TRN-001")
    attended = farid.send("/p/RPM/TRN-001/sign", password=PASSWORD)
    assert "TRN-001 revision 1 is signed as attended." in words_of(attended.text)
    esther.open("/p/RPM/TRN-001")
    approved = esther.send("/p/RPM/TRN-001/sign", password=PASSWORD)

    said = words_of(approved.text)
    assert "TRN-001 revision 1 is signed as approved." in said
    assert "trainee: attended" in said
    assert "waits to be" not in said
