"""Build a typed RT Dose, refusing every value that is missing, not a number or out of range."""

import numpy as np

from engine.dicom.objects import DoseGrid, Floats, RTDose, Source
from engine.dicom.sandbox import RawObject
from engine.dicom.values import Checked
from engine.errors import Fault, Reason

LARGEST_COORDINATE_MM = 5000.0
"""No treatment room is larger; a coordinate beyond is a fault of units or of transfer."""
LARGEST_PIXEL_SPACING_MM = 20.0
SMALLEST_PIXEL_SPACING_MM = 0.05
LARGEST_DOSE_GY = 500.0
"""Above any treatment course and any single fraction; a larger one is a scaling fault."""
LARGEST_SIDE = 4096
AXIS_TOLERANCE = 1e-4
"""Direction cosines: 1e-4 over a 500 mm field is 0.05 mm, below the accuracy held."""
OFFSET_TOLERANCE_MM = 1e-3


def build_source(raw: RawObject, checked: Checked) -> Source:
    """Take identity and digests of a file; UIDs are required, the patient is not judged here."""
    said = raw.identity
    return Source(
        file=raw.name,
        sha256=raw.scanned.sha256,
        sop_class_uid=said["SOPClassUID"] or "",
        sop_instance_uid=checked.text("SOPInstanceUID", said["SOPInstanceUID"]),
        study_instance_uid=said["StudyInstanceUID"] or "",
        patient_id=said["PatientID"] or "",
        patient_name=said["PatientName"] or "",
        patient_birth_date=said["PatientBirthDate"] or "",
        manufacturer=said["Manufacturer"] or "",
    )


def _check_meaning(raw: RawObject, checked: Checked) -> None:
    units = checked.text("DoseUnits", raw.found["DoseUnits"])
    if units and units != "GY":
        what = f"DoseUnits is {units}; only GY is absolute dose."
        checked.fault(Reason.DOSE_UNITS_NOT_GRAY, "DoseUnits", what)
    kind = checked.text("DoseType", raw.found["DoseType"])
    if kind and kind != "PHYSICAL":
        what = f"DoseType is {kind}; metrics are defined for PHYSICAL dose."
        checked.fault(Reason.DOSE_TYPE_NOT_PHYSICAL, "DoseType", what)
    checked.text("DoseSummationType", raw.found["DoseSummationType"])
    checked.text("FrameOfReferenceUID", raw.identity["FrameOfReferenceUID"])


def _axes(cosines: list[float], checked: Checked) -> tuple[int, int, int, int] | None:
    """Return (axis, sign) of the row direction and of the column direction; None when oblique."""
    found: list[int] = []
    for direction in (cosines[:3], cosines[3:]):
        axis = int(np.argmax(np.abs(direction)))
        ideal = np.zeros(3)
        ideal[axis] = np.sign(direction[axis])
        if axis == 2 or np.max(np.abs(np.array(direction) - ideal)) > AXIS_TOLERANCE:
            found = []
            break
        found += [axis, int(ideal[axis])]
    if len(found) != 4 or found[0] == found[2]:
        what = "ImageOrientationPatient " + "\\".join(f"{c:g}" for c in cosines) + " is not axial."
        checked.fault(Reason.ORIENTATION_OBLIQUE, "ImageOrientationPatient", what)
        return None
    return found[0], found[1], found[2], found[3]


def _plane_positions(
    offsets: list[float], first_z: float, normal: int, identity_axes: bool, checked: Checked
) -> Floats | None:
    r"""Return z of every plane, in file order, under the two meanings of the offset vector.

    PS3.3, C.8.8.3.2: when the first offset is 0, offsets count from the first plane along the
    normal of its rows and columns; otherwise, for the axes 1\0\0\0\1\0 only, they are z itself
    and the first one equals the third value of Image Position (Patient).
    """
    attribute = "GridFrameOffsetVector"
    steps = np.diff(offsets)
    if not (np.all(steps > OFFSET_TOLERANCE_MM) or np.all(steps < -OFFSET_TOLERANCE_MM)):
        what = "The plane offsets neither rise nor fall throughout."
        checked.fault(Reason.FRAME_OFFSETS_NOT_MONOTONIC, attribute, what)
        return None
    if abs(offsets[0]) <= OFFSET_TOLERANCE_MM:
        return first_z + normal * np.array(offsets)
    if identity_axes and abs(offsets[0] - first_z) <= OFFSET_TOLERANCE_MM:
        return np.array(offsets)
    what = (
        f"The first offset is {offsets[0]:g}; it is neither 0 nor, on axes 1\\0\\0\\0\\1\\0, "
        f"the z of the first plane ({first_z:g})."
    )
    checked.fault(Reason.FRAME_OFFSETS_AMBIGUOUS, attribute, what)
    return None


