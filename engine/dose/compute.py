"""Dose-volume metrics from a structure set and a dose: the engine's main entry point."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.dicom.objects import Floats, Roi, RTDose, RTStructureSet
from engine.dicom.read import read_dose, read_structures
from engine.dicom.sandbox import Reader
from engine.dose.dvh import StructureDvh, structure_dvh
from engine.dose.metrics import DEFAULT_METRICS, EXACT, PATTERN, Metric, read_metrics
from engine.dose.parameters import EndCaps, Parameters
from engine.dose.rings import planes_of
from engine.dose.slabs import build_body
from engine.errors import Fault, Reason, Refusal
from engine.provenance import Provenance, provenance_of

FEW_PLANES = 6
"""Up to so many planes the end caps decide much of the volume; both readings are reported."""
CURVE_POINTS = 400


@dataclass(frozen=True, eq=False)
class StructureResult:
    """The figures of one structure. ``outside_cc`` is the part without dose, reported apart."""

    name: str
    number: int
    volume_cc: float
    outside_cc: float
    planes: int
    parts: int
    metrics: tuple[Metric, ...]
    notes: tuple[str, ...]
    volume_by_end_caps_cc: dict[str, float]
    curve_gy: Floats
    curve_cc: Floats

    def metric(self, name: str) -> Metric:
        """Return a metric that was asked for."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{name} was not asked for; there are {[m.name for m in self.metrics]}.")

    def as_dict(self) -> dict[str, object]:
        """Return the figures as plain JSON values, without the curve."""
        return {
            "name": self.name,
            "number": self.number,
            "volume_cc": self.volume_cc,
            "outside_cc": self.outside_cc,
            "planes": self.planes,
            "parts": self.parts,
            "metrics": [metric.as_dict() for metric in self.metrics],
            "notes": list(self.notes),
            "volume_by_end_caps_cc": self.volume_by_end_caps_cc,
        }


@dataclass(frozen=True, eq=False)
class DoseResult:
    """The figures of all structures asked for, those refused with their faults, and provenance."""

    structures: tuple[StructureResult, ...]
    refused: dict[str, tuple[Fault, ...]]
    provenance: Provenance

    def structure(self, name: str) -> StructureResult:
        """Return one structure's figures; raises `Refusal` with its faults when it was refused."""
        for structure in self.structures:
            if structure.name == name:
                return structure
        if name in self.refused:
            raise Refusal(self.refused[name])
        raise KeyError(f"There is no result for {name}; {[s.name for s in self.structures]}.")

    def as_dict(self) -> dict[str, object]:
        """Return the result as plain JSON values."""
        return {
            "structures": [structure.as_dict() for structure in self.structures],
            "refused": {
                name: [fault.as_dict() for fault in faults] for name, faults in self.refused.items()
            },
            "provenance": self.provenance.as_dict(),
        }


def compute(
    structures_path: Path | str,
    dose_path: Path | str,
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    rois: Sequence[str | int] | None = None,
    parameters: Parameters | None = None,
    reader: Reader | None = None,
) -> DoseResult:
    """Calculate dose-volume metrics from two files.

    This checks the files and that both lie in one frame of reference; it does not ask for a plan or
    a patient. Clinical data go through `engine.intake` first.

    Parameters
    ----------
    structures_path, dose_path
        RT Structure Set and RT Dose.
    metrics
        Names as `engine.dose.metrics` defines them.
    rois
        Structures by name or number; all that have contours by default.
    parameters
        Defaults to ``Parameters()``.

    Raises
    ------
    Refusal
        When a file, the pair, a name or a metric cannot be used: every fault found. A single
        structure that cannot be calculated does not stop the others; it is in ``refused``.
    """
    faults: list[Fault] = [
        Fault(Reason.METRIC_UNKNOWN, name, f"There is no metric called {name!r}.")
        for name in metrics
        if PATTERN.fullmatch(name) is None
    ]
    structures: RTStructureSet | None = None
    dose: RTDose | None = None
    try:
        structures = read_structures(structures_path, reader)
    except Refusal as refusal:
        faults += refusal.faults
    try:
        dose = read_dose(dose_path, reader)
    except Refusal as refusal:
        faults += refusal.faults
    if structures is None or dose is None or faults:
        raise Refusal(faults)
    chosen = parameters or Parameters()
    return compute_objects(structures, dose, metrics=metrics, rois=rois, parameters=chosen)


