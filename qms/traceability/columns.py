"""Which columns a matrix has: read from ``paths.yaml``, or worked out from the record types."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ruamel.yaml import YAML

from core.errors import Fault, Invalid
from qms.traceability.paths import Column, read_columns, shortest_ways

PATHS_FILE = "paths.yaml"

Links = Mapping[str, Mapping[str, Sequence[str]]]
"""Per record type, per role, the types that the role may lead to."""


@cache
def known_columns() -> Mapping[str, tuple[Column, ...]]:
    """Return the columns that ship with the product, by row type."""
    text = (files("qms.traceability") / PATHS_FILE).read_text(encoding="utf-8")
    return MappingProxyType(read_columns(YAML(typ="safe", pure=True).load(text), PATHS_FILE))


def columns_for(rows: str, chosen: Sequence[str], links: Links) -> tuple[Column, ...]:
    """Return the columns of a matrix with these rows.

    Parameters
    ----------
    rows : str
        Record type of the rows.
    chosen : sequence of str
        Record types to show, in this order; empty for the usual ones.
    links : mapping
        What the record types allow, for pairs that are not listed.

    Raises
    ------
    Invalid
        With every type that does not exist or that no way leads to.
    """
    faults = [
        Fault("TM02", name, "is no record type.", f"Use one of {', '.join(sorted(links))}.")
        for name in dict.fromkeys((rows, *chosen))
        if name not in links
    ]
    known = {column.name: column for column in known_columns().get(rows, ())}
    columns: list[Column] = []
    for name in dict.fromkeys(chosen):
        if name in known:
            columns.append(known[name])
        elif name in links and rows in links:
            ways = shortest_ways(rows, name, links)
            columns.append(Column(name, "", frozenset({name}), ways, required=True))
            if not ways:
                fault = Fault("TM03", f"{rows} x {name}", "is joined by no chain of links.")
                faults.append(fault)
    if faults:
        raise Invalid("This matrix cannot be drawn.", faults)
    return tuple(columns) or tuple(column for column in known.values() if column.shown)
