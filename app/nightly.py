"""What is done every night: the audit trail is verified, findings are counted, QATrack+ is read.

The first two are written into the audit trail, so that the release check can say when the trail
was last verified, and a page how the findings of a project moved. Each QATrack+ server is a job of
its own. The job asks for the next night's itself; a worker that starts asks too, and asking twice
makes one job.
"""

from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session, select

from core.blobs import BlobStore
from core.clock import now
from core.db import Database
from core.jobs.context import JobContext, JsonDict
from core.jobs.service import enqueue
from core.ledger.verified import record_verification
from core.ledger.verify import Verification
from core.records.audit import verify_installation
from core.records.models import Project
from dataflows.qatrack.servers import ask_to_read_all
from qms.attention.counting import count_findings, record_count

JOB_KIND = "app.nightly"
AT = time(2, 0)
"""UTC; nobody waits for a page then."""


def ask_for_the_next(db: Database) -> None:
    """Ask for the coming night's job, once."""
    with db.writing() as session:
        _enqueue(session)


def _enqueue(session: Session, after: timedelta = timedelta()) -> None:
    moment = next_night(now() + after)
    enqueue(session, JOB_KIND, {}, None, key=moment.date().isoformat(), not_before=moment)


def next_night(moment: datetime) -> datetime:
    """Return when the next night's job may begin."""
    tonight = datetime.combine(moment.date(), AT, moment.tzinfo)
    return tonight if moment < tonight else tonight + timedelta(days=1)


def run(ctx: JobContext) -> JsonDict:
    """Verify the trail, count findings, let QATrack+ be read, and ask for the next night."""
    ctx.step("next", _asked)
    servers = ctx.step("read QATrack+", ask_to_read_all)
    with ctx.db.reading() as session:
        keys = [project.key for project in session.exec(select(Project).order_by(Project.key))]
    ctx.progress(0, len(keys) + 1, "Verifying the audit trail")
    found = ctx.step("verify", work=partial(_verified, ctx), commit=_recorded)
    counted: dict[str, Any] = {}
    for place, key in enumerate(keys, start=1):
        ctx.progress(place, len(keys) + 1, f"Counting the findings of {key}")
        counted[key] = ctx.step(
            f"count {key}",
            work=partial(count_findings, ctx.db, key),
            commit=partial(record_count, key=key),
        )
    return {"verified": found, "counted": counted, "to_read": servers, "address": "/"}


def _asked(session: Session) -> JsonDict:
    # The database's clock, by which this job began, may be a little ahead of ours: without the
    # hour the next night could be this one, whose job is this very one.
    _enqueue(session, after=timedelta(hours=1))
    return {}


def _verified(ctx: JobContext) -> Verification:
    with ctx.db.reading() as session:
        return verify_installation(session, BlobStore(ctx.settings.data_dir / "blobs"))


def _recorded(session: Session, found: Verification) -> JsonDict:
    record_verification(session, found)
    return {"entries": found.entries, "findings": len(found.findings)}
