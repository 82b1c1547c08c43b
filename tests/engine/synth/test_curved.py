"""The exact answers in curved doses, held to dense sampling by means of their own."""

import numpy as np
import pytest
import shapely
from scipy.interpolate import RegularGridInterpolator

from engine.synth.curved import CurvedPhantom, curved_phantoms


def sampled(made: CurvedPhantom, across: tuple[int, int, int] = (150, 164, 60)) -> np.ndarray:
    """Dose in the middle of many equal cells of a prism."""
    ring = made.stack.layers[0].rings[0].points_mm
    low, high = made.stack.ends_mm
    sides = [*zip(ring.min(axis=0), ring.max(axis=0), strict=True), (low, high)]
    axes = [a + (np.arange(n) + 0.5) / n * (b - a) for n, (a, b) in zip(across, sides, strict=True)]
    x, y = (part.ravel() for part in np.meshgrid(axes[0], axes[1]))
    inside = shapely.contains_xy(shapely.Polygon(ring), x, y)
    field = RegularGridInterpolator((made.z_mm, made.y_mm, made.x_mm), made.dose_gy)
    x, y = x[inside], y[inside]
    return np.concatenate([field(np.column_stack([np.full(x.size, z), y, x])) for z in axes[2]])


@pytest.mark.parametrize("shift", [0.0, 0.37])
@pytest.mark.parametrize("spacing", [1.0, 3.0])
@pytest.mark.parametrize("number", range(4))
def test_exact_answers_agree_with_sampling(number: int, spacing: float, shift: float) -> None:
    made = curved_phantoms(spacing, shift)[number]
    truth, values = made.truth, sampled(made)
    low, high = truth.range_gy
    swing = high - low

    assert low <= values.min() <= low + 0.06 * swing
    assert high - 0.06 * swing <= values.max() <= high
    assert truth.mean_gy == pytest.approx(values.mean(), abs=1.5e-3 * swing)
    for dose in np.linspace(low, high, 9)[1:-1]:
        share = truth.volume_at(float(dose)) / truth.volume_mm3
        assert share == pytest.approx(np.mean(values >= dose), abs=1.5e-3)
    assert truth.volume_at(low) == pytest.approx(truth.volume_mm3)
    assert truth.volume_at(high) == pytest.approx(0.0, abs=1e-6 * truth.volume_mm3)


def test_figures_are_named_as_the_engine_names_them() -> None:
    truth = curved_phantoms(2.0)[0].truth
    d2, d98, d50 = (truth.figure(name) for name in ("D2%", "D98%", "D50%"))

    assert truth.figure("HI") == pytest.approx((d2 - d98) / d50)
    assert truth.figure(f"V{d50:.9f}Gy%") == pytest.approx(50.0, abs=1e-4)
    assert truth.figure(f"V{d50:.9f}Gycc") == pytest.approx(truth.volume_mm3 / 2000, rel=1e-6)
    assert truth.figure(f"D{truth.volume_mm3 / 50000:.9f}cc") == pytest.approx(d2)
    assert (truth.figure("Dmin"), truth.figure("Dmax")) == truth.range_gy
    assert truth.figure("Dmean") == truth.mean_gy


def test_written_phantoms_hold_the_curved_dose(reader, tmp_path) -> None:
    from engine.dicom.read import read_dose

    for number, made in enumerate(curved_phantoms(2.0, 0.37)):
        files = made.write(tmp_path / str(number), "x")

        assert abs(read_dose(files["dose"], reader).dose_gy - made.dose_gy).max() < 1e-6
