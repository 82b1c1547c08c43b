"""What the rules take from data packs: clauses, levels, gates, limits; and the record types."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.type_shape import FieldSpec, LinkSpec
from core.records.types import TypeRegistry, get_registry
from qms.frameworks.folders import department_folder, pack_files, read_pack
from qms.rules.changing import changed
from qms.rules.facts import TypeFacts
from qms.rules.findings import Level, Pack, PackEntry, Question
from qms.rules.registry import RULES

GATES = ("save", "submit", "approve", "plan", "design", "runs", "release", "always")
"""The points at which rules are asked, in the order of a device's life."""

DEFAULT_PACK = "medical-device-software"

_PACK_KEYS = frozenset({"name", "limits", "rules", "questions"})
_ENTRY_KEYS = frozenset({"clauses", "level", "gates", "classes", "route"})
_QUESTION_KEYS = frozenset({"asks", "clauses"})
_LIMITS: dict[str, type] = {
    "anomaly_evaluation_days": int,
    "audit_verification_days": int,
    "capa_due_days": dict,
    "concession_days": int,
    "due_dates": dict,
    "due_within_days": int,
    "least_cases": int,
    "reportability_days": dict,
    "requirement_categories": list,
    "retention_years": int,
    "plan_clauses": list,
    "vague_words": list,
}

Place = tuple[str | int, ...]
At = Callable[[Place], str]
"""Where a part of a pack stands, as a fault names it."""


@cache
def framework_pack() -> Pack:
    """Return the pack that is in force: ours, with what the department sets otherwise.

    Among its changes are those of the record types: they too decide what is asked.

    Raises
    ------
    Invalid
        With every fault of the pack: an unknown rule, one that is missing, a gate nobody asks.
    """
    pack = read_framework_pack(department_folder("rules"))
    return replace(pack, changes=(*pack.changes, *get_registry().changes))


def read_framework_pack(own: Path | None = None) -> Pack:
    """Read the pack that ships, and the changes of a department's folder.

    Raises
    ------
    Invalid
        With every fault of every file, each with its line.
    """
    faults: list[Fault] = []
    folder = files("qms") / "frameworks"
    ours = read_pack(folder / f"{DEFAULT_PACK}.yaml", f"{DEFAULT_PACK}.yaml", faults)
    theirs = list(pack_files(None, "rules", faults, own))
    data, places, changes = changed(ours.value if ours else {}, theirs, DEFAULT_PACK, faults)

    def at(place: Place) -> str:
        # A changed value stands in the department's file, everything else in ours.
        document = next(
            (places[place[:end]] for end in range(len(place), 0, -1) if place[:end] in places),
            ours,
        )
        line = document.where(place) if document else DEFAULT_PACK
        return f"{line} {'.'.join(map(str, place))}".strip()

    if ours is None:
        raise Invalid("The framework pack cannot come into force.", faults)
    try:
        pack = pack_from(data, DEFAULT_PACK, at)
    except Invalid as refusal:
        faults += refusal.faults
    if faults:
        raise Invalid("The framework pack cannot come into force.", faults)
    return Pack(pack.name, pack.entries, pack.limits, pack.questions, changes)


def pack_from(data: Mapping[str, Any], where: str, at: At | None = None) -> Pack:
    """Build a pack from plain data, or name everything that is wrong with it."""
    place = at or (lambda path: f"{where}: {'.'.join(map(str, path))}")
    faults: list[Fault] = [
        Fault("FP09", place((key,)), "is no part of a pack.", "Remove it.")
        for key in sorted(set(data) - _PACK_KEYS)
    ]
    given = data.get("rules") or {}
    faults.extend(
        Fault("FP01", place(("rules", code)), "is no rule of this version.", "Remove it.")
        for code in sorted(set(given) - set(RULES))
    )
    faults.extend(
        Fault("FP02", place(("rules", code)), "is missing.", "Give clauses and level.")
        for code in sorted(set(RULES) - set(given))
    )
    limits = data.get("limits") or {}
    faults.extend(_limit_faults(limits, place))
    entries = {
        code: entry
        for code in RULES
        if code in given and (entry := _entry(code, given[code], place, faults))
    }
    questions = tuple(_questions(data.get("questions") or {}, place, faults))
    if faults:
        raise Invalid(f"The framework pack {where} cannot come into force.", faults)
    return Pack(str(data.get("name", where)), entries, limits, questions)


