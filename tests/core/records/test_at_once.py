"""Two people act at the same moment: nobody collides, and what is frozen is one state."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlmodel import Session

from core import ledger
from core.canonical import digest
from core.clock import now
from core.ledger.verify import verify_chain
from core.records import service as record_service
from core.records import snapshot_rows
from core.records.approval import submit
from core.records.content import Content
from core.records.models import Record
from core.records.service import create_record, edit_token, latest_revision, save_draft
from qms.baselines.comparison import BaselineLine
from qms.baselines.service import find_baseline, lines_of
from qms.releases.service import freeze
from qms.repositories.models import Repository, RepositoryTag
from tests.conftest import Office

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-006")]

PROBLEM = Content("A thing", "It broke.", {"found_in": "0.1.0"})
SOON_S = 1.5
"""Longer than any of these transactions lasts when nothing holds it up."""


def together(*acts: Callable[[], object]) -> list[object]:
    """Do several things at once and return what came of each; a failure of one is raised."""
    with ThreadPoolExecutor(len(acts)) as pool:
        started: list[Future[object]] = [pool.submit(one) for one in acts]
        return [one.result(timeout=60) for one in started]


def test_the_first_two_records_of_a_type_get_two_numbers(office: Office) -> None:
    ready = threading.Barrier(2)

    def create() -> str:
        with office.writing() as session:
            if not office.database.is_sqlite:
                ready.wait(20)
            record = create_record(
                session, office.project(session), "problem", PROBLEM, office.staff["PPL-AK"]
            )
            uid = record.uid
            time.sleep(0.2)
            return uid

    assert sorted(together(create, create)) == ["PR-001", "PR-002"]


def test_many_at_once_of_two_types_neither_collide_nor_wait_for_each_other(office: Office) -> None:
    def create(kinds: tuple[str, str]) -> Callable[[], None]:
        def both() -> None:
            with office.writing() as session:
                for kind in kinds:
                    content = PROBLEM if kind == "problem" else Content("Need", "It is needed.")
                    project = office.project(session)
                    create_record(session, project, kind, content, office.staff["PPL-AK"])
                    time.sleep(0.05)

        return both

    orders = [("problem", "user_need"), ("user_need", "problem")] * 4
    together(*[create(order) for order in orders])

    with office.reading() as session:
        uids = sorted(office.record(session, f"PR-{n:03d}").uid for n in range(1, 9))
        assert len(set(uids)) == 8
        assert verify_chain(session).clean


def test_the_first_two_entries_of_an_audit_trail_follow_one_another(database) -> None:
    def write() -> None:
        with database.writing() as session:
            ledger.append(session, "test:thing:happen", None)
            time.sleep(0.2)

    together(write, write, write)

    with database.reading() as session:
        assert (verify_chain(session).entries, verify_chain(session).clean) == (3, True)


def test_an_entry_follows_the_end_that_stands_now_not_one_read_before(database) -> None:
    with database.writing() as session:
        ledger.append(session, "test:thing:happen", None)

    def write() -> None:
        with database.writing() as other:
            ledger.append(other, "test:other:happen", None)

    if database.is_sqlite:
        pytest.skip("SQLite lets nobody write meanwhile")
    with database.writing() as session:
        ledger.chain.head(session)
        together(write)
        ledger.append(session, "test:thing:happen", None)

    with database.reading() as session:
        assert (verify_chain(session).entries, verify_chain(session).clean) == (3, True)


def propose_change(office: Office, text: str) -> None:
    with office.writing() as session:
        record = office.record(session, "UN-001")
        token = edit_token(latest_revision(session, record))
        author = office.staff["PPL-AK"]
        content = Content(text, text, {"stakeholder": "physicist", "acceptance": text})
        save_draft(session, record, content, author, token)


def bring_into_force(office: Office, session: Session, uid: str) -> None:
    """Let the newest revision count, with the entry that every change of a record leaves."""
    record = record_service.lock_record(session, office.record(session, uid))
    revision = latest_revision(session, record)
    author, proof = office.staff["PPL-AK"], office.proof("PPL-AK")
    submit(session, record, author, proof, edit_token(revision))
    revision.state, revision.approved_at = "approved", now()
    record.effective_id = revision.id


def with_release(office: Office) -> None:
    author = office.staff["PPL-AK"]
    with office.writing() as session:
        project = office.project(session)
        need = Content("One", "One", {"stakeholder": "physicist", "acceptance": "One"})
        create_record(session, project, "user_need", need, author)
        bring_into_force(office, session, "UN-001")
        release = Content("Release", "", {"version": "1.0.0", "git_tag": "v1"})
        create_record(session, project, "release", release, author, uid="REL-1")
        repository = Repository(
            project_id=project.id, name="device", address="/srv/device", registered_by="Amara Kole"
        )
        session.add(repository)
        session.flush()
        sha = digest("a commit")[:40]
        session.add(
            RepositoryTag(repository_id=repository.id, name="v1", sha=sha, annotated=True, at=now())
        )
    propose_change(office, "Two")


def test_nothing_comes_into_force_while_a_baseline_is_frozen(office: Office, monkeypatch) -> None:
    """The links are read first, then the revisions; a change in between would tear them apart."""
    with_release(office)
    read_links = snapshot_rows._links
    others: list[threading.Thread] = []
    waited: list[bool] = []

    def change() -> None:
        with office.writing() as session:
            bring_into_force(office, session, "UN-001")

    def links_then_another(*given: object) -> object:
        found = read_links(*given)  # type: ignore[arg-type]
        if not others:
            others.append(threading.Thread(target=change))
            others[0].start()
            others[0].join(SOON_S)
            waited.append(others[0].is_alive())
        return found

    # What the gates before it find in so small a record is not what is tested here.
    monkeypatch.setattr("qms.releases.service.freezing_findings", lambda *_: ())
    monkeypatch.setattr(snapshot_rows, "_links", links_then_another)
    with office.writing() as session:
        baseline = freeze(session, office.project(session), "REL-1", office.staff["PPL-AK"])
        number = str(baseline.number)
    others[0].join(30)

    assert waited == [True], "the change came into force in the middle of the freezing"
    with office.reading() as session:
        project = office.project(session)
        lines: list[BaselineLine] = lines_of(session, find_baseline(session, project, number))
        assert [(line.uid, line.revision) for line in lines] == [("UN-001", 1)]
        need = session.get_one(Record, office.record(session, "UN-001").id)
        assert need.effective_id == need.latest_id, "the change came into force afterwards"
