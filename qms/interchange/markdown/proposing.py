"""What a folder of records proposes: to create, to change, nothing, or what somebody changed too.

Every file names the revision that it was written from. Where the record still says that, an edit
of the file is a draft above it; where the record went on, both are shown and neither is lost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import NotCanonical
from core.db import chunks
from core.errors import Conflict, Fault, Invalid
from core.ledger import hold_still
from core.people.actor import Actor
from core.records import lifecycle
from core.records.checking import checked_fields, refuse_made
from core.records.content import Content, content_digest
from core.records.importing import import_records
from core.records.models import Project, Record, Revision
from core.records.service import edit_token, save_draft
from core.records.snapshot import Key
from core.records.targets import known_records
from core.records.types import TypeRegistry, get_registry
from core.records.writers import require_author
from core.records.writing import content_of
from qms.baselines.before_import import frozen
from qms.interchange.markdown.checking import link_faults, type_faults
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile, in_project

NOTHING = "Nothing was imported."


class Verdict(StrEnum):
    """What becomes of one file."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Proposed:
    """One file, what becomes of it, and why where that is not plain."""

    file: RecordFile
    verdict: Verdict
    note: str = ""
    record: Record | None = None
    revision: Revision | None = None


@dataclass(frozen=True)
class Proposals:
    """What a folder proposes, file by file, and what stands in its way.

    Attributes
    ----------
    absent : tuple of str
        Records of the project that the folder does not hold; they stay as they are.
    baseline : int or None
        The baseline that holds what was in force before; None until it is kept, or where nothing
        was in force.
    """

    proposed: tuple[Proposed, ...]
    faults: tuple[Fault, ...] = ()
    absent: tuple[str, ...] = ()
    baseline: int | None = None
    counts: Mapping[Verdict, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Count once."""
        found = Counter(one.verdict for one in self.proposed)
        object.__setattr__(self, "counts", {one: found[one] for one in Verdict})

    @property
    def sentence(self) -> str:
        """The counts in words."""
        told = ("to create", "to change", "unchanged", "in conflict")
        return ", ".join(
            f"{self.counts[verdict]} {words}" for verdict, words in zip(Verdict, told, strict=True)
        )

    def of(self, verdict: Verdict) -> list[Proposed]:
        """Return the files with one verdict."""
        return [one for one in self.proposed if one.verdict is verdict]


Incoming = tuple[Project, RecordFolder]
"""A project, and the folder of its records that comes in."""


def plan_proposals(session: Session, incoming: Sequence[Incoming], by: Actor) -> list[Proposals]:
    """Compare folders with what is kept, project by project; nothing is written.

    Links may lead from one of the folders into another.

    Raises
    ------
    Refused
        If the person may not write a type of which something is created or changed.
    """
    beside = {
        Key(project.key, one.uid): one.type
        for project, folder in incoming
        for one in folder.records
    }
    return [_plan(session, project, folder, by, beside) for project, folder in incoming]


def _plan(
    session: Session, project: Project, folder: RecordFolder, by: Actor, beside: Mapping[Key, str]
) -> Proposals:
    registry = get_registry()
    kept = _Kept(session, project, folder.records)
    faults = [*folder.faults, *_of_others(folder.records, project)]
    own = [
        in_project(one, project.key) for one in folder.records if one.project in ("", project.key)
    ]
    for one in own:
        found = type_faults(one, registry)
        faults += found or kept.faults_of(one)
    faults += link_faults(own, registry, {**kept.types(own), **beside})
    proposed = [kept.proposed(one, by, registry) for one in own if one.type in registry]
    for each in proposed:
        if each.verdict is Verdict.UPDATE:
            faults += _made(session, each, project, registry)
    for name in sorted(
        {one.file.type for one in proposed if one.verdict in (Verdict.CREATE, Verdict.UPDATE)}
    ):
        require_author(registry.of(name), project, by)
    named = {one.uid for one in own}
    absent = tuple(uid for uid, one in kept.records.items() if uid not in named and not one.gone)
    return Proposals(tuple(proposed), tuple(dict.fromkeys(faults)), absent)


def keep_proposals(
    session: Session, incoming: Sequence[Incoming], by: Actor, reason: str
) -> list[Proposals]:
    """Freeze what is in force, then create and change what folders propose: all or nothing.

    What is controlled arrives as drafts of the person who imports; approval is a signature, and
    no file gives one.

    Raises
    ------
    Invalid
        With every fault and every conflict; then nothing was written.
    Refused
        As `plan_proposals`.
    """
    hold_still(session)
    plans = plan_proposals(session, incoming, by)
    faults = [fault for found in plans for fault in (*found.faults, *_conflicts(found))]
    if faults:
        raise Invalid(NOTHING, faults)
    kept = []
    for (project, _), found in zip(incoming, plans, strict=True):
        changes = found.counts[Verdict.CREATE] + found.counts[Verdict.UPDATE]
        number = frozen(session, project, reason, by) if changes else None
        kept.append(replace(found, baseline=number))
    drafts = [
        one.file.draft(project.key)
        for (project, _), found in zip(incoming, plans, strict=True)
        for one in found.of(Verdict.CREATE)
    ]
    if drafts:
        import_records(session, drafts, by, get_registry())
    _save(session, [one for found in plans for one in found.of(Verdict.UPDATE)], by, reason)
    return kept


def _conflicts(found: Proposals) -> list[Fault]:
    return [
        Fault("TR318", one.file.where("digest"), f"{one.file.uid} {one.note}.", _MEND)
        for one in found.of(Verdict.CONFLICT)
    ]


_MEND = "Export the record again, make the change there, and import that."


def _save(session: Session, updated: Sequence[Proposed], by: Actor, reason: str) -> None:
    refused: list[Fault] = []
    for one in updated:
        if one.record is None or one.revision is None:
            continue
        token = edit_token(one.revision)
        try:
            save_draft(session, one.record, one.file.content, by, token, reason)
        except Invalid as error:
            refused += error.faults
        except Conflict as error:
            refused.append(Fault("TR318", one.file.where("id"), error.message))
    if refused:
        raise Invalid(NOTHING, refused)


def _of_others(records: Iterable[RecordFile], project: Project) -> list[Fault]:
    return [
        Fault(
            "TR316",
            one.where("project"),
            f"{one.uid} is a record of {one.project}, not of {project.key}.",
            f"Import it into {one.project}.",
        )
        for one in records
        if one.project not in ("", project.key)
    ]


def _made(session: Session, one: Proposed, project: Project, registry: TypeRegistry) -> list[Fault]:
    """Return each field that an act fills in and that the file says otherwise."""
    if one.revision is None:
        return []
    before = content_of(session, one.revision, project)
    try:
        refuse_made(registry.of(one.file.type), one.file.content, before)
    except Invalid as refusal:
        return [
            Fault("TR312", one.file.where("fields", fault.where), fault.what, fault.mend)
            for fault in refusal.faults
        ]
    return []


@dataclass(frozen=True, slots=True)
class _Held:
    """A record of the project, and what it said at any time."""

    record: Record
    latest: Revision
    in_force: str
    digests: frozenset[str]

    @property
    def gone(self) -> bool:
        return self.record.withdrawn_at is not None


class _Kept:
    """What the database keeps of a project, and of what the links of a folder lead to."""

    def __init__(self, session: Session, project: Project, files: Sequence[RecordFile]) -> None:
        self.session = session
        self.project = project
        rows = session.execute(
            select(Record, Revision)
            .join(Revision, col(Revision.id) == col(Record.latest_id))
            .where(col(Record.project_id) == project.id)
        ).all()
        said: dict[int, dict[int, str]] = {record.id or 0: {} for record, _ in rows}
        named = {one.uid for one in files}
        ids = [record.id or 0 for record, _ in rows if record.uid in named]
        for chunk in chunks(ids):
            for identity, record_id, digest in session.execute(
                select(
                    col(Revision.id), col(Revision.record_id), col(Revision.content_digest)
                ).where(col(Revision.record_id).in_(chunk))
            ):
                said[record_id][identity] = digest
        self.records = {
            record.uid: _Held(
                record,
                latest,
                said[record.id or 0].get(record.effective_id or 0, ""),
                frozenset(said[record.id or 0].values()),
            )
            for record, latest in rows
        }

    def types(self, files: Iterable[RecordFile]) -> dict[Key, str]:
        """Return the type of every record that a link of these files can lead to."""
        own = {Key(self.project.key, uid): one.record.type for uid, one in self.records.items()}
        others = {
            Key(link.project, link.target)
            for one in files
            for link in one.content.links
            if link.project and link.project != self.project.key
        }
        known = known_records(self.session, others)
        return {**own, **{key: record.type for key, record in known.items()}}

    def faults_of(self, one: RecordFile) -> list[Fault]:
        held = self.records.get(one.uid)
        if held is None:
            return []
        if held.gone:
            what, mend = f"{one.uid} is withdrawn.", "Numbers are never given twice: take another."
            return [Fault("TR317", one.where("id"), what, mend)]
        if held.record.type != one.type:
            there, here = held.record.type.replace("_", " "), one.type.replace("_", " ")
            what = f"{one.uid} is a {there} here, not a {here}."
            return [Fault("TR317", one.where("type"), what, "Give it another id.")]
        return []

    def proposed(self, one: RecordFile, by: Actor, registry: TypeRegistry) -> Proposed:
        held = self.records.get(one.uid)
        if held is None or held.gone or held.record.type != one.type:
            return Proposed(one, Verdict.CREATE)
        mine = _digest(one, self.project.key, registry)
        if mine == held.latest.content_digest:
            return Proposed(one, Verdict.UNCHANGED, "", held.record, held.latest)
        number = held.latest.number
        if mine == held.in_force:
            note = "says what is in force; the open draft stays"
            return Proposed(one, Verdict.UNCHANGED, note, held.record, held.latest)
        if one.digest == mine and mine in held.digests:
            note = f"was not edited; the record went on to revision {number} since"
            return Proposed(one, Verdict.UNCHANGED, note, held.record, held.latest)
        note = self._stands_in_the_way(one, held, by, registry)
        verdict = Verdict.CONFLICT if note else Verdict.UPDATE
        return Proposed(one, verdict, note, held.record, held.latest)

    def _stands_in_the_way(
        self, one: RecordFile, held: _Held, by: Actor, registry: TypeRegistry
    ) -> str:
        """Say why an edit of a file may not become a draft; empty where it may."""
        latest, kind = held.latest, registry.of(one.type).lifecycle
        stated = latest.state.replace("_", " ")
        reasons = (
            (kind == "event", "was recorded once; correct it with an event of its own"),
            (
                lifecycle.is_decided(kind, latest.state),
                f"is {stated}; reopen it before it is changed",
            ),
            (latest.state == lifecycle.IN_REVIEW, f"is in review as revision {latest.number}"),
            (
                not one.digest,
                "exists, and the file does not say which revision it was written from",
            ),
            (
                one.digest not in held.digests,
                "was never what the file says it was written from",
            ),
            (
                one.digest != latest.content_digest,
                f"was edited here too: the file was written from revision {one.revision}, and "
                f"revision {latest.number} ({stated}) says something else",
            ),
            (
                latest.state == lifecycle.DRAFT and bool(latest.authors - {by.uid}),
                f"has an open draft of {latest.author_name}",
            ),
        )
        return next((words for stands, words in reasons if stands), "")


def _digest(one: RecordFile, project: str, registry: TypeRegistry) -> str:
    """Return the digest that the content would have if it were kept; empty where it has none."""
    fields, faults = checked_fields(registry.of(one.type), one.content.fields, one.file)
    if faults:
        return ""
    content = Content(one.content.title.strip(), one.content.body, fields, one.content.links)
    try:
        return content_digest(project, one.type, one.uid, content)
    except NotCanonical:
        return ""
