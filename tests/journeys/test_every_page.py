"""Every page there is, for everybody: on a desk and on a telephone, without a mouse, with axe.

Links are followed, so no page leads nowhere; and no page asks anybody else for anything.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.main import create_app
from core.settings import Settings
from tests.demonstration import BuiltDemo
from tests.journeys.addresses_found import kept_and_found
from tests.journeys.conftest import Desk
from tests.journeys.deeds import open_form, open_record, press, save_draft, submit
from tests.journeys.prepared import send_faulty_rows
from tests.journeys.roles import (
    ADMINISTRATOR,
    AUTHOR,
    READER,
    REFUSED,
    answering_strangers,
    met_by,
)
from tests.journeys.visits import ReadRoute, Visit, read_routes, route_of

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.verifies("TST-040")]

EXAMPLES: dict[str, tuple[str, ...]] = {
    READER: (
        "/",
        "/map?near=RPM",
        "/account",
        "/account/tokens",
        "/projects",
        "/key",
        "/installation.pub.pem",
        "/openapi.json",
        "/api/projects",
        "/api/p/DEPT/map/coverage",
        "/api/p/DEPT/map/impact/TPS",
        "/api/p/RPM/records",
        "/api/p/RPM/records/REQ-009",
        "/api/p/RPM/records/REQ-009/compare",
        "/api/p/RPM/records/REQ-009/files",
        "/api/p/RPM/records/REQ-009/history",
        "/api/p/RPM/records/REQ-009/history/1",
        "/api/p/RPM/records/REQ-009/impact",
        "/api/p/RPM/records/REQ-009/links",
        "/api/p/RPM/records/REQ-009/threads",
        "/api/p/RPM/re-review",
        "/api/p/RPM/baselines",
        "/api/p/RPM/results",
        "/api/p/RPM/baselines/1",
        "/api/p/RPM/baselines/1/diff/2",
        "/api/p/RPM/check",
        "/api/p/RPM/releases",
        "/api/p/RPM/repositories",
        "/api/p/RPM/repositories/lines?show=re-review",
        "/api/p/RPM/runs",
        "/api/p/RPM/trace/views",
        "/api/p/RPM/trace/why/REQ-009",
        "/api/p/RPM/training",
        "/api/p/RPM/waiting",
        "/api/p/DEPT/map/scene?open=TPS",
        "/api/p/DEPT/map/matrix?level=all",
        "/api/waiting",
        "/jobs/2",
        "/jobs/2.json",
        "/jobs/2/progress",
        "/p/RPM",
        "/p/RPM/audit",
        "/p/DEPT/audit",
        "/p/RPM/deputies",
        "/p/RPM/records",
        "/p/DEPT/records",
        "/p/RPM/records?q=dose&type=requirement",
        "/p/RPM/records?q=nothing+says+this",
        "/p/RPM/sign",
        "/p/RPM/submit",
        "/p/RPM/re-review",
        "/p/RPM/re-review/export/csv",
        "/p/RPM/map",
        "/p/DEPT/map",
        "/p/DEPT/map?level=all&colour=qa",
        "/p/DEPT/map?focus=P1",
        "/p/DEPT/map?format=html",
        "/p/DEPT/map/drawing",
        "/p/DEPT/map/diagram.svg",
        "/p/DEPT/map/explore",
        "/p/DEPT/map/explore?colour=status&focus=TPS&open=TPS&q=plan",
        "/p/DEPT/map/explore/facts?level=all&colour=risk",
        "/p/DEPT/map/explore/scene",
        "/p/DEPT/map/plantuml?focus=PQA",
        "/p/DEPT/map/matrix",
        "/p/DEPT/map/matrix?open=TPS&size=10",
        "/p/DEPT/map/table",
        "/p/DEPT/map/pathways",
        "/p/DEPT/map/pathways/P1",
        "/p/DEPT/map/coverage",
        "/p/DEPT/map/files",
        "/p/DEPT/map/department.yaml",
        "/p/DEPT/map/department.zip",
        "/p/DEPT/map/history",
        "/p/DEPT/map/history?before=2026-01-01&format=html",
        "/api/p/DEPT/map/confirmations",
        "/api/p/DEPT/map/department.yaml",
        "/api/p/DEPT/map/department.zip",
        "/api/p/DEPT/map/history",
        "/p/DEPT/map/coverage?by=event",
        "/p/DEPT/map/coverage?by=failure",
        "/p/DEPT/map/qatrack/QA-001",
        "/p/DEPT/map/probes",
        "/p/DEPT/map/probes?outcome=never+probed&format=html",
        "/p/DEPT/map/probes/C012",
        "/p/DEPT/map/drift",
        "/p/DEPT/map/drift/{listed}",
        "/api/p/DEPT/map/probes",
        "/api/p/DEPT/map/probes/C012",
        "/api/p/DEPT/map/drift",
        "/api/p/DEPT/map/drift/{listed}",
        "/p/DEPT/map/impact/TPS",
        "/p/DEPT/map/impact/HDR?purpose=retire",
        "/p/DEPT/map/impact/PQA?purpose=qa",
        "/p/DEPT/map/impact/PQA/pack?purpose=replace",
        "/p/RPM/clauses",
        "/p/RPM/clauses?framework=gmlp&show=fulfilled",
        "/p/RPM/clauses?q=zebra",
        "/p/RPM/clauses.json",
        "/p/RPM/clauses/export/html",
        "/p/RPM/clauses/13485/7.3.7",
        "/p/RPM/clauses/dcb0129/6.3.3.json",
        "/p/DEPT/releases",
        "/p/RPM/releases",
        "/p/RPM/releases/REL-0.1.0",
        "/p/RPM/releases/REL-1.0.0",
        "/p/RPM/releases/REL-0.1.0/check.json",
        "/p/RPM/releases/REL-0.1.0/pack",
        "/p/RPM/baselines",
        "/p/DEPT/baselines",
        "/p/RPM/baselines/1",
        "/p/RPM/baselines/export/html",
        "/p/RPM/baselines/1/export/csv",
        "/p/RPM/baselines/compare?before=1",
        "/p/RPM/baselines/compare/export/html?before=1",
        "/p/RPM/findings",
        "/p/DEPT/findings?gate=always",
        "/p/RPM/findings/export/html",
        "/p/RPM/due",
        "/p/RPM/trend",
        "/p/RPM/trend/export/html",
        "/p/DEPT/repositories",
        "/p/RPM/releases/REL-0.1.0/contents",
        "/p/RPM/releases/REL-0.1.0/contents/export/csv",
        "/p/RPM/repositories",
        "/p/RPM/repositories/rt-plan-metrics/commits/{commit}",
        "/p/RPM/repositories/rt-plan-metrics/commits/{commit}/file?path=app.yaml",
        "/p/RPM/repositories/lines/{link}",
        "/p/RPM/results",
        "/p/RPM/results/1",
        "/p/RPM/results/1/files/{report}",
        "/p/RPM/repositories/export/csv",
        "/p/DEPT/files-in",
        "/p/RPM/files-in",
        "/p/RPM/files-in/1",
        "/p/RPM/files-in/1?code=TR101",
        "/p/RPM/files-in/1/export/html",
        "/p/RPM/files-in/1/files/{checked}",
        "/api/p/RPM/trace-checks",
        "/api/p/RPM/trace-checks/1",
        "/p/DEPT/risks",
        "/p/RPM/risks",
        "/p/RPM/risks/export/html",
        "/p/DEPT/sbom",
        "/p/RPM/sbom",
        "/p/RPM/sbom?view=components",
        "/p/RPM/sbom?release=REL-1.0.0",
        "/p/RPM/sbom/export/html",
        "/p/RPM/sbom/sbom.cdx.json",
        "/p/RPM/records?type=soup",
        "/p/DEPT/trace",
        "/p/RPM/trace",
        "/p/RPM/trace?rows=risk",
        "/p/RPM/trace/why/REQ-009",
        "/p/RPM/trace/views",
        "/p/RPM/trace/views/{view}",
        "/p/RPM/trace/export/html",
        "/p/DEPT/training",
        "/p/RPM/training",
        "/p/RPM/training?show=missing",
        "/p/RPM/training/export/csv",
        "/p/DEPT/runs",
        "/p/RPM/runs",
        "/p/RPM/runs/export/csv",
        "/p/RPM/runs/by-hand",
        "/p/RPM/runs/1",
        "/p/RPM/runs/1.json",
        "/p/RPM/runs/1/progress",
        "/p/RPM/runs/1/export/csv",
        "/p/RPM/runs/1/files/{evidence}",
        "/p/RPM/REQ-009",
        "/p/RPM/REQ-009/document.pdf",
        "/p/RPM/REQ-009/touches",
        "/p/RPM/REQ-009/history",
        "/p/RPM/REQ-009/history/1",
        "/p/RPM/REQ-009/compare",
        "/p/RPM/REQ-001/files/{attachment}",
    ),
    AUTHOR: (
        "/",
        "/p/RPM/new",
        "/p/DEPT/new",
        "/p/RPM/new/requirement",
        "/p/RPM/REQ-009/edit",
        "/p/RPM/sheets/risk",
        "/p/DEPT/map/add-system",
        "/p/DEPT/map/connect?source=TPS.DICOM&target=EPR",
        "/p/DEPT/map/paste",
        "/p/DEPT/map/pathways/P1/steps",
    ),
    ADMINISTRATOR: ("/", "/people", "/people/PPL-AK", "/projects/new", "/audit", "/qatrack"),
}
"""At least one address for every route that answers GET; `{...}` is found on a page first."""

WITHOUT_SIGN_IN = ("/sign-in",)


def routes(data_dir: Path) -> list[ReadRoute]:
    """Return the routes of the service as `fiducial serve` makes it."""
    return read_routes(create_app(Settings(data_dir=data_dir, database_url="")))


@pytest.fixture(scope="module", name="people")
def _people(desk: Desk) -> dict[str, Page]:
    return {name: desk.person(name) for name in (READER, AUTHOR, ADMINISTRATOR)}


@pytest.fixture(scope="module", name="known")
def _known(people: dict[str, Page], module_demo: BuiltDemo) -> dict[str, str]:
    return kept_and_found(people[AUTHOR], module_demo)


@pytest.fixture(scope="module", name="visit")
def _visit(desk: Desk, people: dict[str, Page], known: dict[str, str]) -> Visit:
    """Open every page once and look at it; the tests read what was found."""
    visit = Visit(desk.origin, desk.axe)
    for page in people.values():
        visit.watch(page)
    for name, addresses in EXAMPLES.items():
        for address in addresses:
            _open(visit, people[name], address.format(**known))
    return visit


def _open(visit: Visit, page: Page, address: str) -> None:
    """Visit a page; what is no page only has to answer."""
    answer = page.request.get(address)
    html = answer.headers.get("content-type", "").startswith("text/html")
    if html and "<html" in answer.text():
        visit.open(page, address)
    elif answer.status != 200 or not answer.body():
        visit.faults.append(f"{address}: answered {answer.status} with {len(answer.body())} bytes")


def test_every_route_that_answers_get_has_an_example_here(built_demo: BuiltDemo) -> None:
    everything = routes(built_demo.data_dir)
    stand_ins = {"commit": "0" * 40, "evidence": "0" * 64, "attachment": "1"}
    stand_ins |= {"view": "1", "listed": "1", "link": "1", "report": "0" * 64, "checked": "0" * 64}

    tried = {
        route_of(address.format(**stand_ins), everything)
        for addresses in (*EXAMPLES.values(), WITHOUT_SIGN_IN)
        for address in addresses
    }

    assert sorted({route.path for route in everything} - tried) == []
    assert None not in tried


def test_every_page_is_read_by_everybody_at_both_widths(visit: Visit) -> None:
    assert "\n".join(visit.faults) == ""


@pytest.mark.parametrize("name", [READER, AUTHOR, ADMINISTRATOR])
def test_every_page_is_a_page_or_a_refusal_in_words_for_each_person(
    visit: Visit, people: dict[str, Page], name: str
) -> None:
    assert len(visit.opened) > 50

    assert "\n".join(met_by(visit, people[name], REFUSED[name])) == ""


def test_nothing_answers_whoever_has_not_signed_in(desk: Desk, visit: Visit) -> None:
    addresses = {address for examples in EXAMPLES.values() for address in examples}
    addresses = {one for one in addresses if "{" not in one} | set(visit.opened)

    assert answering_strangers(desk, addresses) == []


def test_no_page_leads_nowhere(visit: Visit) -> None:
    assert len(visit.links) > 400
    assert "\n".join(visit.dead_ends()) == ""


def test_no_page_asks_anybody_else(visit: Visit) -> None:
    assert visit.asked_elsewhere == []


def test_every_refusal_is_read_by_everybody(desk: Desk, people: dict[str, Page]) -> None:
    visit = Visit(desk.origin, desk.axe)
    reader, author = people[READER], people[AUTHOR]

    for page, address, status in (
        (reader, "/p/RPM/REQ-999", 404),
        (reader, "/p/NOPE/records", 404),
        (reader, "/nothing/here", 404),
        (reader, "/people", 403),
        (reader, "/p/RPM/new/risk", 403),
        (reader, "/p/RPM/records?page=first", 422),
    ):
        visit.open(page, address, status)
    author.goto("/p/RPM/new/requirement")
    author.get_by_label("Title").fill("Told in words")
    author.get_by_label("Derives from, link 1: uid").fill("UN-999")
    author.get_by_label("Derives from, link 2: uid").fill("REQ-001")
    save_draft(author)
    visit.look(author, "a form sent back with its faults")
    assert author.get_by_role("alert").locator("li").count() == 2
    send_faulty_rows(author)
    visit.look(author, "rows of a spreadsheet with faults")

    assert "\n".join(visit.faults) == ""


def test_a_record_on_its_way_is_read_by_everybody(desk: Desk, people: dict[str, Page]) -> None:
    visit = Visit(desk.origin, desk.axe)
    author, reviewer = people[AUTHOR], desk.person("chidi.vance")

    open_form(author, "REQ-009")
    author.get_by_label("Title").fill("Dose-volume metric accuracy, stated per structure")
    save_draft(author)
    for address in ("/p/RPM/REQ-009", "/p/RPM/REQ-009/edit", "/p/RPM/REQ-009/compare?from=1&to=2"):
        visit.open(author, address)
    open_record(author, "REQ-009")
    submit(author, desk.password)
    visit.look(author, "a record in review, for its author")
    for address in ("/", "/p/RPM/sign", "/p/RPM/REQ-009", "/p/RPM/REQ-009/history"):
        visit.open(reviewer, address)
    expect(reviewer.get_by_role("table")).to_contain_text("in review")

    assert "\n".join(visit.faults) == ""


def test_whoever_cannot_sign_in_reads_why(desk: Desk) -> None:
    visit = Visit(desk.origin, desk.axe)
    context = desk.chromium.new_context(base_url=desk.origin)
    desk.contexts.append(context)
    stranger = context.new_page()
    visit.watch(stranger)

    visit.open(stranger, WITHOUT_SIGN_IN[0])
    for attempt in range(20):
        stranger.get_by_label("Name").fill("nobody.here")
        stranger.get_by_label("Password").fill("not the password")
        press(stranger, stranger.get_by_role("button", name="Sign in"))
        if attempt == 0:
            expect(stranger.get_by_role("alert")).to_be_visible()
            visit.look(stranger, "a sign-in that was refused")
        if "too many wrong passwords" in stranger.content():
            break
    visit.look(stranger, "a sign-in after too many attempts")

    assert "too many wrong passwords" in stranger.content()
    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []
