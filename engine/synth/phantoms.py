"""Phantoms: a shape in a dose field on a dose grid, as DICOM sets with known answers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.dicom.objects import Contour, DoseGrid, Floats, Roi, RTDose, Source
from engine.synth.dicom import Identity, rt_dose, rt_plan, structure_set, write
from engine.synth.shapes import Stack
from engine.synth.truth import LinearField, StackTruth, Truth

DIRECTIONS = (
    (1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, 0.0, 1.0),
    (0.6, 0.8, 0.0),
    (0.6, 0.0, 0.8),
    (0.48, 0.6, 0.64),
    (-0.36, 0.48, 0.8),
)
"""Unit gradients in Gy/mm: along each axis, in each plane and askew."""
CENTRE_GY = 100.0
FILES = {"structures": "rtstruct.dcm", "dose": "rtdose.dcm", "plan": "rtplan.dcm"}
"""What the files of a phantom are called, by kind."""


@dataclass(frozen=True, eq=False)
class Phantom(ABC):
    """A stack of contours and the dose points around it."""

    stack: Stack
    spacing_mm: float
    x_mm: Floats
    y_mm: Floats
    z_mm: Floats

    @property
    def name(self) -> str:
        """Shape and grid in words."""
        return f"{self.stack.name}, {self.spacing_mm:g} mm grid"

    @property
    @abstractmethod
    def truth(self) -> Truth:
        """The exact answers."""

    @property
    @abstractmethod
    def dose_gy(self) -> Floats:
        """Dose at the dose points, shape (z, y, x)."""

    def roi(self) -> Roi:
        """Return the structure as the reader would."""
        contours = tuple(
            Contour(layer.z_mm, ring.points_mm)
            for layer in self.stack.layers
            for ring in layer.rings
        )
        return Roi(1, self.stack.name, "frame", contours)

    def dose(self) -> RTDose:
        """Return the dose as the reader would, without its rounding to stored values."""
        source = Source("memory", "", "", "", "", "", "", "")
        grid = DoseGrid(self.x_mm, self.y_mm, self.z_mm)
        return RTDose(source, "frame", grid, self.dose_gy, "GY", "PHYSICAL", "PLAN", (), ())

    def write(self, folder: Path, seed: str) -> dict[str, Path]:
        """Write structure set, dose and plan into a folder and return their paths by kind."""
        folder.mkdir(parents=True, exist_ok=True)
        identity = Identity(f"{seed} {self.name}")
        dose = rt_dose(identity, self.x_mm, self.y_mm, self.z_mm, self.dose_gy)
        return {
            "structures": write(
                structure_set(identity, [self.stack]), folder / FILES["structures"]
            ),
            "dose": write(dose, folder / FILES["dose"]),
            "plan": write(rt_plan(identity), folder / FILES["plan"]),
        }


@dataclass(frozen=True, eq=False)
class LinearPhantom(Phantom):
    """A stack in a linear field."""

    field: LinearField

    @property
    def truth(self) -> StackTruth:
        """The exact answers."""
        return StackTruth(self.stack, self.field)

    @property
    def dose_gy(self) -> Floats:
        """Dose at the dose points, shape (z, y, x)."""
        gx, gy, gz = self.field.gradient
        plane = gx * self.x_mm[None, None, :] + gy * self.y_mm[None, :, None]
        values: Floats = self.field.at_origin_gy + plane + gz * self.z_mm[:, None, None]
        return values


def dose_points(
    stack: Stack, spacing_mm: float, offset: tuple[float, float, float]
) -> tuple[Floats, Floats, Floats]:
    """Return x, y and z of dose points that cover a stack with points to spare."""
    points = stack.points_mm
    heights = [layer.z_mm for layer in stack.layers]
    low = [*points.min(axis=0), min(heights) - stack.spacing_mm]
    high = [*points.max(axis=0), max(heights) + stack.spacing_mm]
    axes = []
    for first, last, shift in zip(low, high, offset, strict=True):
        count = int(np.ceil((last - first) / spacing_mm)) + 4
        start = round(float(first) + (shift - 1.5) * spacing_mm, 6)
        axes.append(np.round(start + spacing_mm * np.arange(count), 6))
    return axes[0], axes[1], axes[2]


def phantom(
    stack: Stack,
    spacing_mm: float,
    direction: tuple[float, float, float] = (1.0, 0.0, 0.0),
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    steepness: float = 1.0,
) -> LinearPhantom:
    """Place a stack in a linear field on a dose grid that covers it."""
    axes = dose_points(stack, spacing_mm, offset)
    gx, gy, gz = (steepness * part for part in direction)
    return LinearPhantom(stack, spacing_mm, *axes, LinearField(CENTRE_GY, (gx, gy, gz)))
