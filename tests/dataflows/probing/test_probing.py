"""Somebody asks, a worker probes, and what was found is kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core.db import Database
from core.errors import Conflict, Invalid, NotFound
from core.ledger.models import LedgerEntry
from core.ledger.witness import mismatches
from core.people.actor import Actor
from core.ports import prober
from core.probes import ProbeAnswer, ProbeQuestion
from core.records.service import find_project
from core.settings import Settings
from dataflows.inventory import Department
from dataflows.probing import service, standing
from dataflows.probing.associations import associations
from dataflows.probing.models import ProbeResult
from dataflows.probing.standing import CHANGED, NEVER, STALE, Standing
from tests.dataflows.probing.conftest import Answering, Done, change, read
from tests.engine.network.listeners import storescp

Work = Callable[[Settings], Done]


def ask(db: Database, by: Actor, settings: Settings, *connections: str) -> None:
    with db.writing() as session:
        project = find_project(session, "DEPT")
        service.ask(session, project, read(session, by), connections, by, settings)


def standings(db: Database, by: Actor, settings: Settings, *uids: str) -> list[Standing]:
    with db.reading() as session:
        project = find_project(session, "DEPT")
        found = service.standings_of(session, project, read(session, by), settings, *uids)
        session.expunge_all()
        return found


def results(session: Session) -> list[ProbeResult]:
    return list(session.execute(select(ProbeResult).order_by(ProbeResult.id)).scalars())


def test_probing_is_off_until_somebody_names_hosts(map_db: Database, author: Actor) -> None:
    with pytest.raises(Conflict, match="FIDUCIAL_PROBE_HOSTS"):
        ask(map_db, author, Settings(), "C023")

    assert Settings().probe_hosts == []


def test_every_reason_against_a_named_connection_is_told_at_once(
    map_db: Database, author: Actor
) -> None:
    settings = Settings(probe_hosts=["192.0.2.14"])

    with pytest.raises(Invalid) as refused:
        ask(map_db, author, settings, "C012", "C023")

    assert [fault.where for fault in refused.value.faults] == ["C012 association 1", "C023"]
    assert "192.0.2.11 is not among the hosts that may be probed" in refused.value.faults[0].what


def test_a_connection_without_associations_is_refused_by_name(
    map_db: Database, author: Actor, settings: Settings
) -> None:
    with pytest.raises(NotFound, match="C999"):
        ask(map_db, author, settings, "C999")
    with pytest.raises(Conflict, match="C065 has no DICOM association"):
        ask(map_db, author, settings, "C065")


def test_both_ends_of_a_move_are_probed_and_kept_with_who_when_and_with_what(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    ask(map_db, author, settings, "C012")

    done = work(settings)

    assert (done.state, done.result["told"]) == ("done", "2 ok")
    assert [(one.role, one.calling_ae, one.called_ae) for one in network.asked] == [
        ("request", "CONT", "PACS_ARC"),
        ("store-suboperation", "PACS_ARC", "CONT"),
    ]
    with map_db.reading() as session:
        kept = results(session)
        assert [(one.connection, one.number, one.outcome) for one in kept] == [
            ("C012", 1, "ok"),
            ("C012", 2, "ok"),
        ]
        assert {one.person for one in kept} == {"Amara Kole"}
        assert {one.tool for one in kept} == {"Fiducial 0, a test"}
        assert all(one.probed_at.tzinfo is not None for one in kept)
        said = session.execute(
            select(LedgerEntry.action, LedgerEntry.person_name).where(
                LedgerEntry.action.like("probe:%")
            )
        ).all()
        assert [tuple(one) for one in said] == [
            ("probe:connection:ask", "Amara Kole"),
            ("probe:association:find", "Amara Kole"),
            ("probe:association:find", "Amara Kole"),
        ]
        assert list(mismatches(session, {})) == []


def test_a_result_cannot_be_changed(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    network.outcome = "unreachable"
    ask(map_db, author, settings, "C023")
    work(settings)

    with pytest.raises(DBAPIError), map_db.writing() as session:
        session.execute(text("UPDATE probe_result SET outcome = 'ok'"))


def test_an_association_that_is_modelled_otherwise_since_is_not_told_as_probed(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    assert {one.outcome for one in standings(map_db, author, settings)} == {NEVER}
    ask(map_db, author, settings, "C023")
    work(settings)
    assert [one.outcome for one in standings(map_db, author, settings, "C023")] == ["ok"]

    row = {"role": "store", "scu_ae": "TPS_DICOM", "scp_ae": "PQA2", "scp_host": "192.0.2.51",
           "scp_port": 104, "service": "Storage"}  # fmt: skip
    change(map_db, "C023", author, associations=[row])

    [one] = standings(map_db, author, settings, "C023")
    assert (one.outcome, one.tone) == (CHANGED, "warn")
    assert "modelled otherwise than when it was probed last (ok then)" in one.why


def test_the_last_result_counts_and_the_others_stay(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    for outcome in ("ok", "wrong-calling-ae"):
        network.outcome = outcome
        ask(map_db, author, settings, "C023")
        work(settings)

    [one] = standings(map_db, author, settings, "C023")
    with map_db.reading() as session:
        before = service.history(session, find_project(session, "DEPT"), "C023", 10)
        outcomes = [result.outcome for result in before]
    assert (one.word, one.tone, one.why) == ("wrong calling AE", "bad", "It is wrong-calling-ae.")
    assert outcomes == ["wrong-calling-ae", "ok"]


def test_a_model_that_comes_back_does_not_bring_its_old_word_back(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    def model(called: str) -> None:
        row = {"role": "store", "scu_ae": "TPS_DICOM", "scp_ae": called, "scp_host": "192.0.2.51",
               "scp_port": 104, "service": "Storage"}  # fmt: skip
        change(map_db, "C023", author, associations=[row])

    for called, outcome in (("PQA1", "ok"), ("PQA2", "unreachable")):
        model(called)
        network.outcome = outcome
        ask(map_db, author, settings, "C023")
        work(settings)
    model("PQA1")

    [one] = standings(map_db, author, settings, "C023")
    assert (one.outcome, one.tone) == (CHANGED, "warn")
    assert "(unreachable then)" in one.why


@pytest.mark.parametrize(
    ("days", "outcome", "told"),
    [
        (30, "ok", ("ok", "ok", "good")),
        (31, "ok", (STALE, "ok, but 31 days ago", "warn")),
        (400, "ok", (STALE, "ok, but 400 days ago", "warn")),
        (400, "unreachable", ("unreachable", "unreachable", "bad")),
    ],
)
def test_ok_is_good_news_for_thirty_days(
    days: int, outcome: str, told: tuple[str, str, str], department: Department
) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    asked = associations(department, "C023")
    result = ProbeResult(
        project_id=1, connection="C023", number=1, key=asked[0].key, outcome=outcome,
        sentence="Said.", took_ms=1, probed_at=at - timedelta(days=days),
    )  # fmt: skip

    [one] = standing.standings(asked, [result], {}, at)

    assert (one.outcome, one.word, one.tone) == told


def test_what_nobody_foresaw_at_one_listener_leaves_the_others_their_result(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    def answer(question: ProbeQuestion, permitted: Callable[[str], bool]) -> ProbeAnswer:
        if question.called_ae == "PACS_ARC":
            raise RuntimeError("the table is on fire")
        return network(question, permitted)

    ask(map_db, author, settings, "C012")
    with prober.filled(answer):
        done = work(settings)

    first, second = standings(map_db, author, settings, "C012")
    assert done.result["told"] == "1 could not be probed, 1 ok"
    assert (first.word, first.tone) == ("could not be probed", "warn")
    assert first.why == "It could not be probed: the table is on fire."
    assert second.outcome == "ok"


def test_the_allow_list_is_asked_again_when_the_job_runs(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    ask(map_db, author, settings, "C023")

    done = work(Settings(data_dir=settings.data_dir, probe_hosts=["198.51.100.0/24"]))

    assert done.result["outcomes"] == {"not-allowed": 1}
    assert network.asked == []


def test_without_a_name_all_that_may_be_probed_are(
    map_db: Database, author: Actor, settings: Settings, network: Answering, work: Work
) -> None:
    ask(map_db, author, settings)

    done = work(settings)

    assert done.result["outcomes"] == {"ok": 43}
    assert {one.outcome for one in standings(map_db, author, settings)} == {"ok"}


@pytest.mark.peer
def test_the_whole_way_to_a_real_listener(
    map_db: Database, author: Actor, work: Work, need: Callable[[str], Path], tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "var", probe_hosts=["127.0.0.0/8"])
    with storescp(need("dcmtk"), tmp_path) as port:
        row = {"role": "store", "scu_ae": "TPS_DICOM", "scp_ae": "PQA", "scp_host": "127.0.0.1",
               "scp_port": port, "service": "Storage"}  # fmt: skip
        change(map_db, "C023", author, associations=[row])
        ask(map_db, author, settings, "C023")
        assert prober.source is not None
        done = work(settings)

    assert done.state == "done", done.error
    [one] = standings(map_db, author, settings, "C023")
    assert one.last is not None
    assert (one.outcome, one.last.address) == ("ok", "127.0.0.1")
    assert one.last.accepted == [
        "RT Plan Storage", "RT Structure Set Storage", "RT Dose Storage",
    ]  # fmt: skip
    assert one.last.tool.startswith("Fiducial ")
    assert ", pynetdicom " in one.last.tool
    assert one.last.person == "Amara Kole"
