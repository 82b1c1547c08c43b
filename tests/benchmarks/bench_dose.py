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


def measure() -> Iterator[Row]:
    """Yield the CPU time of the whole calculation, once the files are read."""
    structures, dose = _structures(), _dose()

    def calculate() -> None:
        result = compute_objects(structures, dose, parameters=Parameters())
        if len(result.structures) != len(structures.rois):
            raise RuntimeError(f"only {len(result.structures)} structures were calculated")

    yield Row("DVH, 20 structures, 200 x 200 x 150 dose", cpu_time(calculate), "CPU s", 1.5)
