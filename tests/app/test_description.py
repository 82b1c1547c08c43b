"""What the OpenAPI document says is what the service does, whatever it is sent."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.main import create_app
from core.db import open_database
from core.settings import Settings
from core.web.forgery import HEADER
from core.web.identity import COOKIE, for_programs
from tests.app.conftest import House
from tests.app.furnished import ANONYMOUS, ANYWHERE, NEIGHBOUR, STRANGER

pytestmark = pytest.mark.database

EXAMPLES = int(os.environ.get("FIDUCIAL_TEST_EXAMPLES", "2"))
"""Requests per operation; many more find no more, until somebody writes a new route."""

LONGEST_S = 60.0
"""A thousand times what these requests take; hostile input may not buy time without end."""

NOT_DRAWN_YET = 503
"""The one status above 499 that is no failure."""

HOSTILE = (
    "", " ", "\0", "a\0b", "\ufffd", "\ud83d\ude00", "\u202egnp", "'; DROP TABLE record; --",
    '"><script>alert(1)</script>', "../../etc/passwd", "..%2f..", "{{7*7}}", "%s%n", "%", "_",
    "x" * 10_001, "[" * 3_000, "9" * 400, "-1", "0", "1e999", "NaN", "null", "true", "[]", "{}",
    "2147483648", "9223372036854775808", "-9223372036854775809", "1_000", "\u0663", "0x10",
    "UN-101", "REQ-101", "PRJ-1", "\r\nX-Injected: 1", "*", "(", "a" * 300,
)  # fmt: skip
"""Text that some program somewhere took for something else."""

BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b"{" * 5_000),
    ("application/json", json.dumps({"a": [[[[{}]]]] * 100}).encode()),
    ("application/json", b'{"reason": "\xff\xfe"}'),
    ("application/x-www-form-urlencoded", b"reason=%FF%FE%00&expected=%zz&page=\xff"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(12_000))),
    ("application/x-www-form-urlencoded", b"password=" + b"x" * 200_000),
    ("multipart/form-data", b"no boundary at all"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="files"; '
     b'filename="a\0\xff"\r\nContent-Type: text/\0\r\n\r\n\xff\r\n--x--\r\n'),
    ("text/\xff; charset=nothing", b"\xff"),
    ("", b"reason=1"),
)  # fmt: skip
"""Bodies that no form of ours sends."""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(HOSTILE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HOSTILE), inner),
    max_leaves=8,
)
"""Values of every kind, the numbers among them that JSON does not have."""

FITTING: Mapping[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["user_need", "requirement", "connection", "problem", "training"]),
    "fields": st.dictionaries(
        st.sampled_from(
            ["stakeholder", "acceptance", "priority", "safety", "failure_modes", "data_types",
             "surveyed_on", "category", "nothing"]
        ),
        JSON,
        max_size=4,
    ),
    "links": st.lists(
        st.fixed_dictionaries({
            "role": st.sampled_from(["derives_from", "from_system", "nothing", "__class__"]),
            "target": st.sampled_from(["UN-103", "UN-203", "SYS-A1", "REQ-101", "x"]),
            "project": st.sampled_from([None, "RPM", "SIDE", "NOPE"]),
            "attributes": st.dictionaries(st.sampled_from(["kind", "extent"]), JSON, max_size=2),
        }),
        max_size=3,
    ),
}  # fmt: skip
"""Bodies that come further, because most of what they say is well formed."""


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    told: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def form(self) -> Mapping[str, Any]:
        """The schema of the form that it takes, or none."""
        for one in self.told.get("requestBody", {}).get("content", {}).values():
            schema: Mapping[str, Any] = one["schema"]
            return schema
        return {}


def service() -> FastAPI:
    return create_app(Settings(), open_database("sqlite://"))


def operations() -> Iterator[Operation]:
    """Return every operation, of an application that no request reaches."""
    for path, methods in DOCUMENT["paths"].items():
        for method, told in methods.items():
            yield Operation(method.upper(), path, told)


DOCUMENT: Mapping[str, Any] = service().openapi()
OPERATIONS = tuple(operations())


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema itself where one names it."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def values(schema: Mapping[str, Any], likely: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Return what may be written for a value of a schema: what fits it, and what does not."""
    told = resolved(schema)
    hostile = st.sampled_from(HOSTILE) | st.text(max_size=20)
    fitting = [st.sampled_from(likely)] * 4 if likely else []
    for one in (told, *map(resolved, told.get("anyOf", ()))):
        if "enum" in one:
            fitting.append(st.sampled_from([str(value) for value in one["enum"]]))
        elif one.get("type") == "integer":
            fitting.append(st.integers(1, 9).map(str) | st.integers().map(str))
        elif one.get("type") == "boolean":
            fitting.append(st.sampled_from(["true", "false"]))
    return st.one_of(*fitting, hostile)


