"""What comes from outside: people's programs and deputies, QATrack+, destinations, test results."""

from datetime import timedelta

from sqlmodel import Session

from core.blobs import BlobStore, keep
from core.clock import now
from core.people.actor import Actor
from core.people.deputies.service import Wish as Deputising
from core.people.deputies.service import name_deputy
from core.people.service import find_actor
from core.people.tokens import ACT, START, WRITE, Wish, make_token, tokens_of
from core.records.models import Project
from core.settings import Settings
from dataflows.probing.models import DestinationList
from dataflows.qatrack import servers as naming
from dataflows.qatrack.refreshing import Read
from dataflows.qatrack.refreshing import keep as keep_reading
from dataflows.qatrack.standing import Item, Key, Kind
from qms.interchange.checks.models import TraceCheck, TraceCheckFile, TraceCheckFinding
from qms.results.models import ResultCase, ResultImport, ResultReport

Things = dict[str, str]


def make_tokens(session: Session, *given: tuple[Things, Actor, bool]) -> None:
    """Give each person a program, which reads, or writes too."""
    tomorrow = str(now().date() + timedelta(days=1))
    for things, who, writes in given:
        wish = Wish("A program", writes, None, tomorrow)
        token = make_token(session, wish, who)
        made = tokens_of(session, who.person_id)[0]
        things |= {"token": token, "token_id": str(made.id), "tomorrow": tomorrow}


def token_for(session: Session, right: str, of: Actor) -> str:
    """Make a token with one right."""
    wish = Wish(
        f"A program that may {right}", right == WRITE, None, str(now().date() + timedelta(days=1)),
        starts=right == START, acts=right == ACT,
    )  # fmt: skip
    return make_token(session, wish, of)


def read_qatrack(session: Session, settings: Settings, by: Actor, *every: Things) -> None:
    """Name a QATrack+ server of everybody, that has one test list."""
    wish = naming.Wish("main", "https://qa.example.org", "Europe/London", "0123456789" * 4)
    server = naming.name_server(session, wish, by, settings)
    key = Key(Kind.LIST, "transfer")
    keep_reading(
        session, Read(now(), {key: Item(key, 1, "Data transfer")}), server_id=server.id or 0
    )
    for things in every:
        things |= {"instance": server.name, "item": f"{server.name}/{key.kind}/{key.slug}"}


def import_destinations(session: Session, project: Project, things: Things, word: str) -> None:
    """Keep a destination list of a system, with one destination."""
    told = {"name": f"{word} archive", "ae": "ARC", "host": "192.0.2.9", "port": 104, "line": 2}
    kept = DestinationList(
        project_id=project.id or 0, system=things["system_A"], name=f"{word}.csv",
        digest="0" * 64, destinations=[told], person="author",
    )  # fmt: skip
    session.add(kept)
    session.flush()
    things["listed"] = str(kept.id)


def name_deputies(session: Session, owner: str, *projects: tuple[Project, Things, str]) -> None:
    """Let a reviewer of each project be deputy of its author from tomorrow on."""
    for project, things, prefix in projects:
        by = find_actor(session, owner)
        of, to = f"PPL-{prefix}author", f"PPL-{prefix}technical.reviewer"
        tomorrow = things["tomorrow"]
        wish = Deputising("author", of, to, tomorrow, tomorrow, f"{project.title} leave")
        things["deputyship_id"] = str(name_deputy(session, project, wish, by).id)


def report_results(
    session: Session, settings: Settings, project: Project, n: int, word: str, commit: str
) -> Things:
    """Import results as often as the project's number says, so that the last is its own alone.

    So are files of another tool checked.
    """
    blobs = BlobStore(settings.data_dir / "blobs")
    kept = keep(session, blobs, f"{word} report {n}".encode())
    for number in range(1, n + 1):
        made = ResultImport(
            project_id=project.id or 0, number=number, commit=commit, via="program",
            imported_by="tester",
        )  # fmt: skip
        session.add(made)
        session.flush()
        report = ResultReport(
            import_id=made.id or 0, name=f"{word}.xml", sha256=kept.sha256, tool="pytest"
        )
        session.add(report)
        session.flush()
        session.add(
            ResultCase(
                report_id=report.id or 0, ordinal=0, suite="", label=word, outcome="passed",
                message="", source="",
            )
        )  # fmt: skip
    checked = _check_files(session, settings, project, n, word)
    return {"import": str(n), "report": kept.sha256, **checked}


def _check_files(
    session: Session, settings: Settings, project: Project, n: int, word: str
) -> Things:
    """Have files checked as often as the project's number says, so that the last is its own."""
    blobs = BlobStore(settings.data_dir / "blobs")
    kept = keep(session, blobs, f"{word} requirements {n}".encode())
    for number in range(1, n + 1):
        made = TraceCheck(
            project_id=project.id or 0, number=number, job_id=0, via="page", asked_by="author",
            form="",
        )  # fmt: skip
        session.add(made)
        session.flush()
        file = TraceCheckFile(
            check_id=made.id or 0, name=f"{word}.csv", sha256=kept.sha256, size=kept.size
        )
        finding = TraceCheckFinding(
            check_id=made.id or 0, ordinal=0, code="TR101", place=f"{word}.csv:2",
            what=f"{word} leads nowhere.",
        )  # fmt: skip
        session.add_all([file, finding])
        session.flush()
    return {"check": str(n), "checked": kept.sha256}
