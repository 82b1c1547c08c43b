"""Jobs for the tests of the worker; a child process imports this module by its name.

Each finished step adds one row to `tally`, which has no unique key: a step that counted twice
would show as two rows.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlmodel import Session, col

from core.db import Database
from core.errors import Fault, Invalid
from core.jobs.context import JobContext, JsonDict
from core.jobs.models import Job, JobAttempt

metadata = MetaData()
tally = Table(
    "test_tally",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Integer),
    Column("step", String),
    Column("attempt", Integer),
)


def counted(db: Database, job_id: int) -> list[str]:
    with db.reading() as session:
        query = select(tally.c.step).where(tally.c.job_id == job_id).order_by(tally.c.id)
        return list(session.execute(query).scalars())


def counted_by(db: Database, job_id: int) -> list[tuple[str, int]]:
    """Return each row's step with the number of the attempt that wrote it."""
    with db.reading() as session:
        query = select(tally.c.step, tally.c.attempt).where(tally.c.job_id == job_id)
        return [(row.step, row.attempt) for row in session.execute(query.order_by(tally.c.id))]


def stored_job(db: Database, job_id: int) -> Job:
    """Return a job as the database holds it now."""
    with db.reading() as session:
        job = session.get_one(Job, job_id)
        session.expunge_all()
        return job


def stored_attempts(db: Database, job_id: int) -> list[JobAttempt]:
    """Return a job's attempts as the database holds them now."""
    with db.reading() as session:
        query = select(JobAttempt).where(col(JobAttempt.job_id) == job_id)
        found = list(session.execute(query.order_by(col(JobAttempt.number))).scalars())
        session.expunge_all()
        return found


def _count(session: Session, ctx: JobContext, step: str) -> JsonDict:
    session.execute(insert(tally).values(job_id=ctx.job_id, step=step, attempt=ctx.attempt))
    return {"step": step, "attempt": ctx.attempt}


def count(ctx: JobContext) -> JsonDict:
    """Half the steps work inside their transaction, half outside, each for a moment."""
    total = ctx.payload["steps"]
    pause_s = ctx.payload.get("pause_s", 0.0)
    steps = []
    for number in range(total):
        name = f"step {number}"
        if number % 2:

            def inside(session: Session, name: str = name) -> JsonDict:
                done = _count(session, ctx, name)
                session.flush()
                time.sleep(pause_s)
                return done

            steps.append(ctx.step(name, inside))
        else:

            def outside(name: str = name) -> str:
                time.sleep(pause_s)
                return name

            steps.append(
                ctx.step(
                    name, work=outside, commit=lambda session, name: _count(session, ctx, name)
                )
            )
        ctx.progress(number + 1, total, f"{name} done")
    return {
        "steps": [step["step"] for step in steps],
        "interrupted": len(ctx.interrupted_attempts),
    }


def fail_always(ctx: JobContext) -> JsonDict:
    raise RuntimeError(f"patient {ctx.payload['patient']}")


def refuse(ctx: JobContext) -> JsonDict:
    ctx.step("first", lambda session: _count(session, ctx, "first"))
    raise Invalid("The input is not acceptable.", (Fault("X1", "line 3", "is empty."),))


def fail_once(ctx: JobContext) -> JsonDict:
    ctx.step("first", lambda session: _count(session, ctx, "first"))
    if ctx.attempt == 1:
        raise OSError("the network went away")
    return {"attempt": ctx.attempt}


def die(ctx: JobContext) -> JsonDict:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def hang(ctx: JobContext) -> JsonDict:
    """Start a program that would outlive us, say its number, and sleep."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(ctx.payload["note"]).write_text(str(program.pid))
    time.sleep(600)
    return {}


def wait(ctx: JobContext) -> JsonDict:
    """Finish one step, and in the second one's work wait for a file of this attempt's own."""
    ctx.step("first", lambda session: _count(session, ctx, "first"))

    def work() -> None:
        Path(f"{ctx.payload['note']}-{ctx.attempt}").write_text(str(os.getpid()))
        while not Path(f"{ctx.payload['go']}-{ctx.attempt}").exists():
            time.sleep(0.02)

    ctx.step("second", work=work, commit=lambda session, _: _count(session, ctx, "second"))
    return {"attempt": ctx.attempt}


def tell_settings(ctx: JobContext) -> JsonDict:
    return {"data_dir": str(ctx.settings.data_dir), "payload": ctx.payload}


KINDS = {
    "count": "counted_jobs:count",
    "fail": "counted_jobs:fail_always",
    "refuse": "counted_jobs:refuse",
    "fail_once": "counted_jobs:fail_once",
    "die": "counted_jobs:die",
    "hang": "counted_jobs:hang",
    "wait": "counted_jobs:wait",
    "settings": "counted_jobs:tell_settings",
    "missing": "counted_jobs:no_such_function",
}
