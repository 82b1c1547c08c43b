"""Sample the trilinear dose field over a body, cell by cell, with the dose each cell spans.

Sampling cells are whole fractions (or multiples) of the dose spacing and lie on the lines of the
dose grid, so that within a cell and a piece of a span the trilinear field is one polynomial. With
the exact moments of the covered part, the mean dose of every cell is exact for that field.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.dicom.objects import Floats, RTDose
from engine.dose.coverage import Covered, Edges, cover, edges_of
from engine.dose.rings import Plane
from engine.dose.slabs import Body, Pieces, cut_spans

CELLS_AT_ONCE = 100_000
"""Cells held at a time: a few arrays of this size stay in the cache and bound the memory."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Sampled cells: weight in mm3, mean dose, dose width and gradient (Gy/mm) of each.

    ``width_gy`` is that of the uniform distribution with the variance of the dose in the cell.
    """

    volume_mm3: Floats
    dose_gy: Floats
    width_gy: Floats
    gradient: Floats


@dataclass(frozen=True)
class Lattice:
    """Sampling cells in the plane, as fraction ``step`` of the dose spacing, over a window."""

    step: float
    left: int
    lower: int
    columns: int
    rows: int


@dataclass(frozen=True, eq=False)
class Window:
    """The part of a dose grid around a body: voxels [j0, j1) x [i0, i1) between dose points."""

    x0: float
    y0: float
    dx: float
    dy: float
    i0: int
    i1: int
    j0: int
    j1: int
    z_mm: Floats
    nodes: Floats


def _extent(planes: Sequence[Plane]) -> tuple[Floats, Floats]:
    points = np.concatenate([ring for plane in planes for ring in plane.rings])
    return points.min(axis=0), points.max(axis=0)


def open_window(dose: RTDose, body: Body) -> Window | None:
    """Cut the dose around a body; None when they have nothing in common."""
    low, high = _extent(body.sections)
    _, dy, dx = dose.grid.spacing_mm
    x0, y0 = float(dose.grid.x_mm[0]), float(dose.grid.y_mm[0])
    rows, columns = dose.grid.y_mm.size, dose.grid.x_mm.size
    i0 = max(0, int(np.floor((low[0] - x0) / dx)))
    i1 = min(columns - 1, int(np.floor((high[0] - x0) / dx)) + 1)
    j0 = max(0, int(np.floor((low[1] - y0) / dy)))
    j1 = min(rows - 1, int(np.floor((high[1] - y0) / dy)) + 1)
    if i0 >= i1 or j0 >= j1:
        return None
    nodes = dose.dose_gy[:, j0 : j1 + 1, i0 : i1 + 1]
    return Window(x0, y0, dx, dy, i0, i1, j0, j1, dose.grid.z_mm, nodes)


def lay_lattice(window: Window, body: Body, step: float) -> Lattice:
    """Lay cells of ``step`` times the dose spacing over the whole body."""
    low, high = _extent(body.sections)
    left = int(np.floor((low[0] - window.x0) / (window.dx * step)))
    right = int(np.floor((high[0] - window.x0) / (window.dx * step))) + 1
    lower = int(np.floor((low[1] - window.y0) / (window.dy * step)))
    upper = int(np.floor((high[1] - window.y0) / (window.dy * step))) + 1
    return Lattice(step, left, lower, right - left, upper - lower)


def _edges(sections: Sequence[Plane], window: Window, lattice: Lattice) -> Edges:
    origin = np.array([window.x0, window.y0])
    size = np.array([window.dx, window.dy]) * lattice.step
    corner = np.array([lattice.left, lattice.lower])
    return edges_of([[(r - origin) / size - corner for r in p.rings] for p in sections])


@dataclass(frozen=True, eq=False)
class _Place:
    """The pieces of a body and the first of its sections that a batch holds."""

    pieces: Pieces
    section: int


class Field:
    """The dose polynomials of a window; remembers the last heights asked for.

    Two sampling spacings walked side by side mostly ask for the same heights one after the other.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._z_mm: Floats = np.zeros(0)
        self._found: tuple[Floats, ...] = ()

    def at(self, z_mm: Floats) -> tuple[Floats, ...]:
        """Return `_coefficients` at some heights."""
        if not self._found or not np.array_equal(z_mm, self._z_mm):
            self._z_mm, self._found = z_mm, _coefficients(self._window, z_mm)
        return self._found


