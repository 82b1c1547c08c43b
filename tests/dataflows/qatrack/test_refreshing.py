"""A server is named, read by a worker, and from then on procedures say how they stand."""

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from core.db import Database
from core.errors import Conflict, Invalid
from core.jobs.models import Job
from core.ledger.models import LedgerEntry
from core.ledger.witness import mismatches
from core.people.actor import Actor
from core.records import service as records
from core.settings import Settings
from dataflows.qatrack import queries, reading, refreshing, servers, tokens
from dataflows.qatrack.client import Limits, Server
from dataflows.qatrack.models import QatrackItem, QatrackReading
from dataflows.qatrack.queries import qa_status
from dataflows.qatrack.reading import read_server
from dataflows.qatrack.servers import Wish
from dataflows.qatrack.standing import FRESH_FOR, Kind, State
from tests.dataflows.qatrack.conftest import Outcome, Work, keep_as
from tests.dataflows.qatrack.peer import TOKEN, Answer, Peer
from tests.dataflows.qatrack.test_reading import ASSIGNED, PERFORMED, RECORDED_ON, TO_HDR

Read = Callable[..., Outcome]

DONE = "qc/testlistinstances/"


@pytest.fixture
def read(named: Database, work: Work) -> Read:
    """Read the server now."""

    def read_now(*, test: bool = False) -> Outcome:
        with named.writing() as session:
            servers.ask_to_read(session, servers.find_server(session, "main"), None, test=test)
        return work()

    return read_now


def states(db: Database, at: datetime = RECORDED_ON) -> dict[str, State]:
    with db.reading() as session:
        return {uid: one.state for uid, one in qa_status(session, "DEPT", at).items()}


def fresh() -> datetime:
    return datetime.now(UTC)


def test_procedures_kept_elsewhere_say_nothing_and_without_a_server_none_does(
    map_db: Database,
) -> None:
    assert states(map_db) == {}


def test_one_refresh_tells_how_each_linked_procedure_stands(named: Database, read: Read) -> None:
    job = read()

    found = states(named, fresh())
    assert (job.state, job.result["items"]) == ("done", 8)
    assert found["QA-002"] is State.OVERDUE
    assert found["QA-001"] is not State.UNKNOWN
    with named.reading() as session:
        told = qa_status(session, "DEPT", fresh())["QA-003"]
    assert (told.state, told.reason) == (State.UNKNOWN, "main has no test list of that name.")


def test_a_list_of_the_peer_or_of_a_real_server_is_linked_and_read_by_a_worker(
    *, either: Server, map_db: Database, author: Actor, settings: Settings, work: Work
) -> None:
    """Whatever a real server holds: what it lists is read, and nothing is made up."""
    settings.qatrack_servers = [either.address]
    zone = os.environ.get("FIDUCIAL_QATRACK_ZONE", "Europe/London")
    there = read_server(either, (), ZoneInfo(zone))
    on_units = {key.slug for key in there if key.kind is Kind.UTC}
    kept = [key.slug for key in there if key.kind is Kind.LIST][:2]
    slugs = {f"QA-{n:03d}": slug for n, slug in enumerate([*kept, "no such list"], 1)}
    with map_db.writing() as session:
        wish = Wish("main", either.address, zone, either.token)
        servers.name_server(session, wish, author, settings)
        project = records.find_project(session, "DEPT")
        for uid, slug in slugs.items():
            keep_as(session, project, uid, author, slug)
        servers.ask_to_read(session, servers.find_server(session, "main"), None)

    job = work()

    with map_db.reading() as session:
        told = qa_status(session, "DEPT", fresh())
    *linked, missing = (told[uid] for uid in slugs)
    assert (job.state, job.result["items"]) == ("done", len(there)), job.error
    assert (missing.state, missing.reason) == (State.UNKNOWN, "main has no test list of that name.")
    for one in linked:
        assert {unit.item.key.slug for unit in one.units} <= on_units
        assert one.units or one.state is State.UNKNOWN
        assert one.state is not State.OK or all(unit.done_at for unit in one.units)


def test_a_second_reading_writes_only_what_changed(named: Database, read: Read, peer: Peer) -> None:
    read()
    assert read().result["changed"] == 0

    peer.lists[ASSIGNED][0]["due_date"] = "2026-12-24T00:00:00Z"
    del peer.lists[ASSIGNED][2]

    assert read().result["changed"] == 2
    with named.reading() as session:
        rows = session.execute(select(QatrackItem)).scalars().all()
        assert [row.gone for row in rows].count(True) == 1
        assert len(rows) == 10
        assert list(mismatches(session, {})) == []


