"""Family C: third-party components are known, evaluated, used, and those that were built in."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

import re
from collections.abc import Iterator
from datetime import timedelta

from core.records.snapshot import RecordView
from qms.rules.facts import Component
from qms.rules.findings import Flaw
from qms.rules.view import THE_RELEASE, View, day, in_force, missing, rule, text

_SOUP = in_force("soup", "third-party components")
_SEPARATORS = re.compile(r"[-_.]+")


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
    limit = timedelta(days=int(view.limits["anomaly_evaluation_days"]))
    evaluated = day(record, "evaluated_on")
    if evaluated is None:
        yield Flaw("has no date of evaluation.", "Evaluate the supplier's list of anomalies.")
    elif view.facts.today - evaluated > limit:
        yield Flaw(
            f"had its anomaly list evaluated on {evaluated}, "
            f"{(view.facts.today - evaluated).days} days ago; the limit is {limit.days}.",
            "Evaluate the list again and record the outcome.",
        )
    elif evaluated > view.facts.today:
        yield Flaw(f"says its evaluation was on {evaluated}, in the future.", "Correct the date.")


@rule("C04", "Component is used by some item", _SOUP)
def components_are_used(view: View, record: RecordView) -> Iterator[Flaw]:
    """No dead entries."""
    if not view.sources(record, "uses"):
        yield Flaw("is used by no software item.", "Link it from the item, or withdraw it.")


@rule("C05", "Bill of materials of the build equals the register, both ways", THE_RELEASE)
def bill_equals_register(view: View, _: RecordView) -> Iterator[Flaw]:
    """What was built in is what the items of the release say they use, at the same versions."""
    if view.facts.bill is None:
        yield Flaw(
            "has no bill of materials of what was built.", "Run the validation of the release."
        )
        return
    register = {_name(soup): soup for soup in _used(view)}
    bill = {_canonical(component.name): component for component in view.facts.bill}
    for name, component in sorted(bill.items()):
        soup = register.get(name)
        if soup is None:
            yield Flaw(
                f"was built with {component.name} {component.version}, which no item of it uses "
                "in the register.",
                "Add the component to the register and evaluate it.",
            )
        elif not _same_version(text(soup, "version"), component):
            yield Flaw(
                f"was built with {component.name} {component.version}; {soup.key.uid} says "
                f"{text(soup, 'version')}.",
                "Evaluate that version and correct the register, or build with the other.",
                at=soup.key,
            )
    for name, soup in sorted(register.items()):
        if name not in bill:
            yield Flaw(
                f"uses {soup.key.uid} {soup.title} in the register, which was not built in.",
                "Correct which items use it.",
                at=soup.key,
            )


def _used(view: View) -> list[RecordView]:
    """Return the components that the release's items use, or the items they are part of."""
    found: dict[str, RecordView] = {}
    waiting = [*(view.of_release("contains") or view.in_force("software_item"))]
    seen = set()
    while waiting:
        item = waiting.pop()
        if item.key in seen:
            continue
        seen.add(item.key)
        waiting.extend(view.targets(item, "part_of"))
        found.update((soup.key.uid, soup) for soup in view.targets(item, "uses"))
    return list(found.values())


def _canonical(name: str) -> str:
    return _SEPARATORS.sub("-", name.strip()).casefold()


def _name(soup: RecordView) -> str:
    """Return the name in the package URL, or the title where there is none."""
    purl = text(soup, "purl")
    name = purl.rpartition("/")[2].partition("@")[0] if purl else soup.title
    return _canonical(name)


def _same_version(stated: str, component: Component) -> bool:
    """Compare versions; a register that says "3.11" covers every 3.11.x."""
    return component.version == stated or component.version.startswith(f"{stated}.")


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
