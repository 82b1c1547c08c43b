"""Evaluate a risk under a policy: scales, a matrix to look levels up in, and what each level asks.

Pure: plain values in, plain values out. Severity and likelihood are ordinal, so a level is read
from the matrix and never multiplied (ISO 14971:2019, clauses 4.4 and 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import Fault, Invalid

POLICY_KEYS = frozenset(
    {
        "id",
        "title",
        "severity",
        "likelihood",
        "matrix",
        "acceptable_up_to",
        "tolerable_with_benefit_risk",
        "further_reduction_asked_at",
        "clauses",
    }
)


class Acceptability(StrEnum):
    """What a policy says about a level."""

    ACCEPTABLE = "acceptable"
    TOLERABLE = "tolerable with a benefit-risk analysis"
    UNACCEPTABLE = "not acceptable"


@dataclass(frozen=True, order=True)
class Level:
    """One level of the matrix; levels compare by number."""

    number: int
    acceptability: Acceptability

    def __str__(self) -> str:
        return f"{self.number} {self.acceptability}"


@dataclass(frozen=True)
class RiskPolicy:
    """Scales, matrix and thresholds in force for a project. Build it with `policy_from`.

    Attributes
    ----------
    severity, likelihood : tuple of str
        Names of the steps, lowest first; step 1 is the first.
    cells : tuple of tuple of int
        One row per likelihood, one column per severity.
    acceptable_up_to, tolerable_up_to : int
        Highest level that is acceptable, and that is tolerable with a benefit-risk analysis.
    further_reduction_asked_at : int or None
        The residual level at which "is further reduction practicable?" needs a recorded answer.
    """

    identifier: str
    title: str
    severity: tuple[str, ...]
    likelihood: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    acceptable_up_to: int
    tolerable_up_to: int
    further_reduction_asked_at: int | None = None

    def level(self, number: int) -> Level:
        """Return the level with this number, judged by the policy's thresholds."""
        if number <= self.acceptable_up_to:
            return Level(number, Acceptability.ACCEPTABLE)
        if number <= self.tolerable_up_to:
            return Level(number, Acceptability.TOLERABLE)
        return Level(number, Acceptability.UNACCEPTABLE)


def evaluate(severity: int, likelihood: int, policy: RiskPolicy) -> Level:
    """Return the policy's level for one severity and likelihood, both counted from 1.

    A look-up, never ``severity * likelihood``: the scales are ordinal.

    Raises
    ------
    Invalid
        If either lies off its scale; both faults at once.

    Examples
    --------
    >>> from qms.risks.packs import matrix_packs
    >>> str(evaluate(severity=4, likelihood=3, policy=matrix_packs()["nhs-dcb-5x5"]))
    '3 tolerable with a benefit-risk analysis'
    """
    faults = [
        *_off_scale("severity", severity, policy.severity),
        *_off_scale("likelihood", likelihood, policy.likelihood),
    ]
    if faults:
        raise Invalid("A risk lies off the scales of its policy.", faults)
    return policy.level(policy.cells[likelihood - 1][severity - 1])


def is_step(value: object, scale: Sequence[str]) -> bool:
    """Whether `value` is a step of `scale`, counted from 1 (True and 2.0 are not)."""
    return type(value) is int and 1 <= value <= len(scale)


def policy_from(data: Mapping[str, Any], where: str = "risk policy") -> RiskPolicy:
    """Build a policy from plain data, or name everything that is wrong with it.

    Parameters
    ----------
    data : mapping
        ``severity`` and ``likelihood`` (names, lowest first), ``matrix`` (one row per likelihood,
        one level per severity; or a mapping that holds these ``rows``), ``acceptable_up_to``,
        ``tolerable_with_benefit_risk`` and, if wanted, ``further_reduction_asked_at``, ``id``,
        ``title``, ``clauses``.
    where : str
        The file or record the data comes from, named in each fault.

    Raises
    ------
    Invalid
        With one fault per hole, wrong size, falling level, doubled or missing name or threshold.
    """
    faults = [
        Fault("RM01", f"{where}: {key}", "is not part of a risk policy.", "Remove it.")
        for key in sorted(map(str, data.keys() - POLICY_KEYS))
    ]
    severity = _scale(data, "severity", where, faults)
    likelihood = _scale(data, "likelihood", where, faults)
    cells = _cells(data.get("matrix"), severity, likelihood, where, faults)
    acceptable = _threshold(data, "acceptable_up_to", where, faults)
    tolerable = _threshold(data, "tolerable_with_benefit_risk", where, faults)
    asked = None
    if data.get("further_reduction_asked_at") is not None:
        asked = _threshold(data, "further_reduction_asked_at", where, faults)
    if acceptable and tolerable and acceptable > tolerable:
        faults.append(
            Fault(
                "RM07",
                f"{where}: tolerable_with_benefit_risk",
                f"is {tolerable}, below acceptable_up_to {acceptable}.",
                "Give the same level or a higher one.",
            )
        )
    if faults:
        raise Invalid(f"The {where} cannot come into force.", faults)
    identifier = str(data.get("id", ""))
    return RiskPolicy(
        identifier=identifier,
        title=str(data.get("title") or identifier or where),
        severity=severity,
        likelihood=likelihood,
        cells=cells,
        acceptable_up_to=acceptable,
        tolerable_up_to=tolerable,
        further_reduction_asked_at=asked,
    )


