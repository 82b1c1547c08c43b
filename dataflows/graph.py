"""The department as a graph: levels, rolled-up routes, neighbourhoods and reach."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.records.snapshot import natural_order
from dataflows.inventory import Category, Department

if TYPE_CHECKING:
    import networkx as nx

MAJOR_LEVEL = 0
"""The level that shows major systems only."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where each system is drawn, and which systems show every connection on its own.

    `whole` holds the systems whose connections are not bundled: a connection with both ends in
    it is a route of its own, every other one is bundled by category with its companions.
    """

    place: Mapping[str, str]
    whole: frozenset[str]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a view: the connections of one category between two systems as drawn."""

    source: str
    target: str
    category: Category
    connections: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the line is called wherever it appears: its connections, then its two ends."""
        return f"{' '.join(self.connections)}: {self.source} to {self.target}"


@dataclass(frozen=True, slots=True)
class View:
    """Systems as drawn, the routes between them, and what is hidden inside a drawn system."""

    systems: tuple[str, ...]
    routes: tuple[Route, ...]
    hidden: Mapping[str, tuple[str, ...]]

    @property
    def connections(self) -> tuple[str, ...]:
        """Every connection that a route of this view carries, each once."""
        return tuple(sorted((uid for r in self.routes for uid in r.connections), key=natural_order))


def level_cut(department: Department, level: int) -> Cut:
    """Cut the department at a level: 0 shows major systems, its depth shows every system.

    At the deepest level nothing is bundled, so each connection is a route.
    """
    if level < MAJOR_LEVEL:
        raise ValueError(f"There is no level {level}; the major systems are level {MAJOR_LEVEL}.")
    # A department without parts has its major systems as deepest level; they are still bundled,
    # or the roll-up would count two transfers between the same two systems twice.
    if level >= max(department.depth, 1):
        return Cut({uid: uid for uid in department.systems}, frozenset(department.systems))
    place = {uid: way[min(level, len(way) - 1)] for uid, way in department.lineage.items()}
    return Cut(place, frozenset())


def expanded_cut(department: Department, expanded: Collection[str]) -> Cut:
    """Show the named major systems in all their parts and every other one as a single box."""
    opened = frozenset(expanded)
    place = {uid: uid if way[0] in opened else way[0] for uid, way in department.lineage.items()}
    return Cut(place, frozenset(uid for uid, way in department.lineage.items() if way[0] in opened))


def changed_cut(
    department: Department, level: int, opened: Collection[str], closed: Collection[str]
) -> Cut:
    """Cut the department at a level, with some systems shown in their parts and some as one box.

    Opening shows the direct parts of a system; where a system and something above it are both
    named, the one above decides. What was opened has a route of its own for each connection.
    """
    base = level_cut(department, level)
    if not opened and not closed:
        return base
    open_here, shut = frozenset(opened), frozenset(closed)
    place, whole = {}, set()
    for uid, way in department.lineage.items():
        drawn = way.index(base.place[uid])
        first_shut = next((at for at in range(drawn + 1) if way[at] in shut), None)
        if first_shut is not None:
            drawn = first_shut
        else:
            while drawn < len(way) - 1 and way[drawn] in open_here:
                drawn += 1
        place[uid] = way[drawn]
        alone = uid in base.whole or not open_here.isdisjoint(way)
        if alone and first_shut is None and way[drawn] == uid:
            whole.add(uid)
    return Cut(place, frozenset(whole))


def roll_up(department: Department, cut: Cut) -> View:
    """Bundle the connections of a department into the routes of a view.

    Two connections share a route when they run between the same two drawn systems in the same
    direction *and* are of the same category: DICOM and file transfer between the same two
    systems fail and are tested apart, so they stay two routes.
    """
    bundles: dict[tuple[str, str, Category, str], list[str]] = {}
    hidden: dict[str, list[str]] = {}
    for connection in department.connections.values():
        source, target = cut.place[connection.source], cut.place[connection.target]
        alone = connection.source in cut.whole and connection.target in cut.whole
        if source == target and not alone:
            hidden.setdefault(source, []).append(connection.uid)
            continue
        key = (source, target, connection.category, connection.uid if alone else "")
        bundles.setdefault(key, []).append(connection.uid)
    routes = [
        Route(source, target, category, tuple(sorted(uids, key=natural_order)))
        for (source, target, category, _), uids in bundles.items()
    ]
    systems = {cut.place[uid] for uid in department.endpoints}
    return View(
        tuple(sorted(systems, key=department.reading_order)),
        tuple(sorted(routes, key=lambda r: natural_order(r.connections[0]))),
        {uid: tuple(sorted(uids, key=natural_order)) for uid, uids in hidden.items()},
    )


def level_view(department: Department, level: int) -> View:
    """Return the routes of one level, rolled up once for each department that was read."""
    name = f"view of level {level}"
    found: View | None = department.worked_out.get(name)
    if found is None:
        found = department.worked_out[name] = roll_up(department, level_cut(department, level))
    return found


def external_routes(
    department: Department, view: View, major: str
) -> frozenset[tuple[str, str, Category]]:
    """Return the routes that cross the border of one major system, named by major systems.

    This is the count that must not move when another system is opened or closed.
    """
    found = set()
    for route in view.routes:
        source, target = department.major(route.source), department.major(route.target)
        if source != target and major in (source, target):
            found.add((source, target, route.category))
    return frozenset(found)


def network(view: View) -> "nx.MultiDiGraph[str]":
    """Return the view as a networkx graph; each edge carries its route."""
    # Here and below, not above: every process knows this module, few ask for a neighbourhood.
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from(view.systems)
    for route in view.routes:
        graph.add_edge(route.source, route.target, route=route)
    return graph


def focus_on(view: View, centre: Collection[str], radius: int = 1) -> View:
    """Keep what lies within `radius` routes of the named systems, whichever way data runs.

    Routes between two neighbours are left out at the rim: the question asked is what touches
    the centre, and a ring of neighbours among themselves hides the answer.
    """
    import networkx as nx

    graph = network(view).to_undirected(as_view=True)
    distance: dict[str, int] = {}
    for start in (uid for uid in centre if uid in graph):
        for uid, steps in nx.single_source_shortest_path_length(graph, start, radius).items():
            distance[uid] = min(steps, distance.get(uid, steps))
    routes = tuple(
        r
        for r in view.routes
        if r.source in distance
        and r.target in distance
        and min(distance[r.source], distance[r.target]) < radius
    )
    return View(
        tuple(uid for uid in view.systems if uid in distance),
        routes,
        {uid: held for uid, held in view.hidden.items() if uid in distance},
    )


def only_connections(view: View, wanted: Collection[str]) -> View:
    """Keep the named connections and the systems they join."""
    chosen = frozenset(wanted)
    routes = []
    for route in view.routes:
        kept = tuple(uid for uid in route.connections if uid in chosen)
        if kept:
            routes.append(Route(route.source, route.target, route.category, kept))
    ends = {end for r in routes for end in (r.source, r.target)}
    hidden = {
        uid: kept
        for uid, held in view.hidden.items()
        if (kept := tuple(c for c in held if c in chosen))
    }
    return View(
        tuple(uid for uid in view.systems if uid in ends or uid in hidden), tuple(routes), hidden
    )


def reachable(department: Department, starts: Collection[str]) -> frozenset[str]:
    """Return every other system that data can reach from the named ones, over any number of steps.

    In a real department this soon means most of it; ask `impact` for the order of a pathway.
    """
    seen = set(starts)
    pending = list(starts)
    while pending:
        fresh = department.receivers.get(pending.pop(), frozenset()) - seen
        seen |= fresh
        pending.extend(fresh)
    return frozenset(seen.difference(starts))
