"""A tester executes a manual test in the browser: what is measured fails it, and it is signed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.main import create_app
from tests.app.test_eight_clients import served
from tests.core.conftest import PASSWORD
from tests.journeys.conftest import Desk
from tests.journeys.deeds import look, press, told
from tests.validation.manual.conftest import filled
from tests.validation.runs.conftest import opened_department

TESTER = "ppl-fr"


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, desk_of: Callable[[str, str], Desk]
) -> Iterator[Desk]:
    """A department in small, served from this process, with one manual test of its release."""
    root: Path = tmp_path_factory.mktemp("by-hand")
    with opened_department(root) as department:
        filled(department, root)
        with served(create_app(department.settings, department.db)) as origin:
            yield desk_of(origin, PASSWORD)


def record(page: Page, step: int, observed: str, **told: str) -> None:
    """Fill in the form of one step, and send it."""
    form = page.get_by_role("form", name=f"Step {step}")
    form.get_by_label(f"What was observed in step {step}").fill(observed)
    if "measured" in told:
        form.get_by_label(f"Measured in step {step} in Gy").fill(told["measured"])
    if "outcome" in told:
        form.get_by_label(f"Outcome of step {step}").select_option(told["outcome"])
    press(page, form.get_by_role("button", name=f"Record step {step}"))


def test_a_value_out_of_tolerance_fails_a_test_that_its_tester_signs(
    desk: Desk, tmp_path: Path
) -> None:
    picture = tmp_path / "screen.txt"
    picture.write_text("what was on the screen")
    page = desk.person(TESTER)
    page.goto("/p/RPM/TST-003")
    press(page, page.get_by_role("link", name="Run by hand"))
    look(desk, page)
    page.get_by_label("Executed at").select_option("release REL-0.1.0")
    page.get_by_label("Site").fill("Ward 3")
    page.get_by_label("Machine").fill("PC 12")
    page.get_by_label("Programs and instruments").fill("Firefox 128")
    press(page, page.get_by_role("button", name="Begin the run"))
    look(desk, page)

    page.get_by_label("Files of step 1").set_input_files(picture)
    record(page, 1, "The report opened.", outcome="passed")
    record(page, 2, "Read off the table.", measured="2.05")
    assert told(page) == "Step 2 is recorded as failed."
    expect(page.locator("#step-2")).to_contain_text("failed measured 2.05 Gy, expected 2 ± 0.02 Gy")
    page.goto("/")
    waits = page.get_by_role("listitem").filter(has_text="waits for your signature")
    expect(waits).to_contain_text("TST-003 A report is read")
    press(page, waits.get_by_role("link"))
    record(page, 3, "It closed.", outcome="passed")
    look(desk, page)
    form = page.locator("#sign")
    form.get_by_label("Your password").fill(PASSWORD)
    press(page, form.get_by_role("button", name="Sign as executed"))

    look(desk, page)
    assert told(page) == "Run 1 is signed as executed; its verdict counts now."
    expect(page.locator("#results")).to_contain_text("failed 0 of 1 scenarios passed")
    expect(page.get_by_role("main")).to_contain_text("Signed as executed by Farid Rowe")
    page.goto("/p/RPM/TST-003")
    expect(page.get_by_role("main")).to_contain_text("failed in run 1")
