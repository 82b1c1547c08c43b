"""Named metrics: their definitions, their refusals and the rule that withholds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.dicom.objects import Floats, RTStructureSet
from engine.dicom.sandbox import Reader
from engine.dose.compute import compute, compute_objects
from engine.dose.dvh import structure_dvh
from engine.dose.metrics import Metric, MetricReader
from engine.dose.parameters import EndCaps, Parameters
from engine.errors import Reason, Refusal
from engine.synth.faults import fault_named, write_set
from engine.synth.phantoms import Phantom, phantom
from engine.synth.shapes import cylinder_axial, sphere

Figures = dict[str, Metric]


def reader_of(radius: float, grid: float, spacing: float = 1.0) -> tuple[MetricReader, float]:
    made = phantom(sphere(radius, spacing), grid, (0.6, 0.0, 0.8), (0.37, 0.61, 0.13))
    dvh = structure_dvh(made.roi(), made.dose(), Parameters())
    return MetricReader(dvh, Parameters()), dvh.volume_mm3


def test_volume_metrics_in_percent_and_cc_agree() -> None:
    figures, volume = reader_of(12.0, 2.0)

    percent, cc = figures.metric("V101Gy%"), figures.metric("V101Gycc")

    assert percent.value / 100 * volume / 1000 == pytest.approx(cc.value)
    assert figures.metric("V101Gy").value == percent.value


def test_dose_to_a_part_in_percent_and_cc_agree() -> None:
    figures, volume = reader_of(12.0, 2.0)

    assert figures.metric("D50%").value == pytest.approx(
        figures.metric(f"D{volume / 2000:.12f}cc").value
    )


def test_homogeneity_is_that_of_icru_83() -> None:
    figures, _ = reader_of(12.0, 2.0)
    d2, d98, d50 = (figures.metric(name).value for name in ("D2%", "D98%", "D50%"))

    assert figures.metric("HI").value == pytest.approx((d2 - d98) / d50)


def test_a_dose_to_more_than_there_is_is_undefined() -> None:
    figures, _ = reader_of(3.0, 1.0)

    metric = figures.metric("D2cc")

    assert metric.value is None
    assert metric.withheld.code == Reason.METRIC_UNDEFINED


@pytest.mark.parametrize("name", ["D95", "V20", "Dmode", "D-5%", "V20Gy%%", ""])
def test_an_unknown_metric_is_refused(name: str) -> None:
    figures, _ = reader_of(3.0, 1.0)

    with pytest.raises(Refusal) as caught:
        figures.metric(name)
    assert caught.value.codes == {Reason.METRIC_UNKNOWN}


@pytest.mark.parametrize(
    ("radius", "name"),
    [(0.25, "D95%"), (0.25, "D1%"), (0.5, "V100Gy%"), (0.5, "V100Gycc"), (2.0, "V100Gy%")],
)
def test_a_tiny_structure_on_a_coarse_grid_gives_no_number(radius: float, name: str) -> None:
    figures, _ = reader_of(radius, 5.0, radius / 1.5)

    metric = figures.metric(name)

    assert metric.value is None
    assert metric.withheld.code == Reason.BOUND_TOO_WIDE
    assert metric.bound > metric.limit


def test_limits_are_those_of_the_parameters() -> None:
    figures, volume = reader_of(12.0, 2.0)

    assert figures.metric("V100Gy%").limit == 0.4
    assert figures.metric("V100Gycc").limit == pytest.approx(0.004 * volume / 1000)
    assert figures.metric("D95%").limit == pytest.approx(0.10, abs=1e-4)  # 1 Gy/mm


def test_a_file_pair_gives_figures_with_their_provenance(reader: Reader, tmp_path) -> None:
    files = {path.name: path for path in write_set(tmp_path)}
    chosen = Parameters(end_caps=EndCaps.NONE)

    result = compute(
        files["rtstruct.dcm"], files["rtdose.dcm"], metrics=("Dmean", "V100Gy%"),
        parameters=chosen, reader=reader,
    )  # fmt: skip

    (structure,) = result.structures
    assert structure.metric("Dmean").shown
    assert [item["file"] for item in result.provenance.inputs] == ["rtstruct.dcm", "rtdose.dcm"]
    assert all(len(item["sha256"]) == 64 for item in result.provenance.inputs)
    assert result.provenance.parameters["end_caps"] == "none"
    again = compute(
        files["rtstruct.dcm"], files["rtdose.dcm"], metrics=("Dmean", "V100Gy%"),
        parameters=chosen, reader=reader,
    )  # fmt: skip
    assert again.as_dict() == result.as_dict()


def test_every_fault_of_both_files_is_told_at_once(reader: Reader, tmp_path) -> None:
    broken = {p.name: p for p in write_set(tmp_path / "a", fault_named("contour tilted"))}
    scaled = {p.name: p for p in write_set(tmp_path / "b", fault_named("scaling a word"))}

    with pytest.raises(Refusal) as caught:
        compute(broken["rtstruct.dcm"], scaled["rtdose.dcm"], metrics=("Dwhat",), reader=reader)

    assert caught.value.codes == {
        Reason.CONTOUR_NOT_AXIAL, Reason.VALUE_NOT_NUMERIC, Reason.METRIC_UNKNOWN,
    }  # fmt: skip


def test_structures_in_another_frame_are_never_calculated(reader: Reader, tmp_path) -> None:
    files = {p.name: p for p in write_set(tmp_path, fault_named("dose in another frame"))}

    with pytest.raises(Refusal) as caught:
        compute(files["rtstruct.dcm"], files["rtdose.dcm"], reader=reader)
    assert caught.value.codes == {Reason.FRAME_OF_REFERENCE_DIFFERS}


def test_a_structure_that_is_not_there_is_named_with_those_that_are(
    reader: Reader, tmp_path
) -> None:
    files = {p.name: p for p in write_set(tmp_path)}

    with pytest.raises(Refusal, match="there are: cylinder axial 10 mm") as caught:
        compute(files["rtstruct.dcm"], files["rtdose.dcm"], rois=("Rectum",), reader=reader)
    assert caught.value.codes == {Reason.ROI_NOT_FOUND}


def cylinder_in(values_of: Callable[[Phantom], Floats], radius: float, grid: float) -> Figures:
    made = phantom(cylinder_axial(radius, 40.0, 2.0), grid)
    dose = replace(made.dose(), dose_gy=values_of(made))
    structures = RTStructureSet(dose.source, "", ("frame",), (made.roi(),))
    result = compute_objects(structures, dose, parameters=Parameters())
    return {metric.name: metric for metric in result.structures[0].metrics}


def test_an_even_dose_with_one_hot_point_keeps_its_figures() -> None:
    """Where the dose is flat the limit in mm would be 0 Gy; a hundredth of a gray is kept to."""

    def hot(made: Phantom) -> Floats:
        values = np.full(made.dose_gy.shape, 50.0)
        values[tuple(side // 2 for side in values.shape)] = 60.0
        return values

    found = cylinder_in(hot, 20.0, 2.5)

    assert found["Dmean"].limit == 0.01
    # The hot point adds 10 Gy times the volume of one voxel to 50 Gy.
    volume = phantom(cylinder_axial(20.0, 40.0, 2.0), 2.5).truth.volume_mm3
    assert found["Dmean"].value == pytest.approx(50.0 + 10.0 * 2.5**3 / volume, abs=1e-9)
    assert (found["Dmin"].value, found["Dmax"].value) == pytest.approx((50.0, 60.0))
    for name in ("D99%", "D98%", "D95%", "D50%", "D5%", "D2%"):
        assert found[name].value == pytest.approx(50.0, abs=found[name].bound)
        assert found[name].bound <= 0.01


def test_a_flat_limit_can_be_chosen() -> None:
    made = phantom(sphere(12.0, 2.0), 2.0)
    even = replace(made.dose(), dose_gy=np.full(made.dose_gy.shape, 50.0))
    figures = MetricReader(structure_dvh(made.roi(), even, Parameters()), Parameters(limit_d_gy=0))

    assert figures.metric("Dmean").withheld.code == Reason.BOUND_TOO_WIDE


def test_a_large_structure_in_a_curved_dose_is_sampled_finely_enough_to_be_shown() -> None:
    """On cells as large as voxels, D2% and D1% near the flat top would be withheld."""

    def dome(made: Phantom) -> Floats:
        x, y, z = made.x_mm[None, None, :], made.y_mm[None, :, None], made.z_mm[:, None, None]
        return 60.0 * np.exp(-((x - 9.0) ** 2 + y**2 + z**2) / (2 * 40.0**2))

    found = cylinder_in(dome, 65.0, 2.5)

    assert [name for name, metric in found.items() if metric.value is None] == []


def test_gaps_between_contours_are_told_beside_the_figures() -> None:
    made = phantom(cylinder_axial(12.0, 60.0, 3.0), 2.0)
    whole = made.roi()

    def notes_without(*missing: int) -> str:
        kept = tuple(c for number, c in enumerate(whole.contours) if number not in missing)
        structures = RTStructureSet(
            made.dose().source, "", ("frame",), (replace(whole, contours=kept),)
        )
        result = compute_objects(structures, made.dose(), parameters=Parameters())
        return " ".join(result.structures[0].notes)

    z = [contour.z_mm for contour in whole.contours]
    assert notes_without() == ""
    one = f"Contours are missing between z = {z[4]:g} and {z[6]:g} mm (2 x 3 mm)"
    assert notes_without(5).startswith(one)
    assert "filled" in notes_without(5)
    assert f"z = {z[4]:g} and {z[6]:g} mm (2 x 3 mm), {z[9]:g} and" in notes_without(5, 10)
    apart = notes_without(5, 6)
    assert f"between z = {z[4]:g} and {z[7]:g} mm (3 x 3 mm)" in apart
    assert "2 separate parts" in apart
