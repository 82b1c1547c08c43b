"""Every reason the engine can give for refusing, and the exceptions that carry them.

::

    EngineError
    ├── Refusal             input that must not be used; carries every fault found
    └── SandboxError        the reading child could not be started at all

A refusal is the engine's answer, not an accident: each fault names a stable code, where it was
found, what is wrong and what the user can do next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Stable codes of refusal and of withholding; never renamed once released."""

    # the file as a container
    FILE_MISSING = "FILE_MISSING"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    NOT_DICOM = "NOT_DICOM"
    TRUNCATED = "TRUNCATED"
    NESTED_TOO_DEEP = "NESTED_TOO_DEEP"
    TOO_MANY_ELEMENTS = "TOO_MANY_ELEMENTS"
    DEFLATED_TOO_LARGE = "DEFLATED_TOO_LARGE"
    DEFLATED_BROKEN = "DEFLATED_BROKEN"
    TRANSFER_SYNTAX_UNSUPPORTED = "TRANSFER_SYNTAX_UNSUPPORTED"
    UNREADABLE = "UNREADABLE"
    MEMORY_LIMIT = "MEMORY_LIMIT"
    TIME_LIMIT = "TIME_LIMIT"
    READER_DIED = "READER_DIED"
    WRONG_OBJECT = "WRONG_OBJECT"
    # values of one object
    VALUE_MISSING = "VALUE_MISSING"
    VALUE_NOT_NUMERIC = "VALUE_NOT_NUMERIC"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    VALUE_COUNT = "VALUE_COUNT"
    ORIENTATION_OBLIQUE = "ORIENTATION_OBLIQUE"
    FRAME_OFFSETS_NOT_MONOTONIC = "FRAME_OFFSETS_NOT_MONOTONIC"
    FRAME_OFFSETS_AMBIGUOUS = "FRAME_OFFSETS_AMBIGUOUS"
    PIXEL_DATA_LENGTH = "PIXEL_DATA_LENGTH"
    DOSE_UNITS_NOT_GRAY = "DOSE_UNITS_NOT_GRAY"
    DOSE_TYPE_NOT_PHYSICAL = "DOSE_TYPE_NOT_PHYSICAL"
    DOSE_IMPLAUSIBLE = "DOSE_IMPLAUSIBLE"
    CONTOUR_TOO_FEW_POINTS = "CONTOUR_TOO_FEW_POINTS"
    CONTOUR_NOT_AXIAL = "CONTOUR_NOT_AXIAL"
    ROI_NUMBER_AMBIGUOUS = "ROI_NUMBER_AMBIGUOUS"
    # objects that do not belong together
    OBJECT_MISSING = "OBJECT_MISSING"
    OBJECT_DOUBLED = "OBJECT_DOUBLED"
    FRAME_OF_REFERENCE_DIFFERS = "FRAME_OF_REFERENCE_DIFFERS"
    PLAN_DIFFERS = "PLAN_DIFFERS"
    PLAN_REFERENCE_MISSING = "PLAN_REFERENCE_MISSING"
    DOSE_NOT_WHOLE_PLAN = "DOSE_NOT_WHOLE_PLAN"
    STRUCTURE_SET_DIFFERS = "STRUCTURE_SET_DIFFERS"
    STRUCTURE_SET_REFERENCE_MISSING = "STRUCTURE_SET_REFERENCE_MISSING"
    PATIENT_DIFFERS = "PATIENT_DIFFERS"
    STUDY_DIFFERS = "STUDY_DIFFERS"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    # one structure
    ROI_NOT_FOUND = "ROI_NOT_FOUND"
    ROI_NAME_AMBIGUOUS = "ROI_NAME_AMBIGUOUS"
    ROI_EMPTY = "ROI_EMPTY"
    ROI_NOT_CLOSED = "ROI_NOT_CLOSED"
    ROI_NO_AREA = "ROI_NO_AREA"
    RING_CROSSES_ITSELF = "RING_CROSSES_ITSELF"
    RINGS_CROSS = "RINGS_CROSS"
    RINGS_DOUBLED = "RINGS_DOUBLED"
    SINGLE_PLANE = "SINGLE_PLANE"
    OUTSIDE_DOSE_GRID = "OUTSIDE_DOSE_GRID"
    # one metric
    METRIC_UNKNOWN = "METRIC_UNKNOWN"
    METRIC_UNDEFINED = "METRIC_UNDEFINED"
    BOUND_TOO_WIDE = "BOUND_TOO_WIDE"
    # the declared expectations of a comparison
    EXPECTATION_INVALID = "EXPECTATION_INVALID"


_SEND_AGAIN = "Export the object again from its source and send it once more."
_ASK_SOURCE = "Correct the value at the planning system and export the object again."
_ONE_SET = "Export plan, structure set and dose of the same plan together and send them as one set."
_REDRAW = "Redraw or clean the contour at the planning system and export the structure set again."

