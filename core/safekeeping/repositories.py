"""Git repositories in a backup: copied file by file, objects that nothing names any more included.

Records may name a commit that its remote has since rewritten away. A bundle or a clone would leave
that commit out; the files do not.
"""

import os
from collections.abc import Iterator
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
        if not repository.is_dir() or repository.is_symlink():
            continue
        added: set[Path] = set()
        for _ in range(PASSES):
            if not _add_what_is_new(writer, data_dir, repository, added):
                break
        else:
            raise Refused(f"The repository {repository.name} keeps changing; back up later.")
        names.append(repository.name)
    return names


def _add_what_is_new(
    writer: ArchiveWriter, data_dir: Path, repository: Path, added: set[Path]
) -> bool:
    """Add what is not added yet, references first; say whether anything vanished meanwhile."""
    vanished = False
    for path in sorted(_files_of(writer, data_dir, repository), key=_git_order):
        if path in added:
            continue
        try:
            writer.add(path.relative_to(data_dir).as_posix(), path)
        except FileNotFoundError:
            vanished = True
            continue
        added.add(path)
    return vanished


def _files_of(writer: ArchiveWriter, data_dir: Path, repository: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(repository):
        # Git does not take a folder without `refs` for a repository, not even when all are packed.
        writer.folders.add(Path(folder).relative_to(data_dir).as_posix())
        for name in names:
            path = Path(folder, name)
            temporary = name.endswith(".lock") or name.startswith("tmp_")
            # Hooks are programs: a backup carries records, not programs.
            if not temporary and not path.is_symlink() and path.parent.name != "hooks":
                yield path


def _git_order(path: Path) -> tuple[int, str]:
    """Loose references, then packed ones, then objects: each is complete when it is copied.

    Git adds an object before it adds the reference to it, and packs a reference before it removes
    the loose one.
    """
    if "objects" in path.parts:
        return 2, str(path)
    return (0 if "refs" in path.parts else 1), str(path)
