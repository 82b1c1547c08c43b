"""Import many records at once: every fault first, then everything or nothing."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Fault, Invalid
from core.ledger import hold_still
from core.people.actor import Actor
from core.people.models import Person
from core.records import lifecycle
from core.records.acceptance import NEEDED_FOR
from core.records.checking import UID, content_faults
from core.records.content import Content, RecordDraft
from core.records.models import Project, Record
from core.records.service import new_revision, record_event
from core.records.snapshot import Key
from core.records.targets import known_records, target_faults
from core.records.type_shape import RecordType
from core.records.types import TypeRegistry
from core.records.writers import require_author
from core.records.writing import fill, write_links


@dataclass(frozen=True)
class ImportResult:
    """What an import made, in the order of its drafts."""

    created: tuple[Key, ...]


def import_records(
    session: Session, drafts: Sequence[RecordDraft], by: Actor, registry: TypeRegistry
) -> ImportResult:
    """Create a batch of records whose links may lead to each other, across projects too.

    Controlled records become drafts: whatever the source says, approval is a signature and is
    given here. Quality issues keep the state that the source states, up to the one from which a
    signature here accepts, closes, rejects or defers them.

    Raises
    ------
    Invalid
        With every fault of every draft; then nothing was created.
    """
    hold_still(session)
    projects = _projects(session, drafts)
    authors = _authors(session, drafts)
    contents, faults = _check(session, drafts, registry)
    faults += _unknown_authors(drafts, authors)
    if faults:
        raise Invalid("Nothing was imported.", faults)
    for draft in drafts:
        require_author(registry.of(draft.type), projects[draft.project], by)
    created = [_create(session, draft, projects[draft.project]) for draft in drafts]
    keys = {Key(draft.project, draft.uid or "") for draft in drafts} | _targets(drafts)
    known = known_records(session, keys)
    for draft, record, content in zip(drafts, created, contents, strict=True):
        author = authors.get(draft.author or "", by)
        _write(session, draft, record, content, projects[draft.project], author, known, registry)
    return ImportResult(tuple(Key(draft.project, draft.uid or "") for draft in drafts))


def import_faults(
    session: Session, drafts: Sequence[RecordDraft], registry: TypeRegistry
) -> list[Fault]:
    """Return what would keep drafts from being imported, and create nothing.

    Raises
    ------
    Invalid
        If a project is missing.
    """
    _projects(session, drafts)
    _, faults = _check(session, drafts, registry)
    return faults + _unknown_authors(drafts, _authors(session, drafts))


def _unknown_authors(drafts: Sequence[RecordDraft], authors: Mapping[str, Actor]) -> list[Fault]:
    return [
        Fault(
            "unknown-author",
            _where(draft),
            f"is written by {draft.author}, who has no account.",
            "Create the account first.",
        )
        for draft in drafts
        if draft.author and draft.author not in authors
    ]


def _where(draft: RecordDraft) -> str:
    return draft.origin or f"{draft.project} {draft.uid}"


def _targets(drafts: Sequence[RecordDraft]) -> set[Key]:
    return {
        Key(link.project or draft.project, link.target)
        for draft in drafts
        for link in draft.content.links
    }


def _projects(session: Session, drafts: Sequence[RecordDraft]) -> dict[str, Project]:
    keys = sorted({draft.project for draft in drafts})
    rows = session.execute(select(Project).where(col(Project.key).in_(keys))).scalars()
    found = {project.key: project for project in rows}
    missing = [key for key in keys if key not in found]
    if missing:
        raise Invalid(
            "Nothing was imported.",
            [Fault("no-project", key, "is no project.", "Create it first.") for key in missing],
        )
    return found


def _authors(session: Session, drafts: Sequence[RecordDraft]) -> dict[str, Actor]:
    wanted = sorted({draft.author for draft in drafts if draft.author})
    rows = session.execute(select(Person).where(col(Person.uid).in_(wanted))).scalars()
    return {one.uid: Actor(one.id or 0, one.name, one.uid) for one in rows}


def _check(
    session: Session,
    drafts: Sequence[RecordDraft],
    registry: TypeRegistry,
) -> tuple[list[Content], list[Fault]]:
    faults: list[Fault] = []
    named = [Key(draft.project, draft.uid or "") for draft in drafts]
    existing = known_records(session, {*named, *_targets(drafts)})
    types = {key: record.type for key, record in existing.items()}
    types.update({Key(d.project, d.uid or ""): d.type for d in drafts})
    for key, count in Counter(named).items():
        if count > 1:
            faults.append(Fault("uid-twice", key.uid, f"stands {count} times in the import."))
        if key in existing:
            faults.append(
                Fault("uid-taken", key.uid, f"exists in {key.project} already.", "Edit it there.")
            )
    contents = []
    for draft in drafts:
        where = _where(draft)
        content = draft.content
        if not UID.fullmatch(draft.uid or ""):
            faults.append(Fault("uid", where, f"'{(draft.uid or '')[:80]}' is no uid."))
        if draft.type not in registry:
            near = difflib.get_close_matches(draft.type, registry.names(), 1)
            faults.append(
                Fault(
                    "unknown-type",
                    where,
                    f"is of the unknown type '{draft.type}'.",
                    f"Did you mean {near[0]}?" if near else "",
                )
            )
        else:
            record_type = registry.of(draft.type)
            fields, found = content_faults(record_type, content, where)
            faults += found
            faults += target_faults(record_type, content.links, draft.project, types, where)
            content = Content(content.title.strip(), content.body, fields, content.links)
        contents.append(content)
    return contents, faults


def _create(session: Session, draft: RecordDraft, project: Project) -> Record:
    record = Record(project_id=project.id or 0, type=draft.type, uid=draft.uid or "")
    session.add(record)
    session.flush()
    return record


def _write(
    session: Session,
    draft: RecordDraft,
    record: Record,
    content: Content,
    project: Project,
    author: Actor,
    known: Mapping[Key, Record],
    registry: TypeRegistry,
) -> None:
    record_type = registry.of(draft.type)
    reason = f"Imported at revision {draft.number}." if draft.number > 1 else "Imported."
    revision = new_revision(record, draft.number, author, reason, lifecycle.DRAFT)
    fill(revision, record_type, project, record.uid, content)
    session.add(revision)
    session.flush()
    record.latest_id = revision.id
    write_links(session, revision, project, content, known)
    if record_type.lifecycle != "controlled":
        revision.state = _first_state(record_type, draft.state)
        revision.approved_at = now()
        record.effective_id = revision.id
    record_event(session, "import", record, revision, project, author)


def _first_state(record_type: RecordType, stated: str) -> str:
    if stated not in lifecycle.states(record_type.lifecycle):
        return lifecycle.FIRST[record_type.lifecycle]
    if record_type.accepting and stated in NEEDED_FOR[record_type.accept_before]:
        return {"work": "assessed", "close": "verifying"}[record_type.accept_before]
    if record_type.deciding and lifecycle.is_decided(record_type.lifecycle, stated):
        return lifecycle.BEFORE_DECISION[stated]
    return stated
