"""Real Git repositories, written through fast-import."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from git import Repo
from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.people.models import Person
from core.records.models import Record, Revision
from core.records.service import find_project
from core.settings import Settings
from qms.repositories.following import Doubt
from qms.repositories.lines import LinesShown, lines_in_doubt, lines_of_record
from qms.repositories.scanning import ScanReport, scan_repository
from qms.repositories.service import register
from tests.conftest import Office

FIRST_SECOND = 1_700_000_000


class SourceRepository:
    """A repository as a team would have it: commits are added one message at a time."""

    def __init__(self, folder: Path, branch: str) -> None:
        self.folder = folder
        self.branch = branch
        self.count = 0
        self.repo = Repo.init(folder, initial_branch=branch)

    def feed(self, stream: bytes) -> None:
        """Give a stream to git fast-import."""
        with tempfile.TemporaryFile() as file:
            file.write(stream)
            file.seek(0)
            self.repo.git.fast_import("--quiet", "--force", istream=file)

    def add(self, *messages: str, path: str = "engine/dvh/metrics.py") -> str:
        """Commit each message in turn and return the last commit's name."""
        lines: list[bytes] = []
        for position, message in enumerate(messages):
            continued = self.count > 0 and position == 0
            self.count += 1
            text = message.encode()
            content = str(self.count).encode()
            at = FIRST_SECOND + self.count
            lines += [
                f"commit refs/heads/{self.branch}\n".encode(),
                f"committer Amara Kole <ak@example.org> {at} +0000\n".encode(),
                b"data %d\n%s\n" % (len(text), text),
                f"from refs/heads/{self.branch}^0\n".encode() if continued else b"",
                f"M 100644 inline {path}\n".encode(),
                b"data %d\n%s\n" % (len(content), content),
            ]
        self.feed(b"".join(lines))
        return self.head()

    def head(self) -> str:
        """Return the branch's last commit."""
        return self.repo.commit(self.branch).hexsha

    def tag(self, name: str, *, annotated: bool = False, force: bool = False) -> None:
        """Tag the branch's last commit."""
        with self.repo.config_writer() as config:
            config.set_value("user", "name", "Amara Kole")
            config.set_value("user", "email", "ak@example.org")
        self.repo.create_tag(name, self.branch, name if annotated else None, force=force)

    def reset(self, revision: str) -> None:
        """Rewrite the branch to end at another commit."""
        self.repo.git.update_ref(f"refs/heads/{self.branch}", self.repo.commit(revision).hexsha)


NewSource = Callable[..., SourceRepository]


@pytest.fixture
def new_source(tmp_path: Path) -> NewSource:
    made: list[SourceRepository] = []

    def make(branch: str = "trunk") -> SourceRepository:
        made.append(SourceRepository(tmp_path / f"source-{len(made)}", branch))
        return made[-1]

    return make


@pytest.fixture
def source(new_source: NewSource) -> SourceRepository:
    return new_source()


class Registered:
    """A project with two requirements and a test, and a way to register and scan repositories."""

    def __init__(self, folder: Path, office: Office) -> None:
        self.settings = Settings(data_dir=folder / "var", repository_sources=[str(folder)])
        self.db = office.database
        self.by = office.staff["PPL-AK"]
        with self.db.writing() as session:
            self.project_id = office.project(session).id or 0
            self.add_records(session, "REQ-001", "REQ-002", "TST-001")

    def add_records(self, session: Session, *uids: str) -> None:
        """Give the project records, as bare rows."""
        types = {"REQ": "requirement", "TST": "test", "PR": "problem"}
        for uid in uids:
            kind = types[uid.split("-", maxsplit=1)[0]]
            session.add(Record(project_id=self.project_id, type=kind, uid=uid))
        session.flush()

    def register(self, source: SourceRepository, name: str = "") -> int:
        """Register a repository and return its id."""
        with self.db.writing() as session:
            project = find_project(session, "RPM")
            made = register(
                session, project, str(source.folder), self.by, name=name, settings=self.settings
            )
            return made.id or 0

    def scan(self, repository_id: int) -> ScanReport:
        """Scan a repository now."""
        return scan_repository(self.db, self.settings, repository_id, self.by)


