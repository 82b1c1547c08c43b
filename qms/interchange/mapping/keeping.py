"""Keep what a corpus became: its records as drafts, and the files of its items beside them."""

import io
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from core.blobs import BlobStore
from core.people.actor import Actor
from core.records.attaching import SentFile, attach, files_of
from core.records.models import Project
from core.records.service import find_record
from qms.interchange.corpus import Attached
from qms.interchange.mapping.accepting import told_acceptance
from qms.interchange.mapping.records import MappedCorpus, Stated
from qms.interchange.markdown.proposing import Proposals, keep_proposals, plan_proposals
from qms.interchange.markdown.standing import Verdict


@dataclass(frozen=True)
class KeptCorpus:
    """What an import came to: the fate of each item, and how many files were attached."""

    proposals: Proposals
    files: int = 0


def plan_corpus(session: Session, project: Project, found: MappedCorpus, by: Actor) -> Proposals:
    """Compare a corpus with what is kept; nothing is written.

    Raises
    ------
    Refused
        If the person may not write a type of which something is created or changed.
    """
    return plan_proposals(session, [(project, found.folder)], by)[0]


def keep_corpus(
    session: Session,
    store: BlobStore,
    project: Project,
    found: MappedCorpus,
    by: Actor,
    about: tuple[str, Stated],
) -> KeptCorpus:
    """Freeze what is in force, then create and change what a corpus says: all or nothing.

    Parameters
    ----------
    about : tuple of str and Stated
        What the corpus was read from, for the reason that is kept, and what was stated for it.

    Raises
    ------
    Invalid
        With every fault and every conflict; then nothing was written.
    Refused
        As `plan_corpus`.
    """
    name, stated = about
    reason = f"Imported from {name}.{told_acceptance(found.findings, stated.accepted)}"
    [proposals] = keep_proposals(session, [(project, found.folder)], by, reason)
    changed = {
        one.file.uid for one in proposals.proposed
        if one.verdict in (Verdict.CREATE, Verdict.UPDATE)
    }  # fmt: skip
    coming = {uid: files for uid, files in found.attached.items() if uid in changed}
    return KeptCorpus(proposals, _attach(session, store, project, coming, by))


def _attach(
    session: Session,
    store: BlobStore,
    project: Project,
    coming: Mapping[str, tuple[Attached, ...]],
    by: Actor,
) -> int:
    """Attach each file that its record does not have yet, and return how many."""
    count = 0
    for uid, files in coming.items():
        record = find_record(session, project, uid)
        held = {one.sha256 for one in files_of(session, record)}
        sent = [
            SentFile(one.name, mimetypes.guess_type(one.name)[0] or "", io.BytesIO(one.data))
            for one in files
            if one.sha256 not in held
        ]
        if sent:
            attach(session, store, project, record, by, sent)
            count += len(sent)
    return count
