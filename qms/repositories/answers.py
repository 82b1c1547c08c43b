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
class CommitTold:
    """A commit as an answer tells it; `named` holds role and id of every record that exists."""

    repository: str
    sha: str
    subject: str
    merge: bool = False
    named: tuple[tuple[str, str], ...] = ()


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
    untraced : tuple of CommitTold
        Those of the commits that name no record.
    """

    release: str
    since: tuple[str, ...]
    commits: tuple[CommitTold, ...]
    records: Mapping[str, Mapping[str, tuple[str, ...]]]
    untraced: tuple[CommitTold, ...]


def contents_of(release: str, since: Sequence[str], commits: Iterable[CommitTold]) -> Contents:
    """Sort the commits of a release by the records that they name."""
    plain = tuple(one for one in commits if not one.merge)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for commit in plain:
        for role, uid in commit.named:
            found[role][uid].append(commit.sha)
    records = {
        role: {uid: tuple(each[uid]) for uid in sorted(each, key=natural_order)}
        for role, each in sorted(found.items())
    }
    return Contents(release, tuple(since), plain, records, tuple(without_trace(plain)))
