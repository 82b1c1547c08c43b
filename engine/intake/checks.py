"""Do plan, structure set and dose belong together? Every mismatch is found, each with its code.

The checks read what the files say about themselves, so they also run when a value elsewhere in a
file is broken: a set with a wrong plan and a broken scaling is refused for both.
"""

from collections.abc import Mapping
from typing import Any

from engine.dicom.sandbox import RawObject
from engine.errors import Fault, Reason

NAMES = {"plan": "RT Plan", "structures": "RT Structure Set", "dose": "RT Dose"}
IDENTITY_ATTRIBUTES = ("PatientID", "PatientName", "PatientBirthDate")

Set = Mapping[str, RawObject]


def missing_objects(found: Set) -> list[Fault]:
    """Name every object that the set lacks; without a plan nothing clinical is calculated."""
    return [
        Fault(Reason.OBJECT_MISSING, "the set", f"There is no {NAMES[kind]} in it.")
        for kind in NAMES
        if kind not in found
    ]


def _frames(raw: RawObject) -> set[str]:
    """Return every frame of reference an object or its structures state."""
    stated: list[Any] = [raw.identity["FrameOfReferenceUID"]]
    if raw.kind == "structures":
        stated += raw.found["frames"]
        stated += [roi["frame"] for roi in raw.found["rois"]]
    return {uid for uid in stated if uid}


def frame_of_reference(found: Set) -> list[Fault]:
    """Check that dose and structures lie in one frame of reference (REQ-003)."""
    if "dose" not in found or "structures" not in found:
        return []
    dose, structures = found["dose"], found["structures"]
    theirs, ours = _frames(structures), _frames(dose)
    if not theirs or not ours or theirs == ours:
        return []
    what = f"The dose lies in {_list(ours)}, the structures in {_list(theirs)}."
    where = f"{dose.name} and {structures.name}"
    return [Fault(Reason.FRAME_OF_REFERENCE_DIFFERS, where, what)]


def plan_of_dose(found: Set) -> list[Fault]:
    """Check that the plan in the set is the plan that the dose refers to (REQ-003)."""
    if "dose" not in found:
        return []
    dose = found["dose"]
    referred = dose.found["plans"]
    if not referred:
        what = "The dose does not say which plan it belongs to."
        return [Fault(Reason.PLAN_REFERENCE_MISSING, dose.name, what)]
    if "plan" not in found:
        return []
    plan = found["plan"].identity["SOPInstanceUID"]
    if set(referred) == {plan}:
        return []
    what = f"The dose refers to plan {_list(referred)}; the plan in the set is {plan}."
    return [Fault(Reason.PLAN_DIFFERS, f"{dose.name} and {found['plan'].name}", what)]


def dose_of_whole_plan(found: Set) -> list[Fault]:
    """Check that the dose is that of the whole plan: no beam, fraction or sum of plans (REQ-003).

    PS3.3, C.8.8.3: PLAN is the dose of all fraction groups of one plan. An absent type is a missing
    value of the dose itself.
    """
    said = found["dose"].found["DoseSummationType"] if "dose" in found else None
    if said in (None, "", "PLAN"):
        return []
    what = f"DoseSummationType is {said[:40]}; only PLAN is the dose of the whole plan."
    return [Fault(Reason.DOSE_NOT_WHOLE_PLAN, found["dose"].name, what)]


def structures_of_plan(found: Set) -> list[Fault]:
    """Check that the structure set is the one that plan and dose refer to (REQ-003)."""
    if "structures" not in found:
        return []
    uid = found["structures"].identity["SOPInstanceUID"]
    both = [found[kind] for kind in ("plan", "dose") if kind in found]
    if len(both) == 2 and not any(raw.found["structure_sets"] for raw in both):
        what = "Neither the plan nor the dose says which structure set it belongs to."
        return [Fault(Reason.STRUCTURE_SET_REFERENCE_MISSING, found["plan"].name, what)]
    faults = []
    for kind in ("plan", "dose"):
        if kind in found:
            referred = found[kind].found["structure_sets"]
            if referred and uid not in referred:
                where = f"{found[kind].name} and {found['structures'].name}"
                what = f"The {NAMES[kind]} refers to structure set {_list(referred)}; "
                what += f"the one in the set is {uid}."
                faults.append(Fault(Reason.STRUCTURE_SET_DIFFERS, where, what))
    return faults


def _name(stated: str | None) -> str:
    """Return a person's name as it compares: letters without case, empty ends left out.

    PS3.5, 6.2.1.1: what stands behind ``=`` writes the same name in other characters.
    """
    parts = (stated or "").split("=")[0].casefold().split("^")
    return "^".join(" ".join(part.split()) for part in parts).rstrip("^")


def same_patient(found: Set) -> list[Fault]:
    """Check that all objects name the same patient and study."""
    faults = []
    for attribute, code in (
        ("PatientID", Reason.PATIENT_DIFFERS),
        ("PatientName", Reason.PATIENT_DIFFERS),
        ("PatientBirthDate", Reason.PATIENT_DIFFERS),
        ("StudyInstanceUID", Reason.STUDY_DIFFERS),
    ):
        stated = {raw.name: raw.identity[attribute] for raw in found.values()}
        if attribute == "PatientName":
            stated = {file: _name(name) for file, name in stated.items()}
        if len({value for value in stated.values() if value}) > 1:
            # The values themselves stay out of the message: it may be logged.
            what = f"{attribute} differs between " + ", ".join(sorted(stated)) + "."
            faults.append(Fault(code, "the set", what))
    return faults


def identity_present(found: Set) -> list[Fault]:
    """Check that every object says whose it is."""
    faults = []
    for raw in found.values():
        empty = [name for name in IDENTITY_ATTRIBUTES if not raw.identity[name]]
        if empty:
            what = ", ".join(empty) + (" is" if len(empty) == 1 else " are") + " missing or empty."
            faults.append(Fault(Reason.IDENTITY_MISSING, raw.name, what))
    return faults


CHECKS = (
    missing_objects,
    frame_of_reference,
    plan_of_dose,
    dose_of_whole_plan,
    structures_of_plan,
    same_patient,
    identity_present,
)


def _list(uids: object) -> str:
    return (
        ", ".join(sorted(str(uid) for uid in uids)) if isinstance(uids, (set, list)) else str(uids)
    )
