"""The probe against real listeners, and against what is none."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.network import probe as probing
from engine.network import wire
from engine.network.classes import STUDY_MOVE, WORKLIST_FIND, storage_class
from engine.network.findings import Finding, Listener, Outcome
from engine.network.probe import probe
from tests.engine.network.listeners import (
    LOOPBACK,
    answering,
    at,
    free_port,
    orthanc,
    storescp,
    wlmscpfs,
)

pytestmark = pytest.mark.verifies("TST-018")

OWN, KNOWN = "LISTENER", "KNOWN"
CLASSES = {"store": storage_class("CT Image"), "worklist": WORKLIST_FIND, "C-MOVE": STUDY_MOVE}
UNHURRIED_S = 30.0
"""So that a busy machine changes no outcome; a listener that answers takes hundredths of it."""

Ask = Callable[[Listener, str], Finding]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> int:
    return _module(request, storescp, tmp_path_factory.mktemp("storescp"), "dcmtk")


@pytest.fixture(scope="module")
def worklist(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> int:
    return _module(request, wlmscpfs, tmp_path_factory.mktemp("wlmscpfs"), "dcmtk", OWN)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> int:
    return _module(request, orthanc, tmp_path_factory.mktemp("orthanc"), "orthanc", OWN, KNOWN)


def _module(
    request: pytest.FixtureRequest, listener: Callable, folder: Path, peer: str, *more: str
) -> int:
    need: Callable[[str], Path] = request.getfixturevalue("need_once")
    running = listener(need(peer), folder, *more)
    port: int = running.__enter__()
    request.addfinalizer(lambda: running.__exit__(None, None, None))
    return port


@pytest.fixture(scope="module")
def need_once() -> Callable[[str], Path]:
    from tests.peers import need

    return need


def ask(listener: Listener, offered: str, whole_s: float = UNHURRIED_S) -> Finding:
    return probe(listener, [offered], lambda _address: True, whole_s)


CASES = [
    # what is asked for, of whom, as whom, by which name, and what is then true
    ("store", "storage", KNOWN, OWN, Outcome.OK),
    ("store", "archive", KNOWN, OWN, Outcome.OK),
    ("store", "archive", KNOWN, "OTHER", Outcome.WRONG_CALLED),
    ("store", "archive", "STRANGER", OWN, Outcome.WRONG_CALLING),
    ("store", "nobody", KNOWN, OWN, Outcome.UNREACHABLE),
    ("store", "worklist", KNOWN, OWN, Outcome.CLASS_REFUSED),
    ("worklist", "worklist", KNOWN, OWN, Outcome.OK),
    ("worklist", "worklist", KNOWN, "OTHER", Outcome.WRONG_CALLED),
    ("worklist", "archive", "STRANGER", OWN, Outcome.WRONG_CALLING),
    ("worklist", "nobody", KNOWN, OWN, Outcome.UNREACHABLE),
    ("worklist", "storage", KNOWN, OWN, Outcome.CLASS_REFUSED),
    ("C-MOVE", "archive", KNOWN, OWN, Outcome.OK),
    ("C-MOVE", "archive", KNOWN, "OTHER", Outcome.WRONG_CALLED),
    ("C-MOVE", "archive", "STRANGER", OWN, Outcome.WRONG_CALLING),
    ("C-MOVE", "nobody", KNOWN, OWN, Outcome.UNREACHABLE),
    ("C-MOVE", "storage", KNOWN, OWN, Outcome.CLASS_REFUSED),
]


@pytest.mark.peer
@pytest.mark.parametrize(("what", "whom", "calling", "called", "outcome"), CASES)
def test_five_outcomes_are_told_apart(
    request: pytest.FixtureRequest,
    what: str,
    whom: str,
    calling: str,
    called: str,
    outcome: Outcome,
) -> None:
    port = free_port() if whom == "nobody" else request.getfixturevalue(whom)

    found = ask(at(port, calling, called), CLASSES[what])

    assert found.outcome is outcome, found.sentence
    # Hundredths of a second each; three tries, because the machine may have other work.
    times = (ask(at(port, calling, called), CLASSES[what]).seconds for _ in range(3))
    assert found.seconds < 2 or any(seconds < 2 for seconds in times)


@pytest.mark.peer
def test_a_class_that_is_taken_beside_one_that_is_not_is_told(storage: int) -> None:
    found = probe(
        at(storage, KNOWN, OWN), [CLASSES["store"], STUDY_MOVE], lambda _: True, UNHURRIED_S
    )

    assert (found.accepted, found.refused) == ((CLASSES["store"],), (STUDY_MOVE,))
    assert found.outcome is Outcome.CLASS_REFUSED
    assert "not Study Root Query/Retrieve Information Model - MOVE" in found.sentence
    assert "It takes CT Image Storage." in found.sentence


@pytest.mark.peer
def test_no_data_set_crosses_the_network(storage: int) -> None:
    sent = bytearray()
    with relaying(storage, sent) as port:
        found = ask(at(port, KNOWN, OWN), CLASSES["store"])

    pdus = list(_pdus(bytes(sent)))
    assert found.outcome is Outcome.OK
    # A-ASSOCIATE-RQ, P-DATA-TF, A-RELEASE-RQ (DICOM PS3.8, 9.3.1), and of P-DATA commands alone.
    assert [kind for kind, _ in pdus] == [0x01, 0x04, 0x05]
    for _, body in (one for one in pdus if one[0] == 0x04):
        assert body[5] & 1, "a fragment of a data set"


def _pdus(sent: bytes) -> Iterator[tuple[int, bytes]]:
    while sent:
        kind, length = struct.unpack(">BxL", sent[:6])
        yield kind, sent[6 : 6 + length]
        sent = sent[6 + length :]


@contextmanager
def relaying(port: int, sent: bytearray) -> Iterator[int]:
    """Stand between the probe and a listener, and remember what the probe says."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def relay() -> None:
            near, _ = server.accept()
            with near, socket.create_connection((LOOPBACK, port)) as far:

                def back() -> None:
                    while got := far.recv(65536):
                        near.sendall(got)

                answering = threading.Thread(target=back)
                answering.start()
                while got := near.recv(65536):
                    sent.extend(got)
                    far.sendall(got)
                far.shutdown(socket.SHUT_WR)
                answering.join()

        relaying_ = threading.Thread(target=relay)
        relaying_.start()
        yield server.getsockname()[1]
        relaying_.join()


