"""The marked lines of records: where they are, why they need re-review, and that they hold."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from core.errors import Conflict, Fault, Invalid, NotFound
from core.ledger import append
from core.people.actor import Actor
from core.records.models import Project, Record
from core.records.permissions import allowed_roles
from core.records.types import get_registry
from qms.repositories.following import Doubt, doubt_of
from qms.repositories.markers import LOOSE
from qms.repositories.marking import acceptances, approved_revisions, held
from qms.repositories.models import (
    LinesAcceptance,
    MarkedLines,
    Repository,
    SourceBlob,
    SourceMarker,
    SourcePlace,
)
from qms.repositories.sources import records_named

LONGEST_REASON = 2_000


@dataclass(frozen=True)
class LinesShown:
    """One link between a record and marked lines, as pages show it."""

    link: MarkedLines
    uid: str
    repository: str
    doubt: Doubt | None
    accepted: LinesAcceptance | None

    @property
    def span(self) -> str:
        """The lines in words."""
        one = self.link
        return f"line {one.first}" if one.first == one.last else f"lines {one.first}-{one.last}"

    @property
    def since(self) -> str:
        """What the lines are compared with, in words."""
        if self.link.base_of.startswith("acceptance"):
            return "they were accepted"
        if self.link.base_of.startswith("seen"):
            return "they were first marked"
        return f"{self.link.base_of} of {self.uid} was approved"

    @property
    def why(self) -> str:
        """Why they need re-review, as a clause; empty while they do not."""
        if self.doubt is None:
            return ""
        return (
            "the marker was removed" if self.doubt is Doubt.GONE else f"changed since {self.since}"
        )


def lines_of_record(session: Session, record_id: int) -> list[LinesShown]:
    """Return the marked lines of a record, those that need re-review first."""
    return _shown(session, col(MarkedLines.record_id) == record_id)


def lines_of_project(session: Session, project_id: int) -> list[LinesShown]:
    """Return every link of a project to marked lines, those that need re-review first."""
    return _shown(session, col(Repository.project_id) == project_id)


def lines_in_doubt(session: Session, project_id: int) -> list[LinesShown]:
    """Return every link of a project to marked lines that needs re-review."""
    return [one for one in lines_of_project(session, project_id) if one.doubt]


def find_lines(session: Session, project: Project, link: int) -> LinesShown:
    """Return one link of a project to marked lines.

    Raises
    ------
    NotFound
        If there is none.
    """
    mine = col(Repository.project_id) == project.id
    for one in _shown(session, col(MarkedLines.id) == link, mine):
        return one
    raise NotFound(f"{project.key} has no link {link} to marked lines.")


def _shown(session: Session, *conditions: ColumnElement[bool]) -> list[LinesShown]:
    query = (
        select(MarkedLines, col(Record.uid), col(Repository.name))
        .join(Repository, col(Repository.id) == col(MarkedLines.repository_id))
        .join(Record, col(Record.id) == col(MarkedLines.record_id))
        .where(col(Repository.retired_at).is_(None), *conditions)
        .order_by(col(Record.uid), col(MarkedLines.path), col(MarkedLines.line))
    )
    rows = [(link, uid, name) for link, uid, name in session.execute(query).all()]
    approved = approved_revisions(session, {link.record_id for link, _, _ in rows})
    accepted = acceptances(session, [link.id or 0 for link, _, _ in rows])
    found = []
    for link, uid, name in rows:
        last = accepted.get(link.id or 0)
        doubt = doubt_of(link, approved.get(link.record_id), held(last))
        if link.gone_at is None or doubt is not None:
            found.append(LinesShown(link, uid, name, doubt, last))
    return sorted(found, key=lambda one: one.doubt is None)


def roles_of(session: Session, shown: LinesShown) -> tuple[str, ...]:
    """Return the roles that re-review the record; they also accept its lines."""
    record = session.get_one(Record, shown.link.record_id)
    return tuple(sorted(allowed_roles(get_registry().of(record.type))))


def accept(
    session: Session, project: Project, link: int, digest: str, reason: str, by: Actor
) -> None:
    """Keep that somebody read marked lines as they are and that they still serve the record.

    Parameters
    ----------
    digest : str
        Of the lines that were read; what changed since is not accepted unseen.

    Raises
    ------
    Invalid
        Without a reason.
    Conflict
        If the lines changed since they were read, or need no re-review.
    """
    shown = find_lines(session, project, link)
    one = shown.link
    if not reason.strip() or len(reason) > LONGEST_REASON:
        what = f"is empty or longer than {LONGEST_REASON} characters."
        mend = "Say in a sentence why the lines still serve the record."
        raise Invalid("The lines were not accepted.", [Fault("GIT11", "reason", what, mend)])
    if shown.doubt is None:
        raise Conflict(f"The lines of {shown.uid} in {one.path} need no re-review.")
    if digest != one.digest:
        raise Conflict(f"The lines of {shown.uid} in {one.path} changed since you read them.")
    session.add(
        LinesAcceptance(
            marked_id=link,
            commit=one.commit,
            path=one.path,
            blob=one.blob,
            first=one.first,
            last=one.last,
            digest=one.digest,
            gone=shown.doubt is Doubt.GONE,
            person_id=by.person_id,
            person_name=by.name,
            reason=reason.strip(),
        )
    )
    session.flush()
    append(
        session,
        "repository:lines:accept",
        by,
        project_id=project.id,
        subject=shown.uid,
        data={
            "repository": shown.repository, "commit": one.commit, "path": one.path,
            "lines": f"{one.first}-{one.last}", "digest": one.digest,
            "doubt": shown.doubt.value, "reason": reason.strip(),
        },
    )  # fmt: skip


@dataclass(frozen=True)
class UnknownMarker:
    """A marker that names no record of the project."""

    repository: str
    path: str
    line: int
    named: str


def unknown_markers(session: Session, project: Project) -> list[UnknownMarker]:
    """Return every marker of the default branches whose id no record has.

    A comment or a feature tag counts only where its prefix is one of a record type: UTF-8 is none.
    """
    query = (
        select(SourceMarker, col(SourcePlace.path), col(Repository.name))
        .join(SourceBlob, col(SourceBlob.id) == col(SourceMarker.blob_id))
        .join(SourcePlace, col(SourcePlace.blob_id) == col(SourceBlob.id))
        .join(Repository, col(Repository.id) == col(SourcePlace.repository_id))
        .where(col(Repository.project_id) == project.id, col(Repository.retired_at).is_(None))
        .order_by(col(Repository.name), col(SourcePlace.path), col(SourceMarker.line))
    )
    rows = [(one, path, name) for one, path, name in session.execute(query).all()]
    known = records_named(session, project.id or 0, {one.named for one, _, _ in rows})
    registry = get_registry()
    return [
        UnknownMarker(name, path, one.line, one.named)
        for one, path, name in rows
        if one.named not in known
        and (one.form not in LOOSE or registry.of_prefix(one.named) is not None)
    ]


@dataclass(frozen=True)
class Unread:
    """A source file that was not read for markers, or not to its end."""

    repository: str
    path: str
    why: str


def unread_files(session: Session, project_id: int) -> list[Unread]:
    """Return the source files of the default branches that were not read, with the reason."""
    query = (
        select(
            col(Repository.name),
            col(SourcePlace.path),
            col(SourcePlace.problem),
            col(SourceBlob.problem),
        )
        .join(Repository, col(Repository.id) == col(SourcePlace.repository_id))
        .outerjoin(SourceBlob, col(SourceBlob.id) == col(SourcePlace.blob_id))
        .where(col(Repository.project_id) == project_id, col(Repository.retired_at).is_(None))
        .order_by(col(Repository.name), col(SourcePlace.path))
    )
    rows = session.execute(query).all()
    return [Unread(name, path, own or its) for name, path, own, its in rows if own or its]


def marked_uids(session: Session, project_id: int) -> set[str]:
    """Return the records that a marker of a default branch names."""
    query = (
        select(col(Record.uid))
        .join(MarkedLines, col(MarkedLines.record_id) == col(Record.id))
        .join(Repository, col(Repository.id) == col(MarkedLines.repository_id))
        .where(
            col(Repository.project_id) == project_id,
            col(Repository.retired_at).is_(None),
            col(MarkedLines.gone_at).is_(None),
        )
    )
    return set(session.execute(query).scalars())
