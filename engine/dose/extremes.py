"""The least and the greatest dose of a body: exact for the trilinear field.

At one place in the plane the field is straight in z between dose planes, so both lie at a dose
plane or at an end of a span. At one height the field is bilinear in each voxel and has no peak or
trough within it: both lie at a dose point inside the section or on the section's edge, and there at
a corner, where the edge crosses a line of dose points, or where the field turns along the edge.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from engine.dicom.objects import Floats
from engine.dose.coverage import Edges, cut_at_lines, edges_of
from engine.dose.sampling import Window
from engine.dose.slabs import Body, Span


def _heights(spans: list[Span], z_mm: Floats) -> Floats:
    """Return the ends of the spans and the dose planes they hold, where there is dose."""
    found: set[float] = set()
    for span in spans:
        low, high = max(span.low_mm, z_mm[0]), min(span.high_mm, z_mm[-1])
        if low < high:
            found.update((low, high, *z_mm[(z_mm > low) & (z_mm < high)]))
    return np.array(sorted(found))


def _levels(window: Window, heights: Floats) -> Floats:
    """Return the dose of the window's dose points at some heights, shape (height, row, column)."""
    z = window.z_mm
    below = np.clip(np.searchsorted(z, heights, side="right") - 1, 0, z.size - 2)
    share = ((heights - z[below]) / (z[below + 1] - z[below]))[:, None, None]
    return (1 - share) * window.nodes[below] + share * window.nodes[below + 1]


def dose_points_inside(edges: Edges, rows: int, columns: int) -> NDArray[np.bool_]:
    """Return which whole-numbered points (row, column) lie inside properly nested rings.

    Rings wind once around what they hold: a point is inside when the edges to its right rise once
    more than they fall. A point on an edge may come out either way.
    """
    first = np.ceil(np.minimum(edges.y0, edges.y1)).astype(np.int64)
    past = np.ceil(np.maximum(edges.y0, edges.y1)).astype(np.int64)
    crossed = past - first
    edge = np.repeat(np.arange(crossed.size), crossed)
    row = np.arange(edge.size) - np.repeat(np.cumsum(crossed) - crossed - first, crossed)
    share = (row - edges.y0[edge]) / (edges.y1 - edges.y0)[edge]
    x = edges.x0[edge] + share * (edges.x1 - edges.x0)[edge]
    last_left = np.minimum(np.ceil(x).astype(np.int64) - 1, columns - 1)
    seen = (row >= 0) & (row < rows) & (last_left >= 0)
    turns = np.bincount(
        (row * columns + last_left)[seen], np.sign(edges.y1 - edges.y0)[edge][seen], rows * columns
    )
    winding = np.cumsum(turns.reshape(rows, columns)[:, ::-1], axis=1)[:, ::-1]
    return winding > 0.5


def _along(edges: Edges, levels: Floats) -> Floats:
    """Return the dose at both ends of each piece of edge and where it turns between them."""
    column = np.floor(0.5 * (edges.x0 + edges.x1)).astype(np.int64)
    row = np.floor(0.5 * (edges.y0 + edges.y1)).astype(np.int64)
    _, rows, columns = levels.shape
    seen = (column >= 0) & (column < columns - 1) & (row >= 0) & (row < rows - 1)
    column, row = column[seen], row[seen]
    u, v = edges.x0[seen] - column, edges.y0[seen] - row
    du, dv = (edges.x1 - edges.x0)[seen], (edges.y1 - edges.y0)[seen]
    corner = levels[:, row, column]
    along_u, along_v = levels[:, row, column + 1] - corner, levels[:, row + 1, column] - corner
    twist = levels[:, row + 1, column + 1] - corner - along_u - along_v
    # Dose along the piece: start + slope t + bend t^2, t from 0 to 1.
    start = corner + along_u * u + along_v * v + twist * u * v
    slope = along_u * du + along_v * dv + twist * (u * dv + v * du)
    bend = twist * du * dv
    turn = np.divide(-slope, 2 * bend, out=np.zeros_like(bend), where=bend != 0.0)
    turn = np.clip(turn, 0.0, 1.0)
    return np.concatenate([start, start + slope + bend, start + turn * (slope + turn * bend)])


def extremes(body: Body, window: Window) -> tuple[float, float]:
    """Return the least and the greatest dose of a body, where it has dose.

    Parameters
    ----------
    body
        The structure as reconstructed; a span counts up to its ends, whatever its weight there.
    window
        The dose around it.

    Returns
    -------
    tuple of float
        In gray; infinite the wrong way round when the body and the window have nothing in common.
    """
    spans = defaultdict(list)
    for span in body.spans:
        spans[span.section].append(span)
    origin = np.array([window.x0 + window.i0 * window.dx, window.y0 + window.j0 * window.dy])
    size = np.array([window.dx, window.dy])
    low, high = np.inf, -np.inf
    for section, held in spans.items():
        heights = _heights(held, window.z_mm)
        edges = edges_of([[(ring - origin) / size for ring in body.sections[section].rings]])
        levels = _levels(window, heights)
        inside = dose_points_inside(edges, *levels.shape[1:])
        for found in (levels[:, inside], _along(cut_at_lines(edges), levels)):
            if found.size:
                low, high = min(low, float(found.min())), max(high, float(found.max()))
    return low, high
