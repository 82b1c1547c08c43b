"""The dose-volume histogram of one structure, calculated at two sampling spacings.

The difference between the two is what the error bound of every metric is made of.
"""

import math
from dataclasses import dataclass

import numpy as np

from engine.dicom.objects import Roi, RTDose
from engine.dose.histogram import Curve, Histogram
from engine.dose.parameters import Parameters
from engine.dose.rings import perimeter, planes_of
from engine.dose.sampling import Window, dose_at, open_window, sample_body
from engine.dose.slabs import Body, build_body
from engine.errors import Reason, refuse

CONSISTENCY = 1e-6
"""Coverage and shoelace volumes are the same number calculated twice; beyond is a defect."""


@dataclass(frozen=True, eq=False)
class StructureDvh:
    """Everything the metrics of one structure are read from. Volumes are mm3, doses gray."""

    name: str
    number: int
    body: Body
    volume_mm3: float
    outside_mm3: float
    mean_gy: float
    mean_coarse_gy: float
    lowest_gy: float
    highest_gy: float
    lowest_coarse_gy: float
    highest_coarse_gy: float
    fine: Curve
    coarse: Curve
    histogram: Histogram
    step_mm: float
    breadth_mm: float
    planes: int

    @property
    def inside_mm3(self) -> float:
        """Volume that lies on the dose grid."""
        return self.volume_mm3 - self.outside_mm3


def _breadth_mm(body: Body) -> float:
    """Return 4 x area / perimeter over all sections: the diameter, for circles."""
    area = sum(plane.area_mm2 for plane in body.sections)
    around = sum(perimeter(ring) for plane in body.sections for ring in plane.rings)
    return 4 * area / around


def _subdivision(body: Body, window: Window, parameters: Parameters) -> int:
    """Choose how many sampling cells divide one dose spacing."""
    spacing = min(window.dx, window.dy)
    wanted = math.ceil(parameters.cells_across * spacing / _breadth_mm(body) - 1e-9)
    if wanted <= 1:
        return 1
    # Even, so that cells of twice the size still lie on the lines of the dose grid.
    return min(wanted + wanted % 2, parameters.cells_per_dose_spacing)


def _gather(
    body: Body, window: Window, parts: int, thickest_mm: float, bins: int
) -> tuple[Histogram, Histogram, float]:
    """Return the histograms at both sampling spacings and the volume (mm3) without dose."""
    lowest, highest = float(window.nodes.min()), float(window.nodes.max())
    fine, coarse = Histogram(lowest, highest, bins), Histogram(lowest, highest, bins)
    outside = 0.0
    for (near, missing), (far, _) in sample_body(body, window, (1 / parts, 2 / parts), thickest_mm):
        fine.add(near)
        coarse.add(far)
        outside += missing
    return fine, coarse, outside


def _at_corners(dose: RTDose, body: Body) -> tuple[float, float]:
    """Return the least and greatest dose at the body's corners and where it cuts dose planes.

    A field that is linear in each cell has its extremes there or at a dose point inside.
    """
    xs, ys, zs = [], [], []
    corners = [np.concatenate(section.rings) for section in body.sections]
    for span in body.spans:
        z = dose.grid.z_mm[(dose.grid.z_mm > span.low_mm) & (dose.grid.z_mm < span.high_mm)]
        heights = np.array([span.low_mm, *z.tolist(), span.high_mm])
        points = corners[span.section]
        xs.append(np.tile(points[:, 0], heights.size))
        ys.append(np.tile(points[:, 1], heights.size))
        zs.append(np.repeat(heights, len(points)))
    values = dose_at(dose, np.concatenate(xs), np.concatenate(ys), np.concatenate(zs))
    values = values[~np.isnan(values)]
    if not values.size:
        return math.inf, -math.inf
    return float(values.min()), float(values.max())


def structure_dvh(roi: Roi, dose: RTDose, parameters: Parameters) -> StructureDvh:
    """Calculate the histogram of one structure.

    Raises
    ------
    Refusal
        For contours that do not bound a volume (see `engine.dose.rings`), a single plane of unknown
        thickness, or a structure wholly outside the dose grid.
    """
    planes = planes_of(roi)
    body = build_body(planes, parameters, roi.name)
    window = open_window(dose, body)
    outside_all = f"All of its {body.volume_mm3 / 1000:.3f} cc lie outside the dose grid."
    if window is None:
        raise refuse(Reason.OUTSIDE_DOSE_GRID, f"structure {roi.name}", outside_all)
    parts = _subdivision(body, window, parameters)
    dz = float(np.median(np.diff(window.z_mm)))
    thickest = dz / max(1, parts // 2)
    fine, coarse, outside = _gather(body, window, parts, thickest, parameters.bins)
    if fine.volume == 0.0:
        raise refuse(Reason.OUTSIDE_DOSE_GRID, f"structure {roi.name}", outside_all)
    volume = body.volume_mm3
    sampled = fine.volume + outside
    if abs(sampled - volume) > CONSISTENCY * volume:
        raise ArithmeticError(
            f"Structure {roi.name}: coverage adds up to {sampled} mm3, its contours to {volume}."
        )
    low, high = _at_corners(dose, body)
    return StructureDvh(
        name=roi.name,
        number=roi.number,
        body=body,
        volume_mm3=volume,
        outside_mm3=outside,
        mean_gy=fine.dose_volume / fine.volume,
        mean_coarse_gy=coarse.dose_volume / coarse.volume,
        lowest_gy=min(low, fine.lowest),
        highest_gy=max(high, fine.highest),
        lowest_coarse_gy=min(low, coarse.lowest),
        highest_coarse_gy=max(high, coarse.highest),
        fine=fine.curve(),
        coarse=coarse.curve(),
        histogram=fine,
        step_mm=min(window.dx, window.dy) / parts,
        breadth_mm=_breadth_mm(body),
        planes=len(planes),
    )
