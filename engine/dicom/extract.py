"""Take the few attributes the engine uses out of a parsed RT object, as plain strings and buffers.

This runs in the reading child. It judges nothing: numbers stay strings as they stood in the file,
so that a missing, empty or non-numeric value reaches the checks as what it is.
"""

import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import config, dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from engine.dicom.limits import Limits
from engine.dicom.scan import DEFLATED_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE
from engine.dicom.walk import Encoding, walk
from engine.errors import Reason, refuse

RT_DOSE_STORAGE = "1.2.840.10008.5.1.4.1.1.481.2"
RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
RT_PLAN_STORAGE = "1.2.840.10008.5.1.4.1.1.481.5"

IDENTITY = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID",
    "PatientName", "PatientBirthDate", "PatientSex", "FrameOfReferenceUID", "Manufacturer",
)  # fmt: skip
DOSE_TEXT = ("DoseUnits", "DoseType", "DoseSummationType")
DOSE_NUMBERS = (
    "DoseGridScaling", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "GridFrameOffsetVector", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "PixelRepresentation",
)  # fmt: skip
UNSIGNED_SHORTS = frozenset({"Rows", "Columns", "BitsAllocated", "PixelRepresentation"})
"""Stored as binary (VR US, PS3.6); every other number the engine reads is DS or IS, text."""

Plain = dict[str, Any]


def _text(dataset: Dataset, keyword: str) -> str | None:
    if keyword not in dataset:
        return None
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, NotImplementedError, LookupError, BytesLengthException):
        raw = dataset.get_item(keyword)
        value = getattr(raw, "value", None)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
    return "" if value is None else str(value).strip("\0 ")


def _numbers(dataset: Dataset, keyword: str, order: str) -> list[str] | None:
    """Return the values as the strings that stand in the file; None when there is no element."""
    raw = dataset.get_item(keyword)
    if raw is None:
        return None
    value = raw.value
    if value is None or value in (b"", ""):
        return []
    if not isinstance(value, bytes):
        return [str(value)] if isinstance(value, str | int | float) else [str(v) for v in value]
    if keyword not in UNSIGNED_SHORTS or raw.VR not in (None, "UN", "US"):
        return [part.strip("\0 ") for part in value.decode("latin-1").split("\\")]
    if len(value) % 2:
        return [repr(value)]
    return [str(number) for number in np.frombuffer(value, np.dtype(f"{order}u2"))]


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    element = dataset.get(keyword)
    return list(element) if element is not None else []


def _references(dataset: Dataset, keyword: str) -> list[str]:
    found = [_text(item, "ReferencedSOPInstanceUID") for item in _items(dataset, keyword)]
    return [uid for uid in found if uid]


def _dose(dataset: Dataset, order: str) -> tuple[Plain, list[bytes]]:
    plain: Plain = {keyword: _text(dataset, keyword) for keyword in DOSE_TEXT}
    plain |= {keyword: _numbers(dataset, keyword, order) for keyword in DOSE_NUMBERS}
    plain["plans"] = _references(dataset, "ReferencedRTPlanSequence")
    plain["structure_sets"] = _references(dataset, "ReferencedStructureSetSequence")
    plain["byte_order"] = order
    raw = dataset.get_item("PixelData")
    pixels = raw.value if raw is not None and isinstance(raw.value, bytes) else b""
    return plain, [pixels]


def _fast_points(dataset: Dataset) -> NDArray[np.float64] | None:
    """Convert well-formed Contour Data at once; None sends it the slow, explaining way."""
    raw = dataset.get_item("ContourData")
    value = getattr(raw, "value", None)
    if not isinstance(value, bytes) or b"_" in value:
        return None
    try:
        return np.array(value.rstrip(b"\0 ").split(b"\\")).astype("<f8")
    except ValueError:
        return None