ABORT = bytes.fromhex("07 00 00000004 00 00 02 00")
FULL = bytes.fromhex("03 00 00000004 00 02 03 02")
NO_REASON = bytes.fromhex("03 00 00000004 00 01 01 01")
UNNAMED = bytes.fromhex("03 00 00000004 00 01 01 09")


@pytest.mark.parametrize(
    ("answer", "outcome", "told"),
    [
        (ABORT, Outcome.ABORTED, "aborted the association"),
        (FULL, Outcome.REJECTED, "it has as many associations as it may have"),
        (NO_REASON, Outcome.REJECTED, "no reason was given"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Outcome.NOT_DICOM, "does not answer in DICOM"),
        (b"", Outcome.SILENT, "gives no DICOM answer"),
    ],
)
def test_whatever_else_happens_is_named_as_it_is(
    answer: bytes, outcome: Outcome, told: str
) -> None:
    with answering(answer, hang_up=True) as port:
        found = ask(at(port, KNOWN, OWN), CLASSES["store"])

    assert found.outcome is outcome, found.sentence
    assert told in found.sentence


def test_a_rejection_counts_even_if_the_connection_is_closed_before_we_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(threading.Event):
        """Tells that the connection is there only when it is gone again."""

        def __init__(self, about: wire.Wire) -> None:
            super().__init__()
            self.about = about

        def wait(self, timeout: float | None = None) -> bool:
            told = super().wait(timeout)
            until = time.monotonic() + UNHURRIED_S
            while self.about._is_connected and time.monotonic() < until:
                time.sleep(0.01)
            return told

    whole = wire.Wire.__init__

    def late(self: wire.Wire, *given: object) -> None:
        whole(self, *given)
        self._ready = Late(self)

    monkeypatch.setattr(wire.Wire, "__init__", late)

    with answering(FULL, hang_up=True) as port:
        found = ask(at(port, KNOWN, OWN), CLASSES["store"])

    assert found.outcome is Outcome.REJECTED, found.sentence


@pytest.mark.parametrize(
    "answer",
    [b"", bytes.fromhex("02 00 7fffffff"), bytes.fromhex("02 00 7fffffff") + b"\0" * 100],
    ids=["silent", "begins a PDU of 2 GB", "and goes on"],
)
def test_a_listener_that_does_not_finish_is_left_in_time(answer: bytes) -> None:
    with answering(answer, hang_up=False) as port:
        found = ask(at(port, KNOWN, OWN), CLASSES["store"], whole_s=0.5)

    assert found.outcome in (Outcome.SILENT, Outcome.NOT_DICOM)
    assert found.seconds < UNHURRIED_S


def test_the_times_of_the_parts_are_within_the_whole() -> None:
    shares = (
        probing.NAME_SHARE, probing.CONNECT_SHARE, probing.ECHO_SHARE, probing.RELEASE_SHARE,
    )  # fmt: skip

    assert probing.WHOLE_S < 2
    assert all(0 < share < 1 for share in shares)


def test_a_name_is_resolved_once_and_its_address_is_judged_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved = []

    def answer(host: str, *_: object, **__: object) -> list:
        # A name that means something else each time it is asked for.
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{len(resolved)}", 104))]

    monkeypatch.setattr(wire.socket, "getaddrinfo", answer)
    judged: list[str] = []

    def refuse(address: str) -> bool:
        judged.append(address)
        return False

    found = probe(Listener("A", "B", "pacs.example.org", 104), [CLASSES["store"]], refuse)

    assert found.outcome is Outcome.NOT_ALLOWED
    assert (resolved, judged) == (["pacs.example.org"], ["192.0.2.1"])


def test_a_name_that_nobody_knows_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(wire.socket, "getaddrinfo", unknown)

    found = probe(Listener("A", "B", "pacs.example.org", 104), [CLASSES["store"]], lambda _: True)

    assert found.outcome is Outcome.UNREACHABLE
    assert (
        found.sentence == "The name pacs.example.org is not known here (name or service not known)."
    )


def test_a_listener_without_tls_is_not_taken_for_one_with() -> None:
    with answering(b"\x15\x03\x01\x00\x02\x02\x28", hang_up=True) as port:
        listener = Listener(KNOWN, OWN, LOOPBACK, port, tls=True)
        found = ask(listener, CLASSES["store"])

    assert found.outcome is Outcome.TLS_FAILED, found.sentence
