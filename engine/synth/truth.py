"""The exact dose-volume relation of a stack of contours in a linear dose field, in closed form.

The body is the contour stack itself (polygons times slabs with half slabs at both ends), so what is
compared is the engine's own error and not what contouring loses. Nothing here uses the engine's
coverage, nesting or histogram code: areas beyond a line come from Green's theorem over the edges,
volumes beyond a plane from its integral.
"""

from abc import ABC, abstractmethod
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


class Truth(ABC):
    """Exact answers about one body in one dose."""

    volume_mm3: float

    @property
    @abstractmethod
    def mean_gy(self) -> float:
        """Mean dose."""

    @property
    @abstractmethod
    def range_gy(self) -> tuple[float, float]:
        """Least and greatest dose."""

    @abstractmethod
    def volume_at(self, dose_gy: float) -> float:
        """Return the exact volume (mm3) that receives at least a dose."""

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

    def figure(self, metric: str) -> float:
        """Return the exact answer to a metric, in the metric's own unit (percentages for V%)."""
        low, high = self.range_gy
        plain = {"Dmean": self.mean_gy, "Dmin": low, "Dmax": high}
        if metric in plain:
            return plain[metric]
        if metric == "HI":
            return (self.figure("D2%") - self.figure("D98%")) / self.figure("D50%")
        if metric.startswith("V"):
            share = 1 / 1000 if metric.endswith("cc") else 100 / self.volume_mm3
            return self.volume_at(float(metric[1:].split("Gy")[0])) * share
        size = float(metric[1:].removesuffix("%").removesuffix("cc"))
        return self.dose_to(size * 1000 if metric.endswith("cc") else size / 100 * self.volume_mm3)


class StackTruth(Truth):
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
        across = np.array([-along[1], along[0]])
        z = np.array([layer.z_mm for layer in stack.layers])
        middles = 0.5 * (z[1:] + z[:-1])
        self._low = np.concatenate([[z[0] - 0.5 * (z[1] - z[0])], middles])
        self._high = np.concatenate([middles, [z[-1] + 0.5 * (z[-1] - z[-2])]])
        self._area = np.zeros(z.size)
        self._moment = np.zeros((z.size, 2))
        u0, u1, de, slab = [], [], [], []
        for index, layer in enumerate(stack.layers):
            for ring in layer.rings:
                start = ring.points_mm
                end = np.roll(start, -1, axis=0)
                cross = start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]
                turn = ring.sign * np.sign(cross.sum())
                self._area[index] += turn * 0.5 * cross.sum()
                self._moment[index] += turn * ((start + end) * cross[:, None]).sum(axis=0) / 6
                u0.append(start @ along)
                u1.append(end @ along)
                de.append(turn * ((end - start) @ across))
                slab.append(np.full(len(start), index))
        self._u0, self._u1, self._de = (np.concatenate(parts) for parts in (u0, u1, de))
        self._slab = np.concatenate(slab)
        self.volume_mm3 = float(np.dot(self._area, self._high - self._low))

    @property
    def mean_gy(self) -> float:
        """Mean dose: the dose at the centroid."""
        in_plane = (self._high - self._low) @ self._moment
        upwards = np.dot(self._area, self._high**2 - self._low**2) / 2
        centroid = np.array([*in_plane, upwards]) / self.volume_mm3
        return self.field.at_origin_gy + float(np.dot(self.field.gradient, centroid))

    def volume_at(self, dose_gy: float) -> float:
        """Return the exact volume (mm3) that receives at least a dose."""
        above = dose_gy - self.field.at_origin_gy
        if self._q == 0.0:
            cut = above / self._gz
            part = self._high - cut if self._gz > 0 else cut - self._low
            height = np.clip(part, 0.0, self._high - self._low)
            return float(np.dot(self._area, height))
        low, high = self._low[self._slab], self._high[self._slab]
        if self._gz == 0.0:
            s = above / self._q
            beyond = _mean_above(self._u0 - s, self._u1 - s, 1)
            return float(np.dot(beyond * self._de, high - low))
        ends = [(above - self._gz * z) / self._q for z in (low, high)]
        near, far = np.minimum(*ends), np.maximum(*ends)
        beyond = _mean_above(self._u0 - near, self._u1 - near, 2)
        beyond = beyond - _mean_above(self._u0 - far, self._u1 - far, 2)
        return self._q / abs(self._gz) * float(np.dot(beyond, self._de))

    @property
    def range_gy(self) -> tuple[float, float]:
        """Least and greatest dose of the body."""
        heights = np.stack([self._low[self._slab], self._high[self._slab]])
        values = self.field.at_origin_gy + self._q * self._u0 + self._gz * heights
        return float(values.min()), float(values.max())
