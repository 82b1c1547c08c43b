"""The parameters of a dose-volume calculation, recorded with every result."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class EndCaps(StrEnum):
    """What lies beyond the first and the last contour of a structure.

    ``half``: the outermost contour is continued by half the distance to its neighbour.
    ``none``: the structure ends at its outermost contours.
    ``rounded``: as half, closed by an ellipsoidal cap (two thirds of the half slab's volume).
    """

    HALF = "half"
    NONE = "none"
    ROUNDED = "rounded"


class Between(StrEnum):
    """What lies between two contoured planes.

    ``slab``: each contour holds up to the middle between planes.
    ``linear``: the coverage changes linearly from one plane to the next. Volumes are equal under
    both; doses differ where the shape changes between planes.
    """

    SLAB = "slab"
    LINEAR = "linear"


@dataclass(frozen=True)
class Parameters:
    """Everything that decides a dose-volume figure besides its input.

    Parameters
    ----------
    end_caps, between
        The slab model; the largest single lever against a planning system's own figures.
    slice_spacing_mm
        Slice spacing of the images, where it is known: the thickness of a structure drawn on one
        plane, which is refused without it, and what gaps are measured by in place of the median
        distance of the planes.
    split_gap_factor
        A gap wider than so many spacings separates two parts of a structure.
    widest_gap_mm
        So does a wider gap than this where the slice spacing is not known: two slices of the
        coarsest planning images. Few or sparse contours cannot tell by themselves.
    cells_across
        Sampling cells wanted across a structure (4 x area / perimeter).
    cells_per_dose_spacing
        Most sampling cells per dose spacing; a finer grid would only repeat the interpolation.
    bins
        Histogram bins between the lowest and the highest dose around the structure.
    limit_v_percent
        A V metric with a wider bound, in percent of the structure volume, is withheld (REQ-011).
    limit_d_mm
        A D metric whose bound exceeds this length times the local gradient is withheld (REQ-011),
    limit_d_gy
        unless the bound is within this dose: where the dose is flat, a shift in space changes
        nothing, and a hundredth of a gray is the last digit a planning system shows.
    """

    end_caps: EndCaps = EndCaps.HALF
    between: Between = Between.SLAB
    slice_spacing_mm: float | None = None
    split_gap_factor: float = 2.5
    widest_gap_mm: float = 10.0
    cells_across: int = 24
    cells_per_dose_spacing: int = 12
    bins: int = 65536
    limit_v_percent: float = 0.4
    limit_d_mm: float = 0.10
    limit_d_gy: float = 0.01

    def as_dict(self) -> dict[str, object]:
        """Return the parameters as plain JSON values."""
        return {name: str(v) if isinstance(v, StrEnum) else v for name, v in asdict(self).items()}


ECLIPSE_LIKE = Parameters(end_caps=EndCaps.NONE)
"""Without end caps, most structures agree with Eclipse's own volumes within 1 %."""
