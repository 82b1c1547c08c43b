"""Graphviz draws what the text says, and the SVG can do nothing but be looked at."""

import re
import socket
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import which
from xml.etree import ElementTree as ET

import pytest

from dataflows import render
from dataflows.diagram import to_dot
from dataflows.graph import level_cut, roll_up
from dataflows.inventory import Department
from dataflows.picture import picture
from dataflows.render import DrawingFailed, DrawingStore, draw, drawn_names, sanitised
from dataflows.tones import ColourBy, Paint
from dataflows.views import OPENED, Selection, Shown, choose

SVG = "{http://www.w3.org/2000/svg}"
SMALL_DOT = 'digraph { a [label="one", URL="/p/DEPT/A", tooltip="A: one"]; }'


def _parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  (our own picture)


def _labels(svg: str) -> str:
    return " ".join(element.text or "" for element in _parsed(svg).iter(f"{SVG}text"))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _shown(name: str) -> str:
    """What a reader sees of a name: line breaks and invisible signs become visible ones."""
    seen = name.replace("\r", "↵").replace("\n", "↵")
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in {"Cc", "Cf"} else c for c in seen
    )


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("colour_by", list(ColourBy))
def test_the_picture_contains_exactly_the_systems_and_connections_of_its_view(
    department: Department, level: int, colour_by: ColourBy
) -> None:
    view = roll_up(department, level_cut(department, level))

    svg = draw(to_dot(picture(department, view, "Department map", paint=Paint(colour_by))))

    assert sorted(drawn_names(svg, "edge")) == sorted(route.name for route in view.routes)
    names = sorted(f"{department.systems[uid].title} {uid}" for uid in view.systems)
    assert sorted(drawn_names(svg, "node")) == names
    connections = [c for name in drawn_names(svg, "edge") for c in name.split(": ")[0].split()]
    assert sorted(connections) == list(view.connections)


@pytest.mark.parametrize("level", [0, 1])
def test_nothing_of_the_picture_lies_outside_its_frame(department: Department, level: int) -> None:
    view = roll_up(department, level_cut(department, level))

    root = _parsed(draw(to_dot(picture(department, view, "Department map"))))

    _, _, width, height = (float(n) for n in root.attrib["viewBox"].split())
    for side, whole in (("width", width), ("height", height)):
        # Graphviz says the size in whole points.
        assert abs(float(root.attrib[side].removesuffix("pt")) - whole) <= 1
    [moved] = {g.attrib["transform"] for g in root.iter(f"{SVG}g") if "transform" in g.attrib}
    assert moved.endswith(f"translate(4 {height - 4:g})")
    points = list(_points(root))
    # Each box, line and arrowhead has four at least.
    assert len(points) > 4 * (len(view.routes) + len(view.systems))
    for x, y in points:
        assert -4.1 <= x <= width - 3.9
        assert -height + 3.9 <= y <= 4.1


def _points(root: ET.Element) -> Iterator[tuple[float, float]]:
    """Every point that a shape, a line or a word of a picture passes."""
    for shape in root.iter():
        yield from _pairs(shape.get("points", ""))
        if shape.get("d"):
            yield from _passed(_pairs(shape.attrib["d"]))
        if shape.tag == f"{SVG}text":
            yield float(shape.attrib["x"]), float(shape.attrib["y"])