@st.composite
def requests(draw: st.DrawFn, operation: Operation, house: House) -> dict[str, Any]:
    """Return one request of an operation: where to, by whom, with what."""
    own, other = house.installation.own, house.installation.other
    likely = tuple({*own.values(), other["held"], "Europe", "svg", "xlsx", "nothing"})
    address, query = operation.path, []
    for one in operation.told.get("parameters", ()):
        name = one["name"]
        if one["in"] == "path":
            known = (own["project"],) * 9 if name.startswith("project") else (
                *([own[name]] * 6 if name in own else ()), *likely
            )  # fmt: skip
            written = draw(values(one["schema"], known)).replace("/", "|") or "0"
            raw = draw(st.sampled_from([quote(written, safe="", errors="replace")] * 9 + ["%FF"]))
            address = address.replace(f"{{{name}}}", "%2E" if raw in (".", "..") else raw)
        elif one["in"] == "query" and draw(st.booleans()):
            query.append((name, draw(values(one["schema"], likely))))
    who = draw(st.sampled_from([ANYWHERE] * 7 + [NEIGHBOUR, STRANGER, ANONYMOUS]))
    asked = {"url": address, "params": query, "who": who, "json": draw(st.booleans())}
    programs = ["", "", "", own["token"], other["token"], "fid_" + "x" * 43, "\xff"]
    pages = [""] * 9 + [own["token"]]
    asked["token"] = draw(st.sampled_from(programs if for_programs(operation.path) else pages))
    if operation.method != "GET":
        asked |= draw(bodies(operation, house, likely))
    return asked


@st.composite
def bodies(
    draw: st.DrawFn, operation: Operation, house: House, likely: tuple[str, ...]
) -> dict[str, Any]:
    """Return what a request carries: mostly a form as documented, at times anything."""
    if draw(st.integers(0, 4)) == 0:
        media_type, content = draw(st.sampled_from(BODIES))
        return {"content": content, "media_type": media_type}
    form = resolved(operation.form)
    names = form.get("properties") or {
        "title": {}, "body": {}, "action": {}, "expected": {}, "field.category": {},
        "link.derives_from.0.target": {}, "link.derives_from.99999999999.project": {}, "uid": {},
        "field.failure_modes.0.severity": {}, "spare": {},
    }  # fmt: skip
    sent = {
        name: draw(values(schema, likely))
        for name, schema in names.items()
        if draw(st.integers(0, 3))
    }
    sent = {name: value for name, value in sent.items() if encodable(value)}
    if "application/json" not in operation.told.get("requestBody", {}).get("content", {}):
        return {"data": sent}
    nested = {
        "type": "user_need",
        "title": "A need",
        "expected": house.installation.own["draft_read"],
    }
    nested |= {name: draw(JSON) for name in names if not draw(st.integers(0, 3))} | sent
    nested |= {name: draw(FITTING[name]) for name in FITTING if draw(st.booleans())}
    return {"content": json.dumps(nested).encode(), "media_type": "application/json"}