NEXT_STEPS: dict[Reason, str] = {
    Reason.FILE_MISSING: "Check the path, then send the file again.",
    Reason.FILE_TOO_LARGE: "Send only the RT object; raise the size limit if the file is genuine.",
    Reason.NOT_DICOM: "Send a DICOM file with preamble and file meta information.",
    Reason.TRUNCATED: "The transfer was cut short; send the file again and compare its size.",
    Reason.NESTED_TOO_DEEP: "Do not use this file; ask its source why sequences nest so deep.",
    Reason.TOO_MANY_ELEMENTS: "Do not use this file; ask its source what it holds.",
    Reason.DEFLATED_TOO_LARGE: "Do not use this file; have it sent without the deflated syntax.",
    Reason.DEFLATED_BROKEN: "Have the object sent again, without the deflated transfer syntax.",
    Reason.TRANSFER_SYNTAX_UNSUPPORTED: "Have the object sent as Explicit VR Little Endian.",
    Reason.UNREADABLE: _SEND_AGAIN,
    Reason.MEMORY_LIMIT: "Send a smaller object, or raise the memory limit if it is genuine.",
    Reason.TIME_LIMIT: "Send a smaller object, or raise the time limit if it is genuine.",
    Reason.READER_DIED: "Do not use this file; report it with its SHA-256.",
    Reason.WRONG_OBJECT: "Send the RT object that this place of the set asks for.",
    Reason.VALUE_MISSING: _ASK_SOURCE,
    Reason.VALUE_NOT_NUMERIC: _ASK_SOURCE,
    Reason.VALUE_OUT_OF_RANGE: _ASK_SOURCE,
    Reason.VALUE_COUNT: _ASK_SOURCE,
    Reason.ORIENTATION_OBLIQUE: "Export the dose on an axial grid.",
    Reason.FRAME_OFFSETS_NOT_MONOTONIC: "Export the dose with its planes in order, each once.",
    Reason.FRAME_OFFSETS_AMBIGUOUS: "Export offsets that begin with 0 or with the first plane's z.",
    Reason.PIXEL_DATA_LENGTH: _SEND_AGAIN,
    Reason.DOSE_UNITS_NOT_GRAY: "Export the dose as absolute dose in Gy.",
    Reason.DOSE_TYPE_NOT_PHYSICAL: "Export the physical dose.",
    Reason.DOSE_IMPLAUSIBLE: "Check the dose grid scaling at the planning system and export again.",
    Reason.CONTOUR_TOO_FEW_POINTS: _REDRAW,
    Reason.CONTOUR_NOT_AXIAL: "Contour on axial planes and export the structure set again.",
    Reason.ROI_NUMBER_AMBIGUOUS: "Export the structure set with one number for each structure.",
    Reason.OBJECT_MISSING: _ONE_SET,
    Reason.OBJECT_DOUBLED: "Send one plan, one structure set and one dose; sort the others out.",
    Reason.FRAME_OF_REFERENCE_DIFFERS: _ONE_SET,
    Reason.PLAN_DIFFERS: _ONE_SET,
    Reason.PLAN_REFERENCE_MISSING: "Export the plan dose so that it refers to its plan.",
    Reason.DOSE_NOT_WHOLE_PLAN: "Export the dose of the whole plan, not of a part or of several.",
    Reason.STRUCTURE_SET_DIFFERS: _ONE_SET,
    Reason.STRUCTURE_SET_REFERENCE_MISSING: (
        "Export the plan so that it refers to the structure set it was made on."
    ),
    Reason.PATIENT_DIFFERS: "Stop: check which patient each object belongs to, then send again.",
    Reason.STUDY_DIFFERS: _ONE_SET,
    Reason.IDENTITY_MISSING: "Export with patient identity; data without it: numerical comparison.",
    Reason.ROI_NOT_FOUND: "Choose one of the structures listed.",
    Reason.ROI_NAME_AMBIGUOUS: "Choose the structure by its ROI number.",
    Reason.ROI_EMPTY: "Contour the structure, or leave it out.",
    Reason.ROI_NOT_CLOSED: "Use closed planar contours for structures that need a volume.",
    Reason.ROI_NO_AREA: _REDRAW,
    Reason.RING_CROSSES_ITSELF: _REDRAW,
    Reason.RINGS_CROSS: _REDRAW,
    Reason.RINGS_DOUBLED: "Remove the doubled contour and export the structure set again.",
    Reason.SINGLE_PLANE: "State the slice spacing of the images the structure was drawn on.",
    Reason.OUTSIDE_DOSE_GRID: "Calculate the dose on a grid that covers the structure.",
    Reason.METRIC_UNKNOWN: "Write it as Dmean, Dmin, Dmax, D95%, D2cc, V20Gy%, V20Gycc or HI.",
    Reason.METRIC_UNDEFINED: "Ask for a metric that exists for this volume and dose.",
    Reason.BOUND_TOO_WIDE: "Use the planning system's figure, or calculate on a finer dose grid.",
    Reason.EXPECTATION_INVALID: "Correct the declared expectations.",
}
"""What to do next, one sentence for every code (a test holds the two together)."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where, what, and what to do next.

    Parameters
    ----------
    code
        Stable reason code.
    where
        File, object or attribute the fault was found in, as the user would name it.
    what
        What is wrong, with the value found.
    next_step
        What the user can do; by default the standing advice of the code.
    """

    code: Reason
    where: str
    what: str
    next_step: str = ""

    def __post_init__(self) -> None:
        if not self.next_step:
            object.__setattr__(self, "next_step", NEXT_STEPS[self.code])

    def __str__(self) -> str:
        return f"{self.code}: {self.where}: {self.what} {self.next_step}"

    def as_dict(self) -> dict[str, str]:
        """Return the fault as plain JSON values."""
        return {
            "code": str(self.code),
            "where": self.where,
            "what": self.what,
            "next_step": self.next_step,
        }


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class Refusal(EngineError):
    """Input that must not be used. ``faults`` holds every reason found, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @property
    def codes(self) -> frozenset[Reason]:
        """The distinct codes among the faults."""
        return frozenset(fault.code for fault in self.faults)


class SandboxError(EngineError):
    """The reading child could not be started; nothing was read."""


def refuse(code: Reason, where: str, what: str) -> Refusal:
    """Build a refusal with a single fault."""
    return Refusal([Fault(code, where, what)])
