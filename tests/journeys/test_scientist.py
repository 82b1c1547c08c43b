"""A scientist's day on the department map: count it, find what no QA covers, mend it, extend it.

What the pages say is held to the department's file, read here with nothing of ours.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.journeys.conftest import Desk
from tests.journeys.deeds import look, open_record, press, save_draft, sign, submit, told

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SCIENTIST, REVIEWER, MANAGER = "amara.kole", "chidi.vance", "esther.quill"
HOSTILE = '"]] !include /etc/passwd <b>'
WORDS = {"dicom": "DICOM", "file": "file", "other": "other"}
UNCOVERED, PROCEDURE = "C022", "QA-021"
"""A connection that no QA controls, and the procedure of the way back, which fits it too."""

DRAWN_WITHIN_MS = 120_000


@dataclass(frozen=True)
class Stated:
    """What the department's file says."""

    document: dict[str, Any]

    @property
    def parents(self) -> dict[str, str | None]:
        """Each system and the one it is part of."""
        return {one["id"]: one["parent"] for one in self.document["systems"]}

    def top(self, uid: str) -> str:
        """Return the major system that a part belongs to."""
        parent = self.parents[uid]
        return uid if parent is None else self.top(parent)

    def routes(self, collapsed: bool) -> dict[tuple[str, str, str], list[str]]:
        """Return each line of the map (from, to, category) with its connections."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for one in self.document["connections"]:
            ends = [one["source"], one["target"]]
            if collapsed:
                ends = [self.top(uid) for uid in ends]
            if ends[0] != ends[1]:
                found.setdefault((ends[0], ends[1], one["category"]), []).append(one["id"])
        return found

    def boxes(self, collapsed: bool) -> set[str]:
        """Return the systems of the map: major ones, or those without parts."""
        if collapsed:
            return {uid for uid, parent in self.parents.items() if parent is None}
        return set(self.parents) - set(self.parents.values())


@pytest.fixture(scope="module", name="stated")
def _stated() -> Stated:
    file = ROOT / "app/demo/department.yaml"
    return Stated(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))


@pytest.fixture(scope="module", name="scientist")
def _scientist(desk: Desk) -> Page:
    return desk.person(SCIENTIST)


def drawing(page: Page) -> Locator:
    """Return the picture on the page, once it is drawn."""
    picture = page.locator("#drawing svg")
    expect(picture).to_be_visible(timeout=DRAWN_WITHIN_MS)
    return picture


def links_of(picture: Locator) -> set[str]:
    """Return the last word of every address that a box or line of a picture leads to."""
    found = picture.locator("a").evaluate_all(
        "all => all.map(one => one.getAttribute('href') || one.getAttribute('xlink:href'))"
    )
    return {address.partition("?")[0].rpartition("/")[2] for address in found}


def show(page: Page, **choices: str) -> None:
    """Choose what the map shows, by the labels of its form."""
    for label, words in choices.items():
        page.get_by_label(label).select_option(label=words)
    press(page, page.get_by_role("button", name="Show", exact=True))


def coverage_counts(page: Page) -> dict[str, str]:
    """Read the figures at the top of the coverage page."""
    page.goto("/map")
    page.get_by_role("link", name="Coverage", exact=True).click()
    names = page.locator("main dl.facts > dt").all_inner_texts()
    return dict(zip(names, page.locator("main dl.facts > dd").all_inner_texts(), strict=True))


def bring_into_force(desk: Desk, author: Page, uid: str) -> None:
    """Submit a draft and have it reviewed and approved by those who may."""
    open_record(author, uid, "DEPT")
    submit(author, desk.password)
    for name, meaning in ((REVIEWER, "reviewed"), (MANAGER, "approved")):
        signer = desk.person(name)
        open_record(signer, uid, "DEPT")
        sign(signer, meaning, desk.password)
    author.reload()
    expect(author.locator(".title-line")).to_contain_text("approved")


@pytest.mark.parametrize(
    ("words", "collapsed", "figures", "counts"),
    [
        ("major systems", True, (26, 59), {"dicom": 32, "file": 13, "other": 14}),
        ("all sub-systems", False, (51, 91), {"dicom": 38, "file": 16, "other": 37}),
    ],
)
def test_the_map_states_and_draws_what_the_file_says(
    desk: Desk, scientist: Page, stated: Stated, words: str, collapsed: bool,
    figures: tuple[int, int], counts: dict[str, int],
) -> None:  # fmt: skip
    routes, boxes = stated.routes(collapsed), stated.boxes(collapsed)
    assert (len(boxes), len(routes)) == figures
    assert Counter(category for *_ends, category in routes) == counts

    scientist.goto("/")
    scientist.get_by_role("link", name="Department map", exact=True).click()
    show(scientist, Level=words)
    picture = drawing(scientist)
    look(desk, scientist)

    assert f"{figures[0]} systems, {figures[1]} routes" in scientist.inner_text("main")
    legend = scientist.get_by_label("Lines").inner_text()
    assert dict(re.findall(r"(DICOM|file|other) (\d+)", legend)) == {
        WORDS[category]: str(count) for category, count in counts.items()
    }
    assert picture.locator("g.edge").count() == len(routes)
    assert picture.locator("g.node").count() == len(boxes)
    assert boxes <= links_of(picture)
    alone = {uids[0] for uids in routes.values() if len(uids) == 1}
    assert alone <= links_of(picture)


def test_the_transfer_matrix_has_each_route_in_its_cell(
    desk: Desk, scientist: Page, stated: Stated
) -> None:
    scientist.goto("/map")
    scientist.get_by_role("link", name="Matrix", exact=True).click()
    look(desk, scientist)
    table = scientist.get_by_role("table", name="Transfer matrix")
    columns = table.locator("thead a.uid").all_inner_texts()
    rows = table.locator("tbody tr").evaluate_all(
        "all => all.map(row => [...row.cells].map(cell => cell.innerText))"
    )

    found: Counter[tuple[str, str, str]] = Counter()
    for source, *cells in rows:
        for target, cell in zip(columns, cells, strict=True):
            for word, uid, many in re.findall(r"(\w+) (?:(C\d+)|(\d+) connections)", cell):
                found[source.split()[0], target, word] += 1 if uid else int(many)

    assert found == {
        (source, target, WORDS[category]): len(uids)
        for (source, target, category), uids in stated.routes(collapsed=True).items()
    }


def test_a_connection_shows_its_qa_and_an_uncovered_one_says_so(
    desk: Desk, scientist: Page
) -> None:
    scientist.goto("/map")
    scientist.get_by_role("link", name="Matrix", exact=True).click()
    scientist.get_by_role("link", name="C023", exact=True).click()
    look(desk, scientist)
    covered = scientist.get_by_role("heading", name="On the department map").locator("..")
    expect(covered.get_by_role("link", name="QA-022", exact=True)).to_be_visible()

    scientist.go_back()
    scientist.get_by_role("link", name=UNCOVERED, exact=True).click()

    panel = scientist.get_by_role("heading", name="On the department map").locator("..")
    expect(panel).to_contain_text("no QA procedure controls it")


def test_qa_linked_by_the_form_and_signed_covers_the_connection(
    desk: Desk, scientist: Page, stated: Stated
) -> None:
    external = [
        one["id"]
        for one in stated.document["connections"]
        if stated.top(one["source"]) != stated.top(one["target"])
    ]
    before = coverage_counts(scientist)["Connections between systems"]
    lacking, total = map(int, re.findall(r"\d+", before))
    assert total == len(external)

    scientist.get_by_role("link", name=f"Link a QA test to {UNCOVERED}").click()
    form = scientist.locator("#link-qa")
    if not form.is_visible():
        scientist.get_by_text("Link a QA test", exact=True).click()
    chosen = form.locator("option", has_text=PROCEDURE).get_attribute("value")
    form.get_by_label("QA procedure").select_option(value=chosen)
    press(scientist, form.get_by_role("button", name="Link it"))
    assert PROCEDURE in told(scientist)
    drafted = coverage_counts(scientist)["Connections between systems"]
    bring_into_force(desk, scientist, PROCEDURE)
    after = coverage_counts(scientist)["Connections between systems"]

    assert drafted == before
    assert after == f"{lacking - 1} of {total} without QA"
    scientist.get_by_role("link", name="Matrix", exact=True).click()
    cell = scientist.get_by_role("link", name=UNCOVERED, exact=True).locator("xpath=ancestor::td")
    expect(cell).to_contain_text("covered")
    expect(cell).not_to_contain_text("uncovered")


def test_a_hostile_name_is_only_a_name_wherever_it_is_shown(desk: Desk, scientist: Page) -> None:
    scientist.goto("/p/DEPT/records")
    scientist.get_by_role("button", name="New record").click()
    scientist.get_by_role("link", name="System", exact=True).click()
    scientist.get_by_label("Title").fill(HOSTILE)
    scientist.get_by_label("Kind", exact=True).fill("planning")
    scientist.get_by_label("Responsible group").fill("Radiotherapy informatics")
    scientist.get_by_label("Criticality").select_option("low")
    save_draft(scientist)
    look(desk, scientist)
    uid = scientist.url.rpartition("/")[2].partition("#")[0]
    expect(scientist.get_by_role("heading", level=1)).to_have_text(f"{uid} {HOSTILE}")
    connection = connect(scientist, "TPS", uid)

    scientist.goto("/map")
    show(scientist, Revisions="latest drafts")
    picture = drawing(scientist)
    words = "".join(picture.locator(f"a[href$='/{uid}'] text").all_text_contents())
    plantuml = scientist.get_by_role("link", name="PlantUML", exact=True).get_attribute("href")
    text = scientist.request.get(plantuml or "").text()

    assert without_space(HOSTILE) in without_space(words)
    assert scientist.locator("#drawing b").count() == 0
    assert connection in links_of(picture)
    assert without_space(HOSTILE) in without_space(html.unescape(text).replace("\\n", " "))
    assert [line for line in text.splitlines() if line.lstrip().startswith("!")] == []
    assert "/etc/passwd" not in "".join(re.findall(r"!include.*", text))
    look(desk, scientist)


def connect(page: Page, source: str, target: str) -> str:
    """Write a connection between two systems, from the page of the second; return its uid."""
    open_record(page, target, "DEPT")
    page.get_by_text("New record linked to this", exact=True).click()
    page.locator(f"a[href$='/new/connection?to_system={target}']").click()
    page.get_by_label("Title", exact=True).fill("Plans to the new system")
    page.get_by_label("Category", exact=True).select_option("file")
    page.get_by_label("Protocol", exact=True).fill("SFTP")
    page.get_by_label("Data types", exact=True).fill("Plan report")
    page.get_by_label("Started by", exact=True).select_option("manual")
    page.get_by_label("Mode", exact=True).select_option("push")
    page.get_by_label("from, link 1: uid", exact=True).fill(source)
    save_draft(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plans to the new system")
    return page.url.rpartition("/")[2].partition("#")[0]


def without_space(text: str) -> str:
    """Return a text without its spaces, for a name that is broken into lines."""
    return re.sub(r"\s", "", text)


def test_from_the_map_to_the_device_that_a_system_realises_and_back(
    desk: Desk, scientist: Page, stated: Stated
) -> None:
    [(system, [device])] = [
        (one["id"], one["realises"]) for one in stated.document["systems"] if one.get("realises")
    ]

    scientist.goto("/map")
    drawing(scientist).locator(f"a[href$='/{system}']").first.click()
    expect(scientist.get_by_role("heading", level=1)).to_contain_text(system)
    panel = scientist.get_by_role("heading", name="On the department map").locator("..")
    panel.get_by_role("link", name=device, exact=True).click()
    expect(scientist).to_have_url(re.compile(f"/p/RPM/{device}$"))
    look(desk, scientist)
    panel = scientist.get_by_role("heading", name="On the department map").locator("..")
    expect(panel).to_contain_text("Realised by")
    panel.get_by_role("link", name=system, exact=True).click()

    expect(scientist).to_have_url(re.compile(f"/p/DEPT/{system}$"))
