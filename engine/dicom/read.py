"""Read one RT object of a known kind from an untrusted file."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.dicom.dose import build_dose
from engine.dicom.objects import RTDose, RTPlan, RTStructureSet
from engine.dicom.sandbox import RawObject, Reader, shared_reader
from engine.dicom.structures import build_plan, build_structures
from engine.errors import Fault, Reason, Refusal, refuse

Built = TypeVar("Built", RTDose, RTPlan, RTStructureSet)

KIND_NAMES = {"dose": "RT Dose", "structures": "RT Structure Set", "plan": "RT Plan"}


def _read(
    path: Path | str,
    kind: str,
    build: Callable[[RawObject], tuple[Built | None, list[Fault]]],
    reader: Reader | None,
) -> Built:
    raw = (reader or shared_reader()).read(Path(path))
    if raw.kind != kind:
        found = KIND_NAMES.get(raw.kind, f"SOP class {raw.identity['SOPClassUID'] or 'unnamed'}")
        raise refuse(Reason.WRONG_OBJECT, raw.name, f"It is {found}, not {KIND_NAMES[kind]}.")
    built, faults = build(raw)
    if built is None:
        raise Refusal(faults)
    return built


def read_dose(path: Path | str, reader: Reader | None = None) -> RTDose:
    """Read an RT Dose.

    Raises
    ------
    Refusal
        With every fault of the file and of its values.
    """
    return _read(path, "dose", build_dose, reader)


def read_structures(path: Path | str, reader: Reader | None = None) -> RTStructureSet:
    """Read an RT Structure Set; raises `Refusal` with every fault."""
    return _read(path, "structures", build_structures, reader)


def read_plan(path: Path | str, reader: Reader | None = None) -> RTPlan:
    """Read an RT Plan; raises `Refusal` with every fault."""
    return _read(path, "plan", build_plan, reader)
