"""What a form sends is there before anything is asked of the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from core.people.models import Person
from core.web.identity import COOKIE
from tests.conftest import Office
from tests.core.conftest import Browser

FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize("address", ["/p/RPM/new/user_need", "/p/RPM/sheets/risk", "/sign-out"])
def test_whoever_sends_slowly_keeps_nobody_from_writing(
    service: FastAPI, office: Office, browser_of: Callable[[str], Browser], address: str
) -> None:
    cookie = browser_of("PPL-AK").client.cookies[COOKIE]
    answered: list[int] = []

    def write() -> None:
        with office.writing() as session:
            person = session.execute(select(Person).where(col(Person.uid) == "PPL-CV")).scalar_one()
            person.name = "Somebody Else"

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            answered.append(int(str(message["status"])))

    async def slowly() -> None:
        waited, comes = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, object]:
            waited.set()
            await comes.wait()
            return {"type": "http.request", "body": b"csrf_token=strange", "more_body": False}

        headers = [
            (b"host", b"127.0.0.1:8000"),
            (b"accept", b"text/html"),
            (b"content-type", FORM),
            (b"cookie", f"{COOKIE}={cookie}".encode()),
        ]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": address, "raw_path": address.encode(), "root_path": "",
            "query_string": b"", "headers": headers, "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 1), "state": {},
        }  # fmt: skip
        request = asyncio.create_task(service(scope, receive, send))
        await waited.wait()
        await asyncio.to_thread(write)
        comes.set()
        await request

    # In a thread of its own: a browser that other tests drive has a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(slowly())).result()

    assert answered == [403]
