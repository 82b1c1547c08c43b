"""A reviewer asks, the author answers and settles; a deputy is named: in the browser, with axe."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.main import create_app
from core.people.deputies import lending
from core.people.models import Person
from core.records.content import Content
from core.records.service import create_record
from core.settings import Settings
from tests.app.test_eight_clients import served
from tests.conftest import Office
from tests.core.conftest import PASSWORD, hashed
from tests.journeys.conftest import Desk
from tests.journeys.deeds import look, open_record, press, told

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TELEPHONE = {"width": 390, "height": 844}


@pytest.fixture
def at_work(office: Office, tmp_path: Path, desk_of: Callable[[str, str], Desk]) -> Iterator[Desk]:
    """A project with one draft, served; everybody has the same password."""
    with office.writing() as session:
        for person in session.execute(select(Person)).scalars():
            person.password_hash = hashed()
        fields = {"stakeholder": "Physicist", "acceptance": "Numbers agree."}
        content = Content("Trust the numbers", "Numbers are right.", fields)
        amara = office.staff["PPL-AK"]
        create_record(session, office.project(session), "user_need", content, amara)
    with served(create_app(Settings(data_dir=tmp_path), office.database)) as origin:
        yield desk_of(origin, PASSWORD)


def stays_within(page: Page) -> bool:
    """Whether a page needs no scrolling sideways on a telephone."""
    page.set_viewport_size(TELEPHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return bool(width <= TELEPHONE["width"])


def test_a_thread_is_opened_answered_and_settled(at_work: Desk) -> None:
    chidi, amara = at_work.person("ppl-cv"), at_work.person("ppl-ak")
    open_record(chidi, "UN-001")
    chidi.get_by_text("Open a thread", exact=True).click()
    chidi.get_by_label("About").select_option("Acceptance")
    chidi.get_by_label("What you want to say").fill("Which numbers *exactly*?")
    look(at_work, chidi)
    press(chidi, chidi.get_by_role("button", name="Open the thread"))
    opened = told(chidi)

    amara.goto("/")
    expect(amara.get_by_role("heading", name="Waiting for me (1)")).to_be_visible()
    press(amara, amara.get_by_role("link", name="Answer Chidi Vance"))
    amara.get_by_label("Your answer to Chidi Vance").fill("Those of UN-001.")
    press(amara, amara.get_by_role("button", name="Answer", exact=True))
    answered = told(amara)
    chidi.goto("/")
    press(chidi, chidi.get_by_role("link", name="Answer Amara Kole"))
    look(at_work, chidi)
    fits = stays_within(chidi)
    chidi.get_by_text("Settle this thread", exact=True).click()
    chidi.get_by_label("What was settled").fill("It will name them.")
    press(chidi, chidi.get_by_role("button", name="Settle"))

    expect(chidi.get_by_role("heading", name="Talk (0 open)")).to_be_visible()
    chidi.get_by_text("Settled (1)").click()
    expect(chidi.get_by_text("It will name them.").first).to_be_visible()
    look(at_work, chidi)
    assert opened == "The thread is open. It waits for an answer of the authors."
    assert answered == "Your answer is in the thread."
    assert fits


def test_a_deputy_is_named_and_ended(at_work: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # No night falls between the page that offers today and the form that sends it.
    monkeypatch.setattr(lending, "now", lambda: datetime(2026, 12, 7, 12, tzinfo=UTC))
    esther = at_work.person("ppl-eq")
    esther.goto("/p/RPM/deputies")
    look(at_work, esther)
    esther.get_by_label("Role of").select_option("Esther Quill, quality manager")
    esther.get_by_label("Deputy", exact=True).select_option("Chidi Vance (PPL-CV)")
    esther.get_by_label("Reason").fill("Annual leave.")
    press(esther, esther.get_by_role("button", name="Name the deputy"))
    expect(esther.get_by_role("heading", name="Current (1)")).to_be_visible()
    look(at_work, esther)
    fits = stays_within(esther)

    esther.get_by_label("Why Chidi Vance is deputy for Esther Quill no longer").fill("Back.")
    press(esther, esther.get_by_role("button", name="End Chidi Vance as deputy"))

    expect(esther.get_by_role("heading", name="Past (1)")).to_be_visible()
    look(at_work, esther)
    assert fits
