"""A new user describes a system, from its first box on the map to the pack of its replacement.

One journey, as one person makes it who knows the README and the pages: add a system, connect it,
link a test of QATrack+, paste twenty connections of which two are faulty, have everything approved
by others, find it in every view, plan its replacement and take the pack away. It is made without a
mouse. On every page that this journey alone brings about axe looks, and it must fit a desk and a
telephone; the large ones of the map are looked at as they are in `test_every_page`.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from core.db import open_database
from core.people.service import find_actor
from core.settings import Settings
from dataflows.qatrack.servers import Wish, name_server
from tests.dataflows.qatrack.peer import TOKEN, Peer, serving
from tests.demonstration import BuiltDemo
from tests.journeys.arriving import arrival
from tests.journeys.conftest import Desk, served
from tests.journeys.deeds import press, rows_of, told
from tests.journeys.visits import DESK, Visit

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.verifies("TST-040")]

SCIENTIST, REVIEWER, MANAGER = "amara.kole", "chidi.vance", "esther.quill"
ADMINISTRATOR = "PPL-ADMIN"
SYSTEM, NAME, TEST = "FILM", "Film scanner", "End-to-end: HDR brachytherapy pathway"
FIRST, PASTED = "C092", [f"C{number:03}" for number in range(93, 113)]
"""The demonstration department ends with C091."""

HEAD = "From\tTo\tCategory\tData types\tProtocol\tStarted by\tResponsible group\tSurveyed from"
ROW = "FILM\t{to}\t{category}\tFilm image {n}\tSMB\tautomatic\tPhysics\tinterview"

LOOKED_AT_ELSEWHERE = re.compile(
    r"/p/DEPT/map(/(table|matrix|coverage|paste|add-system))?|/jobs/\d+"
)
"""Pages that `test_every_page` looks at; of these the paste with its faults is looked at here."""

BUILT_WITHIN_MS = 60_000


@dataclass
class Journey:
    """The person's page, what is looked at on the way, and the presses that it took."""

    desk: Desk
    page: Page
    visit: Visit
    presses: int = 0

    def press(self, button: Locator) -> None:
        """Press a button or follow a link by the keyboard, and look at the page that answers."""
        with arrival(self.page):
            button.press("Enter")
        self.presses += 1
        if not LOOKED_AT_ELSEWHERE.fullmatch(urlsplit(self.page.url).path):
            self.visit.look(self.page, self.page.url)

    def follow(self, *names: str) -> None:
        """Follow links and buttons by their words, one page after the other."""
        for name in names:
            place = self.page.get_by_role("link", name=name, exact=True)
            button = self.page.get_by_role("button", name=name, exact=True)
            self.press(place.or_(button).first)

    def says(self, *words: str) -> None:
        """Expect the page to say some words."""
        for one in words:
            expect(self.page.get_by_role("main")).to_contain_text(one)


@pytest.fixture(scope="module")
def peer(reference_data: Path) -> Iterator[Peer]:
    """A QATrack+ that replays what a real one was seen to answer."""
    folder = reference_data / "qatrack"
    if not folder.is_dir():
        pytest.skip(f"the recorded answers of QATrack+ are not at {folder}")
    with serving(Peer(folder)) as one:
        yield one


@pytest.fixture(scope="module")
def desk(module_demo: BuiltDemo, peer: Peer, desk_of: Callable[[str, str], Desk]) -> Iterator[Desk]:
    """The demonstration with a QATrack+ server that its administrator has named, not yet read."""
    settings = Settings(
        data_dir=module_demo.data_dir, database_url="", qatrack_servers=[peer.address]
    )
    db = open_database(settings.database)
    with db.writing() as session:
        wish = Wish("main", peer.address, "Europe/London", TOKEN)
        name_server(session, wish, find_actor(session, ADMINISTRATOR), settings)
    db.engine.dispose()
    with served(module_demo.data_dir, FIDUCIAL_QATRACK_SERVERS=f'["{peer.address}"]') as origin:
        yield desk_of(origin, module_demo.password)