def compute_objects(
    structures: RTStructureSet,
    dose: RTDose,
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    rois: Sequence[str | int] | None = None,
    parameters: Parameters,
) -> DoseResult:
    """Calculate as `compute`, from objects already read."""
    chosen, faults = _choose(structures, rois)
    for roi in chosen:
        if roi.frame_of_reference_uid != dose.frame_of_reference_uid:
            what = f"It lies in frame of reference {roi.frame_of_reference_uid}, the dose in "
            what += f"{dose.frame_of_reference_uid}."
            where = f"structure {roi.name}"
            faults.append(Fault(Reason.FRAME_OF_REFERENCE_DIFFERS, where, what))
    if faults:
        raise Refusal(faults)
    results, refused = [], {}
    for roi in chosen:
        try:
            results.append(_structure(roi, dose, tuple(metrics), parameters))
        except Refusal as refusal:
            refused[roi.name] = refusal.faults
    record = {**parameters.as_dict(), "metrics": list(metrics)}
    return DoseResult(
        tuple(results), refused, provenance_of([structures.source, dose.source], record)
    )


def _choose(
    structures: RTStructureSet, wanted: Iterable[str | int] | None
) -> tuple[list[Roi], list[Fault]]:
    """Find the structures asked for; a name that stands twice is not guessed."""
    if wanted is None:
        return [roi for roi in structures.rois if roi.contours], []
    chosen, faults = [], []
    for key in wanted:
        found = [roi for roi in structures.rois if key in (roi.name, roi.number)]
        if len(found) == 1:
            chosen.append(found[0])
        elif found:
            numbers = ", ".join(str(roi.number) for roi in found)
            what = f"{len(found)} structures are called {key} (ROI numbers {numbers})."
            faults.append(Fault(Reason.ROI_NAME_AMBIGUOUS, f"structure {key}", what))
        else:
            what = "There is no such structure; there are: " + ", ".join(structures.names) + "."
            faults.append(Fault(Reason.ROI_NOT_FOUND, f"structure {key}", what))
    return chosen, faults


def _measured(
    roi: Roi, dose: RTDose, names: tuple[str, ...], parameters: Parameters
) -> tuple[StructureDvh, tuple[Metric, ...]]:
    """Sample a large structure at the spacing of the dose, and finer when that costs a figure."""
    dvh = structure_dvh(roi, dose, parameters)
    metrics = read_metrics(dvh, names, parameters)
    lost = {m.name for m in metrics if m.withheld and m.withheld.code == Reason.BOUND_TOO_WIDE}
    if dvh.cells_per_dose_spacing == 1 and lost - EXACT:
        dvh = structure_dvh(roi, dose, parameters, least_cells=2)
        metrics = read_metrics(dvh, names, parameters)
    return dvh, metrics


def _structure(
    roi: Roi, dose: RTDose, names: tuple[str, ...], parameters: Parameters
) -> StructureResult:
    dvh, metrics = _measured(roi, dose, names, parameters)
    by_caps = {}
    if dvh.planes <= FEW_PLANES:
        planes = planes_of(roi)
        for caps in EndCaps:
            other = build_body(planes, replace(parameters, end_caps=caps), roi.name)
            by_caps[str(caps)] = float(other.volume_mm3) / 1000
    points = np.linspace(0.0, float(dvh.fine.dose_gy[-1]), CURVE_POINTS)
    return StructureResult(
        name=roi.name,
        number=roi.number,
        volume_cc=float(dvh.volume_mm3) / 1000,
        outside_cc=float(dvh.outside_mm3) / 1000,
        planes=dvh.planes,
        parts=dvh.body.parts,
        metrics=metrics,
        notes=_notes(roi, dvh),
        volume_by_end_caps_cc=by_caps,
        curve_gy=points,
        curve_cc=np.interp(points, dvh.fine.dose_gy, dvh.fine.volume_mm3) / 1000,
    )


def _notes(roi: Roi, dvh: StructureDvh) -> tuple[str, ...]:
    notes = []
    if dvh.outside_mm3 > 0.0:
        share = 100 * dvh.outside_mm3 / dvh.volume_mm3
        notes.append(f"{share:.2f} % of its volume lies outside the dose grid and has no dose.")
    for filled in (True, False):
        gaps = ", ".join(str(gap) for gap in dvh.body.gaps if gap.filled == filled)
        if gaps:
            what = "each gap is filled from both sides."
            if not filled:
                what = f"gaps so wide make it {dvh.body.parts} separate parts."
            notes.append(f"Contours are missing between z = {gaps}: {what}")
    for kind, count in roi.other_contours.items():
        notes.append(f"{count} contours of type {kind} bound no volume and are left out.")
    if dvh.planes <= FEW_PLANES:
        notes.append(f"It has {dvh.planes} planes; its volume hangs on the end caps.")
    return tuple(notes)
