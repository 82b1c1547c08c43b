"""Import the destination list of a system, tell what has drifted, and propose what follows.

Nothing is applied by itself: a proposal is a draft of each connection, which is reviewed and
approved like any other, and never by the one who proposed it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.errors import Conflict, Fault, Invalid, NotFound
from core.ledger import append
from core.people.actor import Actor
from core.records import lifecycle
from core.records import service as records
from core.records.content import Content
from core.records.models import Project, Record
from core.records.snapshot import natural_order
from dataflows.inventory import Department
from dataflows.probing.drift import (
    Changed,
    Drift,
    Endpoint,
    Modelled,
    compare,
    modelled_destinations,
)
from dataflows.probing.lists import Destination, read_list
from dataflows.probing.models import DestinationList

LONGEST_NAME = 200

MOST_AT_ONCE = 200
"""Lists that are read together: each may have two thousand destinations."""


@dataclass(frozen=True)
class Report:
    """What an imported list says against the map."""

    listed: DestinationList
    drift: Drift

    @property
    def proposable(self) -> dict[str, list[Changed]]:
        """The connections with an endpoint that has changed, and their changes."""
        found: dict[str, list[Changed]] = {}
        for change in self.drift.changed:
            for uid in change.before.connections:
                found.setdefault(uid, []).append(change)
        return {uid: found[uid] for uid in sorted(found, key=natural_order)}


def import_list(
    session: Session,
    project: Project,
    department: Department,
    system: str,
    name: str,
    content: bytes,
    by: Actor,
) -> DestinationList:
    """Keep the destination list that a system exported; nothing of the map changes.

    Raises
    ------
    Invalid
        With every fault of the file, and if there is no such system.
    """
    printable = "".join(c for c in name.replace("\\", "/") if c.isprintable())
    name = printable.rsplit("/", 1)[-1][-LONGEST_NAME:] or "the list"
    if system not in department.systems:
        what = f"{system[:40]!r} is no system of this map."
        raise Invalid("Nothing was imported.", [Fault("DST11", "system", what, "Choose one.")])
    found = read_list(content, name)
    kept = DestinationList(
        project_id=project.id or 0,
        system=system,
        name=name,
        digest=hashlib.sha256(content).hexdigest(),
        destinations=[one.told for one in found],
        person_id=by.person_id,
        person=by.name,
    )
    session.add(kept)
    session.flush()
    told = {"list": kept.id, "name": name, "sha256": kept.digest, "destinations": len(found)}
    append(session, "probe:destinations:import", by, project.id, system, told)
    return kept


def lists_of(
    session: Session, project: Project, first: int = 0, most: int = MOST_AT_ONCE
) -> Sequence[DestinationList]:
    """Return some of the imported lists, the latest first."""
    query = (
        select(DestinationList)
        .where(col(DestinationList.project_id) == project.id)
        .order_by(col(DestinationList.id).desc())
        .offset(first)
        .limit(most)
    )
    return session.execute(query).scalars().all()


def count_lists(session: Session, project: Project) -> int:
    """Return how many lists were ever imported."""
    query = select(func.count()).where(col(DestinationList.project_id) == project.id)
    return int(session.execute(query).scalar_one())


def find_list(session: Session, project: Project, number: int) -> DestinationList:
    """Return an imported list.

    Raises
    ------
    NotFound
    """
    found = session.get(DestinationList, number)
    if found is None or found.project_id != project.id:
        raise NotFound(f"There is no destination list {number} here.")
    return found


def latest_list(session: Session, project: Project, system: str) -> DestinationList | None:
    """Return the newest list of a system."""
    query = (
        select(DestinationList)
        .where(col(DestinationList.project_id) == project.id, col(DestinationList.system) == system)
        .order_by(col(DestinationList.id).desc())
        .limit(1)
    )
    return session.execute(query).scalars().first()


def superseding(
    session: Session, project: Project, listed: DestinationList
) -> DestinationList | None:
    """Return the newest list of the same system, if it is not this one."""
    newest = latest_list(session, project, listed.system)
    return newest if newest is not None and newest.id != listed.id else None


def report(department: Department, listed: DestinationList) -> Report:
    """Compare a list with the map as it is now."""
    if listed.system not in department.systems:
        raise Conflict(f"{listed.system} is no longer a system of this map.")
    return _report(listed, modelled_destinations(department, listed.system))


def drifts(department: Department, listed: Sequence[DestinationList]) -> list[Drift | None]:
    """Compare many lists with the map; None where the system is no longer on it."""
    systems = {one.system for one in listed} & department.systems.keys()
    modelled = {uid: modelled_destinations(department, uid) for uid in sorted(systems)}
    return [
        _report(one, modelled[one.system]).drift if one.system in modelled else None
        for one in listed
    ]


def _report(listed: DestinationList, modelled: Sequence[Modelled]) -> Report:
    said = [Destination(**one) for one in listed.destinations]
    return Report(listed, compare(modelled, said))


def propose(
    session: Session, project: Project, found: Report, connections: Sequence[str], by: Actor
) -> list[Record]:
    """Make a draft of each connection with the endpoint that the list gives it.

    Parameters
    ----------
    connections : sequence of str
        Some of the report's; all of them when empty.

    Raises
    ------
    Conflict
        If nothing has changed, or the system has a newer list: an old one would offer endpoints
        back that were given up since.
    Invalid
        If a connection has a draft or a review under way, or was not among the changed: with
        every reason, and then nothing is proposed.
    Refused
        If the person may not write connections.
    """
    newer = superseding(session, project, found.listed)
    if newer is not None:
        raise Conflict(
            f"{found.listed.system} has a newer list, {newer.name} of "
            f"{newer.imported_at.date().isoformat()} (list {newer.id}); propose from that one."
        )
    possible = found.proposable
    wanted = list(dict.fromkeys(connections)) or list(possible)
    if not wanted:
        raise Conflict("No connection has another endpoint in this list; there is nothing to do.")
    faults, drafts = [], []
    for uid in wanted:
        if uid not in possible:
            faults.append(Fault("DST12", uid[:40], "has no changed endpoint in this list."))
            continue
        record = records.find_record(session, project, uid)
        content, against = _changed(session, record, possible[uid])
        if content is None:
            faults.append(Fault("DST13", uid, against, "Finish or discard that first."))
        else:
            drafts.append((record, content))
    if faults:
        raise Invalid("Nothing was proposed.", faults)
    for record, content in drafts:
        expected = records.edit_token(records.latest_revision(session, record))
        reason = _reason(found.listed, possible[record.uid])
        records.save_draft(session, record, content, by, expected=expected, reason=reason)
    told = {"list": found.listed.id, "connections": [record.uid for record, _ in drafts]}
    append(session, "probe:destinations:propose", by, project.id, found.listed.system, told)
    return [record for record, _ in drafts]


def _changed(
    session: Session, record: Record, changes: Sequence[Changed]
) -> tuple[Content | None, str]:
    """Return a connection with its new endpoints, or why it cannot be proposed now."""
    latest = records.latest_revision(session, record)
    if latest.state == lifecycle.IN_REVIEW:
        return None, "is in review."
    if latest.state == lifecycle.DRAFT and record.effective_id is not None:
        return None, f"has a draft of {latest.author_name} already."
    content = records.read_content(session, record)
    rows = [dict(row) for row in content.fields.get("associations") or ()]
    for change in changes:
        before = change.before.endpoint.folded
        met = [row for row in rows if _endpoint(row).folded == before]
        if not met:
            return None, f"no longer leads to {change.before.endpoint}."
        for row in met:
            row["scp_ae"] = change.after.ae
            row["scp_host"], row["scp_port"] = change.after.host, change.after.port
    fields = {**content.fields, "associations": rows}
    return Content(content.title, content.body, fields, content.links), ""


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        str(row.get("scp_ae") or ""), str(row.get("scp_host") or ""), int(row.get("scp_port") or 0)
    )


def _reason(listed: DestinationList, changes: Sequence[Changed]) -> str:
    told = "; ".join(f"{one.before.endpoint} is {one.endpoint}" for one in changes)
    day = listed.imported_at.date().isoformat()
    return f"Destination list of {listed.system} ({listed.name}, imported {day}): {told}."
