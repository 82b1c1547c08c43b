"""Order the closed contours of a structure into planes of rings that add or take away area.

A ring inside an even number of others adds, inside an odd number takes away, so holes and islands
in holes come out right whatever the drawing direction. A keyhole (one ring that runs in to a hole
and back along the same way) is a ring like any other. Rings that cross are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from engine.dicom.objects import Floats, Roi
from engine.dicom.structures import PLANE_TOLERANCE_MM
from engine.errors import Fault, Reason, Refusal

CROSSING_TOLERANCE = 1e-6
"""Area, as share of a ring's own, by which rings may cross through rounding of their points;
a hundred times below the volume accuracy held."""


@dataclass(frozen=True, eq=False)
class Plane:
    """The rings of one plane, oriented so that their signed areas add up to the covered area."""

    z_mm: float
    rings: tuple[Floats, ...]
    area_mm2: float


def signed_area(ring: Floats) -> float:
    """Return the shoelace area of a closed ring, positive when it runs counter-clockwise.

    Examples
    --------
    >>> signed_area(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]]))
    2.0
    """
    x, y = (ring - ring[0]).T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def perimeter(ring: Floats) -> float:
    """Return the length of a closed ring in mm."""
    return float(np.sum(np.hypot(*(np.roll(ring, -1, axis=0) - ring).T)))


def _regions(rings: Sequence[Floats]) -> NDArray[np.object_]:
    """Return each ring's region (even-odd), mending self-touching ones such as keyholes."""
    owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    linear = shapely.linearrings(np.concatenate(rings), indices=owner)
    regions = np.asarray(shapely.polygons(linear), dtype=object)
    bad = ~shapely.is_valid(regions)
    regions[bad] = shapely.make_valid(regions[bad])
    return regions


def _depths(
    regions: NDArray[np.object_], areas: Floats, where: str, faults: list[Fault]
) -> NDArray[np.int64]:
    """Count for each ring how many others hold it, noting pairs that cross or coincide."""
    depths = np.zeros(len(areas), np.int64)
    order = np.argsort(-areas)
    tree = shapely.STRtree(regions)
    first, second = tree.query(regions, predicate="intersects")
    rank = np.empty(len(areas), np.int64)
    rank[order] = np.arange(len(areas))
    outer, inner = first[rank[first] < rank[second]], second[rank[first] < rank[second]]
    common = shapely.area(shapely.intersection(regions[outer], regions[inner]))
    for big, small, shared in zip(outer, inner, common, strict=True):
        if shared <= CROSSING_TOLERANCE * areas[small]:
            continue
        if shared < (1 - CROSSING_TOLERANCE) * areas[small]:
            what = f"Two contours cross; they share {shared:.4g} mm2 of {areas[small]:.4g} mm2."
            faults.append(Fault(Reason.RINGS_CROSS, where, what))
        elif areas[small] >= (1 - CROSSING_TOLERANCE) * areas[big]:
            what = f"The same contour of {areas[small]:.4g} mm2 stands twice."
            faults.append(Fault(Reason.RINGS_DOUBLED, where, what))
        else:
            depths[small] += 1
    return depths


def _group(roi: Roi) -> list[tuple[float, list[Floats]]]:
    """Group the contours of a structure by plane, in rising z."""
    groups: list[tuple[float, list[Floats]]] = []
    for contour in sorted(roi.contours, key=lambda contour: contour.z_mm):
        if groups and contour.z_mm - groups[-1][0] <= PLANE_TOLERANCE_MM:
            groups[-1][1].append(contour.points_mm)
        else:
            groups.append((contour.z_mm, [contour.points_mm]))
    return groups


def planes_of(roi: Roi) -> tuple[Plane, ...]:
    """Return the planes of a structure in rising z.

    Raises
    ------
    Refusal
        ROI_EMPTY, ROI_NOT_CLOSED, ROI_NO_AREA, RING_CROSSES_ITSELF, RINGS_CROSS or RINGS_DOUBLED,
        every fault of every plane.
    """
    if not roi.contours:
        code = Reason.ROI_NOT_CLOSED if roi.other_contours else Reason.ROI_EMPTY
        kinds = ", ".join(f"{n} x {kind}" for kind, n in roi.other_contours.items())
        what = f"It has no closed contour ({kinds})." if kinds else "It has no contour."
        raise Refusal([Fault(code, f"structure {roi.name}", what)])
    groups = _group(roi)
    rings = [ring for _, members in groups for ring in members]
    regions = _regions(rings)
    areas = shapely.area(regions)
    signed = np.array([signed_area(ring) for ring in rings])
    faults: list[Fault] = []
    planes = []
    at = 0
    for z, members in groups:
        here = slice(at, at + len(members))
        at += len(members)
        where = f"structure {roi.name}, plane z = {z:g} mm"
        for area, ring_area in zip(areas[here], signed[here], strict=True):
            if area == 0.0:
                faults.append(Fault(Reason.ROI_NO_AREA, where, "A contour encloses no area."))
            elif abs(abs(ring_area) - area) > CROSSING_TOLERANCE * area:
                what = f"A contour of {area:.4g} mm2 crosses itself."
                faults.append(Fault(Reason.RING_CROSSES_ITSELF, where, what))
        if len(members) == 1:
            depths = np.zeros(1, np.int64)
        else:
            depths = _depths(regions[here], areas[here], where, faults)
        wanted = np.where(depths % 2 == 0, 1.0, -1.0)
        turned = [
            ring if want * area > 0 else ring[::-1]
            for ring, want, area in zip(members, wanted, signed[here], strict=True)
        ]
        planes.append(Plane(z, tuple(turned), float(np.sum(wanted * np.abs(signed[here])))))
    if faults:
        raise Refusal(faults)
    return tuple(planes)