def _pixels(
    raw: RawObject, frames: int | None, rows: int | None, columns: int | None, checked: Checked
) -> Floats | None:
    """Return the stored values as floats, shape (frame, row, column), unscaled."""
    found = raw.found
    bits = checked.whole("BitsAllocated", found["BitsAllocated"], lowest=16, highest=32)
    signed = checked.whole("PixelRepresentation", found["PixelRepresentation"], lowest=0, highest=1)
    if bits not in (None, 16, 32):
        what = f"BitsAllocated is {bits}; 16 or 32 are allowed."
        checked.fault(Reason.VALUE_OUT_OF_RANGE, "BitsAllocated", what)
        return None
    if signed == 1:
        what = "PixelRepresentation is 1; physical dose is stored unsigned (PS3.3, C.8.8.3.4.2)."
        checked.fault(Reason.VALUE_OUT_OF_RANGE, "PixelRepresentation", what)
        return None
    if bits is None or signed is None or frames is None or rows is None or columns is None:
        return None
    expected = frames * rows * columns * bits // 8
    stored = len(raw.buffers[0])
    if stored not in (expected, expected + expected % 2):
        what = f"Pixel Data has {stored} bytes; {frames} x {rows} x {columns} need {expected}."
        checked.fault(Reason.PIXEL_DATA_LENGTH, "PixelData", what)
        return None
    kind = np.dtype(f"{found['byte_order']}u{bits // 8}")
    values = np.frombuffer(raw.buffers[0][:expected], kind)
    return values.reshape(frames, rows, columns).astype(np.float64)


def _grid(
    raw: RawObject, frames: int | None, rows: int | None, columns: int | None, checked: Checked
) -> tuple[DoseGrid, tuple[int, int, int, int], bool] | None:
    """Return the grid, the axes of its rows and columns and whether z falls with the frames."""
    far = LARGEST_COORDINATE_MM
    position = checked.numbers(
        "ImagePositionPatient", raw.found["ImagePositionPatient"], count=3, lowest=-far, highest=far
    )
    cosines = checked.numbers(
        "ImageOrientationPatient", raw.found["ImageOrientationPatient"], count=6, lowest=-1.0001,
        highest=1.0001,
    )  # fmt: skip
    spacing = checked.numbers(
        "PixelSpacing", raw.found["PixelSpacing"], count=2, lowest=SMALLEST_PIXEL_SPACING_MM,
        highest=LARGEST_PIXEL_SPACING_MM,
    )  # fmt: skip
    offsets = checked.numbers(
        "GridFrameOffsetVector", raw.found["GridFrameOffsetVector"], count=frames, lowest=-far,
        highest=far,
    )  # fmt: skip
    axes = None if cosines is None else _axes(cosines, checked)
    if position is None or offsets is None or spacing is None or axes is None:
        return None
    if rows is None or columns is None:
        return None
    row_axis, row_sign, column_axis, column_sign = axes
    normal = row_sign * column_sign * (1 if row_axis == 0 else -1)
    z = _plane_positions(offsets, position[2], normal, axes == (0, 1, 1, 1), checked)
    if z is None:
        return None
    # Pixel Spacing gives row spacing (along columns) first (PS3.3, 10.7.1.3).
    along_row = position[row_axis] + row_sign * spacing[1] * np.arange(columns)
    along_column = position[column_axis] + column_sign * spacing[0] * np.arange(rows)
    x, y = (along_row, along_column) if row_axis == 0 else (along_column, along_row)
    return DoseGrid(np.sort(x), np.sort(y), np.sort(z)), axes, bool(z[0] > z[-1])


def build_dose(raw: RawObject) -> tuple[RTDose | None, list[Fault]]:
    """Build the dose, or return None with every fault found.

    Returns
    -------
    tuple
        The dose and an empty list, or None and the faults.
    """
    checked = Checked(raw.name)
    source = build_source(raw, checked)
    _check_meaning(raw, checked)
    found = raw.found
    frames = checked.whole(
        "NumberOfFrames", found["NumberOfFrames"], lowest=2, highest=LARGEST_SIDE
    )
    rows = checked.whole("Rows", found["Rows"], lowest=2, highest=LARGEST_SIDE)
    columns = checked.whole("Columns", found["Columns"], lowest=2, highest=LARGEST_SIDE)
    scaling = checked.number("DoseGridScaling", found["DoseGridScaling"], highest=LARGEST_DOSE_GY)
    if scaling is not None and scaling <= 0:
        what = f"DoseGridScaling is {scaling:g}; it must be above 0."
        checked.fault(Reason.VALUE_OUT_OF_RANGE, "DoseGridScaling", what)
        scaling = None
    placed = _grid(raw, frames, rows, columns, checked)
    stored = _pixels(raw, frames, rows, columns, checked)
    if stored is not None and scaling is not None and stored.max() * scaling > LARGEST_DOSE_GY:
        what = f"The largest dose would be {stored.max() * scaling:.4g} Gy."
        checked.fault(Reason.DOSE_IMPLAUSIBLE, "DoseGridScaling", what)
    if checked.faults or placed is None or stored is None or scaling is None:
        return None, checked.faults
    grid, (row_axis, row_sign, _, column_sign), falling = placed
    dose = stored[:: -1 if falling else 1, ::column_sign, ::row_sign]
    if row_axis == 1:
        dose = dose.transpose(0, 2, 1)
    return RTDose(
        source=source,
        frame_of_reference_uid=raw.identity["FrameOfReferenceUID"] or "",
        grid=grid,
        dose_gy=np.ascontiguousarray(dose) * scaling,
        units=found["DoseUnits"],
        dose_type=found["DoseType"],
        summation_type=found["DoseSummationType"],
        plan_uids=tuple(found["plans"]),
        structure_set_uids=tuple(found["structure_sets"]),
    ), []
