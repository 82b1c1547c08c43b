"""Impact: what is touched when a system, or one connection, is upgraded, replaced or retired."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.records.snapshot import natural_order
from dataflows.graph import reachable
from dataflows.inventory import Connection, Department, Outside, Pathway, Procedure
from dataflows.pathways import StepFault, WalkedStep, downstream, walk


@dataclass(frozen=True, slots=True)
class TouchedPathway:
    """A pathway that passes over the change: its own steps there, and the steps after them."""

    pathway: Pathway
    direct: tuple[WalkedStep, ...]
    downstream: tuple[WalkedStep, ...]
    procedures: tuple[Procedure, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of an association to set again when its system is replaced."""

    connection: str
    system: str
    role: str
    side: str
    ae: str
    host: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """The one answer to "if this changes, what is touched?".

    Attributes
    ----------
    drafts : tuple of str
        What of it, and of where its data goes on to, is told by a draft, because nobody has
        approved it yet.
    """

    subject: str
    scope: tuple[str, ...]
    external: tuple[Connection, ...]
    internal: tuple[Connection, ...]
    pathways: tuple[TouchedPathway, ...]
    procedures: tuple[Procedure, ...]
    uncovered: tuple[str, ...]
    devices: tuple[Outside, ...]
    evidence: tuple[Outside, ...]
    groups: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    reach: int
    drafts: tuple[str, ...] = ()

    @property
    def direct(self) -> tuple[Connection, ...]:
        """The connections that start or end at the change."""
        return tuple(sorted((*self.external, *self.internal), key=lambda c: natural_order(c.uid)))

    @property
    def downstream(self) -> tuple[str, ...]:
        """The connections that carry data on from the change in the order of some pathway."""
        uids = {step.uid for touched in self.pathways for step in touched.downstream}
        return tuple(sorted(uids, key=natural_order))


def impact_of_system(department: Department, uid: str) -> Impact:
    """Answer for an upgrade or replacement of a system with all its parts."""
    scope = department.within(uid)
    direct = {c for part in scope for c in department.touching.get(part, ())}
    return _impact(department, uid, scope, direct, frozenset(scope))


def impact_of_connection(department: Department, uid: str) -> Impact:
    """Answer for a change of one connection: data goes on from its target."""
    connection = department.connections[uid]
    return _impact(department, uid, (), {uid}, frozenset({connection.target}))


def _impact(
    department: Department,
    subject: str,
    scope: tuple[str, ...],
    direct: Iterable[str],
    touched: frozenset[str],
) -> Impact:
    connections = [department.connections[uid] for uid in sorted(direct, key=natural_order)]
    # Data that a connection brings is at its target only once its own step is walked.
    pathways = _touched_pathways(
        department, frozenset(c.uid for c in connections), touched if scope else frozenset()
    )
    covered = department.qa_of_connection
    repeat = {qa for c in connections for qa in covered.get(c.uid, ())}
    repeat |= {p.uid for way in pathways for p in way.procedures}
    procedures = tuple(department.procedures[uid] for uid in sorted(repeat, key=natural_order))
    ends = {end for c in connections for end in (c.source, c.target)} | set(scope)
    systems = [department.systems[uid] for uid in ends]
    above = {up for uid in (scope or ends) for up in department.lineage[uid]}
    devices = {d for uid in above for d in department.systems[uid].realises}
    groups = {c.responsible for c in connections} | {s.owner for s in systems}
    evidence = {d for c in connections for d in c.named_by}
    evidence |= {d for uid in scope for d in department.systems[uid].named_by}
    evidence |= {d for p in procedures for d in p.monitors}
    return Impact(
        subject=subject,
        scope=scope,
        external=tuple(c for c in connections if not department.is_internal(c)),
        internal=tuple(c for c in connections if department.is_internal(c)),
        pathways=pathways,
        procedures=procedures,
        uncovered=tuple(c.uid for c in connections if c.uid not in covered),
        devices=tuple(sorted(devices)),
        evidence=tuple(sorted(evidence, key=lambda d: (d.project, natural_order(d.uid), d.role))),
        groups=tuple(sorted(groups - {""})),
        endpoints=tuple(_endpoints(connections, frozenset(scope or ends))),
        reach=len(reachable(department, touched)),
        drafts=_drafts(department, ends | {c.uid for c in connections} | repeat, pathways),
    )


def _drafts(
    department: Department, touched: set[str], pathways: Iterable[TouchedPathway]
) -> tuple[str, ...]:
    """Return what of the change, and of where its data goes on to, nobody has approved yet.

    What an end is a part of belongs to it: a device may be realised there.
    """
    if not department.drafts:
        return ()
    named, ends = set(touched), touched & department.systems.keys()
    for one in pathways:
        named.add(one.pathway.uid)
        for step in one.downstream:
            named.add(step.uid)
            if step.connection is not None:
                ends |= {step.connection.source, step.connection.target}
    named |= {up for uid in ends for up in department.lineage[uid]}
    return tuple(sorted(named & department.drafts, key=natural_order))


