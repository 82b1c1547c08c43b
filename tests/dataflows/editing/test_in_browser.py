"""A new user adds a system, connects it and pastes twenty connections, two of them with faults."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.main import create_app
from core.db import Database
from core.settings import Settings
from core.web.access import COOKIE
from tests.app.test_eight_clients import served
from tests.dataflows.conftest import Browse
from tests.journeys.visits import Visit

pytestmark = pytest.mark.browser

HEAD = "From\tTo\tCategory\tData types\tProtocol\tStarted by\tResponsible group\tSurveyed from"
ROW = "FILM\t{to}\t{category}\tKind {n}\tSMB\tautomatic\tPhysics\tinterview"


def test_a_new_user_describes_a_system_and_pastes_its_connections(
    *, chromium: Browser, need, map_db: Database, browse: Browse, tmp_path: Path
) -> None:
    """Ends where the map shows it: in the matrix and in the coverage."""
    browse("PPL-AK").close()
    with served(create_app(Settings(data_dir=tmp_path / "var"), map_db)) as origin:
        visit = Visit(origin, need("axe").read_text(encoding="utf-8"))
        context = chromium.new_context(base_url=origin)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AK", "url": origin}])
        page = context.new_page()
        visit.watch(page)
        _describe(page)
        _paste(page, visit)

        page.goto("/p/DEPT/map/matrix")
        expect(page.get_by_role("main")).to_contain_text("20 connections")
        page.goto("/p/DEPT/map/coverage")
        expect(page.get_by_role("main")).to_contain_text("C112")
        page.goto("/p/DEPT/map/pathways/P5/steps")
        _press(page, "Down step 1,")
        expect(page.get_by_role("main")).to_contain_text("20 steps, no break")
        visit.look(page, "steps that were moved")
        context.close()

    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).press("Enter")


def _describe(page: Page) -> None:
    page.goto("/p/DEPT/map/add-system")
    page.get_by_label("Name", exact=True).fill("Film scanner")
    page.get_by_label("Id").fill("FILM")
    page.get_by_label("Kind", exact=True).fill("film")
    page.get_by_label("Responsible group").fill("Physics")
    page.get_by_label("Criticality").select_option("low")
    _press(page, "Add the system")
    _press(page, "Connect it")
    form = page.locator("form[action$='/connect']")
    expect(form.get_by_label("From", exact=True)).to_have_value("FILM")
    form.get_by_label("To", exact=True).fill("Plan quality analytics")
    form.get_by_label("Category").select_option("dicom")
    form.get_by_label("Data types").fill("Secondary Capture")
    form.get_by_label("Protocol").fill("DICOM C-STORE")
    form.get_by_label("Started by").select_option("manual")
    form.get_by_label("Surveyed from").select_option("interview")
    _press(page, "Connect them")
    expect(page.get_by_role("heading", level=1)).to_contain_text("C092")


def _paste(page: Page, visit: Visit) -> None:
    rows = [ROW.format(n=n, to="PQA", category="file") for n in range(20)]
    rows[3], rows[8] = rows[3].replace("PQA", "PAQ"), rows[8].replace("file", "fax")
    page.goto("/p/DEPT/map/paste")
    page.get_by_label("Table").fill("\n".join((HEAD, *rows)))
    _press(page, "Check the table")
    told = page.get_by_role("main")
    expect(told).to_contain_text("18 to create, 0 to change, 0 unchanged, 2 with faults")
    visit.look(page, "the table with two faults")
    page.get_by_label("Row 5, To", exact=True).fill("PQA")
    page.get_by_label("Row 10, Category", exact=True).fill("file")
    _press(page, "Check again")
    expect(told).to_contain_text("20 to create, 0 to change, 0 unchanged, 0 with faults")
    _press(page, "Import 20 rows")
    expect(told).to_contain_text("C112")
