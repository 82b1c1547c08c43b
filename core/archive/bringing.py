"""Import an archive of projects into an installation in use: all of it or nothing."""

import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from subprocess import SubprocessError
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, col

from core.archive import repositories
from core.archive.inserting import MOST_FAULTS, Inserting
from core.archive.people import bring_people, people_faults
from core.archive.reading import Archive, ArchivedFiles, opened
from core.archive.record_types import types_told
from core.archive.register import BLOB, PERSON, PROJECT, Register
from core.archive.rows import OddRow, Row, decoded, key_of
from core.archive.shape import SIGNATURES, TRAIL, file_member, repository_folder
from core.archive.trailing import Arriving
from core.blobs import Blob, BlobStore, StoredBlob
from core.db import Database, Table, insert_into
from core.errors import Conflict, Fault, Invalid, Refused
from core.ledger.brought import IMPORTED
from core.ledger.chain import append
from core.ledger.verified import record_verification
from core.people.actor import Actor
from core.records.audit import verify_installation
from core.records.models import Project, Record
from core.settings import Settings
from core.signing.keys import PublicKey

NOTHING = "Nothing was imported."
ODD = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(IntegrityError, DataError),
)
"""What rows of the right form raise that make no sense together, as one that is there twice."""


@dataclass(frozen=True)
class Wish:
    """How an archive is imported.

    Attributes
    ----------
    trusted : PublicKey or None
        The key that must have signed it; without one whoever signed it is told.
    same_people : collection of str
        Uids of people who have another name here and are the same.
    """

    dry_run: bool = False
    trusted: PublicKey | None = None
    same_people: Collection[str] = ()


@dataclass
class Brought:
    """What came with an archive."""

    archive: str
    projects: list[str]
    made_at: str
    signer: str
    trusted: bool
    kept: bool
    rows: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    files: int = 0
    people_made: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return asdict(self)


def import_projects(
    database: Database,
    settings: Settings,
    register: Register,
    path: Path,
    schema: str,
    by: Actor,
    wish: Wish,
) -> Brought:
    """Bring the projects of an archive into an installation that has none of them.

    Raises
    ------
    Refused
        For anybody who is no administrator of the installation.
    Invalid
        With everything that is wrong; nothing was written then.
    """
    if not by.is_administrator:
        raise Refused(f"{by.name} is no administrator and may not import a project here.")
    with opened(path, register, schema, wish.trusted) as archive:
        bringing = _Bringing(settings, register, archive, by, wish)
        try:
            with database.writing() as session:
                result = bringing.bring(session)
                if not wish.dry_run:
                    bringing.put_files()
                else:
                    bringing.try_files()
                    session.rollback()
        except BaseException:
            bringing.take_back()
            raise
        return result


