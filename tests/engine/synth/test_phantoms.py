"""Synthetic sets are the same bytes for the same seed, plainly fictional, and as many as stated."""

import pytest
from pydicom import dcmread

from engine.synth import closed_form
from engine.synth.faults import files_of, write_set


def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    first = [path.read_bytes() for path in write_set(tmp_path / "a")]
    second = [path.read_bytes() for path in write_set(tmp_path / "b")]
    other = [path.read_bytes() for path in write_set(tmp_path / "c", seed="8")]

    assert first == second
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_each_phantom_of_the_set_has_a_folder_of_its_own() -> None:
    held = list(closed_form.members())

    assert len(held) == 103
    assert len({member.folder for member in held}) == 103


def test_what_the_set_does_not_hold_is_refused_by_name(tmp_path) -> None:
    with pytest.raises(LookupError, match=r"DS-003 holds nothing for \(4\.0, "):
        closed_form.linear(4.0)
    with pytest.raises(FileNotFoundError, match=r"rtdose\.dcm"):
        closed_form.tiny(0.5, 5.0).files(tmp_path)
    with pytest.raises(FileNotFoundError, match="no set 'scaling tripled'"):
        files_of(tmp_path, "scaling tripled")


def test_identity_is_plainly_fictional(tmp_path) -> None:
    for path in write_set(tmp_path):
        dataset = dcmread(path)
        assert dataset.PatientID.startswith("SYN-")
        assert "Synthetic" in str(dataset.PatientName)


def test_written_phantoms_hold_the_dose_they_stand_for(reader, tmp_path) -> None:
    from engine.dicom.read import read_dose, read_structures

    member = closed_form.linear(2.0, (0.5, 0.25, 0.8))[8]
    member.write(tmp_path)
    made, files = member.phantom, member.files(tmp_path)

    dose, structures = (
        read_dose(files["dose"], reader),
        read_structures(files["structures"], reader),
    )

    assert abs(dose.dose_gy - made.dose_gy).max() < 1e-6
    assert [len(c.points_mm) for c in structures.rois[0].contours] == [
        len(c.points_mm) for c in made.roi().contours
    ]
