"""Read the source files of commits for markers: each content once, however often it is met."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from core.db import Database, chunks
from core.records.models import Record, Revision
from qms.repositories.dialects import dialect_of
from qms.repositories.following import Spot
from qms.repositories.markers import READING, Marker, markers_in
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository, SourceBlob, SourceMarker, SourcePlace
from qms.repositories.steps import JsonDict, Steps
from qms.repositories.trees import FileAt, blobs, files_of

LARGEST_FILE = 500_000
"""Bytes of a source file that is read for markers; nobody writes a longer one by hand."""

MOST_FILES = 50_000
"""Source files of one commit that are read."""

AT_ONCE = 500
"""Contents per transaction."""

SNIFFED = 8_000
"""Bytes in which a NUL makes a file binary, as Git itself judges."""

BINARY = "is not text"
LARGE = f"is larger than {LARGEST_FILE} bytes and was not read"
TOO_MANY = f"more than {MOST_FILES} source files; the rest was not read"

Content = tuple[str, str]
"""A blob and the dialect by which it is read."""


def source_files(files: Iterable[FileAt]) -> Iterator[tuple[FileAt, str]]:
    """Return the files that are looked at, each with its dialect or, at the limit, an empty one."""
    count = 0
    for file in files:
        if not dialect_of(file.path):
            continue
        count += 1
        if count > MOST_FILES:
            yield FileAt(".", "", 0), TOO_MANY
            return
        yield file, LARGE if file.size > LARGEST_FILE else ""


def read_contents(
    db: Database, mirror: Mirror, repository_id: int, wanted: Iterable[Content], steps: Steps
) -> int:
    """Read every content that was not read before, and return how many were."""
    chosen = list(dict.fromkeys(wanted))
    with db.reading() as session:
        known = known_contents(session, repository_id, chosen, READING)
    unread = [one for one in chosen if one not in known]
    done = 0
    for batch in _batched(unread):
        read = list(_read(mirror, batch))
        steps.step(f"contents {batch[0][0]} {len(batch)}", _storing(repository_id, read))
        done += len(batch)
        steps.progress(done, len(unread), f"Reading {len(unread)} source files for markers")
    return done


def _batched(items: Sequence[Content]) -> Iterator[Sequence[Content]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _read(mirror: Mirror, batch: Sequence[Content]) -> Iterator[tuple[Content, str, list[Marker]]]:
    names = [sha for sha, _ in batch]
    for one, (_, content) in zip(batch, blobs(mirror, names, LARGEST_FILE), strict=True):
        if content is None:
            yield one, LARGE, []
        elif b"\0" in content[:SNIFFED]:
            yield one, BINARY, []
        else:
            found = markers_in(content, one[1])
            yield one, found.unread, found.markers


def _storing(
    repository_id: int, read: Sequence[tuple[Content, str, list[Marker]]]
) -> Callable[[Session], JsonDict]:
    def store(session: Session) -> JsonDict:
        known = known_contents(session, repository_id, [one for one, _, _ in read], READING)
        fresh = {one: (problem, found) for one, problem, found in read if one not in known}
        stale = known_contents(session, repository_id, list(fresh))
        _forget(session, {number: fresh[one][0] for one, number in stale.items()})
        rows: list[dict[str, Any]] = [
            {
                "repository_id": repository_id, "sha": sha, "dialect": dialect,
                "problem": problem, "reading": READING,
            }
            for (sha, dialect), (problem, _) in fresh.items()
            if (sha, dialect) not in stale
        ]  # fmt: skip
        if rows:
            session.execute(insert(SourceBlob), rows)
        ids = known_contents(session, repository_id, list(fresh))
        markers = [
            {"blob_id": ids[one], **vars(marker), "form": marker.form.value}
            for one, (_, found) in fresh.items()
            for marker in found
        ]
        if markers:
            session.execute(insert(SourceMarker), markers)
        return {"read": len(fresh), "markers": len(markers)}

    return store


def _forget(session: Session, problems: dict[int, str]) -> None:
    """Drop the markers that another reading found, where a content is read anew."""
    for chunk in chunks(problems):
        session.execute(delete(SourceMarker).where(col(SourceMarker.blob_id).in_(chunk)))
    if problems:
        rows = [
            {"id": one, "problem": problem, "reading": READING} for one, problem in problems.items()
        ]
        session.execute(update(SourceBlob), rows)


def known_contents(
    session: Session, repository_id: int, wanted: Sequence[Content], reading: int | None = None
) -> dict[Content, int]:
    """Return the row of each content that was read before; by one reading only, if it is given."""
    found: dict[Content, int] = {}
    for batch in _batched(wanted):
        query = select(col(SourceBlob.sha), col(SourceBlob.dialect), col(SourceBlob.id)).where(
            col(SourceBlob.repository_id) == repository_id,
            col(SourceBlob.sha).in_([sha for sha, _ in batch]),
        )
        if reading is not None:
            query = query.where(col(SourceBlob.reading) == reading)
        among = set(batch)
        found.update(
            ((sha, dialect), one)
            for sha, dialect, one in session.execute(query).all()
            if (sha, dialect) in among
        )
    return found


def stale_contents(session: Session, repository_id: int) -> list[Content]:
    """Return the contents that were read by another reading than the present one."""
    query = (
        select(col(SourceBlob.sha), col(SourceBlob.dialect))
        .where(col(SourceBlob.repository_id) == repository_id, col(SourceBlob.reading) != READING)
        .order_by(col(SourceBlob.id))
    )
    return [(sha, dialect) for sha, dialect in session.execute(query).all()]


def keep_places(
    session: Session, repository_id: int, files: Sequence[tuple[FileAt, str]]
) -> JsonDict:
    """Keep where the last read commit holds contents with markers, and what was not read."""
    wanted = [(file.blob, dialect_of(file.path)) for file, problem in files if not problem]
    ids = known_contents(session, repository_id, wanted)
    telling = _telling(session, repository_id)
    rows: list[dict[str, Any]] = []
    for file, problem in files:
        blob = None if problem else ids[file.blob, dialect_of(file.path)]
        if problem or blob in telling:
            where = {"repository_id": repository_id, "path": file.path}
            rows.append({**where, "blob_id": blob, "problem": problem})
    session.execute(delete(SourcePlace).where(col(SourcePlace.repository_id) == repository_id))
    if rows:
        session.execute(insert(SourcePlace), rows)
    return {"places": len(rows)}


def _telling(session: Session, repository_id: int) -> set[int | None]:
    """Return the contents that hold a marker or a problem; there are few among many."""
    mine = col(SourceBlob.repository_id) == repository_id
    marked = (
        select(col(SourceMarker.blob_id))
        .join(SourceBlob, col(SourceBlob.id) == col(SourceMarker.blob_id))
        .where(mine)
        .distinct()
    )
    odd = select(col(SourceBlob.id)).where(mine, col(SourceBlob.problem) != "")
    return {*session.execute(marked).scalars(), *session.execute(odd).scalars()}


def spots_of(session: Session, repository: Repository) -> list[Spot]:
    """Return the marked lines of the last read commit whose id is a record of the project."""
    query = (
        select(SourceMarker, col(SourcePlace.path), col(SourceBlob.sha))
        .join(SourceBlob, col(SourceBlob.id) == col(SourceMarker.blob_id))
        .join(SourcePlace, col(SourcePlace.blob_id) == col(SourceBlob.id))
        .where(col(SourcePlace.repository_id) == repository.id)
        .order_by(col(SourcePlace.path), col(SourceMarker.line), col(SourceMarker.id))
    )
    rows = [(one, path, sha) for one, path, sha in session.execute(query).all()]
    records = records_named(session, repository.project_id, {one.named for one, _, _ in rows})
    return [
        _spot(one, records[one.named], path, sha) for one, path, sha in rows if one.named in records
    ]


def spots_in(
    session: Session, repository: Repository, places: Sequence[tuple[str, str]]
) -> list[Spot]:
    """Return the marked lines of contents that were read before, each ``(path, blob)``."""
    found: list[tuple[SourceMarker, str, str]] = []
    wanted = [(sha, dialect_of(path)) for path, sha in places]
    ids = known_contents(session, repository.id or 0, wanted)
    markers: dict[int, list[SourceMarker]] = {}
    for chunk in chunks(ids.values()):
        query = (
            select(SourceMarker)
            .where(col(SourceMarker.blob_id).in_(chunk))
            .order_by(col(SourceMarker.line), col(SourceMarker.id))
        )
        for one in session.execute(query).scalars():
            markers.setdefault(one.blob_id, []).append(one)
    for path, sha in places:
        number = ids.get((sha, dialect_of(path)), 0)
        found += [(one, path, sha) for one in markers.get(number, ())]
    records = records_named(session, repository.project_id, {one.named for one, _, _ in found})
    return [
        _spot(one, records[one.named], path, sha)
        for one, path, sha in found
        if one.named in records
    ]


def _spot(one: SourceMarker, record_id: int, path: str, sha: str) -> Spot:
    return Spot(
        record_id, one.form, one.role, one.named, path, sha, one.line, one.first, one.last,
        one.digest,
    )  # fmt: skip


def records_named(session: Session, project_id: int, names: Iterable[str]) -> dict[str, int]:
    """Return the record that each name means; one of OpenFastTrace also without its revision."""
    meant = {name: candidates(name) for name in names}
    ids: dict[str, int] = {}
    for chunk in chunks(uid for each in meant.values() for uid in each):
        query = select(col(Record.uid), col(Record.id)).where(
            col(Record.project_id) == project_id,
            col(Record.uid).in_(chunk),
        )
        ids.update((uid, one) for uid, one in session.execute(query).all())
    first = {
        name: next((ids[uid] for uid in each if uid in ids), None) for name, each in meant.items()
    }
    return {name: one for name, one in first.items() if one is not None}


def candidates(named: str) -> tuple[str, ...]:
    """Return the uids that a name may mean, the closest first.

    Examples
    --------
    >>> candidates("dsn~REQ-001~2")
    ('dsn~REQ-001~2', 'dsn~REQ-001', 'REQ-001')
    """
    parts = named.split("~")
    return (named, "~".join(parts[:2]), parts[1]) if len(parts) == 3 else (named,)


def release_commits(session: Session, project_id: int, *, released: bool = False) -> dict[str, str]:
    """Return the commit that each release of a project names, by the release's uid.

    Parameters
    ----------
    released : bool
        Only of releases that are in force, as they are in force; drafts name one too otherwise.
    """
    chosen = col(Record.effective_id) if released else col(Record.latest_id)
    query = (
        select(col(Record.uid), Revision)
        .join(Revision, col(Revision.id) == chosen)
        .where(
            col(Record.project_id) == project_id,
            col(Record.type) == "release",
            col(Record.withdrawn_at).is_(None),
        )
        .order_by(col(Record.id))
    )
    told = {
        uid: str(revision.fields.get("commit") or "")
        for uid, revision in session.execute(query).all()
    }
    return {uid: commit for uid, commit in told.items() if commit}


def files_at(mirror: Mirror, commit: str) -> list[tuple[str, Content]]:
    """Return path and content of each of a commit's source files that are read."""
    files = source_files(files_of(mirror, commit))
    return [
        (file.path, (file.blob, dialect_of(file.path))) for file, problem in files if not problem
    ]
