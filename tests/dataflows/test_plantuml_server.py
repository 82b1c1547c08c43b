"""A PlantUML server draws only where the administrator named one, and only what is safe is kept."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.main import create_app
from app.worker import JOBS
from core.db import Database
from core.jobs.models import Job
from core.settings import Settings
from core.web.access import COOKIE
from dataflows.plantuml import drawing, server
from dataflows.plantuml.server import draw_now
from dataflows.render import DrawingFailed, scaled
from tests.dataflows.plantuml_peer import Peer, plantuml_server

TEXT = '@startuml\nrectangle "Planning" as s1 [[/p/DEPT/TPS]]\n@enduml\n'
PAGE = "/p/DEPT/map/plantuml?focus=PQA"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with plantuml_server() as found:
        yield found


def named(peer: Peer, tmp_path) -> Settings:
    return Settings(data_dir=tmp_path / "var", plantuml_server=peer.address)


def test_the_named_server_draws_and_only_what_a_picture_needs_is_kept(peer, tmp_path) -> None:
    drawn = draw_now(TEXT, named(peer, tmp_path))

    assert peer.asked == [f"/plantuml/svg\n{TEXT}"]
    assert drawn.renderer == f"PlantUML 1.2025.3 at {peer.address}"
    assert 'href="/p/DEPT/TPS"' in drawn.svg
    assert 'stroke="#181818"' in drawn.svg
    assert "Planning" in drawn.svg
    for word in ("elsewhere", "script", "style", "url("):
        assert word not in drawn.svg
    assert scaled(drawn.svg, 100).count("<rect") == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"status": 500, "kind": "text/html"}, "answered with status 500"),
        ({"status": 302, "elsewhere": "https://www.plantuml.com/"}, "sends elsewhere (status 302)"),
        ({"status": 414}, "too long for the server"),
        ({"kind": "image/png"}, "answered with image/png, not with SVG"),
        ({"body": "<html xmlns='http://www.w3.org/1999/xhtml'/>"}, "is not an SVG"),
        ({"body": "<svg xmlns='http://www.w3.org/2000/svg'/>"}, "does not say its size"),
        (
            {"body": "<svg xmlns='http://www.w3.org/2000/svg' width='100%' height='nan'/>"},
            "width '100%' and height 'nan'",
        ),
        ({"body": "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"}, "declares entities"),
    ],
)
def test_an_answer_that_is_no_picture_is_told_and_never_shown(
    peer, tmp_path, told: dict[str, object], said: str
) -> None:
    for name, value in told.items():
        setattr(peer, name, value)

    with pytest.raises(DrawingFailed) as refused:
        draw_now(TEXT, named(peer, tmp_path))

    assert said in refused.value.message


def test_a_server_that_does_not_answer_in_time_is_not_waited_for(
    peer, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TIME_LIMIT_S", 0.01)

    with pytest.raises(DrawingFailed, match=r"longer than 0\.01 s"):
        draw_now(TEXT, named(peer, tmp_path))


def test_no_server_is_asked_unless_one_is_named(browser: TestClient) -> None:
    page = browser.get(PAGE)
    asked = browser.post(PAGE, data={"csrf_token": "its-own"})

    assert "No PlantUML server is named here" in page.text
    assert "Draw it there" not in page.text
    assert asked.status_code == 409
    with pytest.raises(DrawingFailed, match="none is asked"):
        draw_now(TEXT, Settings())


@pytest.mark.parametrize(
    "address",
    [
        "http://www.plantuml.com/plantuml", "https://plantuml.com", "ftp://here", "file:///etc",
        "http://", "http://me:secret@here/", "plantuml", "http://here/?to=there",
    ],
)  # fmt: skip
def test_what_is_no_server_of_ones_own_cannot_be_named(address: str) -> None:
    with pytest.raises(ValueError, match="plantuml_server"):
        Settings(plantuml_server=address)


def test_a_worker_asks_the_server_and_the_page_says_which_one_drew(
    peer, tmp_path, map_db: Database, browser: TestClient
) -> None:
    settings = named(peer, tmp_path)
    client = TestClient(
        create_app(settings, map_db), base_url="http://127.0.0.1", follow_redirects=False
    )
    client.cookies.set(COOKIE, browser.cookies[COOKIE])
    client.headers["accept"] = "text/html"

    begun = client.post(PAGE, data={"csrf_token": "its-own"})
    waiting = client.get(begun.headers["location"])
    with map_db.reading() as session:
        job = session.exec(select(Job)).one()
        session.expunge(job)
    ctx = SimpleNamespace(payload=job.payload, settings=settings, progress=lambda *_: None)
    result = drawing.run(ctx)
    page = client.get(PAGE)
    settings.plantuml_server = "http://127.0.0.1:9/other"
    other = client.get(PAGE)
    client.close()

    assert "is being asked" in waiting.text
    assert JOBS[job.kind] == "dataflows.plantuml.drawing:run"
    assert result["renderer"] == f"PlantUML 1.2025.3 at {peer.address}"
    assert f"Drawn by PlantUML 1.2025.3 at {peer.address}." in page.text
    assert len(peer.asked) == 1
    assert "C023" in peer.asked[0]
    assert "Draw it there" in other.text
