"""The picture of a view: boxes, lines, groups and a legend in words, ready to be written out.

Both diagram writers read this one value, so the Graphviz picture and the PlantUML text always
show the same systems and the same routes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from dataflows.graph import Route, View
from dataflows.inventory import Department
from dataflows.tones import CATEGORY_TONES, Paint, Tone

PLAIN = Paint()
"""By category, as most pictures are."""


@dataclass(frozen=True, slots=True)
class Box:
    """One system as drawn."""

    alias: str
    uid: str
    name: str
    words: str
    href: str
    group: str | None = None
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One route as drawn. `name` lists its connections and ends, and is what a test reads back."""

    alias: str
    source: str
    target: str
    label: str
    name: str
    words: str
    href: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around the parts of one major system."""

    alias: str
    uid: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One meaning and how many lines carry it."""

    tone: Tone
    count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn, in a fixed order: the same view gives the same text."""

    title: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    groups: tuple[Group, ...]
    legend: tuple[LegendEntry, ...]

    @property
    def in_words(self) -> list[tuple[Box, str, int, int]]:
        """Every box with the system in whose frame it stands, and its lines out and in."""
        frames = {group.alias: group.uid for group in self.groups}
        out = Counter(line.source for line in self.lines)
        into = Counter(line.target for line in self.lines)
        return [
            (box, frames.get(box.group or "", ""), out[box.alias], into[box.alias])
            for box in self.boxes
        ]

    @property
    def caption(self) -> str:
        """The picture in one sentence, with its legend in words."""
        meanings = ", ".join(
            f"{entry.tone.stroke.value} {entry.tone.word} ({entry.count})" for entry in self.legend
        )
        counts = f"{_count(len(self.boxes), 'system')}, {_count(len(self.lines), 'route')}"
        return f"{self.title}: {counts}." + (f" Lines: {meanings}." if meanings else "")


def picture(
    department: Department,
    view: View,
    title: str,
    *,
    paint: Paint = PLAIN,
    marked: frozenset[str] = frozenset(),
    labels: Mapping[str, str] | None = None,
) -> Picture:
    """Draw a view.

    Parameters
    ----------
    department : Department
        Names, parents and QA of what the view shows.
    view : View
        The systems and routes to draw, all of them.
    title : str
        What the picture shows, in words.
    paint : Paint
        What the colour and stroke of a line say.
    marked : frozenset of str
        Systems drawn with a bold border: the ones that were asked about.
    labels : mapping of str to str, optional
        A word for each connection, such as its step number in a pathway; without it a route
        carries its own id, or the number of its connections.
    """
    shown = frozenset(view.systems)
    tops = {uid: department.major(uid) for uid in view.systems}
    # A frame is drawn only around parts; a major system drawn as one box needs none.
    framed = sorted({top for uid, top in tops.items() if uid != top}, key=department.reading_order)
    groups = {
        uid: Group(f"g{number}", uid, department.systems[uid].title, _record(department, uid))
        for number, uid in enumerate(framed, start=1)
    }
    boxes = {
        uid: _box(
            department,
            view,
            uid,
            alias=f"s{number}",
            group=groups.get(tops[uid]),
            marked=uid in marked,
        )
        for number, uid in enumerate(view.systems, start=1)
    }
    lines = []
    for number, route in enumerate(view.routes, start=1):
        if not {route.source, route.target} <= shown:
            raise ValueError(f"The route {route.name} ends at a system that the view leaves out.")
        lines.append(
            _line(
                department,
                route,
                alias=f"r{number}",
                ends=(boxes[route.source].alias, boxes[route.target].alias),
                tone=paint.tone(department, route),
                labels=labels,
            )
        )
    counted = Counter(line.tone for line in lines)
    legend = [LegendEntry(tone, counted[tone]) for tone in paint.tones]
    return Picture(
        title,
        tuple(boxes.values()),
        tuple(lines),
        tuple(groups.values()),
        tuple(entry for entry in legend if entry.count),
    )


def _box(
    department: Department,
    view: View,
    uid: str,
    *,
    alias: str,
    group: Group | None,
    marked: bool,
) -> Box:
    system = department.systems[uid]
    parts = len([part for part in department.within(uid) if part not in view.systems])
    words = [system.kind, system.owner]
    if parts:
        words.append(_count(parts, "part") + " inside")
    if hidden := view.hidden.get(uid):
        words.append(_count(len(hidden), "connection") + " inside")
    return Box(
        alias,
        uid,
        system.title,
        ", ".join(word for word in words if word),
        _record(department, uid),
        group.alias if group else None,
        marked,
    )


def _line(
    department: Department,
    route: Route,
    *,
    alias: str,
    ends: tuple[str, str],
    tone: Tone,
    labels: Mapping[str, str] | None,
) -> Line:
    single = len(route.connections) == 1
    if labels is not None:
        label = ", ".join(labels[uid] for uid in route.connections if uid in labels)
    else:
        label = route.connections[0] if single else f"{len(route.connections)} connections"
    data = dict.fromkeys(
        kind for uid in route.connections for kind in department.connections[uid].data_types
    )
    query = urlencode(
        {"source": route.source, "target": route.target, "category": route.category.value}
    )
    return Line(
        alias,
        *ends,
        label=label,
        name=route.name,
        words=f"{CATEGORY_TONES[route.category].word}; {', '.join(data)}",
        href=(
            _record(department, route.connections[0])
            if single
            else f"/p/{quote(department.project)}/map/table?{query}"
        ),
        tone=tone,
    )


def _record(department: Department, uid: str) -> str:
    return f"/p/{quote(department.project, safe='')}/{quote(uid, safe='')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
