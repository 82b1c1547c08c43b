"""A number in an address that no database could hold names nothing, and breaks nothing."""

import pytest

from core.records.content import Content
from core.records.service import create_record

TOO_LARGE = "99999999999999999999"


@pytest.mark.parametrize(
    "address",
    [
        "/p/RPM/runs/{}",
        "/p/RPM/UN-001/history/{}",
        "/p/RPM/UN-001/files/{}",
    ],
)
@pytest.mark.parametrize("number", [TOO_LARGE, "-1", "0", "one"])
def test_number_that_names_nothing_is_no_page(office, browser_of, address, number) -> None:
    with office.writing() as session:
        content = Content("Need", "A need.")
        create_record(
            session, office.project(session), "user_need", content, office.staff["PPL-AK"]
        )

    answer = browser_of("PPL-AK").open(address.format(number))

    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_numbers_to_compare_that_no_database_holds_are_refused(office, browser_of) -> None:
    with office.writing() as session:
        content = Content("Need", "A need.")
        create_record(
            session, office.project(session), "user_need", content, office.staff["PPL-AK"]
        )

    answer = browser_of("PPL-AK").open(f"/p/RPM/UN-001/compare?old={TOO_LARGE}")

    assert answer.status_code == 422
