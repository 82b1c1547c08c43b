"""Coverage: which connections and pathways no QA procedure controls."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.records.snapshot import natural_order
from dataflows.inventory import Connection, Department, Pathway, Procedure


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is without QA, and out of how many.

    A connection inside one major system is counted apart: its supplier tests it as one product,
    and a department decides case by case whether to test it again.

    Attributes
    ----------
    idle : tuple of Procedure
        Procedures that control nothing.
    only_drafts : tuple of str
        Connections and pathways whose only QA nobody has approved yet.
    """

    external: tuple[Connection, ...]
    internal: tuple[Connection, ...]
    pathways: tuple[Pathway, ...]
    external_total: int
    internal_total: int
    pathway_total: int
    idle: tuple[Procedure, ...]
    only_drafts: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every external connection and every pathway has QA."""
        return not self.external and not self.pathways


def coverage(department: Department) -> Coverage:
    """Find the connections and pathways that no QA procedure controls.

    Only a procedure that names the connection itself covers it: an end-to-end test that passes
    over it shows that data arrived, not that each value on this connection is right.
    """
    controlled = {**department.qa_of_connection, **department.qa_of_pathway}
    every = sorted(department.connections.values(), key=lambda c: natural_order(c.uid))
    external = [c for c in every if not department.is_internal(c)]
    internal = [c for c in every if department.is_internal(c)]
    ways = sorted(department.pathways.values(), key=lambda p: natural_order(p.uid))
    return Coverage(
        external=tuple(c for c in external if c.uid not in department.qa_of_connection),
        internal=tuple(c for c in internal if c.uid not in department.qa_of_connection),
        pathways=tuple(p for p in ways if p.uid not in department.qa_of_pathway),
        external_total=len(external),
        internal_total=len(internal),
        pathway_total=len(ways),
        idle=tuple(
            p
            for p in sorted(department.procedures.values(), key=lambda p: natural_order(p.uid))
            if not p.connections and not p.pathways
        ),
        only_drafts=tuple(
            uid
            for uid in sorted(controlled, key=natural_order)
            if department.drafts.issuperset(controlled[uid])
        ),
    )


def programme(department: Department, system: str) -> Mapping[str, tuple[Procedure, ...]]:
    """Return the QA procedures on the connections of a system, by frequency or event."""
    inside = department.within(system)
    touched = {uid for part in inside for uid in department.touching.get(part, ())}
    found: dict[str, list[Procedure]] = {}
    for procedure in sorted(department.procedures.values(), key=lambda p: natural_order(p.uid)):
        if touched.intersection(procedure.connections):
            found.setdefault(procedure.frequency or "no frequency stated", []).append(procedure)
    return {frequency: tuple(procedures) for frequency, procedures in found.items()}
