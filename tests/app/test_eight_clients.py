"""Eight people edit, hand in, send back and sign the same records at once, over HTTP."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import select
from sqlmodel import col

from app.main import create_app
from core.blobs import BlobStore
from core.canonical import read_json
from core.db import Database
from core.ledger.models import LedgerEntry
from core.people.models import Person
from core.people.service import grant, open_session
from core.records.audit import verify_installation
from core.records.content import Content, LinkDraft
from core.records.models import Record, Revision
from core.records.service import create_project, create_record
from core.settings import Settings
from core.web.identity import COOKIE
from tests.core.conftest import PASSWORD, SentForm, forms_of, hashed, words_of

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-006")]

WRITES, REVIEWS, APPROVES = ["author", "developer"], ["technical_reviewer"], ["quality_manager"]
CLIENTS = (WRITES, WRITES, WRITES, WRITES, REVIEWS, REVIEWS, APPROVES, APPROVES)
RECORDS = ("UN-1", "REQ-1")
PLAN = ("edit", "any", "submit", "sign", "sign", "edit", "submit", "any")
"""What all try at once, round by round: each round is done on every record."""

REFUSALS = {403, 409, 422}
ACTS = ("edit", "submit", "sign", "reject")


@dataclass
class Sent:
    """One request of one client, and what came of it."""

    act: str
    uid: str
    expected: str
    status: int
    told: str


@dataclass
class Client:
    """One person's browser and everything they did with it."""

    uid: str
    http: httpx2.Client
    chance: random.Random
    done: list[Sent] = field(default_factory=list)

    def accepted(self) -> list[tuple[str, str, str]]:
        """Return what was accepted, in order: act, record and what was read before."""
        return [(one.act, one.uid, one.expected) for one in self.done if one.status == 303]

    def read(self, uid: str, wanted: str) -> tuple[str, SentForm] | None:
        """Open a record's page and choose what is wanted, if it is offered."""
        page = self.http.get(f"/p/RPM/{uid}")
        assert page.status_code == 200, page.text
        offered = {
            form.action.rpartition("/")[2]: form
            for form in forms_of(page.text)
            if form.action.startswith(f"/p/RPM/{uid}/")
        }
        if wanted in ("edit", "any") and f'href="/p/RPM/{uid}/edit"' in page.text:
            editing = self.http.get(f"/p/RPM/{uid}/edit")
            if editing.status_code == 200:
                offered["edit"] = next(
                    one for one in forms_of(editing.text) if one.action.endswith("/edit")
                )
        liked = [one for one in offered if one == wanted or (wanted == "any" and one in ACTS)]
        act = self.chance.choice(liked) if liked else ""
        return (act, offered[act]) if act else None

    def send(self, uid: str, act: str, form: SentForm) -> None:
        """Fill the form in and send it."""
        sent = dict(form.fields)
        mark = f"{self.uid} {len(self.done)}"
        more = {"password": PASSWORD, "reason": mark}
        if act == "edit":
            more = {"title": mark, "action": "save"}
        answer = self.http.post(form.action, data=sent | more)
        self.done.append(
            Sent(act, uid, sent["expected"], answer.status_code, words_of(answer.text))
        )


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application over real HTTP on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def furnished(database: Database, settings: Settings) -> list[tuple[str, str]]:
    """Begin a project with two drafts; return each client's uid and cookie."""
    with database.writing() as session:
        project = create_project(session, "RPM", "RT Plan Metrics", None)
        found = []
        for number, roles in enumerate(CLIENTS):
            person = Person(
                username=f"p{number}", uid=f"PPL-{number}", name=f"PPL-{number}",
                password_hash=hashed(),
            )  # fmt: skip
            session.add(person)
            session.flush()
            grant(session, person, roles, None, project.id)
            token, actor = open_session(session, person, settings)
            found.append((person.uid, token))
            if number == 0:
                author = actor
        need = {"stakeholder": "physicist", "acceptance": "It is seen."}
        content = Content("A need", "It is needed.", need)
        create_record(session, project, "user_need", content, author, uid="UN-1")
        fields = {"category": "functional", "acceptance": "It is seen."}
        links = (LinkDraft("derives_from", "UN-1"),)
        content = Content("A requirement", "It shall.", fields, links)
        create_record(session, project, "requirement", content, author, uid="REQ-1")
    return found


