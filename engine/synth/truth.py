"""The exact dose-volume relation of a stack of contours in a linear dose field, in closed form.

The body is the contour stack itself (polygons times slabs with half slabs at both ends), so what is
compared is the engine's own error and not what contouring loses. Nothing here uses the engine's
coverage, nesting or histogram code: areas beyond a line come from Green's theorem over the edges,
volumes beyond a plane from its integral.
"""

from dataclasses import dataclass

import numpy as np

from engine.dicom.objects import Floats
from engine.synth.shapes import Stack


@dataclass(frozen=True)
class LinearField:
    """Dose ``at_origin_gy + gradient . (x, y, z)``; gradient in Gy/mm."""

    at_origin_gy: float
    gradient: tuple[float, float, float]

    @property
    def steepness(self) -> float:
        """Length of the gradient in Gy/mm."""
        return float(np.linalg.norm(self.gradient))


def _mean_above(start: Floats, end: Floats, power: int) -> Floats:
    """Return the mean over an edge of (w+)^power / power!, w going linearly from start to end."""
    high, low = np.maximum(start, end), np.minimum(start, end)
    if power == 1:
        both = 0.5 * (high + low)
        part = np.square(np.maximum(high, 0.0)) / 2
    else:
        both = (high * high + high * low + low * low) / 6
        part = np.maximum(high, 0.0) ** 3 / 6
    span = np.where(high > low, high - low, 1.0)
    return np.where(low >= 0.0, both, np.where(high <= 0.0, 0.0, part / span))


@dataclass(frozen=True, eq=False)
class _Slab:
    low_mm: float
    high_mm: float
    area_mm2: float
    moment: Floats  # integral of x and of y over the area
    u0: Floats
    u1: Floats
    de: Floats


class StackTruth:
    """Exact volume, mean dose, V and D of a contour stack in a linear field.

    Parameters
    ----------
    stack
        The shape, with at least two planes.
    field
        The dose.
    """

    def __init__(self, stack: Stack, field: LinearField) -> None:
        self.field = field
        gx, gy, self._gz = field.gradient
        self._q = float(np.hypot(gx, gy))
        along = np.array([gx, gy]) / self._q if self._q else np.array([1.0, 0.0])
        z = np.array([layer.z_mm for layer in stack.layers])
        middles = 0.5 * (z[1:] + z[:-1])
        lows = np.concatenate([[z[0] - 0.5 * (z[1] - z[0])], middles])
        highs = np.concatenate([middles, [z[-1] + 0.5 * (z[-1] - z[-2])]])
        self._slabs = [
            self._slab(stack, index, float(low), float(high), along)
            for index, (low, high) in enumerate(zip(lows, highs, strict=True))
        ]
        self.volume_mm3 = sum(s.area_mm2 * (s.high_mm - s.low_mm) for s in self._slabs)

    @staticmethod
    def _slab(stack: Stack, index: int, low: float, high: float, along: Floats) -> _Slab:
        u0, u1, de = [], [], []
        area, moment = 0.0, np.zeros(2)
        for ring in stack.layers[index].rings:
            start = ring.points_mm
            end = np.roll(start, -1, axis=0)
            cross = start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]
            turn = ring.sign * np.sign(cross.sum())
            area += turn * 0.5 * cross.sum()
            moment = moment + turn * ((start + end) * cross[:, None]).sum(axis=0) / 6
            u0.append(start @ along)
            u1.append(end @ along)
            de.append(turn * ((end - start) @ np.array([-along[1], along[0]])))
        return _Slab(
            low,
            high,
            float(area),
            moment,
            np.concatenate(u0),
            np.concatenate(u1),
            np.concatenate(de),
        )

    @property
    def mean_gy(self) -> float:
        """Mean dose: the dose at the centroid."""
        total = np.zeros(3)
        for slab in self._slabs:
            height = slab.high_mm - slab.low_mm
            total[:2] += slab.moment * height
            total[2] += slab.area_mm2 * 0.5 * (slab.high_mm**2 - slab.low_mm**2)
        centroid = total / self.volume_mm3
        return self.field.at_origin_gy + float(np.dot(self.field.gradient, centroid))

    def volume_at(self, dose_gy: float) -> float:
        """Return the exact volume (mm3) that receives at least a dose."""
        above = dose_gy - self.field.at_origin_gy
        volume = 0.0
        for slab in self._slabs:
            height = slab.high_mm - slab.low_mm
            if self._q == 0.0:
                cut = above / self._gz
                part = slab.high_mm - cut if self._gz > 0 else cut - slab.low_mm
                volume += slab.area_mm2 * min(max(part, 0.0), height)
            elif self._gz == 0.0:
                s = above / self._q
                volume += height * float(np.dot(_mean_above(slab.u0 - s, slab.u1 - s, 1), slab.de))
            else:
                ends = [(above - self._gz * z) / self._q for z in (slab.low_mm, slab.high_mm)]
                low, high = min(ends), max(ends)
                inner = _mean_above(slab.u0 - low, slab.u1 - low, 2)
                inner = inner - _mean_above(slab.u0 - high, slab.u1 - high, 2)
                volume += self._q / abs(self._gz) * float(np.dot(inner, slab.de))
        return volume

    @property
    def range_gy(self) -> tuple[float, float]:
        """Least and greatest dose of the body."""
        low, high = np.inf, -np.inf
        for slab in self._slabs:
            plane = self._q * np.concatenate([slab.u0, slab.u1])
            for z in (slab.low_mm, slab.high_mm):
                values = self.field.at_origin_gy + plane + self._gz * z
                low, high = min(low, float(values.min())), max(high, float(values.max()))
        return low, high

    def dose_to(self, volume_mm3: float) -> float:
        """Return the dose that exactly ``volume_mm3`` receives, by bisection to 1e-9 Gy."""
        low, high = self.range_gy
        while high - low > 1e-9:
            middle = 0.5 * (low + high)
            if self.volume_at(middle) >= volume_mm3:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)
