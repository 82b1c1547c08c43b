"""What is read of QATrack+ is met on pages that everybody can use, at both widths."""

import pytest
from playwright.sync_api import Browser, expect

from app.main import create_app
from core.db import Database
from core.settings import Settings
from core.web.access import COOKIE
from tests.app.test_eight_clients import served
from tests.dataflows.qatrack.conftest import Enter, Work
from tests.journeys.arriving import arrival
from tests.journeys.visits import Visit

pytestmark = pytest.mark.browser


def test_a_scientist_picks_a_test_and_sees_how_it_stands(
    *,
    chromium: Browser,
    need,
    named: Database,
    fresh: Enter,
    settings: Settings,
    work: Work,
) -> None:
    """Picks without a mouse; the administrator's page is met by its own person."""
    with served(create_app(settings, named)) as origin:
        visit = Visit(origin, need("axe").read_text(encoding="utf-8"))
        context = chromium.new_context(base_url=origin)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AK", "url": origin}])
        page = context.new_page()
        visit.watch(page)
        visit.open(page, "/p/DEPT/map/qatrack/C022?q=end-to-end")
        page.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        page.get_by_label("Reason").fill("End-to-end once a year.")
        with arrival(page):
            page.get_by_role("button", name="Link the chosen test").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("is kept in QATrack+")
        assert work().state == "done"

        visit.open(page, page.url.removeprefix(origin))
        expect(page.get_by_role("main")).to_contain_text("no due date")
        for address in ("/p/DEPT/QA-001", "/p/DEPT/QA-002", "/p/DEPT/C022", "/p/DEPT/map/coverage"):
            visit.open(page, address)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AD", "url": origin}])
        visit.open(page, "/qatrack")
        context.close()

    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []
