"""How one file stands to the record that is kept: new, the same, edited, or edited on both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import NotCanonical
from core.db import chunks
from core.errors import Fault
from core.people.actor import Actor
from core.records import lifecycle
from core.records.checking import checked_fields
from core.records.content import Content, content_digest
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key
from core.records.targets import known_records
from core.records.types import TypeRegistry
from core.records.writing import contents_of
from qms.interchange.mapping.origin import origin_in
from qms.interchange.mapping.since import Since, since_import
from qms.interchange.markdown.record_file import RecordFile


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


class KeptSide:
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
        foreign = {one.uid for one in files if one.foreign}
        self.contents = contents_of(
            session, [(latest, project) for record, latest in rows if record.uid in foreign]
        )
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
        """Return why the file cannot be of the record that has its id."""
        held = self.records.get(one.uid)
        if held is None:
            return []
        if held.gone:
            what, mend = f"{one.uid} is withdrawn.", "Numbers are never given twice: take another."
            if one.foreign:
                mend = "Take the item out in its tool too, or give it another id there."
            return [Fault("TR317", one.where("id"), what, mend)]
        if held.record.type != one.type:
            there, here = held.record.type.replace("_", " "), one.type.replace("_", " ")
            what = f"{one.uid} is a {there} here, not a {here}."
            return [Fault("TR317", one.where("type"), what, "Give it another id.")]
        return []

    def proposed(self, one: RecordFile, by: Actor, registry: TypeRegistry) -> Proposed:
        """Return what becomes of one file, and why where that is not plain."""
        held = self.records.get(one.uid)
        if held is None or held.gone or held.record.type != one.type:
            return Proposed(one, Verdict.CREATE)
        mine = _digest(one, self.project.key, registry)
        if mine == held.latest.content_digest:
            return Proposed(one, Verdict.UNCHANGED, "", held.record, held.latest)
        if one.foreign:
            return self._again(one, held, by, registry)
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

    def _again(self, one: RecordFile, held: _Held, by: Actor, registry: TypeRegistry) -> Proposed:
        """Judge an item of another tool by what the record said when it was imported."""
        kept = self.contents[held.latest.id or 0]
        since = since_import(kept, one.content, moved=one.moved)
        note, verdict = _SINCE[since], Verdict.CONFLICT
        if since is Since.ELSEWHERE:
            note = note.format((origin_in(kept) or {}).get("file", ""))
        elif since in (Since.SAME, Since.HERE):
            verdict = Verdict.UNCHANGED
        elif since is Since.AS_IMPORTED:
            based = replace(one, digest=held.latest.content_digest)
            note = self._stands_in_the_way(based, held, by, registry)
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


_SINCE: Mapping[Since, str] = {
    Since.OTHER: "is a record here that was not imported from that item",
    Since.ELSEWHERE: "was imported from {}; if its items lie here now, say --moved",
    Since.AS_IMPORTED: "",
    Since.SAME: "was changed here to what the file says",
    Since.HERE: "was not changed in its tool; what was changed here stays",
    Since.BOTH: "was changed here since it was imported, and in its tool too",
}


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
