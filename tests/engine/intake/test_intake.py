"""Clinical intake refuses by code, tells every fault, and takes in what is whole."""

import pytest

from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.intake.intake import examine, take_in
from engine.synth.faults import SEEDED_FAULTS, SeededFault, write_set
from engine.synth.hostile import nested, truncated


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
    assert len(SEEDED_FAULTS) == 48
    assert len({fault.name for fault in SEEDED_FAULTS}) == 48


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
