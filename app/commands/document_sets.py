"""The document set of a project: controlled documents rendered from its record."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.console import installation, tell
from core.errors import Fault, Invalid, NotFound

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.records.models import Project
    from qms.document_sets.parts import Source

FORMS = ("markdown", "pdf")
NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""The date of a printed set in which nothing was ever approved: plainly none."""


def export_documents(project: str, output: Path, form: str, release: str) -> None:
    """Write every document of the set into a folder, or none."""
    from core.records.service import find_project
    from qms.document_sets.printing import to_pdf
    from qms.document_sets.rendering import INDEX, index_of, render_set
    from qms.document_sets.templates import read_templates

    if form not in FORMS:
        raise Invalid(f"'{form[:40]}' is no form of documents; there are {' and '.join(FORMS)}.")
    templates = read_templates()
    with installation() as opened, opened.database.reading() as session:
        found = find_project(session, project)
        source = _source(session, found, release)
        demonstration = found.demonstration
    documents = render_set(source, templates)
    files = {one.name: one.text.encode() for one in documents}
    files[INDEX] = index_of(source, documents).encode()
    if form == "pdf":
        created = _created(source)
        for one in documents:
            printed = to_pdf(
                one, source.title, source.version, created, demonstration=demonstration
            )
            files[f"{one.id}.pdf"] = printed
    written = _write(output, files)
    tell(f"{output}: {len(documents)} documents of {project}, {written} files written anew.")


def _source(session: "Session", project: "Project", release: str) -> "Source":
    """Return what the set is filled from: a release as it was signed, else what stands now."""
    from core.errors import Conflict
    from core.records.service import find_record
    from core.records.types import get_registry
    from qms.baselines.current import project_snapshot
    from qms.document_sets.parts import Source
    from qms.releases.gathering import find_release, gather
    from validation.pack.frozen import final_signature, frozen_input

    snapshot = project_snapshot(session, project)
    chosen = find_release(snapshot, project.key, release) if release else None
    registry = get_registry()
    if chosen is None:
        given = gather(session, project, None, snapshot)
        return Source(given, project.title, registry)
    if chosen.withdrawn:
        raise NotFound(f"{chosen.uid} is withdrawn; there is nothing to make documents for.")
    try:
        signed = final_signature(session, project, find_record(session, project, chosen.uid))
    except Conflict:
        given = gather(session, project, chosen, snapshot)
        return Source(given, project.title, registry)
    given = frozen_input(session, project, chosen.key, signed)
    return Source(given, project.title, registry, signed.at)


def _created(source: "Source") -> datetime:
    """Return the date of what is printed: never that of today, so that the bytes stay the same."""
    if source.signed_at is not None:
        return source.signed_at
    records = source.given.snapshot.records.values()
    return max((one.approved_at for one in records if one.approved_at), default=NO_DAY)


def _write(folder: Path, files: dict[str, bytes]) -> int:
    """Write what differs; a link to somewhere else is refused, and then nothing is written."""
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is a file; documents need a folder.")
    faults = [
        Fault("TR307", str(folder / name), "is a link to somewhere else.", "Remove it.")
        for name in files
        if (folder / name).is_symlink()
    ]
    if faults:
        raise Invalid("Nothing was written.", faults)
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
            written += 1
    return written
