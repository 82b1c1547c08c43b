"""Read the map and put together what the exploratory page and its programs are told."""

from dataclasses import dataclass

from sqlmodel import Session

from core.people.actor import Actor
from dataflows import service
from dataflows.exploring.layout import layout
from dataflows.exploring.scene import Scene, bounded, scene
from dataflows.frame import View
from dataflows.inventory import Department
from dataflows.picture import Picture
from dataflows.qatrack.queries import states_on
from dataflows.render import DrawingStore
from dataflows.views import Shown, choose


@dataclass(frozen=True)
class Explored:
    """A part of the map as it is drawn and listed."""

    department: Department
    shown: Shown
    drawn: Picture
    scene: Scene


def explore(
    session: Session, store: DrawingStore, project: str, reader: Actor, view: View
) -> Explored:
    """Return what a view of the map draws, with the places worked out and kept."""
    department = service.read_department(session, project, reader, drafts=view.drafts)
    shown, left_out = bounded(choose(department, view.selection))
    states = states_on(session, department)
    drawn = shown.picture(department, states)
    placed = layout(store, drawn)
    found = scene(department, view, shown, drawn, placed, states, left_out)
    return Explored(department, shown, drawn, found)
