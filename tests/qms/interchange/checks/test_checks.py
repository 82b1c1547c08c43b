"""One seeded corpus, four ways in: command, program, page and print tell the same findings."""

import io
import json
import re
import zipfile
from collections import Counter
from html import unescape
from pathlib import Path

import pypdf
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import cli
from app.worker import run_worker
from core.jobs.routes import router as jobs
from core.ledger.models import LedgerEntry
from core.people.tokens import START
from qms.interchange.checks.api.routes import router as api
from qms.interchange.checks.models import TraceCheck, TraceCheckResult
from qms.interchange.checks.routes import router as pages
from tests.programs import Program
from tests.qms.conftest import Site
from tests.qms.interchange.seeded import SEEDED

pytestmark = pytest.mark.verifies("TST-029")

CODE = r"TR\d{3}"


@pytest.fixture
def site(new_site) -> Site:
    return new_site(pages, api, jobs)


@pytest.fixture
def tester(site: Site) -> TestClient:
    return site.browser("PPL-T", "tester")


def zipped(folder: Path) -> bytes:
    """Pack a folder from inside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()


def send(client: TestClient, *files: tuple[str, bytes], **typed: str) -> Response:
    """Send the form of the page as a browser does."""
    return client.post(
        "/p/RPM/files-in",
        data={"csrf_token": "csrf-PPL-T", **typed},
        files=[("files", one) for one in files],
    )


def work(site: Site) -> None:
    run_worker(site.db, site.settings, once=True, slots=1, poll_s=0.05)


def rows_of(html: str, caption: str) -> list[list[str]]:
    """Return the cells of the table with a caption, as they are read."""
    table = next(
        one for one in re.findall(r"(?s)<table.*?</table>", html) if f">{caption}</caption>" in one
    )
    body = table[table.index("<tbody>") :]
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)
        ]
        for row in re.findall(r"(?s)<tr>(.*?)</tr>", body)
    ]


def test_command_program_page_and_print_tell_the_same_counts(
    site: Site, tester: TestClient, seeded: Path
) -> None:
    command = CliRunner().invoke(cli, ["trace-check", str(seeded), "--json"])
    program = Program(site.app, site.db, "PPL-T", START)
    sent = {"files": ("reqs.zip", zipped(seeded), "application/zip")}

    asked = program.ask("POST", "/api/p/RPM/trace-checks", files=sent)
    work(site)
    told = program.get(asked.headers["location"])
    html = tester.get("/p/RPM/files-in/1").text
    printed = tester.get("/p/RPM/files-in/1/export/pdf").content
    exported = json.loads(tester.get("/p/RPM/files-in/1/export/json").content)

    said = json.loads(command.stdout)
    assert (command.exit_code, asked.status_code) == (1, 202)
    assert said["counts"] == dict.fromkeys(sorted(SEEDED), 1)
    assert told["counts"] == said["counts"]
    assert Counter(one["code"] for one in told["findings"]) == said["counts"]
    by_code = {row[0]: int(row[1]) for row in rows_of(html, "Findings by code")}
    assert by_code == said["counts"]
    assert Counter(row[0] for row in rows_of(html, "Findings")) == said["counts"]
    paper = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(printed)).pages)
    about, _, rows = paper.partition("What is wrong")
    counted = {code: int(count) for code, count in re.findall(rf"({CODE}): (\d+)", about)}
    assert counted == said["counts"]
    assert Counter(re.findall(CODE, rows)) == said["counts"]
    places = {one["code"]: one["place"] for one in told["findings"]}
    assert places == SEEDED
    assert {row[0]: row[1] for row in rows_of(html, "Findings")} == SEEDED
    assert {row["Code"]: row["Place"] for row in exported["rows"]} == SEEDED


def test_what_was_sent_and_what_came_of_it_stay_in_the_audit_trail(
    site: Site, tester: TestClient, seeded: Path
) -> None:
    answer = send(tester, ("reqs.zip", zipped(seeded)), levels="REQ\nSPEC")
    work(site)
    page = tester.get("/p/RPM/files-in").text
    filtered = tester.get("/p/RPM/files-in/1?code=TR103").text
    result = tester.get(re.search(r"/p/RPM/files-in/1/files/\w{64}(?=\">as JSON)",
                                  filtered)[0])  # fmt: skip

    assert re.fullmatch(r"/jobs/\d+", answer.headers["location"])
    assert "Show the result" in tester.get(answer.headers["location"]).text
    assert "9 findings" in page
    assert [row[0] for row in rows_of(filtered, "Findings")] == ["TR103"]
    assert json.loads(result.content)["counts"] == dict.fromkeys(sorted(SEEDED), 1)
    with site.db.reading() as session:
        check = session.execute(select(TraceCheck)).scalar_one()
        kept = session.execute(select(TraceCheckResult)).scalar_one()
        lines = session.execute(
            select(LedgerEntry).where(LedgerEntry.action.like("trace:check:%"))
        ).scalars()
        told = {one.action: json.loads(one.data) for one in lines}
        assert (check.levels, kept.form, kept.findings) == (["REQ", "SPEC"], "doorstop", 9)
        assert told["trace:check:tell"]["counts"] == kept.counts
        assert told["trace:check:tell"]["result"] == kept.sha256
        assert list(told["trace:check:ask"]["files"]) == ["reqs.zip"]


def test_what_cannot_be_taken_comes_back_with_every_fault_and_keeps_what_was_typed(
    site: Site, tester: TestClient
) -> None:
    columns = "uid=Ref\nnonsense=Other"

    answer = send(
        tester, ("../a.csv", b"id\n"), ("b.zip", b""), form="word", levels="A\nA", columns=columns
    )

    assert answer.status_code == 422
    for said in ("../a.csv", "A zip is sent alone", "Nothing reads the format", "stands twice",
                 "names no part of an item", columns):  # fmt: skip
        assert said in unescape(answer.text)
    with site.db.reading() as session:
        assert session.execute(select(TraceCheck)).first() is None


def test_who_only_reads_sends_nothing(site: Site) -> None:
    reader = site.browser("PPL-T", "viewer")

    answer = send(reader, ("a.csv", b"id,title\nR1,One\n"))

    assert answer.status_code == 403
    assert 'type="file"' not in reader.get("/p/RPM/files-in").text
