"""Reference shapes as stacks of contours, each ring with the sign it has by construction.

The signs let the truth be worked out without the engine's own nesting rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.dicom.objects import Floats

POINTS = 256
"""Points per circle. The truth is that of the polygons, so their number is free."""
DECIMALS = 6
"""Decimals written to the file, and used here, so that file and truth hold the same points."""


@dataclass(frozen=True, eq=False)
class SignedRing:
    """A closed ring and whether it adds (+1) or takes away (-1)."""

    points_mm: Floats
    sign: int


@dataclass(frozen=True, eq=False)
class Layer:
    """The rings of one plane."""

    z_mm: float
    rings: tuple[SignedRing, ...]


@dataclass(frozen=True, eq=False)
class Stack:
    """A reference shape: a name and its planes in rising z, ``spacing_mm`` apart."""

    name: str
    spacing_mm: float
    layers: tuple[Layer, ...]

    @property
    def points_mm(self) -> Floats:
        """All points of the stack, shape (n, 2)."""
        return np.concatenate([ring.points_mm for layer in self.layers for ring in layer.rings])

    @property
    def ends_mm(self) -> tuple[float, float]:
        """Where the half slabs beyond the first and the last plane end, in z."""
        z = [layer.z_mm for layer in self.layers]
        return z[0] - 0.5 * (z[1] - z[0]), z[-1] + 0.5 * (z[-1] - z[-2])


def _ellipse(half_x: float, half_y: float, x: float = 0.0, y: float = 0.0) -> Floats:
    angle = 2 * np.pi * (np.arange(POINTS) + 0.25) / POINTS
    points = np.column_stack([x + half_x * np.cos(angle), y + half_y * np.sin(angle)])
    return np.round(points, DECIMALS)


def _heights(low: float, high: float, spacing: float) -> list[float]:
    """Return plane positions: multiples of the spacing plus a quarter, inside (low, high)."""
    first = int(np.ceil(low / spacing - 0.25 + 1e-9))
    last = int(np.floor(high / spacing - 0.25 - 1e-9))
    return [round((k + 0.25) * spacing, DECIMALS) for k in range(first, last + 1)]


Section = Callable[[float], list[tuple[Floats, int]]]


def _stack(name: str, low: float, high: float, spacing: float, section: Section) -> Stack:
    layers = []
    for z in _heights(low, high, spacing):
        rings = tuple(SignedRing(points, sign) for points, sign in section(z))
        if rings:
            layers.append(Layer(z, rings))
    return Stack(name, spacing, tuple(layers))


def _disc(radius_squared: float) -> Floats | None:
    radius = float(np.sqrt(max(radius_squared, 0.0)))
    return _ellipse(radius, radius) if radius > 0.05 else None


def sphere(radius: float, spacing: float) -> Stack:
    """Return a sphere."""

    def section(z: float) -> list[tuple[Floats, int]]:
        ring = _disc(radius**2 - z**2)
        return [] if ring is None else [(ring, 1)]

    return _stack(f"sphere {radius:g} mm", -radius, radius, spacing, section)


def cylinder_axial(radius: float, length: float, spacing: float) -> Stack:
    """Return a cylinder along z."""
    return _stack(
        f"cylinder axial {radius:g} mm", -length / 2, length / 2, spacing,
        lambda _: [(_ellipse(radius, radius), 1)],
    )  # fmt: skip


def cylinder_transverse(radius: float, length: float, spacing: float) -> Stack:
    """Return a cylinder along x: each plane is a rectangle."""

    def section(z: float) -> list[tuple[Floats, int]]:
        half = float(np.sqrt(max(radius**2 - z**2, 0.0)))
        corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]
        return [(np.round(np.array(corners) * [length / 2, half], DECIMALS), 1)]

    return _stack(f"cylinder transverse {radius:g} mm", -radius, radius, spacing, section)


def cylinder_oblique(radius: float, length: float, spacing: float) -> Stack:
    """Return a cylinder leaning by 30 degrees from z, cut off at axial planes."""
    lean = np.tan(np.pi / 6)
    return _stack(
        f"cylinder oblique {radius:g} mm", -length / 2, length / 2, spacing,
        lambda z: [(_ellipse(radius / np.cos(np.pi / 6), radius, lean * z), 1)],
    )  # fmt: skip


def cone(radius: float, height: float, spacing: float) -> Stack:
    """Return a cone with its apex towards +z, centred at half height."""

    def section(z: float) -> list[tuple[Floats, int]]:
        at = radius * (0.5 - z / height)
        return [(_ellipse(at, at), 1)] if at > 0.05 else []

    return _stack(f"cone {radius:g} mm", -height / 2, height / 2, spacing, section)


def shell(radius: float, spacing: float) -> Stack:
    """Return a sphere with a concentric spherical hole of half its radius."""

    def section(z: float) -> list[tuple[Floats, int]]:
        outer, inner = _disc(radius**2 - z**2), _disc(radius**2 / 4 - z**2)
        rings = [(outer, 1), (inner, -1)]
        return [(ring, sign) for ring, sign in rings if ring is not None]

    return _stack(f"shell {radius:g} mm", -radius, radius, spacing, section)


def island(radius: float, length: float, spacing: float) -> Stack:
    """Return a tube with a smaller tube and a rod inside, and a second rod beside them."""

    def section(z: float) -> list[tuple[Floats, int]]:  # noqa: ARG001  (same in every plane)
        # Drawn in mixed directions on purpose: nesting decides, not direction.
        radii = ((1.0, 1), (0.8, -1), (0.6, 1), (0.4, -1), (0.2, 1))
        rings = [
            (_ellipse(radius * r, radius * r)[:: (-1) ** i], s) for i, (r, s) in enumerate(radii)
        ]
        beside = _ellipse(radius * 0.15, radius * 0.15, radius * 1.3, radius * 0.2)
        return [*rings, (beside, 1)]

    return _stack(f"islands {radius:g} mm", -length / 2, length / 2, spacing, section)


def keyhole(radius: float, length: float, spacing: float) -> Stack:
    """Return a tube drawn as one ring that runs in to its hole and back along the same way."""
    outer, inner = _ellipse(radius, radius), _ellipse(radius / 2, radius / 2)[::-1]
    ring = np.concatenate([outer, outer[:1], np.roll(inner, 1, axis=0), inner[-1:]])
    return _stack(f"keyhole {radius:g} mm", -length / 2, length / 2, spacing, lambda _: [(ring, 1)])


def _prism(name: str, corners: list[list[float]], length: float, spacing: float) -> Stack:
    ring = np.round(np.array(corners), DECIMALS)
    return _stack(name, -length / 2, length / 2, spacing, lambda _: [(ring, 1)])


def box(width: float, depth: float, length: float, spacing: float) -> Stack:
    """Return a box with its length along z."""
    x, y = width / 2, depth / 2
    corners = [[-x, -y], [x, -y], [x, y], [-x, y]]
    return _prism(f"box {width:g} x {depth:g} mm", corners, length, spacing)


def diamond(reach: float, length: float, spacing: float) -> Stack:
    """Return a box turned by 45 degrees: |x| + |y| <= ``reach`` in every plane."""
    corners = [[reach, 0.0], [0.0, reach], [-reach, 0.0], [0.0, -reach]]
    return _prism(f"diamond {reach:g} mm", corners, length, spacing)


def reference_shapes(spacing: float = 3.0) -> tuple[Stack, ...]:
    """Return the twelve reference shapes; small ones are contoured on 1 mm planes."""
    fine = min(spacing, 1.0)
    return (
        sphere(3.0, fine),
        sphere(6.0, fine),
        sphere(12.0, spacing),
        sphere(24.0, spacing),
        sphere(50.0, spacing),
        cylinder_axial(15.0, 40.0, spacing),
        cylinder_transverse(12.0, 40.0, spacing),
        cylinder_oblique(12.0, 40.0, spacing),
        cone(20.0, 40.0, spacing),
        shell(24.0, spacing),
        island(24.0, 30.0, spacing),
        keyhole(20.0, 30.0, spacing),
    )
