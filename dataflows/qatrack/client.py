"""Ask a QATrack+ server, and believe nothing that does not look as it should.

Only ever GET, only below the address that was named, never after a redirect. The paths of other
rows that the server gives are read for their numbers; the requests are made from our own address.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from core.clock import now
from core.errors import FiducialError

Row = dict[str, Any]

MOST_PER_PAGE = 100
MOST_ROWS = 50_000
"""More than any department has test lists on units; an endless list ends here."""

MOST_WAITS = 5
LONGEST_WAIT_S = 90.0
"""QATrack+ throttles by the minute and then asks for less than a minute's patience."""


class Unreadable(FiducialError):
    """The server was not reached, or its answer is not one to rely on; the sentence says why."""


@dataclass(frozen=True)
class Limits:
    """How long and how large an answer may be.

    Attributes
    ----------
    silence_s : float
        Longest wait for the next byte, also while the connection is made.
    answer_s : float
        Longest time for the whole answer, however steadily it drips.
    largest : int
        Bytes; a page of 100 results with all their tests has about two million.
    """

    silence_s: float = 10.0
    answer_s: float = 30.0
    largest: int = 20_000_000


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Server:
    """A QATrack+ server and the token that reads it; the token is never printed."""

    address: str
    token: str = field(repr=False)
    limits: Limits = Limits()
    pause: Callable[[float], None] = time.sleep

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Row:
        """Return the JSON object at a path below ``/api/``, waiting where the server asks for it.

        Raises
        ------
        Unreadable
        """
        target = f"/api/{path}" + (f"?{urlencode(query)}" if query else "")
        for left in range(MOST_WAITS, -1, -1):
            answer = self._ask(target)
            if answer.status != 429:
                return _object(target, answer)
            wait = _patience(answer.headers.get("retry-after", ""))
            if not left or wait > LONGEST_WAIT_S:
                raise Unreadable(
                    f"The server is too busy: it asks to wait {wait:.0f} s (status 429)."
                )
            self.pause(wait)
        raise AssertionError  # the last turn of the loop returns or raises

    def rows(self, path: str) -> dict[int, Row]:
        """Return every row of a list by its number, page by page, each exactly once.

        Raises
        ------
        Unreadable
            Also if the pages do not make up one whole list.
        """
        found: dict[int, Row] = {}
        while True:
            asked = {"limit": MOST_PER_PAGE, "offset": len(found)}
            count, following, page = _page(path, self.get(path, asked))
            for row in page:
                number = number_in(row.get("url"), path)
                if number in found:
                    raise Unreadable(f"The server gave {path} {number} twice in one list.")
                found[number] = row
            if following is None:
                break
            if not page or following != len(found) or len(found) > MOST_ROWS:
                raise Unreadable(f"The pages of {path} do not follow each other.")
        if len(found) != count:
            raise Unreadable(f"The server counts {count} {path} and gave {len(found)}.")
        return found

    def row(self, path: str, number: int) -> Row:
        """Return one row, after making sure that it is the one that was asked for."""
        found = self.get(f"{path}{number}/")
        if number_in(found.get("url"), path) != number:
            raise Unreadable(f"The server was asked for {path} {number} and gave another.")
        return found

    def _ask(self, target: str) -> _Answer:
        parts = urlsplit(self.address)
        host, silence = parts.hostname or "", self.limits.silence_s
        connection: HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = HTTPSConnection(host, parts.port, timeout=silence, context=context)
        else:
            connection = HTTPConnection(host, parts.port, timeout=silence)
        late = threading.Event()
        held: list[socket.socket] = []
        watch = threading.Timer(self.limits.answer_s, _cut, (connection, held, late))
        watch.daemon = True
        watch.start()
        try:
            connection.connect()
            # The connection lets go of its socket while the answer is read.
            held.append(connection.sock)
            if late.is_set():
                raise TimeoutError
            headers = {
                "Accept": "application/json",
                "Authorization": f"Token {self.token}",
                "Connection": "close",
            }
            connection.request("GET", parts.path + target, headers=headers)
            response = connection.getresponse()
            with response:
                content = response.read(self.limits.largest + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise Unreadable(_why(error, late=late.is_set())) from None
        finally:
            watch.cancel()
            connection.close()
        if late.is_set():
            raise Unreadable(TOO_SLOW)
        return self._whole(response, content)

    def _whole(self, response: HTTPResponse, content: bytes) -> _Answer:
        if len(content) > self.limits.largest:
            raise Unreadable(f"The answer is larger than {self.limits.largest:,} bytes.")
        promised = response.headers.get("content-length", "")
        if promised.isdecimal() and int(promised) != len(content):
            raise Unreadable("The answer ended before it was complete.")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _Answer(response.status, headers, content)


def _cut(connection: HTTPConnection, held: list[socket.socket], late: threading.Event) -> None:
    late.set()
    for one in (*held, connection.sock):
        if one is not None:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


TOO_SLOW = "The server did not answer in time."

FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, TOO_SLOW),
    (ssl.SSLError, "The server does not speak TLS as it should."),
    (socket.gaierror, "The server's name is not known to the network."),
    (ConnectionRefusedError, "Nothing answers at the server's address."),
)


