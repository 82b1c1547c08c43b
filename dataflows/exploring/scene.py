"""What the exploratory page draws and lists: boxes with their places, lines with their facts."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel

from dataflows.diagram import LABEL_WIDTH
from dataflows.exploring.layout import Layout
from dataflows.frame import View
from dataflows.graph import Route
from dataflows.graph import View as Graph
from dataflows.inventory import Department, System
from dataflows.picture import Box, Group, Picture
from dataflows.qatrack.standing import State
from dataflows.tones import Paint, priority_word
from dataflows.views import Shown

MOST_BOXES = 150
"""More boxes than this are too small to be read, whatever the screen."""

MOST_LINES = 400
"""More lines than this are a grey square."""

MOST_FOUND = 20
"""Systems listed for one search."""


class SceneBox(BaseModel):
    """A system as drawn, or the frame around the parts of an opened one."""

    id: str
    uid: str
    name: str
    label: tuple[str, ...] = ()
    words: str
    href: str
    frame: bool = False
    within: str | None = None
    marked: bool = False
    routes: int = 0
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    open: str = ""
    close: str = ""
    focus: str = ""
    impact: str = ""


class SceneLine(BaseModel):
    """A route as drawn, with everything that its row in the table says."""

    id: str
    source: str
    target: str
    source_uid: str
    target_uid: str
    label: str
    connections: tuple[str, ...]
    category: str
    data: tuple[str, ...]
    with_qa: int
    status: str
    risk: str
    meaning: int
    href: str


class Meaning(BaseModel):
    """One entry of the legend."""

    word: str
    colour: str
    stroke: str
    width: float
    count: int


class Scene(BaseModel):
    """The whole picture as values; the browser adds nothing to it.

    Attributes
    ----------
    left_out : int
        Systems of this view that are not drawn because there are too many.
    placed_by : str
        What worked the places out.
    """

    title: str
    told: str
    left_out: int
    placed_by: str
    boxes: tuple[SceneBox, ...]
    lines: tuple[SceneLine, ...]
    legend: tuple[Meaning, ...]


def bounded(shown: Shown) -> tuple[Shown, int]:
    """Keep the systems with most routes where a view has too many, and count those left out.

    What was asked about is kept first.
    """
    view = shown.view
    weight = Counter(end for route in view.routes for end in {route.source, route.target})
    order = sorted(
        range(len(view.systems)),
        key=lambda at: (view.systems[at] not in shown.marked, -weight[view.systems[at]], at),
    )
    most = min(len(order), MOST_BOXES)
    while True:
        kept = frozenset(view.systems[at] for at in order[:most])
        routes = tuple(r for r in view.routes if r.source in kept and r.target in kept)
        if len(routes) <= MOST_LINES or most <= 2:
            break
        most = most * 3 // 4
    if len(kept) == len(view.systems):
        return shown, 0
    systems = tuple(uid for uid in view.systems if uid in kept)
    hidden = {uid: held for uid, held in view.hidden.items() if uid in kept}
    return replace(shown, view=Graph(systems, routes, hidden)), len(view.systems) - len(kept)


def scene(
    department: Department,
    asked: View,
    shown: Shown,
    drawn: Picture,
    placed: Layout,
    states: Mapping[str, State],
    left_out: int,
) -> Scene:
    """Put together what is drawn and listed; `drawn` is the picture of `shown`."""
    paint = Paint(shown.selection.colour, states)
    uid_of = {box.alias: box.uid for box in drawn.boxes}
    tones = list(paint.tones)
    lines = tuple(
        SceneLine(
            id=line.alias,
            source=line.source,
            target=line.target,
            source_uid=uid_of[line.source],
            target_uid=uid_of[line.target],
            label=line.label,
            category=route.category.value,
            data=_data(department, route),
            meaning=tones.index(line.tone),
            href=line.href,
            connections=route.connections,
            with_qa=sum(uid in department.qa_of_connection for uid in route.connections),
            status=paint.status_word(department, route.connections),
            risk=priority_word(department, route.connections),
        )
        for line, route in zip(drawn.lines, shown.view.routes, strict=True)
    )
    counted = Counter(line.tone for line in drawn.lines)
    touched = Counter(end for line in lines for end in {line.source, line.target})
    return Scene(
        title=shown.title,
        told=drawn.caption,
        left_out=left_out,
        placed_by=placed.by,
        boxes=(
            *(_frame(department, asked, group) for group in drawn.groups),
            *(
                _box(department, asked, shown, box, placed, touched[box.alias])
                for box in drawn.boxes
            ),
        ),
        lines=lines,
        legend=tuple(
            Meaning(
                word=tone.word,
                colour=tone.colour,
                stroke=tone.stroke.value,
                width=tone.width,
                count=counted[tone],
            )
            for tone in tones
        ),
    )


def _data(department: Department, route: Route) -> tuple[str, ...]:
    every = (kind for uid in route.connections for kind in department.connections[uid].data_types)
    return tuple(dict.fromkeys(every))


def _frame(department: Department, asked: View, group: Group) -> SceneBox:
    return SceneBox(
        id=group.alias,
        uid=group.uid,
        name=group.name,
        words=department.systems[group.uid].kind,
        href=group.href,
        frame=True,
        close=asked.showing(group.uid, opened=False),
        focus=asked.query(focus=group.uid, format="", q=""),
    )


def _box(
    department: Department, asked: View, shown: Shown, box: Box, placed: Layout, routes: int
) -> SceneBox:
    place = placed.places[box.alias]
    parts = department.children.get(box.uid, ())
    drawn = frozenset(shown.view.systems)
    shut = bool(parts) and drawn.isdisjoint(department.within(box.uid)[1:])
    return SceneBox(
        id=box.alias,
        uid=box.uid,
        name=box.name,
        label=(*textwrap.wrap(box.name, LABEL_WIDTH), box.uid),
        words=box.words,
        href=box.href,
        within=box.group,
        marked=box.marked,
        routes=routes,
        x=round(place.x, 1),
        y=round(place.y, 1),
        width=round(place.width, 1),
        height=round(place.height, 1),
        open=asked.showing(box.uid, opened=True) if shut else "",
        focus=asked.query(focus=box.uid, format="", q=""),
        impact=f"/p/{department.project}/map/impact/{box.uid}",
    )


def found_systems(department: Department, words: str) -> tuple[Sequence[System], int]:
    """Return the systems whose id or name holds all the words, and how many there are."""
    wanted = words.lower().split()
    if not wanted:
        return (), 0
    found = [
        uid
        for uid, system in department.systems.items()
        if all(word in f"{uid} {system.title}".lower() for word in wanted)
    ]
    first = sorted(found, key=lambda uid: (wanted[0] != uid.lower(), department.reading_order(uid)))
    return [department.systems[uid] for uid in first[:MOST_FOUND]], len(found)


def focus_address(department: Department, asked: View, uid: str) -> str:
    """Return the address of this page around one system, with what it is part of opened."""
    above = department.lineage[uid][:-1]
    opened = dict.fromkeys((*asked.selection.opened, *above))
    closed = (one for one in asked.selection.closed if one not in above)
    query = asked.query(focus=uid, open=",".join(opened), close=",".join(closed), q="", format="")
    return f"/p/{department.project}/map/explore?{query}"


def counts(one: Scene) -> tuple[int, int]:
    """Return how many systems and routes are drawn."""
    return sum(not box.frame for box in one.boxes), len(one.lines)
