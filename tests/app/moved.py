"""An installation with two small projects that have a history, and empty ones to move them to."""

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from git import Actor as Committer
from git import Repo
from sqlalchemy import func, select

from app.carrying import CARRYING
from app.schema import newest
from core.archive.bringing import Brought, Wish, import_projects
from core.archive.shape import PROJECT_ARCHIVE, PROOF
from core.archive.writing import Exported, export_projects
from core.blobs import BlobStore
from core.canonical import read_json
from core.clock import now
from core.db import Database, Table, open_database
from core.errors import Invalid
from core.people.actor import ADMINISTRATOR, Actor
from core.people.deputies.models import Deputyship, DeputyshipEnd
from core.people.models import Person
from core.people.service import actor_of, grant
from core.records import approval
from core.records.approval import Signing, reject, sign, submit
from core.records.attaching import SentFile, attach
from core.records.content import Content, LinkDraft
from core.records.reviewing import review, review_token, suspicions_of
from core.records.service import (
    create_project,
    create_record,
    find_project,
    latest_revision,
    save_draft,
)
from core.records.talking.service import Opening, open_thread
from core.safekeeping.archives import MANIFEST, ArchiveWriter
from core.settings import Settings
from core.signing.keys import create_key
from dataflows.probing.models import DestinationList, ProbeResult
from dataflows.qatrack.models import QatrackItem, QatrackReading, QatrackServer
from qms.baselines.freezing import freeze_baseline
from qms.repositories.models import LinesAcceptance, MarkedLines, Repository, RepositoryCommit
from qms.repositories.service import mirror_in
from qms.results.arriving import Sent, read_all, with_files
from qms.results.service import COMMAND, import_results
from qms.traceability.asking import Choice
from qms.traceability.views.service import keep_view
from tests.conftest import Office, add_staff

NEED = {"stakeholder": "physicist", "acceptance": "It is seen."}
REQUIREMENT = {"category": "functional", "acceptance": "It is seen."}
REPORT = b"""<testsuites><testsuite name="s"><testcase classname="c" name="t">
<properties><property name="verifies" value="REQ-001"/></properties></testcase></testsuite>
</testsuites>"""


@dataclass
class House:
    """One installation and its administrator."""

    settings: Settings
    database: Database
    owner: Actor

    def bring(self, archive: Path, wish: Wish | None = None) -> Brought:
        """Import an archive."""
        return import_projects(
            self.database, self.settings, CARRYING, archive, newest(), self.owner, wish or Wish()
        )

    def export(self, target: Path, *keys: str) -> Exported:
        """Export projects."""
        return export_projects(self.database, self.settings, CARRYING, keys, target, newest())

    def size(self) -> dict[str, int]:
        """Return how many rows each table has, and how many files and repositories there are."""
        with self.database.reading() as session:
            found = {
                name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in Table.metadata.tables.items()
            }
        found["files"] = len(list(self.store.digests()))
        found["mirrors"] = len(list((self.settings.data_dir / "repositories").glob("*")))
        return found

    @property
    def store(self) -> BlobStore:
        """Its files."""
        return BlobStore(self.settings.data_dir / "blobs")


@dataclass
class Source:
    """Where the projects come from, and the archive that they leave in."""

    house: House
    office: Office
    archive: Path


def source_house(folder: Path, empty: Path) -> Source:
    """Make an installation with the projects RPM and SIDE, and export both."""
    house = empty_house(folder / "var", empty)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approval.ports, "training", lambda *_: ())
        office = fill(house)
    made = house.export(folder / "both.zip", "RPM", "SIDE")
    assert made.faults == ()
    assert made.needs == ()
    return Source(house, office, made.path)


def refused(house: House, archive: Path, wish: Wish | None = None) -> list[str]:
    """Return why an archive is refused, after a look that it left nothing behind."""
    before = house.size()
    with pytest.raises(Invalid) as refusal:
        house.bring(archive, wish)
    assert house.size() == before
    return [str(one) for one in refusal.value.faults]


