"""What must be there before every page can be opened, and the parts of addresses pages tell."""

import re

from playwright.sync_api import Page, expect

from core.blobs import BlobStore
from core.db import open_database
from core.settings import Settings
from dataflows.planning.pack.build import build, record
from dataflows.planning.plan import Purpose
from tests.demonstration import BuiltDemo
from tests.journeys.deeds import press
from tests.journeys.prepared import check_files

REPORT = b"""<testsuite name="rpm" tests="2" failures="1">
  <testcase classname="dose" name="test_TST_009_volumes"/>
  <testcase classname="dose" name="test_TST_010_weak"><failure message="0.9 expected"/></testcase>
</testsuite>"""


def kept_and_found(author: Page, demo: BuiltDemo) -> dict[str, str]:
    """Return a commit, a file of evidence and the like, after keeping one of what has none yet."""
    _build_pack(demo.settings)
    check_files(demo.settings)
    author.goto("/p/RPM/REQ-001")
    attached = {"name": "sketch.txt", "mimeType": "text/plain", "buffer": b"a sketch"}
    author.get_by_label("Attach files").set_input_files(attached)
    press(author, author.get_by_role("button", name="Attach", exact=True))
    expect(author.get_by_role("link", name="sketch.txt")).to_be_visible()
    author.goto("/p/RPM/trace/views?rows=user_need")
    author.get_by_label("Name").fill("Needs")
    author.get_by_label("Share it with everybody who reads RPM").check()
    press(author, author.get_by_role("button", name="Keep this view"))
    author.goto("/p/DEPT/map/drift")
    destinations = b"AE title,host,port\nPACS_ARC,192.0.2.99,104\nOTHER,192.0.2.98,104\n"
    exported = {"name": "list.csv", "mimeType": "text/csv", "buffer": destinations}
    author.get_by_label("System").select_option("CTSIM")
    author.get_by_label("File").set_input_files(exported)
    press(author, author.get_by_role("button", name="Import"))
    _import_results(author)
    found = {}
    for name, at, pattern in (
        ("commit", "/p/RPM/repositories", r"/commits/(\w+)"),
        ("link", "/p/RPM/REQ-009", r"/repositories/lines/(\d+)"),
        ("checked", "/p/RPM/files-in/1", r"/files/(\w{64})"),
        ("report", "/p/RPM/results/1", r"/files/(\w{64})"),
        ("evidence", "/p/RPM/runs/1", r"/files/(\w{64})"),
        ("attachment", "/p/RPM/REQ-001", r"/files/(\d+)"),
        ("view", "/p/RPM/trace/views", r"/trace/views/(\d+)"),
        ("listed", "/p/DEPT/map/drift", r"/map/drift/(\d+)"),
    ):
        [first, *_] = re.findall(pattern, author.request.get(at).text())
        found[name] = first
    return found


def _import_results(author: Page) -> None:
    """Import a report as a developer does, for a commit that the repository's page names."""
    page = author.request.get("/p/RPM/repositories").text()
    [commit, *_] = re.findall(r"/commits/(\w{40})", page)
    author.goto("/p/RPM/results")
    report = {"name": "report.xml", "mimeType": "text/xml", "buffer": REPORT}
    author.get_by_label("Reports").set_input_files(report)
    author.get_by_label("Commit that was tested").fill(commit)
    press(author, author.get_by_role("button", name="Import"))
    expect(author.get_by_role("heading", name="Test results 1")).to_be_visible()


def _build_pack(settings: Settings) -> None:
    """Build a change-impact pack, as the command does, so that there is one to be handed out."""
    store = BlobStore(settings.data_dir / "blobs")
    with open_database(settings.database, settings.data_dir).writing() as session:
        contents, data = build(session, "DEPT", "PQA", Purpose.REPLACE, ["DEPT", "RPM"])
        record(session, contents, store.put(data), ["DEPT", "RPM"], None)
