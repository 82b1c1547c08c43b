"""The seeded-fault sets: good RT objects made wrong, and the codes they must be refused by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from engine.errors import Reason
from engine.synth.dicom import Identity, rt_dose, rt_plan, structure_set, synthetic_uid, write
from engine.synth.phantoms import FILES, Phantom, phantom
from engine.synth.shapes import cylinder_axial

Objects = dict[str, FileDataset]
Change = Callable[[Objects], None]

WITHOUT_FAULT = "without fault"
"""Name of the set that the faults were seeded into."""
OTHER = synthetic_uid("fiducial-synth", "another set")


@dataclass(frozen=True)
class SeededFault:
    """One fault: its name, the codes the intake must find, and how it is made."""

    name: str
    group: str
    codes: frozenset[Reason]
    change: Change


def _good(seed: str) -> tuple[Phantom, Objects]:
    made = phantom(cylinder_axial(10.0, 20.0, 2.5), 2.5, (0.6, 0.8, 0.0))
    identity = Identity(seed)
    return made, {
        "plan": rt_plan(identity),
        "structures": structure_set(identity, [made.stack]),
        "dose": rt_dose(identity, made.x_mm, made.y_mm, made.z_mm, made.dose_gy),
    }


def _raw(dataset: FileDataset, keyword: str, text: str) -> None:
    """Put text into an element as it stands, past every check of the writer."""
    element = dataset[keyword]
    value = text.encode("latin-1")
    value += b" " * (len(value) % 2)
    dataset[keyword] = RawDataElement(
        Tag(element.tag),
        element.VR,
        len(value),
        value,
        0,
        is_implicit_VR=False,
        is_little_endian=True,
    )


def _text(kind: str, keyword: str, text: str) -> Change:
    return lambda objects: _raw(objects[kind], keyword, text)


def _value(kind: str, keyword: str, value: object) -> Change:
    return lambda objects: setattr(objects[kind], keyword, value)


def _without(kind: str, keyword: str) -> Change:
    return lambda objects: delattr(objects[kind], keyword)


def _empty(kind: str, keyword: str) -> Change:
    def change(objects: Objects) -> None:
        element = objects[kind][keyword]
        objects[kind][keyword] = DataElement(element.tag, element.VR, None)

    return change


def _drop(kind: str) -> Change:
    return lambda objects: objects.__delitem__(kind)


def _other_structure_frame(objects: Objects) -> None:
    structures = objects["structures"]
    structures.FrameOfReferenceUID = OTHER
    structures.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = OTHER
    structures.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = OTHER


def _other_roi_frame(objects: Objects) -> None:
    objects["structures"].StructureSetROISequence[0].ReferencedFrameOfReferenceUID = OTHER


def _other_plan_reference(objects: Objects) -> None:
    objects["dose"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = OTHER


def _other_plan(objects: Objects) -> None:
    objects["plan"].SOPInstanceUID = UID(OTHER)
    objects["plan"].file_meta.MediaStorageSOPInstanceUID = UID(OTHER)


def _other_structure_set(objects: Objects) -> None:
    objects["plan"].ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID = OTHER


def _plan_and_frame(objects: Objects) -> None:
    _other_plan_reference(objects)
    _value("dose", "FrameOfReferenceUID", OTHER)(objects)


def _contour(text: str) -> Change:
    def change(objects: Objects) -> None:
        contour = objects["structures"].ROIContourSequence[0].ContourSequence[0]
        parts = [str(part) for part in contour.ContourData]
        parts[4] = text
        _raw(contour, "ContourData", "\\".join(parts))

    return change


def _tilted_contour(objects: Objects) -> None:
    contour = objects["structures"].ROIContourSequence[0].ContourSequence[0]
    parts = [str(part) for part in contour.ContourData]
    parts[2] = str(float(parts[2]) + 1.0)
    contour.ContourData = parts


def _two_points(objects: Objects) -> None:
    contour = objects["structures"].ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = list(contour.ContourData)[:6]
    contour.NumberOfContourPoints = 2


def _offsets(change: Callable[[list[float]], list[float]]) -> Change:
    def apply(objects: Objects) -> None:
        offsets = [float(value) for value in objects["dose"].GridFrameOffsetVector]
        objects["dose"].GridFrameOffsetVector = [f"{value:g}" for value in change(offsets)]

    return apply


def _short_pixels(objects: Objects) -> None:
    objects["dose"].PixelData = objects["dose"].PixelData[:-8]


def _several(objects: Objects) -> None:
    _other_plan_reference(objects)
    _text("dose", "DoseGridScaling", "1,5e-8")(objects)
    _text("dose", "PixelSpacing", "0\\2.5")(objects)
    _value("dose", "FrameOfReferenceUID", OTHER)(objects)


def _fault(group: str, name: str, codes: Reason | frozenset[Reason], change: Change) -> SeededFault:
    wanted = frozenset({codes}) if isinstance(codes, Reason) else codes
    return SeededFault(name, group, wanted, change)


_FRAME, _PLAN = Reason.FRAME_OF_REFERENCE_DIFFERS, Reason.PLAN_DIFFERS
_MISSING, _NUMERIC = Reason.VALUE_MISSING, Reason.VALUE_NOT_NUMERIC
_RANGE, _COUNT = Reason.VALUE_OUT_OF_RANGE, Reason.VALUE_COUNT

SEEDED_FAULTS: tuple[SeededFault, ...] = (
    _fault("match", "dose in another frame", _FRAME, _value("dose", "FrameOfReferenceUID", OTHER)),
    _fault("match", "structures in another frame", _FRAME, _other_structure_frame),
    _fault("match", "one structure in another frame", _FRAME, _other_roi_frame),
    _fault("match", "dose of another plan", _PLAN, _other_plan_reference),
    _fault("match", "another plan in the set", _PLAN, _other_plan),
    _fault("match", "dose without plan reference", Reason.PLAN_REFERENCE_MISSING,
           _without("dose", "ReferencedRTPlanSequence")),
    _fault("match", "other plan and other frame", frozenset({_PLAN, _FRAME}), _plan_and_frame),
    _fault("match", "dose of one beam", Reason.DOSE_NOT_WHOLE_PLAN,
           _value("dose", "DoseSummationType", "BEAM")),
    _fault("match", "dose of one fraction", Reason.DOSE_NOT_WHOLE_PLAN,
           _value("dose", "DoseSummationType", "FRACTION")),
    _fault("match", "dose of several plans", Reason.DOSE_NOT_WHOLE_PLAN,
           _value("dose", "DoseSummationType", "MULTI_PLAN")),
    _fault("match", "dose summed in an unknown way", Reason.DOSE_NOT_WHOLE_PLAN,
           _value("dose", "DoseSummationType", "ALL")),
    _fault("match", "structure set nothing refers to", Reason.STRUCTURE_SET_REFERENCE_MISSING,
           _without("plan", "ReferencedStructureSetSequence")),
    _fault("match", "plan of another structure set", Reason.STRUCTURE_SET_DIFFERS,
           _other_structure_set),
    _fault("match", "dose of another patient", Reason.PATIENT_DIFFERS,
           _value("dose", "PatientID", "SYN-9999")),
    _fault("match", "dose under another name", Reason.PATIENT_DIFFERS,
           _value("dose", "PatientName", "Other^Person")),
    _fault("match", "plan of another study", Reason.STUDY_DIFFERS,
           _value("plan", "StudyInstanceUID", OTHER)),
    _fault("match", "set without plan", Reason.OBJECT_MISSING, _drop("plan")),
    _fault("match", "set without dose", Reason.OBJECT_MISSING, _drop("dose")),
    _fault("match", "dose without patient", Reason.IDENTITY_MISSING, _empty("dose", "PatientID")),
    _fault("scaling", "scaling missing", _MISSING, _without("dose", "DoseGridScaling")),
    _fault("scaling", "scaling empty", _MISSING, _empty("dose", "DoseGridScaling")),
    _fault("scaling", "scaling a word", _NUMERIC, _text("dose", "DoseGridScaling", "unknown")),
    _fault("scaling", "scaling with a comma", _NUMERIC, _text("dose", "DoseGridScaling", "1,5e-8")),
    _fault("scaling", "scaling not a number", _NUMERIC, _text("dose", "DoseGridScaling", "NaN")),
    _fault("scaling", "scaling infinite", _NUMERIC, _text("dose", "DoseGridScaling", "inf")),
    _fault("scaling", "scaling zero", _RANGE, _text("dose", "DoseGridScaling", "0")),
    _fault("scaling", "scaling negative", _RANGE, _text("dose", "DoseGridScaling", "-1e-8")),
    _fault("scaling", "scaling doubled", _COUNT, _text("dose", "DoseGridScaling", "1e-8\\1e-8")),
    _fault("scaling", "scaling a thousand times too large", Reason.DOSE_IMPLAUSIBLE,
           _text("dose", "DoseGridScaling", "3e-5")),
    _fault("scaling", "relative dose", Reason.DOSE_UNITS_NOT_GRAY,
           _value("dose", "DoseUnits", "RELATIVE")),
    _fault("scaling", "units missing", _MISSING, _without("dose", "DoseUnits")),
    _fault("scaling", "effective dose", Reason.DOSE_TYPE_NOT_PHYSICAL,
           _value("dose", "DoseType", "EFFECTIVE")),
    _fault("scaling", "summation missing", _MISSING, _without("dose", "DoseSummationType")),
    _fault("geometry", "position missing", _MISSING, _without("dose", "ImagePositionPatient")),
    _fault("geometry", "position a word", _NUMERIC,
           _text("dose", "ImagePositionPatient", "left\\0\\0")),
    _fault("geometry", "position of two values", _COUNT,
           _text("dose", "ImagePositionPatient", "1\\2")),
    _fault("geometry", "position out of the room", _RANGE,
           _text("dose", "ImagePositionPatient", "90000\\0\\0")),
    _fault("geometry", "orientation oblique", Reason.ORIENTATION_OBLIQUE,
           _text("dose", "ImageOrientationPatient", "0.8\\0.6\\0\\-0.6\\0.8\\0")),
    _fault("geometry", "orientation sagittal", Reason.ORIENTATION_OBLIQUE,
           _text("dose", "ImageOrientationPatient", "0\\1\\0\\0\\0\\-1")),
    _fault("geometry", "orientation missing", _MISSING,
           _without("dose", "ImageOrientationPatient")),
    _fault("geometry", "spacing missing", _MISSING, _without("dose", "PixelSpacing")),
    _fault("geometry", "spacing zero", _RANGE, _text("dose", "PixelSpacing", "0\\2.5")),
    _fault("geometry", "spacing negative", _RANGE, _text("dose", "PixelSpacing", "-2.5\\2.5")),
    _fault("geometry", "spacing not a number", _NUMERIC, _text("dose", "PixelSpacing", "2,5\\2.5")),
    _fault("geometry", "spacing of a metre", _RANGE, _text("dose", "PixelSpacing", "1000\\1000")),
    _fault("geometry", "offsets missing", _MISSING, _without("dose", "GridFrameOffsetVector")),
    _fault("geometry", "offsets one short", _COUNT, _offsets(lambda values: values[:-1])),
    _fault("geometry", "offsets out of order", Reason.FRAME_OFFSETS_NOT_MONOTONIC,
           _offsets(lambda values: [*values[:2], values[3], values[2], *values[4:]])),
    _fault("geometry", "offsets from nowhere", Reason.FRAME_OFFSETS_AMBIGUOUS,
           _offsets(lambda values: [value + 77.0 for value in values])),
    _fault("geometry", "pixel data cut short", Reason.PIXEL_DATA_LENGTH, _short_pixels),
    _fault("geometry", "contour point a word", _NUMERIC, _contour("x")),
    _fault("geometry", "contour point out of the room", _RANGE, _contour("123456")),
    _fault("geometry", "contour tilted", Reason.CONTOUR_NOT_AXIAL, _tilted_contour),
    _fault("geometry", "contour of two points", Reason.CONTOUR_TOO_FEW_POINTS, _two_points),
    _fault("match", "four faults at once", frozenset({_PLAN, _FRAME, _NUMERIC, _RANGE}), _several),
)  # fmt: skip
"""Each a set of DS-002, beside the one without fault."""


def fault_named(name: str) -> SeededFault:
    """Return a seeded fault by its name."""
    for fault in SEEDED_FAULTS:
        if fault.name == name:
            return fault
    raise KeyError(f"There is no seeded fault called {name!r}.")


def folder_of(name: str) -> str:
    """Return where a set lies below the folder of DS-002, by the name of its fault."""
    return "-".join(name.split())


def write_sets(place: Path) -> Iterator[str]:
    """Write DS-002 below a folder, set by set; yield the name of each."""
    write_set(place / folder_of(WITHOUT_FAULT))
    yield WITHOUT_FAULT
    for fault in SEEDED_FAULTS:
        write_set(place / folder_of(fault.name), fault)
        yield fault.name


def files_of(place: Path, name: str) -> list[Path]:
    """Return the files of a set where DS-002 lies below a folder.

    Raises
    ------
    FileNotFoundError
        If there is no such set.
    """
    found = sorted((place / folder_of(name)).glob("*.dcm"))
    if not found:
        raise FileNotFoundError(f"DS-002 holds no set {name!r} below {place}.")
    return found


def write_set(folder: Path, fault: SeededFault | None = None, seed: str = "7") -> list[Path]:
    """Write a good set, or one with a seeded fault, and return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    _, objects = _good(f"DS-002 {seed}")
    if fault is not None:
        fault.change(objects)
    return [write(dataset, folder / FILES[kind]) for kind, dataset in sorted(objects.items())]
