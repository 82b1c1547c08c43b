"""Where each box of a picture stands: laid out by Graphviz, or by springs where there are many.

The browser only draws: the same view stands in the same places for everybody who opens it.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from dataflows.diagram import to_dot
from dataflows.picture import Box, Picture
from dataflows.render import (
    QUICK_LINES,
    QUICK_TIME_LIMIT_S,
    DrawingFailed,
    DrawingStore,
    graphviz,
)

POINTS_PER_INCH = 72
"""Graphviz writes places in inches; a point of a screen is one of its points."""

GAP = 14
"""Points left between two boxes."""

FRAME = 16
"""Points between the parts of an opened system and the frame around them."""

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SPRING_TURNS = 60
SPREAD = 190
"""Points between boxes that no line pulls together: a box is 160 wide."""

BOX = (160.0, 46.0)
"""Width and height of a box whose text was not measured."""


@dataclass(frozen=True, slots=True)
class Place:
    """The middle of a box and its size, in points; `y` grows downwards."""

    x: float
    y: float
    width: float = BOX[0]
    height: float = BOX[1]


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all boxes by alias, and what worked them out."""

    places: Mapping[str, Place]
    by: str


def layout(store: DrawingStore, drawn: Picture) -> Layout:
    """Place every box of a picture.

    Graphviz where a reader can wait for it; otherwise springs, which place anything in time.
    """
    if len(drawn.lines) <= QUICK_LINES:
        try:
            text = store.made(to_dot(drawn), "plain", _plain)
            return Layout(_tightened(drawn, dict(_placed(text))), "Graphviz")
        except DrawingFailed:
            pass  # absent or too slow: the springs below need no other program
    return Layout(dict(_sprung(drawn)), "springs")


def _plain(dot_text: str) -> str:
    return graphviz(dot_text, QUICK_TIME_LIMIT_S, "plain").decode(errors="replace")


def _placed(plain: str) -> Iterator[tuple[str, Place]]:
    """Read Graphviz's plain form: `node s1 x y width height ...`, with `y` upwards."""
    for line in plain.splitlines():
        if not line.startswith("node "):
            continue
        _, alias, *numbers = line.split(" ", 6)[:6]
        x, y, width, height = (float(number) * POINTS_PER_INCH for number in numbers)
        yield shlex.split(alias)[0], Place(x, -y, width, height)


def _tightened(drawn: Picture, places: Mapping[str, Place]) -> Mapping[str, Place]:
    """Bring the boxes as near as they go without touching, first upwards, then sideways.

    A screen is wider than it is high. Graphviz leaves room for curved lines and their labels;
    here lines are straight and a label shows when it is looked at, so the room is better spent
    on larger words.
    """
    for axis in ("y", "x"):
        for tenths in range(4, 10):
            nearer = {
                alias: replace(place, **{axis: getattr(place, axis) * tenths / 10})
                for alias, place in places.items()
            }
            if not _touching(drawn, nearer):
                places = nearer
                break
    return places


def _touching(drawn: Picture, places: Mapping[str, Place]) -> bool:
    """Tell whether two boxes touch, or a box the frame around parts that it is none of."""
    areas = [(box.group, _area(places[box.alias], GAP / 2)) for box in drawn.boxes]
    for group in drawn.groups:
        inside = [_area(places[b.alias], FRAME) for b in drawn.boxes if b.group == group.alias]
        lefts, tops, rights, bottoms = zip(*inside, strict=True)
        around = (min(lefts), min(tops) - FRAME, max(rights), max(bottoms))
        areas = [one for one in areas if one[0] != group.alias]
        if any(_meet(places[a.alias], places[b.alias]) for a, b in _pairs(drawn, group.alias)):
            return True
        areas.append((group.alias, around))
    return any(_overlap(one[1], other[1]) for one, other in combinations(areas, 2))


def _pairs(drawn: Picture, group: str) -> Iterator[tuple[Box, Box]]:
    return combinations([box for box in drawn.boxes if box.group == group], 2)


def _meet(one: Place, other: Place) -> bool:
    return _overlap(_area(one, GAP / 2), _area(other, GAP / 2))


def _area(place: Place, room: float) -> Area:
    half_width, half_height = place.width / 2 + room, place.height / 2 + room
    return (
        place.x - half_width,
        place.y - half_height,
        place.x + half_width,
        place.y + half_height,
    )


def _overlap(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _sprung(drawn: Picture) -> Iterator[tuple[str, Place]]:
    # Here, not above: most pictures are laid out by Graphviz.
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(box.alias for box in drawn.boxes)
    graph.add_edges_from((line.source, line.target) for line in drawn.lines)
    scale = SPREAD * max(len(graph), 1) ** 0.5
    found = nx.spring_layout(graph, seed=7, iterations=SPRING_TURNS, scale=scale)
    for alias, (x, y) in found.items():
        yield alias, Place(float(x), float(y))
