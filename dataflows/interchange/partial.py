"""Records of a file that does not name everything: what it leaves out stays as it is kept."""

from dataclasses import dataclass, replace

from core.errors import Fault
from core.records.content import Content, RecordDraft


@dataclass(frozen=True)
class PartialDraft(RecordDraft):
    """A record of sheets in which some columns do not stand.

    Attributes
    ----------
    silent : frozenset of str
        Title, text, fields and roles that no column or sheet names.
    gaps : frozenset of (str, str)
        Columns that a sheet of rows lacks: the field, and the column.
    """

    silent: frozenset[str] = frozenset()
    gaps: frozenset[tuple[str, str]] = frozenset()


def completed(draft: RecordDraft, kept: Content) -> Content:
    """Return what a draft says, and of what its file does not name what is kept."""
    said = draft.content
    if not isinstance(draft, PartialDraft) or not draft.silent:
        return said
    fields = {name: one for name, one in kept.fields.items() if name in draft.silent}
    links = [one for one in kept.links if one.role in draft.silent]
    return replace(
        said,
        title=kept.title if "title" in draft.silent else said.title,
        body=kept.body if "text" in draft.silent else said.body,
        fields={**said.fields, **fields},
        links=(*said.links, *links),
    )


def gap_faults(draft: RecordDraft, kept: Content) -> list[Fault]:
    """Name each column that a sheet of rows lacks and the kept record has values in.

    Rows have no ids, so nothing tells which of them a value would belong to.
    """
    if not isinstance(draft, PartialDraft):
        return []
    found = []
    for field, column in sorted(draft.gaps):
        rows = [*(kept.fields.get(field) or ())]
        rows += [one.attributes for one in kept.links if one.role == field]
        if any(row.get(column) not in (None, "", [], {}, False) for row in rows):
            what = (
                f"The sheet of {field} has no column '{column}', and {draft.uid} has values in it."
            )
            mend = "Add the column, or leave the whole sheet out."
            found.append(Fault("column-missing", draft.origin or draft.uid or "", what, mend))
    return found
