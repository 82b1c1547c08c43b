"""The record types as tables in Markdown, as docs/record-types.md prints them."""

from core.records.types import TypeRegistry

_TYPES = "| type | prefix | called | lifecycle | signed by |\n|---|---|---|---|---|"
_ROLES = "| from | role | to | read backwards | needs re-review |\n|---|---|---|---|---|"
_ENDS = {
    "source": "the first, when the other changes",
    "target": "the other, when the first changes",
    "both": "each, when the other changes",
    "none": "neither",
}


def types_as_markdown(registry: TypeRegistry) -> str:
    """Return every type with its signatures, in alphabetical order."""
    rows = []
    for one in sorted(registry.all(), key=lambda each: each.name):
        signed = "; ".join(f"{meaning}: {' or '.join(who)}" for meaning, who in one.sign.items())
        cells = (f"`{one.name}`", one.prefix, one.label, one.lifecycle, signed or "nobody")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([_TYPES, *rows])


def roles_as_markdown(registry: TypeRegistry) -> str:
    """Return every role of every type, with whose end needs re-review."""
    rows = []
    for one in sorted(registry.all(), key=lambda each: each.name):
        for role, spec in one.links.items():
            # A concession may concern anything; naming every type would hide the rest.
            to = "any record" if len(spec.to) > 12 else ", ".join(spec.to)
            cells = (one.name, f"`{role}`", to, spec.reverse, _ENDS[spec.suspect])
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([_ROLES, *rows])
