"""An author hands many drafts to review at once: each is signed, or none is."""

import re

from tests.conftest import Office
from tests.core.conftest import PASSWORD, words_of
from tests.core.records.test_acts import NEED, Actions, Open, state, write

LACKING = {"title": "Not thought through"}


def chosen_in(html: str) -> list[str]:
    return re.findall(r'name="chosen" value="([^"]+)"', html)


def test_what_is_ready_is_submitted_with_one_password_and_what_is_not_says_why(
    browser_of: Open, office: Office, actions: Actions
) -> None:
    amara, chidi = browser_of("PPL-AK"), browser_of("PPL-CV")
    for typed in (NEED, NEED, LACKING):
        write(amara, "user_need", typed)

    listed = amara.open("/p/RPM/submit?type=user_need&ticked=true").text
    chosen = chosen_in(listed)
    told = words_of(
        amara.send("/p/RPM/submit?type=user_need", chosen=chosen, password=PASSWORD).text
    )

    assert len(chosen) == listed.count(" checked>") == 2
    assert "2 of 3 can be submitted" in words_of(listed)
    assert "UN-001, UN-002 are in review" in told
    assert [state(office, f"UN-00{n}") for n in (1, 2, 3)] == ["in_review", "in_review", "draft"]
    assert [one.subject for one in actions(":sign")] == ["UN-001", "UN-002"]
    assert "You have no draft to submit" in words_of(chidi.open("/p/RPM/submit").text)


def test_where_one_is_refused_none_is_submitted_and_every_fault_is_told(
    browser_of: Open, office: Office
) -> None:
    amara = browser_of("PPL-AK")
    for typed in (NEED, LACKING, LACKING):
        write(amara, "user_need", typed)
    [ready] = chosen_in(amara.open("/p/RPM/submit").text)
    _, _, token = ready.partition("/")

    forged = [ready, f"UN-002/{token}", "UN-003/x"]
    refused = amara.send("/p/RPM/submit", chosen=forged, password=PASSWORD)
    nothing = amara.send("/p/RPM/submit", password=PASSWORD)
    amara.open("/p/RPM/submit")
    wrong = amara.send("/p/RPM/submit", chosen=[ready], password="not mine")

    assert refused.status_code == 409
    assert [state(office, f"UN-00{n}") for n in (1, 2, 3)] == ["draft"] * 3
    assert (nothing.status_code, "Nothing is ticked" in words_of(nothing.text)) == (422, True)
    assert wrong.status_code == 401
    assert "Nothing of this list was submitted" in words_of(wrong.text)
