"""What a reader chose to see of the map: a level, a focus, a colour; as one view with its words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.errors import NotFound
from dataflows.graph import (
    Cut,
    View,
    changed_cut,
    expanded_cut,
    focus_on,
    level_view,
    only_connections,
    roll_up,
)
from dataflows.inventory import Department
from dataflows.picture import Picture, picture
from dataflows.qatrack.standing import State
from dataflows.tones import ColourBy, Paint

OPENED = "open"
"""The level that shows the focus in its parts and everything else as major systems."""

EVERY_PART = "all"
"""The deepest level, whatever its number."""

MOST_LINES = 1000
"""A picture of more lines is a grey square; the matrix and the table still show everything."""


MOST_NAMED = 6
"""Opened or closed systems that a title names."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to show. The defaults are the whole department as major systems.

    Attributes
    ----------
    opened, closed : tuple of str
        Systems that are shown in their parts, or as one box, whatever the level says.
    """

    level: str = "0"
    colour: ColourBy = ColourBy.CATEGORY
    focus: str = ""
    drafts: bool = False
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    def query(self) -> dict[str, str]:
        """Return what differs from the defaults, as it stands in an address."""
        chosen = {
            "level": self.level if self.level != "0" else "",
            "colour": self.colour.value if self.colour is not ColourBy.CATEGORY else "",
            "focus": self.focus,
            "drafts": "yes" if self.drafts else "",
            "open": ",".join(self.opened),
            "close": ",".join(self.closed),
        }
        return {name: value for name, value in chosen.items() if value}


@dataclass(frozen=True, slots=True)
class Shown:
    """A view with what a page says about it."""

    selection: Selection
    view: View
    title: str
    marked: frozenset[str]
    labels: Mapping[str, str] | None

    @property
    def drawable(self) -> bool:
        """Whether a picture of it could still be read."""
        return len(self.view.routes) <= MOST_LINES

    def picture(self, department: Department, states: Mapping[str, State] | None = None) -> Picture:
        """Draw it; `states` says how the QA procedures stand, where that is known."""
        return picture(
            department,
            self.view,
            self.title,
            paint=Paint(self.selection.colour, states or {}),
            marked=self.marked,
            labels=self.labels,
        )


def choose(department: Department, selection: Selection) -> Shown:
    """Build the view of a selection.

    Raises
    ------
    NotFound
        If there is no such level, or neither a system nor a pathway of that name.
    """
    view = _view(department, selection)
    words = _words(department, selection)
    focus = selection.focus
    if not focus:
        return Shown(selection, view, f"Department map: {words}", frozenset(), None)
    if focus in department.pathways:
        pathway = department.pathways[focus]
        steps: dict[str, str] = {}
        for number, step in enumerate(pathway.steps, start=1):
            before = steps.get(step.connection)
            steps[step.connection] = f"{before}, {number}" if before else f"step {number}"
        title = f"Pathway {focus}, {pathway.title}: {words}"
        kept = only_connections(view, steps)
        order = list(steps)
        routes = sorted(kept.routes, key=lambda r: min(map(order.index, r.connections)))
        return Shown(selection, replace(kept, routes=tuple(routes)), title, frozenset(), steps)
    if focus in department.systems:
        place = _cut(department, selection).place
        centre = frozenset(place[part] for part in department.ends_within(focus))
        title = f"Around {department.systems[focus].title} ({focus}): {words}"
        return Shown(selection, focus_on(view, centre), title, centre, None)
    raise NotFound(f"There is no system or pathway {focus} on this map.")


def _words(department: Department, selection: Selection) -> str:
    words = level_words(department, selection.level)
    if selection.level == OPENED:
        return words
    for word, systems in (("opened", selection.opened), ("closed", selection.closed)):
        if systems:
            listed = ", ".join(systems[:MOST_NAMED])
            more = len(systems) - MOST_NAMED
            words += f", {word}: {listed}" + (f" and {more} more" if more > 0 else "")
    return words


def _view(department: Department, selection: Selection) -> View:
    if selection.level == OPENED or selection.opened or selection.closed:
        return roll_up(department, _cut(department, selection))
    return level_view(department, level_number(department, selection.level))


def _cut(department: Department, selection: Selection) -> Cut:
    if selection.level == OPENED:
        opened = (
            [department.major(selection.focus)] if selection.focus in department.systems else []
        )
        return expanded_cut(department, opened)
    for uid in (*selection.opened, *selection.closed):
        if uid not in department.systems:
            raise NotFound(f"There is no system {uid} on this map.")
    level = level_number(department, selection.level)
    return changed_cut(department, level, selection.opened, selection.closed)


def level_number(department: Department, level: str) -> int:
    """Return the number of a level as it stands in an address.

    Raises
    ------
    NotFound
        If the department has no such level.
    """
    deepest = max(department.depth, 1)
    if level == EVERY_PART:
        return deepest
    if not level.isdecimal() or int(level) > deepest:
        raise NotFound(
            f"There is no level '{level}' on this map; its levels are 0 to {deepest}, or "
            f"'{EVERY_PART}'."
        )
    return int(level)


def level_name(department: Department, level: str) -> str:
    """Return the one name of a level: the deepest is 'all', whatever its number."""
    if level == OPENED:
        return OPENED
    number = level_number(department, level)
    return EVERY_PART if number >= max(department.depth, 1) else str(number)


def level_words(department: Department, level: str) -> str:
    """Return what a level is called."""
    name = level_name(department, level)
    words = {OPENED: "focus opened", "0": "major systems", EVERY_PART: "all sub-systems"}
    return words.get(name, f"sub-systems, level {name}")


def levels(department: Department) -> list[tuple[str, str]]:
    """Return the levels to choose from, each with its words."""
    numbered = [str(number) for number in range(max(department.depth, 1))]
    return [(level, level_words(department, level)) for level in [*numbered, EVERY_PART, OPENED]]
