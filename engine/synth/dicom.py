"""Write synthetic RT objects as real DICOM files, the same bytes for the same seed.

Every identity is fictional and says so. Values are those of the analytic phantoms; nothing stems
from a patient.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from engine.dicom.extract import RT_DOSE_STORAGE, RT_PLAN_STORAGE, RT_STRUCTURE_SET_STORAGE
from engine.dicom.objects import Floats
from engine.synth.shapes import Stack

STAMP_DATE, STAMP_TIME = "20260101", "000000"
IMPLEMENTATION_UID = "2.25.302861203904719837416218853190236914072"
STORED_MAXIMUM = 2**32 - 1


def synthetic_uid(*parts: object) -> str:
    """Return a UID under 2.25 made from the words given, always the same for the same words.

    Examples
    --------
    >>> synthetic_uid("seed", 7) == synthetic_uid("seed", 7)
    True
    """
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


@dataclass(frozen=True)
class Identity:
    """The fictional patient, study and frame of reference a set of objects shares."""

    seed: str
    patient_id: str = "SYN-0000"
    patient_name: str = "Synthetic^Phantom"
    birth_date: str = "19500101"

    def uid(self, what: str) -> str:
        """Return the UID of one thing of this set."""
        return synthetic_uid("fiducial-synth", self.seed, what)


def _number(value: float) -> str:
    """Write a decimal string of at most 16 characters (PS3.5, 6.2)."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text if text not in {"", "-0"} else "0"


def _set_decimals(dataset: Dataset, keyword: str, numbers: list[str]) -> None:
    """Set a decimal string of many values as the bytes that stand in the file.

    pydicom makes an object of each value and looks it over, which for the contours takes longer
    than everything else about a phantom; `_number` wrote them as they must be.
    """
    value = "\\".join(numbers).encode("ascii")
    value += b" " * (len(value) % 2)
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(tag, "DS", len(value), value, 0, False, True)
    # As one that was read; otherwise writing it makes the objects all the same.
    dataset.set_original_encoding(False, True, default_encoding)


