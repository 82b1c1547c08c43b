"""A new user adds a system, connects it and pastes twenty connections, two of them with faults."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

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
    """Ends where the map shows it: matrix, table of routes, coverage and what changed."""
    browse("PPL-AK").close()
    rows = [ROW.format(n=n, to="PQA", category="file") for n in range(20)]
    rows[3], rows[8] = (
        ROW.format(n=3, to="PAQ", category="file"),
        ROW.format(n=8, to="PQA", category="fax"),
    )
    with served(create_app(Settings(data_dir=tmp_path / "var"), map_db)) as origin:
        visit = Visit(origin, need("axe").read_text(encoding="utf-8"))
        context = chromium.new_context(base_url=origin)
        context.add_cookies([{"name": COOKIE, "value": "PPL-AK", "url": origin}])
        page = context.new_page()
        visit.watch(page)
        visit.open(page, "/p/DEPT/map/add-system")
        for label, value in (
            ("Name", "Film scanner"), ("Id", "FILM"), ("Kind", "film"),
            ("Responsible group", "Physics"),
        ):  # fmt: skip
            page.get_by_label(label, exact=label in ("Name", "Kind")).first.fill(value)
        page.get_by_label("Criticality").select_option("low")
        with page.expect_navigation():
            page.get_by_role("button", name="Add the system").press("Enter")
        with page.expect_navigation():
            page.get_by_role("button", name="Connect it").press("Enter")
        visit.open(page, page.url.removeprefix(origin))
        form = page.locator("form[action$='/connect']")
        expect(form.get_by_label("From", exact=True)).to_have_value("FILM")
        form.get_by_label("To", exact=True).fill("Plan quality analytics")
        form.get_by_label("Category").select_option("dicom")
        form.get_by_label("Data types").fill("Secondary Capture")
        form.get_by_label("Protocol").fill("DICOM C-STORE")
        form.get_by_label("Started by").select_option("manual")
        form.get_by_label("Surveyed from").select_option("interview")
        with page.expect_navigation():
            form.get_by_role("button", name="Connect them").press("Enter")
        visit.open(page, "/p/DEPT/C092")

        visit.open(page, "/p/DEPT/map/paste")
        page.get_by_label("Table").fill("\n".join((HEAD, *rows)))
        with page.expect_navigation():
            page.get_by_role("button", name="Check the table").press("Enter")
        told = page.get_by_role("main")
        expect(told).to_contain_text("18 to create, 0 to change, 0 unchanged, 2 with faults")
        visit.look(page, "the table with two faults")
        page.get_by_label("Row 5, To", exact=True).fill("PQA")
        page.get_by_label("Row 10, Category", exact=True).fill("file")
        with page.expect_navigation():
            page.get_by_role("button", name="Check again").press("Enter")
        expect(told).to_contain_text("20 to create, 0 to change, 0 unchanged, 0 with faults")
        with page.expect_navigation():
            page.get_by_role("button", name="Import 20 rows").press("Enter")
        expect(page.get_by_role("main")).to_contain_text("C112")

        visit.open(page, "/p/DEPT/map/matrix")
        expect(page.get_by_role("main")).to_contain_text("20 connections")
        visit.open(page, "/p/DEPT/map/coverage")
        expect(page.get_by_role("main")).to_contain_text("C112")
        visit.open(page, "/p/DEPT/map/history")
        visit.open(page, "/p/DEPT/map/files")
        visit.open(page, "/p/DEPT/map/pathways/P5/steps")
        with page.expect_navigation():
            page.get_by_role("button", name="Down step 1,").press("Enter")
        expect(page.get_by_role("status").last).to_contain_text("step")
        visit.look(page, "steps that were moved")
        context.close()

    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []
