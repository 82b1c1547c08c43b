"""A QATrack+ of our own on loopback: it replays what a real 3.1.1.3 was seen to answer.

It has the real one's traps too: an unknown filter returns everything, a bad date answers 500 with
a page, lists of tests on units come ten at a time, too many requests answer 429 until the minute
is over. Faults that a network or another program adds are switched on by a test.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

RECORDED_AT = "http://127.0.0.1:18765"
TOKEN = "0123456789abcdef0123456789abcdef01234567"

WAIT_S = 24
"""What the real one asked for at the 501st request of a minute."""

PAGE_SIZES = {"qc/unittestcollections/": 10, "qc/testlistinstances/": 10}
DATE_FILTERS = {"due_date_min", "due_date_max"}

LISTS = {
    "units/units/": "04_units",
    "qc/testlists/": "05_testlists",
    "qc/unittestcollections/": "06_unittestcollections",
    "qc/frequencies/": "07_frequencies",
    "qc/testlistcycles/": "08_cycles",
    "qc/testinstancestatus/": "09_statuses",
    "qc/testlistinstances/": "15_tli_list",
}
"""Which recording holds each list whole."""

Row = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Peer:
    """What the server holds, which faults it has, and what it was asked.

    Attributes
    ----------
    fault : callable or None
        Given the path and its query; answers instead of the server, or None for its own answer.
    most : int
        Requests that are answered in one minute; the real one's 500 would take a test too long.
    stop : callable
        Goes down, for good.
    """

    recorded: Path
    lists: dict[str, list[Row]] = field(default_factory=dict)
    fault: Callable[[str, dict[str, str]], Answer | None] | None = None
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    address: str = ""
    most: int = 500
    stop: Callable[[], None] = field(default=lambda: None)
    _this_minute: int = 0

    def __post_init__(self) -> None:
        for path, name in LISTS.items():
            self.lists[path] = self.recording(name)["body"]["results"]
        # The recording goes on: a result was posted for the first test, and its due date moved.
        self.lists["qc/unittestcollections/"][0] = self.recording("16_utc_after")["body"]

    def recording(self, name: str) -> Row:
        """Return one recorded request with its answer."""
        found: Row = json.loads((self.recorded / f"{name}.json").read_text(encoding="utf-8"))
        return found

    def replay(self, name: str, **headers: str) -> Answer:
        """Return a recorded answer as it was."""
        told = self.recording(name)
        body = told["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        return told["status"], {**told["headers"], **headers}, content.encode()

    def answer(self, target: str, authorization: str) -> Answer:
        """Answer one GET."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        self.asked.append(target)
        self.tokens.append(authorization)
        if authorization != f"Token {TOKEN}":
            return self.replay("01_bad_token" if authorization else "00_no_auth")
        self._this_minute += 1
        if self._this_minute > self.most:
            return 429, {"Retry-After": str(WAIT_S)}, b""
        path = parts.path.removeprefix("/api/")
        found = self.fault(path, query) if self.fault else None
        return found or self._own(path, query)

    def pass_minute(self) -> None:
        """Let a minute pass, so that as many requests are answered again."""
        self._this_minute = 0

    def _own(self, path: str, query: dict[str, str]) -> Answer:
        if path in self.lists:
            return self._list(path, query)
        parent, _, number = path.rstrip("/").rpartition("/")
        if not path.endswith("/"):
            return 301, {"Location": f"{self.address}/api/{path}/"}, b""
        for row in self.lists.get(f"{parent}/", ()):
            if row["url"].endswith(f"/{number}/"):
                return self.json(row)
        return self.replay("21_not_found")

    def _list(self, path: str, query: dict[str, str]) -> Answer:
        """Page a list. Filters are as good as unknown here: every row is returned."""
        if any(not value[:4].isdecimal() for name, value in query.items() if name in DATE_FILTERS):
            return self.replay("19_schema")
        rows = self.lists[path]
        usual = PAGE_SIZES.get(path, 100)
        limit = int(query.get("limit", usual))
        limit, offset = limit if limit > 0 else usual, int(query.get("offset", 0))
        following = None
        if offset + limit < len(rows):
            asked = urlencode({**query, "limit": limit, "offset": offset + limit})
            following = f"{self.address}/api/{path}?{asked}"
        return self.json(
            {
                "count": len(rows),
                "next": following,
                "previous": None,
                "results": rows[offset : offset + limit],
            }
        )

    def json(self, body: object) -> Answer:
        """Return an answer with data, whose addresses are those of this server."""
        content = json.dumps(body).replace(RECORDED_AT, self.address)
        return 200, {"Content-Type": "application/json"}, content.encode()

    def page(self, path: str, query: dict[str, str]) -> Row:
        """Return what the server itself would answer for a list, to be spoilt by a test."""
        found: Row = json.loads(self._list(path, query)[2])
        return found

    def assign_to_more_units(self, number: int) -> None:
        """Let every unit test collection be done on `number` more units, so that pages are many."""
        units, assigned = self.lists["units/units/"], self.lists["qc/unittestcollections/"]
        for n in range(number):
            unit, row = deepcopy(units[0]), deepcopy(assigned[1])
            unit |= {"url": f"{RECORDED_AT}/api/units/units/{100 + n}/", "number": 1000 + n}
            row |= {
                "url": f"{RECORDED_AT}/api/qc/unittestcollections/{100 + n}/",
                "unit": unit["url"],
                "due_date": None,
            }
            units.append(unit)
            assigned.append(row)


@contextmanager
def serving(peer: Peer, context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Let a peer answer at an address of its own, over TLS where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = peer.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            slow = float(headers.pop("X-Drip", 0))
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                if slow:
                    for letter in content:
                        self.wfile.write(bytes([letter]))
                        time.sleep(slow)
                else:
                    self.wfile.write(content)
            except OSError:
                pass  # the client had enough

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    peer.address = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    peer.stop = stop
    try:
        yield peer
    finally:
        stop()
