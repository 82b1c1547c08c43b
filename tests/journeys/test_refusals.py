"""What is refused says so on the page, keeps what was typed, and stands in the audit trail.

Buttons that would be refused are not offered, so each act is reached as a person still could:
from a form that was open before, by typing an address, or by bending a form with the browser's
own tools. Each test says which.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.journeys.deeds import (
    look,
    open_form,
    open_record,
    press,
    refused,
    save_draft,
    sign,
    submit,
    told,
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FIRST_PASSWORD = "a sentence to begin with"


def reword(page: Page, uid: str, add: str) -> None:
    """Open the form of a record and write a sentence under its text."""
    open_form(page, uid)
    text = page.locator("#body")
    text.fill(f"{text.input_value()}\n\n{add}")


def put_in_review(page: Page, uid: str, add: str, password: str) -> None:
    """Change a record's text and hand it to review."""
    reword(page, uid, add)
    save_draft(page)
    submit(page, password)
    assert told(page).endswith("is in review.")


def trail_of_refusals(desk: Desk, page: Page, who: str, about: str) -> str:
    """Read the newest refusal of a person in the audit trail, found with its filters."""
    page.get_by_role("link", name="Audit trail").first.click()
    page.get_by_label("About").fill(about)
    page.get_by_label("What").fill("refusal")
    page.get_by_label("Who").fill(who)
    press(page, page.get_by_role("button", name="Show", exact=True))
    look(desk, page)
    return page.get_by_role("table", name="Audit trail").locator("tbody tr").first.inner_text()


def create_account(desk: Desk, page: Page, name: str, username: str, uid: str) -> None:
    """Create an account on the page of people, as the administrator."""
    page.goto("/people")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Signs in as").fill(username)
    page.get_by_label("Uid").fill(uid)
    page.get_by_label("First password").fill(FIRST_PASSWORD)
    press(page, page.get_by_role("button", name="Create the account"))
    assert told(page).startswith(f"{name} has an account now.")
    look(desk, page)


def grant(page: Page, name: str, role: str, project: str) -> None:
    """Grant a role in one project on the page of people."""
    page.goto("/people")
    page.get_by_label(f"Role for {name}").select_option(label=role)
    page.get_by_label(f"Where {name} holds it").select_option(label=project)
    press(page, page.get_by_role("button", name=f"Grant the role to {name}"))
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text(f"{role} {project}")


@pytest.fixture(scope="module")
def esther(desk: Desk) -> Page:
    """The quality manager, who may read the audit trail of her project."""
    page = desk.person("esther.quill")
    page.goto("/p/RPM/records")
    return page


@pytest.fixture(scope="module")
def amara(desk: Desk) -> Page:
    return desk.person("amara.kole")


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Page:
    return desk.person("admin")


def test_nobody_approves_a_revision_of_their_own(desk: Desk, amara: Page, esther: Page) -> None:
    """Dana bends the form of another record, which she may sign, to go to her own."""
    dana = desk.person("dana.moss")
    put_in_review(amara, "UN-001", "Ten plans a day are usual.", desk.password)
    dana.goto("/p/RPM/new/user_need")
    look(desk, dana)
    dana.get_by_label("Title").fill("Read the figures aloud")
    dana.get_by_label("Need", exact=True).fill("The physicist needs figures that can be said.")
    dana.get_by_label("Stakeholder").fill("clinical lead")
    dana.get_by_label("Acceptance").fill("each figure has a unit in words")
    save_draft(dana)
    uid = told(dana).split()[0]
    submit(dana, desk.password)
    expect(dana.locator("#sign")).to_have_count(0)
    expect(dana.locator("main")).to_contain_text("waits to be approved by")

    what_was_read = dana.locator("form[action$='/reject'] [name=expected]").input_value()
    open_record(dana, "UN-001")
    dana.locator("#sign").evaluate(
        "(form, [to, read]) => { form.action = to; form.expected.value = read; }",
        [f"/p/RPM/{uid}/sign", what_was_read],
    )
    sign(dana, "approved", desk.password)
    look(desk, dana)

    sentence = f"Dr Dana Moss wrote revision 1 of {uid} and may not sign it as approved"
    assert sentence in refused(dana)
    expect(dana.locator(".title-line")).to_contain_text("in review")
    entry = trail_of_refusals(desk, esther, "Dana Moss", uid)
    assert "refusal:record:refused" in entry
    assert sentence in entry


def test_nobody_signs_without_the_role(desk: Desk, amara: Page, admin: Page, esther: Page) -> None:
    """Dana's form was open when the administrator took one of her roles away."""
    dana = desk.person("dana.moss")
    put_in_review(amara, "UN-002", "Limits are agreed once a year.", desk.password)
    open_record(dana, "UN-002")

    admin.goto("/people")
    look(desk, admin)
    press(admin, admin.get_by_role("button", name="Revoke clinical lead of Dr Dana Moss in RPM"))
    sign(dana, "approved", desk.password)
    look(desk, dana)

    sentence = "Dr Dana Moss may not sign UN-002 as approved in the role clinical lead"
    assert sentence in refused(dana)
    expect(dana.locator("#sign")).to_have_count(0)
    entry = trail_of_refusals(desk, esther, "Dana Moss", "UN-002")
    assert "refusal:record:refused" in entry
    assert sentence in entry
    grant(admin, "Dr Dana Moss", "clinical lead", "RPM")
    open_record(dana, "UN-002")
    sign(dana, "approved", desk.password)
    assert told(dana).startswith("UN-002 revision 2 is signed as approved; it is in force now.")


