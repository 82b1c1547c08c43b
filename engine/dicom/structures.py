"""Build typed RT Structure Sets and RT Plans from what the reading child found."""

import math
from typing import Any

import numpy as np

from engine.dicom.dose import LARGEST_COORDINATE_MM, build_source
from engine.dicom.objects import Beam, Contour, Floats, Roi, RTPlan, RTStructureSet
from engine.dicom.sandbox import RawObject
from engine.dicom.values import Checked
from engine.errors import Fault, Reason

PLANE_TOLERANCE_MM = 0.01
"""Points of one contour may differ so much in z; written with two decimals, equal ones do."""
CLOSED_TYPES = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})
"""PS3.3, C.8.8.6.3. XOR contours combine exactly as nesting depth does."""


def _fault_of(plain: dict[str, Any], flat: Floats) -> tuple[Reason, str] | None:
    """Return what is wrong with the values of one contour, None when nothing is."""
    count = plain["values"]
    if not plain["present"] or count == 0:
        return Reason.VALUE_MISSING, "ContourData is missing or empty."
    if plain["bad"] is not None:
        what = f"ContourData holds {plain['bad'][:40]!r}, which is not a number."
        return Reason.VALUE_NOT_NUMERIC, what
    return _fault_of_numbers(plain, flat, count)


def _fault_of_numbers(plain: dict[str, Any], flat: Floats, count: int) -> tuple[Reason, str] | None:
    if not np.all(np.isfinite(flat)):
        return Reason.VALUE_NOT_NUMERIC, "ContourData holds a value that is not finite."
    if count % 3:
        return Reason.VALUE_COUNT, f"ContourData has {count} values, not a multiple of 3."
    farthest = float(np.max(np.abs(flat)))
    if farthest > LARGEST_COORDINATE_MM:
        what = (
            f"ContourData reaches {farthest:g} mm; at most {LARGEST_COORDINATE_MM:g} is plausible."
        )
        return Reason.VALUE_OUT_OF_RANGE, what
    if plain["points"] and plain["points"] != [str(count // 3)]:
        what = (
            f"NumberOfContourPoints says {plain['points'][0]}; the data hold {count // 3} points."
        )
        return Reason.VALUE_COUNT, what
    return None


def _closed(plain: dict[str, Any], flat: Floats, name: str, checked: Checked) -> Contour | None:
    fault = _fault_of(plain, flat)
    if fault is not None:
        checked.fault(fault[0], name, fault[1])
        return None
    points = flat.reshape(-1, 3)
    if np.ptp(points[:, 2]) > PLANE_TOLERANCE_MM:
        what = f"A contour spans {np.ptp(points[:, 2]):.3f} mm in z."
        checked.fault(Reason.CONTOUR_NOT_AXIAL, name, what)
        return None
    ring = points[:, :2]
    if len(ring) > 1 and np.array_equal(ring[0], ring[-1]):
        ring = ring[:-1]
    if len(ring) < 3:
        what = f"A closed contour has {len(ring)} distinct points; a surface needs 3."
        checked.fault(Reason.CONTOUR_TOO_FEW_POINTS, name, what)
        return None
    return Contour(float(points[0, 2]), np.ascontiguousarray(ring))


def _roi_number(parts: list[str] | None) -> int | None:
    try:
        return int(float(parts[0])) if parts else None
    except (ValueError, OverflowError):
        return None


def _drawn(raw: RawObject, names: dict[int, str], checked: Checked) -> dict[int, list[Any]]:
    """Return, per ROI number, its contours and the count of contours of other types."""
    flat = np.frombuffer(raw.buffers[0], "<f8")
    at = 0
    drawn: dict[int, list[Any]] = {}
    for item in raw.found["drawn"]:
        number = _roi_number(item["roi"])
        name = names.get(number, "") if number is not None else ""
        if number is None or number not in names:
            what = f"Contours refer to ROI {item['roi']}, which is not in the list of structures."
            checked.fault(Reason.ROI_NUMBER_AMBIGUOUS, "ROIContourSequence", what)
        entry = drawn.setdefault(-1 if number is None else number, [[], {}])
        for plain in item["contours"]:
            values = flat[at : at + plain["values"]]
            at += plain["values"]
            kind = plain["type"] or "unnamed type"
            if kind not in CLOSED_TYPES:
                entry[1][kind] = entry[1].get(kind, 0) + 1
                continue
            contour = _closed(plain, values, f"structure {name}", checked)
            if contour is not None:
                entry[0].append(contour)
    return drawn


def build_structures(raw: RawObject) -> tuple[RTStructureSet | None, list[Fault]]:
    """Build the structure set, or return None with every fault found."""
    checked = Checked(raw.name)
    source = build_source(raw, checked)
    names: dict[int, str] = {}
    frames: dict[int, str] = {}
    common = [raw.identity["FrameOfReferenceUID"], *raw.found["frames"]]
    known = tuple(dict.fromkeys(uid for uid in common if uid))
    for item in raw.found["rois"]:
        number = _roi_number(item["number"])
        if number is None or number in names:
            what = f"ROI number {item['number']} is missing, not a number or used twice."
            checked.fault(Reason.ROI_NUMBER_AMBIGUOUS, "StructureSetROISequence", what)
            continue
        names[number] = item["name"] or f"ROI {number}"
        frames[number] = item["frame"] or (known[0] if len(known) == 1 else "")
    if not names:
        checked.fault(Reason.VALUE_MISSING, "StructureSetROISequence", "It lists no structure.")
    missing = [names[number] for number, uid in frames.items() if not uid]
    if missing:
        what = "No frame of reference is stated for " + ", ".join(missing) + "."
        checked.fault(Reason.VALUE_MISSING, "FrameOfReferenceUID", what)
    drawn = _drawn(raw, names, checked)
    if checked.faults:
        return None, checked.faults
    rois = tuple(
        Roi(number, name, frames[number], tuple(drawn.get(number, [[], {}])[0]),
            dict(drawn.get(number, [[], {}])[1]))
        for number, name in names.items()
    )  # fmt: skip
    every = tuple(dict.fromkeys([*known, *frames.values()]))
    return RTStructureSet(source, raw.found["label"] or "", every, rois), []


def build_plan(raw: RawObject) -> tuple[RTPlan | None, list[Fault]]:
    """Build the plan, or return None with every fault found."""
    checked = Checked(raw.name)
    source = build_source(raw, checked)
    label = checked.text("RTPlanLabel", raw.found["label"])
    groups = raw.found["fractions"]
    fractions = None
    if groups:
        fractions = checked.whole("NumberOfFractionsPlanned", groups[0], lowest=1, highest=1000)
    beams = []
    for beam in raw.found["beams"]:
        number = checked.number("BeamNumber", beam["number"], highest=math.inf)
        radiation = checked.text("RadiationType", beam["radiation"])
        if number is not None:
            beams.append(Beam(int(number), beam["name"] or "", radiation, beam["delivery"] or ""))
    if checked.faults:
        return None, checked.faults
    references = tuple(raw.found["structure_sets"])
    return RTPlan(source, label, fractions, tuple(beams), references), []
