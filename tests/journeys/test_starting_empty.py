"""From an empty folder to an approved requirement in the trace, in the browser alone."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, served
from tests.journeys.deeds import (
    look,
    open_record,
    press,
    rows_of,
    save_draft,
    sign,
    sign_what_waits,
    submit,
    told,
    uids_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PASSWORD = "the first sentence of a new house"
FIRST_PASSWORD = "given on a slip of paper"
OWN_PASSWORD = "chosen when nobody looked"


def install(folder: Path) -> str:
    """Type what `fiducial init` asks for, on a terminal, and return what it said."""
    terminal, its_side = pty.openpty()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FIDUCIAL_")},
        "FIDUCIAL_DATA_DIR": str(folder),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "init"],
        env=environment,
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        start_new_session=True,
    )
    os.close(its_side)
    said = ""
    for question, answer in (
        ("Name: ", "Ada Lund"),
        ("Username: ", "ada.lund"),
        ("Password: ", PASSWORD),
        ("Repeat for confirmation: ", PASSWORD),
    ):
        said += _heard(terminal, question)
        os.write(terminal, f"{answer}\n".encode())
    said += _heard(terminal, None)
    os.close(terminal)
    assert process.wait(60) == 0, said
    return said


def _heard(terminal: int, until: str | None) -> str:
    """Read what the command says up to a question, or to its end."""
    said = ""
    while until is None or not said.endswith(until):
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"waited for {until!r} and heard {said!r}"
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side has hung up
            part = b""
        if not part:
            assert until is None, f"the command ended without asking {until!r}: {said!r}"
            return said
        said += part.decode()
    return said


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, desk_of: Callable[[str, str], Desk]
) -> Iterator[Desk]:
    """An installation that holds nothing but its first administrator, served."""
    folder = tmp_path_factory.mktemp("house") / "var"
    said = install(folder)
    assert "Ada Lund may sign in as ada.lund." in said
    assert PASSWORD not in said
    with served(folder) as origin:
        yield desk_of(origin, PASSWORD)


@pytest.fixture(scope="module")
def ada(house: Desk) -> Page:
    """The first administrator at her desk."""
    return house.person("ada.lund")


def create_account(page: Page, name: str, username: str, uid: str) -> None:
    """Fill in the form of a new account."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Signs in as").fill(username)
    page.get_by_label("Uid").fill(uid)
    page.get_by_label("First password").fill(FIRST_PASSWORD)
    press(page, page.get_by_role("button", name="Create the account"))
    assert told(page).startswith(f"{name} has an account now.")


def grant(page: Page, name: str, role: str) -> None:
    """Grant a role in the one project."""
    page.get_by_label(f"Role for {name}").select_option(label=role)
    page.get_by_label(f"Where {name} holds it").select_option(label="NEW")
    press(page, page.get_by_role("button", name=f"Grant the role to {name}"))
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text(f"{role} NEW")


