"""The list of rules as a table in Markdown, as docs/release-check.md prints it."""

import sys

from qms.rules.packs import framework_pack
from qms.rules.registry import RULES

_HEAD = "| code | rule | looks at | clauses | level | asked at | only for |"


def rules_as_markdown() -> str:
    """Return every rule with its pointers, in the order of the codes."""
    pack = framework_pack()
    rows = [_HEAD, "|---|---|---|---|---|---|---|"]
    for code, rule in RULES.items():
        entry = pack.entries[code]
        only = f"class {' and '.join(entry.classes)}" if entry.classes else ""
        only = f"route '{entry.route}'" if entry.route else only
        cells = (
            code,
            rule.title,
            rule.subjects.called,
            "; ".join(entry.clauses),
            entry.level.value,
            ", ".join(entry.gates),
            only,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(rules_as_markdown() + "\n")
