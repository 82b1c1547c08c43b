"""Named dose-volume metrics, each with a numerical error bound, withheld where that is too wide.

``Dmean``, ``Dmin``, ``Dmax`` (Gy); ``Dx%`` and ``Dxcc``: the largest dose that this part of the
structure receives; ``VxGy%`` and ``VxGycc``: the part that receives at least this dose; ``HI``:
(D2% - D98%) / D50% (ICRU report 83). Percentages are of the structure's volume on the dose grid.

The bound is numerical: how far the figure may lie from that of the contour stack in the trilinear
dose field. ``Dmin`` and ``Dmax`` are exact but for rounding. For the others it is made of the
difference between two sampling spacings (the largest one within a sampling cell's worth of dose, so
that a chance agreement at one point does not count) and the width of a bin; for all, of whatever
the part of the structure without dose could change.
"""

import re
from dataclasses import dataclass

import numpy as np

from engine.dose.dvh import ROUNDING_GY, StructureDvh
from engine.dose.histogram import Curve
from engine.dose.parameters import Parameters
from engine.errors import Fault, Reason, refuse

PATTERN = re.compile(
    r"(?P<kind>D)(?P<size>\d+(?:\.\d+)?)(?P<unit>%|cc)"
    r"|(?P<vkind>V)(?P<dose>\d+(?:\.\d+)?)Gy(?P<vunit>%|cc)?"
    r"|(?P<name>Dmean|Dmin|Dmax|HI)"
)
DEFAULT_METRICS = (
    "Dmean", "Dmin", "Dmax", "D99%", "D98%", "D95%", "D50%", "D5%", "D2%", "D1%", "D0.03cc", "HI",
)  # fmt: skip
EXACT = frozenset({"Dmin", "Dmax"})
"""Read off the field itself, so that finer sampling cannot change them."""
WINDOW_POINTS = 33
SHAPE_FACTOR = 0.3
"""Share of a cell's dose by which cut cells may mislead, divided by the cells across a structure;
covers every reference case down to spheres smaller than a sampling cell."""


def _parsed(name: str) -> re.Match[str]:
    match = PATTERN.fullmatch(name)
    if match is None:
        raise refuse(Reason.METRIC_UNKNOWN, name, f"There is no metric called {name!r}.")
    return match


def unit_of(name: str) -> str:
    """Return the unit of a metric: Gy, %, cc, or nothing for the homogeneity index.

    Raises
    ------
    Refusal
        METRIC_UNKNOWN when there is no metric of that name.
    """
    match = _parsed(name)
    if match["vkind"]:
        return match["vunit"] or "%"
    return "" if name == "HI" else "Gy"


