"""Every rule by its code. A rule is added by writing it in the module of its family."""

from types import MappingProxyType, ModuleType

from qms.rules import (
    change,
    design,
    device,
    evidence,
    execution,
    hazards,
    identity,
    models,
    outside,
    registers,
    release,
    risk,
    soup,
    surroundings,
)
from qms.rules.view import Rule

FAMILIES = (
    identity,
    design,
    device,
    soup,
    risk,
    hazards,
    evidence,
    execution,
    outside,
    change,
    registers,
    release,
    surroundings,
    models,
)


def _gathered(families: tuple[ModuleType, ...]) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for family in families:
        for value in vars(family).values():
            if isinstance(value, Rule):
                if value.code in rules:
                    raise ValueError(f"Two rules have the code {value.code}; codes are stable.")
                rules[value.code] = value
    return dict(sorted(rules.items()))


RULES = MappingProxyType(_gathered(FAMILIES))
"""Every rule there is, in the order of the codes."""