def _contour(dataset: Dataset, order: str) -> tuple[Plain, bytes]:
    points = _fast_points(dataset)
    if points is not None:
        return {
            "type": _text(dataset, "ContourGeometricType"),
            "points": _numbers(dataset, "NumberOfContourPoints", order),
            "present": True,
            "values": int(points.size),
            "bad": None,
        }, points.tobytes()
    parts = _numbers(dataset, "ContourData", order)
    plain: Plain = {
        "type": _text(dataset, "ContourGeometricType"),
        "points": _numbers(dataset, "NumberOfContourPoints", order),
        "present": parts is not None,
        "values": len(parts or []),
        "bad": None,
    }
    try:
        return plain, np.array(parts or [], dtype="<f8").tobytes()
    except ValueError:
        plain["bad"] = next(part for part in parts or [] if not _is_number(part))
        return plain, np.zeros(len(parts or []), "<f8").tobytes()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _structures(dataset: Dataset, order: str) -> tuple[Plain, list[bytes]]:
    frames = [
        _text(item, "FrameOfReferenceUID")
        for item in _items(dataset, "ReferencedFrameOfReferenceSequence")
    ]
    rois = [
        {
            "number": _numbers(item, "ROINumber", order),
            "name": _text(item, "ROIName"),
            "frame": _text(item, "ReferencedFrameOfReferenceUID"),
        }
        for item in _items(dataset, "StructureSetROISequence")
    ]
    drawn: list[Plain] = []
    buffers: list[bytes] = []
    for item in _items(dataset, "ROIContourSequence"):
        contours = []
        for contour in _items(item, "ContourSequence"):
            plain, points = _contour(contour, order)
            contours.append(plain)
            buffers.append(points)
        drawn.append({"roi": _numbers(item, "ReferencedROINumber", order), "contours": contours})
    label = _text(dataset, "StructureSetLabel")
    found = {"label": label, "frames": frames, "rois": rois, "drawn": drawn}
    return found, [b"".join(buffers)]


def _plan(dataset: Dataset, order: str) -> tuple[Plain, list[bytes]]:
    groups = _items(dataset, "FractionGroupSequence")
    beams = _items(dataset, "BeamSequence") or _items(dataset, "IonBeamSequence")
    return {
        "label": _text(dataset, "RTPlanLabel"),
        "fractions": [_numbers(group, "NumberOfFractionsPlanned", order) for group in groups],
        "beams": [
            {
                "number": _numbers(beam, "BeamNumber", order),
                "name": _text(beam, "BeamName"),
                "radiation": _text(beam, "RadiationType"),
                "delivery": _text(beam, "TreatmentDeliveryType"),
            }
            for beam in beams
        ],
        "structure_sets": _references(dataset, "ReferencedStructureSetSequence"),
    }, []


_KINDS = {
    RT_DOSE_STORAGE: ("dose", _dose),
    RT_STRUCTURE_SET_STORAGE: ("structures", _structures),
    RT_PLAN_STORAGE: ("plan", _plan),
}


def extract(path: Path, syntax: str, offset: int, limits: Limits) -> tuple[Plain, list[bytes]]:
    """Walk and parse one file and return its plain attributes and its buffers.

    Raises
    ------
    Refusal
        As `engine.dicom.walk.walk`, or UNREADABLE when pydicom cannot parse what the walk passed.
    """
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    body = content
    if syntax == DEFLATED_LITTLE:
        inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(
            content[offset:], limits.inflated_bytes
        )
        body = content[:offset] + inflated
    order = ">" if syntax == EXPLICIT_BIG else "<"
    walk(body, offset, limits, path.name, Encoding(order, syntax != IMPLICIT_LITTLE))
    config.settings.reading_validation_mode = config.IGNORE
    config.convert_wrong_length_to_UN = True
    try:
        dataset = dcmread(io.BytesIO(content))
        kind, take = _KINDS.get(str(dataset.get("SOPClassUID", "")), ("other", None))
        plain: Plain = {keyword: _text(dataset, keyword) for keyword in IDENTITY}
        found, buffers = take(dataset, order) if take else ({}, [])
    except (
        InvalidDicomError, ValueError, TypeError, LookupError, AttributeError, EOFError, OSError,
        NotImplementedError, RecursionError, BytesLengthException, zlib.error,
    ) as error:  # fmt: skip
        what = f"The file could not be parsed ({type(error).__name__})."
        raise refuse(Reason.UNREADABLE, path.name, what) from error
    return {"kind": kind, "sha256": sha256, "identity": plain, kind: found}, buffers
