"""The demo's release in a real database: imported, approved by signature, frozen and run."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import ports as core_ports
from core.clock import now
from core.db import Database, Table, open_database
from core.ledger.guards import install_guards
from core.ledger.verified import record_verification
from core.ledger.verify import Verification
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import Reauthentication
from core.records import approval
from core.records.approval import Signing
from core.records.content import RecordDraft
from core.records.importing import import_records
from core.records.models import Project, Record, Revision
from core.records.service import (
    create_project,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.signable import about_of
from core.records.types import TypeRegistry, get_registry, use_packs
from core.verdicts import Verdict, VerdictWord
from dataflows.department import load_department
from qms.competence import missing_training
from qms.interchange.design_record import load_design_record
from qms.releases import gathering, ports
from qms.releases.ports import RunStanding
from qms.repositories.models import Repository, RepositoryTag
from qms.rules.facts import Declared, InstallationFact, Measured, RunOfTest, SourceTree
from qms.soup.components import Bill, Component, Source

ROOT = Path(__file__).parents[3]
TOOLS = {
    "EQP-001": ("Fiducial", "0.1.0"),
    "EQP-002": ("Python", "3.11.9"),
    "EQP-003": ("pytest", "9.2.0"),
    "EQP-004": ("pytest-bdd", "9.0.1"),
}
DATA = {"DS-002": "2" * 64, "DS-003": "3" * 64}
COMMIT = "3f2c1a9" + "0" * 33

PEOPLE = {
    "PPL-AK": ("Amara Kole", ["author", "developer"]),
    "PPL-BT": ("Ben Tarrant", ["developer", "tester"]),
    "PPL-CV": ("Chidi Vance", ["technical_reviewer", "trainer"]),
    "PPL-DM": ("Dr Dana Moss", ["clinical_safety_officer", "clinical_lead"]),
    "PPL-EQ": ("Esther Quill", ["quality_manager", "release_manager"]),
}
SIGNERS = {
    "technical_reviewer": "PPL-CV",
    "clinical_safety_officer": "PPL-DM",
    "clinical_lead": "PPL-DM",
    "quality_manager": "PPL-EQ",
    "trainer": "PPL-CV",
}
ITEM_PATHS = (
    ".",
    "engine/intake/checks.py",
    "engine/dose/coverage.py",
    "engine/dose/sampling.py",
    "engine/dose/dvh.py",
)
"""Where the software items of release 0.1.0 say that they are."""

ABSENT = "-"
DECLARED = Declared(
    Bill(
        Source.LOCK,
        "requirements.lock",
        (
            Component("numpy", "2.4.6", "pkg:pypi/numpy@2.4.6", direct=True),
            Component("pydicom", "3.0.2", "pkg:pypi/pydicom@3.0.2", direct=True),
            Component("shapely", "2.2.0", "pkg:pypi/shapely@2.2.0", direct=True),
        ),
    )
)
"""What a lock file of the device pins, at the versions of its register."""

FIRST = ("project", "document", "person", "risk_policy", "training")
"""What others need before they can be signed: training on a document in force."""


@dataclass
class Runs:
    """What validation would answer; a test puts in what was executed."""

    recorded: list[RunOfTest] = field(default_factory=list)

    def verdicts(self, *_: Any) -> dict[str, Verdict]:
        """Return the verdict of each test that was executed."""
        return {
            run.test: Verdict(
                VerdictWord.PASSED if run.outcome == "passed" else VerdictWord.FAILED,
                run.run,
                run.commit,
            )
            for run in self.recorded
        }

    def standing(self, *_: Any) -> RunStanding | None:
        """Return where the one run stands."""
        if not self.recorded:
            return None
        word = "passed" if all(r.outcome == "passed" for r in self.recorded) else "failed"
        return RunStanding("14", word, self.recorded[0].commit, "/p/RPM/runs/14")


@dataclass
class Device:
    """The demo device in a database of its own."""

    db: Database
    runs: Runs

    def person(self, uid: str) -> Actor:
        """Return one of the demo's people, with the roles they hold."""
        with self.db.reading() as session:
            return _actor(session, uid)

    def edit(self, uid: str, **fields: Any) -> None:
        """Change a record's fields as its author, and approve the new revision."""
        with self.db.writing() as session:
            project = find_project(session, "RPM")
            change(session, project, uid, **fields)
            approve(session, project, uid)

    def execute(self, uids: list[str], **parts: Any) -> None:
        """Let tests have been run and passed, just now."""
        moment = now()
        for uid in uids:
            run = RunOfTest(
                test=uid,
                run="14",
                outcome="passed",
                commit=COMMIT,
                version="v0.1.0",
                tester="PPL-BT",
                started_at=moment,
                ended_at=moment + timedelta(milliseconds=1),
                test_revision=1,
                environment="e" * 64,
                tools=tuple(f"{name} {version}" for name, version in TOOLS.values()),
                data_sets=tuple(DATA.items()),
                anomalies="none",
                files=("f" * 64,),
                measured=(Measured("error", "0", "0.4", "0.31", "%", passed=True),),
                installation=InstallationFact((), kept=True),
            )
            self.runs.recorded.append(replace(run, **parts))

    def change(self, session: Session, project: Project, uid: str, **fields: Any) -> None:
        """Propose a change, and leave it a draft."""
        change(session, project, uid, **fields)

    def approve(self, session: Session, project: Project, uid: str) -> None:
        """Submit a draft and give every signature it asks for."""
        approve(session, project, uid)


def change(session: Session, project: Project, uid: str, body: str = "", **fields: Any) -> None:
    """Propose a change of a record, as its author."""
    record = find_record(session, project, uid)
    content = read_content(session, record)
    changed = replace(content, body=body or content.body, fields={**content.fields, **fields})
    token = edit_token(latest_revision(session, record))
    save_draft(session, record, changed, _actor(session, "PPL-AK"), token)