def test_from_a_new_system_to_the_pack_of_its_replacement(desk: Desk) -> None:
    page = desk.person(SCIENTIST)
    visit = Visit(desk.origin, desk.axe, seen_at=(DESK,), every_page_at=())
    visit.watch(page)
    journey = Journey(desk, page, visit)

    _describe(journey)
    _link_a_test(journey)
    _paste(journey)
    _find_it(journey)
    _have_it_approved(journey)
    pack = _plan_its_replacement(journey)
    _read(pack)

    assert "\n".join(visit.faults) == ""
    assert visit.asked_elsewhere == []
    assert journey.presses <= MOST_PRESSES


MOST_PRESSES = 24
"""Links and buttons from the home page to the pack in one's hands."""


def _describe(journey: Journey) -> None:
    """Add the system, and connect it with eight fields and one button."""
    page = journey.page
    journey.follow("Department map", "Add a system")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Id").fill(SYSTEM)
    page.get_by_label("Kind", exact=True).fill("film")
    page.get_by_label("Responsible group").fill("Physics")
    page.get_by_label("Criticality").select_option("low")
    journey.follow("Add the system")
    assert told(page).startswith(f"{SYSTEM} is added as a draft.")

    journey.follow("Connect it")
    form = page.locator("form[action$='/connect']")
    assert form.locator("input:not([type=hidden]), select, textarea").count() <= 8
    expect(form.get_by_label("From", exact=True)).to_have_value(SYSTEM)
    expect(form.get_by_label("Responsible group")).not_to_have_value("")
    form.get_by_label("To", exact=True).fill("Plan quality analytics")
    form.get_by_label("Category").select_option("dicom")
    form.get_by_label("Data types").fill("Secondary Capture")
    form.get_by_label("Protocol").fill("DICOM C-STORE")
    form.get_by_label("Started by").select_option("manual")
    form.get_by_label("Surveyed from").select_option("interview")
    journey.follow("Connect them")
    expect(page.get_by_role("heading", level=1)).to_contain_text(FIRST)
    journey.says("no QA procedure controls it")


def _link_a_test(journey: Journey) -> None:
    """Pick it from what the server has, which is read for the first time."""
    page = journey.page
    page.get_by_text("Link a QA test", exact=True).click()
    journey.follow("Choose a test of QATrack+")
    journey.says("Nothing was read yet from main.")
    journey.follow("Read QATrack+ now")
    done = page.get_by_role("link", name="Show the result")
    expect(done).to_be_visible(timeout=BUILT_WITHIN_MS)
    journey.press(done)
    page.get_by_role("radio", name=TEST).first.check()
    journey.follow("Link the chosen test")
    assert f"controls {FIRST}" in told(page)
    journey.says("no due date", "never performed")


def _paste(journey: Journey) -> None:
    """Paste twenty rows; both faults are told with their row, and mended where they are shown."""
    page = journey.page
    rows = [ROW.format(n=n, to="PQA", category="file") for n in range(20)]
    rows[3], rows[8] = rows[3].replace("PQA", "PAQ"), rows[8].replace("file", "fax")
    journey.follow("Department map", "Paste from a spreadsheet")
    page.get_by_label("Table").fill("\n".join((HEAD, *rows)))
    journey.follow("Check the table")
    journey.says("18 to create, 0 to change, 0 unchanged, 2 with faults")
    journey.visit.look(page, "the table with two faults")
    every = rows_of(page.get_by_role("table", name="Every row"))
    faulty = [row for row in every if row[1] != "create"]
    assert [row[0] for row in faulty] == ["5", "10"]
    assert "Did you mean PQA" in faulty[0][-1]
    assert "not 'fax'" in faulty[1][-1]

    page.get_by_label("Row 5, To", exact=True).fill("PQA")
    page.get_by_label("Row 10, Category", exact=True).fill("file")
    journey.follow("Check again")
    journey.says("20 to create, 0 to change, 0 unchanged, 0 with faults")
    journey.follow("Import 20 rows")
    assert f"(connections {PASTED[0]} to {PASTED[-1]} are new)" in told(page)
    listed = rows_of(page.get_by_role("table", name=re.compile("Connections")))
    assert [row[0] for row in listed] == [FIRST, *PASTED]


