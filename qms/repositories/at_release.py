"""Marked lines as the commit of a release holds them, judged by what was reviewed by some moment.

The default branch may have gone on, or back, or elsewhere since: what it holds says nothing of the
release. Only what was approved with the record, or accepted by somebody, does.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import FiducialError
from core.records.models import Project, Record, Revision
from qms.repositories.following import Approved
from qms.repositories.mirror import Mirror
from qms.repositories.models import LinesAcceptance, MarkedLines, Repository
from qms.repositories.released import LinesReleased, files_released, spots_marked
from qms.repositories.service import mirror_beside
from qms.repositories.trees import held_at

Mark = tuple[str, str]
"""Role and digest of marked lines."""


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
    """The commit of a release in one repository."""

    session: Session
    project: Project
    repository: Repository
    sha: str
    files: Sequence[tuple[str, str]]
    until: datetime | None

    @cached_property
    def mirror(self) -> Mirror:
        return mirror_beside(self.session, self.repository)

    @cached_property
    def below(self) -> set[str]:
        """The commit and all that it was made from."""
        return {self.sha, *self.mirror.ancestors(self.sha)}

    def held(self, uid: str) -> list[tuple[Mark, LinesReleased]]:
        """Return the lines that the commit marks with a record."""
        return self._marked(uid, self.sha, self.files)

    def approved(self, uid: str, at: datetime) -> set[Mark]:
        """Return what the default branch marked with a record when it was approved."""
        head = self.repository.marked_commit
        if not head or not self.mirror.holds(head):
            return set()
        sha = held_at(self.mirror, head, [at])[at] or ""
        files = files_released(self.session, self.repository.id or 0, sha)
        return {mark for mark, _ in self._marked(uid, sha, files)}

    def _marked(
        self, uid: str, sha: str, files: Sequence[tuple[str, str]]
    ) -> list[tuple[Mark, LinesReleased]]:
        number = self.repository.id or 0
        return [
            (
                (one.role, one.digest),
                LinesReleased("", "", sha, path, one.first, one.last, one.role),
            )
            for path, one in spots_marked(self.session, self.project, uid, number, files)
        ]


def lines_at(
    session: Session, project: Project, sha: str, until: datetime | None = None
) -> dict[int, list[LinesJudged]]:
    """Return the links that a release's commit holds or lost, by repository.

    A repository that does not hold the commit is not in the answer.

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
        try:
            files = files_released(session, repository.id or 0, sha)
        except FiducialError:
            continue
        if files:
            commit = _Commit(session, project, repository, sha, files, until)
            found[repository.id or 0] = list(_judged(commit))
    return found


def _judged(commit: _Commit) -> Iterable[LinesJudged]:
    query = (
        select(MarkedLines, Record)
        .join(Record, col(Record.id) == col(MarkedLines.record_id))
        .where(col(MarkedLines.repository_id) == commit.repository.id)
        .order_by(col(Record.uid), col(MarkedLines.path), col(MarkedLines.line))
    )
    links: dict[int, list[MarkedLines]] = defaultdict(list)
    records: dict[int, Record] = {}
    for link, record in commit.session.execute(query).all():
        links[link.record_id].append(link)
        records[link.record_id] = record
    for number, record in records.items():
        yield from _of_record(commit, record, links[number])


def _of_record(
    commit: _Commit, record: Record, links: Sequence[MarkedLines]
) -> Iterable[LinesJudged]:
    approved = _in_force(commit.session, record, commit.until)
    accepted = _accepted(commit, [link.id or 0 for link in links])
    fine = {
        link.id or 0: _reviewed(commit, record, link, approved, accepted[link.id or 0])
        for link in links
    }
    held = commit.held(record.uid)
    claimed = set().union(*fine.values())
    open_ones = [(mark, place) for mark, place in held if mark not in claimed]
    for link in links:
        mine = [place for mark, place in held if mark in fine[link.id or 0]]
        others = [place for (role, _), place in open_ones if role == link.role]
        near = min(mine or others, key=lambda one: one.path != link.path, default=None)
        why = ""
        if near is None:
            if link.base_commit not in commit.below:
                continue  # The marker came after the release.
            why = "the marker was removed"
            if _may_be_gone(link, approved, accepted[link.id or 0]):
                continue
        elif not mine and approved is not None:
            why = f"changed since revision {approved.revision} of {record.uid} was approved"
        place = near or link
        yield LinesJudged(
            link, record.uid, commit.repository.name, place.path, place.first, place.last,
            why if approved is not None else "",
        )  # fmt: skip


def _in_force(session: Session, record: Record, until: datetime | None) -> Approved | None:
    """Return the revision that was in force at a moment; None relies on nothing."""
    withdrawn = record.withdrawn_at
    if withdrawn is not None and (until is None or withdrawn <= until):
        return None
    query = select(col(Revision.number), col(Revision.approved_at)).where(
        col(Revision.approved_at).is_not(None)
    )
    if until is None:
        query = query.where(col(Revision.id) == record.effective_id)
    else:
        query = query.where(
            col(Revision.record_id) == record.id, col(Revision.approved_at) <= until
        )
    row = session.execute(query.order_by(col(Revision.number).desc())).first()
    return Approved(row[0], row[1]) if row else None


def _accepted(commit: _Commit, links: Sequence[int]) -> dict[int, list[LinesAcceptance]]:
    found: dict[int, list[LinesAcceptance]] = {link: [] for link in links}
    query = select(LinesAcceptance).where(col(LinesAcceptance.marked_id).in_(links))
    for one in commit.session.execute(query).scalars():
        if commit.until is None or one.at <= commit.until:
            found[one.marked_id].append(one)
    return found


def _reviewed(
    commit: _Commit,
    record: Record,
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
        found |= {one for one in commit.approved(record.uid, approved.at) if one[0] == link.role}
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
