"""The questions that only people answer: what to look at beside each, and what was answered. Pure.

Nothing here decides. A question stays a question however much lies beside it; what a person
answered is shown with who, when and where it is signed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from math import comb

from core.records.snapshot import Key, RecordView
from qms.rules.findings import AskedQuestion, Beside, Considered, Question
from qms.rules.view import View, filled, text

MOST_BESIDE = 100
"""What is listed beside one question; how much more there is, is counted."""

LEAST_SIMILAR = 3
"""As many similar problem reports propose a CAPA (GSTT CSC PR.016)."""

JUDGEMENT = "judgement"


def asked(view: View, questions: Iterable[Question]) -> Iterator[AskedQuestion]:
    """Yield each question with what lies beside it and what people answered."""
    stored = _stored(view)
    for question in questions:
        beside, kept = _BESIDE.get(question.code), _KEPT.get(question.code)
        found = iter(beside(view)) if beside else iter(())
        listed = tuple(islice(found, MOST_BESIDE))
        answers = (*stored.get(question.code, ()), *(kept(view) if kept else ()))
        count = _COUNTS.get(question.code)
        more = count(view) - len(listed) if count else sum(1 for _ in found)
        yield AskedQuestion(question, listed, more, answers)


def _stored(view: View) -> Mapping[str, list[Considered]]:
    """Return the considered answers in force, for the judged release or for any, by question."""
    found: dict[str, list[Considered]] = defaultdict(list)
    for record in view.in_force(JUDGEMENT):
        releases = view.targets(record, "release")
        if releases and view.release is not None and view.release not in releases:
            continue
        signers = ", ".join(dict.fromkeys(one.signer for one in record.signatures))
        by = signers or record.author
        answer, on = text(record, "answer"), text(record, "considered_on")
        found[text(record, "question")].append(Considered(record.key, answer, by, on))
    return found


def _delivered(view: View) -> Sequence[RecordView]:
    """Return the requirements of the judged release, or all in force where none is judged."""
    return view.of_release("delivers") if view.release is not None else view.in_force("requirement")


def _on_each_item(view: View) -> Mapping[Key, list[RecordView]]:
    """Return the requirements that are allocated to each item."""
    items: dict[Key, list[RecordView]] = defaultdict(list)
    for requirement in _delivered(view):
        for item in view.targets(requirement, "allocated_to"):
            items[item.key].append(requirement)
    return items


def _pairs_on_an_item(view: View) -> Iterator[Beside]:
    """Yield each two requirements that are allocated to one item."""
    for item, requirements in _on_each_item(view).items():
        for one, other in combinations(requirements, 2):
            told = f"{one.key.uid} and {other.key.uid} are both allocated to {item.uid}"
            yield Beside(told, (one.key, other.key, item))


def _count_pairs(view: View) -> int:
    """Count them without making each: there are as many as the square of the requirements."""
    return sum(comb(len(each), 2) for each in _on_each_item(view).values())


def _sequences(view: View) -> Iterator[Beside]:
    for risk in view.in_force("risk"):
        events = [str(event) for event in risk.fields.get("sequence") or ()]
        yield Beside("; ".join(events) or "states no sequence of events", (risk.key,))


def _at_the_asked_level(view: View) -> Iterator[Beside]:
    policy = view.policy
    asked_at = policy.further_reduction_asked_at if policy else None
    if asked_at is None:
        return
    for found in view.assessments.values():
        if found.claimed is not None and found.claimed.number == asked_at:
            yield Beside(f"is expected to remain at level {asked_at}", (found.risk.key,))


def _above_acceptable(view: View) -> Iterator[Beside]:
    policy = view.policy
    for found in view.assessments.values():
        if policy and found.after is not None and found.after.number > policy.acceptable_up_to:
            yield Beside(f"remains at level {found.after}", (found.risk.key,))


def _test_sets(view: View) -> Iterator[Beside]:
    used = {
        item.key: item
        for test in view.of_release("tested_by")
        for item in view.targets(test, "data")
    }
    sets = list(used.values()) if view.release is not None else view.in_force("dataset")
    for record in sets:
        told = text(record, "population") or text(record, "demographics_statement")
        yield Beside(f"of {text(record, 'count')} cases: {told or 'no population'}", (record.key,))


def _segregated(view: View) -> Iterator[Beside]:
    for item in view.in_force("software_item"):
        if filled(item, "segregation"):
            yield Beside(text(item, "segregation"), (item.key,))


def _open_changes(view: View) -> Iterator[Beside]:
    for change in view.in_force("change"):
        yield Beside(f"{change.title} ({change.state.replace('_', ' ')})", (change.key,))


def _similar_problems(view: View) -> Iterator[Beside]:
    """Yield each three or more problem reports that share an affected item or a trend key."""
    alike: dict[str, list[RecordView]] = defaultdict(list)
    for problem in view.in_force("problem"):
        for item in view.targets(problem, "affects"):
            alike[f"affect {item.key.uid}"].append(problem)
        if filled(problem, "trend"):
            alike[f"share the trend '{text(problem, 'trend')}'"].append(problem)
    for told, problems in alike.items():
        if len(problems) >= LEAST_SIMILAR:
            keys = tuple(problem.key for problem in problems)
            yield Beside(f"{len(problems)} reports {told}: consider a CAPA", keys)


def _evaluations(view: View) -> Iterator[Beside]:
    for scenario in view.in_force("use_scenario"):
        result = text(scenario, "evaluation") or "not evaluated yet"
        yield Beside(f"{scenario.title}: {result}", (scenario.key,))
    if view.release is not None:
        for test in view.of_release("tested_by"):
            if view.targets(test, "validates"):
                yield Beside(f"{test.title}: {view.verdict(test).word.value}", (test.key,))


def _reductions(view: View) -> Iterator[Considered]:
    for risk in view.in_force("risk"):
        if not filled(risk, "further_reduction_answer"):
            continue
        answer = (
            f"{text(risk, 'further_reduction_answer')}: {text(risk, 'further_reduction_reason')}"
        )
        people = view.targets(risk, "further_reduction_judged_by")
        yield Considered(risk.key, answer, _names(people), text(risk, "further_reduction_date"))


def _reviews(view: View) -> Iterator[Considered]:
    for review in view.in_force("residual_risk_review"):
        people = view.targets(review, "judged_by")
        answer = text(review, "conclusion")
        yield Considered(review.key, answer, _names(people), text(review, "reviewed_on"))


def _market_scan(view: View) -> Iterator[Considered]:
    device = view.device
    if device is not None and filled(device, "market_scan_result"):
        by = ", ".join(dict.fromkeys(one.signer for one in device.signatures)) or device.author
        answer = text(device, "market_scan_result")
        yield Considered(device.key, answer, by, text(device, "market_scan_date"))


def _names(people: Sequence[RecordView]) -> str:
    return ", ".join(person.title for person in people)


_BESIDE: Mapping[str, Callable[[View], Iterator[Beside]]] = {
    "J01": _pairs_on_an_item,
    "J02": _sequences,
    "J03": _at_the_asked_level,
    "J04": _above_acceptable,
    "J05": _test_sets,
    "J06": _segregated,
    "J08": _open_changes,
    "J09": _similar_problems,
    "J10": _evaluations,
}
_KEPT: Mapping[str, Callable[[View], Iterator[Considered]]] = {
    "J03": _reductions,
    "J04": _reviews,
    "J07": _market_scan,
}
"""Answers that a record of another type holds itself."""

_COUNTS: Mapping[str, Callable[[View], int]] = {"J01": _count_pairs}
"""How much lies beside a question where that is known without listing it."""
