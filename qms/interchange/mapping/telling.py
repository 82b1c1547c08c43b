"""Read the records of a project as the corpus of a tool, with the files attached to them."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from core.blobs import BlobStore
from core.errors import Fault, Invalid
from core.records.models import Attachment, Project, Record
from qms.interchange.corpus import Attached, Corpus
from qms.interchange.mapping.back import corpus_of
from qms.interchange.mapping.origin import origin_in
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.kept import kept_records

SPELLINGS = {"needs": "sphinx-needs", "csv": "sheets", "xlsx": "sheets"}
"""What people call a format beside its own name."""


def told_corpus(
    session: Session, store: BlobStore, project: Project, form: str, *, drafts: bool
) -> Corpus:
    """Return what was imported from one format as it stands now.

    Parameters
    ----------
    form : str
        Name of the format; empty where the project was imported from one alone.

    Raises
    ------
    Invalid
        If nothing was imported, or from several formats and none is named.
    """
    records = kept_records(session, project, drafts=drafts)
    name = SPELLINGS.get(form, form) or _only_format(project, records)
    wanted = {
        str(one["sha256"])
        for record in records
        for one in (origin_in(record.content) or {}).get("files", ())
    }
    withdrawn = kept_records(session, project, drafts=drafts, withdrawn=True)
    return corpus_of(records, name, _files(session, store, project, wanted), withdrawn)


def _only_format(project: Project, records: Iterable[RecordFile]) -> str:
    found = sorted({str(origin["format"]) for one in records if (origin := origin_in(one.content))})
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid(f"Nothing of {project.key} was imported from another tool.")
    faults = [Fault("TR346", one, "is one of them.", f"Say --format {one}.") for one in found]
    raise Invalid(f"{project.key} was imported from more than one format.", faults)


def _files(
    session: Session, store: BlobStore, project: Project, wanted: set[str]
) -> dict[str, Attached]:
    rows = session.execute(
        select(Attachment)
        .join(Record, col(Record.id) == col(Attachment.record_id))
        .where(col(Record.project_id) == project.id, col(Attachment.sha256).in_(wanted))
    ).scalars()
    return {one.sha256: Attached(one.name, one.sha256, store.read(one.sha256)) for one in rows}