@dataclass(frozen=True)
class Metric:
    """One figure: value, unit, bound and limit in the same unit, or why it is withheld.

    ``value`` is None exactly when ``withheld`` says why.
    """

    name: str
    value: float | None
    unit: str
    bound: float | None
    limit: float | None
    withheld: Fault | None = None

    @property
    def shown(self) -> bool:
        """Whether the figure may be shown."""
        return self.withheld is None

    def as_dict(self) -> dict[str, object]:
        """Return the metric as plain JSON values."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "bound": self.bound,
            "limit": self.limit,
            "withheld": None if self.withheld is None else self.withheld.as_dict(),
        }


@dataclass(frozen=True)
class _Figure:
    value: float
    bound: float
    limit: float


class MetricReader:
    """Reads metrics of one structure from its histogram."""

    def __init__(self, dvh: StructureDvh, parameters: Parameters) -> None:
        self._dvh = dvh
        self._parameters = parameters

    def metric(self, name: str) -> Metric:
        """Return a metric by its name.

        Raises
        ------
        Refusal
            METRIC_UNKNOWN when there is no metric of that name.
        """
        match = _parsed(name)
        if match["name"] == "HI":
            return self._homogeneity()
        if match["vkind"]:
            return self._volume_metric(name, float(match["dose"]), unit_of(name))
        if match["name"]:
            figure: _Figure | Fault = self._plain_dose(match["name"])
        else:
            figure = self._dose_to(name, float(match["size"]), match["unit"])
        return self._judged(name, "Gy", figure)

    def _judged(self, name: str, unit: str, figure: _Figure | Fault) -> Metric:
        if isinstance(figure, Fault):
            return Metric(name, None, unit, None, None, figure)
        if figure.bound <= figure.limit:
            return Metric(name, float(figure.value), unit, float(figure.bound), figure.limit)
        what = f"Its error bound {figure.bound:.3g} {unit} exceeds {figure.limit:.3g} {unit}."
        fault = Fault(Reason.BOUND_TOO_WIDE, f"structure {self._dvh.name}, {name}", what)
        return Metric(name, None, unit, float(figure.bound), figure.limit, fault)

    def _reach_gy(self, dose_gy: float) -> float:
        """Return the dose across one coarse sampling cell near a dose."""
        histogram = self._dvh.histogram
        return max(2 * self._dvh.step_mm * histogram.gradient_at(dose_gy), 2 * histogram.width)

    def _shape_gy(self, dose_gy: float) -> float:
        """Return what the unknown shape of cut cells may do to a dose where few cells fit across.

        Both spacings can agree by chance when a structure fills a cell or two; this cannot shrink.
        """
        dvh = self._dvh
        cells_across = dvh.breadth_mm / dvh.step_mm
        return SHAPE_FACTOR * dvh.step_mm * dvh.histogram.gradient_at(dose_gy) / cells_across

    def _dose_limit(self, dose_gy: float) -> float:
        gradient = self._dvh.histogram.gradient_at(dose_gy)
        return max(self._parameters.limit_d_mm * gradient, self._parameters.limit_d_gy)

    def _plain_dose(self, name: str) -> _Figure:
        dvh = self._dvh
        missing = dvh.outside_mm3 / dvh.volume_mm3
        if name == "Dmean":
            unknown = missing * max(dvh.highest_gy, 1.0)
            bound = abs(dvh.mean_gy - dvh.mean_coarse_gy) + dvh.histogram.width + unknown
            return _Figure(dvh.mean_gy, bound, self._dose_limit(dvh.mean_gy))
        value = dvh.lowest_gy if name == "Dmin" else dvh.highest_gy
        bound = ROUNDING_GY + (max(value, 1.0) if missing else 0.0)
        return _Figure(value, bound, self._dose_limit(value))

    def _dose_to(self, name: str, size: float, unit: str) -> _Figure | Fault:
        dvh = self._dvh
        whole, inside = dvh.volume_mm3, dvh.inside_mm3
        wanted = inside * size / 100 if unit == "%" else size * 1000
        if wanted > inside * (1 + 1e-12) or wanted <= 0:
            what = f"{name} asks for {wanted / 1000:.4g} cc of {inside / 1000:.4g} cc with dose."
            return Fault(Reason.METRIC_UNDEFINED, f"structure {dvh.name}, {name}", what)
        value = dvh.dose_to(wanted)
        reach = self._reach_gy(value)
        ends = (dvh.fine.volume_at(value + reach), dvh.fine.volume_at(value - reach))
        volumes = np.linspace(*ends, WINDOW_POINTS)
        # Stay clear of the very ends of the curve, where single cells decide.
        volumes = np.append(np.clip(volumes, wanted / 2, (wanted + inside) / 2), wanted)
        difference = max(abs(dvh.fine.dose_to(v) - dvh.coarse.dose_to(v)) for v in volumes)
        difference = max(difference, self._shape_gy(value))
        missing = 0.0
        if dvh.outside_mm3 > 0.0:
            most = whole * size / 100 if unit == "%" else wanted
            cold = dvh.fine.dose_to(min(most, inside))
            hot = dvh.fine.dose_to(max(most - dvh.outside_mm3, 0.0))
            missing = max(abs(cold - value), abs(hot - value))
        bound = difference + dvh.histogram.width + missing
        return _Figure(value, bound, self._dose_limit(value))

    def _volume_metric(self, name: str, dose_gy: float, unit: str) -> Metric:
        dvh = self._dvh
        volume = dvh.volume_at(dose_gy)
        reach = self._reach_gy(dose_gy)
        doses = dose_gy + np.linspace(-reach, reach, WINDOW_POINTS)
        difference = np.max(np.abs(_volumes(dvh.fine, doses) - _volumes(dvh.coarse, doses)))
        shape = self._shape_gy(dose_gy)
        swing = dvh.fine.volume_at(dose_gy - shape) - dvh.fine.volume_at(dose_gy + shape)
        difference = max(float(difference), swing / 2)
        half = dvh.histogram.width / 2
        bin_drop = dvh.fine.volume_at(dose_gy - half) - dvh.fine.volume_at(dose_gy + half)
        bound = difference + bin_drop + dvh.outside_mm3
        limit = self._parameters.limit_v_percent / 100 * dvh.volume_mm3
        if unit == "cc":
            figure = _Figure(volume / 1000, bound / 1000, limit / 1000)
        else:
            share = 100 / dvh.inside_mm3
            figure = _Figure(volume * share, bound * share, self._parameters.limit_v_percent)
        return self._judged(name, unit, figure)

    def _homogeneity(self) -> Metric:
        parts = [self.metric(name) for name in ("D2%", "D98%", "D50%")]
        values = [part.value for part in parts]
        bounds = [part.bound for part in parts]
        for part in parts:
            if part.withheld is not None:
                what = f"{part.name}, which it is made of, is withheld."
                fault = Fault(part.withheld.code, f"structure {self._dvh.name}, HI", what)
                return Metric("HI", None, "", None, None, fault)
        d2, d98, d50 = (float(value or 0.0) for value in values)
        b2, b98, b50 = (float(bound or 0.0) for bound in bounds)
        if d50 <= b50:
            what = "D50% may be 0 Gy; the index divides by it."
            fault = Fault(Reason.METRIC_UNDEFINED, f"structure {self._dvh.name}, HI", what)
            return Metric("HI", None, "", None, None, fault)
        value = (d2 - d98) / d50
        return Metric("HI", value, "", (b2 + b98 + abs(value) * b50) / (d50 - b50), None)


def _volumes(curve: Curve, doses: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[
    tuple[int], np.dtype[np.float64]
]:  # fmt: skip
    return np.interp(doses, curve.dose_gy, curve.volume_mm3)


def read_metrics(
    dvh: StructureDvh, names: tuple[str, ...], parameters: Parameters
) -> tuple[Metric, ...]:
    """Read several metrics of one structure."""
    reader = MetricReader(dvh, parameters)
    return tuple(reader.metric(name) for name in names)
