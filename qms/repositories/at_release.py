"""Marked lines as the commit of a release holds them, judged by what was reviewed by some moment.

The default branch may have gone on, or back, or elsewhere since: what it holds says nothing of the
release. Only what was approved with the record, or accepted by somebody, does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Project, Record, Revision
from qms.repositories.following import Approved, Spot
from qms.repositories.markers import READING
from qms.repositories.marking import approved_revisions
from qms.repositories.mirror import Mirror
from qms.repositories.models import LinesAcceptance, MarkedLines, Repository
from qms.repositories.released import Files, Marks, files_released, marks_read, placed
from qms.repositories.service import mirror_beside
from qms.repositories.sources import known_contents
from qms.repositories.trees import held_at

Mark = tuple[str, str]
"""Role and digest of marked lines."""

UNREAD = "this commit was not read yet; scan the repository"


@dataclass(frozen=True)
class LinesJudged:
    """A link to marked lines at the commit of a release, and why it needs re-review there."""

    link: MarkedLines
    uid: str
    repository: str
    path: str
    first: int
    last: int
    why: str


@dataclass
class _Commit:
    """The commit of a release in one repository.

    Attributes
    ----------
    in_force : mapping of int to Approved
        The revision of each record that counts; a record without one relies on nothing.
    """

    session: Session
    repository: Repository
    sha: str
    files: Files
    in_force: Mapping[int, Approved]
    marked: dict[str, dict[int, list[Spot]]] = field(default_factory=dict)

    @cached_property
    def mirror(self) -> Mirror:
        return mirror_beside(self.session, self.repository)

    @cached_property
    def below(self) -> set[str]:
        """The commit and all that it was made from."""
        return {self.sha, *self.mirror.ancestors(self.sha)}

    @cached_property
    def is_read(self) -> bool:
        """Whether a scan has read all source files of the commit."""
        wanted = {content for _, content in self.files}
        known = known_contents(self.session, self.repository.id or 0, list(wanted), READING)
        return len(known) == len(wanted)

    @cached_property
    def marks(self) -> Marks:
        return marks_read(self.session, self.repository)

    @cached_property
    def heads(self) -> Mapping[datetime, str | None]:
        """What the default branch held when each record was approved; one question for all."""
        head = self.repository.marked_commit
        if not head or not self.mirror.holds(head):
            return {}
        return held_at(self.mirror, head, [one.at for one in self.in_force.values()])

    def held(self, record: int) -> Sequence[Spot]:
        """Return the lines that the commit marks with a record."""
        return self._marked(record, self.sha)

    def approved(self, record: int) -> set[Mark]:
        """Return what the default branch marked with a record when it was approved."""
        sha = self.heads.get(self.in_force[record].at)
        return {_mark(one) for one in self._marked(record, sha)} if sha else set()

    def _marked(self, record: int, sha: str) -> Sequence[Spot]:
        if sha not in self.marked:
            number = self.repository.id or 0
            files = self.files if sha == self.sha else files_released(self.session, number, sha)
            found: dict[int, list[Spot]] = defaultdict(list)
            for one in placed(files or (), self.marks):
                found[one.record_id].append(one)
            self.marked[sha] = found
        return self.marked[sha].get(record, ())


def _mark(spot: Spot) -> Mark:
    return spot.role, spot.digest


def lines_at(
    session: Session, project: Project, sha: str, until: datetime | None = None
) -> dict[int, list[LinesJudged]]:
    """Return the links that a release's commit holds or lost, by repository.

    A repository that does not hold the commit is not in the answer. Of one that holds it, and
    whose last scan did not read it, every link needs re-review: nothing is known of its lines.

    Parameters
    ----------
    until : datetime
        Only what was approved and accepted by then counts.
    """
    found = {}
    repositories = session.execute(
        select(Repository).where(
            col(Repository.project_id) == project.id, col(Repository.retired_at).is_(None)
        )
    ).scalars()
    for repository in list(repositories) if sha else []:
        files = files_released(session, repository.id or 0, sha)
        if files is not None:
            found[repository.id or 0] = list(_judged(session, repository, sha, files, until))
    return found


def _judged(
    session: Session, repository: Repository, sha: str, files: Files, until: datetime | None
) -> Iterable[LinesJudged]:
    query = (
        select(MarkedLines, Record)
        .join(Record, col(Record.id) == col(MarkedLines.record_id))
        .where(col(MarkedLines.repository_id) == repository.id)
        .order_by(col(Record.uid), col(MarkedLines.path), col(MarkedLines.line))
    )
    links: dict[int, list[MarkedLines]] = defaultdict(list)
    records: dict[int, Record] = {}
    for link, record in session.execute(query).all():
        links[link.record_id].append(link)
        records[link.record_id] = record
    commit = _Commit(session, repository, sha, files, _in_force(session, records.values(), until))
    accepted = _accepted(session, [one.id or 0 for each in links.values() for one in each], until)
    for number, record in records.items():
        if commit.is_read:
            yield from _of_record(commit, record, links[number], accepted)
        else:
            why = UNREAD if number in commit.in_force else ""
            yield from (_as_linked(commit, record, one, why) for one in links[number])


def _as_linked(commit: _Commit, record: Record, link: MarkedLines, why: str) -> LinesJudged:
    name = commit.repository.name
    return LinesJudged(link, record.uid, name, link.path, link.first, link.last, why)


def _of_record(
    commit: _Commit,
    record: Record,
    links: Sequence[MarkedLines],
    accepted: Mapping[int, Sequence[LinesAcceptance]],
) -> Iterable[LinesJudged]:
    approved = commit.in_force.get(record.id or 0)
    fine = {
        link.id or 0: _reviewed(commit, link, approved, accepted.get(link.id or 0, ()))
        for link in links
    }
    held = commit.held(record.id or 0)
    claimed = set().union(*fine.values())
    open_ones = [one for one in held if _mark(one) not in claimed]
    for link in links:
        mine = [one for one in held if _mark(one) in fine[link.id or 0]]
        others = [one for one in open_ones if one.role == link.role]
        near = min(mine or others, key=lambda one: one.path != link.path, default=None)
        why = ""
        if near is None:
            if link.base_commit not in commit.below:
                continue  # The marker came after the release.
            why = "the marker was removed"
            if _may_be_gone(link, approved, accepted.get(link.id or 0, ())):
                continue
        elif not mine and approved is not None:
            why = f"changed since revision {approved.revision} of {record.uid} was approved"
        place = near or link
        yield LinesJudged(
            link, record.uid, commit.repository.name, place.path, place.first, place.last,
            why if approved is not None else "",
        )  # fmt: skip


def _in_force(
    session: Session, records: Iterable[Record], until: datetime | None
) -> dict[int, Approved]:
    """Return the revision of each record that was in force at a moment."""
    if until is None:
        return approved_revisions(session, {one.id or 0 for one in records})
    relied_on = [
        one.id or 0 for one in records if one.withdrawn_at is None or one.withdrawn_at > until
    ]
    found = {}
    for chunk in chunks(relied_on):
        query = (
            select(col(Revision.record_id), col(Revision.number), col(Revision.approved_at))
            .where(col(Revision.record_id).in_(chunk), col(Revision.approved_at) <= until)
            .order_by(col(Revision.number))
        )
        for record, number, at in session.execute(query).all():
            found[record] = Approved(number, at)
    return found


def _accepted(
    session: Session, links: Iterable[int], until: datetime | None
) -> dict[int, list[LinesAcceptance]]:
    found: dict[int, list[LinesAcceptance]] = defaultdict(list)
    for chunk in chunks(links):
        query = select(LinesAcceptance).where(col(LinesAcceptance.marked_id).in_(chunk))
        for one in session.execute(query).scalars():
            if until is None or one.at <= until:
                found[one.marked_id].append(one)
    return found


def _reviewed(
    commit: _Commit,
    link: MarkedLines,
    approved: Approved | None,
    accepted: Sequence[LinesAcceptance],
) -> set[Mark]:
    """Return what a link's lines may say, by the approval and what was accepted."""
    found = {(link.role, one.digest) for one in accepted if not one.gone}
    if approved is None:
        return found
    of = f"revision {approved.revision}"
    if link.base_of in {of, f"seen after {of}", *(f"acceptance {one.id}" for one in accepted)}:
        found.add((link.role, link.base_digest))
    if link.base_of not in {of, f"seen after {of}"}:
        # The base has gone on since: what the approval saw is in the history.
        found |= {one for one in commit.approved(link.record_id) if one[0] == link.role}
        unseen = link.base_of.startswith("revision ") and int(link.base_of[9:]) < approved.revision
        if unseen and link.gone_at is None and approved.at >= link.committed_at:
            found.add((link.role, link.digest))
    return found


def _may_be_gone(
    link: MarkedLines, approved: Approved | None, accepted: Sequence[LinesAcceptance]
) -> bool:
    """Whether somebody saw that the marker is gone, or approved the record without it."""
    seen = any(one.gone for one in accepted)
    return seen or (
        approved is not None and link.gone_at is not None and approved.at >= link.gone_at
    )
