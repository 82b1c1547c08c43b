"""Baselines on their own: frozen with a name and a reason, listed with who signed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Fault, Invalid, NotFound, Refused
from core.exports import Sheet
from core.ledger.brought import acts, told
from core.ledger.chain import hold_still
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.service import Reauthentication
from core.records.models import Project
from core.records.snapshot import Key, Snapshot
from core.records.types import get_registry
from qms.baselines.comparison import BaselineLine
from qms.baselines.current import freeze_now, lines_now, project_snapshot
from qms.baselines.models import Baseline
from qms.baselines.service import CREATED, baselines_of, find_baseline, lines_of
from qms.releases.gate import gate_findings, must_pass

TODAY = "today"
"""Names what a baseline frozen now would hold."""

GATES: Mapping[str, str] = {
    "": "none: a snapshot of what is in force",
    "plan": "plan baseline",
    "design": "design freeze",
}
"""The gates that a baseline on its own may stand behind."""

FREEZING_ROLES = ("release_manager", "quality_manager")

SIGNED_AS = "frozen"
"""What a signature under a baseline means: this is what was in force."""


@dataclass(frozen=True)
class Standing:
    """One baseline of the list.

    Attributes
    ----------
    signed : str
        Who signed it in which role; empty for one that a release froze or a command made.
    releases : tuple of Key
        The releases that name it.
    """

    baseline: Baseline
    reason: str
    gate: str
    signed: str
    releases: tuple[Key, ...]

    @property
    def at(self) -> datetime:
        """When it was frozen."""
        return self.baseline.at


def may_freeze(project: Project, by: Actor) -> bool:
    """Whether a person may freeze a baseline on its own."""
    return by.has(project.id or 0, *freezing_roles())


def freezing_roles() -> tuple[str, ...]:
    """Return who freezes: whoever writes, makes and decides on releases."""
    return tuple(dict.fromkeys((*get_registry().of("release").authors, *FREEZING_ROLES)))


def freeze_baseline(
    session: Session,
    project: Project,
    name: str,
    reason: str,
    by: Actor,
    gate: str = "",
    proof: Reauthentication | None = None,
) -> Baseline:
    """Freeze what is in force under a name, behind a gate if one is named.

    Parameters
    ----------
    proof : Reauthentication, optional
        That the person gave their password just now: the baseline is signed by them.

    Raises
    ------
    Refused
        If the person may not.
    Invalid
        With what is missing, or everything that the gate finds.
    Conflict
        If nothing is in force.
    """
    if not may_freeze(project, by):
        needed = ", ".join(role.replace("_", " ") for role in freezing_roles())
        raise Refused(f"{by.name} may not freeze a baseline in {project.key}; that needs {needed}.")
    faults = [
        Fault("BL01", where, "is missing.", mend)
        for where, value, mend in (
            ("Name", name, "Say what it is, for example “Design freeze 1”."),
            ("Reason", reason, "Say why it is frozen now."),
        )
        if not value.strip()
    ]
    if gate not in GATES:
        faults.append(Fault("BL02", "Gate", f"is {gate[:40]!r}.", "Choose plan, design or none."))
    if faults:
        raise Invalid("The baseline cannot be frozen.", faults)
    # Held first: what is frozen is read by several statements that must see one state.
    hold_still(session)
    if gate:
        found = gate_findings(session, project, [gate])
        must_pass(f"The {GATES[gate]} cannot be frozen", found)
    told: dict[str, Any] = {"reason": reason.strip(), "gate": gate}
    if proof is not None:
        if proof.person_id != by.person_id:
            raise Refused("The password proves somebody else; nothing was frozen.")
        held = [role for role in freezing_roles() if by.has(project.id or 0, role)]
        role = by.capacity(project.id or 0, held[0])
        told["signed"] = {"name": by.name, "uid": by.uid, "role": role, "meaning": SIGNED_AS}
    return freeze_now(session, project, name.strip(), by, told)


def standings(session: Session, project: Project) -> list[Standing]:
    """Return a project's baselines, the latest first, with what is known of each."""
    said = _told(session, project)
    named: dict[str, list[Key]] = {}
    for release in project_snapshot(session, project).of_type("release", project.key):
        named.setdefault(str(release.fields.get("baseline") or ""), []).append(release.key)
    return [
        Standing(
            one,
            str(told.get("reason") or ""),
            str(told.get("gate") or ""),
            _signed(told),
            tuple(named.get(one.root, ())),
        )
        for one in baselines_of(session, project)
        for told in (said.get(f"baseline {one.number}", {}),)
    ]


def signatures(session: Session, project: Project) -> dict[int, str]:
    """Return who signed each signed baseline of a project, and in which role, by its number."""
    said = _told(session, project)
    signed = {
        one.number: _signed(said.get(f"baseline {one.number}", {}))
        for one in baselines_of(session, project)
    }
    return {number: by for number, by in signed.items() if by}


def _told(session: Session, project: Project) -> dict[str, Mapping[str, Any]]:
    query = select(LedgerEntry).where(col(LedgerEntry.project_id) == project.id, acts(CREATED))
    return {one.subject: one.details for one in map(told, session.scalars(query))}


def _signed(told: Mapping[str, Any]) -> str:
    signed = told.get("signed") or {}
    return f"{signed['name']}, {signed['role']}" if signed else ""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a baseline, or what is in force today."""

    name: str
    label: str
    lines: tuple[BaselineLine, ...]
    baseline: Baseline | None = None


def side(session: Session, project: Project, name: str, snapshot: Snapshot | None = None) -> Side:
    """Return what a side of a comparison holds: a baseline by number or root, or `TODAY`.

    Raises
    ------
    NotFound, Conflict
        As `find_baseline`.
    """
    if name == TODAY:
        snapshot = snapshot or project_snapshot(session, project)
        return Side(TODAY, "today", tuple(lines_now(snapshot, project.key)))
    baseline = find_baseline(session, project, name)
    label = f"baseline {baseline.number}"
    lines = tuple(lines_of(session, baseline))
    return Side(str(baseline.number), label, lines, baseline)


def find_standing(session: Session, project: Project, name: str) -> Standing:
    """Return one baseline as the list tells it.

    Raises
    ------
    NotFound
        If there is none.
    """
    number = find_baseline(session, project, name).number
    for one in standings(session, project):
        if one.baseline.number == number:
            return one
    raise NotFound(f"{project.key} has no baseline {name[:64]}.")


LISTED = (
    "Baseline", "Name", "Reason", "Gate", "Frozen (UTC)", "By", "Signed as frozen by", "Records",
    "Root", "Releases",
)  # fmt: skip


def list_sheet(project: Project, shown: Sequence[Standing]) -> Sheet:
    """Return the baselines as a table to take away."""
    return Sheet(
        f"Baselines {project.key}",
        LISTED,
        [
            (
                one.baseline.number,
                one.baseline.purpose,
                one.reason,
                one.gate,
                one.at.strftime("%Y-%m-%d %H:%M:%S"),
                one.baseline.person_name,
                one.signed,
                one.baseline.count,
                one.baseline.root,
                ", ".join(key.uid for key in one.releases),
            )
            for one in shown
        ],
        {"Project": project.key},
    )
