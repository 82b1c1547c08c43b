"""A comparison of baselines, and one baseline, as plain tables for export. Pure."""

from collections.abc import Mapping, Sequence

from core.exports import Sheet
from core.records.snapshot import Key
from qms.baselines.comparison import BaselineLine
from qms.baselines.differing import Kind, RecordDifference, marked

HEADINGS = ("Project", "Record", "Type", "Title", "What", "Revision before", "Revision after",
            "Value", "Before", "After", "Difference")  # fmt: skip


def difference_sheet(
    project: str, before: str, after: str, shown: Sequence[RecordDifference], of: str
) -> Sheet:
    """Return differing records as a table: one row per value that differs, words marked.

    Parameters
    ----------
    of : str
        Which kind is shown, told with the table.
    """
    return Sheet(
        f"{project} {before} to {after}",
        HEADINGS,
        [row for one in shown for row in _rows(one)],
        {
            "Project": project,
            "Compared": f"{before} with {after}",
            "Shown": of,
            "Records": str(len(shown)),
            "Difference": "[-went-] {+came+}",
        },
    )


def _rows(one: RecordDifference) -> list[tuple[str | int | None, ...]]:
    start = (
        one.key.project,
        one.key.uid,
        one.type,
        one.title,
        what(one),
        one.before.revision if one.before else None,
        one.after.revision if one.after else None,
    )
    if one.before is None or one.after is None or not one.differences:
        return [(*start, "", "", "", "")]
    return [
        (
            *start,
            each.label,
            "".join(part.text for part in each.parts if part.kind != "added"),
            "".join(part.text for part in each.parts if part.kind != "removed"),
            marked(each.parts),
        )
        for each in one.differences
    ]


def what(one: RecordDifference) -> str:
    """Say what became of a record, in the order of the filters."""
    return " and ".join(kind.value for kind in Kind if kind in one.kinds)


def lines_sheet(
    project: str, number: int, lines: Sequence[BaselineLine], titles: Mapping[Key, str]
) -> Sheet:
    """Return the lines of one baseline as a table."""
    return Sheet(
        f"Baseline {number} of {project}",
        ("Project", "Record", "Title", "Revision", "Envelope digest"),
        [
            (
                one.project,
                one.uid,
                titles.get(Key(one.project, one.uid), ""),
                one.revision,
                one.digest,
            )
            for one in sorted(lines)
        ],
        {"Project": project, "Baseline": str(number), "Records": str(len(lines))},
    )


def told(one: RecordDifference) -> list[str]:
    """Say a differing record in lines of plain text."""
    revisions = " to ".join(str(line.revision) for line in (one.before, one.after) if line)
    lines = [f"{one.key.project} {one.key.uid} {what(one)}, revision {revisions}: {one.title}"]
    if one.before is not None and one.after is not None:
        lines += [f"  {each.label}: {marked(each.parts)}" for each in one.differences]
    return lines
