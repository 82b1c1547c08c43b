"""Cumulative dose-volume histograms from cells that each span a range of dose."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.dicom.objects import Floats
from engine.dose.sampling import Samples

COARSE_BINS = 512
"""Resolution at which the local dose gradient is known along the dose axis."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A cumulative histogram: ``volume_mm3[k]`` receives at least ``dose_gy[k]``."""

    dose_gy: Floats
    volume_mm3: Floats

    @cached_property
    def _rising(self) -> Floats:
        return -self.volume_mm3

    def volume_at(self, dose_gy: float) -> float:
        """Return the volume (mm3) that receives at least a dose."""
        return float(np.interp(dose_gy, self.dose_gy, self.volume_mm3))

    def dose_to(self, volume_mm3: float) -> float:
        """Return the largest dose that at least ``volume_mm3`` receives.

        Linear between bin edges. Where the curve is level the upper end is taken, so the answer is
        never the lowest bin of a structure that receives more (D95 of 0 Gy).
        """
        falling = self.volume_mm3
        above = int(np.searchsorted(self._rising, -volume_mm3, side="right"))
        if above == 0:
            return float(self.dose_gy[0])
        if above == falling.size:
            return float(self.dose_gy[-1])
        high, low = falling[above - 1], falling[above]
        share = (high - volume_mm3) / (high - low) if high > low else 0.0
        step = self.dose_gy[above] - self.dose_gy[above - 1]
        return float(self.dose_gy[above - 1] + share * step)


class Histogram:
    """Gathers cells, each spread evenly over the dose it spans.

    The volume above every bin edge is exact for such cells: a cell contributes a ramp, and ramps
    are summed through the counts and first moments of their two ends, so no bin rounds anything.
    """

    def __init__(self, lowest_gy: float, highest_gy: float, bins: int) -> None:
        self.low = lowest_gy
        # Equal doses throughout still need a bin of some width.
        self.width = max((highest_gy - lowest_gy) / bins, 1e-9 * max(abs(highest_gy), 1.0))
        self.bins = bins
        self._count = np.zeros(bins)
        self._moment = np.zeros(bins)
        self._gradient = np.zeros((2, COARSE_BINS))
        self.volume = 0.0
        self.dose_volume = 0.0

    def add(self, samples: Samples) -> None:
        """Add a batch of cells."""
        if not samples.volume_mm3.size:
            return
        self.volume += float(samples.volume_mm3.sum())
        # Not a dot product: its threads cost more than they save and add up in their own order.
        self.dose_volume += float((samples.volume_mm3 * samples.dose_gy).sum())
        width = np.maximum(samples.width_gy / self.width, 1.0)
        middle = (samples.dose_gy - self.low) / self.width
        start = np.clip(middle - 0.5 * width, 0.0, self.bins - 1.0)
        end = np.clip(middle + 0.5 * width, start + 1.0, float(self.bins))
        rate = samples.volume_mm3 / (end - start)
        self._ramp(end, rate)
        self._ramp(start, -rate)
        coarse = np.clip((middle * (COARSE_BINS / self.bins)).astype(np.int64), 0, COARSE_BINS - 1)
        weighted = samples.volume_mm3 * samples.gradient
        self._gradient[0] += np.bincount(coarse, samples.volume_mm3, COARSE_BINS)
        self._gradient[1] += np.bincount(coarse, weighted, COARSE_BINS)

    def _ramp(self, position: Floats, rate: Floats) -> None:
        """Add ``rate`` times (position - edge) to every edge below a position."""
        slot = np.minimum(position.astype(np.int64), self.bins - 1)
        self._count += np.bincount(slot, rate, self.bins)
        self._moment += np.bincount(slot, rate * position, self.bins)

    def curve(self) -> Curve:
        """Return the cumulative histogram at all bin edges."""
        count = np.cumsum(self._count[::-1])[::-1]
        moment = np.cumsum(self._moment[::-1])[::-1]
        edges = np.arange(self.bins)
        volume = np.append(moment - edges * count, 0.0)
        volume = np.minimum.accumulate(np.clip(volume, 0.0, self.volume))
        dose = self.low + self.width * np.arange(self.bins + 1)
        return Curve(dose.astype(np.float64), volume)

    def gradient_at(self, dose_gy: float) -> float:
        """Return the mean dose gradient (Gy/mm) of the cells near a dose."""
        volume, weighted = self._gradient
        at = (dose_gy - self.low) / self.width * (COARSE_BINS / self.bins)
        centre = min(max(int(at), 0), COARSE_BINS - 1)
        for reach in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
            near = slice(max(0, centre - reach), centre + reach + 1)
            if volume[near].sum() > 0.0:
                return float(weighted[near].sum() / volume[near].sum())
        return 0.0
