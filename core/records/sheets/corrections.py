"""Corrections of a table as a form sends them: headings, cells, and rows to leave out. Pure."""

from collections.abc import Mapping

from core.records.sheets.grid import Grid


def corrected(grid: Grid, sent: Mapping[str, str]) -> Grid:
    """Return a table with the corrections that were typed beneath it.

    Parameters
    ----------
    sent : mapping
        What a form posted: `head.PLACE`, `cell.ROW.PLACE` and `drop.ROW` among the rest.
    """
    headings: dict[int, str] = {}
    cells: dict[tuple[int, int], str] = {}
    dropped = []
    for name, value in sent.items():
        what, *numbers = name.split(".")
        if not all(one.isascii() and one.isdecimal() and len(one) < 6 for one in numbers):
            continue
        if what == "head" and len(numbers) == 1:
            headings[int(numbers[0])] = value
        elif what == "cell" and len(numbers) == 2:
            cells[int(numbers[0]), int(numbers[1])] = value.replace("\r\n", "\n")
        elif what == "drop" and len(numbers) == 1:
            dropped.append(int(numbers[0]))
    return grid.corrected(headings, cells, dropped)
