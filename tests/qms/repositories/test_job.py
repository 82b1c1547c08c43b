"""The scan as a job: done by a real worker in a child process, for the person who asked."""

import pytest
from sqlalchemy import select

from app.worker import run_worker
from core.jobs.models import Job
from core.jobs.service import enqueue
from core.ledger.models import LedgerEntry
from qms.repositories import service

pytestmark = pytest.mark.database


@pytest.fixture
def scan_job(registered):
    """Ask for a scan and let a worker do it; return the job as it ended."""

    def scan(repository_id: int) -> Job:
        with registered.db.writing() as session:
            job_id = enqueue(
                session,
                service.JOB_KIND,
                {"repository": repository_id},
                registered.by,
                project_id=registered.project_id,
                most_attempts=1,
            ).id
        run_worker(registered.db, registered.settings, once=True, slots=1, poll_s=0.05)
        with registered.db.reading() as session:
            job = session.get_one(Job, job_id)
            session.expunge(job)
            return job

    return scan


def test_a_scan_job_tells_what_it_brought_and_where_to_look(registered, source, scan_job) -> None:
    source.add("Begin", "Traced\n\nImplements: REQ-001, REQ-999\n")
    source.tag("v0.1.0")

    job = scan_job(registered.register(source, "rpm"))

    assert (job.state, job.error) == ("done", "")
    assert job.result == {
        "repository": "rpm",
        "commits": 2,
        "lost": 0,
        "linked": 1,
        "unknown": 1,
        "tags": 1,
        "moved": 0,
        "read": 1,
        "marked": 0,
        "suspect": 0,
        "address": "/p/RPM/repositories",
    }
    assert "2 new commits" in job.progress["text"]
    with registered.db.reading() as session:
        entry = session.execute(
            select(LedgerEntry).where(LedgerEntry.action == "repository:commits:observe")
        ).scalar_one()
        assert entry.person_name == "Amara Kole"


def test_a_scan_that_git_refuses_fails_with_git_s_words(registered, source, scan_job) -> None:
    source.add("Begin")
    repository = registered.register(source, "rpm")
    source.folder.rename(source.folder.with_name("moved"))

    job = scan_job(repository)

    assert job.state == "failed"
    assert "could not fetch" in job.error