@dataclass
class Change:
    """One entry of the audit trail about a record."""

    uid: str
    by: str
    act: str
    before: str
    data: Mapping[str, Any]


def changes(database: Database) -> list[Change]:
    """Return what happened to the records, each with what a reader before it would have read."""
    with database.reading() as session:
        entries = session.execute(
            select(LedgerEntry)
            .where(col(LedgerEntry.action).startswith("record:"))
            .order_by(col(LedgerEntry.seq))
        ).scalars()
        found, stood = [], dict.fromkeys(RECORDS, "")
        for one in entries:
            data = read_json(one.data.encode())
            act = one.action.rpartition(":")[2]
            found.append(Change(one.subject, one.person_name, act, stood[one.subject], data))
            stood[one.subject] = f"{data['revision']}.{data['state']}.{data['content'][:16]}"
    return found


def asked_for(one: Change) -> bool:
    """Whether somebody sent a request for it; the rest follows from another act."""
    authored = one.act == "sign" and one.data["meaning"] == "authored"
    return one.act in ("save", "submit", "reject", "sign") and not authored


@pytest.fixture
def clients(database: Database, tmp_path: Path) -> Iterator[list[Client]]:
    """Let everybody do what they will, all at once in every round."""
    settings = Settings(data_dir=tmp_path)
    people = furnished(database, settings)
    together = threading.Barrier(len(people), timeout=60)
    with served(create_app(settings, database)) as origin:
        found = [
            Client(
                uid,
                httpx2.Client(base_url=origin, headers={"cookie": f"{COOKIE}={token}"}, timeout=60),
                random.Random(uid),
            )
            for uid, token in people
        ]

        def work(client: Client) -> None:
            for wanted, uid in itertools.product(PLAN, RECORDS):
                chosen = client.read(uid, wanted)
                together.wait()  # all have read the same; now all act on it
                if chosen is not None:
                    client.send(uid, *chosen)
                together.wait()

        with ThreadPoolExecutor(len(found)) as pool:
            for ended in [pool.submit(work, one) for one in found]:
                ended.result(timeout=120)
        yield found
        for one in found:
            one.http.close()


def test_eight_clients_lose_nothing_and_break_nothing(
    clients: list[Client], database: Database, tmp_path: Path
) -> None:
    sent = [one for client in clients for one in client.done]
    happened = changes(database)
    statuses = Counter(one.status for one in sent)
    acts = Counter(one.act for one in happened)

    # Refused with a reason, or done; and often enough of each for the test to say something.
    assert set(statuses) <= REFUSALS | {303}, statuses
    assert min(statuses[303], statuses[409]) >= len(PLAN), statuses
    assert min(acts["save"], acts["submit"], acts["approve"]) >= 2, acts
    for one in sent:
        assert one.status == 303 or one.uid in one.told, one

    # Whoever was told that it is done finds it in the trail, once, upon exactly what they read.
    for client in clients:
        theirs = [one for one in happened if one.by == client.uid and asked_for(one)]
        kept = [(one.act.replace("save", "edit"), one.uid, one.before) for one in theirs]
        assert kept == client.accepted()

    with database.reading() as session:
        for record in session.execute(select(Record)).scalars():
            revisions = (
                session.execute(
                    select(Revision)
                    .where(col(Revision.record_id) == record.id)
                    .order_by(col(Revision.number))
                )
                .scalars()
                .all()
            )
            assert [one.number for one in revisions] == list(range(1, len(revisions) + 1))
            last = [one for one in happened if one.uid == record.uid][-1]
            assert revisions[-1].content_digest == last.data["content"]
        verified = verify_installation(session, BlobStore(tmp_path / "blobs"))
    assert verified.clean, verified.findings
