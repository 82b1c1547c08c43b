"""Git repositories in a backup: copied file by file, objects that nothing names any more included.

Records may name a commit that its remote has since rewritten away. A bundle or a clone would leave
that commit out; the files do not.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import Refused
from core.safekeeping.archives import ArchiveWriter

PASSES = 5
"""Looks at a repository's files; a second finds what Git packed anew during the first."""


def add_repositories(writer: ArchiveWriter, data_dir: Path, folder: str) -> list[str]:
    """Add every repository below a folder; return their names.

    Each is copied with at least the objects that its copied references name, though Git may be
    fetching into it or packing it meanwhile.

    Raises
    ------
    Refused
        If a repository's files kept vanishing while they were copied.
    """
    names = []
    present = sorted((data_dir / folder).iterdir()) if (data_dir / folder).is_dir() else []
    for repository in present:
        if repository.is_dir() and not repository.is_symlink():
            add_repository(writer, repository, f"{folder}/{repository.name}")
            names.append(repository.name)
    return names


def add_repository(
    writer: ArchiveWriter, repository: Path, name: str, wanted: Callable[[str], bool] = bool
) -> None:
    """Add the files of one repository below a name.

    Parameters
    ----------
    wanted : callable
        Whether a file is added, by its path in the repository; without it every one is.

    Raises
    ------
    Refused
        If files kept vanishing while they were copied.
    """
    added: set[Path] = set()
    for _ in range(PASSES):
        if not _add_what_is_new(writer, repository, name, wanted, added):
            return
    raise Refused(f"The repository {repository.name} keeps changing; try again later.")


def _add_what_is_new(
    writer: ArchiveWriter,
    repository: Path,
    name: str,
    wanted: Callable[[str], bool],
    added: set[Path],
) -> bool:
    """Add what is not added yet, references first; say whether anything vanished meanwhile."""
    vanished = False
    for path in sorted(_files_of(writer, repository, name), key=_git_order):
        inside = path.relative_to(repository).as_posix()
        if path in added or not wanted(inside):
            continue
        try:
            writer.add(f"{name}/{inside}", path)
        except FileNotFoundError:
            vanished = True
            continue
        added.add(path)
    return vanished


def _files_of(writer: ArchiveWriter, repository: Path, name: str) -> Iterator[Path]:
    for folder, _, names in os.walk(repository):
        # Git does not take a folder without `refs` for a repository, not even when all are packed.
        below = Path(folder).relative_to(repository).as_posix()
        writer.folders.add(name if below == "." else f"{name}/{below}")
        for file in names:
            path = Path(folder, file)
            # A branch may be called tmp_dose or hooks/fix; Git calls only its objects so meanwhile.
            reference = below.partition("/")[0] == "refs"
            temporary = file.endswith(".lock") or (file.startswith("tmp_") and not reference)
            # Hooks are programs: a backup carries records, not programs.
            hook = path.parent.name == "hooks" and not reference
            if not temporary and not path.is_symlink() and not hook:
                yield path


def _git_order(path: Path) -> tuple[int, str]:
    """Loose references, then packed ones, then objects: each is complete when it is copied.

    Git adds an object before it adds the reference to it, and packs a reference before it removes
    the loose one.
    """
    if "objects" in path.parts:
        return 2, str(path)
    return (0 if "refs" in path.parts else 1), str(path)
