"""The steps of a risk as other tools say them: taken where they are on the scale, else told."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from core.records.queries import load_snapshot
from core.records.sheets.headings import plain
from qms.interchange.corpus import Corpus, Finding, Item
from qms.interchange.mapping.accepting import NO_STEP
from qms.interchange.mapping.kinds import type_of
from qms.risks.evaluation import is_step
from qms.risks.policies import policy_in_force
from qms.risks.rows import LIKELIHOOD, SCALE_OF, SEVERITY, SPOKEN

RISK = "risk"

SAID: Mapping[str, str] = {
    plain(word): name for name in SCALE_OF for word in (name, *SPOKEN.get(name, ()))
}
"""Our fields by what tools and hazard logs call a step."""

Scales = Mapping[str, Sequence[str]]
"""The words of each scale, the lowest first."""


def scales_for(session: Session, project: str, corpus: Corpus, types: Mapping[str, str]) -> Scales:
    """Return the scales of the policy in force; none where no item becomes a risk.

    Raises
    ------
    Invalid
        If an item becomes a risk and the policy has a fault.
    """
    if all(type_of(one, corpus.format, types) != RISK for one in corpus.items):
        return {}
    policy, _ = policy_in_force(load_snapshot(session, [project]), project)
    return {SEVERITY: policy.severity, LIKELIHOOD: policy.likelihood}


def on_scale(name: str, value: object, scales: Scales) -> bool:
    """Tell whether a value may be kept as a step; without scales whether it can be one at all.

    Examples
    --------
    >>> on_scale("severity", 4, {"severity": ("Minor", "Major")}), on_scale("severity", 0, {})
    (False, False)
    """
    scale = scales.get(SCALE_OF[name])
    return is_step(value, scale) if scale else type(value) is int and value >= 1


def not_taken(item: Item, names: Mapping[str, str], project: str) -> list[Finding]:
    """Return a finding for each value that means a step and became none."""
    return [
        Finding(
            NO_STEP,
            f"'{str(item.fields[name])[:60]}' under '{name}' of {item.uid} is not taken as "
            f"{ours.replace('_', ' ')}: it is kept in the origin alone.",
            item.place,
            item.uid,
            "Write the number of a step of the risk policy in force, once, "
            f"or bring the risk in on /p/{project}/sheets/risk.",
        )
        for name, ours in names.items()
    ]
