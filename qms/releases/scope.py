"""What a release takes in: the tests it is judged by and the records it delivers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import NotFound
from core.records.snapshot import Key, RecordView, Snapshot

DELIVERING_ROLES = ("delivers", "contains", "meets", "tested_by", "includes_documents", "scope")
"""Roles from a release to what it takes in; `tested_by` also names the tests that judge it."""

TESTING_ROLE = "tested_by"

NEWEST = "newest"
"""Asks for the newest release that is no longer only planned."""


@dataclass(frozen=True)
class ReleaseScope:
    """A release as the matrix and the risk file look at it.

    Attributes
    ----------
    label : str
        Version and where it stands, for a list to choose from.
    planned : bool
        A planned release is not judged: nothing of it is expected to have run.
    """

    key: Key
    version: str
    label: str
    planned: bool
    tests: frozenset[Key]
    delivered: frozenset[Key]

    @property
    def uid(self) -> str:
        """The release's uid."""
        return self.key.uid


def releases_of(snapshot: Snapshot, project: str) -> tuple[ReleaseScope, ...]:
    """Return the releases of a project, candidates before planned ones, newest first."""
    releases = [
        _scope(snapshot, record)
        for record in snapshot.of_type("release", project)
        if not record.withdrawn
    ]
    return (
        *(one for one in reversed(releases) if not one.planned),
        *(one for one in reversed(releases) if one.planned),
    )


def choose_release(releases: Iterable[ReleaseScope], wanted: str | None) -> ReleaseScope | None:
    """Return the release of that uid or version, or the newest candidate for `NEWEST`.

    Raises
    ------
    NotFound
        If a release is named and there is no such one.
    """
    if not wanted:
        return None
    for release in releases:
        if wanted in (release.uid, release.version) or (wanted == NEWEST and not release.planned):
            return release
    if wanted == NEWEST:
        return None
    raise NotFound(f"There is no release {wanted} in this project.")


def _scope(snapshot: Snapshot, record: RecordView) -> ReleaseScope:
    version = str(record.fields.get("version") or record.key.uid)
    planned = record.fields.get("stage") == "planned"
    standing = "planned" if planned else "released" if record.in_force else "candidate"
    return ReleaseScope(
        key=record.key,
        version=version,
        label=f"{version} {standing}",
        planned=planned,
        tests=frozenset(link.target for link in snapshot.outgoing(record.key, TESTING_ROLE)),
        delivered=frozenset(
            link.target for role in DELIVERING_ROLES for link in snapshot.outgoing(record.key, role)
        ),
    )
