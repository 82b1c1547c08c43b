"""Phantoms in curved doses, with exact answers for the dose as it is interpolated.

Boxes: a dose that is the sum of one curve along each axis interpolates to the sum of their
straight-line pieces. Between dose points it is linear, and the part of a block that receives at
least a dose is the block cut by a plane. A diamond: the saddle x y is its own interpolation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from engine.dicom.objects import Floats
from engine.synth.phantoms import CENTRE_GY, Phantom, dose_points
from engine.synth.shapes import Stack, box, diamond
from engine.synth.truth import Truth

Curve = Callable[[Floats], Floats]

LEVEL = 1e-9
"""A slope below this share of the steepest one in a block counts as none."""
SADDLE = 0.1
"""Twist of the saddle in Gy/mm2."""
DIAMOND_MM = 13.3


def _dome(mm: Floats) -> Floats:
    """Return a peak near, but not on, most dose points."""
    return 20.0 * np.exp(-((mm - 0.7) ** 2) / 200.0)


def _bowl(mm: Floats) -> Floats:
    return 0.02 * (mm - 1.3) ** 2


def _ripple(mm: Floats) -> Floats:
    """Return waves shorter than any dose grid resolves, as the noise of a Monte Carlo dose is."""
    return 0.5 * np.sin(2.9 * mm) + 0.3 * np.sin(7.7 * mm + 1.0)


CURVES: dict[str, Curve] = {"dome": _dome, "bowl": _bowl, "ripple": _ripple}


@dataclass(frozen=True, eq=False)
class _Pieces:
    """A curve between two ends as straight pieces: their lengths and the values at their ends."""

    length: Floats
    start: Floats
    end: Floats


def _straight(points_mm: Floats, curve: Curve, low: float, high: float) -> _Pieces:
    within = points_mm[(points_mm > low) & (points_mm < high)]
    at = np.concatenate([[low], within, [high]])
    values = np.interp(at, points_mm, curve(points_mm))
    return _Pieces(np.diff(at), values[:-1], values[1:])


def _share_below(room: Floats, slopes: Floats) -> Floats:
    """Return the share of unit cubes where slopes . (u, v, w) < room; slopes (n, 3), not negative.

    The corners of the cut corner piece are added and taken away in turn; a level axis is left out.
    """
    steep = slopes > LEVEL * slopes.max(axis=1, keepdims=True)
    total = np.zeros(len(room))
    for chosen in product((0, 1), repeat=3):
        corner = np.array(chosen)
        counted = np.all(steep | (corner == 0), axis=1)
        power = steep.sum(axis=1)
        rest = np.maximum(room - slopes @ corner, 0.0) ** power
        total += np.where(counted, (-1) ** corner.sum() * rest, 0.0)
    scale = np.prod(np.where(steep, slopes, 1.0), axis=1)
    share: Floats = total / (scale * np.array([1.0, 1.0, 2.0, 6.0])[steep.sum(axis=1)])
    return share


class BoxTruth(Truth):
    """Exact answers of a box in a sum of curves sampled at dose points."""

    def __init__(
        self, points_mm: tuple[Floats, ...], curve: Curve, sides: tuple[tuple[float, float], ...]
    ) -> None:
        axes = [
            _straight(points, curve, *side) for points, side in zip(points_mm, sides, strict=True)
        ]
        self.volume_mm3 = float(np.prod([high - low for low, high in sides]))
        self._mean = CENTRE_GY
        for axis in axes:
            self._mean += float(np.average((axis.start + axis.end) / 2, weights=axis.length))
        blocks = np.stack(
            np.meshgrid(*(np.arange(axis.length.size) for axis in axes), indexing="ij"), axis=-1
        ).reshape(-1, 3)
        taken = [(axis, blocks[:, i]) for i, axis in enumerate(axes)]
        self._volumes = np.prod([axis.length[k] for axis, k in taken], axis=0)
        lower = [np.minimum(axis.start, axis.end)[k] for axis, k in taken]
        rises = [np.abs(axis.end - axis.start)[k] for axis, k in taken]
        self._least = CENTRE_GY + np.sum(lower, axis=0)
        self._slopes = np.stack(rises, axis=1)

    @property
    def mean_gy(self) -> float:
        """Mean dose: the sum of the curves' own means."""
        return self._mean

    @property
    def range_gy(self) -> tuple[float, float]:
        """Least and greatest dose."""
        most = self._least + self._slopes.sum(axis=1)
        return float(self._least.min()), float(most.max())

    def volume_at(self, dose_gy: float) -> float:
        """Return the exact volume (mm3) that receives at least a dose."""
        room = dose_gy - self._least
        reach = self._slopes.sum(axis=1)
        share = np.where(room >= reach, 1.0, 0.0)
        cut = (room > 0.0) & (room < reach)
        share[cut] = _share_below(room[cut], self._slopes[cut])
        return float(np.dot(self._volumes, 1 - share))


