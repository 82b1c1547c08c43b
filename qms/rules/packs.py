"""What the rules take from data packs: clauses, levels, gates, limits; and the record types."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from core.errors import Fault, Invalid
from core.records.types import FieldSpec, LinkSpec, TypeRegistry
from qms.rules.facts import TypeFacts
from qms.rules.findings import Level, Pack, PackEntry
from qms.rules.registry import RULES

GATES = ("save", "submit", "approve", "plan", "design", "runs", "release", "always")
"""The points at which rules are asked, in the order of a device's life."""

DEFAULT_PACK = "medical-device-software"

_ENTRY_KEYS = frozenset({"clauses", "level", "gates", "classes", "route"})
_LIMITS: dict[str, type] = {
    "anomaly_evaluation_days": int,
    "least_cases": int,
    "reportability_days": dict,
    "requirement_categories": list,
    "retention_years": int,
    "plan_clauses": list,
    "vague_words": list,
}


@cache
def framework_pack(name: str = DEFAULT_PACK) -> Pack:
    """Return a pack that ships with the product.

    Raises
    ------
    Invalid
        With every fault of the pack: an unknown rule, one that is missing, a gate nobody asks.
    """
    file = files("qms") / "frameworks" / f"{name}.yaml"
    return pack_from(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), file.name)


def pack_from(data: dict[str, Any], where: str) -> Pack:
    """Build a pack from plain data, or name everything that is wrong with it."""
    faults: list[Fault] = []
    given = data.get("rules") or {}
    faults.extend(
        Fault("FP01", f"{where}: {code}", "is no rule of this version.", "Remove it.")
        for code in sorted(set(given) - set(RULES))
    )
    faults.extend(
        Fault("FP02", f"{where}: {code}", "is missing.", "Give clauses and level.")
        for code in sorted(set(RULES) - set(given))
    )
    limits = data.get("limits") or {}
    for name, kind in _LIMITS.items():
        if not isinstance(limits.get(name), kind):
            what = f"is {limits.get(name)!r}, not a {kind.__name__}."
            faults.append(Fault("FP03", f"{where}: limits.{name}", what, "Set the limit."))
    entries = {
        code: entry
        for code in RULES
        if code in given and (entry := _entry(code, given[code], where, faults))
    }
    if faults:
        raise Invalid(f"The framework pack {where} cannot come into force.", faults)
    return Pack(str(data.get("name", where)), entries, limits)


def _entry(code: str, given: Any, where: str, faults: list[Fault]) -> PackEntry | None:
    place = f"{where}: {code}"
    found = len(faults)
    keys = given if isinstance(given, dict) else {}
    faults.extend(
        Fault("FP04", place, f"has the unknown key {key}.", "Remove it.")
        for key in sorted(set(keys) - _ENTRY_KEYS)
    )
    if not keys.get("clauses"):
        faults.append(Fault("FP05", place, "points at no clause.", "Give at least one."))
    if keys.get("level") not in set(Level):
        what = f"has the level {keys.get('level')!r}."
        faults.append(Fault("FP06", place, what, f"Use {' or '.join(Level)}."))
    faults.extend(
        Fault("FP07", place, f"is asked at {gate}, which is no gate.", f"Use {', '.join(GATES)}.")
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


def type_facts(registry: TypeRegistry) -> dict[str, TypeFacts]:
    """Return what the rules need of every record type of an installation."""

    def asked(specs: Mapping[str, FieldSpec] | Mapping[str, LinkSpec], by: str) -> tuple[str, ...]:
        return tuple(name for name, spec in specs.items() if spec.required == by)

    return {
        one.name: TypeFacts(
            label=one.label,
            lifecycle=one.lifecycle,
            required=asked(one.fields, "submit"),
            required_links=asked(one.links, "submit"),
            required_to_close=asked(one.fields, "close"),
            required_links_to_close=asked(one.links, "close"),
            body_required=one.body.required == "submit",
            links={role: frozenset(spec.to) for role, spec in one.links.items()},
            sign={meaning: frozenset(roles) for meaning, roles in one.sign.items()},
        )
        for one in registry.all()
    }
