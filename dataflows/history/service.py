"""Compare the map at two moments, or as two baselines froze it."""

import re
from datetime import timedelta

from sqlmodel import Session

from core import ports
from core.clock import now
from core.errors import Fault, Invalid
from core.exports import Sheet
from core.records.models import Project
from dataflows.history.differing import WORDS, MapDiff, differing
from dataflows.history.then import MapThen, map_at, map_of, moment

TODAY = "today"
HEADINGS = ("Id", "Kind", "Title", "Became", "What", "Difference")

_BASELINE = re.compile(r"(?:baseline\s+)?(\d{1,6}|[0-9a-f]{8,64})", re.IGNORECASE)


USUAL_DAYS = 30


def usual_start() -> str:
    """Return the day from which changes are told to whoever names none."""
    return (now() - timedelta(days=USUAL_DAYS)).date().isoformat()


def compared(session: Session, project: Project, before: str, after: str = TODAY) -> MapDiff:
    """Return what differs between two states of the map.

    Parameters
    ----------
    before, after : str
        A day (its end), a time, "today", or "baseline" with its number or root.

    Raises
    ------
    Invalid
        With both that cannot be read.
    NotFound
        If there is no such baseline.
    """
    faults: list[Fault] = []
    found = []
    for where, name in (("before", before), ("after", after or TODAY)):
        try:
            found.append(_side(session, project, name, where))
        except Invalid as error:
            faults += error.faults
    if faults:
        raise Invalid("Nothing was compared.", faults)
    return differing(*found)


def _side(session: Session, project: Project, name: str, where: str) -> MapThen:
    word = name.strip()
    if word.lower() == TODAY:
        return map_at(session, project, now() + timedelta(days=1), TODAY)
    meant = _BASELINE.fullmatch(word)
    if meant:
        frozen = ports.frozen_revisions(session, project.key, meant.group(1).lower())
        if frozen is None:
            fault = Fault("no-baselines", where, "Nobody here keeps baselines.", "Name a day.")
            raise Invalid("Nothing was compared.", [fault])
        return map_of(session, project, frozen.revisions, frozen.label)
    return map_at(session, project, moment(word, where=where))


def sheet(found: MapDiff, project: str) -> Sheet:
    """Return what differs as a table, one row for each thing that changed."""
    return Sheet(
        f"What changed on the map: {found.before} to {found.after}",
        HEADINGS,
        [
            (one.uid, WORDS[one.type], one.title, one.kind.value, one.what, one.said)
            for one in found.lines
        ],
        {"project": project, "from": found.before, "to": found.after},
    )
