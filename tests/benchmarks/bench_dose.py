"""Dose-volume histograms of a large plan: 20 structures on a grid of 200 x 200 x 150 points."""

from collections.abc import Iterator

import numpy as np

from engine.dicom.objects import Contour, DoseGrid, Roi, RTDose, RTStructureSet, Source
from engine.dose.compute import compute_objects
from engine.dose.parameters import Parameters
from engine.synth.shapes import Stack, cylinder_axial, shell, sphere
from tests.benchmarks.bench import Row, cpu_time

SOURCE = Source("memory", "", "", "", "", "", "", "")
SPACING_MM = 2.5
SHAPE = (150, 200, 200)
CONTOUR_DISTANCE_MM = 3.0


def _dose() -> RTDose:
    z, y, x = ((np.arange(count) - (count - 1) / 2) * SPACING_MM for count in SHAPE)
    squared = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2
    dose_gy = 60.0 * np.exp(-squared / (2 * 80.0**2))
    grid = DoseGrid(x, y, z)
    return RTDose(SOURCE, "frame", grid, dose_gy, "GY", "PHYSICAL", "PLAN", (), ())


def _roi(number: int, stack: Stack) -> Roi:
    around = 2 * np.pi * number / 20
    shift = np.array([np.cos(around), np.sin(around)]) * 4.0 * number
    contours = tuple(
        Contour(layer.z_mm, ring.points_mm + shift)
        for layer in stack.layers
        for ring in layer.rings
    )
    return Roi(number, f"structure {number}", "frame", contours)


def _structures() -> RTStructureSet:
    stacks: list[Stack] = []
    for step in range(5):
        stacks += [
            sphere(15.0 + 8 * step, 3.0),
            cylinder_axial(20.0 + 10 * step, 120.0, 3.0),
            shell(30.0 + 6 * step, 3.0),
            sphere(6.0 + 2 * step, 3.0),
        ]
    rois = tuple(_roi(number, stack) for number, stack in enumerate(stacks, start=1))
    return RTStructureSet(SOURCE, "benchmark", ("frame",), rois)


PEER = "numpy masks on the dose grid"


def _masked_histogram(dose: RTDose, roi: Roi) -> np.ndarray:
    """Count the dose grid's points inside each contour: the plain way, partial voxels ignored.

    dicompyler-core, which people would name as peer, cannot be imported beside pydicom 3.
    """
    grid = dose.grid
    inside = np.zeros(dose.dose_gy.shape, dtype=bool)
    points = np.stack(np.meshgrid(grid.x_mm, grid.y_mm), axis=-1).reshape(-1, 2)
    planes = np.unique([contour.z_mm for contour in roi.contours])
    away = np.abs(grid.z_mm[:, None] - planes)
    for place, z_mm in enumerate(planes):
        # A plane of contours speaks for the slices nearest to it.
        own = (away.argmin(axis=1) == place) & (away[:, place] <= CONTOUR_DISTANCE_MM / 2)
        for contour in roi.contours:
            if own.any() and contour.z_mm == z_mm:
                ring = _contains(contour.points_mm, points)
                inside[own] ^= ring.reshape(len(grid.y_mm), len(grid.x_mm))
    counts, _ = np.histogram(dose.dose_gy[inside], bins=np.arange(0.0, 60.02, 0.01))
    return counts[::-1].cumsum()[::-1]


def _contains(ring: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Say which points lie in a ring: a ray to the right crosses its border an odd time."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if crosses.any():
            at = x0 + (y[crosses] - y0) * (x1 - x0) / (y1 - y0)
            inside[crosses] ^= x[crosses] < at
    return inside


def measure() -> Iterator[Row]:
    """Yield the CPU time of the whole calculation, once the files are read, beside the peer's."""
    structures, dose = _structures(), _dose()

    def calculate() -> None:
        result = compute_objects(structures, dose, parameters=Parameters())
        if len(result.structures) != len(structures.rois):
            raise RuntimeError(f"only {len(result.structures)} structures were calculated")

    def peer() -> None:
        for roi in structures.rois:
            if not _masked_histogram(dose, roi).any():
                raise RuntimeError(f"{roi.name} holds no point of the dose grid")

    name = "DVH, 20 structures, 200 x 200 x 150 dose"
    yield Row(name, cpu_time(calculate), "CPU s", 1.5, peer=PEER, peer_value=cpu_time(peer, 1))