def approve(session: Session, project: Project, uid: str) -> None:
    """Submit a draft, where there is one, and give every signature that its type asks for."""
    record = find_record(session, project, uid)
    record_type, revision = get_registry().of(record.type), latest_revision(session, record)
    about = about_of(session, record_type, revision)
    if record_type.lifecycle == "controlled":
        author = _actor(session, "PPL-AK")
        proof = Reauthentication(author.person_id)
        approval.submit(session, record, author, proof, edit_token(revision))
    for meaning, roles in record_type.sign.items():
        if meaning == "attended":
            sign(session, project, uid, meaning, roles[0], about)
        elif meaning != "authored":
            role = next(role for role in roles if SIGNERS[role] != about)
            sign(session, project, uid, meaning, role, SIGNERS[role])


def sign(session: Session, project: Project, uid: str, meaning: str, role: str, by: str) -> None:
    """Give one signature."""
    signer = _actor(session, by)
    record = find_record(session, project, uid)
    proof = Reauthentication(signer.person_id)
    read = edit_token(latest_revision(session, record))
    approval.sign(session, record, Signing(meaning, role), signer, proof, read)


def _actor(session: Session, uid: str) -> Actor:
    person = session.scalars(select(Person).where(col(Person.uid) == uid)).one()
    roles = frozenset(PEOPLE[uid][1])
    return Actor(person.id or 0, person.name, person.uid, {None: roles})


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the department and the device, everything approved that can be."""
    use_packs([ROOT / "qms/types", ROOT / "dataflows/types"])
    path = tmp_path_factory.mktemp("device") / "device.db"
    db = open_database(f"sqlite:///{path}")
    Table.metadata.create_all(db.engine)
    with db.engine.begin() as connection:
        install_guards(connection)
    before = approval.ports.training
    approval.ports.training = missing_training
    with db.writing() as session:
        _fill(session, get_registry())
        record_verification(session, Verification())
    approval.ports.training = before
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.engine.dispose()
    return path


def _fill(session: Session, registry: TypeRegistry) -> None:
    for uid, (name, _) in PEOPLE.items():
        session.add(Person(username=uid.lower(), uid=uid, name=name, password_hash=ABSENT))
    session.flush()
    author = _actor(session, "PPL-AK")
    create_project(session, "DEPT", "Department", author, demonstration=True)
    device = create_project(session, "RPM", "RT Plan Metrics", author, demonstration=True)
    built = {
        "REL-0.1.0.commit": COMMIT,
        "REL-0.1.0.build.image_digest": f"sha256:{'b' * 64}",
        **{f"{uid}.digest": f"sha256:{digest}" for uid, digest in DATA.items()},
        **{f"{uid}.version": version for uid, (_, version) in TOOLS.items()},
        **{f"{uid}.validated.version": version for uid, (_, version) in TOOLS.items()},
        **{f"{uid}.validated.evidence": "Planted outcomes were recorded truly." for uid in TOOLS},
    }
    department = load_department(ROOT / "app/demo/department.yaml", "DEPT")
    record = load_design_record(ROOT / "app/demo/project.yaml", "RPM", built=built)
    import_records(session, [*department, *record.drafts], author, registry)
    ready = [draft for draft in record.drafts if draft.state == "approved" or _is_trained(draft)]
    ready.sort(key=lambda draft: FIRST.index(draft.type) if draft.type in FIRST else len(FIRST))
    for draft in ready:
        approve(session, device, draft.uid or "")
    _department_in_force(session)
    repository = Repository(
        project_id=device.id, name="device", address="/srv/device", registered_by="Amara Kole"
    )
    session.add(repository)
    session.flush()
    session.add(
        RepositoryTag(
            repository_id=repository.id, name="v0.1.0", sha=COMMIT, annotated=True, at=now()
        )
    )


def _is_trained(draft: RecordDraft) -> bool:
    """Whether it is a complete training of somebody who has an account here."""
    return draft.content.fields.get("outcome") == "complete" and any(
        link.role == "person" and link.target in PEOPLE for link in draft.content.links
    )


def _department_in_force(session: Session) -> None:
    project = find_project(session, "DEPT")
    rows = session.scalars(select(Record).where(col(Record.project_id) == project.id)).all()
    for record in rows:
        if session.get_one(Revision, record.latest_id).state == "draft":
            approve(session, project, record.uid)


@pytest.fixture
def device(demo_file: Path, tmp_path: Path) -> Iterator[Device]:
    """The demo device, with everything filled that `app` fills."""
    copy = tmp_path / "device.db"
    shutil.copy(demo_file, copy)
    runs = Runs()
    before, source_of = approval.ports.training, gathering.source_of
    # The repository here is a row without a mirror; what a mirror holds is tested beside it.
    gathering.source_of = lambda *_: SourceTree(frozenset(ITEM_PATHS))
    approval.ports.training = missing_training
    with (
        core_ports.verdict_source.filled(runs.verdicts),
        ports.recorded_runs.filled(lambda *_: runs.recorded),
        ports.latest_run.filled(runs.standing),
        ports.declared_components.filled(lambda *_: DECLARED),
        ports.bill_of_materials.filled(
            lambda *_: [
                Component("cpython", "3.11.9"),
                Component("numpy", "2.4.6"),
                Component("pydicom", "3.0.2"),
                Component("shapely", "2.2.0"),
            ]
        ),
    ):
        db = open_database(f"sqlite:///{copy}")
        yield Device(db, runs)
        db.engine.dispose()
    approval.ports.training, gathering.source_of = before, source_of
