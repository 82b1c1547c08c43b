"""The connection of one association: names resolved in bounded time, failures remembered.

pynetdicom tells a failed connection only to its log; what stands here keeps the reason, and closes
what it opened from whichever thread.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.transport import AddressInformation, AssociationSocket


def addresses_of(host: str, port: int, wait_s: float) -> list[str] | str:
    """Return the addresses of a host, or the sentence that says why there are none."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    answers: queue.Queue[list[str] | str] = queue.Queue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            answers.put(f"The name {host} is not known here ({reason_of(error)}).")

    # The resolver of the system has no time limit of its own.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=wait_s)
    except queue.Empty:
        return f"The name {host} was not resolved within {wait_s:.1f} s."


def reason_of(error: Exception) -> str:
    """Return what the system says of an error, without its number."""
    return str(getattr(error, "strerror", "") or error or type(error).__name__).lower()


class HandshakeFailed(OSError):
    """The connection was there, and TLS was not agreed on; says why in words."""


def _why_no_tls(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer the handshake in time"
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error)
    return f"it ended the connection during the handshake ({reason_of(error)})"


class _Watched(socket.socket):
    """A socket that remembers why it could not connect, and that never waits without end."""

    failures: list[OSError]
    until: float = float("inf")

    def settimeout(self, value: float | None) -> None:
        left = max(0.01, self.until - time.monotonic())
        super().settimeout(left if value is None else min(value, left))

    def connect(self, address: Any) -> None:
        try:
            super().connect(address)
        except OSError as error:
            self.failures.append(error)
            raise


class Wire(AssociationSocket):
    """The connection of one association, and what came over it."""

    heard: bool = False

    def __init__(
        self, assoc: Association, address: AddressInformation, until: float, failures: list[OSError]
    ) -> None:
        self._until, self._failures = until, failures
        super().__init__(assoc, address=address)

    def _create_socket(self, address: AddressInformation) -> socket.socket:
        family = socket.AF_INET if address.is_ipv4 else socket.AF_INET6
        watched = _Watched(family, socket.SOCK_STREAM)
        watched.until, watched.failures = self._until, self._failures
        watched.bind(address.as_tuple)
        self._is_connected = False
        return watched

    def hang_up(self) -> None:
        """Close the connection, from whichever thread: what waits on it wakes and ends."""
        held = self.socket
        if held is None:
            return
        with suppress(OSError):  # of a connection whose other end went first
            held.shutdown(socket.SHUT_RDWR)
        held.close()

    def _shutdown_socket(self) -> None:
        self.hang_up()

    def recv(self, nr_bytes: int) -> bytearray:
        """Read, and remember that something came."""
        got = super().recv(nr_bytes)
        self.heard = self.heard or bool(got)
        return got


class Asking(AE):
    """An application entity that keeps hold of the connection it makes."""

    wire: Wire | None = None
    until: float = float("inf")
    failures: list[OSError]

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        self.wire = Wire(assoc, address, self.until, self.failures)
        self.wire.tls_args = tls_args
        return self.wire


def tls_for(host: str, failures: list[OSError]) -> tuple[ssl.SSLContext, str]:
    """Return how a host is met over TLS: with a certificate that this machine trusts."""

    class WatchedTls(ssl.SSLSocket):
        """A socket over TLS that remembers why it could not connect.

        `connect` covers both the connection and the handshake, and a listener without TLS ends or
        ignores the handshake with the very errors of one that is not there.
        """

        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
            except OSError as error:
                raise HandshakeFailed(_why_no_tls(error)) from error

        def connect(self, addr: Any) -> None:
            try:
                super().connect(addr)
            except OSError as error:
                failures.append(error)
                raise

    context = ssl.create_default_context()
    context.sslsocket_class = WatchedTls
    return context, host
