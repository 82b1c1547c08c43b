"""Find the circles of a directed graph: each knot once, and the shortest way round in it."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence


def knots(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Go through the sets of more than one node that all reach each other.

    Tarjan's algorithm (R. Tarjan, SIAM J. Comput. 1 (1972) 146-160) without recursion, so that a
    chain of any length is followed; its cost is linear in nodes and edges.

    Examples
    --------
    >>> [sorted(one) for one in knots({"a": ["b"], "b": ["a", "c"], "c": ["d"]})]
    [['a', 'b']]
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    kept: list[str] = []
    is_kept: set[str] = set()
    for root in edges:
        if root in order:
            continue
        open_nodes = [(root, iter(edges[root]))]
        order[root] = lowest[root] = len(order)
        kept.append(root)
        is_kept.add(root)
        while open_nodes:
            node, rest = open_nodes[-1]
            for following in rest:
                if following not in order:
                    order[following] = lowest[following] = len(order)
                    kept.append(following)
                    is_kept.add(following)
                    open_nodes.append((following, iter(edges.get(following, ()))))
                    break
                if following in is_kept:
                    lowest[node] = min(lowest[node], order[following])
            else:
                open_nodes.pop()
                if open_nodes:
                    above = open_nodes[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == order[node]:
                    knot = [kept.pop()]
                    while knot[-1] != node:
                        knot.append(kept.pop())
                    is_kept.difference_update(knot)
                    if len(knot) > 1:
                        yield knot


def way_round(edges: Mapping[str, Sequence[str]], knot: Collection[str]) -> list[str]:
    """Return the shortest way from the first node of a knot back to it, by their names.

    Examples
    --------
    >>> way_round({"a": ["b"], "b": ["c", "a"], "c": ["a"]}, ["c", "b", "a"])
    ['a', 'b']
    """
    inside = set(knot)
    start = min(inside)
    before: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in edges.get(node, ()):
            if following == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if following in inside and following not in before:
                before[following] = node
                waiting.append(following)
    return [start]