def _find_it(journey: Journey) -> None:
    """Find it in the matrix, in the list of what has no QA, and in the picture with its table."""
    page = journey.page
    journey.follow("Matrix")
    cell = page.get_by_role("link", name=FIRST, exact=True).locator("xpath=ancestor::td")
    expect(cell).to_contain_text("20 connections")
    journey.follow("Coverage")
    lacking = page.get_by_role("table", name="Connections between systems without QA")
    found = {row[0] for row in rows_of(lacking)}
    assert found >= set(PASTED)
    assert FIRST not in found

    page.goto(f"/p/DEPT/{SYSTEM}")
    journey.follow("Show on the map")
    journey.visit.look(page, "the map around the new system")
    lines = page.locator("#drawing svg g.edge")
    expect(lines).to_have_count(2)
    table = rows_of(page.get_by_role("table", name="Routes in this picture"))
    assert [row[0].split() for row in table] == [[FIRST], PASTED]
    drawn = {*page.locator("#drawing svg g.node").locator("a").evaluate_all(ENDS)}
    assert drawn == {word for row in table for word in (row[1].split()[0], row[2].split()[0])}
    journey.says("not approved yet")
    _print_it(page)


def _print_it(page: Page) -> None:
    """On paper the picture stands above its table, and the edge cuts nothing off."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 900})
    picture = page.locator("#drawing svg").bounding_box()
    table = page.get_by_role("table", name="Routes in this picture").bounding_box()
    assert picture is not None
    assert table is not None
    assert picture["y"] + picture["height"] <= table["y"]
    assert max(one["x"] + one["width"] for one in (picture, table)) <= A4
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": DESK, "height": 900})


A4 = 680
"""Width in pixels between the margins of a sheet."""

ENDS = """all => all.map(one => one.getAttribute("href") || one.getAttribute("xlink:href"))
    .map(address => address.split("/").at(-1))"""
"""The ids that the boxes or lines of a picture lead to."""


def _have_it_approved(journey: Journey) -> None:
    """Submit every draft with one password; two others sign them, each with one."""
    page, password = journey.page, journey.desk.password
    journey.follow("Submit mine", "Tick all that can")
    drafts = page.get_by_role("checkbox")
    uids = [name.split()[1] for name in drafts.evaluate_all("all => all.map(one => one.ariaLabel)")]
    assert {*uids} >= {SYSTEM, FIRST, *PASTED}
    [procedure] = {*uids} - {SYSTEM, FIRST, *PASTED}
    page.get_by_label("Your password").fill(password)
    journey.follow("Submit what is ticked for review")
    assert f"{len(uids)} drafts" in told(page)

    for name in (REVIEWER, MANAGER):
        signer = journey.desk.person(name)
        signer.goto("/p/DEPT/sign")
        waiting = signer.get_by_role("checkbox")
        expect(waiting).to_have_count(len(uids))
        waiting.evaluate_all("all => all.forEach(one => one.click())")
        signer.get_by_label("Your password").fill(password)
        press(signer, signer.get_by_role("button", name="Sign what is ticked"))
        assert told(signer) == f"Signed {len(uids)}."
        signer.context.close()
    page.goto(f"/p/DEPT/{FIRST}")
    expect(page.locator(".title-line")).to_contain_text("approved")
    journey.says(procedure)


def _plan_its_replacement(journey: Journey) -> bytes:
    """Plan it from the system's page, and let a worker build the pack."""
    page = journey.page
    page.goto(f"/p/DEPT/{SYSTEM}")
    journey.follow("Plan an upgrade", "Replace")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"If {SYSTEM} is replaced")
    journey.says("21 connections between systems", "RT Plan Metrics")
    expect(page.get_by_role("main")).not_to_contain_text(
        re.compile("not approved yet", re.IGNORECASE)
    )
    journey.follow("Build the pack")
    done = page.get_by_role("link", name="Show the result")
    expect(done).to_be_visible(timeout=BUILT_WITHIN_MS)
    journey.press(done)
    with page.expect_download() as taken:
        page.get_by_role("link", name=f"DEPT-replace-{SYSTEM}.zip").click()
    return Path(taken.value.path()).read_bytes()


def _read(pack: bytes) -> None:
    """Find the system and each of its connections in the print and in the tables."""
    with zipfile.ZipFile(io.BytesIO(pack)) as files:
        assert files.testzip() is None
        print_, plan = files.read("change-impact.pdf"), files.read("plan.csv").decode()
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(print_)).pages)
    for uid in (FIRST, *PASTED):
        assert re.search(rf"\b{uid}\b", text)
        assert re.search(rf"\b{uid}\b", plan)
    assert NAME in text
    assert TEST in text
    assert "Not approved yet" not in text
