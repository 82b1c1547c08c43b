"""What pages show and the demonstration lacks: a pack of a change, files that were checked."""

from playwright.sync_api import Page

from app.worker import see_through
from core.blobs import BlobStore
from core.db import open_database
from core.people.service import find_actor
from core.records.service import find_project
from core.settings import Settings
from dataflows.planning.pack.build import build, record
from dataflows.planning.plan import Purpose
from qms.interchange.checks.arriving import Sent, asked
from qms.interchange.checks.service import PAGE, ask
from tests.journeys.deeds import press
from tests.qms.sheets.workbooks import faulty_log, workbook


def prepare(settings: Settings) -> None:
    """Build a change-impact pack and have files checked, as the commands and pages do."""
    store = BlobStore(settings.data_dir / "blobs")
    database = open_database(settings.database, settings.data_dir)
    with database.writing() as session:
        contents, data = build(session, "DEPT", "PQA", Purpose.REPLACE, ["DEPT", "RPM"])
        record(session, contents, store.put(data), ["DEPT", "RPM"], None)
    rows = b"id,title,links\nR1,One,R1\nR2,Two,R3\n"
    with database.writing() as session:
        project, by = find_project(session, "RPM"), find_actor(session, "PPL-EQ")
        job = ask(session, store, project, asked([Sent("reqs.csv", rows)]), by, PAGE).job_id
    see_through(database, settings, job)
    database.engine.dispose()


def send_faulty_rows(page: Page) -> None:
    """Send a risk spreadsheet whose faults are to be corrected on the page."""
    page.goto("/p/RPM/sheets/risk")
    log = {"name": "log.xlsx", "mimeType": "", "buffer": workbook(faulty_log())}
    page.get_by_label("File", exact=True).set_input_files(log)
    press(page, page.get_by_role("button", name="Check the rows"))