def _why(error: Exception | None, *, late: bool) -> str:
    """Return the reason in our own words: an error's may quote what was sent."""
    if late:
        return TOO_SLOW
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "it cannot be verified"
        return f"The certificate of the server is not accepted: {reason}."
    for kind, sentence in FAILURES:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, OSError):
        return f"The connection to the server failed ({error.strerror or type(error).__name__})."
    return "The server's answer is not HTTP as it should be."


def _patience(written: str) -> float:
    """Return how long to wait: a number of seconds or a date; a minute where it cannot be read."""
    if written.isdecimal() and len(written) < 10:
        return max(1.0, float(written))
    try:
        return max(1.0, (parsedate_to_datetime(written) - now()).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 60.0


REFUSALS = {
    400: "The server does not understand the request (status 400).",
    401: "The server does not accept the token (status 401).",
    403: "The server does not let this token read (status 403).",
    404: "There is no QATrack+ interface at this address (status 404).",
}


def _object(target: str, answer: _Answer) -> Row:
    if 300 <= answer.status < 400:
        leads = re.match(r"(https?://[A-Za-z0-9.:-]{1,80})", answer.headers.get("location", ""))
        elsewhere = f" to {leads[1]}" if leads else ""
        raise Unreadable(
            f"The server leads elsewhere{elsewhere} (status {answer.status}); redirects are not "
            "followed. Name the address that it leads to."
        )
    if answer.status != 200:
        failed = f"The server failed (status {answer.status})."
        raise Unreadable(REFUSALS.get(answer.status, failed))
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Unreadable(f"The server answered {target.partition('?')[0]} with a page, not data.")
    try:
        found = json.loads(answer.content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unreadable(f"The data at {target.partition('?')[0]} is not JSON.") from None
    if not isinstance(found, dict):
        raise Unreadable(f"The data at {target.partition('?')[0]} is no object.")
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)


def _page(path: str, told: Row) -> tuple[int, int | None, list[Row]]:
    """Return how many rows there are, where the next page begins, and the rows of this one."""
    count, following, rows = told.get("count"), told.get("next"), told.get("results")
    whole = isinstance(count, int) and not isinstance(count, bool) and isinstance(rows, list)
    if not whole or not all(isinstance(row, dict) for row in rows or ()):
        raise Unreadable(f"The list of {path} is not one.")
    assert isinstance(count, int)  # noqa: S101 - checked above
    assert isinstance(rows, list)  # noqa: S101 - checked above
    if following is None:
        return count, None, rows
    begins = re.search(r"[?&]offset=([0-9]{1,9})(&|$)", str(following)[:2000])
    if begins is None:
        raise Unreadable(f"The pages of {path} do not follow each other.")
    return count, int(begins[1]), rows


def number_in(address: object, path: str) -> int:
    """Return the number at the end of an address of a row of `path`.

    Examples
    --------
    >>> number_in("http://qa.example.org/api/qc/testlists/12/", "qc/testlists/")
    12
    """
    # The same resource answers below qa/ and qc/.
    wanted = re.escape(path.partition("/")[2])
    found = re.fullmatch(rf".*/api/\w+/{wanted}(\d{{1,9}})/?", str(address)[:1000])
    if found is None:
        raise Unreadable(f"{str(address)[:100]!r} is no address of {path}.")
    return int(found[1])
