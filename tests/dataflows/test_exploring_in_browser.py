"""The pictures that scripts draw, under the policy of every page, without a mouse."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from app.main import create_app
from core.db import Database
from core.settings import Settings
from core.web.access import COOKIE
from tests.app.test_eight_clients import served
from tests.journeys.visits import Visit

pytestmark = pytest.mark.browser


def _shows(page: Page, boxes: int, routes: int) -> None:
    canvas = page.locator("#canvas")
    expect(canvas).to_have_attribute("data-boxes", str(boxes), timeout=30_000)
    expect(canvas).to_have_attribute("data-routes", str(routes))
    expect(canvas).not_to_have_attribute("aria-busy", "true")


def test_a_scientist_explores_the_map_and_draws_its_plantuml_by_keys(
    *, chromium: Browser, need, map_db: Database, browser, tmp_path
) -> None:
    """Opens a system, follows its neighbours and goes back; nothing is refused or asked outside."""
    with served(create_app(Settings(data_dir=tmp_path / "var"), map_db)) as origin:
        visit = Visit(origin, need("axe").read_text(encoding="utf-8"))
        context = chromium.new_context(base_url=origin)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AK", "url": origin}])
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: said.append(str(one)))
        visit.watch(page)

        page.goto("/p/DEPT/map/explore")
        _shows(page, 26, 59)
        page.get_by_role("searchbox", name="Find a system").fill("afterloader")
        page.get_by_role("searchbox", name="Find a system").press("Enter")
        found = page.get_by_role("region", name="Systems found").get_by_role(
            "link", name=re.compile("^HDR ")
        )
        found.press("Enter")
        expect(page).to_have_url(re.compile(r"focus=HDR$"))
        canvas = page.locator("#canvas")
        expect(canvas).to_have_attribute("data-chosen", "HDR")
        expect(page.locator("#chosen")).to_contain_text("HDR afterloader")
        expect(page.locator("#chosen")).to_contain_text("C036 from BTPS: DICOM")
        canvas.focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"open=HDR"))
        expect(page.locator("#facts")).to_contain_text("opened: HDR")
        expect(page.locator("#chosen")).to_contain_text("3 parts drawn")
        page.keyboard.press("Escape")
        expect(canvas).to_have_attribute("data-chosen", "")
        page.keyboard.press("ArrowDown")
        expect(canvas).to_have_attribute("data-chosen", re.compile(r"^\w"))
        page.go_back()
        page.go_back()
        page.go_back()
        _shows(page, 26, 59)
        page.get_by_label("Colour by").select_option("status")
        expect(page.locator("#facts")).to_contain_text("QA whose status is not known here")

        page.goto("/p/DEPT/map/plantuml?focus=P4&level=all")
        drawing = page.locator("#plantuml-drawing")
        expect(drawing).to_have_attribute("data-drawn", "yes", timeout=120_000)
        drawn = " ".join(drawing.locator("text").all_text_contents())
        steps = set(map(int, re.findall(r"step\s(\d+)", drawn)))
        hrefs = drawing.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        context.close()

    assert steps == set(range(1, 26))
    assert all(href.startswith("/p/DEPT/") for href in hrefs)
    assert said == []
    assert visit.asked_elsewhere == []
