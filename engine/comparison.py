"""Numerical comparison: metrics of published data against declared expectations.

Published data often have no plan and no identity. This entry point accepts them, and its results
say what it is; clinical data go through `engine.intake`, which refuses what is missing here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.dicom.sandbox import Reader
from engine.dose.compute import DoseResult, compute
from engine.dose.parameters import Between, EndCaps, Parameters
from engine.errors import Fault, Reason, Refusal, refuse
from engine.intake.intake import files_of

SHIPPED = Path(__file__).resolve().parent / "expectations"
"""Expectations that ship with the engine, one JSON file each."""
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Expected:
    """One declared figure with its tolerance and unit."""

    structure: str
    metric: str
    value: float
    tolerance: float
    unit: str

    @property
    def name(self) -> str:
        """Structure and metric in words."""
        return f"{self.structure} {self.metric}"


@dataclass(frozen=True)
class Expectations:
    """Declared figures, where they come from and the parameters they are compared under."""

    name: str
    title: str
    source: str
    files: Mapping[str, str]
    parameters: Parameters
    parameters_reason: str
    expected: tuple[Expected, ...]


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


def load_expectations(source: Path | str) -> Expectations:
    """Read declared expectations from a JSON file, or by the name of shipped ones.

    Raises
    ------
    Refusal
        EXPECTATION_INVALID with every fault of the file.
    """
    path = Path(source)
    if path.suffix != ".json":
        path = SHIPPED / f"{str(source).replace('-', '_')}.json"
    if not path.is_file():
        names = ", ".join(sorted(p.stem.replace("_", "-") for p in SHIPPED.glob("*.json")))
        raise refuse(
            Reason.FILE_MISSING, str(source), f"No expectations of that name; there are {names}."
        )
    if path.stat().st_size > MOST_BYTES:
        raise refuse(Reason.EXPECTATION_INVALID, path.name, "It is larger than 1 MB.")
    try:
        plain = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise refuse(Reason.EXPECTATION_INVALID, path.name, f"It is not JSON ({error}).") from error
    return _expectations(plain, path.name)


def _expectations(plain: Any, where: str) -> Expectations:
    faults: list[Fault] = []

    def need(holder: Any, key: str, kind: type | tuple[type, ...], place: str) -> Any:
        value = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            what = f"{key} is missing or of another type."
            faults.append(Fault(Reason.EXPECTATION_INVALID, f"{where}, {place}", what))
        return value

    texts = {
        k: need(plain, k, str, "top") for k in ("name", "title", "source", "parameters_reason")
    }
    files = need(plain, "files", dict, "top")
    parameters = need(plain, "parameters", dict, "top")
    listed = need(plain, "expected", list, "top") or []
    expected = []
    for number, item in enumerate(listed, 1):
        place = f"expected {number}"
        words = [need(item, key, str, place) for key in ("structure", "metric", "unit")]
        figures = [need(item, key, (int, float), place) for key in ("value", "tolerance")]
        expected.append((words, figures))
    chosen = Parameters()
    try:
        chosen = replace(
            chosen,
            end_caps=EndCaps((parameters or {})["end_caps"]),
            between=Between((parameters or {})["between"]),
        )
    except (KeyError, ValueError) as error:
        what = f"parameters need end_caps and between ({error})."
        faults.append(Fault(Reason.EXPECTATION_INVALID, where, what))
    if not expected:
        faults.append(Fault(Reason.EXPECTATION_INVALID, where, "Nothing is expected."))
    if faults:
        raise Refusal(faults)
    return Expectations(
        name=texts["name"],
        title=texts["title"],
        source=texts["source"],
        files=files,
        parameters=chosen,
        parameters_reason=texts["parameters_reason"],
        expected=tuple(
            Expected(words[0], words[1], float(figures[0]), float(figures[1]), words[2])
            for words, figures in expected
        ),
    )


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
