"""What planning asks of its neighbours; whoever answers is named in `app`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.exports import Sheet
from core.ports import Port
from dataflows.inventory import Department

RiskLevels = Callable[[Session, str], Mapping[str, str]]
"""``(session, project key) -> {risk uid: its level in words}``, controls that work considered."""

risk_levels: Port[RiskLevels] = Port("at which level does each risk of a project stand?")

DriftResult = Callable[[Session, Department, Collection[str]], Sheet | None]
"""``(session, map, systems) -> table`` of what the newest destination lists of these systems say
otherwise than the map; None where none was imported."""

drift_result: Port[DriftResult] = Port("what do imported destination lists say otherwise?")

DriftUntil = Callable[[Session, Department, Collection[str]], datetime | None]
"""``(session, map, systems) -> moment`` at which the newest of these destination lists was
imported; None where none was."""

drift_until: Port[DriftUntil] = Port("when was the newest destination list imported?")


@dataclass(frozen=True, slots=True)
class SignedOff:
    """A baseline that froze a map.

    Attributes
    ----------
    label, root : str
        What it is called, and its root hash.
    by : str
        Who froze it.
    at : datetime
        When.
    signed : str
        Who signed it with a password, and in which role; empty where nobody did.
    """

    label: str
    root: str
    by: str
    at: datetime
    signed: str


SignOff = Callable[[Session, str, Mapping[str, int]], SignedOff | None]
"""``(session, project key, revision of each record of its map) -> baseline``: the first signed one
that froze exactly these, or else the first one; None where none did."""

sign_off: Port[SignOff] = Port("which baseline froze this map?")
