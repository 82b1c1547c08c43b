"""Describe a system or a connection in one short form; everything else is completed later."""

from collections.abc import Sequence

from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, Invalid
from core.ledger import hold_still
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record
from core.records.service import create_record
from core.records.sheets.cells import separated
from core.records.types import get_registry
from dataflows.editing.defaults import (
    MODE_OF,
    Series,
    Systems,
    end_of,
    ends,
    staff_group_of,
    title_of,
    today,
)
from dataflows.interchange.kept import Kept, kept_records

SYSTEM, CONNECTION = "system", "connection"
NONE = "none"
"""Status, protocol and data type of a connection that says that there is none."""

LONG = 2_000


class SystemForm(BaseModel):
    """Eight fields that describe a system; without an id it gets the next of its series."""

    name: str = Field(default="", max_length=LONG)
    uid: str = Field(default="", max_length=200)
    kind: str = Field(default="", max_length=LONG)
    owner: str = Field(default="", max_length=LONG)
    criticality: str = Field(default="", max_length=40)
    part_of: str = Field(default="", max_length=LONG)
    product: str = Field(default="", max_length=LONG)
    version: str = Field(default="", max_length=LONG)


class ConnectionForm(BaseModel):
    """Eight fields that describe a connection; the mode follows from who starts it."""

    source: str = Field(default="", max_length=LONG)
    target: str = Field(default="", max_length=LONG)
    category: str = Field(default="", max_length=40)
    data_types: str = Field(default="", max_length=20_000)
    protocol: str = Field(default="", max_length=LONG)
    trigger: str = Field(default="", max_length=40)
    responsible: str = Field(default="", max_length=LONG)
    surveyed_from: str = Field(default="", max_length=40)


class NoTransferForm(BaseModel):
    """A survey found that nothing goes from one system to another, and nothing is meant to."""

    source: str = Field(default="", max_length=LONG)
    target: str = Field(default="", max_length=LONG)
    reason: str = Field(default="", max_length=20_000)
    surveyed_from: str = Field(default="interview", max_length=40)


def add_system(session: Session, project: Project, form: SystemForm, by: Actor) -> Record:
    """Create a system as a draft.

    Raises
    ------
    Invalid
        With everything that is wrong at once.
    Refused, Conflict
        If the person may not describe systems, or the id is taken.
    """
    hold_still(session)
    record_type = get_registry().of(SYSTEM)
    systems = systems_of(session, project)
    fields = {
        "kind": form.kind.strip(),
        "owner": form.owner.strip(),
        "criticality": form.criticality,
        "product": form.product.strip(),
        "version": form.version.strip(),
    }
    faults = _empty({"name": form.name, **{n: fields[n] for n in ("kind", "owner", "criticality")}})
    links: list[LinkDraft] = []
    if form.part_of.strip():
        parent = systems.find(form.part_of)
        links = [LinkDraft("part_of", parent)] if parent else []
        faults += [] if parent else [_no_system(systems, "part_of", form.part_of)]
    if faults:
        raise Invalid("The system was not added.", faults)
    return create_record(
        session,
        project,
        SYSTEM,
        Content(form.name, fields=fields, links=tuple(links)),
        by,
        uid=form.uid.strip() or Series(session, project, record_type).next(),
        reason="Added on the map.",
    )


def connect(session: Session, project: Project, form: ConnectionForm, by: Actor) -> Record:
    """Create a connection between two systems as a draft.

    Raises
    ------
    Invalid
        With everything that is wrong at once.
    Refused
        If the person may not describe connections.
    """
    hold_still(session)
    systems = systems_of(session, project)
    source, target, faults = _both_ends(systems, form.source, form.target)
    data_types = lines(form.data_types)
    faults += _empty(
        {
            "category": form.category,
            "data_types": " ".join(data_types),
            "protocol": form.protocol,
            "trigger": form.trigger,
            "responsible": form.responsible,
            "surveyed_from": form.surveyed_from,
        }
    )
    if faults:
        raise Invalid("The systems were not connected.", faults)
    responsible = form.responsible.strip()
    content = Content(
        title_of(data_types, source, target),
        fields={
            "category": form.category,
            "protocol": form.protocol.strip(),
            "data_types": data_types,
            "trigger": form.trigger,
            "mode": MODE_OF.get(form.trigger, "push"),
            "responsible": responsible,
            "surveyed_from": form.surveyed_from,
            "surveyed_on": today(),
            "surveyed_by": staff_group_of(session, by) or responsible,
        },
        links=ends(source, target),
    )
    return _created(session, project, content, by, "Connected on the map.")


