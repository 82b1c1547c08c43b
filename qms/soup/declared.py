"""Read the lock file or bill of materials that a repository holds at the commit of a release."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from core.errors import Conflict, Invalid
from core.records.models import Project
from core.records.snapshot import RecordView
from qms.repositories.mirror import Mirror
from qms.repositories.service import commit_of_tag, mirror_beside, repositories_of
from qms.rules.facts import Declared
from qms.soup import bills, locks
from qms.soup.bills import read_sbom
from qms.soup.components import Bill
from qms.soup.locks import read_lock
from qms.soup.markers import this_machine

USUAL_PLACES = ("requirements.lock", "sbom.cdx.json", "bom.json")
"""Where it is looked for when the release names no file, the first one that there is."""

LARGEST_BYTES = max(locks.LARGEST_BYTES, bills.LARGEST_BYTES)
KEPT = 16
"""Commits never change, so what was read at one is kept."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def read_bill(content: bytes, name: str, machine: Mapping[str, str] | None = None) -> Bill:
    """Return what a file states: a CycloneDX bill where it is JSON, else a lock file.

    Raises
    ------
    Invalid
        With every fault of the file.
    """
    looks_like_json = content[:100].removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))
    return read_sbom(content, name) if looks_like_json else read_lock(content, name, machine)


def declared(session: Session, project: Project, release: RecordView, python: str = "") -> Declared:
    """Return what the project's repository states at the commit of a release.

    Parameters
    ----------
    python : str
        The Python that markers are read for; the one that is running, unless given.
    """
    try:
        commit = _commit(session, project, release)
    except Conflict as error:
        return Declared(None, error.message.rstrip("."))
    if not commit:
        return Declared(None, "its commit is not known")
    named = str(release.fields.get("sbom") or "").strip()
    for repository in repositories_of(session, project.key):
        mirror = mirror_beside(session, repository)
        if mirror.exists and (found := _at(mirror.path, commit, named, python)) is not None:
            return found
    return Declared(None, f"no scanned repository of {project.key} holds commit {commit[:7]}")


def _commit(session: Session, project: Project, release: RecordView) -> str:
    """Return the commit that a release names, or else its tag does; empty where nobody knows."""
    stated = str(release.fields.get("commit") or "")
    if _COMMIT.fullmatch(stated):
        return stated
    tag = str(release.fields.get("git_tag") or "")
    return (commit_of_tag(session, project.key, tag) or "") if tag else ""


def _at(mirror: Path, commit: str, named: str, python: str) -> Declared | None:
    """Return what one mirror holds; None where it does not hold the commit, which is not kept."""
    try:
        return _read_at(mirror, commit, named, python)
    except LookupError:
        return None


@lru_cache(maxsize=KEPT)
def _read_at(path: Path, commit: str, named: str, python: str) -> Declared:
    mirror = Mirror(path)
    if not mirror.holds(commit):
        raise LookupError(commit)
    for place in (named,) if named else USUAL_PLACES:
        try:
            content = mirror.read(commit, place, LARGEST_BYTES)
            if content is not None:
                return Declared(read_bill(content, place, this_machine(python)))
        except Invalid as refusal:
            told = "; ".join(str(fault).rstrip(".") for fault in refusal.faults[:3])
            return Declared(None, f"{refusal.message.rstrip('.')} ({told})")
    if named:
        return Declared(None, f"commit {commit[:7]} holds no {named[:80]}, which the release names")
    return Declared(None, f"commit {commit[:7]} holds none of {', '.join(USUAL_PLACES)}")
