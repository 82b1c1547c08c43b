"""Register the Git repositories of a project, and answer what releases and rules ask of them."""

import re
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.db import data_dir_of
from core.errors import Conflict, Fault, Invalid, NotFound
from core.jobs.models import Job
from core.jobs.service import enqueue
from core.ledger import append
from core.people.actor import Actor
from core.records.models import Project
from core.settings import Settings, get_settings
from qms.repositories.addresses import Address, Transport, check_allowed, parse_address
from qms.repositories.behind import folders_behind
from qms.repositories.mirror import Mirror, object_name
from qms.repositories.models import Repository, RepositoryTag

JOB_KIND = "qms.repositories.scan"
"""The kind under which a scan is enqueued; the payload is ``{"repository": id}``."""

MAY_CHANGE = ("administrator", "developer", "release_manager", "quality_manager")
"""Roles that may register, scan and retire a repository."""

DEMONSTRATION_FOLDER = "demo"
"""Below the data folder: where the demonstration builds its own repositories."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def allowed_sources(settings: Settings) -> tuple[str, ...]:
    """Return the folders and remote prefixes from which repositories may be registered."""
    demonstration = settings.data_dir.resolve() / DEMONSTRATION_FOLDER
    return (*settings.repository_sources, str(demonstration))


def address_of(text: str, settings: Settings) -> Address:
    """Read an address and make sure that it lies within the allowed sources today.

    Raises
    ------
    Invalid
        If it is hostile, malformed or not allowed.
    """
    address, sources = parse_address(text), allowed_sources(settings)
    if address.transport is not Transport.LOCAL:
        check_allowed(address, sources)
        return address
    resolved = Path(address.url).resolve()
    address = Address(address.transport, str(resolved), address.name)
    check_allowed(address, sources, str(resolved))
    for folder in folders_behind(resolved):
        check_allowed(address, sources, str(folder))
    return address


def register(
    session: Session,
    project: Project,
    address_text: str,
    by: Actor,
    *,
    name: str = "",
    settings: Settings | None = None,
) -> Repository:
    """Register a repository for a project; it is mirrored when it is first scanned.

    Parameters
    ----------
    name : str, optional
        How it is called in this project; the last part of the address otherwise.

    Raises
    ------
    Invalid
        If the address or the name cannot be used.
    Conflict
        If the project has a repository of that name or address already.
    """
    address = address_of(address_text, settings or get_settings())
    chosen = name.strip() or re.sub(r"[^A-Za-z0-9._-]+", "-", address.name).strip("-._")
    if not _NAME.fullmatch(chosen):
        fault = Fault(
            "GIT09", "name", f"{chosen[:100]!r} is no name.", "Use letters, digits, . _ -"
        )
        raise Invalid("This repository cannot be used.", [fault])
    for other in repositories_of(session, project.key):
        if chosen == other.name or address.url == other.address:
            raise Conflict(
                f"{project.key} has {other.name} at {other.address} already; give another name."
            )
    repository = Repository(
        project_id=project.id or 0, name=chosen, address=address.url, registered_by=by.name
    )
    session.add(repository)
    session.flush()
    append(
        session,
        "repository:address:register",
        by,
        project_id=project.id,
        subject=chosen,
        data={"address": address.url},
    )
    return repository


def ask_for_scan(session: Session, project: Project, name: str, by: Actor) -> Job:
    """Ask for a scan of a repository; while one waits or runs, that one is returned."""
    repository = find_repository(session, project.key, name)
    return enqueue(
        session,
        JOB_KIND,
        {"repository": repository.id},
        by,
        key=f"repository {repository.id}",
        project_id=project.id,
    )


def retire(session: Session, repository: Repository, by: Actor) -> None:
    """Stop scanning a repository; its commits, links and mirror stay."""
    if repository.retired_at is not None:
        raise Conflict(f"Repository {repository.name} is retired already.")
    repository.retired_at = now()
    session.add(repository)
    append(
        session,
        "repository:address:retire",
        by,
        project_id=repository.project_id,
        subject=repository.name,
    )


def repositories_of(session: Session, project: str, *, retired: bool = True) -> list[Repository]:
    """Return a project's repositories by name."""
    query = (
        select(Repository)
        .join(Project, col(Project.id) == col(Repository.project_id))
        .where(col(Project.key) == project)
        .order_by(col(Repository.name))
    )
    if not retired:
        query = query.where(col(Repository.retired_at).is_(None))
    return list(session.execute(query).scalars())


