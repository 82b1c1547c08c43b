"""What a sheet of a workbook says beside its values: merged cells, hidden rows, how far it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_MERGED = 200_000
MOST_BELOW = 3_000
"""Cells beneath merged ones that are remembered; no table that is read has as many."""


@dataclass(frozen=True)
class Beside:
    """What the values of a sheet do not tell.

    Attributes
    ----------
    merged : mapping
        Cells below the value of a merged one, by row and place of their column, with the range.
    hidden : tuple of int
        The rows with something in them that are not shown.
    last_row, last_column : int
        Where the last cell with something in it is, each counted from 1.
    """

    merged: Mapping[tuple[int, int], str] = field(default_factory=dict)
    hidden: tuple[int, ...] = ()
    last_row: int = 0
    last_column: int = 0


def beside(sheet: Any) -> Beside:
    """Read a sheet that was opened to be read only, whose archive was found safe before."""
    from openpyxl.utils.cell import coordinate_to_tuple
    from openpyxl.xml.functions import iterparse

    merged: dict[tuple[int, int], str] = {}
    hidden: list[int] = []
    rows: Any = None
    row = column = last_row = last_column = 0
    filled = False
    with sheet._get_source() as source:
        for event, element in iterparse(source, ("start", "end")):
            name = element.tag.rpartition("}")[2]
            if event == "start":
                if name == "sheetData":
                    rows = element
                elif name == "row":
                    row, column, filled = int(element.get("r") or row + 1), 0, False
                continue
            if name == "c":
                at = element.get("r")
                column = coordinate_to_tuple(at)[1] if at else column + 1
                if any("".join(one.itertext()).strip() for one in element):
                    filled = True
                    last_row, last_column = max(last_row, row), max(last_column, column)
            elif name == "row":
                if filled and element.get("hidden") in ("1", "true"):
                    hidden.append(row)
                # Its parent would keep an element for each of them.
                (element if rows is None else rows).clear()
            elif name == "mergeCell" and len(merged) < MOST_MERGED:
                merged |= _beneath(element.get("ref") or "")
    return Beside(merged, tuple(hidden), last_row, last_column)


def _beneath(ref: str) -> dict[tuple[int, int], str]:
    """Return the cells of a range below the one that holds its value."""
    from openpyxl.utils.cell import range_boundaries

    left, top, _, bottom = range_boundaries(ref)
    if left is None or top is None or bottom is None:
        return {}
    return {(row, left - 1): ref for row in range(top + 1, min(bottom, top + MOST_BELOW) + 1)}
