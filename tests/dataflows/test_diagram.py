"""Both diagram texts show the same picture, and no name can act in either."""

import html
import re
from dataclasses import replace

import pytest

from dataflows.diagram import to_dot, to_plantuml
from dataflows.graph import View, level_cut, roll_up
from dataflows.inventory import Department
from dataflows.picture import Picture, picture
from dataflows.tones import ColourBy, Paint

PLANTUML_LINE = re.compile(
    r"@startuml|@enduml|left to right direction|skinparam \w+ \w+|legend|endlegend|\}"
    r"|title (?P<title>TEXT)"
    r"|package \"(?P<package>TEXT)\" as g\d+ \[\[HREF\]\] \{"
    r"|rectangle \"(?P<name>TEXT(?:\\nTEXT)*)\" as s\d+ \[\[HREF\]\](?: #line\.bold)?"
    r"|' (?P<route>TEXT)"
    r"|s\d+ -\[#[0-9a-f]{6}(?:,dashed|,dotted)?\]-> s\d+(?: : \[\[HREF (?P<label>TEXT)\]\])?"
    r"|(?:solid|dashed|dotted) line, TEXT, \d+".replace(
        "TEXT", r"(?:[A-Za-z0-9 .,()+]|&#[0-9]+;)*"
    ).replace("HREF", r"/p/[A-Za-z0-9._/?&=%+-]+")
)
"""Everything our PlantUML text may consist of. Not PlantUML's grammar, but a small part of it."""


def _drawn(department: Department, level: int = 0) -> Picture:
    view = roll_up(department, level_cut(department, level))
    return picture(department, view, "Department map")


def _renamed(department: Department, uid: str, name: str) -> Department:
    system = replace(department.systems[uid], title=name)
    return replace(department, systems={**department.systems, uid: system})


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("colour_by", list(ColourBy))
def test_both_texts_hold_exactly_the_routes_of_the_view(
    department: Department, level: int, colour_by: ColourBy
) -> None:
    view = roll_up(department, level_cut(department, level))

    drawn = picture(department, view, "Map", paint=Paint(colour_by))

    in_dot = re.findall(r'^  s\d+ -> s\d+ .*, tooltip="([^"]*)"', to_dot(drawn), re.MULTILINE)
    in_plantuml = re.findall(r"^' (.*)$", to_plantuml(drawn), re.MULTILINE)
    expected = sorted(route.name for route in view.routes)
    assert sorted(html.unescape(name) for name in in_dot) == expected
    assert sorted(html.unescape(name) for name in in_plantuml) == expected


def test_the_same_view_gives_the_same_text(department: Department) -> None:
    assert to_dot(_drawn(department)) == to_dot(_drawn(department))
    assert to_plantuml(_drawn(department, 1)) == to_plantuml(_drawn(department, 1))


def test_a_hostile_name_adds_no_line_and_no_quote_to_either_text(
    small: Department, hostile_name: str
) -> None:
    hostile = _renamed(_renamed(small, "B", hostile_name), "A", hostile_name)
    title = hostile_name
    view = roll_up(hostile, level_cut(hostile, 1))

    plain = picture(small, roll_up(small, level_cut(small, 1)), "plain")
    drawn = picture(hostile, view, title)

    for write in (to_dot, to_plantuml):
        shaped = [_skeleton(line) for line in write(drawn).splitlines()]
        assert shaped == [_skeleton(line) for line in write(plain).splitlines()]


def _skeleton(line: str) -> str:
    """Take the words out of a line, so that only what the language acts on is left."""
    line = re.sub(r'="[^"]*"', '=""', line)
    line = re.sub(r'^(rectangle|package) "[^"]*"', r'\1 ""', line)
    return re.sub(r"^title .*", "title", line)


@pytest.mark.parametrize("level", [0, 1])
def test_every_line_of_the_plantuml_text_is_one_of_ours(
    small: Department, hostile_name: str, level: int
) -> None:
    hostile = _renamed(_renamed(small, "B", hostile_name), "A", hostile_name)

    text = to_plantuml(_drawn(hostile, level))

    lines = text.splitlines()
    assert [line for line in lines if not PLANTUML_LINE.fullmatch(line.strip())] == []
    assert lines[0] == "@startuml"
    assert lines[-1] == "@enduml"
    assert text.count("@enduml") == text.count("@startuml") == 1


@pytest.mark.parametrize("level", [0, 1])
def test_the_plantuml_text_of_the_demo_is_one_of_ours_and_every_alias_is_declared(
    department: Department, level: int
) -> None:
    lines = to_plantuml(_drawn(department, level)).splitlines()

    assert [line for line in lines if not PLANTUML_LINE.fullmatch(line.strip())] == []
    declared = {m[1] for line in lines if (m := re.search(r'" as (s\d+) ', line))}
    used = {
        alias
        for line in lines
        if (m := re.match(r"(s\d+) -.*-> (s\d+)", line))
        for alias in m.groups()
    }
    assert used <= declared
    assert len(declared) == (26, 51)[level]
    assert lines.count("}") == sum(line.startswith("package") for line in lines)


@pytest.mark.parametrize("name", ['"]] !include /etc/passwd <b>', "&amp; \\N %date()"])
def test_the_plantuml_text_spells_the_name_out(small: Department, name: str) -> None:
    text = to_plantuml(_drawn(_renamed(small, "B", name)))

    spelt = [
        html.unescape(m["name"].replace("\\n", " "))
        for line in text.splitlines()
        if (m := PLANTUML_LINE.fullmatch(line.strip())) and m["name"]
    ]
    assert f"{name} B" in spelt


def test_the_colour_of_a_line_is_also_a_word_in_the_legend(department: Department) -> None:
    view = roll_up(department, level_cut(department, 0))

    by_category = picture(department, view, "Map")
    by_qa = picture(department, view, "Map", paint=Paint(ColourBy.QA))

    assert [(e.tone.word, e.count) for e in by_category.legend] == [
        ("DICOM", 32),
        ("file", 13),
        ("other", 14),
    ]
    assert sum(e.count for e in by_qa.legend) == 59
    assert [(e.tone.word, e.count) for e in by_qa.legend if e.tone.word == "no QA"] == [
        ("no QA", 10)
    ]
    for drawn in (by_category, by_qa):
        assert len({e.tone.stroke for e in drawn.legend}) == len(drawn.legend)
        assert all(e.tone.word in drawn.caption for e in drawn.legend)


def test_a_single_connection_links_to_its_record_and_a_bundle_to_its_rows(
    small: Department,
) -> None:
    hrefs = {line.name: line.href for line in _drawn(small).lines}

    assert hrefs["C3: A to B"] == "/p/DEPT/C3"
    assert hrefs["C1 C2: A to B"] == "/p/DEPT/map/table?source=A&target=B&category=dicom"


def test_a_route_to_a_system_outside_the_view_is_refused(small: Department) -> None:
    view = roll_up(small, level_cut(small, 0))

    with pytest.raises(ValueError, match="leaves out"):
        picture(small, View(("A",), view.routes, {}), "Map")
