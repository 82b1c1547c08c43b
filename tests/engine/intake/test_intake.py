"""Clinical intake refuses by code, tells every fault, and takes in what is whole."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.intake.intake import examine, take_in
from engine.synth.faults import SEEDED_FAULTS, SeededFault, write_set
from engine.synth.hostile import nested, truncated


def rewrite(path: Path, **values: object) -> None:
    """Change some elements of a file; None leaves the element out."""
    dataset = dcmread(path)
    for keyword, value in values.items():
        delattr(dataset, keyword) if value is None else setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)


def changed(folder: Path, name: str, **values: object) -> list[Path]:
    """A good set of which one file was changed."""
    files = write_set(folder)
    rewrite(folder / name, **values)
    return files


def test_a_set_without_fault_is_taken_in(reader: Reader, tmp_path) -> None:
    accepted = take_in(write_set(tmp_path), reader)

    assert accepted.dose.plan_uids == (accepted.plan.source.sop_instance_uid,)
    assert accepted.structures.names == ("cylinder axial 10 mm",)


@pytest.mark.parametrize("fault", SEEDED_FAULTS, ids=lambda fault: fault.name)
def test_each_seeded_fault_is_refused_with_exactly_its_codes(
    reader: Reader, tmp_path, fault: SeededFault
) -> None:
    report = examine(write_set(tmp_path, fault), reader)

    assert report.accepted is None
    assert report.codes == fault.codes
    assert all(f.what and f.next_step and f.where for f in report.faults)


def test_there_are_as_many_faults_as_the_data_set_says() -> None:
    assert len(SEEDED_FAULTS) == 55
    assert len({fault.name for fault in SEEDED_FAULTS}) == 55


@pytest.mark.parametrize(
    "said", ["BEAM", "BEAM_SESSION", "CONTROL_POINT", "FRACTION", "FRACTION_SESSION", "BRACHY",
             "MULTI_PLAN", "PLAN_OVERVIEW", "RECORD", "PLAN SUM"],
)  # fmt: skip
def test_only_the_dose_of_the_whole_plan_is_taken_in(reader: Reader, tmp_path, said: str) -> None:
    report = examine(changed(tmp_path, "rtdose.dcm", DoseSummationType=said), reader)

    assert report.codes == {Reason.DOSE_NOT_WHOLE_PLAN}
    assert said in report.faults[0].what


def test_a_dose_may_name_the_structure_set_in_place_of_its_plan(reader: Reader, tmp_path) -> None:
    files = changed(tmp_path, "rtplan.dcm", ReferencedStructureSetSequence=None)
    assert examine(files, reader).codes == {Reason.STRUCTURE_SET_REFERENCE_MISSING}

    item = dcmread(tmp_path / "rtstruct.dcm")
    reference = Dataset()
    reference.ReferencedSOPClassUID = item.SOPClassUID
    reference.ReferencedSOPInstanceUID = item.SOPInstanceUID
    rewrite(tmp_path / "rtdose.dcm", ReferencedStructureSetSequence=[reference])

    assert examine(files, reader).accepted is not None


@pytest.mark.parametrize(
    "name", ["SYNTHETIC^Phantom", "Synthetic^Phantom^^", "Synthetic ^ Phantom=ideographic"]
)
def test_another_way_of_writing_a_name_is_the_same_patient(
    reader: Reader, tmp_path, name: str
) -> None:
    assert examine(changed(tmp_path, "rtdose.dcm", PatientName=name), reader).accepted is not None


def test_another_name_under_the_same_number_is_refused_without_repeating_it(
    reader: Reader, tmp_path
) -> None:
    report = examine(changed(tmp_path, "rtdose.dcm", PatientName="Other^Person"), reader)

    assert report.codes == {Reason.PATIENT_DIFFERS}
    assert "Person" not in str(report.faults[0])


def test_a_plan_referred_to_twice_is_one_plan(reader: Reader, tmp_path) -> None:
    files = write_set(tmp_path)
    twice = list(dcmread(tmp_path / "rtdose.dcm").ReferencedRTPlanSequence) * 2
    rewrite(tmp_path / "rtdose.dcm", ReferencedRTPlanSequence=twice)

    assert examine(files, reader).accepted is not None


def test_hostile_files_in_a_set_are_told_beside_what_they_leave_missing(
    reader: Reader, tmp_path
) -> None:
    plan = next(p for p in write_set(tmp_path / "good") if p.name == "rtplan.dcm")
    files = [plan, nested(tmp_path / "deep.dcm"), truncated(tmp_path / "cut.dcm", tmp_path / "x")]

    report = examine(files, reader)

    assert [fault.code for fault in report.faults] == [
        Reason.NESTED_TOO_DEEP, Reason.TRUNCATED, Reason.OBJECT_MISSING, Reason.OBJECT_MISSING,
    ]  # fmt: skip


def test_a_second_dose_is_not_chosen_between(reader: Reader, tmp_path) -> None:
    files = write_set(tmp_path)
    second = tmp_path / "second.dcm"
    second.write_bytes(next(p for p in files if p.name == "rtdose.dcm").read_bytes())

    with pytest.raises(Refusal) as caught:
        take_in([*files, second], reader)
    assert caught.value.codes == {Reason.OBJECT_DOUBLED}


def test_identity_is_not_repeated_in_a_refusal(reader: Reader, tmp_path) -> None:
    fault = next(f for f in SEEDED_FAULTS if f.name == "dose of another patient")

    report = examine(write_set(tmp_path, fault), reader)

    assert "SYN-" not in " ".join(str(f) for f in report.faults)
