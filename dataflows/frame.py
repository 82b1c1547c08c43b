"""What every page of the map is asked, and what it shows around its own content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from dataflows import service
from dataflows.inventory import Category, Department
from dataflows.matrix import Matrix
from dataflows.tones import COLOURS_IN_WORDS, ColourBy
from dataflows.views import Selection, level_name, levels

NAV = "Department map"

TABS = (
    ("Diagram", ""),
    ("Explore", "/explore"),
    ("Matrix", "/matrix"),
    ("Table", "/table"),
    ("Pathways", "/pathways"),
    ("Coverage", "/coverage"),
    ("Probes", "/probes"),
    ("Drift", "/drift"),
)

ZOOMS: Mapping[str, int | None] = {"fit": None, "100": 100, "150": 150}


MOST_LISTED = 500
"""Systems in one list to choose from: above it the list is longer than the page around it."""

WINDOW = 100
"""Systems along each side of the matrix on one page; the demo department fits twice over."""

LONGEST = 4000
"""Letters of an address that name opened systems: some hundreds of them."""


@dataclass(frozen=True, slots=True)
class Window:
    """One side of a window of the matrix: which systems of how many it shows."""

    number: int
    size: int
    total: int

    @property
    def slice(self) -> slice:
        """The part of the systems."""
        return slice((self.number - 1) * self.size, self.number * self.size)

    @property
    def last(self) -> int:
        """The number of the last window."""
        return max(1, -(-self.total // self.size))

    @property
    def words(self) -> str:
        """The part in words, counted from 1."""
        first = (self.number - 1) * self.size + 1
        return f"{first:,} to {min(self.number * self.size, self.total):,} of {self.total:,}"


class View(BaseModel):
    """What a page of the map is asked to show; every link on it keeps the rest."""

    level: str = Field(default="0", max_length=10)
    colour: ColourBy = ColourBy.CATEGORY
    focus: str = Field(default="", max_length=80)
    open: str = Field(default="", max_length=LONGEST)
    close: str = Field(default="", max_length=LONGEST)
    q: str = Field(default="", max_length=80)
    drafts: bool = False
    zoom: Literal["fit", "100", "150"] = "fit"
    source: str = Field(default="", max_length=80)
    target: str = Field(default="", max_length=80)
    category: Category | None = None
    without_qa: bool = False
    size: int = Field(default=WINDOW, ge=10, le=200)
    unconfirmed: bool = False
    unapproved: bool = False
    row: int = Field(default=1, ge=1, le=1_000_000)
    column: int = Field(default=1, ge=1, le=1_000_000)
    page: int = Field(default=1, ge=1, le=1_000_000)
    format: str = Field(default="", max_length=10)

    @property
    def selection(self) -> Selection:
        """The part that decides the view."""
        return Selection(
            self.level,
            self.colour,
            self.focus,
            self.drafts,
            _listed(self.open),
            _listed(self.close),
        )

    @property
    def table_filter(self) -> service.TableFilter:
        """The part that decides the rows of the table."""
        category = self.category.value if self.category else ""
        return service.TableFilter(self.source, self.target, category, self.without_qa)

    def showing(self, uid: str, *, opened: bool) -> str:
        """Return the query under which one system is shown in its parts, or as one box."""
        open_, close = list(_listed(self.open)), list(_listed(self.close))
        for systems in (open_, close):
            if uid in systems:
                systems.remove(uid)
        by_level = self.level != "0"
        if opened and not (by_level and uid in _listed(self.close)):
            open_.append(uid)
        if not opened and not (not by_level and uid in _listed(self.open)):
            close.append(uid)
        return self.query(open=",".join(open_), close=",".join(close), format="")

    def query(self, **changes: Any) -> str:
        """Return what differs from the defaults as a query string, with some of it changed."""
        asked = type(self).model_validate(self.model_dump() | changes)
        return urlencode(asked.model_dump(exclude_defaults=True, mode="json"))


def _listed(uids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uid for uid in uids.split(",") if uid))


def frame(
    project: Project, person: Actor, view: View, department: Department, tab: str
) -> dict[str, Any]:
    """Return what every page of the map shows around its own content."""
    query = view.query(page=1, row=1, column=1, format="")
    here = view.query(format="")
    path = dict(TABS).get(tab)
    return {
        "project": project,
        "actor": person,
        "nav": NAV,
        "view": view,
        "department": department,
        "tab": tab,
        "tabs": [(word, address(project, path, query)) for word, path in TABS],
        "action": f"/p/{project.key}/map{path or ''}",
        "levels": levels(department),
        "level": level_name(department, view.level),
        "focuses": _focuses(department),
        "colours": [(by.value, words) for by, words in COLOURS_IN_WORDS.items()],
        "export_addresses": [
            (name.upper(), "?" + "&".join(filter(None, [here, f"format={name}"])))
            for name in forms_for(max(len(department.systems), len(department.connections)))
        ],
    }


def _focuses(department: Department) -> list[tuple[str, list[tuple[str, str]]]] | None:
    """Return what can be looked at alone: pathways, then systems with their parts.

    None where they are too many to choose from a list; the page then asks for the uid.
    """
    if len(department.systems) > MOST_LISTED:
        return None
    systems = sorted(department.systems, key=department.reading_order)
    return [
        ("Pathways", [(uid, _short(uid, p.title)) for uid, p in department.pathways.items()]),
        ("Systems", [(uid, _short(uid, department.systems[uid].title)) for uid in systems]),
    ]


def _short(uid: str, title: str) -> str:
    return shorten(f"{uid} {title}", 44, placeholder=" ...")


def matrix_steps(
    project: Project, view: View, department: Department, matrix: Matrix
) -> dict[str, tuple[str, str, str]]:
    """Return for each row what can be opened or closed there: the word, the system, the address.

    A system that is shown in its parts is closed at the first of them.
    """
    steps = {}
    drawn = frozenset(matrix.systems)
    seen: set[str] = set()
    for uid in matrix.rows:
        way, parts = department.lineage[uid], department.children.get(uid, ())
        if parts and drawn.isdisjoint(department.within(uid)[1:]):
            word, whole = "open", uid
        elif (len(way) > 1 or parts) and way[0] not in seen:
            word, whole = "close", way[0]
        else:
            continue
        seen.add(way[0])
        query = view.showing(whole, opened=word == "open")
        steps[uid] = (word, whole, address(project, "/matrix", query))
    return steps


def table_filters(
    project: Project, view: View, department: Department, everything: Sequence[str]
) -> list[tuple[str, int, str]]:
    """Return the counts above the table of connections: each filters it when followed."""

    def count(without_qa: bool) -> int:
        wanted = replace(view.table_filter, without_qa=without_qa)
        return len(service.connections_of(department, tuple(everything), wanted))

    def filtered(without_qa: bool) -> str:
        return address(
            project,
            "/table",
            view.query(without_qa=without_qa, unconfirmed=False, unapproved=False, page=1),
        )

    return [("all", count(False), filtered(False)), ("without QA", count(True), filtered(True))]


def address(project: Project, path: str, *queries: str) -> str:
    """Return the address of a page of the map."""
    query = "&".join(filter(None, queries))
    return f"/p/{project.key}/map{path}" + (f"?{query}" if query else "")
