"""A day that a record states is told before it has gone by, on Home and on a page of its own."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from app.main import ROUTERS
from core.clock import now
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.service import create_record, find_project, latest_revision
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.records.types import TypeRegistry
from qms.falling_due.service import days_of
from qms.rules.packs import framework_pack, read_framework_pack

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 5, 20)


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return TypeRegistry.load([ROOT / "qms/types", ROOT / "dataflows/types"])


def record(kind: str, uid: str, state: str = "approved", **fields: object) -> RecordView:
    return RecordView(
        Key("RPM", uid), kind, uid, fields=fields, state=state, in_force=state != "draft"
    )


def told(registry: TypeRegistry, snapshot: Snapshot) -> list[tuple[str, int, str]]:
    limits = read_framework_pack().limits
    found = days_of(
        snapshot, "RPM", registry, limits["due_dates"], TODAY, limits["due_within_days"]
    )
    return [(one.key.uid, one.days, one.word) for one in found]


def test_days_are_told_from_two_months_before_and_until_something_is_done(registry) -> None:
    records = [
        record("document", "DOC-1", review_by="2026-05-10"),
        record("document", "DOC-2", review_by="2026-06-19"),
        record("document", "DOC-3", review_by="2026-07-19"),
        record("document", "DOC-4", review_by="2026-07-20"),
        record("document", "DOC-5", state="draft", review_by="2026-05-21"),
        record("document", "DOC-6"),
        record("soup", "SOUP-1", end_of_support="2026-05-20"),
        record("action", "ACT-1", state="closed", due="2026-05-21"),
        record("action", "ACT-2", state="in_work", due="2026-05-21"),
        record("waiver", "WVR-1", expires="2026-05-19"),
        record("waiver", "WVR-2", expires="2026-05-22"),
    ]

    assert told(registry, Snapshot(records, [])) == [
        ("DOC-1", -10, "overdue"),
        ("SOUP-1", 0, "due"),
        ("ACT-2", 1, "due"),
        ("WVR-2", 2, "due"),
        ("DOC-2", 30, "due"),
        ("DOC-3", 60, "coming"),
    ]


def test_the_last_management_review_and_the_last_look_say_when_the_next_is_due(registry) -> None:
    records = [
        record("management_review", "MR-1", next_due="2026-05-01"),
        record("management_review", "MR-2", next_due="2026-06-01"),
        record("surveillance", "SRV-1", first_due="2026-01-01", interval_days=30),
        record("surveillance", "SRV-2", first_due="2026-05-25", interval_days=30),
        record("surveillance_event", "SRE-1", state="recorded", looked_on="2026-05-01"),
    ]
    links = [LinkView("result_of", Key("RPM", "SRE-1"), Key("RPM", "SRV-1"), {})]

    assert told(registry, Snapshot(records, links)) == [
        ("SRV-2", 5, "due"),
        ("SRV-1", 11, "due"),
        ("MR-2", 12, "due"),
    ]


def test_every_field_named_is_a_day_of_its_type(registry) -> None:
    for name, fields in framework_pack().limits["due_dates"].items():
        for field in fields:
            assert registry.of(name).fields[field].kind == "date", (name, field)


def test_the_page_and_home_name_what_falls_due(new_site) -> None:
    site = new_site(*ROUTERS)
    day = now().date() + timedelta(days=3)
    with site.db.writing() as session:
        by = Actor(1, "Amara Kole", "PPL-AK", {None: frozenset({"author"})})
        plan = Content("Plan", "Text.", {"kind": "plan", "review_by": day.isoformat()})
        made = create_record(session, find_project(session, "RPM"), "document", plan, by)
        links = (LinkDraft("assigned_to", "PPL-AK"), LinkDraft("arises_from", made.uid))
        content = Content("Call the maker", "Do.", {"due": day.isoformat()}, links)
        create_record(session, find_project(session, "RPM"), "action", content, by)
        revision = latest_revision(session, made)
        revision.state, revision.approved_at, made.effective_id = "approved", now(), revision.id

    esther = site.browser("PPL-EQ", "quality_manager")
    page, home = esther.get("/p/RPM/due").text, esther.get("/").text

    assert "Call the maker" in page
    assert "Review due" in home
    assert '<a href="/p/RPM/due">What falls due in RPM</a>' in home
    assert "Call the maker" not in home
    assert f'{day} <small class="quiet">in 3 days</small>' in page