def test_a_reading_that_fails_makes_everything_unknown_until_the_next_good_one(
    named: Database, read: Read, peer: Peer
) -> None:
    read()
    peer.fault = lambda path, _: peer.replay("19_schema") if path == ASSIGNED else None

    failed = read()

    assert failed.state == "failed"
    assert "main could not be read. The server failed (status 500)." in failed.error
    with named.reading() as session:
        told = qa_status(session, "DEPT", fresh())
        readings = session.execute(select(QatrackReading)).scalars()
        (begun, _), (_, bad) = [(one.begun_at, (one.items, one.problem)) for one in readings]
    assert {one.state for one in told.values()} == {State.UNKNOWN}
    assert {one.since for one in told.values()} == {begun}
    assert told["QA-001"].effective is None
    assert told["QA-001"].words.startswith("unknown since 20")
    assert bad == (0, "The server failed (status 500).")

    peer.fault = None
    read()
    assert states(named, fresh())["QA-002"] is State.OVERDUE


IN_TROUBLE: dict[str, Callable[[Peer], Answer]] = {
    "answers 500": lambda peer: peer.replay("19_schema"),
    "throttles": lambda _: (429, {"Retry-After": "3600"}, b""),
    "ignores a filter": lambda peer: peer.json(peer.page(DONE, {})),
    "is slow": lambda _: (200, {"X-Drip": "1", "Content-Type": "application/json"}, b"{}"),
}
"""What a server in trouble answers to whoever asks for one result."""


