"""The slab model: volumes of each end cap and rule between planes, gaps and single planes."""

import numpy as np
import pytest

from engine.dose.parameters import Between, EndCaps, Parameters
from engine.dose.rings import Plane
from engine.dose.slabs import build_body, cut_spans
from engine.errors import Reason, Refusal


def planes(*heights: float) -> list[Plane]:
    ring = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])
    return [Plane(z, (ring,), 100.0) for z in heights]


@pytest.mark.parametrize(
    ("caps", "thickness"),
    [(EndCaps.HALF, 12.0), (EndCaps.NONE, 9.0), (EndCaps.ROUNDED, 9.0 + 2 * 1.5 * 2 / 3)],
)
@pytest.mark.parametrize("between", list(Between))
def test_end_caps_decide_the_volume_and_the_rule_between_does_not(
    caps: EndCaps, thickness: float, between: Between
) -> None:
    body = build_body(planes(0, 3, 6, 9), Parameters(end_caps=caps, between=between), "x")

    assert body.volume_mm3 == pytest.approx(100 * thickness)


def test_uneven_planes_share_the_space_between_them() -> None:
    body = build_body(planes(0, 3, 4, 7), Parameters(), "x")

    assert body.volume_mm3 == pytest.approx(100 * (1.5 + 7 + 1.5))


def test_a_wide_gap_makes_two_parts() -> None:
    body = build_body(planes(0, 3, 6, 30, 33, 36), Parameters(), "x")

    assert body.parts == 2
    assert body.volume_mm3 == pytest.approx(100 * 18)


def test_a_single_plane_needs_its_slice_spacing() -> None:
    with pytest.raises(Refusal) as caught:
        build_body(planes(0), Parameters(), "x")

    assert caught.value.codes == {Reason.SINGLE_PLANE}
    known = Parameters(single_plane_thickness_mm=2.5)
    assert build_body(planes(0), known, "x").volume_mm3 == pytest.approx(250)


@pytest.mark.parametrize("between", list(Between))
@pytest.mark.parametrize("caps", list(EndCaps))
def test_cutting_spans_keeps_length_and_centroid(caps: EndCaps, between: Between) -> None:
    body = build_body(planes(0, 3, 4, 7), Parameters(end_caps=caps, between=between), "x")
    whole = cut_spans(body.spans, np.array([-50.0, 50.0]), 100.0)

    fine = cut_spans(body.spans, np.arange(-10.0, 20.0, 1.3), 0.4)

    for section in range(len(body.sections)):
        a, b = whole.section == section, fine.section == section
        assert fine.length_mm[b].sum() == pytest.approx(whole.length_mm[a].sum())
        first = np.dot(whole.length_mm[a], whole.z_mm[a])
        second = np.dot(whole.length_mm[a], whole.var_z[a] + whole.z_mm[a] ** 2)
        assert np.dot(fine.length_mm[b], fine.z_mm[b]) == pytest.approx(first)
        assert np.dot(fine.length_mm[b], fine.var_z[b] + fine.z_mm[b] ** 2) == pytest.approx(second)
