"""The rule that turns due dates and results into one word, and who may be asked at all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import Invalid
from dataflows.qatrack.addresses import check_allowed, parse_address
from dataflows.qatrack.standing import (
    Due,
    Item,
    Key,
    Kind,
    Result,
    Shelf,
    Source,
    State,
    due_status,
    is_effective,
    result_of,
    standing,
    state_of,
    worst_first,
)

LONDON, SYDNEY = ZoneInfo("Europe/London"), ZoneInfo("Australia/Sydney")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "window", "due"),
    [
        (-1, 7, Due.NOT_DUE),
        (0, 7, Due.DUE),
        (6, 7, Due.DUE),
        (7, 7, Due.OVERDUE),
        (0, 0, Due.OVERDUE),  # as QATrack+ has it: a daily test is overdue on its own day
        (0, None, Due.DUE),
        (1, None, Due.OVERDUE),
    ],
)
def test_days_from_due_to_overdue_are_those_of_the_frequency(
    days: int, window: int | None, due: Due
) -> None:
    assert due_status(NOON - timedelta(days=days), window, NOON, LONDON) is due


def test_the_day_is_the_server_s_own() -> None:
    """At 13:30 UTC of the 21st it is already the 22nd in Sydney, and not yet in London."""
    at = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
    due = datetime(2026, 11, 22, 9, tzinfo=SYDNEY)

    assert due_status(due, 7, at, SYDNEY) is Due.DUE
    assert due_status(datetime(2026, 11, 22, 9, tzinfo=LONDON), 7, at, LONDON) is Due.NOT_DUE


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        (["ok", "ok"], Result.PASSED),
        (["ok", "no_tol"], Result.PASSED),
        (["no_tol"], Result.UNJUDGED),
        (["ok", "tolerance"], Result.TOLERANCE),
        (["tolerance", "not_done"], Result.INCOMPLETE),
        ([], Result.INCOMPLETE),
        (["not_done", "action"], Result.FAILED),
    ],
)
def test_the_worst_test_decides_what_a_list_says(outcomes: Sequence[str], result: Result) -> None:
    assert result_of(outcomes, rejected=False) is result
    assert result_of(outcomes, rejected=True) is Result.REJECTED


def test_green_is_only_what_is_known_to_be_done_and_not_due() -> None:
    green = {(due, result) for due in Due for result in Result if state_of(due, result) is State.OK}

    assert green == {
        (Due.NOT_DUE, result) for result in (Result.PASSED, Result.TOLERANCE, Result.UNJUDGED)
    }


def test_what_is_known_to_be_bad_is_not_hidden_by_a_doubt() -> None:
    assert state_of(Due.OVERDUE, Result.UNREAD) is State.OVERDUE
    assert state_of(Due.NOT_DUE, Result.UNREAD) is State.UNKNOWN
    assert state_of(Due.OVERDUE, Result.FAILED) is State.FAILING


def test_a_control_works_only_where_its_test_was_done_and_is_in_time() -> None:
    done = (Result.PASSED,)

    told = {state: is_effective(state, done) for state in State}

    assert {state for state, works in told.items() if works is False} == {
        State.OVERDUE, State.FAILING,
    }  # fmt: skip
    assert {state for state, works in told.items() if works is None} == {
        State.UNKNOWN, State.INCOMPLETE,
    }  # fmt: skip
    assert is_effective(State.NOT_PERFORMED, (Result.NEVER,)) is None
    assert is_effective(State.NO_DUE_DATE, (Result.NEVER,)) is None
    assert is_effective(State.NO_DUE_DATE, done) is True


def test_nobody_can_say_of_what_is_not_scheduled_or_not_judged() -> None:
    """A monthly test without a due date may have passed three years ago."""
    done = (Result.PASSED,)

    assert is_effective(State.NO_DUE_DATE, done, periodic=True) is None
    assert is_effective(State.OK, done, periodic=True) is True
    assert is_effective(State.OK, (Result.UNJUDGED,)) is None
    assert is_effective(State.OVERDUE, (Result.UNJUDGED,), periodic=True) is False


def shelf(**told: object) -> tuple[Shelf, Key]:
    """Return a shelf with one list on one unit, and the key of the list."""
    row = {
        "tests": ["testlist", "one"], "unit": 1, "unit_name": "A", "frequency": "monthly",
        "frequency_name": "Monthly", "window_end": 7, "active": True, "due": None,
        "last": {"number": 1, "result": "passed", "completed": None, "reviewed": True}, **told,
    }  # fmt: skip
    one, on_unit = Key(Kind.LIST, "one"), Key(Kind.UTC, "1/testlist/monthly/one")
    source = Source("main", "https://qa.example.org", LONDON, NOON, NOON)
    return Shelf(source, {one: Item(one, 1, "One"), on_unit: Item(on_unit, 2, "One", row)}), one


def test_what_is_switched_off_or_on_no_unit_is_not_in_order() -> None:
    off, key = shelf(active=False)
    on_unit = Key(Kind.UTC, "1/testlist/monthly/one")

    assert "assigned to no unit" in standing(off, key, NOON).reason
    assert "switched off" in standing(off, on_unit, NOON).reason
    assert {standing(off, one, NOON).state for one in (key, on_unit)} == {State.UNKNOWN}


def test_the_worst_procedures_come_first() -> None:
    late, key = shelf(due="2026-11-01T00:00:00+00:00")
    fine, _ = shelf(due="2026-12-24T00:00:00+00:00")
    gone = standing(fine, Key(Kind.LIST, "gone"), NOON)
    told = {"QA-2": standing(fine, key, NOON), "QA-10": standing(late, key, NOON), "QA-9": gone}

    assert [uid for uid, _ in worst_first(told)] == ["QA-10", "QA-9", "QA-2"]
    assert gone.words == "unknown since 2026-11-21 12:00 UTC"


@pytest.mark.parametrize(
    "text",
    [
        "", "qa.example.org", "ftp://qa.example.org", "file:///etc/passwd", "https://",
        "https://user:secret@qa.example.org", "https://qa.example.org/?x=1",
        "https://qa.example.org/#a", "https://qa.example.org/../admin",
        "https://qa.example.org:0", "https://qa.example.org:99999", "https://qa.ex\nample.org",
        "https://[::1", "https://qa.example.org/a b", "https://é.example.org", "x" * 600,
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_address(text)

    assert refused.value.faults[0].code == "QAT01"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://qa.example.org", True),
        ("https://qa.example.org/physics", True),
        ("https://qa.example.org.evil.net", False),
        ("https://qa.example.org:8443", False),
        ("http://qa.example.org", False),
        ("http://127.0.0.1:8000/x", True),
        ("http://127.0.0.1:8001", False),
        ("https://other.example.org/one", True),
        ("https://other.example.org/onetwo", False),
    ],
)
def test_only_the_servers_that_are_allowed_are_asked(address: str, allowed: bool) -> None:
    setting = ["https://qa.example.org/", "http://127.0.0.1:8000", "nonsense",
               "https://other.example.org/one"]  # fmt: skip

    if allowed:
        check_allowed(parse_address(address), setting)
        return
    with pytest.raises(Invalid) as refused:
        check_allowed(parse_address(address), setting)
    assert "FIDUCIAL_QATRACK_SERVERS" in refused.value.faults[0].mend
