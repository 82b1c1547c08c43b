"""Clinical intake: a set of files is taken in whole, or refused with every fault it has."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.dicom.dose import build_dose
from engine.dicom.objects import RTDose, RTPlan, RTStructureSet
from engine.dicom.sandbox import RawObject, Reader, shared_reader
from engine.dicom.structures import build_plan, build_structures
from engine.errors import Fault, Reason, Refusal
from engine.intake.checks import CHECKS, NAMES


@dataclass(frozen=True, eq=False)
class PlanSet:
    """A plan, its structure set and its dose, found to belong together."""

    plan: RTPlan
    structures: RTStructureSet
    dose: RTDose


@dataclass(frozen=True, eq=False)
class IntakeReport:
    """The verdict on a set: what was taken in, or every fault."""

    accepted: PlanSet | None
    faults: tuple[Fault, ...]
    files: tuple[str, ...]

    @property
    def codes(self) -> frozenset[Reason]:
        """The distinct codes among the faults."""
        return frozenset(fault.code for fault in self.faults)


def files_of(folder: Path | str) -> list[Path]:
    """Return the files of a folder in order of their names; folders inside are not followed."""
    return sorted(path for path in Path(folder).iterdir() if path.is_file())


def examine(paths: Iterable[Path | str], reader: Reader | None = None) -> IntakeReport:
    """Read a set of files and list everything that speaks against taking it in.

    Returns
    -------
    IntakeReport
        ``accepted`` is None exactly when there are faults.
    """
    listed = [Path(path) for path in paths]
    child = reader or shared_reader()
    faults: list[Fault] = []
    found: dict[str, RawObject] = {}
    for path in listed:
        try:
            raw = child.read(path)
        except Refusal as refusal:
            faults += refusal.faults
            continue
        if raw.kind not in NAMES:
            what = f"SOP class {raw.identity['SOPClassUID'] or 'unnamed'} has no place in the set."
            faults.append(Fault(Reason.WRONG_OBJECT, raw.name, what))
        elif raw.kind in found:
            what = f"It is a second {NAMES[raw.kind]}; the first is {found[raw.kind].name}."
            faults.append(Fault(Reason.OBJECT_DOUBLED, raw.name, what))
        else:
            found[raw.kind] = raw
    for check in CHECKS:
        faults += check(found)
    plan, structures, dose = None, None, None
    if "plan" in found:
        plan, plan_faults = build_plan(found["plan"])
        faults += plan_faults
    if "structures" in found:
        structures, structure_faults = build_structures(found["structures"])
        faults += structure_faults
    if "dose" in found:
        dose, dose_faults = build_dose(found["dose"])
        faults += dose_faults
    accepted = None
    if not faults and plan is not None and structures is not None and dose is not None:
        accepted = PlanSet(plan, structures, dose)
    return IntakeReport(accepted, tuple(faults), tuple(path.name for path in listed))


def take_in(paths: Iterable[Path | str], reader: Reader | None = None) -> PlanSet:
    """Take a set in; raises `Refusal` with every fault of every file and of the set."""
    report = examine(paths, reader)
    if report.accepted is None:
        raise Refusal(report.faults)
    return report.accepted
