"""A browser as a person uses it: open a page, fill in a form that is on it, send it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select
from sqlmodel import col

from app.main import create_app
from core.db import Database
from core.ledger.models import LedgerEntry
from core.people.models import Person
from core.records import approval
from core.settings import Settings

PASSWORD = "correct horse battery staple"


@lru_cache
def hashed() -> str:
    """Hash the password of all staff once, and so that checking it costs no time."""
    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)


@dataclass
class SentForm:
    """A form as it stands on a page, with what it would send."""

    action: str = ""
    method: str = "get"
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[SentForm] = []
        self._area: str | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(SentForm(values.get("action", ""), values.get("method", "get")))
        if not self.forms:
            return
        name, here = values.get("name", ""), self.forms[-1]
        if tag == "input" and name and values.get("type") not in ("checkbox", "radio", "file"):
            here.fields.append((name, values.get("value", "")))
        elif tag == "button" and name:
            here.buttons.append((name, values.get("value", "")))
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select is not None:
            self._options.append((values.get("value", "\0"), "selected" in values))

    def handle_data(self, data: str) -> None:
        self._text += data
        if self._options and self._options[-1][0] == "\0":
            self._options[-1] = (data, self._options[-1][1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            # A browser drops the first line break and sends the others as CR LF.
            text = self._text.removeprefix("\n").replace("\n", "\r\n")
            self.forms[-1].fields.append((self._area, text))
            self._area = None
        elif tag == "select" and self._select is not None:
            chosen = [value for value, selected in self._options if selected]
            if self._options:
                self.forms[-1].fields.append((self._select, (chosen or [self._options[0][0]])[0]))
            self._select = None


def forms_of(html: str) -> list[SentForm]:
    """Return every form of a page."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


class Browser:
    """One person's browser."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(
            app, base_url="http://127.0.0.1:8000", headers={"accept": "text/html"}
        )
        self.page: Response | None = None

    def open(self, path: str) -> Response:
        """Open a page."""
        self.page = self.client.get(path)
        return self.page

    def form(self, action: str) -> SentForm:
        """Return a form of the open page by where it is sent to."""
        assert self.page is not None
        found = [one for one in forms_of(self.page.text) if one.action == action]
        assert found, f"no form to {action} among {[f.action for f in forms_of(self.page.text)]}"
        return found[0]

    def send(self, to: str, typed: dict[str, Any] | None = None, /, **more: Any) -> Response:
        """Fill in a form of the open page and send it, as the person sees it."""
        sent: dict[str, Any] = dict(self.form(to).fields)
        sent |= typed or {}
        sent |= more
        self.page = self.client.post(to, data=sent)
        return self.page

    def sign_in(self, username: str, password: str = PASSWORD) -> Response:
        """Sign in on the sign-in page."""
        self.open("/sign-in")
        return self.send("/sign-in", username=username, password=password)


def words_of(html: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture(autouse=True)
def no_rules_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody but core speak: what other rooms add to a submission is tested there."""
    monkeypatch.setattr(approval.ports, "submission", None)
    monkeypatch.setattr(approval.ports, "gate", None)


@pytest.fixture
def service(office: Any, database: Database, tmp_path: Path) -> FastAPI:
    """The application on the office's database; everybody has the same password."""
    with database.writing() as session:
        for person in session.execute(select(Person)).scalars():
            person.password_hash = hashed()
    return create_app(Settings(data_dir=tmp_path), database)


@pytest.fixture
def browser_of(service: FastAPI) -> Callable[[str], Browser]:
    """Give a browser in which a person is signed in."""

    def open_for(uid: str) -> Browser:
        browser = Browser(service)
        assert browser.sign_in(uid.lower()).status_code == 200
        return browser

    return open_for


@pytest.fixture
def actions(database: Database) -> Callable[[str], list[LedgerEntry]]:
    """Return the entries of the audit trail whose action contains some words."""

    def find(words: str) -> list[LedgerEntry]:
        with database.reading() as session:
            rows = session.execute(
                select(LedgerEntry)
                .where(col(LedgerEntry.action).contains(words))
                .order_by(col(LedgerEntry.seq))
            ).scalars()
            found = list(rows)
            session.expunge_all()
            return found

    return find