def _touched_pathways(
    department: Department, direct: frozenset[str], touched: frozenset[str]
) -> tuple[TouchedPathway, ...]:
    found = []
    for pathway in sorted(department.pathways.values(), key=lambda p: natural_order(p.uid)):
        here = tuple(step for step in walk(department, pathway) if step.uid in direct)
        if not here:
            continue
        procedures = department.qa_of_pathway.get(pathway.uid, ())
        found.append(
            TouchedPathway(
                pathway,
                here,
                downstream(department, pathway, touched, frozenset() if touched else direct),
                tuple(department.procedures[uid] for uid in procedures),
            )
        )
    return tuple(found)


def _endpoints(connections: Iterable[Connection], scope: frozenset[str]) -> Iterable[Endpoint]:
    """List the far and near ends to set again, association by association.

    Both sides are listed: a listener knows its callers by AE title, a caller knows the
    listener by AE title, host and port.
    """
    for connection in connections:
        for a in connection.associations:
            # The listener of a store is the target; of a query, move or work item, the source.
            stores = a.role.startswith("store")
            scu, scp = (
                (connection.source, connection.target)
                if stores
                else (connection.target, connection.source)
            )
            if {scu, scp} & scope:
                yield Endpoint(connection.uid, scu, a.role, "asks", a.scu_ae)
                yield Endpoint(
                    connection.uid, scp, a.role, "listens", a.scp_ae, a.scp_host, a.scp_port
                )


@dataclass(frozen=True, slots=True)
class Loss:
    """A system that stays and loses connections.

    Attributes
    ----------
    sources, targets : tuple of Connection
        What it no longer receives over, and no longer sends over.
    left_in, left_out : int
        Over how many connections it still receives and sends.
    """

    system: str
    sources: tuple[Connection, ...]
    targets: tuple[Connection, ...]
    left_in: int
    left_out: int


@dataclass(frozen=True, slots=True)
class BrokenPathway:
    """A pathway that loses steps: which ones, and at which later steps it breaks for that.

    The numbers are those of the pathway as it is now.
    """

    pathway: Pathway
    lost: tuple[WalkedStep, ...]
    breaks: tuple[WalkedStep, ...]


@dataclass(frozen=True, slots=True)
class Losses:
    """What a department loses when a system, or one connection, goes for good.

    Attributes
    ----------
    idle : tuple of Procedure
        QA procedures that are left without anything to control.
    narrowed : tuple of Procedure
        QA procedures that lose some of what they control.
    """

    systems: tuple[Loss, ...]
    pathways: tuple[BrokenPathway, ...]
    idle: tuple[Procedure, ...]
    narrowed: tuple[Procedure, ...]


def losses(department: Department, found: Impact) -> Losses:
    """Say what is lost when that which was asked about is retired.

    A pathway of which no step is left is gone as a whole, and so is its end-to-end QA.
    """
    gone = frozenset(c.uid for c in found.direct)
    pathways = tuple(_broken(department, touched, gone) for touched in found.pathways)
    emptied = {
        one.pathway.uid
        for one in pathways
        if all(step.connection in gone for step in one.pathway.steps)
    }
    idle, narrowed = [], []
    for procedure in sorted(department.procedures.values(), key=lambda p: natural_order(p.uid)):
        subjects = {*procedure.connections, *procedure.pathways}
        left = subjects - gone - emptied
        if subjects and not left:
            idle.append(procedure)
        elif left != subjects:
            narrowed.append(procedure)
    return Losses(
        tuple(_losses_of_systems(department, found, gone)), pathways, tuple(idle), tuple(narrowed)
    )


def with_drafts_of_losses(department: Department, found: Impact, lost: Losses) -> Impact:
    """Name the drafts too at which a pathway breaks; they need not be downstream."""
    named = {step.uid for one in lost.pathways for step in one.breaks} & department.drafts
    return replace(found, drafts=tuple(sorted(named.union(found.drafts), key=natural_order)))


def _losses_of_systems(
    department: Department, found: Impact, gone: frozenset[str]
) -> Iterable[Loss]:
    scope = frozenset(found.scope)
    ends = {end for c in found.direct for end in (c.source, c.target)} - scope
    for uid in sorted(ends, key=department.reading_order):
        touching = [department.connections[c] for c in department.touching.get(uid, ())]
        yield Loss(
            uid,
            tuple(c for c in touching if c.target == uid and c.uid in gone),
            tuple(c for c in touching if c.source == uid and c.uid in gone),
            sum(c.target == uid and c.uid not in gone for c in touching),
            sum(c.source == uid and c.uid not in gone for c in touching),
        )


def _broken(department: Department, touched: TouchedPathway, gone: frozenset[str]) -> BrokenPathway:
    """Walk what is left of a pathway, by the rule of `pathways.walk`, under its own numbers."""
    visited: set[str] = set()
    breaks = []
    for step in walk(department, touched.pathway):
        if step.connection is None or step.uid in gone:
            continue
        unreached = step.connection.source not in visited and not step.entry
        # What is broken today is no loss.
        if unreached and StepFault.BREAK not in step.faults:
            breaks.append(step)
        visited |= {step.connection.source, step.connection.target}
    return BrokenPathway(touched.pathway, touched.direct, tuple(breaks))
