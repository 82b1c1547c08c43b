"""Ask the scanned repositories and the records what `answers` judges."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

from core import ports
from core.errors import Conflict, NotFound
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.service import find_record
from core.settings import Settings
from qms.repositories.answers import (
    ChangedSince,
    CommitTold,
    Contents,
    InForce,
    changed_after_their_run,
    contents_of,
    without_code,
)
from qms.repositories.lines import LinesShown, lines_in_doubt, marked_uids
from qms.repositories.mirror import Mirror, object_name
from qms.repositories.queries import (
    CommitFilter,
    CommitLine,
    commit_count_per_record,
    commits_by_sha,
    commits_page,
)
from qms.repositories.service import mirror_holding
from qms.repositories.sources import release_commits

TRACED_TYPE = "requirement"
"""Records of this type without a commit are listed, and those that changed since their run."""

VERIFIES = "verifies"

EVERY = 1_000_000


@dataclass(frozen=True)
class Answers:
    """What code and records say about each other now."""

    untraced: Sequence[CommitTold]
    without_code: Sequence[str]
    changed_since: Sequence[ChangedSince]
    doubtful: Sequence[LinesShown]

    @property
    def count(self) -> int:
        """How many findings there are."""
        return sum(
            len(one)
            for one in (self.untraced, self.without_code, self.changed_since, self.doubtful)
        )

    def plain(self) -> dict[str, Any]:
        """Return the answers as plain values."""
        return {
            "commits_without_trace": [asdict(one) for one in self.untraced],
            "requirements_without_code": list(self.without_code),
            "requirements_changed_after_their_last_run": [
                asdict(one) for one in self.changed_since
            ],
            "marked_lines_that_need_re_review": [
                {
                    "uid": one.uid,
                    "repository": one.repository,
                    "commit": one.link.commit,
                    "path": one.link.path,
                    "first": one.link.first,
                    "last": one.link.last,
                    "why": one.doubt,
                    "diff": one.link.diff,
                }
                for one in self.doubtful
            ],
        }


def answers_of(session: Session, project: Project) -> Answers:
    """Return all that is amiss between the code and the records of a project."""
    untraced = commits_page(session, project.id or 0, CommitFilter.UNTRACED, 1, EVERY)
    required = in_force(session, project.key)
    return Answers(
        untraced=[_told(one) for one in untraced],
        without_code=without_code(
            [one.uid for one in required],
            commit_count_per_record(session, project.key),
            marked_uids(session, project.id or 0),
        ),
        changed_since=changed_since_run(session, project.key, required),
        doubtful=lines_in_doubt(session, project.id or 0),
    )


def in_force(session: Session, project: str) -> list[InForce]:
    """Return the requirements of a project with the tests that verify each."""
    snapshot = load_snapshot(session, [project])
    return [
        InForce(
            one.uid,
            one.revision,
            one.approved_at if one.in_force else None,
            tuple(
                link.source.uid
                for link in snapshot.incoming(one.key, VERIFIES)
                if link.source.project == project
            ),
        )
        for one in snapshot.of_type(TRACED_TYPE, project)
        if not one.withdrawn
    ]


def changed_since_run(
    session: Session, project: str, required: Sequence[InForce]
) -> list[ChangedSince]:
    """Return the requirements that changed after their last verifying run."""
    return changed_after_their_run(required, ports.verdicts(session, project))


def contents_of_release(
    session: Session, project: Project, release: str, settings: Settings
) -> Contents:
    """Return everything that a release contains since the ones before it that are in force.

    Raises
    ------
    NotFound
        If there is no such release, or no repository of the project holds its commit.
    Conflict
        If the release names no commit yet.
    """
    find_record(session, project, release)
    commits = release_commits(session, project.id or 0)
    if release not in commits:
        raise Conflict(f"{release} of {project.key} is no release that names a commit yet.")
    commit = commits[release]
    mirror = mirror_holding(session, project.key, commit, settings)
    below = mirror.ancestors(commit)
    earlier = {
        uid: sha
        for uid, sha in release_commits(session, project.id or 0, released=True).items()
        if uid != release and sha != commit and sha in below
    }
    new = mirror.since(commit, earlier.values()) if earlier else _oldest_first(mirror, commit)
    told = [_told(one) for one in commits_by_sha(session, project.key, new)]
    if len(told) < len(new):
        raise NotFound(
            f"{len(new) - len(told)} commits of {release} were not scanned; scan the repository."
        )
    records = load_snapshot(session, [project.key]).records
    return contents_of(
        release, sorted(earlier), told, {key.uid: one.title for key, one in records.items()}
    )


def _oldest_first(mirror: Mirror, commit: str) -> list[str]:
    with mirror.opened() as repo:
        told: str = repo.git.rev_list("--reverse", "--no-merges", object_name(commit))
    return told.split()


def _told(line: CommitLine) -> CommitTold:
    named = tuple((one.role, one.named) for one in line.mentioned if one.known)
    via = next((one.via for one in line.mentioned if one.via), "")
    return CommitTold(line.repository, line.sha, line.subject, line.merge, named, line.request, via)
