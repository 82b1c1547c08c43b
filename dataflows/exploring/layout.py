"""Where each box of a picture stands: laid out by Graphviz, or by springs where there are many.

The browser only draws: the same view stands in the same places for everybody who opens it.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import networkx as nx

from dataflows.diagram import to_dot
from dataflows.picture import Picture
from dataflows.render import (
    QUICK_LINES,
    QUICK_TIME_LIMIT_S,
    DrawingFailed,
    DrawingStore,
    graphviz,
)

POINTS_PER_INCH = 72
"""Graphviz writes places in inches; a point of a screen is one of its points."""

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
            return Layout(dict(_placed(text)), "Graphviz")
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


def _sprung(drawn: Picture) -> Iterator[tuple[str, Place]]:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(box.alias for box in drawn.boxes)
    graph.add_edges_from((line.source, line.target) for line in drawn.lines)
    scale = SPREAD * max(len(graph), 1) ** 0.5
    found = nx.spring_layout(graph, seed=7, iterations=SPRING_TURNS, scale=scale)
    for alias, (x, y) in found.items():
        yield alias, Place(float(x), float(y))