def first_sign_in(house: Desk, username: str) -> Page:
    """Sign in with the password on the slip, choose one's own, and sign in with that."""
    page = house.person(username, FIRST_PASSWORD)
    page.goto("/account")
    look(house, page)
    page.get_by_label("Your password now").fill(FIRST_PASSWORD)
    page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    page.get_by_label("New password once more").fill(OWN_PASSWORD)
    press(page, page.get_by_role("button", name="Change password"))
    assert told(page) == "Your password is changed. Sign in with the new one."
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(OWN_PASSWORD)
    press(page, page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Good")
    return page


def sentences(page: Page) -> list[str]:
    """Return what the page says where there is nothing to show."""
    said = page.locator("main .empty").all_inner_texts()
    return [" ".join(one.split()) for one in said]


@pytest.fixture(scope="module")
def project(house: Desk, ada: Page) -> str:
    """A project with nothing in it, and two people beside the one who began it."""
    look(house, ada)
    assert sentences(ada) == ["There is no project that you may read yet. Begin a project"]
    ada.get_by_role("link", name="Begin a project").click()
    look(house, ada)
    ada.get_by_label("Key").fill("NEW")
    ada.get_by_label("Title").fill("Bed height finder")
    press(ada, ada.get_by_role("button", name="Begin the project"))
    assert told(ada) == "NEW Bed height finder has begun. You may write and approve in it."

    ada.locator("summary", has_text="Ada Lund").click()
    ada.get_by_role("link", name="People and roles").click()
    look(house, ada)
    create_account(ada, "Tom Reyes", "tom.reyes", "PPL-002")
    create_account(ada, "Mira Sand", "mira.sand", "PPL-003")
    grant(ada, "Tom Reyes", "technical reviewer")
    grant(ada, "Mira Sand", "quality manager")
    look(house, ada)
    return "NEW"


def test_every_page_of_an_empty_project_says_what_to_do_next(
    house: Desk, ada: Page, project: str
) -> None:
    said = {}
    for place in ("records", "trace", "risks", "releases", "runs", "repositories", "sign"):
        answer = ada.goto(f"/p/{project}/{place}")
        assert answer.ok, place
        look(house, ada)
        said[place] = sentences(ada)
    ada.goto("/")
    look(house, ada)
    said["home"] = sentences(ada)

    for place, found in said.items():
        assert found, place
        for sentence in found:
            assert re.match(r"[A-Z][^.]{15,}\.", sentence), (place, sentence)
    assert said["records"] == [
        "This project has no record yet. Begin with what its users need. Write the first record"
    ]
    assert "Demonstration" not in ada.locator("body").inner_text()
    ada.goto(f"/p/{project}/audit")
    look(house, ada)
    assert "project:project:create" in ada.get_by_role("table").inner_text()
    ada.goto("/map")
    look(house, ada)


def write_need(page: Page) -> str:
    """Write the first record from the sentence that asks for it; return its uid."""
    page.goto("/p/NEW/records")
    page.get_by_role("link", name="Write the first record").click()
    page.get_by_role("link", name="User need").click()
    page.get_by_label("Title").fill("Know the bed height")
    page.get_by_label("Need", exact=True).fill("The therapist needs the bed height in one look.")
    page.get_by_label("Stakeholder").fill("therapist")
    page.get_by_label("Acceptance").fill("height shown within one second")
    save_draft(page)
    return told(page).split()[0]


def write_requirement(house: Desk, page: Page, need: str) -> str:
    """Write a requirement from the page of the need that it derives from; return its uid."""
    open_record(page, need, "NEW")
    page.get_by_text("New record linked to this").click()
    page.get_by_role("link", name="New requirement that derives from this").click()
    look(house, page)
    expect(page.get_by_label("derives from, link 1: uid")).to_have_value(need)
    page.get_by_label("Title").fill("Show the bed height")
    page.get_by_label("Text", exact=True).fill("The system shall show the bed height in mm.")
    page.get_by_label("Category").select_option("functional")
    page.get_by_label("Acceptance criterion").fill("shown height within 1 mm of a steel rule")
    save_draft(page)
    return told(page).split()[0]


def test_from_a_need_to_an_approved_requirement_in_the_trace(
    house: Desk, ada: Page, project: str
) -> None:
    need = write_need(ada)
    look(house, ada)
    requirement = write_requirement(house, ada, need)
    look(house, ada)
    assert (need, requirement) == ("UN-001", "REQ-001")
    for uid in (need, requirement):
        open_record(ada, uid, project)
        submit(ada, PASSWORD)
        assert told(ada) == f"{uid} revision 1 is in review."

    tom = first_sign_in(house, "tom.reyes")
    expect(tom.get_by_role("table", name="Waiting for me")).to_contain_text("REQ-001")
    look(house, tom)
    tom.get_by_role("link", name="REQ-001").click()
    sign(tom, "reviewed", OWN_PASSWORD)
    assert told(tom) == "REQ-001 revision 1 is signed as reviewed."
    mira = first_sign_in(house, "mira.sand")
    sign_what_waits(mira, project, [need, requirement], OWN_PASSWORD)
    assert told(mira) == "Signed UN-001, REQ-001."
    look(house, mira)

    open_record(mira, requirement, project)
    expect(mira.locator(".title-line")).to_contain_text(re.compile(r"approved\s+revision 1"))
    signed = mira.locator("section.panel", has=mira.get_by_role("heading", name="Signatures"))
    for line in ("Ada Lund, author: authored", "Tom Reyes, technical reviewer: reviewed"):
        expect(signed).to_contain_text(line)
    expect(signed).to_contain_text("Mira Sand, quality manager: approved")
    look(house, mira)
    mira.get_by_role("link", name="Trace").click()
    [row] = rows_of(mira.get_by_role("table"))
    assert row[0].startswith("REQ-001 Show the bed height")
    assert "rev 1 approved" in row[0]
    assert row[1] == "UN-001"
    assert uids_in(mira.get_by_role("table")) == ["REQ-001", "UN-001"]
    expect(mira.locator(".filters")).to_contain_text("uncovered 1")
    look(house, mira)


def test_the_audit_trail_of_the_new_house_is_whole(house: Desk, ada: Page, project: str) -> None:
    ada.goto(f"/p/{project}/audit")

    ada.get_by_role("button", name="Verify the audit trail").click()

    expect(ada.get_by_role("status")).to_contain_text("are what the audit trail recorded")
    look(house, ada)