def _coefficients(window: Window, z_mm: Floats) -> tuple[Floats, ...]:
    """Return the polynomial of the dose in every voxel at the heights of some pieces.

    Mean of the four corners, slopes along x and y and their product term, all per voxel, and the
    slope along z in Gy/mm; each of shape (piece, voxel row, voxel column).
    """
    z = window.z_mm
    level = np.clip(np.searchsorted(z, z_mm, side="right") - 1, 0, z.size - 2)
    gap = (z[level + 1] - z[level])[:, None, None]
    share = ((z_mm - z[level])[:, None, None]) / gap
    below, above = window.nodes[level], window.nodes[level + 1]
    slope = (above - below) / gap
    here = below + (above - below) * share
    c00, c01 = here[:, :-1, :-1], here[:, :-1, 1:]
    c10, c11 = here[:, 1:, :-1], here[:, 1:, 1:]
    low, high = c00 + c01, c10 + c11
    mean = 0.25 * (low + high)
    along_x = 0.5 * (c01 - c00 + c11 - c10)
    along_y = 0.5 * (high - low)
    product = c11 - c10 - c01 + c00
    rows = slope[:, :-1] + slope[:, 1:]
    along_z = 0.25 * (rows[:, :, :-1] + rows[:, :, 1:])
    return mean, along_x, along_y, product, along_z


def _sample(
    covered: Covered, place: _Place, window: Window, lattice: Lattice, field: Field
) -> tuple[Samples, float]:
    """Sample the covered cells of consecutive sections; also return the volume without dose."""
    if not covered.area.size:
        return Samples(*(np.zeros(0) for _ in range(4))), 0.0
    pieces = place.pieces
    sections = np.arange(place.section, place.section + int(covered.section.max()) + 2)
    bounds = np.searchsorted(pieces.section, sections)
    first, count = bounds[:-1][covered.section], np.diff(bounds)[covered.section]
    cell = np.repeat(np.arange(count.size), count)
    ends = np.cumsum(count)
    piece = first[cell] + np.arange(cell.size) - (ends - count)[cell]

    step = lattice.step
    x = (lattice.left + covered.column + covered.x) * step
    y = (lattice.lower + covered.row + covered.y) * step
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    inside_plane = (
        (column >= window.i0) & (column < window.i1) & (row >= window.j0) & (row < window.j1)
    )
    inside_z = (pieces.z_mm >= window.z_mm[0]) & (pieces.z_mm <= window.z_mm[-1])
    weight = covered.area * (window.dx * window.dy * step * step)
    volume = weight[cell] * pieces.length_mm[piece]
    inside = inside_plane[cell] & inside_z[piece]
    missing = float(np.sum(volume[~inside])) if not inside.all() else 0.0
    if missing:
        cell, piece, volume = cell[inside], piece[inside], volume[inside]
    if not cell.size:
        return Samples(*(np.zeros(0) for _ in range(4))), missing

    low, high = int(piece.min()), int(piece.max()) + 1
    mean, along_x, along_y, product, along_z = field.at(pieces.z_mm[low:high])
    columns = window.i1 - window.i0
    voxel = (row - window.j0) * columns + (column - window.i0)
    at = (piece - low) * (columns * (window.j1 - window.j0)) + voxel[cell]
    u, v = (x - column - 0.5)[cell], (y - row - 0.5)[cell]
    cross = product.ravel()[at]
    slope_x, slope_y = along_x.ravel()[at], along_y.ravel()[at]
    covariance = (covered.cov_xy * step * step)[cell]
    dose = mean.ravel()[at] + slope_x * u + slope_y * v + cross * (u * v + covariance)
    slope_x = slope_x + cross * v
    slope_y = slope_y + cross * u
    slope_z = along_z.ravel()[at]
    variance = (
        slope_x * slope_x * (covered.var_x * step * step)[cell]
        + slope_y * slope_y * (covered.var_y * step * step)[cell]
        + 2 * slope_x * slope_y * covariance
        + slope_z * slope_z * pieces.var_z[piece]
    )
    width = np.sqrt(12 * np.maximum(variance, 0.0))
    gradient = np.sqrt((slope_x / window.dx) ** 2 + (slope_y / window.dy) ** 2 + slope_z * slope_z)
    return Samples(volume, dose, width, gradient), missing


def sample_body(
    body: Body, window: Window, steps: tuple[float, ...], thickest_mm: float
) -> Iterator[tuple[tuple[Samples, float], ...]]:
    """Yield samples of a body in batches, each with the volume (mm3) that has no dose.

    Parameters
    ----------
    steps
        Sampling spacings as shares of the dose spacing, the coarsest last; each batch holds the
        same part of the body once per spacing.
    thickest_mm
        Thickness of cells at the coarsest spacing. Thin slabs make thinner ones; a finer spacing
        divides them all the same, so that it is finer in every direction.
    """
    field = Field(window)
    lattices = [lay_lattice(window, body, step) for step in steps]
    layers = [
        cut_spans(body.spans, window.z_mm, thickest_mm, round(steps[-1] / step)) for step in steps
    ]
    per_section = max(1, layers[0].section.size // len(body.sections) + 1)
    cells = lattices[0].rows * lattices[0].columns * per_section
    batch = max(1, CELLS_AT_ONCE // cells)
    for first in range(0, len(body.sections), batch):
        sections = body.sections[first : first + batch]
        found = []
        for lattice, pieces in zip(lattices, layers, strict=True):
            edges = _edges(sections, window, lattice)
            covered = cover(edges, len(sections), lattice.rows, lattice.columns)
            found.append(_sample(covered, _Place(pieces, first), window, lattice, field))
        yield tuple(found)