def find_repository(session: Session, project: str, name: str) -> Repository:
    """Return the project's repository of that name.

    Raises
    ------
    NotFound
        If there is none.
    """
    for repository in repositories_of(session, project):
        if repository.name == name:
            return repository
    raise NotFound(f"{project} has no repository {name}.")


def mirror_of(settings: Settings, repository_id: int) -> Mirror:
    """Return the mirror of a repository, which exists once it has been scanned."""
    return mirror_in(settings.data_dir, repository_id)


def mirror_in(data_dir: Path, repository_id: int) -> Mirror:
    """Return the mirror of a repository in the folder of an installation."""
    return Mirror(data_dir.resolve() / "repositories" / f"{repository_id}.git")


def mirror_beside(
    session: Session, repository: Repository, settings: Settings | None = None
) -> Mirror:
    """Return the mirror of a repository in the installation that the session works in."""
    chosen = settings or get_settings()
    folder = data_dir_of(session) if settings is None else None
    return mirror_in(folder or chosen.data_dir, repository.id or 0)


def tag_and_repository(
    session: Session, project: str, tag: str
) -> tuple[RepositoryTag, Repository] | None:
    """Return the tag of that name in the project's repositories, or None.

    Raises
    ------
    Conflict
        If two repositories of the project have the tag at different commits.
    """
    query = (
        select(RepositoryTag, Repository)
        .join(Repository, col(Repository.id) == col(RepositoryTag.repository_id))
        .join(Project, col(Project.id) == col(Repository.project_id))
        .where(
            col(Project.key) == project,
            col(RepositoryTag.name) == tag,
            col(RepositoryTag.lost_at).is_(None),
            col(Repository.retired_at).is_(None),
        )
        .order_by(col(Repository.name))
    )
    found: Sequence[tuple[RepositoryTag, Repository]] = [
        (row, repository) for row, repository in session.execute(query).all()
    ]
    if len({row.sha for row, _ in found}) > 1:
        places = ", ".join(f"{repository.name} {row.sha[:7]}" for row, repository in found)
        raise Conflict(
            f"Tag {tag} names several commits: {places}. Retire all repositories but one."
        )
    return found[0] if found else None


def commit_of_tag(session: Session, project: str, tag: str) -> str | None:
    """Return the commit that a tag names in the project's repositories, or None.

    Raises
    ------
    Conflict
        If two repositories of the project have the tag at different commits.
    """
    found = tag_and_repository(session, project, tag)
    return found[0].sha if found else None


def mirror_holding(
    session: Session, project: str, commit: str, settings: Settings | None = None
) -> Mirror:
    """Return the mirror among the project's repositories that holds a commit.

    Raises
    ------
    Invalid
        If `commit` is not a full commit name.
    NotFound
        If no mirror holds it.
    """
    object_name(commit)
    for repository in repositories_of(session, project):
        mirror = mirror_beside(session, repository, settings)
        if mirror.holds(commit):
            return mirror
    raise NotFound(
        f"No repository of {project} holds commit {commit[:12]}; register and scan one that does."
    )


def paths_at(session: Session, project: str, commit: str) -> set[str]:
    """Return every file and folder in the tree of a commit; the root is ".".

    Raises
    ------
    NotFound
        If no repository of the project holds the commit.
    """
    return mirror_holding(session, project, commit).paths(commit)
