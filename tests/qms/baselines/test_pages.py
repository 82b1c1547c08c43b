"""Baselines on their own pages: frozen, verified, and compared word by word and link by link."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.main import ROUTERS
from core import ledger
from core.clock import now
from core.errors import Conflict, Invalid, Refused
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.models import Person
from core.people.passwords import hasher
from core.records.content import LinkDraft
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from qms.baselines.current import lines_now, project_snapshot
from qms.baselines.differing import Kind, compared, marked
from qms.baselines.freezing import freeze_baseline, side

AT = "/p/RPM/baselines"
WORDS = "a long sentence to remember"
UIDS = ("UN-001", "REQ-001", "REQ-002", "REQ-003")


def actor(*roles: str) -> Actor:
    return Actor(1, "Amara Kole", "PPL-AK", {None: frozenset(roles or {"author"})})


def enforce(session, uid: str) -> None:
    """Let a draft count; what is signed for it is not what is tested here."""
    record = find_record(session, find_project(session, "RPM"), uid)
    latest = latest_revision(session, record)
    latest.state, latest.approved_at = "approved", now()
    record.effective_id = latest.id
    ledger.append(session, "record:requirement:approve", actor(), record.project_id, uid)


def change(session, uid: str, **parts) -> None:
    project = find_project(session, "RPM")
    record = find_record(session, project, uid)
    content = replace(read_content(session, record), **parts)
    save_draft(session, record, content, actor(), edit_token(latest_revision(session, record)))
    enforce(session, uid)


@pytest.fixture
def site(new_site):
    made = new_site(*ROUTERS)
    with made.db.writing() as session:
        for uid in UIDS:
            enforce(session, uid)
    return made


def freeze(site, name: str = "First", **more):
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        return freeze_baseline(session, project, name, "To look.", actor(), **more).number


@pytest.fixture
def two(site):
    """Two baselines: something added, changed, re-linked, removed, and signed anew between them."""
    freeze(site)
    with site.db.writing() as session:
        content = read_content(
            session, find_record(session, find_project(session, "RPM"), "REQ-001")
        )
        change(session, "REQ-001", title=f"{content.title} twice")
        change(session, "REQ-002", links=(LinkDraft("derives_from", "UN-001"),))
        change(session, "UN-001")
        enforce(session, "UN-002")
        record = find_record(session, find_project(session, "RPM"), "REQ-003")
        record.withdrawn_at = now()
        ledger.append(session, "record:requirement:withdraw", actor(), record.project_id, "REQ-003")
    freeze(site, "Second")
    return site


def test_difference_tells_what_became_of_each_record(two) -> None:
    with two.db.reading() as session:
        project = find_project(session, "RPM")
        before, after = (side(session, project, name) for name in ("1", "2"))
        found = compared(session, before.lines, after.lines)
        kinds = {one.key.uid: one.kinds for one in found.records}
        said = {
            one.key.uid: [(each.label, marked(each.parts)) for each in one.differences]
            for one in found.records
        }

    assert kinds == {
        "REQ-001": {Kind.CHANGED},
        "REQ-002": {Kind.RELINKED},
        "REQ-003": {Kind.REMOVED},
        "UN-001": {Kind.SAME_WORDS},
        "UN-002": {Kind.ADDED},
    }
    [(label, words)] = said["REQ-001"]
    assert label == "Title"
    assert words.endswith("{+ twice+}")
    assert all(label.startswith("Links: ") for label, _ in said["REQ-002"])
    assert said["REQ-002"]


def test_records_of_a_project_that_is_not_to_be_read_say_nothing(two) -> None:
    with two.db.reading() as session:
        project = find_project(session, "RPM")
        before, after = (side(session, project, name) for name in ("1", "2"))
        found = compared(session, before.lines, after.lines, readable={"DEPT"})

    assert {one.title for one in found.records} == {""}
    assert not any(one.differences for one in found.records)


def test_page_shows_the_words_and_exports_hold_them(two, words) -> None:
    browser = two.browser("PPL-XX", "viewer")

    page = browser.get(f"{AT}/compare?before=1&after=2")
    only = browser.get(f"{AT}/compare?before=1&after=2&show=re-linked")
    table = browser.get(f"{AT}/compare/export/json?before=1&after=2&show=changed").json()

    assert "<ins> twice</ins>" in page.text
    told = words(page)
    for sentence in ("all 5", "added 1", "changed 1", "re-linked 1", "removed 1", "same words 1"):
        assert sentence in told
    assert "REQ-002" in only.text
    assert "REQ-001" not in only.text
    [row] = table["rows"]
    assert (row["Record"], row["Value"]) == ("REQ-001", "Title")
    assert row["After"] == f"{row['Before']} twice"


def test_baseline_is_compared_with_today_unless_another_is_named(two, words) -> None:
    browser = two.browser("PPL-XX", "viewer")

    assert "Both hold the same records" in words(browser.get(f"{AT}/compare"))
    with two.db.writing() as session:
        change(session, "REQ-001", title="Another")
    told = words(browser.get(f"{AT}/compare?before=2"))

    assert "Baseline 2 compared with today" in told
    assert "all 1" in told


def test_baseline_is_verified_on_its_page(two, words) -> None:
    browser = two.browser("PPL-XX", "viewer")

    intact = words(browser.get(f"{AT}/1"))
    with two.db.engine.connect() as connection:
        query = "UPDATE revision SET envelope_digest = 'x' WHERE title LIKE '% twice'"
        connection.exec_driver_sql(query)
        connection.commit()
    broken = words(browser.get(f"{AT}/2"))

    assert "intact The root hash was computed again from its 4 records" in intact
    assert "This baseline does not hold" in broken
    assert "REQ-001 revision 2: no revision has the digest that was frozen." in broken


def test_baseline_is_frozen_and_signed_with_the_password(site, words) -> None:
    browser = site.browser("PPL-EQ", "quality_manager")
    with site.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-EQ")).one()
        person.password_hash = hasher().hash(WORDS)
    sent = {"name": "Before the upgrade", "reason": "It is due.", "csrf_token": "csrf-PPL-EQ"}

    wrong = browser.post(AT, data={**sent, "password": "wrong"})
    made = browser.post(AT, data={**sent, "password": WORDS})

    assert wrong.status_code == 401
    assert 'value="Before the upgrade"' in wrong.text
    assert (made.status_code, made.headers["location"]) == (303, f"{AT}/1")
    told = words(browser.get(f"{AT}/1"))
    assert "Baseline 1: Before the upgrade" in told
    assert "Person PPL-EQ, quality manager, as frozen" in told
    assert "It is due." in told
    with site.db.reading() as session:
        query = select(LedgerEntry).where(col(LedgerEntry.subject) == "baseline 1")
        assert session.scalars(query).one().details["signed"]["meaning"] == "frozen"


def test_whoever_may_not_freeze_is_told_who_may(site) -> None:
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        with pytest.raises(Refused, match="release manager, quality manager"):
            freeze_baseline(session, project, "A", "B", actor("tester"))
        with pytest.raises(Invalid) as refusal:
            freeze_baseline(session, project, " ", "", actor())
        assert [fault.where for fault in refusal.value.faults] == ["Name", "Reason"]
    assert "Freeze and sign" not in site.browser("PPL-TT", "tester").get(AT).text


def test_design_freeze_is_refused_with_everything_its_gate_finds(site) -> None:
    with pytest.raises(Invalid, match="design freeze cannot be frozen") as refusal:
        freeze(site, gate="design")

    assert len(refusal.value.faults) > 1
    assert all(fault.mend for fault in refusal.value.faults)


def test_project_without_anything_in_force_has_nothing_to_freeze(new_site, words) -> None:
    bare = new_site(*ROUTERS)

    with pytest.raises(Conflict, match="Nothing is in force"):
        freeze(bare)
    browser = bare.browser("PPL-XX", "viewer")
    assert "No baseline was frozen" in words(browser.get(AT))
    assert "no baseline to compare" in words(browser.get(f"{AT}/compare"))
    assert browser.get(f"{AT}/7").status_code == 404


def test_lines_of_today_are_those_that_would_be_frozen(site) -> None:
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        lines = lines_now(project_snapshot(session, project), "RPM")

    assert sorted(line.uid for line in lines if line.project == "RPM") == sorted(UIDS)
