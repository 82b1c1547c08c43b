"""What needs attention is counted as its lists count it, now and every night."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.main import ROUTERS
from core import ports
from core.clock import now
from core.ledger import append
from core.people.actor import Actor
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.models import Record, Revision
from core.records.service import find_project, find_record
from core.records.snapshot import Key, RecordView, Snapshot
from core.records.types import get_registry
from core.verdicts import Verdict, VerdictWord
from qms.attention.counting import count_findings, nights, record_count
from qms.attention.kinds import KINDS
from qms.attention.standing import EXPIRES_WITHIN, _expiring

AT = "/p/RPM/trend"
FAILED = ("TST-004", "TST-009")
TODAY = date(2026, 5, 20)


def verdicts(_session, _project, _release):
    return {uid: Verdict(VerdictWord.FAILED, run="3") for uid in FAILED}


@pytest.fixture
def site(new_site):
    with ports.verdict_source.filled(verdicts):
        made = new_site(*ROUTERS)
        # Making the whole service fills the ports anew.
        with ports.verdict_source.filled(verdicts):
            yield made


@pytest.fixture
def esther(site):
    return site.browser("PPL-EQ", "quality_manager")


def actions(site, *days: date | None) -> None:
    """Have an action be due on each of some days."""
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        by = Actor(1, "Amara Kole", "PPL-AK", {None: frozenset({"author"})})
        drafts = []
        for number, day in enumerate(days, start=1):
            links = (LinkDraft("assigned_to", "PPL-AK"),)
            # What came by import may lack what is asked for here, such as a day.
            fields = {"due": day.isoformat()} if day else {}
            content = Content(f"Act {number}", "Do.", fields, links)
            drafts.append(RecordDraft(project.key, "action", f"ACT-00{number}", content))
        import_records(session, drafts, by, get_registry())


def counts(text: str) -> dict[str, int]:
    """Return each kind of the table with its count."""
    found = {}
    for kind in KINDS:
        told = re.search(
            rf">{kind.label}(?:</a>)?<small.*?class=\"number\">(\d+)<", text, re.DOTALL
        )
        assert told, kind.label
        found[kind.name] = int(told.group(1))
    return found


def test_each_count_is_what_its_list_holds(site, esther, words) -> None:
    today = now().date()
    # Tomorrow, not today: the day may end while the test runs.
    days = [today + timedelta(days=number) for number in (-3, -1, 1)]
    actions(site, *days, None)
    with site.db.writing() as session:
        record = find_record(session, find_project(session, "RPM"), "REQ-001")
        session.execute(
            update(Revision)
            .where(col(Revision.id) == record.latest_id)
            .values(state="in_review")
            .execution_options(recorded=True)
        )

    page = esther.get(AT)

    told = counts(page.text)
    assert told["failing_tests"] == 2
    assert told["overdue_actions"] == 2
    assert told["in_review"] == 1
    assert told["lacking_training"] > 0
    assert "Overdue actions (2)" in words(page)
    for kind, at, sentence in (
        ("failing_tests", "/p/RPM/trace?rows=test&amp;show=failing", "2 rows"),
        ("in_review", "/p/RPM/records?state=in_review", "1 record"),
        ("drafts", "/p/RPM/records?state=draft", f"{told['drafts']} records"),
        (
            "lacking_training",
            "/p/RPM/training?show=anything+missing",
            f"anything missing {told['lacking_training']}",
        ),
    ):
        assert f'href="{at}"' in page.text, kind
        assert sentence in words(esther.get(at.replace("&amp;", "&"))), kind
    assert "/p/RPM/re-review" not in page.text, "nothing leads to an empty list"


def test_page_counts_as_the_night_does_and_says_what_moved(site, esther, words) -> None:
    counted = count_findings(site.db, "RPM")
    with site.db.writing() as session:
        record_count(session, counted, "RPM")
        fewer = {**counted, "errors": counted["errors"] + 2, "drafts": counted["drafts"] - 1}
        record_count(session, fewer, "RPM")

    page = esther.get(AT)

    assert counts(page.text) == {kind.name: counted[kind.name] for kind in KINDS}
    said = words(page)
    assert f"{counted['errors']} 2 fewer" in said
    assert f"{counted['drafts']} 1 more" in said
    assert page.text.count("<polyline") == len(KINDS) + 2


def test_night_that_counted_less_is_read_and_told_with_dashes(site, esther) -> None:
    told = {"release": "", "failing": 1, "errors": 4, "warnings": 2, "re_review": 0}
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        append(session, "check:project:count", None, project.id, "RPM", told)

    with site.db.reading() as session:
        [night] = nights(session, find_project(session, "RPM"))
    page = esther.get(AT)
    export = esther.get(f"{AT}/export/json")

    assert dict(night.counts) == {"errors": 4, "warnings": 2, "re_review": 0}
    assert page.status_code == 200
    [row] = export.json()["rows"]
    assert (row["Errors"], row["Failing tests"]) == (4, None)


def test_project_without_anything_counts_nothing_and_leads_nowhere(site, words) -> None:
    browser = site.browser("PPL-XX", "viewer", project="DEPT")
    with site.db.writing() as session:
        session.execute(
            update(Record).values(withdrawn_at=now()), execution_options={"recorded": True}
        )

    page = browser.get("/p/DEPT/trend")

    assert page.status_code == 200
    told = counts(page.text)
    assert {name for name, count in told.items() if count} <= {"errors", "warnings"}
    assert "No release stands to be judged" in words(page)
    assert "No night has been counted yet" in words(page)


def test_concession_expires_soon_from_its_last_days_to_its_day() -> None:
    def waiver(uid: str, days: int, **more: bool) -> RecordView:
        ends = {"expires": (TODAY + timedelta(days=days)).isoformat()}
        return RecordView(Key("RPM", uid), "waiver", uid, fields=ends, **{"in_force": True, **more})

    within = EXPIRES_WITHIN.days
    held = [
        waiver("WVR-01", within),
        waiver("WVR-02", 0),
        waiver("WVR-03", -1),
        waiver("WVR-04", within + 1),
        waiver("WVR-05", 3, in_force=False),
        waiver("WVR-06", 3, withdrawn=True),
    ]

    class Named:
        key = "RPM"

    found = _expiring(Snapshot(held, []), Named(), TODAY)

    assert [one.key.uid for one in found] == ["WVR-02", "WVR-01"]
