"""A risk spreadsheet with faults is sent, mended in the browser, and imported."""

import json
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from core.ledger.models import LedgerEntry
from core.records.models import Record
from core.records.service import find_project, find_record, latest_revision, read_content
from qms.baselines.models import Baseline
from qms.risks.routes import router as risks
from qms.sheets.routes import router
from tests.qms.conftest import Site
from tests.qms.sheets.workbooks import (
    FAULTS,
    HEADINGS,
    MENDS,
    Form,
    faulty_log,
    hazard,
    workbook,
)

pytestmark = pytest.mark.verifies("TST-045")

ADDRESS = "/p/RPM/sheets/risk"


@pytest.fixture
def site(new_site) -> Site:
    """The demonstration's records with two requirements in force and one need."""
    made: Site = new_site(router)
    with made.db.writing() as session:
        project = find_project(session, "RPM")
        for uid in ("REQ-001", "REQ-002", "UN-001"):
            record = find_record(session, project, uid)
            revision = latest_revision(session, record)
            revision.state = "approved"
            record.effective_id = revision.id
    return made


@pytest.fixture
def author(site: Site) -> TestClient:
    return site.browser("PPL-AK2", "author", "developer")


def upload(client: TestClient, data: bytes, name: str = "hazards.xlsx") -> Response:
    return client.post(
        ADDRESS, data={"csrf_token": "csrf-PPL-AK2", "action": "preview"},
        files={"file": (name, data)},
    )  # fmt: skip


def press(client: TestClient, page: Response, button: str, **typed: str) -> Response:
    """Press a button of a page, with some of its fields typed over."""
    form = Form(page.text, button)
    values = {re.sub(r"_(\d+)", r".\1", name): value for name, value in typed.items()}
    return client.post(form.action, data=form.filled(values))


def faults_on(page: Response) -> dict[str, str]:
    """Return what the summary at the top says, by the row and column that it leads to."""
    summary = page.text[page.text.index("error-summary__list") :]
    summary = summary[: summary.index("</ul>")]
    found = re.findall(r'(?s)<a href="#([^"]+)">([^<]+)</a>: (.*?)</li>', summary)
    for anchor, _, _ in found:
        assert f'id="{anchor}"' in page.text
    return {where: " ".join(unescape(what).split()) for _, where, what in found}


def test_two_hundred_rows_with_ten_faults_are_mended_in_the_browser_and_imported(
    site: Site, author: TestClient
) -> None:
    mends = {**MENDS}
    last = {"cell_92_0": mends.pop("cell_92_0")}

    first = upload(author, workbook(faulty_log()))
    second = press(author, first, "Check again", **mends)
    third = press(author, second, "Check again", **last)
    done = press(author, third, "Import 200 risks as drafts")

    told = faults_on(first)
    assert list(told) == list(FAULTS)
    assert [where for where, said in FAULTS.items() if said not in told[where]] == []
    assert 'aria-describedby="cell-4-5-error" aria-invalid="true"' in first.text
    assert "Import 200" not in first.text
    assert faults_on(second) == {"Row 92, Id": told["Row 92, Id"]}
    assert "Named at last" in second.text
    assert "200 to create, 0 to change, 0 unchanged, 0 with faults" in third.text
    assert (done.status_code, done.headers["location"]) == (303, "/p/RPM/risks")
    assert_imported(site)


def assert_imported(site: Site) -> None:
    """Each of the two hundred is a draft with the values of its row, its controls linked."""
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        query = select(Record).where(Record.project_id == project.id, Record.type == "risk")
        made = {one.uid: one for one in session.execute(query).scalars()}
        named = {uid: read_content(session, one) for uid, one in made.items()}
        of_sheet = {uid for uid, one in named.items() if one.fields.get("harm") == "Wrong dose"}
        states = {latest_revision(session, made[uid]).state for uid in of_sheet}
        controls = read_content(session, find_record(session, project, "REQ-002")).links
        trail = session.execute(
            select(LedgerEntry.data).where(LedgerEntry.action == "record:sheet:import")
        ).scalar_one()
    assert (len(of_sheet), states) == (200, {"draft"})
    assert named["HAZ-002"].title == "Hazard 2: a plan of another patient is read"
    assert named["HAZ-002"].fields == {
        "hazard": "Hazard 2: a plan of another patient is read",
        "harm": "Wrong dose",
        "sequence": ["Two plans open", "No second check"],
        "severity": 4,
        "likelihood_before": 3,
        "likelihood_after": 2,
    }
    assert named["HAZ-002"].body == "Existing controls: Staff are trained"
    assert named["HAZ-021"].title == "Named at last"
    assert of_sheet - {f"HAZ-{number:03d}" for number in range(1, 201)} != set()
    linked = {one.target for one in controls if one.role == "mitigates"}
    assert {f"HAZ-{number:03d}" for number in range(2, 201, 2)} <= linked
    assert json.loads(trail)["created"] == 200
    assert json.loads(trail)["controls"] == ["REQ-001", "REQ-002"]


def test_the_same_sheet_again_changes_nothing_and_an_edited_row_changes_one(
    site: Site, author: TestClient
) -> None:
    rows = [hazard(1), hazard(2)]
    press(author, upload(author, workbook(rows)), "Import 2 risks as drafts")

    again = upload(author, workbook(rows))
    rows[1][2] = "Too much dose"
    edited = upload(author, workbook(rows))
    done = press(author, edited, "Import 1 risks as drafts")

    assert "0 to create, 0 to change, 2 unchanged, 0 with faults" in again.text
    assert "as drafts</button>" not in again.text
    assert "0 to create, 1 to change, 1 unchanged" in edited.text
    assert done.status_code == 303
    with site.db.reading() as session:
        record = find_record(session, find_project(session, "RPM"), "HAZ-002")
        assert read_content(session, record).fields["harm"] == "Too much dose"


