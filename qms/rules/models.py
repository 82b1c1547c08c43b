"""Family H: models, the figures claimed for them, and the data behind the figures."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, day, filled, in_force, missing, rule, text, uids

_MODELS = in_force("model", "models")
_CARD: Final = {
    "digest": "its digest",
    "intended_use": "its intended use",
    "excluded_use": "its excluded use",
    "inputs": "its inputs",
    "outputs": "its outputs",
    "selection": "how it was selected",
    "performance": "its performance",
    "failure_modes": "its failure modes",
    "uncertainty": "its uncertainty",
    "change_plan": "its change plan",
    "licence": "its licence",
}
_TESTED = Subjects(
    "models in force, and data sets that are to share no patient",
    lambda view: [
        *view.in_force("model"),
        *(one for one in view.in_force("dataset") if view.targets(one, "disjoint_from")),
    ],
)


@rule("H01", "Model card is filled in", _MODELS)
def model_cards_are_filled(view: View, record: RecordView) -> Iterator[Flaw]:
    """Whoever uses the model can read what it is for, how well it does, and where it fails."""
    lacking = missing(record, _CARD)
    if not view.targets(record, "fitted_on"):
        lacking.append("what it was fitted on")
    if not view.targets(record, "owned_by"):
        lacking.append("its owner")
    if lacking:
        yield Flaw(f"does not state {', '.join(lacking)}.", "Fill in the model card.")


@rule("H03", "Every performance figure has n, interval and method", _MODELS)
def figures_have_intervals(_: View, record: RecordView) -> Iterator[Flaw]:
    """A figure without its uncertainty proves nothing; an interval holds its own figure."""
    for row in record.fields.get("performance") or ():
        name = _named(row)
        lacking = [
            words
            for key, words in (
                ("n", "n"),
                ("value", "a value"),
                ("lower", "the lower end"),
                ("upper", "the upper end"),
                ("method", "the method of the interval"),
            )
            if row.get(key) in (None, "")
        ]
        if lacking:
            yield Flaw(f"gives {name} without {', '.join(lacking)}.", "Complete the row.")
        elif not _holds(row):
            yield Flaw(
                f"gives {name} as {row['value']} with the interval {row['lower']} to "
                f"{row['upper']}, which does not contain it.",
                "Correct the row.",
            )


def _named(row: Mapping[str, Any]) -> str:
    metric, group = row.get("metric") or "a figure without a name", row.get("group") or "all"
    return f"{metric}" if group == "all" else f"{metric} of {group}"


def _holds(row: Mapping[str, Any]) -> bool:
    ends = [float(row[name]) for name in ("lower", "value", "upper")]
    return all(map(math.isfinite, ends)) and ends == sorted(ends)


@rule("H04", "Subgroup below the least number of cases is insufficient, never passed", _MODELS)
def small_groups_prove_nothing(view: View, record: RecordView) -> Iterator[Flaw]:
    """Too few cases give no verdict, whatever their figure."""
    least = int(view.limits["least_cases"])
    for row in record.fields.get("performance") or ():
        count, verdict = row.get("n"), row.get("verdict")
        if isinstance(count, int) and count < least and verdict != "insufficient":
            yield Flaw(
                f"calls {_named(row)} {verdict or 'nothing'} on {count} cases; below {least} it is "
                "insufficient.",
                "Correct the verdict, or test on more.",
            )


@rule("H05", "Test set is locked and shares no patient with the fitting set", _TESTED)
def test_sets_are_apart(view: View, record: RecordView) -> Iterator[Flaw]:
    """What a model is judged on, it never saw."""
    if record.type == "dataset":
        for other in view.targets(record, "disjoint_from"):
            if _share(record, other):
                yield Flaw(
                    f"is to share no patient with {other.key.uid}, and their numbers overlap.",
                    "Build the set again.",
                )
        return
    fitted = view.targets(record, "fitted_on")
    tested = view.targets(record, "tested_on")
    if not tested:
        yield Flaw("was tested on no data set.", "Link the data set it was tested on.")
    for test in tested:
        if day(test, "locked") is None:
            yield Flaw(f"is tested on {test.key.uid}, which was never locked.", "Lock it first.")
        told = {one.key for one in view.targets(test, "disjoint_from")}
        told |= {one.key for one in view.sources(test, "disjoint_from")}
        silent = [one for one in fitted if one.key not in told]
        if silent:
            yield Flaw(
                f"is tested on {test.key.uid}, which does not say that it shares no patient with "
                f"{uids(silent)}.",
                "Check it by the hashed identities, and link them.",
            )


def _share(one: RecordView, other: RecordView) -> bool:
    """Whether two sets of consecutively numbered patients overlap."""
    if not all(
        filled(each, "patients_first") and filled(each, "patients_last") for each in (one, other)
    ):
        return False
    spans = [
        (_number(each, "patients_first"), _number(each, "patients_last")) for each in (one, other)
    ]
    (name, first), (_, last) = spans[0]
    (other_name, other_first), (_, other_last) = spans[1]
    return name == other_name and first <= other_last and other_first <= last


def _number(record: RecordView, name: str) -> tuple[str, int]:
    value = text(record, name)
    digits = len(value) - len(value.rstrip("0123456789"))
    return (value[: len(value) - digits], int(value[len(value) - digits :] or 0))


@rule("H06", "Drift metric has a limit and an action", _MODELS)
def drift_is_watched(_: View, record: RecordView) -> Iterator[Flaw]:
    """What would show that the model no longer fits, and what is done then."""
    rows = record.fields.get("drift") or ()
    if not rows:
        yield Flaw("watches nothing for drift.", "Name a metric, its limit and the action.")
    for row in rows:
        lacking = [words for words in ("limit", "action") if not str(row.get(words) or "").strip()]
        if lacking:
            yield Flaw(
                f"watches {row.get('metric') or 'something'} without {' and '.join(lacking)}.",
                "Complete the row.",
            )
