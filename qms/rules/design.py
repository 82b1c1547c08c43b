"""Family B, first part: needs, requirements, software items and detailed designs."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from core.records.snapshot import Key, RecordView
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, filled, in_force, is_in_force, rule, text, uids

MOST_NAMED = 5
"""Records that one sentence names."""

MOST_KEPT = 20_000
"""Texts whose reading is kept: from one release check to the next few of them change."""

_NEEDS = in_force("user_need", "user needs")
_REQUIREMENTS = in_force("requirement", "requirements")
_PARTS = Subjects(
    "software items in force that have no parts",
    lambda view: [i for i in view.in_force("software_item") if not view.sources(i, "part_of")],
)
_WHOLES = Subjects(
    "software items in force that have parts",
    lambda view: [i for i in view.in_force("software_item") if view.sources(i, "part_of")],
)
_CHILDREN = Subjects(
    "software items in force that are part of another",
    lambda view: [i for i in view.in_force("software_item") if view.targets(i, "part_of")],
)
_C_UNITS = Subjects(
    "units of class C in force",
    lambda view: [
        item
        for item in view.in_force("software_item")
        if text(item, "class") == "C" and text(item, "kind") == "unit"
    ],
)
_B_AND_C_ITEMS = Subjects(
    "items and units of class B or C in force",
    lambda view: [
        item
        for item in view.in_force("software_item")
        if text(item, "class") in ("B", "C") and text(item, "kind") != "system"
    ],
)
_ON_C_UNITS = Subjects(
    "requirements of the release that are allocated to a unit of class C",
    lambda view: [
        requirement
        for requirement in view.of_release("delivers")
        if any(
            text(item, "class") == "C" and text(item, "kind") == "unit"
            for item in view.targets(requirement, "allocated_to")
        )
    ],
)


def _located(view: View) -> Sequence[RecordView]:
    """Return the items of the release; the release itself where its tree is not known."""
    if not view.release_commit:
        return []  # F06 says so.
    if view.release is not None and view.facts.source is None:
        return [view.release]
    return [item for item in view.of_release("contains") if item.type == "software_item"]


_LOCATED = Subjects("software items of the release", _located)
_OBLIGATION = re.compile(r"\b(?:shall|must)\b", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


@rule("B01", "Each user need leads to at least one requirement", _NEEDS)
def needs_lead_to_requirements(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some requirement in force derives from the need."""
    if not any(is_in_force(each) for each in view.sources(record, "derives_from")):
        yield Flaw("leads to no requirement.", "Write a requirement that derives from it.")


@rule("B02", "Each requirement comes from a need, a risk control or a regulation", _REQUIREMENTS)
def requirements_have_an_origin(view: View, record: RecordView) -> Iterator[Flaw]:
    """A requirement derives from something, or controls a risk."""
    if not view.targets(record, "derives_from") and not view.targets(record, "mitigates"):
        yield Flaw("comes from no need, risk or regulation.", "Link what it derives from.")


