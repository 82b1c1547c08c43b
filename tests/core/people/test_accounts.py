"""An administrator gives a forgotten password, closes an account and opens it again."""

import pytest

from core.people.passwords import choose
from core.people.service import create_person, grant
from tests.core.conftest import PASSWORD, Browser, words_of

GIVEN = "written on a slip of paper"
OWN = "chosen when nobody looked"


@pytest.fixture
def admin(service, database) -> Browser:
    with database.writing() as session:
        person = create_person(session, "ada.lund", "PPL-ADMIN", "Ada Lund", choose(PASSWORD), None)
        grant(session, person, ["administrator"], None)
    browser = Browser(service)
    assert browser.sign_in("ada.lund").status_code == 200
    return browser


def test_given_password_signs_in_and_signs_nothing_until_another_is_chosen(
    admin, service, browser_of, actions
) -> None:
    before = browser_of("PPL-AK")
    admin.open("/people/PPL-AK")
    told = admin.send("/people/PPL-AK/password", password=GIVEN)
    assert "chooses another before signing anything" in words_of(told.text)
    assert before.open("/account").url.path == "/sign-in"

    amara = Browser(service)
    assert "The name or the password is wrong." in amara.sign_in("ppl-ak").text
    assert amara.sign_in("ppl-ak", GIVEN).status_code == 200
    assert "somebody else knows it" in words_of(amara.open("/account").text)

    amara.open("/p/RPM/new/user_need")
    draft = amara.send("/p/RPM/new/user_need", title="Need", body="A need.")
    submitted = amara.send(f"{draft.url.path}/submit", password=GIVEN)
    assert "Choose one of your own" in words_of(submitted.text)

    amara.open("/account")
    same = amara.send("/account/password", current=GIVEN, wanted=GIVEN, again=GIVEN)
    assert "is the one you were given" in words_of(same.text)
    amara.send("/account/password", current=GIVEN, wanted=OWN, again=OWN)
    assert amara.sign_in("ppl-ak", OWN).status_code == 200
    assert "somebody else knows it" not in words_of(amara.open("/account").text)
    assert [one.subject for one in actions("person:password:give")] == ["PPL-AK"]


def test_short_password_is_given_to_nobody(admin, actions) -> None:
    admin.open("/people/PPL-AK")

    answer = admin.send("/people/PPL-AK/password", password="short")

    assert answer.status_code == 422
    assert "has 5 characters" in words_of(answer.text)
    assert actions("person:password:give") == []


def test_closed_account_is_out_at_once_and_opens_again(admin, service, browser_of, actions) -> None:
    amara = browser_of("PPL-AK")
    admin.open("/people/PPL-AK")
    admin.send("/people/PPL-AK/close")

    assert amara.open("/account").url.path == "/sign-in"
    assert "The name or the password is wrong." in Browser(service).sign_in("ppl-ak").text

    admin.send("/people/PPL-AK/open")
    assert Browser(service).sign_in("ppl-ak").status_code == 200
    assert [one.subject for one in actions("person:account:")][-2:] == ["PPL-AK", "PPL-AK"]


def test_nobody_closes_their_own_account(admin) -> None:
    admin.open("/people/PPL-ADMIN")

    answer = admin.send("/people/PPL-ADMIN/close")

    assert answer.status_code == 403
    assert "ask another administrator" in words_of(answer.text)


@pytest.mark.parametrize("deed", ["password", "close", "open"])
def test_only_administrators_look_after_accounts(browser_of, deed) -> None:
    amara = browser_of("PPL-AK")
    assert amara.open("/people/PPL-EQ").status_code == 403
    amara.open("/account")
    [token] = [v for name, v in amara.form("/account/password").fields if name == "csrf_token"]

    answer = amara.client.post(
        f"/people/PPL-EQ/{deed}", data={"csrf_token": token, "password": GIVEN}
    )

    assert answer.status_code == 403
    assert "needs an administrator" in words_of(answer.text)
