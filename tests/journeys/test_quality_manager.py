"""A quality manager's days: a changed text and what it throws doubt on, matrix, risks, search.

What needs re-review is held against `yaml_walk`, which reads the demonstration's files without
any of the product.
"""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.demonstration import BuiltDemo
from tests.journeys.conftest import Desk
from tests.journeys.deeds import (
    look,
    open_form,
    open_record,
    press,
    rows_of,
    save_draft,
    search,
    sign,
    sign_what_waits,
    submit,
    told,
    uids_in,
)
from tests.journeys.yaml_walk import DEPARTMENT, doubted_by, requirements_beside

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CHANGED = "REQ-009"
RELEASE = "/p/RPM/releases/REL-0.1.0"
BEFORE, AFTER = "VxGy within 0.4 percent", "VxGy within 0.3 percent"
REASON = "The reference shapes allow a closer limit."

IDLE = "nothing to look at"

Counts = Mapping[str, tuple[int, int, str]]
"""Code of a check to how many records it looked at, its findings and its verdict in words."""


def open_release(page: Page) -> None:
    """Go to the release the way the words at the top lead."""
    page.goto("/p/RPM/records")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Releases").click()
    page.get_by_role("link", name="Release 0.1.0").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Release 0.1.0")


def counts_on(page: Page) -> Counts:
    """Read the table of all checks off the page of a release."""
    rows = rows_of(page.get_by_role("table", name="All checks"))
    return {row[0]: (int(row[3]), int(row[4]), re.sub(r"^\W+", "", row[5]).strip()) for row in rows}


def counts_in(check: Mapping[str, Any]) -> Counts:
    """Return the same of a check that left the house as JSON."""
    words = {"passes": "passed", "fails": "failed", "warns": "warning", IDLE: IDLE}
    words["passes with a concession"] = "concession"
    return {
        rule["code"]: (rule["looked_at"], len(rule["findings"]), words[rule["verdict"]])
        for rule in check["rules"]
    }


def sentence_of(counts: Counts) -> str:
    """Say in one line what the counts come to, as the page and the command have to."""
    asked = [word for *_, word in counts.values() if word != IDLE]
    idle = len(counts) - len(asked)
    said = f"{asked.count('passed') + asked.count('concession')} of {len(asked)} pass"
    return f"{said}, {idle} had nothing to look at" if idle else said


def named_by_check(page: Page, code: str) -> set[str]:
    """Return the records that a failing check names on the page."""
    first = page.locator(f"#{code} li").all()
    return {line.locator("a.uid").first.inner_text() for line in first}


def waiting_for_re_review(page: Page) -> set[str]:
    """Return what the home page asks its reader to look at again."""
    page.goto("/")
    rows = page.get_by_role("table", name="Waiting for me").get_by_role("row")
    return set(uids_in(rows.filter(has_text="needs re-review").locator("th")))


