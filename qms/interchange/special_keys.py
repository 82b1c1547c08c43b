"""The keys of a design record that need more than a field or a link."""

from typing import Any

from core.located_yaml import Lined
from qms.interchange.draft_building import At, Entry, Stated, text_of, texts_of, uids_of


def controls(entry: Entry, value: Any, at: At) -> None:
    """Take ``controls`` of a risk: a second statement of the requirements' own, with the kind."""
    for control in value if isinstance(value, list) else [value]:
        if not isinstance(control, Lined) or set(control) != {"req", "kind"}:
            entry.fault(
                "DR15", at.line, "controls needs entries of the form {req: ..., kind: ...}."
            )
            continue
        kind = text_of(entry, control["kind"], at)
        for uid, _ in uids_of(entry, control["req"], at):
            where = entry.where(control.line)
            stated = Stated(uid, "mitigates", entry.uid, where, {"kind": kind} if kind else {})
            entry.reading.second.append(stated)


def control_kind(entry: Entry, value: Any, at: At) -> None:
    """Take the kind a requirement gives to all risks it controls; it must agree with the risks'."""
    kind = text_of(entry, value, at)
    if kind is not None:
        entry.reading.control_kinds[entry.uid] = (kind, entry.where(at.line))


def categories_not_applicable(entry: Entry, value: Any, at: At) -> None:
    """Take the categories that no requirement is of, each with its reason."""
    if not isinstance(value, Lined):
        entry.fault("DR15", at.line, "categories_not_applicable is no mapping of category: reason.")
        return
    entry.fields["categories_not_applicable"] = [
        {"category": category, "reason": text_of(entry, reason, at)}
        for category, reason in value.items()
    ]


def demographics(entry: Entry, value: Any, at: At) -> None:
    """Take demographics, in words or as counts of groups per characteristic."""
    if isinstance(value, str):
        entry.fields["demographics_statement"] = value
        return
    if not isinstance(value, Lined):
        entry.fault("DR15", at.line, "demographics is neither words nor counts of groups.")
        return
    rows = []
    for characteristic, groups in value.items():
        for group, count in groups.items() if isinstance(groups, Lined) else [("", groups)]:
            if type(count) is not int:
                line = value.line_of(characteristic)
                entry.fault("DR15", line, f"demographics.{characteristic} {group} is no count.")
                continue
            rows.append({"characteristic": characteristic, "group": group, "count": count})
    entry.fields["demographics"] = rows


def training_matrix(entry: Entry, value: Any, at: At) -> None:
    """Take the training matrix, kept with the project; its documents must exist."""
    rows = []
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, Lined) or set(row) != {"role", "documents"}:
            entry.fault(
                "DR15", at.line, "training_matrix needs rows {role: ..., documents: [...]}."
            )
            continue
        here = At("training_matrix.documents", row.line)
        role = text_of(entry, row["role"], here)
        documents = texts_of(entry, row["documents"], here) or []
        rows.append({"role": role, "documents": documents})
        entry.reading.mentions.extend((uid, entry.where(row.line)) for uid in documents)
    entry.fields["training_matrix"] = rows


def matrix(entry: Entry, value: Any, at: At) -> None:
    """Take the cells of the risk matrix: a list of rows of levels."""
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, list) and all(type(n) is int for n in row) for row in rows):
        entry.fault("DR15", at.line, "matrix is not a list of rows of whole numbers.")
        return
    entry.fields["matrix"] = {"rows": [list(row) for row in rows]}
