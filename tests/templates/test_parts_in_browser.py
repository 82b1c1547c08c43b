"""The parts in a real browser, under the strict content security policy and without a mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
ORIGIN = "http://fiducial.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pytest.fixture(name="page", params=[1440, 390], ids=["desk", "telephone"])
def _page(chromium: Browser, jinja, context, request) -> Iterator[Page]:
    html = jinja.get_template("parts.html").render(context)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).split("?")[0]
        if path.startswith("/static/"):
            file = ROOT / "app" / path.lstrip("/")
            route.fulfill(body=file.read_bytes(), content_type=MEDIA_TYPES[file.suffix])
        else:
            policy = {"Content-Security-Policy": POLICY}
            route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=policy)

    page = chromium.new_page(viewport={"width": request.param, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/p/RPM/trace")
    page.wait_for_selector("body.js-enabled")
    yield page
    page.close()
    assert complaints == []


def test_axe_finds_nothing_to_mend(page: Page, need) -> None:
    # Typed into the page by the debugger, which the policy does not bind.
    page.evaluate(need("axe").read_text(encoding="utf-8"))

    result = page.evaluate("axe.run()")

    assert len(result["passes"]) > 30
    assert [(found["id"], found["nodes"][0]["html"]) for found in result["violations"]] == []


def test_no_page_scrolls_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_faults_have_the_focus_when_the_page_opens(page: Page) -> None:
    focused = page.evaluate("document.activeElement.className")

    assert focused == "nhsuk-error-summary"


def test_the_first_stop_of_the_keyboard_skips_to_the_page(page: Page) -> None:
    page.locator("a.brand").focus()

    page.keyboard.press("Shift+Tab")
    skip = page.locator(":focus")

    assert skip.text_content() == "Skip to the page"
    assert skip.bounding_box()["x"] >= 0


def test_menus_open_and_close_from_the_keyboard(page: Page) -> None:
    summary = page.locator("details.menu > summary").last
    panel = page.locator("details.menu").last

    summary.focus()
    page.keyboard.press("Enter")
    opened = panel.get_attribute("open")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")

    assert opened is not None
    assert panel.get_attribute("open") is None
    assert page.evaluate("document.activeElement.textContent") == "Esther Quill"


def test_a_table_of_rows_is_walked_with_the_arrows(page: Page) -> None:
    page.locator("table[data-keys] tbody a").first.focus()
    seen = []

    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "ArrowDown", "Home"):
        page.keyboard.press(key)
        seen.append(page.evaluate("document.activeElement.textContent"))

    assert seen == ["REQ-002", "REQ-003", "REQ-002", "REQ-004", "REQ-004", "REQ-001"]


def test_arrows_enter_the_table_from_the_page_and_go_from_cell_to_cell(page: Page) -> None:
    page.evaluate("document.activeElement.blur()")
    seen = []

    for key in ("w", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        seen.append(page.evaluate("document.activeElement.closest('td, th')?.cellIndex ?? -1"))
    page.keyboard.press("w")

    assert seen == [-1, 0, 1, 1, 0, 1], "a letter does nothing outside of a table"
    assert page.evaluate("location.hash") == "#cell-2"


def test_w_answers_why_and_e_goes_to_the_export_only_inside_the_table(page: Page) -> None:
    page.locator("#title").focus()
    page.keyboard.type("we")
    typed = page.locator("#title").input_value()

    page.locator("table[data-keys] tbody a").first.focus()
    page.keyboard.press("w")
    address = page.evaluate("location.hash")
    page.locator("table[data-keys] tbody a").first.focus()
    page.keyboard.press("e")

    assert typed == "we"
    assert address == "#why-1"
    assert page.evaluate("document.activeElement.textContent") == "Export as CSV"


def test_paper_shows_the_content_and_nothing_to_press(page: Page) -> None:
    page.emulate_media(media="print")

    assert page.locator("text=Printed copies are uncontrolled.").is_visible()
    assert not page.locator("header.top").is_visible()
    assert not page.locator("button").first.is_visible()


def test_a_part_that_arrives_later_comes_to_life_once_and_the_others_stay_as_they_are(
    page: Page,
) -> None:
    link = '<a role="button" data-module="nhsuk-button" href="#late-pressed">Late</a>'
    part = f'<div id="late">{link}</div>'
    page.route("**/late", lambda route: route.fulfill(body=part, content_type="text/html"))
    insert = """() => {
        const at = document.querySelector("main").appendChild(document.createElement("div"));
        at.setAttribute("hx-get", "/late");
        at.setAttribute("hx-trigger", "load");
        htmx.process(at);
    }"""
    alive = page.locator("[data-nhsuk-button-init]").count()

    for swap in (1, 2):
        page.evaluate(insert)
        page.wait_for_function(
            "n => document.querySelectorAll('#late [data-nhsuk-button-init]').length === n",
            arg=swap,
        )
    page.locator("#late a").first.focus()
    page.keyboard.press("Space")

    assert alive > 0
    assert page.locator("[data-nhsuk-button-init]").count() == alive + 2
    assert page.evaluate("location.hash") == "#late-pressed"