def state_no_transfer(
    session: Session, project: Project, form: NoTransferForm, by: Actor
) -> Record:
    """Record that a survey found no transfer between two systems and that none is intended.

    Raises
    ------
    Invalid
        With everything that is wrong at once; also where the map has a connection there, or the
        same was stated already.
    Refused
        If the person may not describe connections.
    """
    hold_still(session)
    kept = kept_records(session, project, types=[SYSTEM, CONNECTION])
    systems = _systems_in(kept)
    source, target, faults = _both_ends(systems, form.source, form.target)
    faults += _empty({"reason": form.reason, "surveyed_from": form.surveyed_from})
    if not faults:
        faults += _contradicted(kept, source, target)
    if faults:
        raise Invalid("Nothing was stated.", faults)
    group = staff_group_of(session, by) or _owner(kept, source)
    content = Content(
        f"No transfer from {source} to {target}",
        form.reason.strip(),
        {
            "category": "other",
            "status": NONE,
            "protocol": NONE,
            "data_types": [NONE],
            "trigger": "manual",
            "mode": "manual",
            "responsible": group,
            "surveyed_from": form.surveyed_from,
            "surveyed_on": today(),
            "surveyed_by": group,
        },
        ends(source, target),
    )
    return _created(session, project, content, by, "Surveyed: no transfer.")


def _created(
    session: Session, project: Project, content: Content, by: Actor, reason: str
) -> Record:
    uid = Series(session, project, get_registry().of(CONNECTION)).next()
    return create_record(session, project, CONNECTION, content, by, uid=uid, reason=reason)


def systems_of(session: Session, project: Project) -> Systems:
    """Return the systems of a map, drafts too, to find what was typed among them."""
    return _systems_in(kept_records(session, project, types=[SYSTEM]))


def _systems_in(kept: Sequence[Kept]) -> Systems:
    return Systems({one.record.uid: one.content.title for one in kept if one.record.type == SYSTEM})


def owner_of(session: Session, project: Project, typed: str) -> str:
    """Return the group that looks after a system: a connection from it is often theirs too."""
    kept = kept_records(session, project, types=[SYSTEM])
    return _owner(kept, _systems_in(kept).find(typed) or "")


def _owner(kept: Sequence[Kept], uid: str) -> str:
    return next((str(k.content.fields.get("owner") or "") for k in kept if k.record.uid == uid), "")


def lines(text: str) -> list[str]:
    """Return several data types typed in one field: one per line, or with semicolons between."""
    return [one.strip() for line in text.splitlines() for one in separated(line) if one.strip()]


def _both_ends(systems: Systems, source: str, target: str) -> tuple[str, str, list[Fault]]:
    faults = _empty({"source": source, "target": target})
    found = []
    for name, typed in (("source", source), ("target", target)):
        uid = systems.find(typed)
        if typed.strip() and uid is None:
            faults.append(_no_system(systems, name, typed))
        found.append(uid or "")
    if found[0] and found[0] == found[1]:
        what = f"is {found[0]} as well."
        mend = "Name the part that sends and the part that receives."
        faults.append(Fault("no-way", "target", what, mend))
    return found[0], found[1], faults


def _no_system(systems: Systems, where: str, typed: str) -> Fault:
    what = f"'{typed.strip()[:80]}' is no system of this map."
    return Fault("missing-system", where, what, systems.near(typed) or "Add the system first.")


def _empty(values: dict[str, str]) -> list[Fault]:
    return [
        Fault("missing", name, "is empty.", "Fill it in.")
        for name, value in values.items()
        if not value.strip()
    ]


def _contradicted(kept: Sequence[Kept], source: str, target: str) -> list[Fault]:
    faults = []
    for one in kept:
        content = one.content
        if one.record.type != CONNECTION or (
            end_of(content, "from_system"),
            end_of(content, "to_system"),
        ) != (source, target):
            continue
        status, uid = content.fields.get("status"), one.record.uid
        if status == NONE:
            what = f"{uid} states this already."
            faults.append(Fault("stated-twice", "target", what, f"Change {uid} if it is not so."))
        elif status != "retired":
            what = f"{uid} goes from {source} to {target}."
            mend = f"Withdraw or retire {uid} first, if it does not."
            faults.append(Fault("connected", "target", what, mend))
    return faults