def _pairs(said: str) -> list[tuple[float, float]]:
    numbers = [float(n) for n in re.findall(r"-?[0-9.]+", said)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _passed(path: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Follow a path of cubic curves: what bends one may lie outside, the line itself may not."""
    for at in range(0, len(path) - 3, 3):
        ends = path[at : at + 4]
        for n in range(11):
            t, s = n / 10, 1 - n / 10
            weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
            weighed = [(w * x, w * y) for w, (x, y) in zip(weights, ends, strict=True)]
            yield sum(x for x, _ in weighed), sum(y for _, y in weighed)


def test_a_picture_is_drawn_where_there_is_neither_java_nor_a_network(
    *, department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, need: Callable
) -> None:
    (tmp_path / "dot").symlink_to(need("graphviz"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("it asked the network"))
    view = roll_up(department, level_cut(department, 0))

    svg = draw(to_dot(picture(department, view, "Department map")))

    assert which("java") is None
    assert len(list(drawn_names(svg, "edge"))) == 59


def _focused(department: Department) -> Iterator[Shown]:
    for focus in (*department.majors, *department.pathways):
        yield choose(department, Selection(level=OPENED, focus=focus))


def test_the_picture_around_each_system_and_pathway_lists_exactly_its_connections(
    department: Department,
) -> None:
    for shown in _focused(department):
        svg = draw(to_dot(shown.picture(department)))

        names = list(drawn_names(svg, "edge"))
        drawn = [uid for name in names for uid in name.split(": ")[0].split()]
        assert sorted(names) == sorted(route.name for route in shown.view.routes)
        assert sorted(drawn) == sorted(shown.view.connections), shown.title


def test_a_hostile_name_is_shown_literally_and_adds_no_link(
    small: Department, hostile_name: str
) -> None:
    systems = {
        **small.systems,
        "B": replace(small.systems["B"], title=hostile_name),
        "A": replace(small.systems["A"], title=hostile_name),
    }
    hostile = replace(small, systems=systems)

    for level in (0, 1):
        view = roll_up(hostile, level_cut(hostile, level))
        svg = draw(to_dot(picture(hostile, view, hostile_name)))

        shown = _squeezed(_labels(svg))
        assert shown.count(_squeezed(_shown(hostile_name))) == 3
        hrefs = {anchor.get("href") for anchor in _parsed(svg).iter(f"{SVG}a")}
        assert hrefs <= {
            "/p/DEPT/A",
            "/p/DEPT/A.1",
            "/p/DEPT/A.2",
            "/p/DEPT/B",
            "/p/DEPT/D",
            "/p/DEPT/C1",
            "/p/DEPT/C2",
            "/p/DEPT/C3",
            "/p/DEPT/C4",
            "/p/DEPT/map/table?source=A&target=B&category=dicom",
        }
        assert "root:" not in svg
        assert sorted(drawn_names(svg, "edge")) == sorted(r.name for r in view.routes)


def test_only_allowed_elements_attributes_and_addresses_pass() -> None:
    raw = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
      onload="alert(1)" viewBox="0 0 1 1">
      <script>alert(1)</script><style>*{background:url(http://x)}</style>
      <image xlink:href="file:///etc/passwd"/><foreignObject><p>hello</p></foreignObject>
      <g id="g" class="node" onclick="x()" style="fill:url(http://x)"><title>n1</title>
        <a xlink:href="javascript:alert(1)" xlink:title="A: one"><path d="M0,0" fill="URL(#x)"/></a>
        <text>One</text>
        <a xlink:href="//evil.example/x"><text x="1">words</text></a>
        <a xlink:href="/\\evil.example"/><a xlink:href="/p/DEPT/A"/></g></svg>"""

    svg = sanitised(raw)

    root = _parsed(svg)
    kept = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kept == {"svg", "g", "title", "a", "path", "text"}
    assert [a.get("href") for a in root.iter(f"{SVG}a")] == [None, None, None, "/p/DEPT/A"]
    for word in ("alert", "evil", "passwd", "url(", "URL(", "style", "onl", "onc", "hello"):
        assert word not in svg
    assert list(drawn_names(svg, "node")) == ["One words"]


@pytest.mark.parametrize(
    "raw",
    [b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
     b"<svg", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"],
)  # fmt: skip
def test_what_is_no_plain_svg_is_refused(raw: bytes) -> None:
    with pytest.raises(DrawingFailed):
        sanitised(raw)


def test_a_picture_is_drawn_once_and_then_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DrawingStore(tmp_path)
    assert store.kept(SMALL_DOT) is None

    first = store.draw(SMALL_DOT)
    monkeypatch.setattr(render, "which", lambda _: None)

    assert store.draw(SMALL_DOT) == first == store.kept(SMALL_DOT)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".svg"]


def test_a_text_left_for_later_is_drawn_under_its_key(tmp_path: Path) -> None:
    store = DrawingStore(tmp_path)

    key = store.leave(SMALL_DOT)

    assert store.text(key) == SMALL_DOT
    assert store.kept(SMALL_DOT) is None
    assert store.draw(store.text(key), patient=True) == store.kept(SMALL_DOT)


def test_a_text_that_is_gone_or_was_changed_is_not_drawn(tmp_path: Path) -> None:
    store = DrawingStore(tmp_path)
    key = store.leave(SMALL_DOT)
    next(tmp_path.rglob("*.dot")).write_text("digraph {}", encoding="utf-8")

    with pytest.raises(DrawingFailed, match="was changed"):
        store.text(key)
    with pytest.raises(DrawingFailed, match="is gone"):
        store.text("0" * 64)


def test_without_graphviz_the_page_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(render, "which", lambda _: None)

    with pytest.raises(DrawingFailed, match="Install the package 'graphviz'"):
        draw(SMALL_DOT)


def test_text_that_graphviz_cannot_read_is_refused_with_its_reason() -> None:
    with pytest.raises(DrawingFailed, match="syntax error"):
        draw("digraph { a -> ")


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    ways = "".join(f"n{i} -> n{(i * 7 + j * 13) % 600};" for i in range(600) for j in range(20))

    with pytest.raises(DrawingFailed):
        draw(f"digraph {{ {ways} }}", time_limit_s=1)


def test_a_picture_that_takes_too_much_memory_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(render, "MEMORY_LIMIT_BYTES", 20 << 20)

    with pytest.raises(DrawingFailed):
        draw(SMALL_DOT)


def test_the_renderer_names_itself_for_evidence() -> None:
    assert render.graphviz_version().startswith("dot - graphviz version")
