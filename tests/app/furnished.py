"""An installation of two projects that have one of everything, and somebody of every kind.

The projects differ in every id, so that an address of one can be bent to name a thing of the other.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from git import Actor as Committer
from git import Repo
from sqlmodel import Session

from core.blobs import BlobStore, keep
from core.clock import now
from core.db import Database
from core.jobs.service import enqueue
from core.ledger import append
from core.people.actor import ADMINISTRATOR, ROLES, Actor
from core.people.models import Person
from core.people.service import (
    Reauthentication,
    find_session,
    grant,
    open_session,
)
from core.people.tokens import RIGHTS
from core.records import approval
from core.records.content import Content, LinkDraft
from core.records.models import Attachment, Project, Record
from core.records.rereviewing.listing import lines_of
from core.records.reviewing import review_token, suspicions_of
from core.records.service import (
    create_project,
    create_record,
    edit_token,
    find_record,
    latest_revision,
    save_draft,
)
from core.records.talking.service import Opening, open_thread
from core.settings import Settings
from core.signing.keys import create_key
from qms.baselines.current import freeze_now
from qms.repositories.models import MarkedLines, Repository, RepositoryCommit, RepositoryTag
from qms.repositories.service import mirror_in
from qms.traceability.asking import Choice
from qms.traceability.views.service import keep_view
from tests.app.furnished_people import (
    Things,
    import_destinations,
    make_tokens,
    name_deputies,
    read_qatrack,
    report_results,
    token_for,
)
from tests.core.conftest import hashed
from validation.pack.standing import BUILT
from validation.runs.models import Run, RunScenario, RunState

ANONYMOUS, STRANGER, NEIGHBOUR = "anonymous", "stranger", "neighbour"
OWNER = "owner"
"""Administrator of the whole installation; `administrator` holds that role in the project alone."""

ANYWHERE = "anywhere"
"""Holds every role in every project, so that nothing but the address can be why they are refused.
"""

SECRET = "Unspoken"
"""Stands in every title, text and file of the other project, and nowhere else."""

TITLE = f"{SECRET} project"

WORKING = ("author", "quality_manager", "technical_reviewer")
"""Roles that fill a project."""


class DryDatabase(Database):
    """A database that takes every change back, so that each person meets the same state."""

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session whose changes are sent to the database, judged there, and undone."""
        with Session(self._writer) as session:
            try:
                yield session
                session.flush()
            finally:
                session.rollback()


@dataclass(frozen=True)
class Somebody:
    """A person's browser: the cookie it sends and the token its forms carry."""

    cookie: str = ""
    csrf: str = ""


@dataclass
class Installation:
    """Two projects, what is in them, and who uses them.

    Attributes
    ----------
    tokens : mapping
        By the one right that it has, a token of whoever may do everything.
    """

    settings: Settings
    own: Things
    other: Things
    people: Mapping[str, Somebody]
    tokens: Mapping[str, str]


@dataclass
class _Filling:
    """Fills one project; `n` begins the number of everything in it."""

    session: Session
    settings: Settings
    project: Project
    n: int
    staff: Mapping[str, Actor]
    word: str
    things: Things = field(default_factory=dict)

    def record(
        self,
        name: str,
        kind: str,
        uid: str,
        fields: Mapping[str, object] | None = None,
        links: Iterable[LinkDraft] = (),
    ) -> Record:
        content = Content(f"{self.word} {kind}", f"{self.word} text.", fields or {}, tuple(links))
        author = self.staff["author"]
        made = create_record(self.session, self.project, kind, content, author, uid=uid)
        self.things[name] = uid
        return made

    def signed(self, record: Record, *by: tuple[str, str]) -> None:
        author = self.staff["author"]
        token = edit_token(latest_revision(self.session, record))
        approval.submit(self.session, record, author, self.proof("author"), token)
        for meaning, role in by:
            token = edit_token(latest_revision(self.session, record))
            signing = approval.Signing(meaning, role)
            who, proof = self.staff[role], self.proof(role)
            approval.sign(self.session, record, signing, who, proof, token)

    def proof(self, role: str) -> Reauthentication:
        return Reauthentication(self.staff[role].person_id)

    def in_force(self, record: Record) -> None:
        """Let a record count whose signatures ask for more than a test of access needs."""
        revision = latest_revision(self.session, record)
        revision.state, revision.approved_at = "approved", now()
        record.effective_id = revision.id
        self.session.flush()

    def read(self, name: str, record: Record) -> None:
        """Keep what the form on the page of a record remembers."""
        self.things[f"{name}_read"] = edit_token(latest_revision(self.session, record))


