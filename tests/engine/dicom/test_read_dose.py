"""The dose grid lands where the patient is, in every axial orientation and both offset meanings."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from engine.dicom.objects import RTDose
from engine.dicom.read import read_dose, read_plan, read_structures
from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.synth.dicom import Identity, rt_dose, write
from engine.synth.faults import write_set

X, Y, Z = -10.0 + 2.0 * np.arange(5), 5.0 + 3.0 * np.arange(4), -20.0 + 2.5 * np.arange(3)
DOSE = 1.0 + X[None, None, :] * 0.01 + Y[None, :, None] * 0.1 + Z[:, None, None] * 0.001


def dataset() -> FileDataset:
    return rt_dose(Identity("orientation"), X, Y, Z, DOSE)


def oriented(row: tuple[int, int], column: tuple[int, int]) -> FileDataset:
    """Return the same dose stored with rows and columns along (axis, sign)."""
    made = dataset()
    stored = np.frombuffer(made.PixelData, "<u4").reshape(DOSE.shape)
    axes = [X, Y]
    cosines = [0.0] * 6
    cosines[row[0]], cosines[3 + column[0]] = row[1], column[1]
    normal = np.cross(cosines[:3], cosines[3:])[2]
    if row[0] == 1:
        stored = stored.transpose(0, 2, 1)
    stored = stored[:: int(normal), :: column[1], :: row[1]]
    start = [0.0, 0.0, Z[0] if normal > 0 else Z[-1]]
    for axis, sign in (row, column):
        start[axis] = axes[axis][0] if sign > 0 else axes[axis][-1]
    made.ImageOrientationPatient = [str(c) for c in cosines]
    made.ImagePositionPatient = [str(c) for c in start]
    made.Rows, made.Columns = stored.shape[1], stored.shape[2]
    steps = (2.0, 3.0)
    made.PixelSpacing = [str(steps[column[0]]), str(steps[row[0]])]
    made.GridFrameOffsetVector = ["0", "2.5", "5"]
    made.PixelData = np.ascontiguousarray(stored).tobytes()
    return made


def assert_in_place(read: RTDose) -> None:
    np.testing.assert_allclose(read.grid.x_mm, X, atol=1e-9)
    np.testing.assert_allclose(read.grid.y_mm, Y, atol=1e-9)
    np.testing.assert_allclose(read.grid.z_mm, Z, atol=1e-9)
    np.testing.assert_allclose(read.dose_gy, DOSE, atol=1e-8)


@pytest.mark.parametrize("row_sign", [1, -1])
@pytest.mark.parametrize("column_sign", [1, -1])
@pytest.mark.parametrize("row_axis", [0, 1])
def test_every_axial_orientation_gives_the_same_dose(
    reader: Reader, tmp_path: Path, row_axis: int, row_sign: int, column_sign: int
) -> None:
    """Head first supine (signs + +), prone (- -), feet first (- +), and the decubitus ones."""
    made = oriented((row_axis, row_sign), (1 - row_axis, column_sign))

    assert_in_place(read_dose(write(made, tmp_path / "dose.dcm"), reader))


def test_offsets_may_be_positions(reader: Reader, tmp_path: Path) -> None:
    made = dataset()
    made.GridFrameOffsetVector = [str(z) for z in Z]

    assert_in_place(read_dose(write(made, tmp_path / "dose.dcm"), reader))


def test_positions_are_not_guessed_on_other_axes(reader: Reader, tmp_path: Path) -> None:
    made = oriented((0, -1), (1, -1))
    made.GridFrameOffsetVector = [str(z) for z in Z]

    with pytest.raises(Refusal) as caught:
        read_dose(write(made, tmp_path / "dose.dcm"), reader)
    assert caught.value.codes == {Reason.FRAME_OFFSETS_AMBIGUOUS}


def test_planes_may_be_stored_from_the_top(reader: Reader, tmp_path: Path) -> None:
    made = dataset()
    stored = np.frombuffer(made.PixelData, "<u4").reshape(DOSE.shape)
    made.PixelData = np.ascontiguousarray(stored[::-1]).tobytes()
    made.ImagePositionPatient = [str(X[0]), str(Y[0]), str(Z[-1])]
    made.GridFrameOffsetVector = ["0", "-2.5", "-5"]

    assert_in_place(read_dose(write(made, tmp_path / "dose.dcm"), reader))


def test_planes_may_be_uneven(reader: Reader, tmp_path: Path) -> None:
    made = dataset()
    made.GridFrameOffsetVector = ["0", "1", "5"]

    read = read_dose(write(made, tmp_path / "dose.dcm"), reader)

    np.testing.assert_allclose(read.grid.z_mm, [-20, -19, -15])


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_native_transfer_syntax_gives_the_same_dose(
    reader: Reader, tmp_path: Path, syntax: str
) -> None:
    made = dataset()
    if syntax == ExplicitVRBigEndian:
        swapped = np.frombuffer(made.PixelData, "<u4").astype(">u4")
        made.PixelData = swapped.tobytes()
        made["PixelData"].VR = "OW"
    made.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "dose.dcm"
    dcmwrite(
        path,
        made,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )

    assert_in_place(read_dose(path, reader))


def test_sixteen_bit_dose_is_read(reader: Reader, tmp_path: Path) -> None:
    made = dataset()
    made.DoseGridScaling = "1e-4"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelData = np.rint(DOSE * 1e4).astype("<u2").tobytes()
    made["PixelData"].VR = "OW"

    read = read_dose(write(made, tmp_path / "dose.dcm"), reader)

    np.testing.assert_allclose(read.dose_gy, DOSE, atol=6e-5)


def test_the_wrong_object_is_named(reader: Reader, tmp_path: Path) -> None:
    path = write(dataset(), tmp_path / "dose.dcm")

    with pytest.raises(Refusal, match="It is RT Dose, not RT Plan"):
        read_plan(path, reader)
    with pytest.raises(Refusal, match="It is RT Dose, not RT Structure Set"):
        read_structures(path, reader)


def test_a_plan_says_what_it_is_for(reader: Reader, tmp_path: Path) -> None:
    files = {path.name: path for path in write_set(tmp_path)}

    plan = read_plan(files["rtplan.dcm"], reader)
    structures = read_structures(files["rtstruct.dcm"], reader)

    assert (plan.label, plan.fractions) == ("SYNTHETIC", 20)
    assert [beam.radiation_type for beam in plan.beams] == ["PHOTON"]
    assert plan.structure_set_uids == (structures.source.sop_instance_uid,)