@pytest.mark.parametrize("trouble", [*IN_TROUBLE, "is down"])
def test_a_server_in_trouble_is_never_green_and_unknown_since_the_last_good_reading(
    *, named: Database, read: Read, peer: Peer, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    peer.lists[ASSIGNED][0]["due_date"] = (fresh() + timedelta(days=30)).isoformat()
    read()
    before = states(named, fresh())
    # Nobody waits here for as long as a worker does.
    monkeypatch.setattr(refreshing, "Server", partial(Server, limits=Limits(silence_s=0.3)))
    if trouble in IN_TROUBLE:
        answer = IN_TROUBLE[trouble]
        peer.fault = lambda path, _: answer(peer) if path == PERFORMED else None
    else:
        peer.stop()

    failed = read()

    assert before["QA-001"] is State.OK
    assert failed.state == "failed"
    with named.reading() as session:
        told = qa_status(session, "DEPT", fresh())
        first = session.execute(select(QatrackReading.begun_at)).scalars().first()
    assert {one.state for one in told.values()} == {State.UNKNOWN}
    assert {one.since for one in told.values()} == {first}
    assert all(one.words.startswith("unknown since ") for one in told.values())
    assert not any(one.effective for one in told.values())


def test_what_nobody_foresaw_is_a_failed_reading_too(
    named: Database, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    monkeypatch.setattr(reading, "result_of", lambda *_, **__: {}["no such thing"])

    assert "could not be understood (KeyError)" in read().error
    assert states(named, fresh())["QA-002"] is State.UNKNOWN


def test_a_busy_server_is_waited_for_within_the_job(
    named: Database, read: Read, peer: Peer
) -> None:
    busy = iter([(429, {"Retry-After": "1"}, b"")])
    peer.fault = lambda path, _: next(busy, None) if path == ASSIGNED else None

    assert read().state == "done"
    assert len([one for one in peer.asked if ASSIGNED in one]) == 2


def test_what_was_read_too_long_ago_is_unknown(named: Database, read: Read) -> None:
    read()

    assert states(named, fresh() + FRESH_FOR - timedelta(minutes=5))["QA-002"] is State.OVERDUE
    assert set(states(named, fresh() + FRESH_FOR).values()) == {State.UNKNOWN}
    assert states(named, fresh() - timedelta(hours=1)) == {}, "no server was named then"


def test_what_was_known_at_a_moment_does_not_change_later(
    named: Database, read: Read, author: Actor, settings: Settings, peer: Peer
) -> None:
    """Neither a reading that failed since nor a server that was retired since counts."""
    read()
    signed = fresh()
    before = states(named, signed)
    peer.fault = lambda *_: (500, {}, b"")
    read()
    failed = states(named, fresh())
    with named.writing() as session:
        main = servers.find_server(session, "main")
        servers.retire_server(session, main, author, settings)

    assert before["QA-002"] is State.OVERDUE
    assert failed["QA-002"] is State.UNKNOWN
    assert states(named, fresh()) == {}
    assert states(named, signed) == before


def test_a_procedure_names_its_server_where_there_are_two(
    named: Database, read: Read, author: Actor, settings: Settings, peer: Peer
) -> None:
    read()
    with named.writing() as session:
        wish = Wish("second", f"{peer.address}/other", "UTC", TOKEN)
        servers.name_server(session, wish, author, settings)
        project = records.find_project(session, "DEPT")
        keep_as(session, project, "QA-002", author, TO_HDR.slug, "main")
        keep_as(session, project, "QA-003", author, "x", "gone")

    with named.reading() as session:
        told = qa_status(session, "DEPT", fresh())
    assert told["QA-002"].state is State.OVERDUE
    assert "in which of the QATrack+ servers" in told["QA-001"].reason
    assert told["QA-003"].reason == "No QATrack+ server gone is read here."


def test_a_test_tells_what_it_found_and_counts_as_no_reading(named: Database, read: Read) -> None:
    job = read(test=True)

    assert job.state == "done"
    assert job.told == "main: It answers and the token reads: 2 units, 4 tests"
    with named.reading() as session:
        assert session.execute(select(QatrackReading)).scalars().all() == []


def test_a_server_that_is_no_longer_allowed_is_not_asked(
    named: Database, read: Read, settings: Settings, peer: Peer
) -> None:
    settings.qatrack_servers = ["https://qa.example.org"]

    job = read()

    assert job.state == "failed"
    assert "not among the servers" in job.error
    assert peer.asked == []


def test_the_token_is_a_file_of_ours_alone_and_nowhere_else(
    named: Database, read: Read, settings: Settings, peer: Peer
) -> None:
    read()
    read(test=True)

    with named.reading() as session:
        number = servers.find_server(session, "main").id or 0
        trail = json.dumps([one.details for one in session.execute(select(LedgerEntry)).scalars()])
        jobs = [str(vars(one)) for one in session.execute(select(Job)).scalars()]
    [place] = (settings.data_dir / "keys").glob("qatrack-*")
    assert TOKEN not in trail + "".join(jobs)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert tokens.token_of(settings.data_dir, number, peer.address) == TOKEN
    content = Path(named.engine.url.database or "").read_bytes()
    assert TOKEN.encode() not in content

    with pytest.raises(Conflict, match="given for another address"):
        tokens.token_of(settings.data_dir, number, "http://127.0.0.1:1")
    place.chmod(0o644)
    with pytest.raises(Conflict, match="mode 0644"):
        tokens.token_of(settings.data_dir, number, peer.address)


def test_another_address_asks_for_the_token_again(
    named: Database, author: Actor, settings: Settings, peer: Peer
) -> None:
    with named.writing() as session:
        server = servers.find_server(session, "main")
        elsewhere = Wish("main", f"{peer.address}/moved", "UTC")
        with pytest.raises(Invalid, match="token"):
            servers.change_server(session, server, elsewhere, author, settings)
        kept = Wish("main", f" {peer.address}/ ", "UTC")
        servers.change_server(session, server, kept, author, settings)
        assert (server.address, server.time_zone) == (peer.address, "UTC")


def test_every_fault_of_a_server_is_told_at_once(
    map_db: Database, author: Actor, settings: Settings
) -> None:
    wish = Wish("Main!", "http://169.254.169.254/latest", "Europe/Lond", "short")
    with map_db.writing() as session, pytest.raises(Invalid) as refused:
        servers.name_server(session, wish, author, settings)

    assert [fault.where for fault in refused.value.faults] == [
        "name", "address", "time_zone", "token",
    ]  # fmt: skip
    assert "short" not in str(refused.value)


def test_a_retired_server_is_not_read_and_its_token_is_gone(
    named: Database, author: Actor, settings: Settings
) -> None:
    with named.writing() as session:
        server = servers.find_server(session, "main")
        servers.retire_server(session, server, author, settings)
        with pytest.raises(Conflict, match="retired"):
            servers.ask_to_read(session, server, author)

    assert list((settings.data_dir / "keys").glob("qatrack-*")) == []
    assert states(named) == {}


def test_servers_that_are_asked_for_twice_are_read_once(named: Database, read: Read) -> None:
    with named.writing() as session:
        assert servers.ask_to_read_all(session) == ["main"]
        assert servers.ask_to_read_all(session) == ["main"]

    read()

    with named.reading() as session:
        [only] = session.execute(select(QatrackReading)).scalars()
        source = queries.source_of(session, servers.find_server(session, "main"))
        assert (only.problem, only.items) == ("", 8)
        assert source.read_at == only.begun_at