NEED = {"stakeholder": "physicist", "acceptance": "It is seen."}
APPROVED = ("approved", "quality_manager")
REVIEWED = ("reviewed", "technical_reviewer")


def furnish(database: Database, folder: Path) -> Installation:
    """Fill an empty database; everybody's password is that of `tests.core.conftest`."""
    settings = Settings(
        data_dir=folder,
        qatrack_servers=["https://qa.example.org"],
        plantuml_server="http://127.0.0.1:9/plantuml",
    )
    create_key(folder)
    with database.writing() as session:
        own = create_project(session, "RPM", "RT Plan Metrics", None)
        other = create_project(session, "SIDE", TITLE, None)
        kinds: dict[str, tuple[int | None, Iterable[str]]] = {
            **{role: (own.id, [role]) for role in ROLES},
            STRANGER: (None, ()),
            NEIGHBOUR: (other.id, ROLES),
            OWNER: (None, [ADMINISTRATOR]),
            ANYWHERE: (None, ROLES),
            **{f"other.{role}": (other.id, [role]) for role in WORKING},
        }
        known = {name: _person(session, settings, name, *held) for name, held in kinds.items()}
        actors = {name: actor for name, (_, actor) in known.items()}
        theirs = {role: actors[f"other.{role}"] for role in WORKING}
        hidden = _fill(_Filling(session, settings, other, 2, theirs, SECRET))
        shown = _fill(_Filling(session, settings, own, 1, actors, "Plain"), hidden)
        make_tokens(session, (shown, actors["viewer"], False), (hidden, actors[NEIGHBOUR], True))
        tokens = {right: token_for(session, right, actors[ANYWHERE]) for right in RIGHTS}
        read_qatrack(session, settings, actors[OWNER], shown, hidden)
        name_deputies(session, f"PPL-{OWNER}", (own, shown, ""), (other, hidden, "other."))
    people = {name: somebody for name, (somebody, _) in known.items()}
    met = {name: one for name, one in people.items() if not name.startswith("other.")}
    return Installation(settings, shown, hidden, {ANONYMOUS: Somebody(), **met}, tokens)


def _person(
    session: Session, settings: Settings, name: str, project_id: int | None, roles: Iterable[str]
) -> tuple[Somebody, Actor]:
    username = name.replace("_", ".")
    person = Person(username=username, uid=f"PPL-{username}", name=name, password_hash=hashed())
    session.add(person)
    session.flush()
    grant(session, person, roles, None, project_id)
    token, actor = open_session(session, person, settings)
    session.flush()
    found = find_session(session, token, settings)
    assert found is not None
    return Somebody(token, found.csrf), actor


def _fill(at: _Filling, beyond: Mapping[str, str] | None = None) -> Things:
    at.things |= {"project": at.project.key, "type_name": "user_need", "format_name": "csv"}
    at.things |= {"framework": "13485", "clause": "7.3.7"}
    _needs(at)
    _issues(at)
    _relations(at, beyond)
    _map(at)
    _device(at)
    _release(at)
    _run(at)
    at.things |= report_results(
        at.session, at.settings, at.project, at.n, at.word, at.things["sha"]
    )
    view = keep_view(
        at.session, at.project, at.staff["author"], f"{at.word} view", Choice(), shared=True
    )
    at.things["view_id"] = str(view.id)
    return at.things


