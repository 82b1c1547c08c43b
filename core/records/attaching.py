"""Attach files to a record; a file is kept by its digest and never replaced."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore, keep
from core.errors import Fault, Invalid, Refused
from core.people.actor import Actor
from core.records.models import Attachment, Project, Record
from core.records.permissions import allowed_roles
from core.records.service import latest_revision, record_event
from core.records.types import get_registry
from core.records.writers import still_raises

LONGEST_FILE_NAME = 200

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")


@dataclass(frozen=True)
class SentFile:
    """A file as it was sent; without a name nothing was chosen."""

    name: str
    media_type: str
    content: BinaryIO


def attach(
    session: Session,
    store: BlobStore,
    project: Project,
    record: Record,
    by: Actor,
    sent: Sequence[SentFile],
) -> list[Attachment]:
    """Attach files to a record.

    Raises
    ------
    Refused
        If the person may neither write nor sign records of its type, nor raised this one.
    Invalid
        If there is none.
    """
    record_type, project_id = get_registry().of(record.type), project.id or 0
    allowed = by.has(project_id, *allowed_roles(record_type)) or still_raises(
        record_type, project_id, latest_revision(session, record), by
    )
    if not allowed:
        raise Refused(f"{by.name} may not attach files to {record.uid}.")
    chosen = [one for one in sent if one.name]
    if not chosen:
        fault = Fault("no-file", record.uid, "No file was chosen.", "Choose one and send again.")
        raise Invalid("Nothing was attached.", [fault])
    return [_attach(session, store, project, record, by, one) for one in chosen]


def files_of(session: Session, record: Record) -> list[Attachment]:
    """Return the files that are attached to a record, in the order in which they were."""
    query = select(Attachment).where(col(Attachment.record_id) == record.id)
    return list(session.execute(query.order_by(col(Attachment.id))).scalars())


def _attach(
    session: Session,
    store: BlobStore,
    project: Project,
    record: Record,
    by: Actor,
    sent: SentFile,
) -> Attachment:
    name = sent.name.replace("\\", "/").rsplit("/", 1)[-1][-LONGEST_FILE_NAME:]
    known = _MEDIA_TYPE.fullmatch(sent.media_type)
    media_type = sent.media_type if known else "application/octet-stream"
    kept = keep(session, store, sent.content, media_type)
    attached = Attachment(
        record_id=record.id or 0,
        sha256=kept.sha256,
        name=name,
        media_type=media_type,
        size=kept.size,
        person_name=by.name,
    )
    session.add(attached)
    latest = latest_revision(session, record)
    more = {"file": name, "sha256": kept.sha256, "size": kept.size}
    record_event(session, "attach", record, latest, project, by, more)
    return attached