def encodable(text: str) -> bool:
    """Whether a client can send it at all: half of a surrogate pair is no text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def send(house: House, operation: Operation, asked: Mapping[str, Any]) -> Response:
    """Send one request."""
    somebody = house.installation.people[asked["who"]]
    headers: dict[str, str | bytes] = {
        HEADER: somebody.csrf,
        "accept": "application/json" if asked["json"] else "*/*",
    }
    if somebody.cookie:
        headers["cookie"] = f"{COOKIE}={somebody.cookie}"
    if asked["token"]:
        headers["authorization"] = f"Bearer {asked['token']}".encode("latin-1")
    if asked.get("media_type"):
        headers["content-type"] = asked["media_type"].encode("latin-1")
    return house.client.request(
        operation.method,
        asked["url"],
        params=[(name, value) for name, value in asked["params"] if encodable(value)],
        headers=headers,
        data=asked.get("data"),
        content=asked.get("content"),
    )


def test_document_names_every_route_and_nothing_else(house: House) -> None:
    answer = send(
        house,
        OPERATIONS[0],
        {"url": "/openapi.json", "params": (), "who": STRANGER, "json": True, "token": ""},
    )

    assert answer.json()["paths"] == DOCUMENT["paths"]
    assert len(OPERATIONS) > 80


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_nothing_that_is_sent_is_answered_as_the_document_does_not_say(
    house: House, operation: Operation
) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(asked=requests(operation, house))
    def every(asked: dict[str, Any]) -> None:
        began = time.perf_counter()
        answer = send(house, operation, asked)
        took = time.perf_counter() - began

        told = operation.told["responses"].get(str(answer.status_code))
        assert told is not None, f"{answer.status_code} is not documented: {answer.text[:500]}"
        assert answer.status_code < 500 or answer.status_code == NOT_DRAWN_YET, answer.text[:500]
        if answer.content and answer.status_code >= 400:
            media_type = answer.headers["content-type"].partition(";")[0]
            assert media_type in told["content"], media_type
            if media_type == "application/json":
                assert set(answer.json()) == {"message", "faults"}
        assert took < LONGEST_S

    every()


UNKEEPABLE = (
    ({"title": "a\0b"}, "code 0"),
    ({"body": "a\0b"}, "code 0"),
    ({"fields": {"stakeholder": "a\0b"}}, "code 0"),
    ({"fields": {"stakeholder": "\ud800"}}, "unicode"),
    ({"type": "release", "fields": {"retention_years": 10**30}}, "2**53"),
    ({"type": "connection", "fields": {"failure_modes": [{"severity": float("nan")}]}}, "finite"),
    ({"fields": {"stakeholder": float("inf")}}, "string"),
)


@pytest.mark.parametrize(("sent", "reason"), UNKEEPABLE)
def test_what_no_database_keeps_alike_is_refused_with_its_reason(
    house: House, sent: dict[str, Any], reason: str
) -> None:
    asked = {
        "url": "/api/p/RPM/records", "params": (), "who": ANYWHERE, "json": True, "token": "",
        "content": json.dumps({"type": "user_need", "title": "A need", **sent}).encode(),
        "media_type": "application/json",
    }  # fmt: skip

    answer = send(house, Operation("POST", "", {}), asked)

    assert answer.status_code == 422
    assert reason in answer.json()["faults"][0]["what"]


@pytest.mark.parametrize("reason", ["a\\u0000b", "%2500"])
def test_text_that_only_speaks_of_that_character_is_kept(house: House, reason: str) -> None:
    asked = {
        "url": "/api/p/RPM/records", "params": (), "who": ANYWHERE, "json": True, "token": "",
        "content": json.dumps({"type": "user_need", "title": reason}).encode(),
        "media_type": "application/json",
    }  # fmt: skip

    assert send(house, Operation("POST", "", {}), asked).status_code == 201
