"""The slab model: from contoured planes to a body made of sections of finite thickness."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.dicom.objects import Floats
from engine.dicom.structures import PLANE_TOLERANCE_MM
from engine.dose.parameters import Between, EndCaps, Parameters
from engine.dose.rings import Plane
from engine.errors import Reason, refuse

MISSING_SLICE = 1.5
"""Spacings from which a gap between planes is told: half a slice is more than planes ever vary."""
CAP_LAYERS = 8
"""Layers of a rounded cap; each has the exact mean area of the ellipsoid over its thickness."""


@dataclass(frozen=True, eq=False)
class Span:
    """A stretch of z over which a section holds, its weight going linearly from low to high."""

    section: int
    low_mm: float
    high_mm: float
    weight_low: float = 1.0
    weight_high: float = 1.0

    @property
    def length_mm(self) -> float:
        """Thickness, weighted."""
        return (self.high_mm - self.low_mm) * 0.5 * (self.weight_low + self.weight_high)


@dataclass(frozen=True)
class Gap:
    """Two neighbouring planes with room for more between them; filled, or left between parts."""

    low_mm: float
    high_mm: float
    spacing_mm: float
    filled: bool

    def __str__(self) -> str:
        times = (self.high_mm - self.low_mm) / self.spacing_mm
        return f"{self.low_mm:g} and {self.high_mm:g} mm ({times:.2g} x {self.spacing_mm:g} mm)"


@dataclass(frozen=True, eq=False)
class Body:
    """Sections (planes, and the layers of rounded caps), the spans they fill and their gaps."""

    sections: tuple[Plane, ...]
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]

    @property
    def parts(self) -> int:
        """Into how many parts gaps divide it."""
        return 1 + sum(not gap.filled for gap in self.gaps)

    @property
    def volume_mm3(self) -> float:
        """Exact volume: polygon areas times thickness."""
        return sum(self.sections[span.section].area_mm2 * span.length_mm for span in self.spans)


def _gaps(z: Floats, parameters: Parameters) -> list[Gap]:
    """Return where contours are missing between planes, and whether the gap is filled."""
    if z.size < 2:
        return []
    known = parameters.slice_spacing_mm
    spacing = known or round(float(np.median(np.diff(z))), 3)
    widest = parameters.split_gap_factor * spacing
    if known is None:
        widest = min(widest, parameters.widest_gap_mm)
    widest += PLANE_TOLERANCE_MM
    return [
        Gap(float(low), float(high), spacing, filled=bool(high - low <= widest))
        for low, high in pairwise(z)
        if high - low > min(MISSING_SLICE * spacing, widest)
    ]


def _shrunk(plane: Plane, factor: float) -> Plane:
    """Return a plane with its area scaled by ``factor`` about its centre."""
    centre = np.mean(np.concatenate(plane.rings), axis=0)
    rings = tuple(centre + (ring - centre) * np.sqrt(factor) for ring in plane.rings)
    return Plane(plane.z_mm, rings, plane.area_mm2 * factor)


def _cap(
    plane: int, planes: Sequence[Plane], reach: float, extra: list[Plane], caps: EndCaps
) -> list[Span]:
    """Continue an outermost plane by ``reach`` (negative: downwards)."""
    z = planes[plane].z_mm
    if caps == EndCaps.NONE or reach == 0.0:
        return []
    if caps == EndCaps.HALF:
        return [Span(plane, min(z, z + reach), max(z, z + reach))]
    spans = []
    for layer in range(CAP_LAYERS):
        low, high = layer / CAP_LAYERS, (layer + 1) / CAP_LAYERS
        mean_area = 1 - (high**3 - low**3) / (3 * (high - low))
        extra.append(_shrunk(planes[plane], mean_area))
        ends = sorted((z + reach * low, z + reach * high))
        spans.append(Span(len(planes) + len(extra) - 1, ends[0], ends[1]))
    return spans


def build_body(planes: Sequence[Plane], parameters: Parameters, name: str) -> Body:
    """Fill the space around contoured planes as the parameters say.

    Raises
    ------
    Refusal
        SINGLE_PLANE when a part lies on one plane and no slice spacing was stated.
    """
    z = np.array([plane.z_mm for plane in planes])
    extra: list[Plane] = []
    spans: list[Span] = []
    gaps = _gaps(z, parameters)
    starts = [0, *(int(np.searchsorted(z, gap.high_mm)) for gap in gaps if not gap.filled)]
    for first, past in zip(starts, [*starts[1:], z.size], strict=True):
        if past - first == 1:
            thickness = parameters.slice_spacing_mm
            if thickness is None:
                where = "It lies" if z.size == 1 else "A part of it lies"
                what = f"{where} on one plane (z = {z[first]:g} mm); its thickness is not known."
                raise refuse(Reason.SINGLE_PLANE, f"structure {name}", what)
            spans.append(Span(first, z[first] - thickness / 2, z[first] + thickness / 2))
            continue
        last = past - 1
        down, up = (z[first + 1] - z[first]) / 2, (z[last] - z[last - 1]) / 2
        spans += _cap(first, planes, -down, extra, parameters.end_caps)
        for lower in range(first, last):
            low, high = float(z[lower]), float(z[lower + 1])
            middle = 0.5 * (low + high)
            if parameters.between == Between.SLAB:
                spans += [Span(lower, low, middle), Span(lower + 1, middle, high)]
            else:
                spans += [Span(lower, low, high, 1.0, 0.0), Span(lower + 1, low, high, 0.0, 1.0)]
        spans += _cap(last, planes, up, extra, parameters.end_caps)
    return Body((*planes, *extra), tuple(_merged(spans)), tuple(gaps))


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Join spans of one section that meet at full weight, so that fewer are sampled."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.section, span.low_mm)):
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.section == span.section
            and before.high_mm == span.low_mm
            and before.weight_low == before.weight_high == span.weight_low == span.weight_high
        ):
            joined[-1] = Span(span.section, before.low_mm, span.high_mm)
        else:
            joined.append(span)
    return joined


@dataclass(frozen=True, eq=False)
class Pieces:
    """Spans cut at the dose planes and into thin layers, ordered by section.

    ``z_mm`` and ``var_z`` are the weighted centroid and variance of each piece in z, ``length_mm``
    its weighted thickness, ``low_mm`` and ``high_mm`` its ends.
    """

    section: np.ndarray[tuple[int], np.dtype[np.int64]]
    low_mm: Floats
    high_mm: Floats
    z_mm: Floats
    var_z: Floats
    length_mm: Floats


def cut_spans(
    spans: Sequence[Span], dose_z_mm: Floats, thickest_mm: float, again: int = 1
) -> Pieces:
    """Cut spans so that the trilinear dose is linear in z within each piece.

    Parameters
    ----------
    thickest_mm
        Thickness that no piece exceeds.
    again
        Into how many parts each of these pieces is cut once more.
    """
    rows = []
    for span in spans:
        between = dose_z_mm[(dose_z_mm > span.low_mm) & (dose_z_mm < span.high_mm)]
        marks = [span.low_mm, *between.tolist(), span.high_mm]
        rise = (span.weight_high - span.weight_low) / (span.high_mm - span.low_mm)
        for low, high in pairwise(marks):
            layers = again * max(1, int(np.ceil((high - low) / thickest_mm - 1e-9)))
            ends = np.linspace(low, high, layers + 1)
            for bottom, top in pairwise(ends):
                height = top - bottom
                weight = span.weight_low + rise * (0.5 * (bottom + top) - span.low_mm)
                shift = rise * height**2 / (12 * weight)
                variance = height**2 / 12 - shift**2
                centre = 0.5 * (bottom + top) + shift
                rows.append((span.section, bottom, top, centre, variance, weight * height))
    rows.sort(key=lambda row: (row[0], row[1]))
    table = np.array(rows, dtype=np.float64)
    return Pieces(table[:, 0].astype(np.int64), *table[:, 1:].T)
