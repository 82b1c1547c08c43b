"""Programs list repositories, register one, have it scanned, and retire it."""

import pytest
from sqlalchemy import select

from app.main import ROUTERS
from core.jobs.models import Job
from core.people.tokens import ACT, START
from qms.repositories.scanning import scan_repository
from tests.programs import Program

AT = "/api/p/RPM/repositories"


@pytest.fixture
def site(new_site):
    made = new_site(*ROUTERS)
    made.browser("PPL-BT", "developer")
    return made


def test_a_repository_is_registered_scanned_and_retired(site, source) -> None:
    keeping, starting = (Program(site.app, site.db, "PPL-BT", right) for right in (ACT, START))

    made = keeping.post(AT, {"address": str(source.folder), "name": "rpm"})
    first, second = (starting.post(f"{AT}/rpm/scan") for _ in range(2))
    source.add("Compute the dose\n\nImplements: REQ-009")
    source.tag("v9")
    scan_repository(site.db, site.settings, 1)
    [scanned] = starting.get(AT)
    retired = keeping.post(f"{AT}/rpm/retire")

    assert (made.status_code, made.json()["scanned_at"], made.json()["tags"]) == (201, None, [])
    assert first.status_code == 202
    assert first.headers["location"] == first.json()["follow"] == "/jobs/1.json"
    assert second.json() == first.json()
    with site.db.reading() as session:
        job = session.execute(select(Job)).scalar_one()
        assert (job.kind, job.payload) == ("qms.repositories.scan", {"repository": 1})
    assert [one["name"] for one in scanned["tags"]] == ["v9"]
    assert scanned["scanned_at"]
    assert retired.json()["retired_at"]
    assert keeping.post(f"{AT}/rpm/retire").status_code == 409


@pytest.mark.parametrize(
    ("address", "code"),
    [("ext::sh -c x", "GIT03"), ("--upload-pack=x", "GIT02"), ("/etc", "GIT07")],
)
def test_a_hostile_address_is_refused_with_its_code(site, address: str, code: str) -> None:
    program = Program(site.app, site.db, "PPL-BT", ACT)

    answer = program.post(AT, {"address": address})

    assert answer.status_code == 422
    assert [one["code"] for one in answer.json()["faults"]] == [code]
    assert program.get(AT) == []