def _base(identity: Identity, sop_class: str, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(identity.uid(modality))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = identity.uid(modality)
    dataset.StudyDate = dataset.SeriesDate = STAMP_DATE
    dataset.StudyTime = dataset.SeriesTime = STAMP_TIME
    dataset.AccessionNumber = ""
    dataset.Modality = modality
    dataset.Manufacturer = "Fiducial synthetic phantom"
    dataset.ReferringPhysicianName = ""
    dataset.PatientName = identity.patient_name
    dataset.PatientID = identity.patient_id
    dataset.PatientBirthDate = identity.birth_date
    dataset.PatientSex = "O"
    dataset.StudyInstanceUID = identity.uid("study")
    dataset.SeriesInstanceUID = identity.uid(f"{modality} series")
    dataset.StudyID = "1"
    dataset.SeriesNumber = 1
    dataset.FrameOfReferenceUID = identity.uid("frame")
    dataset.PositionReferenceIndicator = ""
    return dataset


def _reference(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = uid
    return item


def structure_set(identity: Identity, stacks: list[Stack]) -> FileDataset:
    """Return an RT Structure Set with one structure per stack."""
    dataset = _base(identity, RT_STRUCTURE_SET_STORAGE, "RTSTRUCT")
    dataset.StructureSetLabel = "SYNTHETIC"
    dataset.StructureSetDate, dataset.StructureSetTime = STAMP_DATE, STAMP_TIME
    frame = Dataset()
    frame.FrameOfReferenceUID = identity.uid("frame")
    dataset.ReferencedFrameOfReferenceSequence = DicomSequence([frame])
    rois, drawn, observed = [], [], []
    for number, stack in enumerate(stacks, 1):
        roi = Dataset()
        roi.ROINumber = number
        roi.ReferencedFrameOfReferenceUID = identity.uid("frame")
        roi.ROIName = stack.name
        roi.ROIGenerationAlgorithm = "AUTOMATIC"
        rois.append(roi)
        contours = []
        for layer in stack.layers:
            for ring in layer.rings:
                contour = Dataset()
                contour.ContourGeometricType = "CLOSED_PLANAR"
                contour.NumberOfContourPoints = len(ring.points_mm)
                _set_decimals(
                    contour,
                    "ContourData",
                    [_number(value) for x, y in ring.points_mm for value in (x, y, layer.z_mm)],
                )
                contours.append(contour)
        item = Dataset()
        item.ROIDisplayColor = [0, 94, 184]
        item.ContourSequence = DicomSequence(contours)
        item.ReferencedROINumber = number
        drawn.append(item)
        observation = Dataset()
        observation.ObservationNumber = number
        observation.ReferencedROINumber = number
        observation.RTROIInterpretedType = "CONTROL"
        observation.ROIInterpreter = ""
        observed.append(observation)
    dataset.StructureSetROISequence = DicomSequence(rois)
    dataset.ROIContourSequence = DicomSequence(drawn)
    dataset.RTROIObservationsSequence = DicomSequence(observed)
    return dataset


def rt_dose(
    identity: Identity, x_mm: Floats, y_mm: Floats, z_mm: Floats, dose_gy: Floats
) -> FileDataset:
    """Return an RT Dose of shape (z, y, x) on evenly spaced rows and columns."""
    dataset = _base(identity, RT_DOSE_STORAGE, "RTDOSE")
    # The scaling is written first and the stored values follow what a reader will see of it.
    scaling = f"{float(dose_gy.max()) / STORED_MAXIMUM:.9e}"
    stored = np.clip(np.rint(dose_gy / float(scaling)), 0, STORED_MAXIMUM).astype("<u4")
    dataset.InstanceNumber = 1
    dataset.SliceThickness = _number(float(z_mm[1] - z_mm[0]))
    dataset.ImagePositionPatient = [_number(float(axis[0])) for axis in (x_mm, y_mm, z_mm)]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.NumberOfFrames = int(z_mm.size)
    dataset.FrameIncrementPointer = 0x3004000C
    dataset.Rows, dataset.Columns = int(y_mm.size), int(x_mm.size)
    dataset.PixelSpacing = [
        _number(float(y_mm[1] - y_mm[0])), _number(float(x_mm[1] - x_mm[0])),
    ]  # fmt: skip
    dataset.BitsAllocated = dataset.BitsStored = 32
    dataset.HighBit = 31
    dataset.PixelRepresentation = 0
    dataset.DoseUnits, dataset.DoseType = "GY", "PHYSICAL"
    dataset.DoseSummationType = "PLAN"
    dataset.GridFrameOffsetVector = [_number(float(z - z_mm[0])) for z in z_mm]
    dataset.DoseGridScaling = scaling
    dataset.TissueHeterogeneityCorrection = "IMAGE"
    plan = _reference(RT_PLAN_STORAGE, identity.uid("RTPLAN"))
    dataset.ReferencedRTPlanSequence = DicomSequence([plan])
    dataset.PixelData = stored.tobytes()
    return dataset


def rt_plan(identity: Identity) -> FileDataset:
    """Return an RT Plan of one photon beam, 60 Gy in 20 fractions, as labels only."""
    dataset = _base(identity, RT_PLAN_STORAGE, "RTPLAN")
    dataset.RTPlanLabel = "SYNTHETIC"
    dataset.RTPlanDate, dataset.RTPlanTime = STAMP_DATE, STAMP_TIME
    dataset.RTPlanGeometry = "PATIENT"
    group = Dataset()
    group.FractionGroupNumber = 1
    group.NumberOfFractionsPlanned = 20
    group.NumberOfBeams = 1
    group.NumberOfBrachyApplicationSetups = 0
    dataset.FractionGroupSequence = DicomSequence([group])
    beam = Dataset()
    beam.Manufacturer = "Fiducial synthetic phantom"
    beam.BeamNumber = 1
    beam.BeamName = "SYNTHETIC"
    beam.BeamType = "STATIC"
    beam.RadiationType = "PHOTON"
    beam.TreatmentDeliveryType = "TREATMENT"
    dataset.BeamSequence = DicomSequence([beam])
    structures = _reference(RT_STRUCTURE_SET_STORAGE, identity.uid("RTSTRUCT"))
    dataset.ReferencedStructureSetSequence = DicomSequence([structures])
    return dataset


def write(dataset: FileDataset, path: Path) -> Path:
    """Write a file with preamble and meta information and return its path."""
    dataset.save_as(path, enforce_file_format=True)
    return path