def test_a_wrong_password_signs_nothing_and_keeps_the_reason(
    desk: Desk, amara: Page, esther: Page
) -> None:
    """The form on the page itself; the password is mistyped."""
    ben = desk.person("ben.tarrant")
    reword(ben, "REQ-008", "Scaling is applied once.")
    save_draft(ben)

    form = ben.locator("#submit")
    form.get_by_label("Note for the reviewers").fill("As agreed in the workshop.")
    form.get_by_label("Your password").fill("not my password")
    press(ben, form.get_by_role("button", name="Submit for review"))
    look(desk, ben)

    assert "password" in refused(ben)
    expect(ben.locator("#submit").get_by_label("Note")).to_have_value("As agreed in the workshop.")
    expect(ben.locator("#submit").get_by_label("Your password")).to_have_value("")
    entry = trail_of_refusals(desk, esther, "Ben Tarrant", "REQ-008")
    assert "refusal:record:unauthenticated" in entry
    submit(ben, desk.password)
    assert told(ben) == "REQ-008 revision 2 is in review."
    look(desk, ben)


def test_a_stale_form_keeps_what_was_typed_and_shows_what_is_saved(
    desk: Desk, amara: Page, esther: Page
) -> None:
    """Amara's form was open while Ben saved another text of the same record."""
    ben = desk.person("ben.tarrant")
    hers, his = "Amara asks for a mark in words.", "Ben asks for a mark in colour."
    reword(amara, "REQ-011", hers)
    reword(ben, "REQ-011", his)
    save_draft(ben)
    assert told(ben) == "REQ-011 revision 2 is saved as a draft."

    save_draft(amara)
    look(desk, amara)

    assert "REQ-011" in refused(amara)
    assert hers in amara.locator("#body").input_value()
    beside = amara.locator("section", has_text="What is saved now, against what you typed")
    assert "colour" in " ".join(beside.locator("del").all_inner_texts())
    assert "words" in " ".join(beside.locator("ins").all_inner_texts())
    entry = trail_of_refusals(desk, esther, "Amara Kole", "REQ-011")
    assert "refusal:record:conflict" in entry
    open_record(esther, "REQ-011")
    expect(esther.locator("main")).to_contain_text(his)
    save_draft(amara)
    assert told(amara) == "REQ-011 revision 2 is saved as a draft."
    open_record(esther, "REQ-011")
    expect(esther.locator("main")).to_contain_text(hers)
    expect(esther.locator("main")).not_to_contain_text(his)


def test_another_projects_record_is_not_read(desk: Desk, admin: Page, esther: Page) -> None:
    """Rhea holds a role in the department only and types the address of the device's record."""
    create_account(desk, admin, "Rhea Stone", "rhea.stone", "PPL-RS")
    grant(admin, "Rhea Stone", "viewer", "DEPT")
    rhea = desk.person("rhea.stone", FIRST_PASSWORD)
    look(desk, rhea)
    rhea.goto("/p/DEPT/C023")
    expect(rhea.get_by_role("heading", level=1)).to_contain_text("C023")
    look(desk, rhea)

    for address in (
        "/p/RPM/REQ-009",
        "/p/RPM/REQ-009/history/1",
        "/p/RPM/records?q=dose",
        "/p/RPM/trace/export/csv",
        "/p/RPM/releases/REL-0.1.0/check.json",
        "/p/RPM/audit",
    ):
        answer = rhea.goto(address)
        assert answer.status == 404, address
        assert "There is no project RPM that you may read." in rhea.content(), address
        assert "Dose-volume" not in rhea.content(), address
    rhea.goto("/p/RPM/REQ-009")
    look(desk, rhea)
    expect(rhea.locator("header")).not_to_contain_text("RT Plan Metrics")
    entry = trail_of_refusals(desk, esther, "Rhea Stone", "REQ-009")
    assert "refusal:record:hidden" in entry
    assert "There is no project RPM that you may read." in entry


def test_a_wrong_password_at_the_door_is_in_the_whole_trail(desk: Desk, admin: Page) -> None:
    """The sign-in page; only an administrator may read what happened outside of projects."""
    page = desk.person("grace.lindqvist", "not her password")
    look(desk, page)

    assert refused(page) != ""
    expect(page.get_by_label("Name")).to_have_value("grace.lindqvist")
    admin.goto("/")
    admin.locator("summary", has_text="Demo Administrator").click()
    admin.get_by_role("link", name="Audit trail of everything").click()
    admin.get_by_label("What").fill("session:person")
    press(admin, admin.get_by_role("button", name="Show", exact=True))
    look(desk, admin)
    newest = admin.get_by_role("table", name="Audit trail").locator("tbody tr").first.inner_text()
    assert "grace.lindqvist" in newest
    esther = desk.person("esther.quill")
    assert esther.goto("/audit").status == 403
    assert "needs an administrator" in esther.locator("main").inner_text()
    look(desk, esther)
