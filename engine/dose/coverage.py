"""Exact coverage of the cells of a regular grid by polygons, with its first and second moments.

Every edge is cut at the grid lines; each piece adds the area to its right within its own cell and
the height it spans to all cells further right (signed-area accumulation). No sample point and no
refined grid is involved. The same accumulation with powers of x and y under the integral gives the
centroid and the variance of the covered part of each cell; two Gauss points per piece integrate
these polynomials of third degree exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.dicom.objects import Floats

Integers = NDArray[np.int64]

NEGLIGIBLE_AREA = 1e-9
"""Share of a cell below which rounding of the accumulation and coverage cannot be told apart."""
GAUSS = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))


@dataclass(frozen=True, eq=False)
class Covered:
    """The cells that polygons cover, in cell units; one row per covered cell.

    ``x`` and ``y`` are the centroid of the covered part, counted from the cell's lower corner;
    ``var_x``, ``var_y`` and ``cov_xy`` its second central moments.
    """

    section: Integers
    row: Integers
    column: Integers
    area: Floats
    x: Floats
    y: Floats
    var_x: Floats
    var_y: Floats
    cov_xy: Floats


@dataclass(frozen=True, eq=False)
class Edges:
    """Directed edges of closed rings in cell units, each with the section it belongs to."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    section: Integers


def edges_of(sections: Sequence[Sequence[Floats]]) -> Edges:
    """Collect the edges of many sections of rings, already in cell units."""
    starts = [ring for rings in sections for ring in rings]
    ends = [np.concatenate([ring[1:], ring[:1]]) for ring in starts]
    counts = [sum(len(ring) for ring in rings) for rings in sections]
    first, second = np.concatenate(starts), np.concatenate(ends)
    section = np.repeat(np.arange(len(sections)), counts)
    return Edges(first[:, 0], first[:, 1], second[:, 0], second[:, 1], section)


def _cut(
    along: tuple[Floats, Floats], across: tuple[Floats, Floats], section: Integers
) -> tuple[Floats, Floats, Floats, Floats, Integers]:
    """Cut edges at the whole numbers of their ``along`` coordinate.

    Pieces come in the direction of their edge, so no sorting is needed; neighbouring pieces share
    their end point to the last bit, so rings stay closed.
    """
    a0, a1 = along
    b0, b1 = across
    rising = a1 >= a0
    low, high = np.minimum(a0, a1), np.maximum(a0, a1)
    first_line = np.floor(low) + 1.0
    cuts = np.maximum(np.ceil(high) - first_line, 0.0).astype(np.int64)
    pieces = cuts + 1
    edge = np.repeat(np.arange(a0.size), pieces)
    ends = np.cumsum(pieces)
    step = np.arange(edge.size) - np.repeat(ends - pieces, pieces)

    last_line = first_line + cuts - 1
    start_line = np.where(rising, first_line, last_line)[edge]
    direction = np.where(rising, 1.0, -1.0)[edge]
    cut_at = start_line + direction * step  # the line this piece ends on, unless it is the last
    is_last = step == cuts[edge]
    span = a1 - a0
    slope = np.divide(b1 - b0, span, out=np.zeros_like(span), where=span != 0.0)
    a_end = np.where(is_last, a1[edge], cut_at)
    b_end = np.where(is_last, b1[edge], b0[edge] + slope[edge] * (cut_at - a0[edge]))
    a_start, b_start = np.empty_like(a_end), np.empty_like(b_end)
    a_start[1:], b_start[1:] = a_end[:-1], b_end[:-1]
    is_first = step == 0
    a_start[is_first], b_start[is_first] = a0, b0
    return a_start, b_start, a_end, b_end, section[edge]


def cut_at_lines(edges: Edges) -> Edges:
    """Cut edges at the lines of the grid, so that each piece lies in one cell."""
    y0, x0, y1, x1, section = _cut((edges.y0, edges.y1), (edges.x0, edges.x1), edges.section)
    return Edges(*_cut((x0, x1), (y0, y1), section))


