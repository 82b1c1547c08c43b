"""Family B, second part: what the device is for, how it is classified, which plans govern it."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator
from datetime import datetime

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import (
    A_DEVICE,
    THE_DEVICE,
    View,
    day,
    is_in_force,
    missing,
    rule,
    text,
)

_STATED = {
    "intended_use": "intended use",
    "intended_users": "users",
    "patient_population": "patient population",
    "use_environment": "environment",
    "principle": "principle of operation",
    "not_for": "exclusions",
}
_MEND = "Propose a change to the project record."


@rule(
    "B15",
    "Intended use, users, population, environment, principle and exclusions are stated",
    A_DEVICE,
)
def use_is_stated(_: View, record: RecordView) -> Iterator[Flaw]:
    """What the device is for, and what it is not for."""
    lacking = missing(record, _STATED)
    if lacking:
        yield Flaw(f"does not state {', '.join(lacking)}.", _MEND)


@rule("B07", "Requirement categories are covered or justified as not applicable", THE_DEVICE)
def categories_are_covered(view: View, record: RecordView) -> Iterator[Flaw]:
    """Each kind of input was thought of: some requirement is of it, or a reason says why none."""
    covered = {text(one, "category") for one in view.in_force("requirement")}
    excused = {
        str(row.get("category"))
        for row in record.fields.get("categories_not_applicable") or ()
        if str(row.get("reason") or "").strip()
    }
    lacking = [
        str(one).replace("_", " ")
        for one in view.limits["requirement_categories"]
        if one not in covered | excused
    ]
    if lacking:
        yield Flaw(
            f"has no requirement of category {', '.join(lacking)}, and no reason why not.",
            "Write a requirement, or the reason in the project record.",
        )


@rule("B16", "Device and software class state rule and reasoning, with a rationale", THE_DEVICE)
def classes_are_justified(view: View, record: RecordView) -> Iterator[Flaw]:
    """Both classes are there, with the rule applied and an approved rationale document."""
    lacking = missing(
        record,
        {
            "device_class": "the device class",
            "device_class_rule": "the rule it follows",
            "device_class_reasoning": "the reasoning",
            "software_class": "the software safety class",
        },
    )
    if lacking:
        yield Flaw(f"does not state {', '.join(lacking)}.", _MEND)
    for role, words in (
        ("device_class_justified_by", "device class"),
        ("software_class_justified_by", "software class"),
    ):
        rationale = view.targets(record, role)
        if not rationale:
            yield Flaw(f"links no rationale for the {words}.", _MEND)
        for document in rationale:
            if not is_in_force(document):
                yield Flaw(
                    f"rests its {words} on {document.key.uid}, which is {document.state}.",
                    "Have the document approved.",
                    at=document.key,
                )


@rule("B17", "Market scan is recorded and its next review is not overdue", THE_DEVICE)
def market_was_scanned(view: View, record: RecordView) -> Iterator[Flaw]:
    """An equivalent device on the market would end the exemption."""
    lacking = missing(
        record,
        {
            "market_scan_date": "when the market was scanned",
            "market_scan_result": "what the scan found",
            "market_scan_next_review": "when it is scanned next",
        },
    )
    if lacking:
        yield Flaw(f"does not say {', '.join(lacking)}.", _MEND)
    due = day(record, "market_scan_next_review")
    if due is not None and due < view.facts.today:
        yield Flaw(f"was due for a new market scan on {due}.", "Scan again and record the result.")


@rule("B18", "Plans exist and are approved before the work they govern", THE_DEVICE)
def plans_come_first(view: View, _: RecordView) -> Iterator[Flaw]:
    """Each planning clause is covered by an approved plan, older than the first formal run."""
    plans = [plan for plan in view.live("document") if text(plan, "kind") == "plan"]
    first_run = min((run.started_at for runs in view.runs.values() for run in runs), default=None)
    for clause in view.limits["plan_clauses"]:
        covering = [plan for plan in plans if clause in (plan.fields.get("covers") or ())]
        approved = [plan for plan in covering if is_in_force(plan)]
        if not covering:
            yield Flaw(f"has no plan that covers {clause}.", "Write the plan and list the clause.")
        elif not approved:
            yield Flaw(
                f"has no approved plan for {clause}: {covering[0].key.uid} is {covering[0].state}.",
                "Have the plan approved.",
                at=covering[0].key,
            )
        elif first_run and not any(_older(plan, first_run) for plan in approved):
            yield Flaw(
                f"began formal runs on {first_run:%d %b %Y} before {approved[0].key.uid} "
                f"({clause}) was approved.",
                "Run the tests again under the approved plan.",
                at=approved[0].key,
            )


def _older(plan: RecordView, moment: datetime) -> bool:
    return plan.approved_at is not None and plan.approved_at <= moment