def run_command(data_dir: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `fiducial` beside the service, as somebody on the server would."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FIDUCIAL_")}
    return subprocess.run(  # noqa: S603 - the command of this very checkout
        [sys.executable, "-m", "app.cli", *words],
        env={**kept, "FIDUCIAL_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@dataclass(frozen=True)
class People:
    """Three people at their own desks."""

    amara: Page
    chidi: Page
    esther: Page


@pytest.fixture(scope="module")
def people(desk: Desk) -> People:
    return People(*(desk.person(n) for n in ("amara.kole", "chidi.vance", "esther.quill")))


@pytest.fixture(scope="module")
def green(desk: Desk, people: People) -> Counts:
    """Every count of the release check, read before anything is changed."""
    open_release(people.esther)
    look(desk, people.esther)
    return counts_on(people.esther)


@pytest.fixture(scope="module")
def changed(desk: Desk, people: People, green: Counts) -> People:
    """Amara proposes a closer limit, Chidi reviews it and Esther approves it."""
    author, password = people.amara, desk.password
    open_form(author, CHANGED)
    look(desk, author)
    text = author.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace(BEFORE, AFTER))
    author.get_by_label("Reason for the change").fill(REASON)
    author.get_by_role("button", name="What would this touch?").click()
    preview = author.locator("#touches")
    expect(preview).to_contain_text("This change makes 4 records need re-review")
    assert set(uids_in(preview)) == doubted_by(CHANGED)
    look(desk, author)
    save_draft(author)
    assert told(author) == f"{CHANGED} revision 2 is saved as a draft."
    submit(author, password)
    assert told(author) == f"{CHANGED} revision 2 is in review."
    look(desk, author)

    reviewer = people.chidi
    open_record(reviewer, CHANGED)
    look(desk, reviewer)
    sign(reviewer, "reviewed", password)
    assert told(reviewer) == f"{CHANGED} revision 2 is signed as reviewed."

    manager = people.esther
    manager.goto("/p/RPM/sign")
    look(desk, manager)
    sign_what_waits(manager, "RPM", [CHANGED], password)
    assert told(manager) == f"Signed {CHANGED}."
    look(desk, manager)
    return people


def test_the_release_check_is_green_first_and_states_each_count(
    people: People, green: Counts
) -> None:
    page = people.esther
    open_release(page)

    expect(page.locator("#check")).to_contain_text("Nothing stops this release.")
    expect(page.get_by_role("heading", name="Release check")).to_have_text(
        f"Release check: {sentence_of(green)}"
    )
    assert len(green) > 70
    assert green["D10"][1:] == (10, "concession")
    for code, (looked_at, findings, word) in green.items():
        if code != "D10":
            assert (findings, word) == (0, "passed" if looked_at else IDLE), code
    assert green["A11"][0] > 100


def test_exactly_what_the_files_say_needs_re_review_after_a_changed_text(
    desk: Desk, changed: People, green: Counts
) -> None:
    expected = doubted_by(CHANGED)
    assert expected == {"DD-04", "RSK-004", "SI-05", "TST-009"}
    assert CHANGED not in DEPARTMENT.read_text("utf-8")

    page = changed.esther
    open_release(page)
    look(desk, page)
    assert named_by_check(page, "A11") == expected
    found = counts_on(page)
    assert found["A11"] == (green["A11"][0], len(expected), "failed")
    heading = page.get_by_role("heading", name="Release check").inner_text()
    assert (
        heading == f"Release check: {sentence_of(found)}" != f"Release check: {sentence_of(green)}"
    )

    open_record(page, CHANGED)
    look(desk, page)
    links = page.locator("section.panel", has=page.get_by_role("heading", name="Links"))
    marked = links.get_by_role("listitem").filter(has_text="needs re-review")
    assert set(uids_in(marked)) == expected
    assert waiting_for_re_review(changed.amara) == expected
    look(desk, changed.amara)
    for uid in sorted(expected):
        open_record(page, uid)
        doubt = page.get_by_role("region", name="Needs re-review")
        expect(doubt).to_contain_text(CHANGED)
        expect(doubt.locator("del")).to_have_text("0.4")
        expect(doubt.locator("ins")).to_have_text("0.3")
        look(desk, page)
    page.goto("/p/RPM/trace")
    page.get_by_role("link", name="needs re-review", exact=False).first.click()
    shown = {row[0].split()[0] for row in rows_of(page.get_by_role("table"))}
    assert shown == requirements_beside(expected)
    look(desk, page)


def test_page_command_and_export_count_the_same(
    desk: Desk, changed: People, module_demo: BuiltDemo
) -> None:
    page = changed.esther
    open_release(page)
    shown = counts_on(page)

    with page.expect_download() as started:
        page.get_by_role("link", name="JSON").click()
    exported = json.loads(started.value.path().read_text("utf-8"))
    asked = run_command(module_demo.data_dir, "check", "RPM", "--release", "0.1.0", "--json")
    told_plainly = run_command(module_demo.data_dir, "check", "RPM", "--release", "0.1.0")

    assert (asked.returncode, asked.stderr) == (1, "")
    assert counts_in(exported) == counts_in(json.loads(asked.stdout)) == shown
    assert told_plainly.stdout.splitlines()[-1].startswith(f"{sentence_of(shown)}:")
    for uid in doubted_by(CHANGED):
        assert f"{uid} needs re-review: {CHANGED} changed" in told_plainly.stdout


def test_a_re_review_clears_the_one_record_only(desk: Desk, changed: People, green: Counts) -> None:
    reviewer, manager = changed.chidi, changed.esther
    before = doubted_by(CHANGED)

    reviewer.goto("/")
    reviewer.get_by_role("row").filter(has_text="TST-009").get_by_role("link", name="needs").click()
    look(desk, reviewer)
    doubt = reviewer.get_by_role("region", name="Needs re-review")
    doubt.get_by_label("Why does TST-009 still hold?").fill("Its limit is already 0.3 percent.")
    press(reviewer, doubt.get_by_role("button", name="It still holds"))
    others = ", ".join(sorted(before - {"TST-009"}))
    assert told(reviewer) == (
        f"TST-009 is re-reviewed against {CHANGED}. {others} need re-review for the same reason."
    )
    look(desk, reviewer)

    expect(reviewer.get_by_role("region", name="Needs re-review")).to_have_count(0)
    open_release(manager)
    assert named_by_check(manager, "A11") == before - {"TST-009"}
    assert counts_on(manager)["A11"] == (green["A11"][0], len(before) - 1, "failed")
    assert waiting_for_re_review(changed.amara) == before - {"TST-009"}
    manager.goto("/p/RPM/audit?subject=TST-009")
    row = manager.get_by_role("row").filter(has_text="record:test:review")
    expect(row).to_contain_text("Its limit is already 0.3 percent.")
    look(desk, manager)


def test_the_history_tells_what_changed_word_by_word(desk: Desk, changed: People) -> None:
    page = changed.esther

    open_record(page, CHANGED)
    press(page, page.get_by_role("button", name="Compare revisions"))
    look(desk, page)

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{CHANGED}: revision 1 against 2")
    assert page.locator("main del").all_inner_texts() == ["0.4"]
    assert page.locator("main ins").all_inner_texts() == ["0.3"]
    page.get_by_role("link", name="History").click()
    look(desk, page)
    newest, oldest = rows_of(page.get_by_role("table", name="Revisions"))
    assert newest[0] == "2"
    assert newest[1] == "approved"
    assert newest[6] == REASON
    assert (oldest[0], oldest[1]) == ("1", "approved")
    page.get_by_role("link", name="1", exact=True).click()
    look(desk, page)
    expect(page.locator("main .prose").first).to_contain_text(BEFORE)
    expect(page.locator(".title-line")).to_contain_text("not in force")


def test_the_matrix_leaves_the_house_as_it_is_shown(desk: Desk, people: People) -> None:
    page = people.esther
    page.goto("/p/RPM/trace")
    look(desk, page)

    for name in ("all", "not run", "in the release"):
        link = page.locator(".filters").get_by_text(re.compile(f"^{name} "))
        count = int(link.inner_text().rsplit(maxsplit=1)[1])
        if name != "all":
            press(page, link)
        shown = rows_of(page.get_by_role("table"))
        with page.expect_download() as started:
            page.get_by_role("link", name="CSV").click()
        text = started.value.path().read_text("utf-8-sig")
        exported = list(csv.DictReader(text.splitlines(keepends=True)))
        assert len(shown) == len(exported) == count, name
        assert count > 0
        for cells, line in zip(shown, exported, strict=True):
            assert cells[0].startswith(f"{line['Requirement']} {line['Title']}")
            assert f"rev {line['Revision']} {line['State']}" in cells[0]
            assert cells[1].split() == line["Need"].split()
            for cell, column in ((cells[2], "Software item"), (cells[3], "Test")):
                told_there = [word for word in line[column].split() if "-" in word[:5]]
                assert [w for w in cell.split() if w in told_there] == told_there
            assert re.match(r"\d*", cells[4]).group() == line["Commits"].replace("0", "")
            assert cells[5].endswith(line["Verdict"])


def test_a_row_of_the_matrix_says_why(desk: Desk, people: People) -> None:
    page = people.esther
    page.goto("/p/RPM/trace?show=in+the+release")

    page.get_by_role("link", name="why REQ-008 reads so").click()

    why = page.locator("tr.beneath", has_text="Why REQ-008 reads so")
    expect(why).to_contain_text("TST-007 revision 1 passed in run 1 on commit")
    expect(why.get_by_role("link", name="run 1")).to_be_visible()
    look(desk, page)


def test_the_risk_file_shows_both_matrices_and_a_cell_shows_its_risks(
    desk: Desk, people: People
) -> None:
    page = people.esther
    page.goto("/p/RPM/risks")
    look(desk, page)

    grids = {}
    for caption in ("Before controls", "After verified controls"):
        grid = page.get_by_role("table", name=caption)
        cells = grid.locator("td")
        assert cells.count() == 25
        levels = cells.locator(".level-cell__level").all_text_contents()
        assert {re.sub(r"\D", "", level) for level in levels} == {"1", "2", "3", "4", "5"}
        grids[caption] = [int(n) for n in cells.get_by_role("link").all_inner_texts()]
        assert sum(grids[caption]) == 13
    assert grids["Before controls"] != grids["After verified controls"]
    after = page.get_by_role("table", name="After verified controls")
    cell = after.get_by_role("link", name=re.compile("at Very low x Major, level 2"))
    count = int(cell.inner_text())
    press(page, cell)
    shown = rows_of(page.get_by_role("table", name="Risks of"))
    assert len(shown) == count
    for row in shown:
        assert row[6].startswith("2")
        assert "not verified" not in row[5]
    look(desk, page)


def test_search_finds_a_record_by_uid_and_by_a_word_of_its_text(desk: Desk, people: People) -> None:
    page = people.esther
    page.goto("/")
    page.get_by_role("link", name="RPM RT Plan Metrics").last.click()

    search(page, "holes")
    look(desk, page)
    # In the text of the design, the acceptance criterion of the requirement, the test's title.
    assert uids_in(page.locator("main")) == ["TST-008", "DD-02", "REQ-007"]
    search(page, "rsk-004")
    # What was typed comes first, before the document that speaks of it.
    assert uids_in(page.locator("main")) == ["RSK-004", "DOC-HZL"]
    search(page, "no such words")
    expect(page.locator("main")).to_contain_text("No record fits.")
    look(desk, page)
