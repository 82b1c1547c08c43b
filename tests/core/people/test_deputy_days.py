"""Which days a deputy may be named for, by the calendar alone."""

from datetime import date

import pytest

from core.people.deputies.rules import Term, read_term


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        ("2026-12-01", "2026-12-01", []),
        ("2026-11-30", "2026-12-05", ["past"]),
        ("2026-12-05", "2026-12-04", ["order"]),
        ("2026-12-05", "2027-12-04", []),
        ("2026-12-05", "2027-12-05", ["long"]),
        ("2027-12-01", "2027-12-02", ["far"]),
        ("2027-11-30", "2028-11-29", []),
        ("5 December", "2026-13-01", ["day", "day"]),
        ("9999-12-31", "9999-12-31", ["far"]),
        ("2026-11-01", "2026-10-01", ["past", "order"]),
    ],
)
def test_days_begin_today_or_later_and_last_at_most_a_year(
    first: str, last: str, codes: list[str]
) -> None:
    term, faults = read_term(first, last, date(2026, 12, 1))

    assert [one.code for one in faults] == codes
    assert (term is None) is bool(codes)


def test_the_29th_of_february_has_a_year_too() -> None:
    assert read_term("2028-02-29", "2029-02-28", date(2028, 1, 1))[1] == []
    assert read_term("2028-02-29", "2029-03-01", date(2028, 1, 1))[1] != []


def test_terms_meet_on_a_shared_day() -> None:
    week = Term(date(2026, 12, 7), date(2026, 12, 11))

    assert week.overlaps(Term(date(2026, 12, 11), date(2026, 12, 11)))
    assert not week.overlaps(Term(date(2026, 12, 12), date(2026, 12, 13)))
    assert [week.standing(date(2026, 12, day)) for day in (6, 7, 11, 12)] == [
        "coming", "current", "current", "past",
    ]  # fmt: skip
