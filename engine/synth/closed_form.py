"""DS-003: phantoms with exact answers, each in a folder of its own that says what it is.

Shapes in even gradients on several dose grids, boxes and a diamond in curved doses, and spheres as
small as the dose points are far apart. Whoever asks for phantoms of the set gets their exact
answers; the objects themselves are read from where the set lies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.synth.curved import curved_phantoms
from engine.synth.phantoms import DIRECTIONS, FILES, Phantom, phantom
from engine.synth.shapes import reference_shapes, sphere

NAME = "DS-003"
PLANE_SPACING_MM = 3.0

Offset = tuple[float, float, float]

ON, ASKEW, BESIDE = (0.0, 0.0, 0.0), (0.37, 0.61, 0.13), (0.5, 0.25, 0.8)
"""Where the dose points lie relative to the shape, as share of their spacing."""

LINEAR: tuple[tuple[float, Offset], ...] = (
    (1.0, ON),
    (1.0, ASKEW),
    (2.0, ON),
    (2.0, ASKEW),
    (2.0, BESIDE),
    (3.0, ON),
    (3.0, BESIDE),
)
"""Spacing of the dose points in mm, and where they lie."""

CURVED = ((1.0, 0.37), (2.0, 0.0), (3.0, 0.37))
"""Spacing of the dose points in mm, and their shift as share of it."""

TINY = ((0.25, 5.0), (0.5, 5.0), (1.0, 5.0), (2.0, 5.0), (12.0, 5.0), (0.5, 1.0), (3.0, 1.0))
"""Radius of a sphere and spacing of the dose points, both in mm."""


@dataclass(frozen=True)
class Member:
    """One phantom of the set.

    Attributes
    ----------
    folder : str
        Where it lies below the folder of the set.
    """

    folder: str
    phantom: Phantom

    def write(self, place: Path) -> dict[str, Path]:
        """Write it where it belongs below a folder; return its files by kind."""
        return self.phantom.write(place / self.folder, f"{NAME} {self.folder}")

    def files(self, place: Path) -> dict[str, Path]:
        """Return where its files lie below a folder, by kind.

        Raises
        ------
        FileNotFoundError
            If one is missing; all are named.
        """
        found = {kind: place / self.folder / name for kind, name in FILES.items()}
        missing = [str(path) for path in found.values() if not path.is_file()]
        if missing:
            raise FileNotFoundError(f"{NAME} is not whole; missing: {', '.join(missing)}.")
        return found


def linear(grid_mm: float, offset: Offset = ON) -> list[Member]:
    """Return the twelve shapes in 1 Gy/mm on one dose grid, directions in turn.

    Raises
    ------
    LookupError
        If the set has no such grid.
    """
    _known((grid_mm, offset), LINEAR)
    turn = int(grid_mm) + int(10 * offset[0])
    place = f"linear/{grid_mm:g}-mm-at-{'-'.join(f'{part:g}' for part in offset)}"
    return [
        Member(
            f"{place}/{_spelt(stack.name)}",
            phantom(stack, grid_mm, DIRECTIONS[(index + turn) % len(DIRECTIONS)], offset),
        )
        for index, stack in enumerate(reference_shapes(PLANE_SPACING_MM))
    ]


def curved(grid_mm: float, shift: float) -> list[Member]:
    """Return a box in each curved dose and a diamond in the saddle, on one dose grid.

    Raises
    ------
    LookupError
        If the set has no such grid.
    """
    _known((grid_mm, shift), CURVED)
    place = f"curved/{grid_mm:g}-mm-at-{shift:g}"
    return [Member(f"{place}/{_spelt(one.name)}", one) for one in curved_phantoms(grid_mm, shift)]


def tiny(radius_mm: float, grid_mm: float) -> Member:
    """Return a sphere in 1 Gy/mm on a coarse or a fine dose grid.

    Raises
    ------
    LookupError
        If the set has no such sphere.
    """
    _known((radius_mm, grid_mm), TINY)
    stack = sphere(radius_mm, min(2.0, radius_mm / 1.5))
    made = phantom(stack, grid_mm, DIRECTIONS[4], ASKEW)
    return Member(f"tiny/{radius_mm:g}-mm-sphere-{grid_mm:g}-mm-grid", made)


def members() -> Iterator[Member]:
    """Yield every phantom of the set."""
    for grid_mm, offset in LINEAR:
        yield from linear(grid_mm, offset)
    for grid_mm, shift in CURVED:
        yield from curved(grid_mm, shift)
    for radius_mm, grid_mm in TINY:
        yield tiny(radius_mm, grid_mm)


def _known(asked: tuple[object, ...], held: tuple[tuple[object, ...], ...]) -> None:
    if asked not in held:
        raise LookupError(f"{NAME} holds nothing for {asked}; it holds {', '.join(map(str, held))}")


def _spelt(name: str) -> str:
    return "-".join(name.replace(",", " ").split())
