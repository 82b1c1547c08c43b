"""Every night the audit trail is verified and each project's findings are counted, once."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import nightly
from app.nightly import JOB_KIND, ask_for_the_next, next_night
from app.tables import prepare
from app.worker import JOBS, run_worker
from core.jobs.models import Job, JobState
from core.jobs.service import enqueue
from core.ledger import append
from core.ledger.models import LedgerEntry
from core.ledger.verified import last_verification
from core.settings import Settings
from dataflows.qatrack.models import QatrackServer
from qms.attention.counting import nights
from qms.attention.drawing import lines_of

pytestmark = pytest.mark.database


def entries(session, action: str) -> list[LedgerEntry]:
    return list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == action)))


def work(office, tmp_path) -> None:
    """Let a night's job begin now, and see it through."""
    with office.writing() as session:
        enqueue(session, JOB_KIND, {}, None, key="now")
    settings = Settings(data_dir=tmp_path)
    run_worker(office.database, settings, {JOB_KIND: JOBS[JOB_KIND]}, once=True)


def test_a_night_verifies_counts_and_asks_for_the_next(office, tmp_path) -> None:
    prepare()
    with office.writing() as session:
        session.add(QatrackServer(name="main", address="https://qa.example.org", time_zone="UTC"))

    work(office, tmp_path)

    with office.reading() as session:
        verified = last_verification(session)
        counted = nights(session, office.project(session))
        waiting, to_read = session.execute(
            select(Job.kind, Job.not_before).where(Job.state == JobState.QUEUED).order_by(Job.kind)
        )
    assert verified is not None
    assert (verified.findings, verified.entries) == (0, verified.entries)
    assert verified.entries > 0
    assert [(one.release, one.errors, one.re_review) for one in counted] == [("", 0, 0)]
    assert (waiting.kind, waiting.not_before.hour) == (JOB_KIND, 2)
    assert to_read.kind == "dataflows.qatrack.refresh"
    assert waiting.not_before > datetime.now(UTC)


def test_what_does_not_fit_is_counted_and_told(office, tmp_path) -> None:
    prepare()
    with office.writing() as session:
        append(session, "session:person:enter", None)
    with office.database.engine.begin() as connection:
        drop_guards(connection)
        connection.exec_driver_sql("UPDATE ledger_entry SET subject = 'x' WHERE seq = 1")

    work(office, tmp_path)

    with office.reading() as session:
        verified = last_verification(session)
        [told] = [entry.details["told"] for entry in entries(session, "audit:trail:verify")]
    assert verified is not None
    assert verified.findings >= 1
    assert told


def drop_guards(connection) -> None:
    """Take the guards of the audit trail away, as somebody with the database file could."""
    if connection.dialect.name == "sqlite":
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entry'"
        )
        for (name,) in names.fetchall():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    else:
        connection.exec_driver_sql("ALTER TABLE ledger_entry DISABLE TRIGGER USER")


def test_a_night_that_begins_a_moment_early_asks_for_the_one_after(office, monkeypatch) -> None:
    """PostgreSQL's clock may be ahead of this machine's."""
    early = datetime(2026, 11, 21, 1, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(nightly, "now", lambda: early)

    with office.writing() as session:
        nightly._asked(session)

    with office.reading() as session:
        [begins] = session.scalars(select(Job.not_before)).all()
    assert begins == datetime(2026, 11, 22, 2, tzinfo=UTC)


def test_asking_twice_makes_one_job(office) -> None:
    ask_for_the_next(office.database)
    ask_for_the_next(office.database)

    with office.reading() as session:
        assert len(session.scalars(select(Job)).all()) == 1


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2026-11-21T01:59", "2026-11-21T02:00"), ("2026-11-21T02:00", "2026-11-22T02:00")],
)
def test_the_next_night_begins_at_two(moment: str, expected: str) -> None:
    told = next_night(datetime.fromisoformat(moment).replace(tzinfo=UTC))

    assert told.isoformat() == f"{expected}:00+00:00"


def test_a_line_is_drawn_of_two_nights_and_stays_within_the_picture(office) -> None:
    counts = {"release": "", "failing": 1, "warnings": 0}
    with office.writing() as session:
        project = office.project(session)
        for errors, doubtful in ((4, 0), (2, 8), (0, 1)):
            told = {**counts, "errors": errors, "re_review": doubtful}
            append(session, "check:project:count", None, project.id, "RPM", told)

    with office.reading() as session:
        counted = nights(session, office.project(session))
    lines = lines_of(counted)

    assert lines_of(counted[:1]) is None
    assert lines is not None
    assert lines.most == 8
    assert [line.points for line in lines.lines] == [
        "24.0,80.0 320.0,108.0 616.0,136.0",
        "24.0,136.0 320.0,24.0 616.0,122.0",
    ]