def _needs(at: _Filling) -> None:
    draft = at.record("draft", "user_need", f"UN-{at.n}01", NEED)
    at.read("draft", draft)
    waiting = at.record("waiting", "user_need", f"UN-{at.n}02", NEED)
    at.signed(waiting)
    at.read("waiting", waiting)
    held = at.record("held", "user_need", f"UN-{at.n}03", NEED)
    at.signed(held, APPROVED)
    at.read("held", held)
    proposed = at.record("proposed", "user_need", f"UN-{at.n}05", NEED)
    at.signed(proposed, APPROVED)
    token = edit_token(latest_revision(at.session, proposed))
    content = Content(f"{at.word} need, proposed", f"{at.word} text.", NEED)
    save_draft(at.session, proposed, content, at.staff["author"], token)
    at.read("proposed", proposed)
    opening = Opening(at.things["held_read"], "body", f"{at.word} doubt.")
    thread = open_thread(at.session, held, opening, at.staff["author"])
    at.things["thread_id"] = str(thread.id)
    blobs = BlobStore(at.settings.data_dir / "blobs")
    kept = keep(at.session, blobs, f"{at.word} file {at.n}".encode(), "text/plain")
    file = Attachment(
        record_id=held.id or 0, sha256=kept.sha256, name=f"{at.word}.txt", media_type="text/plain",
        size=kept.size, person_name="author",
    )  # fmt: skip
    at.session.add(file)
    at.session.flush()
    at.things |= {"uid": held.uid, "number": "1", "file_id": str(file.id)}


def _issues(at: _Filling) -> None:
    assessor = at.record("assessor", "person", f"PPL-{at.n}01", {"roles": ["author"]})
    said = {"found_in": "0.1.0", "severity": "minor", "safety_relevant": False}
    link = LinkDraft("evaluated_by", assessor.uid)
    problem = at.record("problem", "problem", f"PR-{at.n}01", said, [link])
    at.things["raised"] = "problem"
    at.read("problem", problem)


def _relations(at: _Filling, beyond: Mapping[str, str] | None) -> None:
    """Make a requirement of a need that changed since, and of one in the other project."""
    need = at.record("changed", "user_need", f"UN-{at.n}04", NEED)
    at.signed(need, APPROVED)
    links = [LinkDraft("derives_from", need.uid)]
    if beyond:
        links.append(LinkDraft("derives_from", beyond["held"], beyond["project"]))
    fields = {"category": "functional", "acceptance": "It is seen."}
    requirement = at.record("doubtful", "requirement", f"REQ-{at.n}01", fields, links)
    at.signed(requirement, REVIEWED, APPROVED)
    token = edit_token(latest_revision(at.session, need))
    changed = Content(f"{at.word} need, changed", f"{at.word} text, changed.", NEED)
    save_draft(at.session, need, changed, at.staff["author"], token)
    at.signed(need, APPROVED)
    doubts = suspicions_of(at.session, requirement)
    revision = latest_revision(at.session, requirement)
    at.things["doubtful_read"] = review_token(revision, doubts)
    [line] = lines_of(at.session, at.project, at.staff["author"], [at.project.key])
    at.things["doubtful_choice"] = line.choice


def _map(at: _Filling) -> None:
    for name in ("A", "B"):
        at.in_force(at.record(f"system_{name}", "system", f"SYS-{name}{at.n}", {"kind": "archive"}))
    ends = [
        LinkDraft("from_system", at.things["system_A"]),
        LinkDraft("to_system", at.things["system_B"]),
    ]
    fields = {"category": "dicom", "protocol": "DICOM"}
    at.in_force(at.record("connection", "connection", f"C{at.n}01", fields, ends))
    steps = [LinkDraft("steps", at.things["connection"])]
    fields = {"modality": "external-beam"}
    at.in_force(at.record("pathway", "pathway", f"P{at.n}", fields, steps))
    fields = {"source": "other", "scope": "connection", "frequency": "monthly"}
    at.in_force(at.record("procedure", "qa_procedure", f"QA-{at.n}01", fields))
    import_destinations(at.session, at.project, at.things, at.word)


