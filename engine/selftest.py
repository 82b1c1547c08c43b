"""Does this installation still give the reference results? Run at start and by hand.

Three phantoms with exact answers are written as DICOM, read back through the same guarded path as
any file, calculated and compared. It takes about a second and needs no data.
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.dicom.sandbox import Reader
from engine.dose.compute import compute
from engine.provenance import Provenance
from engine.synth.phantoms import Phantom, phantom
from engine.synth.shapes import cone, island, sphere

VOLUME_PERCENT = 0.01
MEAN_GY = 0.005
V_PERCENT = 0.4
D_GY = 0.10
METRICS = ("Dmean", "D99%", "D95%", "D50%", "D5%", "D1%", "V100Gy%")


@dataclass(frozen=True)
class Check:
    """One reference figure: what it is, what is expected and what came out."""

    name: str
    expected: float
    actual: float | None
    tolerance: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the figure is there and within tolerance."""
        return self.actual is not None and abs(self.actual - self.expected) <= self.tolerance

    def __str__(self) -> str:
        found = "nothing" if self.actual is None else f"{self.actual:.6g} {self.unit}"
        word = "passed" if self.passed else "FAILED"
        return (
            f"{self.name}: {found}, expected {self.expected:.6g} {self.unit} "
            f"(tolerance {self.tolerance:.3g}): {word}"
        )


@dataclass(frozen=True)
class SelfTest:
    """All checks, and the code and libraries they were made with."""

    checks: tuple[Check, ...]
    provenance: Provenance

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "passed": self.passed,
            "checks": [{**asdict(check), "passed": check.passed} for check in self.checks],
            "provenance": self.provenance.as_dict(),
        }


def _phantoms() -> tuple[Phantom, ...]:
    return (
        phantom(sphere(12.0, 3.0), 3.0, (0.48, 0.6, 0.64), (0.37, 0.61, 0.13)),
        phantom(cone(20.0, 40.0, 3.0), 2.0, (0.0, 0.6, 0.8), (0.5, 0.25, 0.8)),
        phantom(island(24.0, 30.0, 3.0), 1.0, (1.0, 0.0, 0.0)),
    )


def run_selftest() -> SelfTest:
    """Run the reference checks with this installation."""
    checks: list[Check] = []
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        for number, made in enumerate(_phantoms()):
            files = made.write(Path(folder) / str(number), "selftest")
            result = compute(files["structures"], files["dose"], metrics=METRICS, reader=reader)
            truth = made.truth
            found = result.structures[0]
            volume = truth.volume_mm3 / 1000
            within = VOLUME_PERCENT / 100 * volume
            checks.append(Check(f"{made.name}: volume", volume, found.volume_cc, within, "cc"))
            for metric in found.metrics:
                name = f"{made.name}: {metric.name}"
                if metric.name == "Dmean":
                    expected, tolerance = truth.mean_gy, MEAN_GY
                elif metric.name.startswith("D"):
                    share = float(metric.name[1:-1]) / 100
                    expected, tolerance = truth.dose_to(share * truth.volume_mm3), D_GY
                else:
                    expected = 100 * truth.volume_at(100.0) / truth.volume_mm3
                    tolerance = V_PERCENT
                checks.append(Check(name, expected, metric.value, tolerance, metric.unit))
    return SelfTest(tuple(checks), result.provenance)
