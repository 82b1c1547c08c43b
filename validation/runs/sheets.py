"""Runs as tables to take away: the list, and every measured value of one run. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.exports import Sheet
from core.records.models import Project
from validation.runs.listing import RunLine

STEP_HEADINGS = (
    "Test",
    "Scenario",
    "Example",
    "Keyword",
    "Step",
    "Status",
    "Measured",
    "Comparison",
    "Expected",
    "Tolerance",
    "Actual",
    "Unit",
    "Verdict",
    "Started (UTC)",
    "Ended (UTC)",
)

Cell = str | int | float


def runs_sheet(project: Project, lines: Sequence[RunLine]) -> Sheet:
    """Return the list as a table for export."""
    return Sheet(
        title=f"Runs {project.key}",
        headings=(
            "Run",
            "Verdict",
            "Protocol",
            "Release",
            "Tag",
            "Commit",
            "Scenarios passed",
            "Scenarios",
            "Interrupted",
            "Tester",
            "Started (UTC)",
            "Ended (UTC)",
            "Repeats run",
            "Reason",
        ),
        rows=[
            (
                one.number,
                one.verdict,
                one.protocol,
                one.release or "",
                one.tag,
                one.commit,
                one.passed,
                one.scenarios,
                one.interruptions,
                one.tester,
                one.started_at.isoformat() if one.started_at else "",
                one.ended_at.isoformat() if one.ended_at else "",
                one.predecessor or "",
                one.reason,
            )
            for one in lines
        ],
        about={"Project": project.key},
    )


def steps_sheet(run: Mapping[str, Any]) -> Sheet:
    """Return every step of a run, as plain values, one row per measured value."""
    return Sheet(
        title=f"Run {run['number']}",
        headings=STEP_HEADINGS,
        rows=list(_step_rows(run)),
        about={
            "Project": run["project"],
            "Run": str(run["number"]),
            "Commit": run["device"]["commit"],
            "Verdict": run["verdict"],
        },
    )


def _step_rows(run: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    for scenario in run["scenarios"]:
        example = " ".join(f"{name}={value}" for name, value in scenario["example"].items())
        for step in scenario["steps"]:
            for value in step["measurements"] or [{}]:
                yield (
                    scenario["test"] or "",
                    scenario["title"],
                    example,
                    step["keyword"],
                    step["text"],
                    step["status"],
                    *_measured(value),
                    step["started_at"] or "",
                    step["ended_at"] or "",
                )


def _measured(value: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Return the seven cells of a measured value; empty ones for a step that measured nothing."""
    if not value:
        return ("",) * 7
    return (
        value["name"],
        value["comparison"],
        _cell(value["expected"]),
        _cell(value["tolerance"]),
        _cell(value["actual"]),
        value["unit"],
        "passed" if value["passed"] else "failed",
    )


def _cell(value: Any) -> Cell:
    if value is None:
        return ""
    return value if isinstance(value, int | float | str) else str(value)
