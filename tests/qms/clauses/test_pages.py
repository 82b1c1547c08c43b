"""The pages of the clauses: what is asked opens, counts agree, what is shown leaves as shown."""

import csv
import io
import json
import re
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import cli
from app.commands import clauses as told
from app.commands.console import Opened
from core.people.actor import Actor
from core.people.service import Reauthentication, find_actor
from core.records import approval
from core.records.approval import Signing
from core.records.content import Content
from core.records.models import Record, Revision
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
)
from qms.clauses import service
from qms.clauses.routes import router
from qms.clauses.service import clause_file
from qms.rules.packs import read_framework_pack

AT = "/p/RPM/clauses"


@pytest.fixture
def site(new_site):
    made = new_site(router)
    with made.db.writing() as session:
        in_force = select(Record).where(Record.uid.in_(["DOC-VVP", "RSK-001", "RSK-002"]))
        for record in session.execute(in_force).scalars():
            session.get_one(Revision, record.latest_id).state = "approved"
            record.effective_id = record.latest_id
    return made


@pytest.fixture
def browser(site):
    return site.browser("PPL-EQ", "quality_manager")


def numbers(response, framework: str) -> list[int]:
    """Return the counts of one framework's row on the overview."""
    rows = re.findall(r"<tr>.*?</tr>", response.text, re.DOTALL)
    [row] = [one for one in rows if f"framework={framework}&" in one or f"={framework}&" in one]
    return [int(one) for one in re.findall(r">(\d+)<", row)]


@pytest.mark.parametrize("words", ["ISO 13485 7.3.7", "13485:7.3.7", "7.3.7", "iso13485-7.3.7a"])
def test_a_clause_that_is_typed_opens_at_once(browser, words) -> None:
    response = browser.get(AT, params={"q": words})

    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{AT}/13485/7.3.7?release=")


def test_a_clause_shows_its_records_checks_gaps_and_questions(browser, words) -> None:
    page = browser.get(f"{AT}/13485/7.3.7")

    text = words(page)
    assert page.status_code == 200
    assert "7.3.7 validation" in text
    assert "1 in force, 7 not yet." in text
    assert 'href="/p/RPM/DOC-VVP"' in page.text
    assert "No test in force speaks to it; TST-019, TST-020" in text
    assert "E02 Each user need has a validation" in text
    assert "Test (Level: validation)" in text
    assert "Do these records do what the clause asks?" in text
    assert "/new/document" not in page.text  # she may not write one
    assert 'href="/p/RPM/new/applicability?exclusions.clause=ISO13485-7.3.7"' in page.text


def test_a_clause_as_json_says_the_same(browser) -> None:
    found = browser.get(f"{AT}/13485/7.3.7.json").json()

    assert found["standing"] == "partly"
    assert [one["uid"] for one in found["in_force"]] == ["DOC-VVP"]
    assert len(found["drafts"]) == 7
    assert found["in_force"][0]["named_by"] == "the record"
    assert {one["code"] for one in found["checks"]} == {"E02", "E06", "E17", "E20", "H03"}
    assert [one["type"] for one in found["would_fill"]] == ["clinical_evaluation", "test"]


def test_risks_and_the_check_of_their_controls_answer_dcb0129(browser) -> None:
    found = browser.get(f"{AT}/dcb0129/6.3.3.json").json()

    assert [one["uid"] for one in found["in_force"]] == ["RSK-001", "RSK-002"]
    assert [one["code"] for one in found["checks"]] == ["D08"]
    assert [one["type"] for one in found["would_fill"]] == []


def test_counts_of_the_page_of_the_json_and_of_the_filter_are_the_same(browser, words) -> None:
    overview = browser.get(AT)
    told = browser.get(f"{AT}.json", params={"framework": "13485"}).json()
    [counted] = [one for one in told["frameworks"] if one["key"] == "13485"]

    assert numbers(overview, "13485") == [71, *counted["counts"].values()]
    for standing, count in counted["counts"].items():
        listed = browser.get(AT, params={"framework": "13485", "show": standing})
        assert listed.text.count(f'<th scope="row"><a class="mono" href="{AT}/13485/') == count
    assert len(told["clauses"]) == 71
    assert told["unknown_pointers"] == []