def _off_scale(axis: str, value: object, scale: Sequence[str]) -> list[Fault]:
    if is_step(value, scale):
        return []
    return [Fault("RM10", axis, f"is {value!r}, not a step of 1 to {len(scale)}.")]


def _scale(data: Mapping[str, Any], key: str, where: str, faults: list[Fault]) -> tuple[str, ...]:
    names = data.get(key)
    place = f"{where}: {key}"
    if not isinstance(names, list | tuple) or not names:
        faults.append(Fault("RM02", place, "is missing.", "List its step names, lowest first."))
        return ()
    for step, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name.strip():
            faults.append(Fault("RM02", place, f"step {step} has no name.", "Name it."))
        elif name in names[: step - 1]:
            faults.append(Fault("RM02", place, f"says {name} twice.", "Name each step once."))
    return tuple(str(name) for name in names)


def _cells(
    matrix: Any,
    severity: tuple[str, ...],
    likelihood: tuple[str, ...],
    where: str,
    faults: list[Fault],
) -> tuple[tuple[int, ...], ...]:
    """Read the matrix cell by cell, so that every hole is named at once."""
    place = f"{where}: matrix"
    if isinstance(matrix, Mapping):
        matrix = matrix.get("rows")
    if not isinstance(matrix, list | tuple) or not matrix:
        faults.append(Fault("RM03", place, "is missing.", "Give one row per likelihood."))
        return ()
    for index, row in enumerate(matrix[len(likelihood) :], start=len(likelihood) + 1):
        faults.append(Fault("RM03", place, f"row {index} ({row}) has no likelihood.", "Remove it."))
    rows: list[tuple[int, ...]] = []
    for index, name in enumerate(likelihood):
        row = matrix[index] if index < len(matrix) else None
        if not isinstance(row, list | tuple):
            faults.append(Fault("RM03", place, f"has no row for likelihood {name}.", "Add it."))
            continue
        rows.append(_row(row, name, severity, place, faults))
    if len(rows) == len(likelihood) and all(len(row) == len(severity) for row in rows):
        _refuse_falling_levels(rows, severity, likelihood, place, faults)
    return tuple(rows)


def _row(
    row: Sequence[Any], likelihood: str, severity: tuple[str, ...], place: str, faults: list[Fault]
) -> tuple[int, ...]:
    faults.extend(
        Fault("RM04", place, f"{likelihood}: level {extra} has no severity.", "Remove it.")
        for extra in row[len(severity) :]
    )
    levels: list[int] = []
    for column, name in enumerate(severity):
        level = row[column] if column < len(row) else None
        if level is None:
            faults.append(
                Fault("RM05", place, f"has no level at {likelihood} x {name}.", "Fill the hole.")
            )
        elif type(level) is not int or level < 1:
            faults.append(
                Fault(
                    "RM05",
                    place,
                    f"says {level!r} at {likelihood} x {name}.",
                    "Give a whole number from 1.",
                )
            )
        else:
            levels.append(level)
    return tuple(levels)


def _refuse_falling_levels(
    rows: Sequence[Sequence[int]],
    severity: tuple[str, ...],
    likelihood: tuple[str, ...],
    place: str,
    faults: list[Fault],
) -> None:
    """Name each level that falls as harm grows worse or likelier: a slip of the pen."""
    for i, row in enumerate(rows):
        for j, level in enumerate(row):
            cell = f"{likelihood[i]} x {severity[j]}"
            if j and level < row[j - 1]:
                before = f"{likelihood[i]} x {severity[j - 1]}"
                faults.append(_falls(place, cell, level, before, row[j - 1]))
            if i and level < rows[i - 1][j]:
                before = f"{likelihood[i - 1]} x {severity[j]}"
                faults.append(_falls(place, cell, level, before, rows[i - 1][j]))


def _falls(place: str, cell: str, level: int, before: str, higher: int) -> Fault:
    return Fault(
        "RM06",
        place,
        f"falls to {level} at {cell} from {higher} at {before}.",
        "A worse or likelier harm never has a lower level.",
    )


def _threshold(data: Mapping[str, Any], key: str, where: str, faults: list[Fault]) -> int:
    value = data.get(key)
    if type(value) is int and value >= 1:
        return value
    faults.append(
        Fault("RM08", f"{where}: {key}", f"is {value!r}.", "Give the highest level it allows.")
    )
    return 0
