"""What the trace between code and records is asked: plain values in, findings out.

Pure. Commits without a trace, requirements without code, requirements that changed after their
last verifying run, and everything that a release contains since the one before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.records.snapshot import natural_order
from core.verdicts import Verdict


@dataclass(frozen=True)
class RequestTold:
    """The pull request that a commit merges, or that brought it in."""

    label: str
    title: str
    merge: str

    def __str__(self) -> str:
        return f"pull request {self.label}{': ' if self.title else ''}{self.title}"


@dataclass(frozen=True)
class CommitTold:
    """A commit as an answer tells it.

    Attributes
    ----------
    named : tuple of (role, id)
        Every record that exists and that it names.
    request : RequestTold or None
        The pull request that brought it.
    via : str
        The pull request whose merge names the records, where the commit does not.
    """

    repository: str
    sha: str
    subject: str
    merge: bool = False
    named: tuple[tuple[str, str], ...] = ()
    request: RequestTold | None = None
    via: str = ""


@dataclass(frozen=True)
class InForce:
    """A requirement's revision in force, and the tests that verify it."""

    uid: str
    revision: int
    approved_at: datetime | None
    tests: tuple[str, ...]


@dataclass(frozen=True)
class ChangedSince:
    """A requirement that came into force after the last run of a test that verifies it."""

    uid: str
    revision: int
    approved_at: datetime
    test: str
    run: str
    ran_at: datetime


def without_trace(commits: Iterable[CommitTold]) -> list[CommitTold]:
    """Return the commits that name no record; a merge is traced by the commits that it joins."""
    return [one for one in commits if not one.merge and not one.named]


def without_code(
    requirements: Iterable[str], named: Iterable[str], marked: Iterable[str]
) -> list[str]:
    """Return the requirements that neither a commit nor a marker names.

    Examples
    --------
    >>> without_code(["REQ-1", "REQ-2", "REQ-10"], ["REQ-1"], [])
    ['REQ-2', 'REQ-10']
    """
    return sorted({*requirements} - {*named} - {*marked}, key=natural_order)


def changed_after_their_run(
    requirements: Iterable[InForce], verdicts: Mapping[str, Verdict]
) -> list[ChangedSince]:
    """Return each requirement whose tests all ran last before it came into force as it is.

    One test that ran since is enough for a requirement not to be told here; a test that never ran
    says nothing. The latest of its runs is the one that is told.
    """
    found = []
    for one in sorted(requirements, key=lambda each: natural_order(each.uid)):
        ran = [
            (verdict.at, test, verdict.run)
            for test in one.tests
            if (verdict := verdicts.get(test)) is not None and verdict.at is not None
        ]
        if one.approved_at is None or not ran:
            continue
        at, test, run = max(ran)
        if at < one.approved_at:
            found.append(ChangedSince(one.uid, one.revision, one.approved_at, test, run, at))
    return found


@dataclass(frozen=True)
class Contents:
    """Everything that a release contains since the one before.

    Attributes
    ----------
    commits : tuple of CommitTold
        Oldest first, merges left out.
    records : mapping
        Role, then record id, then the commits that name it in that role.
    requests : tuple of (RequestTold, tuple of str)
        The pull requests that brought any of the commits, each with those.
    untraced : tuple of CommitTold
        Those of the commits that name no record.
    titles : mapping
        Id and title, as it stands now, of each record that is named.
    """

    release: str
    since: tuple[str, ...]
    commits: tuple[CommitTold, ...]
    records: Mapping[str, Mapping[str, tuple[str, ...]]]
    requests: tuple[tuple[RequestTold, tuple[str, ...]], ...]
    untraced: tuple[CommitTold, ...]
    titles: Mapping[str, str]

    @property
    def counts(self) -> Mapping[str, int]:
        """What page, command and table count, in the order in which they tell it."""
        return {
            "commits": len(self.commits),
            **{role: len(records) for role, records in self.records.items()},
            "pull requests": len(self.requests),
            "without trace": len(self.untraced),
        }


def contents_of(
    release: str,
    since: Sequence[str],
    commits: Iterable[CommitTold],
    titles: Mapping[str, str],
) -> Contents:
    """Sort the commits of a release by the records that they name, whose titles are among some."""
    plain = tuple(one for one in commits if not one.merge)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for commit in plain:
        for role, uid in commit.named:
            found[role][uid].append(commit.sha)
    records = {
        role: {uid: tuple(each[uid]) for uid in sorted(each, key=natural_order)}
        for role, each in sorted(found.items())
    }
    requests: dict[RequestTold, list[str]] = defaultdict(list)
    for commit in plain:
        if commit.request is not None:
            requests[commit.request].append(commit.sha)
    brought = tuple((one, tuple(shas)) for one, shas in requests.items())
    named = {uid: titles.get(uid, "") for each in records.values() for uid in each}
    bare = tuple(without_trace(plain))
    return Contents(release, tuple(since), plain, records, brought, bare, named)
