"""A record on paper: its head, signatures and history are those that are kept."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.conftest import Browser
from tests.core.records.test_pages import REQUIREMENT, bring_into_force, write

Printed = Callable[..., str]


@pytest.fixture
def printed(need, tmp_path: Path) -> Printed:
    """Print a record and return its words."""
    pdftotext = need("poppler")

    def read(browser: Browser, uid: str, query: str = "") -> str:
        answer = browser.client.get(f"/p/RPM/{uid}/document.pdf{query}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert f"RPM-{uid}-" in answer.headers["content-disposition"]
        file = tmp_path / f"{uid}.pdf"
        file.write_bytes(answer.content)
        command = [str(pdftotext), "-layout", str(file), "-"]
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return " ".join(told.stdout.split())

    return read


HOSTILE = "<img src='file:///etc/passwd'> & <b>bold</b>"


@pytest.mark.usefixtures("all_trained")
def test_what_stands_around_the_text_comes_from_the_record(browser_of, printed) -> None:
    amara = browser_of("PPL-AK")
    need = {
        "title": HOSTILE,
        "body": "Numbers are **right**, see [a file](file:///etc/passwd).",
        "field.stakeholder": "Physicist",
        "field.acceptance": "Numbers agree.",
    }
    uid = write(amara, "user_need", need).rpartition("/")[2]
    draft = printed(amara, uid)
    bring_into_force(browser_of, amara, uid)
    write(amara, "requirement", REQUIREMENT)
    amara.open(f"/p/RPM/{uid}/edit")
    amara.send(f"/p/RPM/{uid}/edit", action="save", body="Numbers are right to 1 %.", reason="Said")
    in_force = printed(amara, uid)
    proposed = printed(amara, uid, "?revision=2")

    assert "Draft, not in force" in draft
    assert "Nobody has signed this revision." in draft
    assert HOSTILE in in_force
    assert "In force" in in_force
    assert "revision 1" in in_force
    assert "Amara Kole author authored, revision 1" in in_force
    assert "approved, revision 1" in in_force
    assert "Numbers are right, see a file." in in_force
    assert "leads to REQ-001 Dose-volume metrics are exact draft" in in_force
    assert "Draft, not in force" in proposed
    assert "Numbers are right to 1 %." in proposed
    assert "Said" in proposed


def test_a_revision_that_is_not_there_is_not_printed(browser_of) -> None:
    amara = browser_of("PPL-AK")
    uid = write(
        amara,
        "user_need",
        {"title": "T", "body": "B", "field.stakeholder": "P", "field.acceptance": "A"},
    ).rpartition("/")[2]

    missing = amara.client.get(f"/p/RPM/{uid}/document.pdf?revision=7")
    unreadable = amara.client.get(f"/p/RPM/{uid}/document.pdf?revision=x")

    assert (missing.status_code, unreadable.status_code) == (404, 422)
    assert f"{uid} has no revision 7." in missing.text
