"""Listeners that take nothing, that know no TLS, or whose address is of no use to this host."""

import errno
import socket

import pytest
from pynetdicom.sop_class import CTImageStorage, Verification
from pynetdicom.transport import AddressInformation

from engine.network import probe as probing
from engine.network import wire
from engine.network.classes import STUDY_MOVE, WORKLIST_FIND
from engine.network.findings import Finding, Listener, Outcome
from tests.engine.network.listeners import LOOPBACK, answering, at, free_port, resetting, taking

OWN, KNOWN = "LISTENER", "KNOWN"
UNHURRIED_S = 30.0
"""So that a busy machine changes no outcome; a listener that answers takes hundredths of it."""

IMPLICIT, JPEG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.50"


def ask(listener: Listener, *offered: str) -> Finding:
    return probing.probe(listener, offered or [CTImageStorage], lambda _: True, UNHURRIED_S)


@pytest.mark.parametrize(("does", "told"), [("closes", "ended"), ("waits", "in time")])
def test_a_listener_that_knows_no_tls_is_not_told_as_unreachable(
    does: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The handshake gets half a second; everything else all the time there is.
    monkeypatch.setattr(probing, "CONNECT_SHARE", 0.5 / UNHURRIED_S)
    with resetting() if does == "closes" else answering(b"", hang_up=False) as port:
        found = ask(Listener(KNOWN, OWN, LOOPBACK, port, tls=True))

    assert found.outcome is Outcome.TLS_FAILED, found.sentence
    assert told in found.sentence
    assert "listens, but TLS failed" in found.sentence


def test_where_nobody_listens_tls_changes_nothing() -> None:
    found = ask(Listener(KNOWN, OWN, LOOPBACK, free_port(), tls=True))

    assert found.outcome is Outcome.UNREACHABLE, found.sentence


def test_a_listener_that_takes_nothing_of_what_is_offered_refuses_and_is_dicom() -> None:
    with taking((WORKLIST_FIND, IMPLICIT)) as port:
        found = ask(at(port, KNOWN, OWN))

    assert found.outcome is Outcome.CLASS_REFUSED, found.sentence
    assert found.sentence.endswith("accepts the association, but not CT Image Storage.")
    assert (found.accepted, found.refused) == ((), (CTImageStorage,))


def test_a_class_without_verification_is_taken_and_not_verified() -> None:
    with taking((CTImageStorage, IMPLICIT)) as port:
        found = ask(at(port, KNOWN, OWN))

    assert found.outcome is Outcome.ECHO_FAILED, found.sentence
    assert found.accepted == (CTImageStorage,)


def test_a_class_whose_transfer_syntaxes_are_not_taken_is_told_apart() -> None:
    with taking((Verification, IMPLICIT), (CTImageStorage, JPEG)) as port:
        listener = at(port, KNOWN, OWN)
        found = ask(listener, CTImageStorage, STUDY_MOVE)

    assert found.outcome is Outcome.CLASS_REFUSED, found.sentence
    assert (
        "but not Study Root Query/Retrieve Information Model - MOVE and takes none of the "
        "offered transfer syntaxes for CT Image Storage."
    ) in found.sentence


def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a host without IPv6."""
    whole = wire.Wire._create_socket

    def create(self: wire.Wire, address: AddressInformation) -> socket.socket:
        if address.is_ipv6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return whole(self, address)

    monkeypatch.setattr(wire.Wire, "_create_socket", create)


def test_an_address_that_this_host_has_no_socket_for_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_ipv6(monkeypatch)

    found = ask(Listener(KNOWN, OWN, "2001:db8::1", 104))

    assert found.outcome is Outcome.UNREACHABLE
    assert found.sentence == (
        "[2001:db8::1]:104 cannot be reached: address family not supported by protocol."
    )


def test_the_other_address_of_a_name_is_asked_where_the_first_has_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_ipv6(monkeypatch)
    monkeypatch.setattr(probing, "addresses_of", lambda *_: ["2001:db8::1", LOOPBACK])

    with taking((Verification, IMPLICIT), (CTImageStorage, IMPLICIT)) as port:
        listener = Listener(KNOWN, OWN, "pacs.example.org", port)
        found = ask(listener)

    assert (found.outcome, found.address) == (Outcome.OK, LOOPBACK), found.sentence
