"""Write one or more projects, with their whole history, into one file."""

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy import Table as Sheet
from sqlmodel import Session, col

from core.archive import repositories
from core.archive.record_types import types_told
from core.archive.register import BLOB, PERSON, PROJECT, RECORD, Carried, Register, Shared
from core.archive.rows import Row, columns_of, digests_in, encoded, flat, line_of
from core.archive.shape import (
    PAYLOAD_TYPE,
    PROJECT_ARCHIVE,
    PROOF,
    SIGNATURES,
    TRAIL,
    file_member,
    rows_member,
)
from core.archive.trailing import NO_KEY, SignatureRows, Trail
from core.blobs import Blob, BlobStore
from core.canonical import rfc3339
from core.clock import now
from core.db import Database, Table, chunks
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ledger.chain import head
from core.people.models import Person
from core.records.audit import verify_installation
from core.records.models import Project, Record
from core.records.service import find_project
from core.safekeeping.archives import ArchiveWriter
from core.settings import Settings
from core.signing.envelopes import seal
from core.signing.keys import SigningKey, has_key, load_key
from core.version import product_version

FETCHED = 1_000


@dataclass(frozen=True)
class Exported:
    """What an archive holds and how to recognise it."""

    path: Path
    sha256: str
    projects: tuple[str, ...]
    rows: dict[str, int]
    files: int
    fingerprint: str
    needs: tuple[str, ...]
    faults: tuple[Fault, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return asdict(self) | {"path": str(self.path)}


@dataclass
class _Gathered:
    """What is learned while rows are written, and needed after them."""

    refs: dict[str, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    counts: dict[str, int] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    outside: dict[tuple[str, str], str] = field(default_factory=dict)
    signatures: SignatureRows = field(default_factory=list)
    repositories: dict[int, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def export_projects(
    database: Database,
    settings: Settings,
    register: Register,
    keys: Sequence[str],
    target: Path,
    schema: str,
) -> Exported:
    """Write projects into a file as they are at one moment; the file is never overwritten.

    Parameters
    ----------
    schema : str
        The migration that the database is at; the one that imports must be at the same.

    Raises
    ------
    Invalid
        While work on a project is under way.
    NotFound
        If there is no such project, or no folder for the file.
    Conflict
        If there is such a file already.
    """
    if target.exists():
        raise Conflict(f"There is already a file {target}; choose another name.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent} for the archive.")
    key = load_key(settings.data_dir) if has_key(settings.data_dir) else None
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        unfinished = Path(scratch) / "unfinished.zip"
        with (
            database.reading() as session,
            os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out,
            zipfile.ZipFile(out, "w", compresslevel=6) as archive,
        ):
            writer = ArchiveWriter(archive, kind=PROJECT_ARCHIVE)
            projects = [find_project(session, one) for one in sorted(set(keys))]
            _refuse_work_under_way(session, register, [one.id or 0 for one in projects])
            made = _Exporting(session, settings, register, writer, projects, key).write(schema)
        os.link(unfinished, target)
    with target.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    return Exported(
        path=target,
        sha256=sha256,
        projects=tuple(one for one in sorted(set(keys))),
        rows=made.counts,
        files=len(made.files),
        fingerprint=key.fingerprint if key else "",
        needs=tuple(sorted({project for project, _ in made.outside})),
        faults=tuple(made.faults),
    )


def _refuse_work_under_way(session: Session, register: Register, projects: Sequence[int]) -> None:
    faults = [fault for ask in register.under_way for fault in ask(session, projects)]
    if faults:
        raise Invalid("Nothing was exported.", faults)


class _Exporting:
    def __init__(
        self,
        session: Session,
        settings: Settings,
        register: Register,
        writer: ArchiveWriter,
        projects: Sequence[Project],
        key: SigningKey | None,
    ) -> None:
        self.session, self.register, self.writer = session, register, writer
        self.data_dir, self.key = settings.data_dir, key
        self.store = BlobStore(settings.data_dir / "blobs")
        self.projects = {one.id or 0: one for one in projects}
        self.found = _Gathered()
        self.named = register.named(Table.metadata)
        self._numbered: dict[str, dict[int, int]] = {}
        self._names: dict[str, dict[int, Any]] = {}

    def write(self, schema: str) -> _Gathered:
        """Write every member; return what was learned."""
        found = self.found
        found.refs[PROJECT] = {number: one.key for number, one in self.projects.items()}
        query = select(col(Record.id), col(Record.project_id), col(Record.uid)).where(
            col(Record.project_id).in_(list(self.projects))
        )
        for identity, project, uid in self.session.execute(query):
            found.refs[RECORD][identity] = [self.projects[project].key, uid]
        self._member(PROJECT, map(self._project, self.projects.values()))
        for sheet, line in self.register.moving(Table.metadata):
            self._member(sheet.name, self._rows(sheet, line))
        trail = Trail(
            self.session,
            {number: one.key for number, one in self.projects.items()},
            self.key.fingerprint if self.key else NO_KEY,
            self.register.files_of_acts,
        )
        self.writer.add_pieces(TRAIL, map(line_of, trail.entries()))
        self.writer.add_pieces(SIGNATURES, map(line_of, trail.signatures(found.signatures)))
        found.files |= trail.files
        self._member(PERSON, self._people())
        self._member(BLOB, self._files())
        for line_number, folder in self._folders():
            found.faults += repositories.add(self.writer, folder, line_number)
        audit = verify_installation(self.session, self.store)
        found.faults += [Fault(one.code, one.where, one.what) for one in audit.findings]
        manifest = self.writer.close_with(self._facts() | {"schema": schema})
        if self.key is not None:
            self.writer.add_beside(PROOF, seal(PAYLOAD_TYPE, manifest, [self.key]).to_bytes())
        return found

    def _member(self, table: str, rows: Iterable[Row]) -> None:
        counted = 0

        def lines() -> Iterator[bytes]:
            nonlocal counted
            for row in rows:
                counted += 1
                yield line_of(row)

        self.writer.add_pieces(rows_member(table), lines())
        self.found.counts[table] = counted

    def _project(self, one: Project) -> Row:
        return {
            "key": one.key,
            "title": one.title,
            "demonstration": one.demonstration,
            "created_at": encoded(one.created_at),
        }

    def _rows(self, sheet: Sheet, line: Carried | Shared) -> Iterator[Row]:
        numbered = "id" in sheet.c
        rows = self._told(sheet, line)
        # A table without row numbers has no order of its own that another database would keep.
        return rows if numbered else iter(sorted(rows, key=line_of))

    def _told(self, sheet: Sheet, line: Carried | Shared) -> Iterator[Row]:
        left = tuple(line.left) if isinstance(line, Carried) else ()
        columns, targets = columns_of(sheet, left), self.register.targets(sheet)
        known_by = self.register.known_by(sheet.name)
        found = self.session.execute(
            self._query(sheet, line), execution_options={"yield_per": FETCHED}
        )
        for number, kept in enumerate(found.mappings(), start=1):
            row = {
                one.name: self._reference(targets[one.name], kept[one.name])
                if one.name in targets
                else encoded(kept[one.name])
                for one in columns
            }
            if sheet.name in self.named and "id" in sheet.c:
                named = [row[one] for one in known_by] or [number]
                self.found.refs[sheet.name][kept["id"]] = flat(named)
            if isinstance(line, Carried):
                self._note(line, sheet, number, kept)
                for column, (word, target) in line.worded.items():
                    row[column] = self._worded(row[column], word, target)
            yield row

    def _worded(self, text: str, word: str, target: str) -> str:
        """Return a text that ends in a row number with the number of that row's line instead."""
        if not text.startswith(word):
            return text
        if target not in self._numbered:
            sheet = Table.metadata.tables[target]
            query = self._query(sheet, self.register.mover(target)).with_only_columns(sheet.c.id)
            ids = self.session.execute(query).scalars()
            self._numbered[target] = {one: line_number for line_number, one in enumerate(ids, 1)}
        return f"{word}{self._numbered[target][int(text.removeprefix(word))]}"

    def _note(self, line: Carried, sheet: Sheet, number: int, kept: Any) -> None:
        """Remember what a row names besides other rows: files, people, a signature."""
        found = self.found
        found.files.update(filter(None, (kept[one] for one in line.files)))
        for one in line.files_in:
            found.files.update(digests_in(kept[one]))
        for one in line.people:
            value = kept[one]
            found.uids.update(value if isinstance(value, list) else filter(None, [value]))
        if sheet.name == "signature":
            found.signatures.append((number, dict(kept)))
        if sheet.name == self.register.repositories.table:
            found.repositories[number] = kept["id"]

    def _reference(self, target: str, value: Any) -> Any:
        if value is None or target == BLOB:
            return value
        if target == PERSON:
            self.found.people.add(value)
            return self._uid(value)
        known = self.found.refs[target].get(value)
        if known is None and target == RECORD:
            return self._record_elsewhere(value)
        # What `later` columns name comes after them: their rows are looked up when it is needed.
        return known if known is not None else self._ahead(target, value)

    def _ahead(self, target: str, value: int) -> Any:
        """Return how a row of a table that is written later will be named."""
        if target not in self._names:
            sheet, line = Table.metadata.tables[target], self.register.mover(target)
            known_by, targets = self.register.known_by(target), self.register.targets(sheet)
            columns = [sheet.c.id, *(sheet.c[one] for one in known_by)]
            query = self._query(sheet, line).with_only_columns(*columns)
            self._names[target] = {
                kept["id"]: flat(
                    [
                        self._reference(targets[one], kept[one])
                        if one in targets
                        else encoded(kept[one])
                        for one in known_by
                    ]
                )
                for kept in self.session.execute(query).mappings()
            }
        return self._names[target][value]

    def _uid(self, person: int) -> str:
        return self.session.get_one(Person, person).uid

    def _record_elsewhere(self, record: int) -> list[str]:
        """Name a record of another project, that the destination will need."""
        key, uid, kind = self.session.execute(
            select(col(Project.key), col(Record.uid), col(Record.type))
            .join(Record, col(Record.project_id) == col(Project.id))
            .where(col(Record.id) == record)
        ).one()
        self.found.outside[key, uid] = kind
        self.found.refs[RECORD][record] = [key, uid]
        return [key, uid]

    def _query(self, sheet: Sheet, line: Carried | Shared) -> Select[Any]:
        """Return the rows of a table that belong to the projects, in the order they were made."""
        query: Select[Any] = select(sheet)
        if "id" in sheet.c:
            query = query.order_by(sheet.c.id)
        at = sheet
        while isinstance(line, Carried):
            [key] = at.c[line.by].foreign_keys
            if key.column.table.name == PROJECT:
                return query.where(at.c[line.by].in_(list(self.projects)))
            query = query.join(key.column.table, at.c[line.by] == key.column)
            at = key.column.table
            line = self.register.mover(at.name)
        return query.where(at.c.id.in_(line.used(self.session, list(self.projects))))

    def _people(self) -> Iterator[Row]:
        rows = self.session.execute(select(Person).order_by(col(Person.uid))).scalars()
        for one in rows:
            if one.id in self.found.people or one.uid in self.found.uids:
                yield {"uid": one.uid, "name": one.name, "username": one.username}

    def _files(self) -> Iterator[Row]:
        there: set[str] = set()
        for some in chunks(self.found.files):
            query = select(Blob).where(col(Blob.sha256).in_(some)).order_by(col(Blob.sha256))
            for one in self.session.execute(query).scalars():
                there.add(one.sha256)
                if self._is_there(one.sha256):
                    yield {
                        "sha256": one.sha256,
                        "size": one.size,
                        "media_type": one.media_type,
                        "created_at": encoded(one.created_at),
                    }
        self.found.files = there

    def _is_there(self, sha256: str) -> bool:
        """Whether a file is kept and whole; what is not is told, and left out."""
        try:
            self.store.verify(sha256)
        except Exception as error:  # noqa: BLE001
            self.found.faults.append(Fault("file-damaged", sha256, str(error)))
            return False
        return True

    def _folders(self) -> Iterator[tuple[int, Path]]:
        for sha256 in sorted(self.found.files):
            with contextlib.suppress(NotFound):
                path = self.store.path(sha256)
                self.writer.add(file_member(sha256), path, packed=False)
        for line, number in self.found.repositories.items():
            yield line, self.register.repositories.folder_of(self.data_dir, number)

    def _facts(self) -> dict[str, Any]:
        last = head(self.session)
        types = self._types()
        return {
            "fiducial": product_version(),
            "made_at": rfc3339(now()),
            "projects": [{"key": one.key, "title": one.title} for one in self.projects.values()],
            "rows": self.found.counts,
            "source": {
                "fingerprint": self.key.fingerprint if self.key else "",
                "public_key": self.key.public.to_pem().decode() if self.key else "",
                "ledger": {"seq": last.seq, "hash": last.hash},
            },
            "elsewhere": [
                {"project": project, "uid": uid, "type": kind}
                for (project, uid), kind in sorted(self.found.outside.items())
            ],
            "types": types,
            "findings": [[one.where, one.what] for one in self.found.faults],
        }

    def _types(self) -> dict[str, str]:
        """Return the digest of each record type in use, as this installation has it."""
        used = self.session.execute(
            select(col(Record.type)).where(col(Record.project_id).in_(list(self.projects)))
        ).scalars()
        return types_told(set(used))
