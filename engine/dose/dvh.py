"""The dose-volume histogram of one structure, calculated at two sampling spacings.

The difference between the two is what the error bound of every metric is made of.
"""

import math
from dataclasses import dataclass

import numpy as np

from engine.dicom.objects import Roi, RTDose
from engine.dose.extremes import extremes
from engine.dose.histogram import Curve, Histogram
from engine.dose.parameters import Parameters
from engine.dose.rings import perimeter, planes_of
from engine.dose.sampling import Window, open_window, sample_body
from engine.dose.slabs import Body, build_body
from engine.errors import Reason, refuse

CONSISTENCY = 1e-6
"""Coverage and shoelace volumes are the same number calculated twice; beyond is a defect."""

ROUNDING_GY = 1e-6
"""Arithmetic on doses of up to 500 Gy goes wrong by far less, and no RT Dose stores finer steps."""


@dataclass(frozen=True, eq=False)
class StructureDvh:
    """Everything the metrics of one structure are read from. Volumes are mm3, doses gray.

    ``lowest_gy`` and ``highest_gy`` are exact; mean and curves come at two sampling spacings.
    """

    name: str
    number: int
    body: Body
    volume_mm3: float
    outside_mm3: float
    mean_gy: float
    mean_coarse_gy: float
    lowest_gy: float
    highest_gy: float
    fine: Curve
    coarse: Curve
    histogram: Histogram
    cells_per_dose_spacing: int
    step_mm: float
    breadth_mm: float
    planes: int

    @property
    def inside_mm3(self) -> float:
        """Volume that lies on the dose grid."""
        return self.volume_mm3 - self.outside_mm3

    def volume_at(self, dose_gy: float) -> float:
        """Return the volume (mm3) that receives at least a dose: all below Dmin, none above Dmax.

        Single cells reach beyond both, because each is spread evenly over what it may span.
        """
        if dose_gy <= self.lowest_gy - ROUNDING_GY:
            return self.inside_mm3
        return self.fine.volume_at(dose_gy) if dose_gy <= self.highest_gy + ROUNDING_GY else 0.0

    def dose_to(self, volume_mm3: float) -> float:
        """Return the largest dose that at least ``volume_mm3`` receives, from Dmin to Dmax."""
        return min(max(self.fine.dose_to(volume_mm3), self.lowest_gy), self.highest_gy)


def _breadth_mm(body: Body) -> float:
    """Return 4 x area / perimeter over all sections: the diameter, for circles."""
    area = sum(plane.area_mm2 for plane in body.sections)
    around = sum(perimeter(ring) for plane in body.sections for ring in plane.rings)
    return 4 * area / around


def _subdivision(body: Body, window: Window, parameters: Parameters, least: int) -> int:
    """Choose how many sampling cells divide one dose spacing, ``least`` of them or more."""
    spacing = min(window.dx, window.dy)
    wanted = math.ceil(parameters.cells_across * spacing / _breadth_mm(body) - 1e-9)
    wanted = max(wanted, least)
    if wanted == 1:
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


def structure_dvh(
    roi: Roi, dose: RTDose, parameters: Parameters, least_cells: int = 1
) -> StructureDvh:
    """Calculate the histogram of one structure, on at least so many cells per dose spacing.

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
    parts = _subdivision(body, window, parameters, least_cells)
    dz = float(np.median(np.diff(window.z_mm)))
    # Twice as thick as wide: slabs and dose planes cut cells thinner as it is.
    thickest = 4 * dz / parts
    fine, coarse, outside = _gather(body, window, parts, thickest, parameters.bins)
    if fine.volume == 0.0:
        raise refuse(Reason.OUTSIDE_DOSE_GRID, f"structure {roi.name}", outside_all)
    volume = body.volume_mm3
    sampled = fine.volume + outside
    if abs(sampled - volume) > CONSISTENCY * volume:
        raise ArithmeticError(
            f"Structure {roi.name}: coverage adds up to {sampled} mm3, its contours to {volume}."
        )
    lowest, highest = extremes(body, window)
    return StructureDvh(
        name=roi.name,
        number=roi.number,
        body=body,
        volume_mm3=volume,
        outside_mm3=outside,
        mean_gy=fine.dose_volume / fine.volume,
        mean_coarse_gy=coarse.dose_volume / coarse.volume,
        lowest_gy=lowest,
        highest_gy=highest,
        fine=fine.curve(),
        coarse=coarse.curve(),
        histogram=fine,
        cells_per_dose_spacing=parts,
        step_mm=min(window.dx, window.dy) / parts,
        breadth_mm=_breadth_mm(body),
        planes=len(planes),
    )
