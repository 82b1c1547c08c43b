"""What the repository holds at the commit of a release: its files, and what was changed for it."""

from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from core.errors import FiducialError
from core.records.snapshot import RecordView, Snapshot
from qms.releases import ports
from qms.repositories.mirror import Mirror, object_name
from qms.repositories.queries import commits_by_sha
from qms.repositories.service import mirror_holding
from qms.rules.facts import ChangeMade, SourceTree


def source_of(
    session: Session, project: str, release: RecordView | None, snapshot: Snapshot
) -> SourceTree | None:
    """Return what a release is made of; None where its commit is not known here."""
    commit = str(release.fields.get("commit") or "") if release is not None else ""
    if release is None or not commit:
        return None
    try:
        mirror = mirror_holding(session, project, commit)
        paths = _tree(str(mirror.path), commit)
        new = mirror.since(commit, _released(snapshot, project, release))
    except FiducialError:
        return None
    scanned = {one.sha: one for one in commits_by_sha(session, project, new)}
    changes = tuple(
        ChangeMade(sha, one.subject, tuple(each.named for each in one.mentioned))
        if (one := scanned.get(sha))
        else ChangeMade(sha, "not scanned yet", ())
        for sha in new
    )
    asked = ports.bundled_paths.source
    bundled = asked(session, project, commit) if asked else ()
    return SourceTree(paths | frozenset(bundled), changes)


@lru_cache(maxsize=16)
def _tree(mirror: str, commit: str) -> frozenset[str]:
    # The tree of a commit never changes, and the release page asks for it each time.
    return frozenset(Mirror(Path(mirror)).paths(commit))


def _released(snapshot: Snapshot, project: str, release: RecordView) -> list[str]:
    """Return the full commits of the project's other releases that are in force.

    What only a draft names was not released yet; what is no commit counts not.
    """
    found = []
    for other in snapshot.of_type("release", project):
        commit = str(other.fields.get("commit") or "")
        if other.key == release.key or not other.in_force or not commit:
            continue
        try:
            found.append(object_name(commit))
        except FiducialError:
            continue
    return found
