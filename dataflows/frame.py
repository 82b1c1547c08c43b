"""What every page of the map is asked, and what it shows around its own content."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from dataflows import service
from dataflows.inventory import Category, Department
from dataflows.picture import ColourBy
from dataflows.views import Selection, level_name, levels

NAV = "Department map"

TABS = (
    ("Diagram", ""),
    ("Matrix", "/matrix"),
    ("Table", "/table"),
    ("Pathways", "/pathways"),
    ("Coverage", "/coverage"),
    ("Probes", "/probes"),
    ("Drift", "/drift"),
)

ZOOMS: Mapping[str, int | None] = {"fit": None, "100": 100, "150": 150}


class View(BaseModel):
    """What a page of the map is asked to show; every link on it keeps the rest."""

    level: str = Field(default="0", max_length=10)
    colour: ColourBy = ColourBy.CATEGORY
    focus: str = Field(default="", max_length=80)
    drafts: bool = False
    zoom: Literal["fit", "100", "150"] = "fit"
    source: str = Field(default="", max_length=80)
    target: str = Field(default="", max_length=80)
    category: Category | None = None
    without_qa: bool = False
    row: int = Field(default=1, ge=1, le=1_000_000)
    column: int = Field(default=1, ge=1, le=1_000_000)
    page: int = Field(default=1, ge=1, le=1_000_000)
    format: str = Field(default="", max_length=10)

    @property
    def selection(self) -> Selection:
        """The part that decides the view."""
        return Selection(self.level, self.colour, self.focus, self.drafts)

    @property
    def table_filter(self) -> service.TableFilter:
        """The part that decides the rows of the table."""
        category = self.category.value if self.category else ""
        return service.TableFilter(self.source, self.target, category, self.without_qa)

    def query(self, **changes: Any) -> str:
        """Return what differs from the defaults as a query string, with some of it changed."""
        asked = type(self).model_validate(self.model_dump() | changes)
        return urlencode(asked.model_dump(exclude_defaults=True, mode="json"))


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
        "export_addresses": [
            (name.upper(), "?" + "&".join(filter(None, [here, f"format={name}"])))
            for name in forms_for(max(len(department.systems), len(department.connections)))
        ],
    }


def _focuses(department: Department) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what can be looked at alone: pathways, then systems with their parts."""
    systems = sorted(department.systems, key=department.reading_order)
    return [
        ("Pathways", [(uid, _short(uid, p.title)) for uid, p in department.pathways.items()]),
        ("Systems", [(uid, _short(uid, department.systems[uid].title)) for uid in systems]),
    ]


def _short(uid: str, title: str) -> str:
    return shorten(f"{uid} {title}", 44, placeholder=" ...")


def table_filters(
    project: Project, view: View, department: Department, everything: Sequence[str]
) -> list[tuple[str, int, str]]:
    """Return the counts above the table of connections: each filters it when followed."""

    def count(without_qa: bool) -> int:
        wanted = replace(view.table_filter, without_qa=without_qa)
        return len(service.connections_of(department, tuple(everything), wanted))

    def filtered(without_qa: bool) -> str:
        return address(project, "/table", view.query(without_qa=without_qa, page=1))

    return [("all", count(False), filtered(False)), ("without QA", count(True), filtered(True))]


def address(project: Project, path: str, *queries: str) -> str:
    """Return the address of a page of the map."""
    query = "&".join(filter(None, queries))
    return f"/p/{project.key}/map{path}" + (f"?{query}" if query else "")
