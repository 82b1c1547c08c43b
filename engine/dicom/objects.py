"""The three RT objects the engine works on, as typed values.

All lengths are millimetres in the patient coordinate system (PS3.3, C.7.6.2.1.1): x towards the
patient's left, y towards the back, z towards the head, whatever the patient position. Doses are
gray.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Which file a value came from, and whom it says it belongs to."""

    file: str
    sha256: str
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    patient_id: str
    patient_name: str
    patient_birth_date: str
    manufacturer: str = ""


@dataclass(frozen=True, eq=False)
class DoseGrid:
    """Positions of the dose points along each patient axis, each strictly increasing."""

    x_mm: Floats
    y_mm: Floats
    z_mm: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along z, y, x."""
        return self.z_mm.size, self.y_mm.size, self.x_mm.size

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Spacing along z (median, planes may be uneven), y and x."""
        return (
            float(np.median(np.diff(self.z_mm))),
            float(self.y_mm[1] - self.y_mm[0]),
            float(self.x_mm[1] - self.x_mm[0]),
        )


@dataclass(frozen=True, eq=False)
class RTDose:
    """An RT Dose on an axial grid (PS3.3, A.18.3).

    ``dose_gy`` has shape (z, y, x) in the order of ``grid``; Dose Grid Scaling has been applied,
    exactly once.
    """

    source: Source
    frame_of_reference_uid: str
    grid: DoseGrid
    dose_gy: Floats
    units: str
    dose_type: str
    summation_type: str
    plan_uids: tuple[str, ...]
    structure_set_uids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Contour:
    """One closed planar contour: its plane and its points, shape (n, 2), x and y."""

    z_mm: float
    points_mm: Floats


@dataclass(frozen=True, eq=False)
class Roi:
    """One region of interest. ``other_contours`` counts points and open contours, by type."""

    number: int
    name: str
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]
    other_contours: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RTStructureSet:
    """An RT Structure Set (PS3.3, A.19.3)."""

    source: Source
    label: str
    frame_of_reference_uids: tuple[str, ...]
    rois: tuple[Roi, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the structures, in file order."""
        return tuple(roi.name for roi in self.rois)


@dataclass(frozen=True)
class Beam:
    """One beam of a plan."""

    number: int
    name: str
    radiation_type: str
    delivery_type: str


@dataclass(frozen=True)
class RTPlan:
    """An RT Plan (PS3.3, A.20.3), as far as matching and scope need it."""

    source: Source
    label: str
    fractions: int | None
    beams: tuple[Beam, ...]
    structure_set_uids: tuple[str, ...]
