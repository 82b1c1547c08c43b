"""What an import would do with each record: create it, change it, or find it unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from core.canonical import digest
from core.errors import Conflict, Fault, Invalid
from core.ledger import hold_still
from core.people.actor import Actor
from core.people.models import Person
from core.records import lifecycle
from core.records.comparing import Difference, compare
from core.records.content import Content, RecordDraft, content_digest
from core.records.importing import import_faults, import_records
from core.records.models import Project, Record, Revision
from core.records.service import edit_token, save_draft
from core.records.type_shape import RecordType
from core.records.types import get_registry
from dataflows.interchange.kept import Kept, kept_records
from dataflows.interchange.partial import completed, gap_faults

NOTHING = "Nothing was imported."
STALE = (
    "Nothing was imported: the map, or what you sent, is not as it was when it was checked. "
    "What it would do now is shown below; read it, and import it then."
)
UNSEEN = "Nothing was imported: what it would do was not shown yet. Read it below, and import it."


class Verdict(StrEnum):
    """What becomes of one record."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Planned:
    """One record of an import, and what the map keeps of it already.

    Attributes
    ----------
    note : str
        What happens to the open draft of the record, in words, where it has one.
    """

    draft: RecordDraft
    kept: Kept | None = None
    differences: tuple[Difference, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """What becomes of it."""
        if self.kept is None:
            return Verdict.CREATE
        return Verdict.CHANGE if self.differences else Verdict.UNCHANGED


@dataclass(frozen=True)
class Plan:
    """What an import would do, record by record, and what stands in its way.

    Attributes
    ----------
    absent : tuple of str
        Records of the map that the import does not name; they stay as they are.
    """

    planned: tuple[Planned, ...]
    faults: tuple[Fault, ...] = ()
    absent: tuple[str, ...] = ()
    counts: Mapping[Verdict, int] = field(init=False)

    def __post_init__(self) -> None:
        """Count once."""
        found = dict.fromkeys(Verdict, 0)
        for one in self.planned:
            found[one.verdict] += 1
        object.__setattr__(self, "counts", found)

    @property
    def digest(self) -> str:
        """What a form remembers of what was shown: it differs if anything else would be done."""
        told = []
        for one in self.planned:
            uid, kept = one.draft.uid or "", one.kept
            line = [one.verdict.value, one.draft.type, uid]
            if one.verdict is not Verdict.UNCHANGED:
                content = content_digest(one.draft.project, one.draft.type, uid, one.draft.content)
                line += [content, edit_token(kept.revision) if kept else ""]
            told.append(line)
        return digest(told)

    @property
    def sentence(self) -> str:
        """The counts in words, before it is done."""
        counts = self.counts
        return (
            f"{counts[Verdict.CREATE]} to create, {counts[Verdict.CHANGE]} to change, "
            f"{counts[Verdict.UNCHANGED]} unchanged"
        )

    @property
    def outcome(self) -> str:
        """The counts in words, when it is done."""
        counts = self.counts
        return (
            f"{counts[Verdict.CREATE]} created, {counts[Verdict.CHANGE]} changed, "
            f"{counts[Verdict.UNCHANGED]} unchanged"
        )


def normalised(record_type: RecordType, content: Content, project: str) -> Content:
    """Return a content as it can be compared: empty values left out, links grouped by role.

    The order of links of one role says something (the steps of a pathway); that of the roles
    does not. An attribute that is false says the same as one that is not stated.
    """
    roles = {role: place for place, role in enumerate(record_type.links)}
    links = sorted(content.links, key=lambda link: roles.get(link.role, len(roles)))
    return Content(
        content.title.strip(),
        content.body,
        {name: _plain(value) for name, value in content.fields.items() if _said(value)},
        tuple(
            replace(
                link,
                project=None if link.project == project else link.project,
                attributes={k: v for k, v in link.attributes.items() if v not in (None, "", False)},
            )
            for link in links
        ),
    )


def _said(value: Any) -> bool:
    return value not in (None, "", [], {})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: one for name, one in value.items() if _said(one)}
    return value


