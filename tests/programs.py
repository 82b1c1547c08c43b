"""A program that has nothing but a token, made for what a test says."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from core.clock import now
from core.db import Database
from core.people.service import find_actor
from core.people.tokens import ACT, START, WRITE, Wish, make_token


class Program:
    """Asks for addresses with its token."""

    def __init__(self, app: FastAPI, database: Database, uid: str, *rights: str) -> None:
        day = str((now() + timedelta(days=1)).date())
        wish = Wish("import", WRITE in rights, None, day, START in rights, ACT in rights)
        with database.writing() as session:
            token = make_token(session, wish, find_actor(session, uid))
        headers = {"authorization": f"Bearer {token}"}
        self.client = TestClient(app, base_url="http://127.0.0.1", headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> Response:
        """Send a request."""
        return self.client.request(method, path, follow_redirects=False, **more)

    def get(self, path: str, **query: Any) -> Any:
        """Return what an address answers, which has to be good."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, sent: Any = None) -> Response:
        """Send a value as JSON."""
        return self.ask("POST", path, json=sent)
