"""An author hands many drafts to review at once: each is signed, or none is."""

import re
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from core.db import Database
from core.errors import Fault
from core.records import approval, waiting
from core.records.models import Project, Record, Revision
from core.records.submitting import routes
from tests.conftest import Office
from tests.core.conftest import PASSWORD, words_of
from tests.core.records.test_acts import NEED, PROBLEM, Actions, Open, state, write

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
    assert [one.subject for one in actions(":submit")] == ["UN-001", "UN-002"]
    assert "You have no draft to submit" in words_of(chidi.open("/p/RPM/submit").text)


def test_where_some_are_refused_none_is_submitted_and_every_fault_is_told(
    browser_of: Open, office: Office, actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(_session: Session, _project: Project, record: Record) -> list[Fault]:
        blamed = {"UN-002": "UN-009", "UN-003": "UN-003"}.get(record.uid, "")
        return [Fault("unfit", blamed, "is unfit.", "Replace it.")] if blamed else []

    monkeypatch.setattr(approval.ports, "submission", unfit)
    amara = browser_of("PPL-AK")
    for typed in (NEED, LACKING, LACKING):
        write(amara, "user_need", typed)
    with office.reading() as session:
        chosen = [f"UN-00{n}/{office.read(session, f'UN-00{n}')}" for n in (1, 2, 3)]

    listed = words_of(amara.open("/p/RPM/submit").text)
    refused = amara.send("/p/RPM/submit", chosen=chosen, password=PASSWORD)
    told = words_of(refused.text)

    assert refused.status_code == 422
    assert [state(office, f"UN-00{n}") for n in (1, 2, 3)] == ["draft"] * 3
    assert actions(":sign") == actions(":submit") == []
    # Where another record is to blame, the draft is named and so is the other.
    assert "UN-009: is unfit. Replace it." in listed
    assert "UN-002 : UN-009: is unfit. Replace it." in told
    assert "UN-003 : is unfit. Replace it." in told
    assert told.count("Acceptance is empty.") == 4  # of two drafts, in the list and above it


def test_a_list_that_is_not_what_was_read_is_refused_whole(
    browser_of: Open, office: Office
) -> None:
    amara = browser_of("PPL-AK")
    for typed in (NEED, LACKING):
        write(amara, "user_need", typed)
    [ready] = chosen_in(amara.open("/p/RPM/submit").text)
    _, _, token = ready.partition("/")

    forged = amara.send("/p/RPM/submit", chosen=[ready, f"UN-002/{token}"], password=PASSWORD)
    nothing = amara.send("/p/RPM/submit", password=PASSWORD)
    amara.open("/p/RPM/submit")
    wrong = amara.send("/p/RPM/submit", chosen=[ready], password="not mine")

    assert forged.status_code == 409
    assert [state(office, f"UN-00{n}") for n in (1, 2)] == ["draft"] * 2
    assert (nothing.status_code, "Nothing is ticked" in words_of(nothing.text)) == (422, True)
    assert wrong.status_code == 401
    assert "Nothing of this list was submitted" in words_of(wrong.text)


def test_ready_drafts_are_reached_behind_any_number_that_are_not(
    browser_of: Open, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(session: Session, project: Project, record: Record, revision: Revision) -> list[Fault]:
        looked.append(record.uid)
        return approval.lacking(session, project, record, revision)

    monkeypatch.setattr(waiting, "lacking", look)
    monkeypatch.setattr(routes, "PAGE_SIZE", 2)
    amara = browser_of("PPL-AK")
    for typed in (LACKING, LACKING, LACKING, NEED):
        write(amara, "user_need", typed)
    write(amara, "problem", PROBLEM)

    first = amara.open("/p/RPM/submit?type=user_need").text
    second = amara.open("/p/RPM/submit?type=user_need&page=2&ticked=true").text
    at = "/p/RPM/submit?type=user_need&page=2".replace("&", "&amp;")

    assert "0 of 2 on this page can be submitted" in words_of(first)
    assert f'href="{at}"' in first
    assert "1 of 2 on this page can be submitted" in words_of(second)
    assert "4 drafts · 3-4" in words_of(second)
    assert looked == ["UN-001", "UN-002", "UN-003", "UN-004"]
    [ready] = chosen_in(second)
    sent = amara.send(at.replace("&amp;", "&"), chosen=[ready], password=PASSWORD)
    assert "UN-004 is in review" in words_of(sent.text)
    assert state(office, "UN-004") == "in_review"
    # A page that there is no more is the last one.
    assert "3 drafts · 3-3" in words_of(amara.open("/p/RPM/submit?page=9").text)


def test_the_page_of_a_refusal_is_judged_where_no_writer_waits(
    browser_of: Open, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def judge(session: Session, *args: Any) -> Any:
        with office.writing() as another:
            another.execute(text("SELECT 1"))
        asked.append(Database.READS in session.info)
        return waiting.submittable(session, *args)

    amara = browser_of("PPL-AK")
    write(amara, "user_need", NEED)
    amara.open("/p/RPM/submit")
    monkeypatch.setattr(routes, "submittable", judge)

    refused = amara.send("/p/RPM/submit", chosen=["UN-001/x"], password=PASSWORD)

    assert refused.status_code == 409
    assert asked == [True]
