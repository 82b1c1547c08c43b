"""Many links re-reviewed with one reason: what was read, all of it or none, each in the trail."""

import csv
import io
import re
from collections.abc import Callable

import pytest

from core.errors import Refused
from core.ledger.models import LedgerEntry
from core.records.content import Content, LinkDraft
from core.records.queries import load_doubts
from core.records.rereviewing.listing import lines_of
from core.records.rereviewing.service import review_many
from core.records.service import create_record
from tests.conftest import Office
from tests.core.conftest import Browser, words_of
from tests.core.records.test_lost_links import bring_into_force, change

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("all_trained"),
    pytest.mark.verifies("TST-007"),
]

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]

AT = "/p/RPM/re-review"
BEFORE, AFTER = "Numbers agree to 0.5 %.", "Numbers agree to 0.4 %."


def need(acceptance: str) -> Content:
    fields = {"stakeholder": "Physicist", "acceptance": acceptance, "priority": "must"}
    return Content("Trust the numbers", "Numbers are right.", fields)


def requirement(number: int) -> Content:
    fields = {"category": "functional", "acceptance": "It is seen."}
    return Content(f"Figure {number}", "It shall.", fields, (LinkDraft("derives_from", "UN-001"),))


@pytest.fixture
def doubtful(office: Office) -> Office:
    """Three requirements in force derive from a need that changed since."""
    author = office.staff["PPL-AK"]
    with office.writing() as session:
        create_record(session, office.project(session), "user_need", need(BEFORE), author)
        for number in (1, 2, 3):
            create_record(
                session, office.project(session), "requirement", requirement(number), author
            )
    for uid in ("UN-001", "REQ-001", "REQ-002", "REQ-003"):
        bring_into_force(office, uid)
    change(office, need(AFTER), "UN-001")
    return office


def choices(browser: Browser) -> list[str]:
    """Return what the boxes of the open page would send."""
    assert browser.page is not None
    return re.findall(r'name="chosen" value="([^"]+)"', browser.page.text)


def ticked(browser: Browser) -> list[str]:
    assert browser.page is not None
    return re.findall(r'name="chosen" value="([^"]+)"[^>]* checked', browser.page.text)


def in_doubt(office: Office) -> list[str]:
    with office.reading() as session:
        return [one.record.uid for one in load_doubts(session)[0]]


def test_page_tells_record_cause_distance_and_what_changed_in_words(
    doubtful: Office, browser_of: Open
) -> None:
    page = browser_of("PPL-AK").open(AT)

    said = words_of(page.text)
    assert "3 records over 3 links." in said
    assert "REQ-001 Figure 1 revision 1" in said
    assert "UN-001 Trust the numbers changed since the link “derives from”" in said
    assert "Numbers agree to <del>0.5</del><ins>0.4</ins> %." in page.text
    assert page.text.count('<td class="number">1</td>') == 3


def test_nothing_in_doubt_is_a_sentence(office: Office, browser_of: Open) -> None:
    said = words_of(browser_of("PPL-VW").open(AT).text)

    assert "Nothing in RT Plan Metrics needs re-review." in said


def test_everything_shown_is_ticked_without_scripts_and_the_reason_stays(
    doubtful: Office, browser_of: Open
) -> None:
    amara = browser_of("PPL-AK")
    amara.open(AT)
    assert ticked(amara) == []

    amara.send(f"{AT}?", reason="Covered.", act="tick")
    assert ticked(amara) == choices(amara)
    assert "Covered.</textarea>" in amara.page.text
    amara.send(f"{AT}?", chosen=choices(amara), act="untick")

    assert ticked(amara) == []
    assert len(in_doubt(doubtful)) == 3


def test_batch_clears_exactly_what_is_ticked_with_one_line_per_link(
    doubtful: Office, browser_of: Open, actions: Actions
) -> None:
    amara = browser_of("PPL-AK")
    amara.open(AT)

    done = amara.send(f"{AT}?", chosen=choices(amara)[:2], reason="Already below 0.4 %.")

    assert "Re-reviewed 2 links of REQ-001, REQ-002." in words_of(done.text)
    assert in_doubt(doubtful) == ["REQ-003"]
    lines = actions("record:requirement:review")
    assert [one.subject for one in lines] == ["REQ-001", "REQ-002"]
    for one in lines:
        assert one.details["reason"] == "Already below 0.4 %."
        assert one.details["against"] == [["RPM", "UN-001"]]
        assert one.details["link"] == "derives_from"


def test_reason_and_choice_are_both_asked_for_at_once(doubtful: Office, browser_of: Open) -> None:
    amara = browser_of("PPL-AK")
    amara.open(AT)

    refused = amara.send(f"{AT}?", reason=" ")

    assert refused.status_code == 422
    assert "Nothing is ticked." in words_of(refused.text)
    assert "is empty. Say why these still hold." in words_of(refused.text)


