"""The page of a project's deputies: who names, who only reads, and what is refused there."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.ledger.models import LedgerEntry
from core.people.deputies import lending
from tests.core.conftest import Browser, forms_of, words_of

pytestmark = pytest.mark.database

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]
TODAY = "2026-12-01"


@pytest.fixture(autouse=True)
def _on_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no night fall while a test is under way."""
    monkeypatch.setattr(lending, "now", lambda: datetime(2026, 12, 1, 12, tzinfo=UTC))


def test_the_page_names_ends_and_tells_deputies(browser_of: Open, actions: Actions) -> None:
    esther, vera = browser_of("PPL-EQ"), browser_of("PPL-VW")
    at, today = "/p/RPM/deputies", TODAY
    empty = words_of(esther.open(at).text)
    typed = {"held": "PPL-EQ/quality_manager", "deputy": "PPL-CV", "reason": "Annual leave."}

    faulty = esther.send(at, {**typed, "last_day": "never", "reason": ""})
    named = esther.send(at, {**typed, "reason": "Annual leave."} | {"last_day": today})
    second = esther.send(at, {**typed, "deputy": "PPL-FR"})
    seen = vera.open(at)
    forbidden = vera.client.post(at, data={**typed, "csrf_token": _csrf(vera)})
    chidi = words_of(browser_of("PPL-CV").open("/account").text)
    number = _number(esther, at)
    refused = esther.send(f"{at}/{number}/end", reason="")
    ended = esther.send(f"{at}/{number}/end", reason="Back early.")

    assert "Nobody deputises for anybody today." in empty
    assert faulty.status_code == 422
    assert "is no day" in faulty.text
    assert 'value="never"' in faulty.text
    assert named.status_code == 200
    assert "Current (1)" in words_of(named.text)
    assert second.status_code == 409
    assert "has a deputy for quality manager" in second.text
    assert "Annual leave." in seen.text
    assert f'action="{at}' not in seen.text
    assert forbidden.status_code == 403
    assert f"quality manager as deputy for Esther Quill, to {today}" in chidi
    assert refused.status_code == 422
    assert "by Esther Quill: Back early." in words_of(ended.text)
    assert [one.subject for one in actions("person:deputy:")] == ["PPL-CV", "PPL-CV"]
    assert [one.details["for"] for one in actions("person:deputy:")] == ["PPL-EQ", "PPL-EQ"]
    assert len(actions("refusal:page:")) == 2


def _csrf(browser: Browser) -> str:
    return dict(browser.form("/sign-out").fields)["csrf_token"]


def _number(browser: Browser, at: str) -> str:
    forms = forms_of(browser.open(at).text)
    [found] = [one.action for one in forms if one.action.endswith("/end")]
    return found.removeprefix(f"{at}/").removesuffix("/end")