class _Bringing:
    def __init__(
        self, settings: Settings, register: Register, archive: Archive, by: Actor, wish: Wish
    ) -> None:
        self.register, self.archive, self.by, self.wish = register, archive, by, wish
        self.data_dir = settings.data_dir
        self.root = settings.data_dir / "blobs"
        self.folders: list[Path] = []
        self.into: Inserting | None = None
        self.result = Brought(
            archive=archive.sha256,
            projects=archive.projects,
            made_at=str(archive.facts.get("made_at")),
            signer=archive.signer,
            trusted=wish.trusted is not None,
            kept=not wish.dry_run,
        )

    def bring(self, session: Session) -> Brought:
        """Put everything into the database, and verify it there before it is kept."""
        try:
            return self._bring(session)
        except ODD as error:
            told = f"{type(error).__name__}: {str(error)[:200]}".splitlines()[0]
            what = f"holds something that cannot be kept or read here ({told})."
            raise Invalid(NOTHING, [Fault("odd", self.archive.path.name, what)]) from error

    def _bring(self, session: Session) -> Brought:
        files = ArchivedFiles(self.root, self.archive.reader)
        before = {(one.where, one.what) for one in verify_installation(session, files).findings}
        people = [row for _, row in self.archive.rows(PERSON)]
        self._refuse([*self._misfits(session, people)])
        into = self.into = Inserting(session, self.archive, self.register)
        projects = self._begin(session, into, people)
        self._refuse(into.faults)
        into.insert_all()
        self._refuse(into.faults)
        self._trail(session, into, projects)
        into.tell_witness()
        self.result.rows = dict(into.counts)
        self.result.notes += into.notes
        verified = verify_installation(session, files)
        found = [
            Fault(one.code, one.where, one.what)
            for one in verified.findings
            if (one.where, one.what) not in before
        ]
        for project in projects.values():
            for check in self.register.checks:
                found += check(session, project, files)
        self._refuse(found)
        record_verification(session, verified)
        return self.result

    def put_files(self) -> None:
        """Keep the files and the repositories; they are durable before the rows are."""
        faults = []
        for line, folder in self._free_folders():
            folder.parent.mkdir(parents=True, exist_ok=True)
            self.folders.append(folder)
            faults += self._put_repository(line, folder)
        self._refuse(faults)
        store = BlobStore(self.root)
        for sha256 in sorted(self.into.files if self.into else ()):
            with self.archive.reader.archive.open(file_member(sha256)) as incoming:
                store.put(incoming)  # type: ignore[arg-type]

    def try_files(self) -> None:
        """Look whether the repositories can be kept; the files were read through already."""
        faults = []
        for line, _ in self._free_folders():
            # Here, where there is room for what would be kept, and one after the other.
            with TemporaryDirectory(dir=self.data_dir, prefix=".import-") as scratch:
                faults += self._put_repository(line, Path(scratch) / "tried.git")
        self._refuse(faults)

    def _put_repository(self, line: int, folder: Path) -> list[Fault]:
        try:
            repositories.put(self.archive.reader, line, folder)
        except (SubprocessError, FileExistsError, IsADirectoryError, NotADirectoryError):
            # A reference can be in the way of another one: `a` of `a/b`.
            return [Fault("repository", repository_folder(line), "is no sound Git repository.")]
        return []

    def take_back(self) -> None:
        """Remove the repositories of a transaction that failed; its files are merely unused."""
        for folder in self.folders:
            with suppress(OSError):
                shutil.rmtree(folder)

    def _free_folders(self) -> list[tuple[int, Path]]:
        """Return where each repository will lie, by its line; nothing may lie there yet."""
        kept = self.register.repositories
        known_by = self.register.known_by(kept.table)
        ids = self.into.ids[kept.table] if self.into else {}
        found = [
            (line, kept.folder_of(self.data_dir, ids[key_of([row[one] for one in known_by])]))
            for line, row in self.archive.rows(kept.table)
        ]
        for _, folder in found:
            if folder.exists():
                raise Conflict(f"There is a folder {folder} of no repository; move it away.")
        return found

    def _refuse(self, faults: Sequence[Fault]) -> None:
        if faults:
            raise Invalid(NOTHING, list(faults)[:MOST_FAULTS])

    def _misfits(self, session: Session, people: Sequence[Row]) -> list[Fault]:
        """Name everything of this installation that keeps the archive out."""
        there = select(col(Project.key)).where(col(Project.key).in_(self.archive.projects))
        found = [
            Fault("project-there", key, "is here already; an archive changes no project.")
            for key in session.execute(there).scalars()
        ]
        # Rows are seen anew here, so what was edited there would look as if it had never been.
        mend = "Find out what happened there, and export again when nothing is found."
        found += [
            Fault("source", str(where), f"At the source: {what}", mend)
            for where, what in self.archive.facts["findings"]
        ]
        found += self._odd_people(people) or people_faults(session, people, self.wish.same_people)
        found += self._elsewhere(session)
        stated = self.archive.facts.get("types")
        types = stated if isinstance(stated, dict) else {}
        for name, here in types_told(types).items():
            if not here:
                what = "is a record type that this installation does not know."
                found.append(Fault("type", name, what, "Install the department's type pack first."))
            elif here != types[name]:
                told = "is asked otherwise here than where it came from; what is signed stays."
                self.result.notes.append(f"The record type {name} {told}")
        return found

    def _odd_people(self, people: Sequence[Row]) -> list[Fault]:
        return [
            Fault("row", f"person {number}", "has no uid, name and username.")
            for number, row in enumerate(people, start=1)
            if not all(isinstance(row.get(one), str) for one in ("uid", "name", "username"))
        ]

    def _elsewhere(self, session: Session) -> list[Fault]:
        """Name the records that are linked to and come neither along nor are here."""
        found = []
        for one in self.archive.facts["elsewhere"]:
            kind = session.scalar(
                select(col(Record.type))
                .join(Project, col(Project.id) == col(Record.project_id))
                .where(col(Project.key) == one["project"], col(Record.uid) == one["uid"])
            )
            if kind != one["type"]:
                what = "is linked to and is not here" if kind is None else f"is a {kind} here"
                mend = f"Import {one['project']} first, or export both together with --from."
                name = f"{one['project']} {one['uid']}"
                found.append(Fault("link-elsewhere", name, f"{what}.", mend))
        return found

    def _begin(
        self, session: Session, into: Inserting, people: Sequence[Row]
    ) -> dict[str, Project]:
        """Insert what others name first: projects, people, files."""
        projects, source = {}, self.archive.facts["source"]
        for number, row in self.archive.rows(PROJECT):
            if row.get("key") not in self.archive.projects:
                raise Invalid(NOTHING, [Fault("row", f"project {number}", "is not announced.")])
            made = into.project(row)
            projects[made.key] = made
            told = {
                "archive": self.archive.sha256,
                "made_at": self.result.made_at,
                "source": source["fingerprint"],
                "source_head": source["ledger"],
                "signed": bool(self.archive.signer),
                "key_given": self.result.trusted,
            }
            append(session, IMPORTED, self.by, made.id, made.key, told)
        self.result.people_made = bring_people(session, people, into, self.by, self.archive.sha256)
        for number, row in self.archive.rows(BLOB):
            self._file(session, into, number, row)
        self.result.files = len(into.files)
        return projects

    def _file(self, session: Session, into: Inserting, number: int, row: Row) -> None:
        sheet = Table.metadata.tables[BLOB]
        try:
            values = {one.name: decoded(one, row.get(one.name)) for one in sheet.columns}
        except OddRow as error:
            into.faults.append(Fault("row", f"blob {number}", str(error)))
            return
        member = self.archive.reader.members.get(file_member(values["sha256"]))
        if member is None or member.size != values["size"]:
            what = "is named and not in the archive, or of another size."
            into.faults.append(Fault("file-missing", values["sha256"], what))
            return
        into.files.add(StoredBlob(values["sha256"], values["size"]).sha256)
        session.execute(insert_into(session, Blob).values(**values).on_conflict_do_nothing())

    def _trail(self, session: Session, into: Inserting, projects: dict[str, Project]) -> None:
        numbers = {key: one.id or 0 for key, one in projects.items()}
        arriving = Arriving(session, self.by, self.archive.sha256, numbers)
        stated = [row for _, row in self.archive.lines(SIGNATURES)]
        faults = [
            Fault("signature", SIGNATURES, what) for what in arriving.know(stated, into.signatures)
        ]
        for number, row in self.archive.lines(TRAIL):
            if what := arriving.keep(row):
                faults.append(Fault("trail", f"{TRAIL} line {number}", what))
            self.result.entries += 1
        faults += [
            Fault("signature", TRAIL, f"tells of no signature {one[:12]}.")
            for one in sorted(arriving.unsaid)
        ]
        self._refuse(faults)
