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


def test_two_contours_far_apart_are_not_one_body() -> None:
    """Their median gap is the gap itself; no image is sliced 60 mm apart."""
    with pytest.raises(Refusal, match="thickness is not known") as caught:
        build_body(planes(-30, 30), Parameters(), "x")

    assert caught.value.codes == {Reason.SINGLE_PLANE}
    known = build_body(planes(-30, 30), Parameters(slice_spacing_mm=3.0), "x")
    assert (known.parts, known.volume_mm3) == (2, pytest.approx(100 * 6))


@pytest.mark.parametrize(("apart", "parts"), [(10.0, 1), (10.5, 3)])
def test_evenly_sparse_contours_hang_together_up_to_the_widest_gap(
    apart: float, parts: int
) -> None:
    """Without the slice spacing of the images, only the absolute gap can tell."""
    heights = (0.0, apart, 2 * apart)
    if parts == 1:
        assert build_body(planes(*heights), Parameters(), "x").parts == 1
    else:
        with pytest.raises(Refusal):
            build_body(planes(*heights), Parameters(), "x")


@pytest.mark.parametrize(
    ("heights", "filled"),
    [
        ((0, 3, 6, 9, 12), ()),
        ((0, 3, 9, 12), ((3.0, 9.0),)),
        ((0, 3, 9, 12, 15, 21, 24), ((3.0, 9.0), (15.0, 21.0))),
        ((0, 2.9, 6.1, 9), ()),
    ],
)
def test_a_missing_slice_is_filled_and_told(
    heights: tuple[float, ...], filled: tuple[tuple[float, float], ...]
) -> None:
    body = build_body(planes(*heights), Parameters(), "x")

    assert tuple((gap.low_mm, gap.high_mm) for gap in body.gaps if gap.filled) == filled
    assert body.parts == 1
    ends = (heights[1] - heights[0] + heights[-1] - heights[-2]) / 2
    assert body.volume_mm3 == pytest.approx(100 * (heights[-1] - heights[0] + ends))


def test_the_slice_spacing_of_the_images_tells_what_the_contours_alone_cannot() -> None:
    """Contours on every second slice: even among themselves, but slices are missing."""
    alone = build_body(planes(0, 6, 12), Parameters(), "x")
    known = build_body(planes(0, 6, 12), Parameters(slice_spacing_mm=3.0), "x")
    apart = build_body(planes(0, 9, 18), Parameters(slice_spacing_mm=3.0), "x")

    assert not alone.gaps
    assert [(gap.low_mm, gap.filled) for gap in known.gaps] == [(0.0, True), (6.0, True)]
    assert (apart.parts, apart.volume_mm3) == (3, pytest.approx(100 * 9))


def test_a_single_plane_needs_its_slice_spacing() -> None:
    with pytest.raises(Refusal) as caught:
        build_body(planes(0), Parameters(), "x")

    assert caught.value.codes == {Reason.SINGLE_PLANE}
    known = Parameters(slice_spacing_mm=2.5)
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
