"""The risk matrix as a grid of counts, drawn once before and once after the controls. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qms.risks.evaluation import Level, RiskPolicy, evaluate
from qms.risks.residual import Assessment, Position


class Moment(StrEnum):
    """Before the controls, or after those that are verified."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class GridCell:
    """One cell: where it stands, its level, and how many risks are there."""

    position: Position
    level: Level
    count: int


@dataclass(frozen=True)
class GridRow:
    """One likelihood with its cells, from the lowest severity to the highest."""

    likelihood: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True)
class Grid:
    """One matrix, the highest likelihood on top, and how many risks have no place in it."""

    moment: Moment
    rows: tuple[GridRow, ...]
    unplaced: int


def position_of(assessment: Assessment, moment: Moment) -> Position | None:
    """Return where a risk stands at that moment, or None."""
    before = moment is Moment.BEFORE
    return assessment.position_before if before else assessment.position_after


def grid(assessments: Sequence[Assessment], policy: RiskPolicy, moment: Moment) -> Grid:
    """Count the risks in every cell of the policy's matrix."""
    counts = Counter(position_of(assessment, moment) for assessment in assessments)
    rows = tuple(
        GridRow(
            likelihood=name,
            cells=tuple(
                GridCell(
                    position=Position(severity, likelihood),
                    level=evaluate(severity, likelihood, policy),
                    count=counts[Position(severity, likelihood)],
                )
                for severity in range(1, len(policy.severity) + 1)
            ),
        )
        for likelihood, name in reversed(list(enumerate(policy.likelihood, start=1)))
    )
    return Grid(moment, rows, counts[None])


def standing_at(
    assessments: Iterable[Assessment], moment: Moment, position: Position
) -> tuple[Assessment, ...]:
    """Return the risks that stand in one cell."""
    return tuple(one for one in assessments if position_of(one, moment) == position)
