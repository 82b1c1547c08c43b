"""Records in full, with everything needed to compute their digests again."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.records.content import content_document
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key, RecordView, Snapshot
from core.records.types import get_registry
from core.records.writing import content_of, envelope_document
from validation.pack.contents import RecordEntry
from validation.pack.evidence import SignatureEntry


def record_entries(
    session: Session, snapshot: Snapshot, keys: Iterable[Key]
) -> tuple[RecordEntry, ...]:
    """Return some records of a snapshot, each at the revision that the snapshot holds."""
    wanted = {snapshot.records[key].envelope_digest: snapshot.records[key] for key in keys}
    query = (
        select(Revision, Project)
        .join(Record, col(Record.id) == col(Revision.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
    )
    entries = [
        _entry(session, wanted[revision.envelope_digest], revision, project)
        for chunk in chunks(wanted)
        for revision, project in session.execute(
            query.where(col(Revision.envelope_digest).in_(chunk))
        ).all()
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.project, entry.uid)))


def _entry(session: Session, view: RecordView, revision: Revision, project: Project) -> RecordEntry:
    content = content_of(session, revision, project)
    return RecordEntry(
        project=view.key.project,
        uid=view.uid,
        type=view.type,
        label=get_registry().of(view.type).label,
        revision=view.revision,
        state=view.state.replace("_", " "),
        content=content_document(view.key.project, view.type, view.uid, content),
        content_digest=view.content_digest,
        envelope=envelope_document(revision),
        envelope_digest=view.envelope_digest,
        signatures=tuple(
            SignatureEntry(
                name=one.name,
                role=one.capacity,
                meaning=one.meaning,
                signed_at=one.at,
                digest=one.envelope_digest,
                signer=one.person_uid,
                reason=one.reason,
            )
            for one in view.signatures
        ),
    )
