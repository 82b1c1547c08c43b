"""Runs by hand in the browser: the forms, who sees them, and what comes back refused."""

import io

import pytest

from tests.core.conftest import PASSWORD
from tests.validation.runs.test_routes import words_of

AT = "/p/RPM/runs/1"
TOLD = {"site": "Ward 3", "machine": "PC 12", "tools": "Firefox 128"}
BEGIN = {"test": "TST-003", "at": "release REL-0.1.0", **TOLD}


def post(bench, uid: str, path: str, files=None, **data: str):
    sent = {"csrf_token": f"csrf-{uid}", **data}
    return bench.department.browser(uid).post(path, data=sent, files=files)


def test_a_manual_test_is_executed_from_the_form_to_the_signature(bench) -> None:
    tester = bench.department.browser("PPL-FR")
    words = words_of(tester.get("/p/RPM/runs"))
    assert "Run a manual test by hand" in words
    form = tester.get("/p/RPM/runs/by-hand?test=TST-003")
    assert "as it is in force now, revision 1" in words_of(form)
    assert 'value="release REL-0.1.0"' in form.text
    assert 'value="tag v0.1.0"' in form.text

    begun = post(bench, "PPL-FR", "/p/RPM/runs/by-hand", **BEGIN)
    assert (begun.status_code, begun.headers["location"]) == (303, f"{AT}#steps")
    page = tester.get(AT)
    assert "hx-get" not in page.text  # nothing changes it but its tester
    assert "0 of 3 steps recorded, not signed yet" in words_of(page)
    assert "computed from it: 2 ± 0.02 Gy." in words_of(page)

    file = {"files": ("screen.png", io.BytesIO(b"a picture"), "image/png")}
    entry = {"observed": "Opened.", "outcome": "passed"}
    first = post(bench, "PPL-FR", f"{AT}/entries", file, step="1", **entry)
    assert (first.status_code, first.headers["location"]) == (303, f"{AT}#step-1")
    [[file]] = [one["data"]["attachments"] for one in tester.get(f"{AT}.json").json()["events"][1:]]
    assert tester.get(f"{AT}/files/{file['sha256']}").content == b"a picture"
    bench.record(1, 2, measured="2.5")
    bench.record(1, 3, outcome="passed")
    assert "failed measured 2.5 Gy, expected 2 ± 0.02 Gy." in words_of(tester.get(AT))

    signed = post(bench, "PPL-FR", f"{AT}/sign", password=PASSWORD)
    assert signed.status_code == 303
    words = words_of(bench.department.browser("PPL-VW").get(AT))
    assert "✗ failed 0 of 1 scenarios passed, 1 values measured, 1 out of bounds" in words
    assert "Signed as executed by Farid Rowe, validation tester" in words
    assert "Executed by hand at Ward 3" in words
    assert "Sign as executed" not in words


def test_a_refused_entry_comes_back_as_it_was_typed(bench) -> None:
    bench.begin()

    answer = post(bench, "PPL-FR", f"{AT}/entries", step="2", observed="I saw it.", measured="2,01")

    assert answer.status_code == 422
    assert 'value="2,01"' in answer.text
    assert "I saw it." in answer.text
    assert 'href="#measured-2"' in answer.text


def test_a_refused_beginning_comes_back_as_it_was_typed(bench) -> None:
    answer = post(bench, "PPL-FR", "/p/RPM/runs/by-hand", **{**BEGIN, "site": "", "at": "tag v9"})

    assert answer.status_code == 422
    assert "v9 : is a tag that no repository of RPM has." in words_of(answer)
    assert 'href="#site"' in answer.text
    assert 'value="PC 12"' in answer.text


def test_a_wrong_password_signs_nothing_and_the_page_says_so(bench) -> None:
    bench.begin()
    bench.record_all(1)

    answer = post(bench, "PPL-FR", f"{AT}/sign", password="not this one")

    assert answer.status_code == 401
    assert "That is not your password; nothing was signed." in words_of(answer)
    assert "3 of 3 steps recorded, not signed yet" in words_of(answer)


@pytest.mark.parametrize("uid", ["PPL-AK", "PPL-VW"])
def test_who_may_not_execute_reads_and_sends_nothing(bench, uid: str) -> None:
    bench.begin()
    browser = bench.department.browser(uid)

    words = words_of(browser.get(AT))

    assert "0 of 3 steps recorded" in words
    assert "Record step" not in words
    assert "Begin the run" not in browser.get("/p/RPM/runs/by-hand?test=TST-003").text
    for path, sent in (
        ("/p/RPM/runs/by-hand", BEGIN),
        (f"{AT}/entries", {"step": "1", "observed": "a", "outcome": "passed"}),
        (f"{AT}/sign", {"password": PASSWORD}),
        (f"{AT}/give-up", {"reason": "a"}),
    ):
        assert post(bench, uid, path, **sent).status_code == 403


def test_a_run_is_given_up_with_a_reason_that_stays(bench) -> None:
    bench.begin()

    refused = post(bench, "PPL-FR", f"{AT}/give-up", reason=" ")
    given_up = post(bench, "PPL-EQ", f"{AT}/give-up", reason="Its tester left.")

    assert (refused.status_code, given_up.status_code) == (422, 303)
    words = words_of(bench.department.browser("PPL-VW").get(AT))
    assert "given up Its tester left. 0 of 3 steps were recorded." in words
    assert "0 of 3 steps recorded, given up" in words
    assert "Record step" not in words


def test_a_revised_test_is_told_and_no_form_is_left(bench) -> None:
    bench.begin()
    bench.revise()

    words = words_of(bench.department.browser("PPL-FR").get(AT))

    assert "TST-003 was revised (revision 2 is in force) while run 1" in words
    assert "Record step" not in words
    assert "Give the run up" in words


def test_no_program_executes_by_hand(bench) -> None:
    browser = bench.department.browser("PPL-FR")
    browser.cookies.clear()

    answer = browser.post(
        f"{AT}/entries", data={"step": "1"}, headers={"authorization": "Bearer abc"}
    )

    assert answer.status_code == 401