@pytest.fixture
def registered(tmp_path: Path, office: Office) -> Registered:
    return Registered(tmp_path, office)


def approve(
    db: Database, uid: str, at: datetime, number: int, fields: dict[str, str] | None = None
) -> None:
    """Let a revision of the first record of that id be in force since then."""
    revise(db, uid, number, fields, at)


def revise(
    db: Database,
    uid: str,
    number: int,
    fields: dict[str, str] | None = None,
    at: datetime | None = None,
) -> None:
    """Add a revision of the first record of that id: a draft where it was approved at no moment."""
    with db.writing() as session:
        record = session.execute(select(Record).where(col(Record.uid) == uid)).scalars().first()
        person = session.execute(select(Person)).scalars().first()
        assert record
        assert person
        revision = Revision(
            record_id=record.id or 0, number=number, state="approved" if at else "draft", title=uid,
            author_id=person.id or 0, author_name="A", author_uid="PPL-AK", approved_at=at,
            content_digest="c", fields=fields or {},
            envelope_digest=f"e{uid}{number}", fingerprint="f",
        )  # fmt: skip
        session.add(revision)
        session.flush()
        record.latest_id = revision.id
        record.effective_id = revision.id if at else record.effective_id
        session.add(record)


FIRST = """\
# REQ-001: margins
def margin(plan):
    return plan.margin + 1


# REQ-002
def dose(plan):
    return plan.dose
"""


def at(second: int) -> datetime:
    return datetime.fromtimestamp(FIRST_SECOND + second, UTC)


class Team:
    """A team that commits files at given seconds, approves records, and scans."""

    def __init__(self, registered: Registered, source: SourceRepository) -> None:
        self.registered, self.source = registered, source
        self.number = 0

    def commit(self, second: int, files: Mapping[str, str | bytes | None]) -> str:
        """Commit files; None removes one."""
        parts = [f"commit refs/heads/{self.source.branch}\n".encode()]
        when = FIRST_SECOND + second
        parts.append(f"committer Amara Kole <ak@example.org> {when} +0000\n".encode())
        parts.append(b"data 6\nChange\n")
        if self.source.count:
            parts.append(f"from refs/heads/{self.source.branch}^0\n".encode())
        self.source.count += 1
        for path, content in files.items():
            if content is None:
                parts.append(f"D {path}\n".encode())
                continue
            data = content.encode() if isinstance(content, str) else content
            parts.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        self.source.feed(b"".join(parts))
        return self.source.head()

    def approve(self, uid: str, second: int, number: int = 1) -> None:
        """Let a revision of a record be in force since then."""
        approve(self.registered.db, uid, at(second), number)

    def scan(self):
        """Scan, after registering where that was not done."""
        self.number = self.number or self.registered.register(self.source, "rpm")
        return self.registered.scan(self.number)

    def lines(self, uid: str) -> list[LinesShown]:
        """Return the marked lines of a record."""
        with self.registered.db.reading() as session:
            record = session.execute(select(Record).where(Record.uid == uid)).scalar_one()
            found = lines_of_record(session, record.id or 0)
            session.expunge_all()
            return found

    def doubts(self) -> list[tuple[str, Doubt | None]]:
        """Return what needs re-review in the project."""
        with self.registered.db.reading() as session:
            return [
                (one.uid, one.doubt) for one in lines_in_doubt(session, self.registered.project_id)
            ]


@pytest.fixture
def team(registered: Registered, source: SourceRepository) -> Team:
    return Team(registered, source)


def approved(team: Team) -> Team:
    """Two functions, marked and committed before their requirements were approved."""
    team.commit(1, {"rpm/plan.py": FIRST, "README.md": "# REQ-001\n"})
    for uid in ("REQ-001", "REQ-002"):
        team.approve(uid, 10)
    return team


def release(registered: Registered, uid: str, commit: str, *, signed: bool = True) -> None:
    """Let a release name its commit."""
    with registered.db.writing() as session:
        session.add(Record(project_id=registered.project_id, type="release", uid=uid))
    revise(registered.db, uid, 1, {"commit": commit}, at(0) if signed else None)