def cover(edges: Edges, sections: int, rows: int, columns: int) -> Covered:
    """Return the cells of a ``rows`` x ``columns`` grid that each section covers.

    All edges must lie inside the grid. Rings add where they run counter-clockwise and take away
    where they run clockwise, so covered areas are between 0 and 1 for properly nested rings.
    """
    pieces = cut_at_lines(edges)
    x0, y0, x1, y1, section = pieces.x0, pieces.y0, pieces.x1, pieces.y1, pieces.section
    height = y0 - y1  # positive on a left border, where the covered part begins
    # Pieces of no height add nothing, but the cells they run through are only partly covered.
    column = np.clip(np.floor(0.5 * (x0 + x1)).astype(np.int64), 0, columns - 1)
    row = np.clip(np.floor(0.5 * (y0 + y1)).astype(np.int64), 0, rows - 1)
    cell = (section * rows + row) * columns + column
    x0, x1, y0, y1 = x0 - column, x1 - column, y0 - row, y1 - row

    size = sections * rows * columns
    touched = np.zeros(size, bool)
    touched[cell] = True
    slot = (np.cumsum(touched) - 1)[cell]
    border = int(slot.max()) + 1 if slot.size else 0
    own = {name: np.zeros(border) for name in ("a", "x", "y", "xx", "yy", "xy")}
    carry_y = np.zeros(size)
    carry_yy = np.zeros(size)
    for share in GAUSS:
        u, v, half = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, 0.5 * height
        right, right2 = half * (1 - u), half * (1 - u * u) / 2
        own["a"] += np.bincount(slot, right, border)
        own["x"] += np.bincount(slot, right2, border)
        own["xx"] += np.bincount(slot, half * (1 - u * u * u) / 3, border)
        own["y"] += np.bincount(slot, v * right, border)
        own["xy"] += np.bincount(slot, v * right2, border)
        own["yy"] += np.bincount(slot, v * v * right, border)
        carry_y += np.bincount(cell, half * v, size)
        carry_yy += np.bincount(cell, half * v * v, size)
    carry = _carried(np.bincount(cell, height, size).astype(np.float64), columns)
    area = carry.copy()
    area[touched] += own["a"]
    covered = np.flatnonzero(area > NEGLIGIBLE_AREA)
    on_border = touched[covered]
    which = (np.cumsum(touched) - 1)[covered[on_border]]
    at = covered[on_border]
    moments = _central(
        {name: values[which] for name, values in own.items()},
        carry[at],
        _carried(carry_y, columns)[at],
        _carried(carry_yy, columns)[at],
    )
    filled = [np.full(covered.size, value) for value in (0.5, 0.5, 1 / 12, 1 / 12, 0.0)]
    for whole, part in zip(filled, moments, strict=True):
        whole[on_border] = part
    place, column = np.divmod(covered, columns)
    section, row = np.divmod(place, rows)
    return Covered(section, row, column, area[covered], *filled)


def _carried(values: Floats, columns: int) -> Floats:
    """Return for each cell what the cells left of it in its row hand on."""
    rows = values.reshape(-1, columns)
    return (np.cumsum(rows, axis=1) - rows).ravel()


def _central(
    own: dict[str, Floats], carry: Floats, carry_y: Floats, carry_yy: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Turn raw moments of border cells into centroid and central second moments."""
    area = own["a"] + carry
    x = np.clip((own["x"] + carry / 2) / area, 0.0, 1.0)
    y = np.clip((own["y"] + carry_y) / area, 0.0, 1.0)
    var_x = np.maximum((own["xx"] + carry / 3) / area - x * x, 0.0)
    var_y = np.maximum((own["yy"] + carry_yy) / area - y * y, 0.0)
    reach = np.sqrt(var_x * var_y)
    cov_xy = np.clip((own["xy"] + carry_y / 2) / area - x * y, -reach, reach)
    return x, y, var_x, var_y, cov_xy