@rule("B03", "Each requirement is allocated to a software item", _REQUIREMENTS)
def requirements_are_allocated(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some software item carries it."""
    if not any(is_in_force(each) for each in view.targets(record, "allocated_to")):
        yield Flaw("is allocated to no software item.", "Say which item carries it.")


@rule("B04", "Each requirement has an acceptance criterion", _REQUIREMENTS)
def requirements_have_a_criterion(_: View, record: RecordView) -> Iterator[Flaw]:
    """Somebody can tell when it is met."""
    if not filled(record, "acceptance"):
        yield Flaw("has no acceptance criterion.", "State how anyone can tell that it is met.")


@rule("B05", "Requirement wording: one obligation, no vague words", _REQUIREMENTS)
def wording_is_testable(view: View, record: RecordView) -> Iterator[Flaw]:
    """One "shall", and none of the words that mean something else to everybody."""
    duties, vague = _wording(record.body, view.once("vague words", lambda: _vague(view)))
    if duties != 1:
        yield Flaw(f"states {duties} obligations.", "Say 'shall' once; split what needs it twice.")
    if vague:
        named = ", ".join(dict.fromkeys(word.lower() for word in vague))
        yield Flaw(f"uses words that cannot be tested: {named}.", "Give a figure or a condition.")


@lru_cache(maxsize=MOST_KEPT)
def _wording(body: str, vague: re.Pattern[str]) -> tuple[int, tuple[str, ...]]:
    return len(_OBLIGATION.findall(body)), tuple(vague.findall(body))


def _vague(view: View) -> re.Pattern[str]:
    words = "|".join(map(re.escape, view.limits["vague_words"]))
    return re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE)


@rule("B06", "No two requirements say the same", _REQUIREMENTS)
def requirements_differ(view: View, record: RecordView) -> Iterator[Flaw]:
    """Compared without case, spaces and marks."""
    same = view.once("same texts", lambda: _same_texts(view))[_plain(record.body)]
    # A few names suffice: where thousands say the same, each would name all the others.
    others = [key.uid for key in same[: MOST_NAMED + 1] if key != record.key][:MOST_NAMED]
    if others and _plain(record.body):
        more = len(same) - 1 - len(others)
        named = ", ".join(others) + (f" and {more:,} more" if more else "")
        yield Flaw(f"says the same as {named}.", "Keep one and withdraw the other.")


@lru_cache(maxsize=MOST_KEPT)
def _plain(body: str) -> str:
    return " ".join(_WORDS.findall(body.casefold()))


def _same_texts(view: View) -> dict[str, list[Key]]:
    groups: dict[str, list[Key]] = defaultdict(list)
    for requirement in view.in_force("requirement"):
        groups[_plain(requirement.body)].append(requirement.key)
    return groups


@rule("B08", "Each lowest-level software item carries at least one requirement", _PARTS)
def parts_carry_requirements(view: View, record: RecordView) -> Iterator[Flaw]:
    """No part of the software exists for nothing."""
    if not any(is_in_force(each) for each in view.sources(record, "allocated_to")):
        yield Flaw("carries no requirement.", "Allocate one to it, or withdraw it.")


@rule("B09", "Each class C unit has an approved detailed design", _C_UNITS)
def c_units_are_designed(view: View, record: RecordView) -> Iterator[Flaw]:
    """A detailed design in force says how it works."""
    designs = view.sources(record, "designs")
    if not designs:
        yield Flaw("is of class C and has no detailed design.", "Write one that designs it.")
    elif not any(map(is_in_force, designs)):
        yield Flaw(
            f"has a detailed design ({uids(designs)}) that is not approved.",
            "Submit it and have it approved.",
            at=designs[0].key,
        )


@rule("B10", "Class B and C items describe their interfaces", _B_AND_C_ITEMS)
def interfaces_are_described(_: View, record: RecordView) -> Iterator[Flaw]:
    """How an item is reached is written down."""
    if not filled(record, "interfaces"):
        yield Flaw(
            f"is of class {text(record, 'class')} and describes no interface.",
            "List its interfaces.",
        )


@rule("B11", "System class equals the highest class below it", _WHOLES)
def class_comes_from_below(view: View, record: RecordView) -> Iterator[Flaw]:
    """A whole is as safety-critical as its most critical part."""
    highest = max(text(part, "class") for part in view.sources(record, "part_of"))
    if text(record, "class") != highest:
        yield Flaw(
            f"is of class {text(record, 'class')}, the highest class of its parts is {highest}.",
            "Correct the class, or that of the parts.",
        )


@rule("B12", "Item with a lower class than its parent has a segregation rationale", _CHILDREN)
def lower_classes_are_segregated(view: View, record: RecordView) -> Iterator[Flaw]:
    """Why it cannot harm what surrounds it is written down."""
    for parent in view.targets(record, "part_of"):
        if text(record, "class") < text(parent, "class") and not filled(record, "segregation"):
            yield Flaw(
                f"is of class {text(record, 'class')} inside {parent.key.uid} of class "
                f"{text(parent, 'class')}, without a segregation rationale.",
                "Say what keeps it apart, or raise its class.",
            )


@rule("B13", "Requirement on a class C unit is satisfied by a detailed design", _ON_C_UNITS)
def designs_satisfy_requirements(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some detailed design in force says how the requirement is met.

    Asked of what the judged release delivers: what is in force for a later one may await its
    design, and stops that one.
    """
    if not any(is_in_force(each) for each in view.sources(record, "satisfies")):
        yield Flaw(
            "is carried by a unit of class C and no detailed design satisfies it.",
            "Link it from the detailed design that does.",
        )


@rule("B14", "Path of each software item exists in the tree of the release commit", _LOCATED)
def items_are_where_they_say(view: View, record: RecordView) -> Iterator[Flaw]:
    """In the repository of the release, or in the engine that ran with it."""
    source = view.facts.source
    if source is None:
        yield Flaw(
            f"is at commit {view.release_commit[:12]}, which no repository of the project holds.",
            "Register and scan the repository that does.",
        )
        return
    path = text(record, "path").strip("/")
    if not path:
        yield Flaw("names no path.", "Name the file or folder that it is in.")
    elif path not in source.paths:
        yield Flaw(
            f"names the path {path}, which is not in the tree of the release.",
            "Correct the path, or put it right where the files moved.",
        )
