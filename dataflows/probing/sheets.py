"""Probes and drift as rows: what a page shows and what an export holds are the same rows."""

from collections.abc import Iterable, Sequence

from core.canonical import rfc3339
from core.exports import Sheet
from dataflows.inventory import Department
from dataflows.probing.associations import ROLE_WORDS
from dataflows.probing.drift import Drift, Modelled
from dataflows.probing.standing import Standing

PROBE_HEADINGS = (
    "Connection", "Association", "For", "Asks", "Listens", "Calling AE", "Called AE", "Host",
    "Port", "Result", "Why", "Probed", "By", "ms", "With",
)  # fmt: skip
DRIFT_HEADINGS = (
    "What", "AE title", "Host", "Port", "Connections", "AE title in the list", "Host in the list",
    "Port in the list", "Line", "Name in the list",
)  # fmt: skip

Row = Sequence[str | int | None]


def probes_sheet(department: Department, found: Iterable[Standing], title: str) -> Sheet:
    """List associations with their last result."""
    return Sheet(
        title, PROBE_HEADINGS, [_probe(one) for one in found], {"Project": department.project}
    )


def _probe(one: Standing) -> Row:
    question, last = one.asked.question, one.last
    return (
        one.asked.connection.uid,
        one.asked.number,
        ROLE_WORDS.get(question.role, question.role),
        one.asked.asking,
        one.asked.listening,
        question.calling_ae,
        question.called_ae,
        question.host,
        question.port,
        one.word,
        one.why,
        rfc3339(last.probed_at) if last else "",
        last.person if last else "",
        last.took_ms if last else None,
        last.tool if last else "",
    )


def drift_sheet(department: Department, drift: Drift, title: str) -> Sheet:
    """List every endpoint of the model and of a destination list."""
    rows: list[Row] = [
        ("changed", *_modelled(one.before), *one.endpoint, one.after.line, one.after.name)
        for one in drift.changed
    ]
    rows += [
        ("added", "", "", None, "", one.ae, one.host, one.port, one.line, one.name)
        for one in drift.added
    ]
    rows += [("removed", *_modelled(one), "", "", None, None, "") for one in drift.removed]
    rows += [
        ("same", *_modelled(left), right.ae, right.host, right.port, right.line, right.name)
        for left, right in drift.same
    ]
    return Sheet(title, DRIFT_HEADINGS, rows, {"Project": department.project})


def _modelled(one: Modelled) -> tuple[str, str, int, str]:
    return (*one.endpoint, " ".join(one.connections))