def _device(at: _Filling) -> None:
    repository = Repository(
        project_id=at.project.id or 0, name=f"device{at.n}", address="/srv/device",
        registered_by="author",
    )  # fmt: skip
    at.session.add(repository)
    at.session.flush()
    inside = repository.id or 0
    sha = _committed(at, mirror_in(at.settings.data_dir, inside).path)
    at.session.add(
        RepositoryCommit(
            repository_id=inside, sha=sha, parents=1, author="author", at=now(), subject=at.word
        )
    )
    at.session.add(
        RepositoryTag(repository_id=inside, name=f"v{at.n}", sha=sha, annotated=True, at=now())
    )
    at.things |= {"name": repository.name, "sha": sha, "repository_id": str(inside)}
    record = find_record(at.session, at.project, at.things["uid"])
    marked = MarkedLines(
        repository_id=inside, record_id=record.id or 0, form="comment", role="implements",
        named=record.uid, commit=sha, path="plan.py", blob="b", line=1, first=1, last=1,
        digest="now", committed_at=now() + timedelta(days=1), base_of="seen after revision 1",
        base_commit=sha, base_path="plan.py", base_first=1, base_last=1, base_digest="before",
        diff=f"-{at.word}",
    )  # fmt: skip
    at.session.add(marked)
    at.session.flush()
    at.things["link"] = str(marked.id)


def _committed(at: _Filling, mirror: Path) -> str:
    """Make a mirror with one commit of one file; return the commit's name."""
    source = Repo.init(at.settings.data_dir / f"device{at.n}")
    (Path(source.working_dir) / "plan.py").write_text(f"# {at.word}\n")
    source.index.add(["plan.py"])
    nobody = Committer("Nobody", "nobody@example.org")
    sha = source.index.commit(at.word, author=nobody, committer=nobody).hexsha
    source.clone(mirror, bare=True).close()
    source.close()
    return sha


def _release(at: _Filling) -> None:
    fields = {"version": f"{at.n}.0.0", "git_tag": f"v{at.n}", "stage": "candidate"}
    at.record("release", "release", f"REL-{at.n}", fields)
    at.things["baseline"] = freeze_now(at.session, at.project, at.word, at.staff["author"]).root
    done = at.record("released", "release", f"REL-{at.n}9", {**fields, "version": f"{at.n}.0.9"})
    at.in_force(done)
    blobs = BlobStore(at.settings.data_dir / "blobs")
    kept = keep(at.session, blobs, f"{at.word} pack {at.n}".encode())
    told = {
        "release": latest_revision(at.session, done).envelope_digest, "members": 1,
        "name": f"{at.word}.zip", "sha256": kept.sha256,
    }  # fmt: skip
    append(at.session, BUILT, None, at.project.id, done.uid, told)


def _run(at: _Filling) -> None:
    """Make as many runs as the project's number says, so that the last is its own alone."""
    blobs = BlobStore(at.settings.data_dir / "blobs")
    kept = keep(at.session, blobs, f"{at.word} output {at.n}".encode(), "text/plain")
    for number in range(1, at.n + 1):
        run = Run(
            project_id=at.project.id or 0, number=number, protocol="verification", tester="tester",
            release_uid=at.things["release"], state=RunState.COMPLETE, repository=at.things["name"],
            repository_id=int(at.things["repository_id"]), tag=f"v{at.n}", commit=at.things["sha"],
        )  # fmt: skip
        at.session.add(run)
        at.session.flush()
        at.session.add(
            RunScenario(
                run_id=run.id or 0, ordinal=0, name="one", key="one", title=at.word,
                feature="one.feature", line=1, status="passed", evidence_sha256=kept.sha256,
                stdout_sha256=kept.sha256, stderr_sha256=kept.sha256,
            )
        )  # fmt: skip
    job = enqueue(at.session, "validation.run", {}, at.staff["author"], project_id=at.project.id)
    at.things |= {"run": str(at.n), "sha256": kept.sha256, "job_id": str(job.id)}
