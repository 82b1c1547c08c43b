"""Family C: third-party components are known, evaluated, used, and those that were built in."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator

from core.records.snapshot import RecordView
from qms.rules.findings import Flaw
from qms.rules.view import THE_RELEASE, View, day, in_force, missing, rule, text
from qms.soup.comparison import (
    Comparison,
    Disagreement,
    Held,
    compare,
    evaluation_problem,
)
from qms.soup.components import Bill, Source

_SOUP = in_force("soup", "third-party components")


@rule("C01", "Third-party component has title, version, supplier", _SOUP)
def components_are_named(_: View, record: RecordView) -> Iterator[Flaw]:
    """Which component of whom, at which version."""
    lacking = missing(record, {"version": "a version", "supplier": "a supplier"})
    if not record.title.strip():
        lacking.insert(0, "a title")
    if lacking:
        yield Flaw(f"has no {', '.join(lacking)}.".replace("no a ", "no "), "Fill it in.")


@rule("C02", "Component has functional and environment requirements", _SOUP)
def components_have_requirements(_: View, record: RecordView) -> Iterator[Flaw]:
    """What is asked of it, and what it asks of the machine."""
    lacking = missing(record, {"functions": "what is needed of it", "needs": "what it needs"})
    if lacking:
        yield Flaw(f"does not say {' or '.join(lacking)}.", "Fill it in.")


@rule("C03", "Published anomaly list was evaluated within the limit of days", _SOUP)
def anomalies_were_evaluated(view: View, record: RecordView) -> Iterator[Flaw]:
    """Somebody read the supplier's list of known problems, not long ago, and said what follows."""
    lacking = missing(
        record,
        {"anomaly_list": "a published anomaly list", "evaluation_outcome": "an outcome"},
    )
    if not view.targets(record, "evaluated_by"):
        lacking.append("a person who evaluated it")
    if lacking:
        yield Flaw(f"names no evaluation: {', '.join(lacking)} is missing.", "Evaluate the list.")
    problem = evaluation_problem(day(record, "evaluated_on"), _held(view))
    if problem:
        yield Flaw(problem, "Evaluate the list again and record the outcome.")


@rule("C04", "Component is used by some item", _SOUP)
def components_are_used(view: View, record: RecordView) -> Iterator[Flaw]:
    """No dead entries."""
    if not view.sources(record, "uses"):
        yield Flaw("is used by no software item.", "Link it from the item, or withdraw it.")


@rule("C05", "Bill of materials of the build equals the register, both ways", THE_RELEASE)
def bill_equals_register(view: View, record: RecordView) -> Iterator[Flaw]:
    """What was built in is what the items of the release say they use, at the same versions."""
    if view.facts.bill is None:
        what = "has no bill of materials of what was built."
        yield Flaw(what, "Run the validation of the release.", step=True)
        return
    built = Bill(Source.ENVIRONMENT, "what was built", tuple(view.facts.bill))
    for wrong in _mismatches(view, built, record):
        yield _flaw("was built otherwise than its register says", wrong)


@rule("C06", "Component used by a class C item is rated high", _SOUP)
def critical_components_are_rated(view: View, record: RecordView) -> Iterator[Flaw]:
    """What a class C item relies on is as critical as the item."""
    critical = [i for i in view.sources(record, "uses") if text(i, "class") == "C"]
    if critical and text(record, "risk") != "high":
        yield Flaw(
            f"is used by {critical[0].key.uid} of class C and rated "
            f"{text(record, 'risk') or 'not at all'}.",
            "Rate it high.",
        )


@rule(
    "C07",
    "Lock file or bill of materials in the repository equals the register, both ways",
    THE_RELEASE,
    remark=lambda view: _how_it_was_read(view),
)
def declaration_equals_register(view: View, record: RecordView) -> Iterator[Flaw]:
    """What the repository pins at the release's commit is what was registered and evaluated."""
    declared = view.facts.declared
    if declared.bill is None:
        yield Flaw(
            f"does not say what it is built of: {declared.problem}.",
            "Commit a lock file or a CycloneDX bill of materials, and name it in the release.",
        )
        return
    for wrong in _mismatches(view, declared.bill, record):
        yield _flaw("declares otherwise than its register says", wrong)


@rule("C08", "Third-party component states its licence", _SOUP)
def components_have_a_licence(_: View, record: RecordView) -> Iterator[Flaw]:
    """Under which terms it may be used and passed on."""
    if not text(record, "licence"):
        yield Flaw("states no licence.", "Read its licence and state it.")


def _mismatches(view: View, bill: Bill, release: RecordView) -> list[Disagreement]:
    return [one for one in _compared(view, bill, release).disagreements if one.is_mismatch]


def _compared(view: View, bill: Bill, release: RecordView) -> Comparison:
    return compare(bill, view.snapshot, view.project, _held(view), release)


def _held(view: View) -> Held:
    return Held(view.facts.today, int(view.limits["anomaly_evaluation_days"]))


def _flaw(said: str, wrong: Disagreement) -> Flaw:
    """Say what is wrong, what it touches and which evaluation is due, in one sentence each."""
    what = f"{said}: {wrong.subject} {wrong.what}"
    told = " ".join(filter(None, (what, wrong.touched.sentence, wrong.due)))
    return Flaw(told, wrong.mend, at=wrong.record.key if wrong.record is not None else None)


def _how_it_was_read(view: View) -> str:
    """Say what a reader must know of how the declaration was read; empty where it is nothing."""
    bill = view.facts.declared.bill
    if bill is None or view.release is None:
        return ""
    found = _compared(view, bill, view.release)
    told = [f"{bill.name} was read for {bill.read_for}."] if bill.read_for else []
    if found.along:
        names = ", ".join(one.component.name for one in found.along)
        told.append(f"Came along and need no entry of their own: {names}.")
    if found.not_sought:
        names = ", ".join(f"{one.uid} {one.record.title}" for one in found.not_sought)
        told.append(f"No package that a {bill.source} can state: {names}.")
    return " ".join(told)
