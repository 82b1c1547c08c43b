"""What people do with records in their browsers, in the words of the buttons they press."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.arriving import arrival
from tests.journeys.conftest import Desk

expect.set_options(timeout=30_000)  # a busy machine is slow, and nothing waits longer than it must

UID = re.compile(r"[A-Z]{2,}-[\w.-]*\w")

OF_A_CELL = re.compile(r"\s*\bwhy\s+[A-Z][\w.-]*, [\w ]+\s*$")


def look(desk: Desk, page: Page) -> None:
    """Look at the page as somebody with a screen reader would: nothing is in the way."""
    assert desk.violations(page) == []


def press(page: Page, button: Locator) -> None:
    """Press a button that sends a form, and wait for the page that answers."""
    with arrival(page):
        button.click()


def open_record(page: Page, uid: str, project: str = "RPM") -> None:
    """Go to the one address that a record has."""
    page.goto(f"/p/{project}/{uid}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(uid)


def search(page: Page, words: str) -> None:
    """Look something up with the search at the top of every page."""
    page.get_by_role("searchbox").fill(words)
    press(page, page.get_by_role("search").get_by_role("button", name="Search"))


def told(page: Page) -> str:
    """Return what the page said once after the last deed."""
    return page.locator("main .message[role=status]").first.inner_text()


def refused(page: Page) -> str:
    """Return the sentences in which the page refused the last deed."""
    return " ".join(page.get_by_role("alert").all_inner_texts())


def open_form(page: Page, uid: str, project: str = "RPM") -> None:
    """Open the form that changes a record, from its page."""
    open_record(page, uid, project)
    page.get_by_role("button", name=re.compile("Propose change|Edit the draft")).click()


def save_draft(page: Page) -> None:
    """Press the button under the form."""
    press(page, page.get_by_role("button", name="Save draft"))


def submit(page: Page, password: str) -> None:
    """Hand the draft on the open page to review, with one's password."""
    page.get_by_role("button", name="Submit for review").first.click()
    form = page.locator("#submit")
    form.get_by_label("Your password").fill(password)
    press(page, form.get_by_role("button", name="Submit for review"))


def sign(page: Page, meaning: str, password: str) -> None:
    """Sign the revision on the open page, with one's password."""
    page.get_by_role("button", name=f"Sign as {meaning}").first.click()
    form = page.locator("#sign")
    form.get_by_label("Your password").fill(password)
    press(page, form.get_by_role("button", name=f"Sign as {meaning}"))


def sign_what_waits(page: Page, project: str, uids: list[str], password: str) -> None:
    """Tick records on the page of what waits for one's signature, and sign them all at once."""
    page.goto(f"/p/{project}/records")
    page.get_by_role("button", name="Waiting for my signature").click()
    for uid in uids:
        page.get_by_role("checkbox", name=re.compile(f"Sign {re.escape(uid)} revision")).check()
    page.get_by_label("Your password").fill(password)
    press(page, page.get_by_role("button", name="Sign what is ticked"))


def uids_in(place: Locator) -> list[str]:
    """Return the records that the links of a place lead to, in order and once each."""
    found = [text for text in place.locator("a.uid").all_inner_texts() if UID.fullmatch(text)]
    return list(dict.fromkeys(found))


def rows_of(table: Locator) -> list[list[str]]:
    """Return the cells of a table's body as a reader sees them, row by row.

    The "why" of a cell of the matrix, which is shown to whoever points at it, is left out.
    """
    rows = table.locator("tbody > tr:visible").all()
    return [
        [OF_A_CELL.sub("", cell).strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in rows
    ]