def plan(session: Session, project: Project, drafts: Sequence[RecordDraft], by: Actor) -> Plan:
    """Compare drafts with what the map keeps; nothing is written.

    What a record says in force already is unchanged, whatever an open draft of it says. A change
    of a record that is in review, or that has a draft of someone else, is a fault.
    """
    kept = {one.record.uid: one for one in kept_records(session, project)}
    planned = []
    faults: list[Fault] = []
    for draft in drafts:
        before = kept.get(draft.uid or "")
        if before is not None and before.record.type != draft.type:
            faults.append(_other_type(draft, before))
            continue
        one = _planned(draft, before, project.key)
        if one.kept is not None and one.verdict is Verdict.CHANGE:
            faults += gap_faults(draft, one.kept.content)
            taken = _taken(session, one.kept.revision, by)
            if taken:
                faults.append(_in_other_hands(draft, taken))
            elif one.kept.revision.state == lifecycle.DRAFT:
                one = replace(one, note="takes your open draft further")
        planned.append(one)
    new = [one.draft for one in planned if one.kept is None]
    faults += _withdrawn(session, project, new)
    faults += _import_faults(session, planned)
    named = {draft.uid for draft in drafts}
    types = {draft.type for draft in drafts}
    absent = tuple(
        uid for uid, one in kept.items() if uid not in named and one.record.type in types
    )
    return Plan(tuple(planned), tuple(dict.fromkeys(faults)), absent)


def _planned(draft: RecordDraft, before: Kept | None, project: str) -> Planned:
    if before is None or draft.type not in get_registry():
        return Planned(draft)
    record_type = get_registry().of(draft.type)
    if before.in_force is not None:
        said = completed(draft, before.in_force)
        old = normalised(record_type, before.in_force, project)
        if not compare(record_type, old, normalised(record_type, said, project)):
            note = "says what is in force; the open draft stays"
            return Planned(replace(draft, content=said), before, note=note)
    draft = replace(draft, content=completed(draft, before.content))
    old = normalised(record_type, before.content, project)
    new = normalised(record_type, draft.content, project)
    return Planned(draft, before, tuple(compare(record_type, old, new)))


def _taken(session: Session, latest: Revision, by: Actor) -> str:
    """Say why a file may not change a record now; empty where it may."""
    if latest.state == lifecycle.IN_REVIEW:
        return "is in review"
    others = latest.authors - {by.uid}
    if latest.state != lifecycle.DRAFT or not others:
        return ""
    names = session.exec(
        select(Person.name).where(col(Person.uid).in_(others)).order_by(Person.name)
    ).all()
    return f"has an open draft of {' and '.join(names) or latest.author_name}"


def _in_other_hands(draft: RecordDraft, taken: str) -> Fault:
    return Fault(
        "open-draft",
        draft.origin or draft.uid or "",
        f"{draft.uid} {taken}, and what it says here is neither that nor what is in force.",
        "Have that finished or discarded first, or leave the record out.",
    )


def _other_type(draft: RecordDraft, before: Kept) -> Fault:
    return Fault(
        "other-type",
        draft.origin or draft.uid or "",
        f"{draft.uid} is a {_words(before.record.type)} on this map, not a {_words(draft.type)}.",
        "Give it another id.",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _withdrawn(session: Session, project: Project, new: Sequence[RecordDraft]) -> list[Fault]:
    """Return each record to create whose uid belongs to one that is withdrawn, or to another."""
    origins = {draft.uid: draft.origin or draft.uid or "" for draft in new}
    taken = session.exec(select(Record).where(col(Record.project_id) == project.id)).all()
    return [
        Fault(
            "uid-taken",
            origins[one.uid],
            f"{one.uid} is withdrawn." if one.withdrawn_at else f"{one.uid} is a {one.type}.",
            "Numbers are never given twice: give it another id.",
        )
        for one in taken
        if one.uid in origins
    ]


def _import_faults(session: Session, planned: Sequence[Planned]) -> list[Fault]:
    """Return what the types and the links say of all drafts; that a uid is taken is told apart."""
    drafts = [one.draft for one in planned]
    found = import_faults(session, drafts, get_registry()) if drafts else []
    return [one for one in found if one.code != "uid-taken"]


def carry_out(
    session: Session, found: Plan, by: Actor, reason: str, seen: str | None = None
) -> None:
    """Create and change what a plan says, all or nothing.

    Parameters
    ----------
    seen : str, optional
        The digest of the plan that the person was shown; without one whatever it is is done.

    Raises
    ------
    Conflict
        If another plan was shown.
    Invalid
        With every fault; then nothing was written.
    """
    hold_still(session)
    if found.faults:
        raise Invalid(NOTHING, found.faults)
    if seen is not None and seen != found.digest:
        raise Conflict(STALE if seen else UNSEEN)
    new = [one.draft for one in found.planned if one.verdict is Verdict.CREATE]
    if new:
        import_records(session, new, by, get_registry())
    refused: list[Fault] = []
    for one in found.planned:
        if one.verdict is Verdict.CHANGE and one.kept is not None:
            try:
                save_draft(
                    session,
                    one.kept.record,
                    one.draft.content,
                    by,
                    edit_token(one.kept.revision),
                    reason,
                )
            except Invalid as error:
                refused += error.faults
            except Conflict as error:
                refused.append(Fault("conflict", one.kept.record.uid, error.message))
    if refused:
        raise Invalid(NOTHING, refused)