def test_what_somebody_else_cleared_is_named_and_the_rest_stays_ticked(
    doubtful: Office, browser_of: Open, actions: Actions
) -> None:
    amara, esther = browser_of("PPL-AK"), browser_of("PPL-EQ")
    amara.open(AT)
    esther.open(AT)
    chosen = choices(amara)
    esther.send(f"{AT}?", chosen=chosen[1:2], reason="Mine.")

    refused = amara.send(f"{AT}?", chosen=chosen, reason="Already below 0.4 %.")

    assert refused.status_code == 409
    said = words_of(refused.text)
    assert "one of the links changed after you opened the list" in said
    assert "REQ-002 : no longer needs re-review (derives from UN-001); Esther Quill" in said
    assert ticked(amara) == [chosen[0], chosen[2]]
    assert "Already below 0.4 %.</textarea>" in refused.text
    assert in_doubt(doubtful) == ["REQ-001", "REQ-003"]
    assert len(actions("refusal:page:overtaken")) == 1
    again = amara.send(f"{AT}?", chosen=ticked(amara), reason="Already below 0.4 %.")
    assert "Re-reviewed 2 links" in words_of(again.text)


def test_what_changed_again_is_named_and_has_to_be_read_again(
    doubtful: Office, browser_of: Open
) -> None:
    amara = browser_of("PPL-AK")
    amara.open(AT)
    chosen = choices(amara)
    change(doubtful, need("Numbers agree to 0.3 %."), "UN-001")

    refused = amara.send(f"{AT}?", chosen=chosen[:1], reason="Fine.")

    assert refused.status_code == 409
    assert "changed again since you read it (derives from UN-001)" in words_of(refused.text)
    assert ticked(amara) == []
    assert len(in_doubt(doubtful)) == 3


def test_who_may_not_re_review_one_has_no_box_and_is_refused_by_name(
    doubtful: Office, browser_of: Open, actions: Actions
) -> None:
    amara, vera = browser_of("PPL-AK"), browser_of("PPL-VW")
    amara.open(AT)
    page = vera.open(AT)
    assert choices(vera) == []
    assert "None of these is yours to re-review." in words_of(page.text)

    typed = {"chosen": choices(amara), "reason": "Fine."}
    sent = {"csrf_token": dict(vera.form(f"{AT}?").fields)["csrf_token"], **typed}
    refused = vera.client.post(AT, data=sent)

    assert refused.status_code == 403
    assert "Vera Wynn may not re-review REQ-001, REQ-002, REQ-003" in words_of(refused.text)
    assert len(in_doubt(doubtful)) == 3
    assert len(actions("refusal:page:refused")) == 1


def test_more_than_a_batch_is_refused_whole(doubtful: Office, browser_of: Open) -> None:
    amara = browser_of("PPL-AK")
    amara.open(AT)
    chosen = [f"REQ-001/derives_from/to/RPM/UN-001/{number}" for number in range(101)]

    refused = amara.send(f"{AT}?", chosen=chosen, reason="Fine.")

    assert refused.status_code == 422
    assert "101 links are ticked; at most 100 are taken at once." in words_of(refused.text)


def test_filters_leave_what_they_name_in_page_and_export(
    doubtful: Office, browser_of: Open
) -> None:
    vera = browser_of("PPL-VW")
    for query, left in (
        ("cause=RPM/UN-001", 3),
        ("type=requirement&role=derives_from", 3),
        ("cause=RPM/UN-002", 0),
        ("type=test", 0),
        ("role=verifies", 0),
    ):
        page = vera.open(f"{AT}?{query}")
        export = vera.open(f"{AT}/export/csv?{query}")

        assert page.text.count('<td class="number">1</td>') == left, query
        assert ("Nothing that needs re-review matches." in page.text) == (left == 0)
        rows = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
        assert [row["Record"] for row in rows] == ["REQ-001", "REQ-002", "REQ-003"][:left]
        for row in rows:
            assert row["What changed"] == f"Acceptance: was “{BEFORE}”, is “{AFTER}”"


def test_change_that_the_person_may_not_read_is_neither_shown_nor_re_reviewed(
    doubtful: Office,
) -> None:
    amara = doubtful.staff["PPL-AK"]
    with doubtful.reading() as session:
        project = doubtful.project(session)
        lines = lines_of(session, project, amara, [])
        chosen = [one.choice for one in lines_of(session, project, amara, ["RPM"])]

        assert [(one.shown, one.may_tick, one.changes) for one in lines] == [(False, False, [])] * 3
        with pytest.raises(Refused, match="REQ-001 here: UN-001 of RPM cannot be read"):
            review_many(session, project, amara, "Fine.", chosen[:1], [])