def test_rows_without_ids_that_say_what_there_is_make_nothing_twice(
    site: Site, author: TestClient
) -> None:
    rows = [hazard(1), hazard(2), hazard(2)]
    for row in rows:
        row[0] = ""
    twice = upload(author, workbook(rows))
    press(author, press(author, twice, "Check again", drop_4="true"), "Import 2 risks as drafts")

    again = upload(author, workbook(rows[:2]))

    assert faults_on(twice) == {
        "Row 4, Hazard": "It says what row 3 says. Leave one of the two out, or give it an id."
    }
    assert "0 to create, 0 to change, 2 unchanged, 0 with faults" in again.text


def test_rows_take_their_numbers_from_where_the_headings_stand_and_csv_reads_alike(
    author: TestClient,
) -> None:
    bad = hazard(1)
    bad[5] = "Terrible"
    low = workbook([list(HEADINGS), bad], headings=["Hazard log of the department"])
    lines = [";".join(HEADINGS), *[";".join(str(one or "").replace("\n", ", ") for one in bad)]]
    text = f"{lines[0]}\r\n{''.join(lines[1:])}\r\n"

    read = upload(author, text.encode("cp1252"), "log.csv")

    assert list(faults_on(read)) == ["Row 2, Severity"]
    assert "names nothing of a risk" in upload(author, low).text


def test_our_own_export_of_the_risk_file_changes_nothing(new_site) -> None:
    author = new_site(router, risks).browser("PPL-AK2", "author", "developer")

    for form in ("xlsx", "csv"):
        data = author.get(f"/p/RPM/risks/export/{form}").content
        read = upload(author, data, f"risks.{form}")

        assert "0 to create, 0 to change, 13 unchanged, 0 with faults" in read.text, read.text


def test_a_heading_that_means_nothing_is_chosen_on_the_page(author: TestClient) -> None:
    rows = workbook([["H-1", "Heat", "Burns"]], headings=["hazard_id", "What", "Injury"])

    first = upload(author, rows)
    second = press(author, first, "Check again", column_1="hazard", column_2="harm")

    assert "'What' names nothing of a risk." in unescape(first.text)
    assert "1 to create" in second.text
    assert "Import 1 risks" in second.text


def test_what_changed_since_it_was_shown_is_not_imported(site: Site, author: TestClient) -> None:
    shown = upload(author, workbook([hazard(1)]))
    press(author, upload(author, workbook([hazard(1)])), "Import 1 risks")

    late = press(author, shown, "Import 1 risks")

    assert late.status_code == 409
    assert "is not as it was when it was checked" in late.text
    assert "1 unchanged" in late.text


def test_a_file_that_cannot_be_read_is_refused_in_words(author: TestClient) -> None:
    empty = author.post(ADDRESS, data={"csrf_token": "csrf-PPL-AK2"})

    assert (empty.status_code, "Choose a workbook or a CSV" in empty.text) == (422, True)
    for data, name, said in (
        (b"no zip", "a.xlsx", "This is no zip"),
        (b"%PDF-1.7", "a.pdf", "is no .xlsx, .xlsm or .csv"),
        (b"a\0b", "a.csv", "holds a zero byte"),
        (workbook([]), "a.xlsx", "has headings and no rows"),
    ):
        answer = upload(author, data, name)
        assert (answer.status_code, said in unescape(answer.text)) == (422, True), answer.text


def test_only_authors_send_rows_and_only_of_what_is_controlled(site: Site) -> None:
    reader = site.browser("PPL-AK2", "viewer")

    assert reader.get(ADDRESS).status_code == 403
    assert upload(reader, workbook([hazard(1)])).status_code == 403
    assert reader.get("/p/RPM/sheets/problem").status_code == 404
    assert reader.get("/p/RPM/sheets/nothing").status_code == 404


def test_requirements_come_in_the_same_way(site: Site, author: TestClient) -> None:
    data = workbook(
        [["One more", "It reads.", "functional", "UN-001"], ["Other", "", "funktional", "UN-1"]],
        headings=["Title", "Text", "Category", "derives from"],
    )

    page = author.post(
        "/p/RPM/sheets/requirement", data={"csrf_token": "csrf-PPL-AK2"},
        files={"file": ("reqs.xlsx", data)},
    )  # fmt: skip
    mended = press(author, page, "Check again", cell_3_2="functional", cell_3_3="UN-001")
    done = press(author, mended, "Import 2 requirements as drafts")

    told = faults_on(page)
    assert list(told) == ["Row 3, Category", "Row 3, Derives from"]
    assert "Did you mean functional?" in told["Row 3, Category"]
    assert "'UN-1' is no" in told["Row 3, Derives from"]
    assert done.status_code == 303


def test_what_is_in_force_is_frozen_first(site: Site, author: TestClient) -> None:
    press(author, upload(author, workbook([hazard(1)])), "Import 1 risks")

    with site.db.reading() as session:
        assert session.execute(select(Baseline)).scalar_one().purpose == "Before an import"


def test_a_table_of_one_column_stays_one_when_it_is_checked_again(author: TestClient) -> None:
    data = workbook([["Heat, and smoke"]], headings=["Hazard, in words"])

    first = upload(author, data)
    second = press(author, first, "Check again", column_0="hazard")

    assert "1 to create" in second.text
    assert "Heat, and smoke" in second.text


def test_a_level_whose_formula_came_to_nothing_is_told_as_not_compared(
    author: TestClient,
) -> None:
    data = workbook([["Heat", 4, 2, "=B2*C2"]], ["hazard", "severity", "likelihood", "risk level"])

    page = upload(author, data)

    assert "level before is a formula, and is not compared" in page.text
