"""What colours and words say of QA and risk, and that no doubt ever reads as good news."""

import dataclasses

import pytest

from dataflows.graph import Route, level_cut, roll_up
from dataflows.inventory import Category, Department, Procedure
from dataflows.picture import picture
from dataflows.qatrack.standing import State
from dataflows.tones import (
    NOT_HERE,
    RISK_TONES,
    STATUS_TONES,
    ColourBy,
    Paint,
    priority_word,
)


@pytest.fixture
def tested(small: Department) -> Department:
    """QA-1 controls C1, QA-2 controls C2; C1 can go badly wrong, C3 hardly."""
    procedures = {
        f"QA-{n}": Procedure(f"QA-{n}", f"Test {n}", connections=(f"C{n}",)) for n in (1, 2)
    }
    risky = {
        **small.connections,
        "C1": dataclasses.replace(small.connections["C1"], priority="high"),
        "C3": dataclasses.replace(small.connections["C3"], priority="low"),
    }
    return dataclasses.replace(small, procedures=procedures, connections=risky)


def _tone(department: Department, states: dict[str, State], *uids: str) -> str:
    route = Route("A", "B", Category.DICOM, uids)
    return Paint(ColourBy.STATUS, states).tone(department, route).word


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_tone_and_only_ok_is_the_best(tested: Department, state: State) -> None:
    word = _tone(tested, {"QA-1": state}, "C1")

    assert (word == STATUS_TONES[0].word) == (state is State.OK)
    assert Paint(ColourBy.STATUS, {"QA-1": state}).status_word(tested, ("C1",)) == state.value


@pytest.mark.parametrize(
    ("states", "tone", "word"),
    [
        ({}, "QA whose status is not known here", NOT_HERE),
        ({"QA-1": State.OK}, "QA whose status is not known here", NOT_HERE),
        ({"QA-1": State.OK, "QA-2": State.OK}, "QA ok", "ok"),
        ({"QA-1": State.OK, "QA-2": State.UNKNOWN}, "QA unknown", "unknown"),
        ({"QA-1": State.FAILING, "QA-2": State.UNKNOWN}, "QA overdue or failing", "failing"),
    ],
)
def test_a_line_of_two_connections_shows_the_worse(
    tested: Department, states: dict[str, State], tone: str, word: str
) -> None:
    assert _tone(tested, states, "C1", "C2") == tone
    assert Paint(ColourBy.STATUS, states).status_word(tested, ("C1", "C2")) == word


def test_a_connection_without_qa_is_never_hidden_by_one_with_good_qa(tested: Department) -> None:
    states = {"QA-1": State.OK}

    assert _tone(tested, states, "C1", "C3") == "no QA"
    assert Paint(ColourBy.STATUS, states).status_word(tested, ("C1", "C3")) == "no QA on some"
    assert Paint(ColourBy.STATUS, states).status_word(tested, ("C3",)) == "no QA"


@pytest.mark.parametrize(
    ("uids", "tone", "word"),
    [
        (("C1", "C3"), "high action priority", "high"),
        (("C3",), "low action priority", "low"),
        (("C2", "C3"), "no failure mode recorded", "no failure mode on some"),
        (("C2",), "no failure mode recorded", "no failure mode"),
    ],
)
def test_risk_is_the_highest_priority_and_an_unrated_connection_is_not_a_low_one(
    tested: Department, uids: tuple[str, ...], tone: str, word: str
) -> None:
    route = Route("A", "B", Category.DICOM, uids)

    assert Paint(ColourBy.RISK).tone(tested, route).word == tone
    assert priority_word(tested, uids) == word


def test_every_meaning_of_a_colour_looks_different_without_the_colour() -> None:
    for tones in (STATUS_TONES, RISK_TONES):
        assert len({(tone.stroke, tone.width) for tone in tones}) == len(tones)


@pytest.mark.parametrize("by", list(ColourBy))
def test_the_legend_counts_every_line_once(department: Department, by: ColourBy) -> None:
    view = roll_up(department, level_cut(department, 0))

    drawn = picture(department, view, "Map", paint=Paint(by))

    assert sum(entry.count for entry in drawn.legend) == 59


def test_the_demo_department_has_its_risks_on_the_map(department: Department) -> None:
    found = {one.priority for one in department.connections.values()}

    assert found <= {"", "low", "medium", "high"}
    assert "high" in found