def empty_house(folder: Path, empty: Path | Database) -> House:
    """Make an installation as `fiducial init` does."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(empty, Database):
        database = empty
        database.data_dir = folder
    else:
        shutil.copy(empty, folder / "fiducial.db")
        database = open_database(f"sqlite:///{folder / 'fiducial.db'}")
    create_key(folder)
    with database.writing() as session:
        owner = Person(username="owner", uid="PPL-OWNER", name="The Owner", password_hash="none")
        session.add(owner)
        session.flush()
        grant(session, owner, [ADMINISTRATOR], None)
        actor = actor_of(session, owner)
    return House(Settings(data_dir=folder, database_url=""), database, actor)


def fill(house: House) -> Office:
    """Give an installation the projects RPM and SIDE, with one of everything that moves."""
    with house.database.writing() as session:
        side = create_project(session, "SIDE", "Beside it", None)
        project = create_project(session, "RPM", "RT Plan Metrics", None)
        staff = add_staff(session, project)
        grant(
            session, session.get_one(Person, staff["PPL-AK"].person_id), ["author"], None, side.id
        )
        staff["PPL-AK"] = actor_of(session, session.get_one(Person, staff["PPL-AK"].person_id))
    office = Office(house.database, "RPM", staff)
    _write_records(office)
    _change_a_need(office)
    _talk(office, house)
    _freeze(office)
    _lend(office)
    _observe(office, house)
    return office


def _write_records(office: Office) -> None:
    ada = office.staff["PPL-AK"]
    with office.writing() as session:
        side = find_project(session, "SIDE")
        create_record(session, side, "user_need", Content("Elsewhere", "", NEED), ada, uid="UN-901")
        project = office.project(session)
        content = Content("The plan is read", "As it **is**.", NEED)
        create_record(session, project, "user_need", content, ada, uid="UN-001")
        links = (LinkDraft("derives_from", "UN-001"), LinkDraft("derives_from", "UN-901", "SIDE"))
        content = Content("Reads the plan", "Ünïcode.", REQUIREMENT, links)
        create_record(session, project, "requirement", content, ada, uid="REQ-001")
        create_record(session, project, "user_need", Content("Unfinished", "", NEED), ada)
    for uid in ("UN-001", "REQ-001"):
        approve(office, uid)


def approve(office: Office, uid: str) -> None:
    """Bring the draft of a record into force with the signatures that its type asks for."""
    with office.writing() as session:
        record = office.record(session, uid)
        submit(session, record, office.staff["PPL-AK"], office.proof("PPL-AK"),
               office.read(session, uid))  # fmt: skip
        signers = [("PPL-EQ", "approved", "quality_manager")]
        if record.type == "requirement":
            signers.insert(0, ("PPL-CV", "reviewed", "technical_reviewer"))
        for who, meaning, role in signers:
            sign(session, record, Signing(meaning, role), office.staff[who], office.proof(who),
                 office.read(session, uid))  # fmt: skip


def _change_a_need(office: Office) -> None:
    """Change a need that is relied on, after it came back once; re-review what rests on it."""
    with office.writing() as session:
        need = office.record(session, "UN-001")
        content = Content("The plan is read whole", "As it **is**.", NEED)
        save_draft(session, need, content, office.staff["PPL-AK"], office.read(session, "UN-001"))
        submit(session, need, office.staff["PPL-AK"], office.proof("PPL-AK"),
               office.read(session, "UN-001"))  # fmt: skip
        reject(session, need, office.staff["PPL-EQ"], "Say what whole means.",
               office.read(session, "UN-001"))  # fmt: skip
    approve(office, "UN-001")
    with office.writing() as session:
        requirement = office.record(session, "REQ-001")
        doubts = suspicions_of(session, requirement)
        token = review_token(latest_revision(session, requirement), doubts)
        review(session, requirement, office.staff["PPL-CV"], "It still holds.", token)


def _talk(office: Office, house: House) -> None:
    with office.writing() as session:
        requirement, project = office.record(session, "REQ-001"), office.project(session)
        opening = Opening(office.read(session, "REQ-001"), "body", "Is this all?")
        open_thread(session, requirement, opening, office.staff["PPL-CV"])
        sent = SentFile("plan.txt", "text/plain", io.BytesIO(b"a plan"))
        attach(session, house.store, project, requirement, office.staff["PPL-AK"], [sent])
        keep_view(session, project, office.staff["PPL-AK"], "Mine", Choice(), shared=True)


def _freeze(office: Office) -> None:
    with office.writing() as session:
        manager = office.staff["PPL-EQ"]
        freeze_baseline(
            session, office.project(session), "First", "It is done.", manager,
            proof=office.proof("PPL-EQ"),
        )  # fmt: skip


def _lend(office: Office) -> None:
    """Let somebody hold a role in place of another, and end it early."""
    with office.writing() as session:
        lent = Deputyship(
            project_id=office.project(session).id or 0, role="author",
            principal_id=office.staff["PPL-AK"].person_id, first_day=date(2026, 1, 5),
            deputy_id=office.staff["PPL-CV"].person_id, last_day=date(2026, 1, 9),
            reason="Leave", named_by="PPL-OWNER",
        )  # fmt: skip
        session.add(lent)
        session.flush()
        session.add(DeputyshipEnd(deputyship_id=lent.id or 0, reason="Back", ended_by="PPL-OWNER"))


def _observe(office: Office, house: House) -> None:
    """What machines saw: a repository with marked lines, results, a QATrack+ server."""
    with office.writing() as session:
        project = office.project(session)
        repository = Repository(
            project_id=project.id or 0, name="device", address="/srv/device", registered_by="x"
        )
        session.add(repository)
        session.flush()
        inside = repository.id or 0
        sha = _committed(mirror_in(house.settings.data_dir, inside).path)
        session.add(
            RepositoryCommit(
                repository_id=inside, sha=sha, parents=1, author="x", at=now(), subject="s"
            )
        )
        for line in (1, 2):
            _accept(session, office, inside, sha, line)
        arrived = with_files(read_all([Sent("r.xml", REPORT)]))
        import_results(session, house.store, project, arrived, sha, office.staff["PPL-FR"], COMMAND)
        person = office.staff["PPL-AK"]
        session.add(
            ProbeResult(
                project_id=project.id or 0, connection="C001", number=1, key="k", outcome="answers",
                question={"port": 104}, sentence="It answers.", took_ms=7, tool="ours",
                person_id=person.person_id, person=person.name,
            )
        )  # fmt: skip
        session.add(
            DestinationList(
                project_id=project.id or 0, system="SYS-A", name="a.csv", digest="0" * 64,
                destinations=[{"name": "archive", "line": 2}], person=person.name,
            )
        )  # fmt: skip
        server = QatrackServer(name="main", address="https://qa.example.org", time_zone="UTC")
        session.add(server)
        session.flush()
        reading = QatrackReading(server_id=server.id or 0, begun_at=now(), ended_at=now(), items=1)
        session.add(reading)
        session.flush()
        session.add(
            QatrackItem(
                reading_id=reading.id or 0, server_id=server.id or 0, kind="list", slug="transfer",
                number=1, name="Transfer", told={"tolerance": 1.0, "b": {"z": 1, "a": [2.50]}},
            )
        )  # fmt: skip
        fields = {"source": "qatrack-testlist", "scope": "connection", "frequency": "monthly"}
        content = Content("Transfer", "", fields)
        create_record(session, project, "qa_procedure", content, office.staff["PPL-AK"],
                      uid="QA-001")  # fmt: skip


def _accept(session, office: Office, repository: int, sha: str, line: int) -> None:
    record, person = office.record(session, "REQ-001"), office.staff["PPL-AK"]
    marked = MarkedLines(
        repository_id=repository, record_id=record.id or 0, form="comment", role="implements",
        named=record.uid, commit=sha, path="plan.py", blob="b", line=line, first=line, last=line,
        digest="now", committed_at=now() - timedelta(days=1), base_of="revision 1",
        base_commit=sha, base_path="plan.py", base_first=1, base_last=1, base_digest="now",
    )  # fmt: skip
    session.add(marked)
    session.flush()
    accepted = LinesAcceptance(
        marked_id=marked.id or 0, commit=sha, path="plan.py", blob="b", first=line, last=line,
        digest="now", person_id=person.person_id, person_name=person.name, reason="Read.",
    )  # fmt: skip
    session.add(accepted)
    session.flush()
    marked.base_of = f"acceptance {accepted.id}"


def _committed(mirror: Path) -> str:
    source = Repo.init(mirror.parent / "source")
    (Path(source.working_dir) / "plan.py").write_text("# REQ-001\n# REQ-001\n")
    source.index.add(["plan.py"])
    nobody = Committer("Nobody", "nobody@example.org")
    sha = source.index.commit("Read", author=nobody, committer=nobody).hexsha
    source.clone(mirror, bare=True).close()
    source.close()
    shutil.rmtree(mirror.parent / "source")
    return sha


def members_of(archive: Path) -> dict[str, str]:
    """Return the digest of every member of an archive."""
    with zipfile.ZipFile(archive) as opened:
        stated = read_json(opened.read(MANIFEST))["members"]
    return {name: facts["sha256"] for name, facts in stated.items()}


Edit = Callable[[bytes], bytes]


def forged(archive: Path, target: Path, edits: Mapping[str, Edit], **facts: object) -> Path:
    """Write an archive anew with some members changed, and a manifest that agrees with them."""
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(target, "w") as out:
        stated = read_json(opened.read(MANIFEST))
        writer = ArchiveWriter(out, kind=PROJECT_ARCHIVE)
        for name in stated["members"]:
            content = edits.get(name, bytes)(opened.read(name))
            writer.add_pieces(name, [content], packed=not name.startswith("files/"))
        kept = {one: stated[one] for one in stated if one not in ("members", "folders", "format")}
        kept["source"] |= {"fingerprint": "", "public_key": ""}
        writer.close_with(kept | facts)
    assert PROOF not in zipfile.ZipFile(target).namelist()
    return target
