"""A choice on the page gives one view, with words that say what was chosen."""

from dataclasses import replace

import pytest

from core.errors import NotFound
from dataflows.inventory import Department
from dataflows.tones import ColourBy
from dataflows.views import OPENED, Selection, choose, level_name, levels


def test_the_default_is_the_whole_department_as_major_systems(department: Department) -> None:
    shown = choose(department, Selection())

    assert len(shown.view.systems) == 26
    assert len(shown.view.routes) == 59
    assert shown.title == "Department map: major systems"
    assert Selection().query() == {}


def test_a_focus_on_a_system_shows_it_with_its_neighbours_and_marks_it(
    department: Department,
) -> None:
    shown = choose(department, Selection(focus="PQA"))

    assert set(shown.view.systems) == {"PQA", "TPS", "FILES", "OMS"}
    assert shown.marked == {"PQA"}
    boxes = {box.uid: box.marked for box in shown.picture(department).boxes}
    assert boxes == {"PQA": True, "TPS": False, "FILES": False, "OMS": False}


def test_a_focus_on_a_part_shows_its_major_system_until_the_parts_are_shown(
    department: Department,
) -> None:
    assert choose(department, Selection(focus="HDR.TCS")).marked == {"HDR"}
    assert choose(department, Selection(level="1", focus="HDR.TCS")).marked == {"HDR.TCS"}


def test_an_opened_focus_shows_its_parts_among_major_systems(department: Department) -> None:
    shown = choose(department, Selection(level=OPENED, focus="HDR"))

    assert {"HDR.TCS", "HDR.AFL", "HDR.REC", "OMS", "BTPS"} == set(shown.view.systems)
    assert set(shown.view.connections) == {
        "C036", "C037", "C045", "C065", "C081", "C082", "C083",
    }  # fmt: skip


def test_a_focus_on_a_pathway_numbers_its_25_steps(department: Department) -> None:
    shown = choose(department, Selection(level="1", focus="P4"))

    labels = [line.label for line in shown.picture(department).lines]
    assert labels == [f"step {n}" for n in range(1, 26)]


@pytest.mark.parametrize(
    "selection",
    [Selection(level="7"), Selection(level="-1"), Selection(level="x"), Selection(focus="NOBODY")],
)
def test_a_choice_that_does_not_exist_is_named(
    department: Department, selection: Selection
) -> None:
    with pytest.raises(NotFound, match=r"no level|no system or pathway NOBODY"):
        choose(department, selection)


def test_a_choice_is_written_into_an_address_without_its_defaults() -> None:
    chosen = Selection(level="1", colour=ColourBy.QA, focus="P4", drafts=True)

    assert chosen.query() == {"level": "1", "colour": "qa", "focus": "P4", "drafts": "yes"}


def test_a_map_offers_the_levels_it_has(department: Department, small: Department) -> None:
    assert levels(department) == [
        ("0", "major systems"),
        ("all", "all sub-systems"),
        ("open", "focus opened"),
    ]


def test_the_deepest_level_has_one_name_whatever_its_number(department: Department) -> None:
    assert choose(department, Selection(level="all")) == replace(
        choose(department, Selection(level="1")), selection=Selection(level="all")
    )
    assert level_name(department, "1") == level_name(department, "all") == "all"