def _limit_faults(limits: Mapping[str, Any], at: At) -> Iterator[Fault]:
    for name, kind in _LIMITS.items():
        # True counts as a number in Python, and as none here.
        if not isinstance(limits.get(name), kind) or isinstance(limits.get(name), bool):
            what = f"is {limits.get(name)!r}, not a {kind.__name__}."
            yield Fault("FP03", at(("limits", name)), what, "Set the limit.")
    for name in sorted(set(limits) - set(_LIMITS)):
        what = f"is no limit; there are {', '.join(_LIMITS)}."
        yield Fault("FP03", at(("limits", name)), what, "Correct it.")


def _entry(code: str, given: Any, at: At, faults: list[Fault]) -> PackEntry | None:
    place = at(("rules", code))
    found = len(faults)
    keys = given if isinstance(given, dict) else {}
    faults.extend(
        Fault("FP04", at(("rules", code, key)), f"has the unknown key {key}.", "Remove it.")
        for key in sorted(set(keys) - _ENTRY_KEYS)
    )
    if not keys.get("clauses"):
        faults.append(Fault("FP05", place, "points at no clause.", "Give at least one."))
    if keys.get("level") not in set(Level):
        what = f"has the level {keys.get('level')!r}."
        where = at(("rules", code, "level"))
        faults.append(Fault("FP06", where, what, f"Use {' or '.join(Level)}."))
    faults.extend(
        Fault(
            "FP07",
            at(("rules", code, "gates")),
            f"is asked at {gate}, which is no gate.",
            f"Use {', '.join(GATES)}.",
        )
        for gate in keys.get("gates") or ()
        if gate not in GATES
    )
    if len(faults) > found:
        return None
    return PackEntry(
        code=code,
        clauses=tuple(map(str, keys["clauses"])),
        level=Level(keys["level"]),
        gates=(*(gate for gate in keys.get("gates") or () if gate != "release"), "release"),
        classes=tuple(map(str, keys.get("classes") or ())),
        route=str(keys.get("route") or ""),
    )


def _questions(given: Any, at: At, faults: list[Fault]) -> Iterator[Question]:
    for code, said in given.items() if isinstance(given, dict) else ():
        keys = said if isinstance(said, dict) else {}
        if not keys.get("asks") or not keys.get("clauses") or set(keys) - _QUESTION_KEYS:
            what = "is not a question with its clauses."
            faults.append(Fault("FP08", at(("questions", code)), what, "Give asks and clauses."))
        else:
            yield Question(code, str(keys["asks"]), tuple(map(str, keys["clauses"])))


def type_facts(registry: TypeRegistry) -> dict[str, TypeFacts]:
    """Return what the rules need of every record type of an installation."""

    def by(specs: Mapping[str, FieldSpec] | Mapping[str, LinkSpec], moment: str) -> tuple[str, ...]:
        asked = lifecycle.ASKED[moment]
        return tuple(
            name
            for name, spec in specs.items()
            if spec.required in asked and not spec.required_when
        )

    return {
        one.name: TypeFacts(
            label=one.label,
            lifecycle=one.lifecycle,
            required=by(one.fields, "submit"),
            required_links=by(one.links, "submit"),
            asked={
                state: (by(one.fields, moment), by(one.links, moment))
                for state, moment in (lifecycle.MOMENT.items() if one.lifecycle == "issue" else ())
            },
            body_required=one.body.required == "submit",
            links={role: frozenset(spec.to) for role, spec in one.links.items()},
            sign={meaning: frozenset(roles) for meaning, roles in one.sign.items()},
        )
        for one in registry.all()
    }
