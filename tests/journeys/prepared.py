"""Files that were checked, and rows that are sent, for the pages that show them."""

from playwright.sync_api import Page

from app.worker import see_through
from core.blobs import BlobStore
from core.db import open_database
from core.people.service import find_actor
from core.records.service import find_project
from core.settings import Settings
from qms.interchange.checks.arriving import Sent, asked
from qms.interchange.checks.service import PAGE, ask
from tests.journeys.deeds import press
from tests.qms.sheets.workbooks import faulty_log, workbook


def check_files(settings: Settings) -> None:
    """Have a file checked by a job, as its page does."""
    store = BlobStore(settings.data_dir / "blobs")
    database = open_database(settings.database, settings.data_dir)
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
