"""The steps of a pathway are put in order without a mouse."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.main import create_app
from core.db import Database
from core.settings import Settings
from core.web.access import COOKIE
from tests.app.test_eight_clients import served
from tests.dataflows.conftest import Browse
from tests.journeys.arriving import arrival
from tests.journeys.visits import Visit

pytestmark = pytest.mark.browser


def test_steps_are_moved_with_buttons_that_the_keyboard_reaches(
    *, chromium: Browser, need, map_db: Database, browse: Browse, tmp_path: Path
) -> None:
    browse("PPL-AK").close()
    with served(create_app(Settings(data_dir=tmp_path / "var"), map_db)) as origin:
        visit = Visit(origin, need("axe").read_text(encoding="utf-8"))
        context = chromium.new_context(base_url=origin)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AK", "url": origin}])
        page = context.new_page()
        visit.watch(page)
        page.goto("/p/DEPT/map/pathways/P5/steps")
        _press(page, "Down step 1,")
        expect(page.get_by_role("main")).to_contain_text("20 steps, no break")
        visit.look(page, "steps that were moved")
        context.close()

    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []


def _press(page: Page, name: str) -> None:
    with arrival(page):
        page.get_by_role("button", name=name).press("Enter")