def test_a_heading_lists_what_is_below_and_words_search_the_titles(browser, words) -> None:
    heading = browser.get(AT, params={"q": "13485 7.3"})
    titled = browser.get(AT, params={"q": "design files", "framework": "13485"})
    nothing = browser.get(AT, params={"q": "zebra"})

    assert "all 10" in words(heading)
    assert "7.3.10 design files" in words(titled)
    assert "all 1 " in words(titled)
    assert "No list has a clause that says “zebra”." in words(nothing)


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "html"])
def test_every_export_holds_exactly_the_clauses_shown(browser, name) -> None:
    response = browser.get(f"{AT}/export/{name}?framework=14971&show=gap")

    assert response.status_code == 200
    shown = browser.get(f"{AT}.json?framework=14971&show=gap").json()["clauses"]
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert [row["Clause"] for row in rows] == [one["clause"] for one in shown]
        assert {row["Standing"] for row in rows} == {"gap"}
        assert all(row["What is missing"] for row in rows)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{AT}/13485/99.9", 404),
        (f"{AT}/nowhere/1.1", 404),
        (f"{AT}?framework=nowhere", 404),
        (f"{AT}?release=9.9.9", 404),
        (f"{AT}/13485/7.3.7.json?release=none", 200),
        (f"{AT}/part11/11.70", 200),
        (f"{AT}?q={'x' * 201}", 422),
    ],
)
def test_what_is_not_there_is_told_in_words(browser, address, status) -> None:
    assert browser.get(address).status_code == status


def test_nobody_reads_the_clauses_of_a_project_that_is_not_theirs(site) -> None:
    stranger = site.browser("PPL-XX", "viewer", project="DEPT")

    for where in (AT, f"{AT}.json", f"{AT}/13485/7.3.7", f"{AT}/export/csv"):
        assert stranger.get(where).status_code == 404


def test_an_exclusion_is_shown_with_reason_and_what_it_lacks(site, browser, words) -> None:
    rows = [
        {"clause": "ISO13485-7.5.5", "reason": "Software only."},
        {"clause": "ISO13485-7.99", "reason": "x"},
    ]
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        author = Actor(1, "Amara Kole", "PPL-AK", {None: frozenset({"author"})})
        content = Content("What does not apply", fields={"exclusions": rows})
        create_record(session, project, "applicability", content, author)
    page = browser.get(f"{AT}/13485/7.5.5")
    assert "no: it is draft, not approved" in words(page)
    assert browser.get(f"{AT}/13485/7.5.5.json").json()["standing"] == "gap"

    with site.db.writing() as session:
        record = find_record(session, find_project(session, "RPM"), "SOA-001")
        read = edit_token(latest_revision(session, record))
        approval.submit(session, record, author, Reauthentication(1), read)
        manager = find_actor(session, "PPL-EQ")
        read = edit_token(latest_revision(session, record))
        signing, proof = Signing("approved", "quality_manager"), Reauthentication(manager.person_id)
        approval.sign(session, record, signing, manager, proof, read)
    excluded = browser.get(f"{AT}/13485/7.5.5.json").json()

    assert excluded["standing"] == "excluded"
    assert excluded["exclusions"][0]["reason"] == "Software only."
    assert excluded["exclusions"][0]["approved_by"][0].startswith("Person PPL-EQ, ")
    assert "ISO13485-7.99 in SOA-001" in words(browser.get(AT))


def test_what_a_department_asks_otherwise_is_told(browser, words, tmp_path, monkeypatch) -> None:
    (tmp_path / "ours.yaml").write_text(
        "changes: medical-device-software\nlimits: {retention_years: 15}\n"
    )
    pack = read_framework_pack(tmp_path)
    monkeypatch.setattr(service, "framework_pack", lambda: pack)

    change = "limit retention_years: 15 instead of 10 (rules/ours.yaml)"
    assert change in words(browser.get(AT))
    assert browser.get(f"{AT}.json").json()["changes"] == [change]


def test_the_command_tells_what_the_page_tells(site, monkeypatch) -> None:
    @contextmanager
    def opened():
        yield Opened(site.settings, site.db)

    monkeypatch.setattr(told, "installation", opened)
    runner = CliRunner()
    with site.db.reading() as session:
        file = clause_file(session, "RPM")

    one = runner.invoke(cli, ["clauses", "RPM", "13485 7.3.7", "--json"])
    heading = runner.invoke(cli, ["clauses", "RPM", "13485 7.3"])
    everything = runner.invoke(cli, ["clauses", "RPM"])
    nothing = runner.invoke(cli, ["clauses", "RPM", "zebra"])

    assert (one.exit_code, heading.exit_code, everything.exit_code) == (0, 1, 1)
    assert json.loads(one.stdout)["standing"] == file.clause("13485", "7.3.7").standing
    assert "10 of 374 clauses" in heading.stdout
    gaps = sum(each.standing == "gap" for each in file.of("13485"))
    assert f"{gaps} gap" in everything.stdout.splitlines()[0]
    assert nothing.exit_code == 1
