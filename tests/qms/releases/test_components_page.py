"""The page of third-party components: what the repository states, and what somebody sends."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlmodel import col

from app import errors
from core.ledger.models import LedgerEntry
from core.people.models import Person
from core.people.proving import sign_in
from core.people.service import grant
from core.records.service import find_project
from core.settings import Settings
from core.web.access import COOKIE
from qms.releases import ports
from qms.rules.facts import Declared
from qms.soup.components import Component
from qms.soup.routes import router
from tests.qms.releases.conftest import DECLARED, Device

WORDS = "a long sentence to remember"
AT = "/p/RPM/sbom"
LOCK = (
    "cpython-helper==1.0\n    # via rt-plan-metrics\n"
    "numpy==2.5.5\n    # via rt-plan-metrics\n"
    "pydicom==3.0.2\n    # via rt-plan-metrics\n"
    "shapely==2.2.0\n    # via rt-plan-metrics\n"
    "six==1.0\n    # via pydicom\n"
)


def signed_in(device: Device, uid: str, roles: list[str], settings: Settings) -> TestClient:
    service = FastAPI()
    service.state.database, service.state.settings = device.db, settings
    errors.register(service)
    service.include_router(router)
    with device.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == uid)).one()
        person.password_hash = PasswordHash.recommended().hash(WORDS)
        grant(session, person, roles, None, find_project(session, "RPM").id)
        username = person.username
    token, _ = sign_in(device.db, username, WORDS, "127.0.0.1", settings)
    client = TestClient(service, cookies={COOKIE: token}, follow_redirects=False)
    client.headers["accept"] = "text/html"
    return client


@pytest.fixture
def author(device, tmp_path) -> Iterator[TestClient]:
    with signed_in(device, "PPL-AK", ["author", "developer"], Settings(data_dir=tmp_path)) as one:
        yield one


@pytest.fixture
def reader(device, tmp_path) -> Iterator[TestClient]:
    with signed_in(device, "PPL-EQ", ["viewer"], Settings(data_dir=tmp_path)) as one:
        yield one


def states(*more: Component, **versions: str):
    """Let the repository state other versions, and more components."""
    held = [
        replace(one, version=versions.get(one.name, one.version))
        for one in DECLARED.bill.components
    ]
    bill = replace(DECLARED.bill, components=(*held, *more))
    return ports.declared_components.filled(lambda *_: Declared(bill))


def send(client: TestClient, content: bytes, name: str = "a.lock", token: str = ""):
    if not token:
        [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', client.get(AT).text)
    return client.post(AT, data={"csrf_token": token}, files={"sent": (name, content)})


def test_agreement_is_said_in_a_sentence(reader) -> None:
    text = reader.get(AT).text

    assert "Nothing was found: what is built and the register say the same" in text
    assert "states 3 components. Agreeing with the register: 3; came along: 0" in text
    assert "Not sought, since a lock file cannot state it" in text
    assert "SOUP-01" in text


def test_a_drift_is_shown_with_links_to_what_it_touches(reader) -> None:
    with states(Component("left-pad", "1.3.0", direct=True), numpy="2.5.5"):
        text = reader.get(AT).text
        only = reader.get(AT, params={"show": "SB03"}).text
        listed = reader.get(AT, params={"view": "components"}).text
        exported = reader.get(f"{AT}/export/json", params={"show": "SB03"}).json()
        components = reader.get(f"{AT}/export/json", params={"view": "components"}).json()
        bill = reader.get(f"{AT}/sbom.cdx.json")

    for uid in ("SOUP-04", "SI-05", "REQ-009", "RSK-004", "TST-009"):
        assert f'href="/p/RPM/{uid}"' in text
    assert "left-pad" in text
    assert "Due: evaluation of the anomaly list of numpy 2.5.5" in text
    assert "left-pad" not in only
    assert "SOUP-04" in only
    assert ">registered<" in listed.replace("\n", "")
    standing = {one["Component"]: one["Standing"] for one in components["rows"]}
    assert standing == {
        "left-pad": "missing in the register",
        "numpy": "version drift",
        "pydicom": "registered",
        "shapely": "registered",
    }
    [row] = exported["rows"]
    assert (row["Stated"], row["Registered"], row["Record"]) == ("2.5.5", "2.4.6", "SOUP-04")
    assert "TST-009" in row["Tests"]
    assert {one["name"] for one in json.loads(bill.text)["components"]} == {
        "left-pad", "numpy", "pydicom", "shapely",
    }  # fmt: skip
    assert bill.headers["content-disposition"] == 'attachment; filename="RPM-REL-0.1.0.cdx.json"'


def test_why_there_is_nothing_to_compare_is_said(reader) -> None:
    nothing = Declared(None, "commit 3f2c1a9 holds none of requirements.lock")
    with ports.declared_components.filled(lambda *_: nothing):
        text = reader.get(AT).text
        bill = reader.get(f"{AT}/sbom.cdx.json")
    unknown = reader.get(AT, params={"release": "REL-9"})

    assert "There is nothing to compare: commit 3f2c1a9 holds none of requirements.lock." in text
    assert (bill.status_code, unknown.status_code) == (404, 404)


def test_a_file_is_compared_and_not_kept(author, device) -> None:
    with device.db.reading() as session:
        before = len(session.scalars(select(LedgerEntry)).all())

    answer = send(author, LOCK.encode(), "next.lock")

    assert answer.status_code == 200
    assert "This compares next.lock, which was not kept." in answer.text
    assert "2 of 2 findings." in answer.text
    assert "cpython-helper" in answer.text
    assert "came along: 1" in answer.text
    with device.db.reading() as session:
        assert len(session.scalars(select(LedgerEntry)).all()) == before


def test_a_file_that_cannot_be_read_is_refused_with_its_faults(author) -> None:
    for content, said in (
        (b"numpy>=2\n-e .\n", "a.lock:2"),
        (b'{"bomFormat": "SPDX"}', "Write it as CycloneDX in JSON."),
        (b"   ", "is empty."),
        (b"x" * 10_000_001, "holds more than 10000000 bytes."),
    ):
        answer = send(author, content)

        assert answer.status_code == 422
        assert said in answer.text
        assert "Nothing was compared: please mend the file first" in answer.text


def test_a_file_name_is_only_shown(author) -> None:
    answer = send(author, LOCK.encode(), "<script>alert(1)</script>.lock")

    assert "<script>alert" not in answer.text
    assert "script&gt;.lock" in answer.text


def test_only_authors_of_the_register_compare_files(author, reader) -> None:
    assert "Compare a file" in author.get(AT).text
    assert "Compare a file" not in reader.get(AT).text
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', reader.get(AT).text)

    refused = send(reader, LOCK.encode(), token=token)
    forged = send(author, LOCK.encode(), token="forged")

    assert (refused.status_code, forged.status_code) == (403, 403)