class SaddleTruth(Truth):
    """Exact answers of a diamond |x| + |y| <= r in the saddle ``CENTRE_GY`` + ``SADDLE`` x y."""

    def __init__(self, r: float, height: float) -> None:
        self._r, self._height = r, height
        self.volume_mm3 = 2 * r * r * height

    @property
    def mean_gy(self) -> float:
        """Mean dose: that of the centre, by symmetry."""
        return CENTRE_GY

    @property
    def range_gy(self) -> tuple[float, float]:
        """Least and greatest dose: half way along the slanted edges."""
        reach = SADDLE * self._r**2 / 4
        return CENTRE_GY - reach, CENTRE_GY + reach

    def volume_at(self, dose_gy: float) -> float:
        """Return the exact volume (mm3) that receives at least a dose, between hyperbolas."""
        level = abs(dose_gy - CENTRE_GY) / SADDLE
        root = self._r**2 - 4 * level
        if root <= 0.0:
            beyond = 0.0
        elif level == 0.0:
            beyond = self.volume_mm3 / 2
        else:
            near, far = (self._r - np.sqrt(root)) / 2, (self._r + np.sqrt(root)) / 2
            under = self._r * (far - near) - (far**2 - near**2) / 2
            beyond = 2 * self._height * (under - level * np.log(far / near))
        return float(beyond if dose_gy >= CENTRE_GY else self.volume_mm3 - beyond)


@dataclass(frozen=True, eq=False)
class CurvedPhantom(Phantom):
    """A box or a diamond in a curved dose; ``curve`` is one of ``CURVES`` or ``saddle``."""

    curve: str

    @property
    def name(self) -> str:
        """Shape, dose and grid in words."""
        return f"{self.stack.name} in a {self.curve}, {self.spacing_mm:g} mm grid"

    @property
    def dose_gy(self) -> Floats:
        """Dose at the dose points, shape (z, y, x)."""
        if self.curve == "saddle":
            plane = CENTRE_GY + SADDLE * self.y_mm[:, None] * self.x_mm[None, :]
            return np.repeat(plane[None], self.z_mm.size, axis=0)
        x, y, z = (CURVES[self.curve](axis) for axis in (self.x_mm, self.y_mm, self.z_mm))
        values: Floats = CENTRE_GY + z[:, None, None] + y[None, :, None] + x[None, None, :]
        return values

    @cached_property
    def truth(self) -> Truth:
        """The exact answers."""
        low, high = self.stack.ends_mm
        if self.curve == "saddle":
            return SaddleTruth(DIAMOND_MM, high - low)
        corners = self.stack.points_mm
        x, y = zip(corners.min(axis=0), corners.max(axis=0), strict=True)
        sides = ((float(x[0]), float(x[1])), (float(y[0]), float(y[1])), (low, high))
        return BoxTruth((self.x_mm, self.y_mm, self.z_mm), CURVES[self.curve], sides)


def _curved(stack: Stack, curve: str, spacing_mm: float, shift: float) -> CurvedPhantom:
    axes = dose_points(stack, spacing_mm, (shift, shift / 2, 1 - shift))
    return CurvedPhantom(stack, spacing_mm, *axes, curve)


def curved_phantoms(spacing_mm: float, shift: float = 0.0) -> tuple[CurvedPhantom, ...]:
    """Return a box in each curve and a diamond in the saddle, on one dose grid.

    Parameters
    ----------
    spacing_mm
        Distance of the dose points.
    shift
        Where the dose points lie relative to the shapes, as share of the spacing.
    """
    brick, rhomb = box(15.4, 12.6, 14.0, 1.0), diamond(DIAMOND_MM, 18.0, 3.0)
    boxes = [_curved(brick, curve, spacing_mm, shift) for curve in CURVES]
    return (*boxes, _curved(rhomb, "saddle", spacing_mm, shift))
