"""What is read of QATrack+ is what it holds, or nothing at all."""

import json
import os
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dataflows.qatrack.client import Limits, Server, Unreadable
from dataflows.qatrack.reading import read_server, try_server
from dataflows.qatrack.standing import (
    Due,
    Item,
    Key,
    Kind,
    Result,
    Shelf,
    Source,
    State,
    standing,
)
from tests.dataflows.qatrack.peer import RECORDED_AT, TOKEN, WAIT_S, Answer, Peer

pytestmark = pytest.mark.verifies("TST-017")

LONDON = ZoneInfo("Europe/London")
LOOPBACK = ip_address("127.0.0.1")
RECORDED_ON = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""The day on which the answers were recorded."""

TO_VERIFY = Key(Kind.LIST, "Data transfer: planning -> record and verify (RT Plan)")
TO_HDR = Key(Kind.LIST, "Data transfer: planning -> HDR console (treatment file)")
END_TO_END = Key(Kind.LIST, "End-to-end: HDR brachytherapy pathway")
CYCLE = Key(Kind.CYCLE, "Data transfer cycle")
WANTED = (TO_VERIFY, TO_HDR, END_TO_END, CYCLE)

PERFORMED = "qc/testlistinstances/1/"
ASSIGNED = "qc/unittestcollections/"


def shelf(items: dict[Key, Item], at: datetime = RECORDED_ON) -> Shelf:
    return Shelf(Source("main", "", LONDON, at, at), items)


def read(server: Server) -> dict[Key, Item]:
    return read_server(server, WANTED, LONDON)


def test_the_three_seeded_tests_are_in_order_overdue_and_without_a_due_date(server: Server) -> None:
    found = shelf(read(server))

    told = [standing(found, key, RECORDED_ON) for key in (TO_VERIFY, TO_HDR, END_TO_END)]

    assert [one.state for one in told] == [State.OK, State.OVERDUE, State.NO_DUE_DATE]
    assert [one.effective for one in told] == [None, False, None]
    first = told[0].worst
    assert first is not None
    assert (first.due, first.result) == (Due.NOT_DUE, Result.UNJUDGED)
    assert str(first.due_on) == "2026-12-19"
    assert first.done_at == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_list_a_cycle_and_a_list_on_a_unit_are_known_by_what_stays(
    peer: Peer, server: Server
) -> None:
    before = read(server)
    for path, rows in peer.lists.items():
        # Imported again: the same lists under other numbers.
        again = json.dumps(rows)
        for n in range(1, 9):
            for name in ("testlists", "testlistcycles", "unittestcollections"):
                again = again.replace(f"/{name}/{n}/", f"/{name}/{n + 500}/")
        peer.lists[path] = json.loads(again)

    after = read(server)

    assert set(before) == set(after)
    assert {item.number for item in after.values()} == {501, 502, 503, 504}
    assert "902/testlist/annual/End-to-end: HDR brachytherapy pathway" in {
        key.slug for key in after if key.kind is Kind.UTC
    }


def test_every_page_is_read_also_where_ten_come_at_a_time(peer: Peer, server: Server) -> None:
    peer.assign_to_more_units(25)
    asked_for = Peer._list

    def ten(path: str, query: dict[str, str]) -> Answer | None:
        return asked_for(peer, path, {**query, "limit": "10"}) if path == ASSIGNED else None

    peer.fault = ten

    items = read(server)

    assert len([key for key in items if key.kind is Kind.UTC]) == 29
    assert len([one for one in peer.asked if ASSIGNED in one]) == 3


def test_a_test_on_many_units_stands_as_the_worst_of_them(peer: Peer, server: Server) -> None:
    peer.assign_to_more_units(2)

    told = standing(shelf(read(server)), TO_HDR, RECORDED_ON)

    assert [one.state for one in told.units].count(State.OVERDUE) == 1
    assert (told.state, len(told.units)) == (State.OVERDUE, 3)


def test_the_day_of_a_cycle_stands_as_the_cycle_where_it_is_done_on_no_unit(
    peer: Peer, server: Server
) -> None:
    del peer.lists["qc/unittestcollections/"][2]

    told = standing(shelf(read(server)), END_TO_END, RECORDED_ON)

    assert [one.item.key.slug for one in told.units] == ["901/cycle/annual/Data transfer cycle"]


def spoil(peer: Peer, path: str, change: dict[str, Any]) -> None:
    """Let one row of the server say something else."""
    for row in peer.lists[path]:
        row |= change


@pytest.mark.parametrize(
    ("pass_fail", "state"),
    [
        ("ok", State.OK),
        ("tolerance", State.OK),
        ("action", State.FAILING),
        ("not_done", State.INCOMPLETE),
    ],
)
def test_the_last_result_decides_with_the_due_date(
    peer: Peer, server: Server, pass_fail: str, state: State
) -> None:
    peer.lists["qc/testlistinstances/"][0]["test_instances"][2]["pass_fail"] = pass_fail

    assert standing(shelf(read(server)), TO_VERIFY, RECORDED_ON).state is state


def test_a_rejected_result_and_one_in_progress_are_no_good_news(peer: Peer, server: Server) -> None:
    done = peer.lists["qc/testlistinstances/"][0]
    done["test_instances"][0]["status"] = f"{RECORDED_AT}/api/qc/testinstancestatus/3/"
    assert standing(shelf(read(server)), TO_VERIFY, RECORDED_ON).state is State.FAILING

    done["test_instances"][0]["status"] = f"{RECORDED_AT}/api/qc/testinstancestatus/1/"
    done["in_progress"] = True
    assert standing(shelf(read(server)), TO_VERIFY, RECORDED_ON).state is State.INCOMPLETE


def page_of(peer: Peer, path: str, **change: Any) -> Answer:
    return peer.json({**peer.page(path, {}), **change})


def drip(peer: Peer) -> Answer:
    status, headers, content = peer.json({"count": 0, "results": [], "pad": "x" * 5000})
    return status, {**headers, "X-Drip": "0.01"}, content


def rows_but(peer: Peer, **change: Any) -> list[dict[str, Any]]:
    rows = peer.page(ASSIGNED, {})["results"]
    return [{**rows[0], **change}, *rows[1:]]


ODD = {
    "a page with status 500": (ASSIGNED, lambda p: p.replay("19_schema"), "status 500"),
    "a page instead of data": (ASSIGNED, lambda p: p.replay("22_html_no_format"), "a page, not"),
    "busy for a minute": (
        ASSIGNED, lambda p: (429, {"Retry-After": "24"}, b""), "asks to wait 24 s",
    ),
    "busy for an hour": (ASSIGNED, lambda p: (429, {"Retry-After": "3600"}, b""), "wait 3600 s"),
    "a redirect elsewhere": (
        ASSIGNED, lambda p: (302, {"Location": "http://169.254.169.254/latest"}, b""),
        "leads elsewhere to http://169.254.169.254 (status 302)",
    ),
    "a redirect to a path": (ASSIGNED, lambda p: (301, {"Location": "/login"}, b""), "elsewhere"),
    "a token that ended": (ASSIGNED, lambda p: p.replay("01_bad_token"), "not accept the token"),
    "a token that may not": (
        ASSIGNED, lambda p: p.replay("14_post_tli_forbidden"), "not let this token",
    ),
    "nothing there": (ASSIGNED, lambda p: p.replay("21_not_found"), "no QATrack+ interface"),
    "half of the answer": (
        ASSIGNED,
        lambda p: (200, {"Content-Type": "application/json", "Content-Length": "900"}, b"{}"),
        "ended before it was complete",
    ),
    "no JSON": (
        ASSIGNED, lambda p: (200, {"Content-Type": "application/json"}, b"{'a': 1}"), "not JSON",
    ),
    "JSON with a number that is none": (
        ASSIGNED, lambda p: (200, {"Content-Type": "application/json"}, b'{"a": NaN}'), "not JSON",
    ),
    "JSON without end": (
        ASSIGNED, lambda p: (200, {"Content-Type": "application/json"}, b"[" * 100_000),
        "not JSON",
    ),
    "a list instead of an object": (ASSIGNED, lambda p: p.json([1]), "no object"),
    "more than anybody needs": (ASSIGNED, lambda p: p.json(["x" * 300_000]), "larger than"),
    "a count that does not fit": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, count=7), "counts 7",
    ),
    "a count that is none": (ASSIGNED, lambda p: page_of(p, ASSIGNED, count=True), "is not one"),
    "a next page that never comes": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, next="http://x/?limit=1&offset=0"), "follow",
    ),
    "the same page again and again": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, next="http://x/?limit=1&offset=4"), "twice",
    ),
    "rows of another list": (
        ASSIGNED, lambda p: page_of(p, "qc/testlists/"), "is no address of qc/unittestcollections",
    ),
    "a due date that is none": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, results=rows_but(p, due_date="soon")), "due_date",
    ),
    "a due date that is a number": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, results=rows_but(p, due_date=4102444800)),
        "due_date",
    ),
    "a due date at the end of time": (
        ASSIGNED,
        lambda p: page_of(p, ASSIGNED, results=rows_but(p, due_date="9999-12-31T23:59:59-12:00")),
        "due_date",
    ),
    "a next page of no address": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, next="http://[?offset"), "follow",
    ),
    "a redirect to no address": (ASSIGNED, lambda p: (302, {"Location": "http://["}, b""), "302"),
    "a due date without its zone": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, results=rows_but(p, due_date="2026-12-01T00:00")),
        "due_date",
    ),
    "a due date of another zone": (
        ASSIGNED,
        lambda p: page_of(p, ASSIGNED, results=rows_but(p, due_date="2026-12-01T00:00:00-05:00")),
        "not in Europe/London",
    ),
    "a unit that is not listed": (
        ASSIGNED,
        lambda p: page_of(p, ASSIGNED, results=rows_but(p, unit=f"{p.address}/api/units/units/9/")),
        "does not list it",
    ),
    "active in a word": (
        ASSIGNED, lambda p: page_of(p, ASSIGNED, results=rows_but(p, active="yes")), "active",
    ),
    "the result of another test": (
        PERFORMED,
        lambda p: p.json(
            {
                **p.lists["qc/testlistinstances/"][0],
                "unit_test_collection": f"{p.address}/api/qc/unittestcollections/2/",
            }
        ),
        "for another test",
    ),
    "another result than asked for": (
        PERFORMED,
        lambda p: p.json(
            {
                **p.lists["qc/testlistinstances/"][0],
                "url": f"{p.address}/api/qc/testlistinstances/8/",
            }
        ),
        "gave another",
    ),
    "an outcome that nobody knows": (
        PERFORMED,
        lambda p: p.json(
            {
                **p.lists["qc/testlistinstances/"][0],
                "test_instances": [{"pass_fail": "great", "status": "x"}],
            }
        ),
        "pass_fail",
    ),
    "a filter that is ignored": (
        PERFORMED, lambda p: page_of(p, "qc/testlistinstances/"), "is no address",
    ),
}  # fmt: skip
"""What a server, a proxy or another program may answer: where, what, and what is said of it."""


@pytest.mark.parametrize("name", ODD)
def test_nothing_odd_is_ever_taken_for_an_answer(peer: Peer, server: Server, name: str) -> None:
    path, answer, words = ODD[name]
    peer.fault = lambda asked, _: answer(peer) if asked == path else None

    with pytest.raises(Unreadable) as refused:
        read(server)

    assert words in refused.value.message
    assert TOKEN not in refused.value.message


def test_a_busy_server_is_waited_for_as_long_as_it_asks(peer: Peer) -> None:
    waited: list[float] = []
    busy = iter([(429, {"Retry-After": "24"}, b""), (429, {"Retry-After": "2"}, b"")])
    peer.fault = lambda path, _: next(busy, None) if path == ASSIGNED else None

    items = read(Server(peer.address, TOKEN, pause=waited.append))

    assert len(items) == 8
    assert waited == [24.0, 2.0]


def test_more_requests_than_a_minute_allows_are_made_minute_by_minute(peer: Peer) -> None:
    waited: list[float] = []
    peer.most = 3

    def pause(seconds: float) -> None:
        waited.append(seconds)
        peer.pass_minute()

    items = read(Server(peer.address, TOKEN, pause=pause))

    assert len(items) == 8
    assert set(waited) == {float(WAIT_S)}
    assert len(peer.asked) > peer.most + len(waited)


def test_a_list_that_changed_while_it_was_read_is_read_again(peer: Peer, server: Server) -> None:
    first = iter([page_of(peer, ASSIGNED, count=5)])
    peer.fault = lambda path, _: next(first, None) if path == ASSIGNED else None

    assert len(read(server)) == 8


@pytest.mark.parametrize("limits", [Limits(answer_s=0.3), Limits(silence_s=0.3)])
def test_a_server_that_drips_or_says_nothing_is_given_up(peer: Peer, limits: Limits) -> None:
    if limits.silence_s < 1:
        peer.fault = lambda *_: (200, {"X-Drip": "1", "Content-Type": "application/json"}, b"{}")
    else:
        peer.fault = lambda *_: drip(peer)

    with pytest.raises(Unreadable, match="did not answer in time"):
        read(Server(peer.address, TOKEN, limits))


def test_a_server_that_is_down_is_told(peer: Peer) -> None:
    with pytest.raises(Unreadable, match="Nothing answers"):
        read(Server("http://127.0.0.1:9", TOKEN))


def test_the_token_goes_to_the_server_and_is_never_printed(peer: Peer, server: Server) -> None:
    read(server)

    assert set(peer.tokens) == {f"Token {TOKEN}"}
    assert TOKEN not in repr(server)


def test_a_wrong_token_is_told_as_such(peer: Peer) -> None:
    with pytest.raises(Unreadable, match="does not accept the token"):
        try_server(Server(peer.address, "f" * 40), LONDON)


def test_what_is_read_adds_up(either: Server) -> None:
    """Runs against a real server as well; whatever it holds, these must be true of it."""
    zone = ZoneInfo(os.environ.get("FIDUCIAL_QATRACK_ZONE", "Europe/London"))
    told = try_server(either, zone)
    items = read_server(either, (), zone)
    wanted = [key for key in items if key.kind is not Kind.UTC][:20]
    with_results = read_server(either, wanted, zone)
    found = Shelf(Source("main", "", zone, RECORDED_ON, RECORDED_ON), with_results)

    units = {item.told["unit"] for key, item in items.items() if key.kind is Kind.UTC}
    assert "the token reads" in told
    assert set(items) == set(with_results)
    assert all(isinstance(number, int) for number in units)
    for key in wanted:
        one = standing(found, key, RECORDED_ON)
        assert one.state is not State.OK or all(unit.done_at for unit in one.units)


def test_traps_of_the_interface_are_those_that_were_recorded(either: Server) -> None:
    whole = either.get(ASSIGNED, {"limit": 100})["count"]

    assert either.get(ASSIGNED, {"nonsense": 1, "limit": 100})["count"] == whole
    for usual in ({}, {"limit": -1}):
        assert len(either.get(ASSIGNED, usual)["results"]) == min(10, whole)
    with pytest.raises(Unreadable, match="status 500"):
        either.get(ASSIGNED, {"due_date_max": "garbage"})
    with pytest.raises(Unreadable, match="status 404"):
        either.get("qc/testlists/99999/")
    with pytest.raises(Unreadable, match="status 301"):
        either.get(ASSIGNED.rstrip("/"))
    with pytest.raises(Unreadable, match="status 401"):
        Server(either.address, "0" * 40).get(ASSIGNED)
