"""Synthetic sets are the same bytes for the same seed, plainly fictional, and as many as stated."""

from pydicom import dcmread

from engine.synth.faults import write_set
from engine.synth.phantoms import reference_phantoms


def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    first = [path.read_bytes() for path in write_set(tmp_path / "a")]
    second = [path.read_bytes() for path in write_set(tmp_path / "b")]
    other = [path.read_bytes() for path in write_set(tmp_path / "c", seed="8")]

    assert first == second
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_there_are_thirty_six_phantoms_of_different_names() -> None:
    assert len({made.name for made in reference_phantoms()}) == 36


def test_identity_is_plainly_fictional(tmp_path) -> None:
    for path in write_set(tmp_path):
        dataset = dcmread(path)
        assert dataset.PatientID.startswith("SYN-")
        assert "Synthetic" in str(dataset.PatientName)


def test_written_phantoms_hold_the_dose_they_stand_for(reader, tmp_path) -> None:
    from engine.dicom.read import read_dose, read_structures

    made = reference_phantoms()[20]
    files = made.write(tmp_path, "x")

    dose, structures = (
        read_dose(files["dose"], reader),
        read_structures(files["structures"], reader),
    )

    assert abs(dose.dose_gy - made.dose_gy).max() < 1e-6
    assert [len(c.points_mm) for c in structures.rois[0].contours] == [
        len(c.points_mm) for c in made.roi().contours
    ]
