"""Numerical comparison: metrics of published data against declared expectations.

Published data often have no plan and no identity. This entry point accepts them, and its results
say what it is; clinical data go through `engine.intake`, which refuses what is missing here.
"""

from dataclasses import dataclass
from pathlib import Path

from engine.dicom.sandbox import Reader
from engine.dose.compute import DoseResult, compute
from engine.errors import Fault, Reason, Refusal, refuse
from engine.intake.intake import files_of
from engine.published import Expectations, Expected


@dataclass(frozen=True)
class Comparison:
    """One figure beside its expectation. ``actual`` is None when it was refused or withheld."""

    expected: Expected
    actual: float | None
    bound: float | None
    fault: Fault | None

    @property
    def within(self) -> bool:
        """Whether the figure lies within its tolerance."""
        return (
            self.actual is not None
            and abs(self.actual - self.expected.value) <= self.expected.tolerance
        )


@dataclass(frozen=True, eq=False)
class ComparisonResult:
    """All comparisons of one data set, with the result they were taken from."""

    expectations: Expectations
    comparisons: tuple[Comparison, ...]
    dose_result: DoseResult

    @property
    def passed(self) -> bool:
        """Whether there were figures and every one lies within its tolerance."""
        return bool(self.comparisons) and all(c.within for c in self.comparisons)


def _inside(folder: Path, name: str) -> Path:
    """Return a file of the folder by its plain name; a path that leads elsewhere is refused."""
    if Path(name).name != name or name not in {path.name for path in files_of(folder)}:
        raise refuse(
            Reason.FILE_MISSING, str(folder / name), "There is no such file in the folder."
        )
    return folder / name


def compare(
    folder: Path | str, expectations: Expectations, reader: Reader | None = None
) -> ComparisonResult:
    """Calculate the declared metrics from the files of a folder and set them beside each other.

    Raises
    ------
    Refusal
        When the files cannot be used at all. A single refused structure or withheld metric is a
        comparison without a value, which does not pass.
    """
    home = Path(folder)
    if not home.is_dir():
        raise refuse(Reason.FILE_MISSING, str(home), "There is no such folder.")
    metrics = tuple(dict.fromkeys(item.metric for item in expectations.expected))
    result = compute(
        _inside(home, expectations.files["structures"]),
        _inside(home, expectations.files["dose"]),
        metrics=metrics,
        rois=tuple(dict.fromkeys(item.structure for item in expectations.expected)),
        parameters=expectations.parameters,
        reader=reader,
    )
    return ComparisonResult(
        expectations, tuple(_compare(item, result) for item in expectations.expected), result
    )


def _compare(expected: Expected, result: DoseResult) -> Comparison:
    try:
        metric = result.structure(expected.structure).metric(expected.metric)
    except Refusal as refusal:
        return Comparison(expected, None, None, refusal.faults[0])
    return Comparison(expected, metric.value, metric.bound, metric.withheld)
