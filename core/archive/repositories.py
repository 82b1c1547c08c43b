"""The Git repositories of a project: their objects and references, and nothing that Git obeys.

A configuration, a hook or an alternate store of objects can make Git run a program or read what
lies elsewhere, so a repository is made anew at its destination and only objects and references
are put into it.
"""

import re
import shutil
import subprocess
from pathlib import Path

from core.archive.shape import repository_folder
from core.errors import Fault
from core.safekeeping.archives import ArchiveReader, ArchiveWriter
from core.safekeeping.repositories import add_repository

CHECK_SECONDS = 900
_HEX = "[0-9a-f]"
_WANTED = re.compile(
    rf"HEAD|packed-refs|objects/{_HEX}{{2}}/(?:{_HEX}{{38}}|{_HEX}{{62}})"
    rf"|objects/pack/pack-{_HEX}{{40,64}}\.(?:pack|idx|rev)"
    # What Git allows in a name (git help check-ref-format), and notes, which hold seals.
    r"|refs/(?:heads|tags|notes)/(?!\.)(?:(?!/\.|\.\.|//|@\{)[^\s~^:?*\[\\])+(?<!/)(?<!\.lock)"
)
LONGEST_PATH, LONGEST_NAME = 1_000, 255
"""Bytes of a path in a repository, and of each name in it, that every file system takes."""


def wanted(inside: str) -> bool:
    """Whether a file of a repository is an object or a reference, by its path in there."""
    return (
        _WANTED.fullmatch(inside) is not None
        and inside.isprintable()
        and len(inside.encode()) <= LONGEST_PATH
        and all(len(name.encode()) <= LONGEST_NAME for name in inside.split("/"))
    )


def add(writer: ArchiveWriter, repository: Path, line: int) -> list[Fault]:
    """Add a repository, where it is there; name its references that cannot be added."""
    if not (repository / "HEAD").is_file():
        return []
    left: set[str] = set()

    def kept(inside: str) -> bool:
        if inside.startswith("refs/") and not wanted(inside):
            left.add(inside)
        return wanted(inside)

    before = set(writer.folders)
    add_repository(writer, repository, repository_folder(line), kept)
    # Folders are made with what lies in them.
    writer.folders.clear()
    writer.folders.update(before)
    return [
        Fault(
            "reference-odd",
            # Git takes names in bytes of any encoding.
            f"{repository_folder(line)}/{name}".encode("utf-8", "replace").decode(),
            "is no branch, tag or note that an archive can hold.",
            "Rename or delete it where the repository is fetched from, and scan again.",
        )
        for name in sorted(left)
    ]


def members_of(reader: ArchiveReader, line: int) -> dict[str, str]:
    """Return the members of a repository by their path in it."""
    begins = f"{repository_folder(line)}/"
    return {name[len(begins) :]: name for name in reader.members if name.startswith(begins)}


def faults(reader: ArchiveReader) -> list[Fault]:
    """Name what lies among the repositories and is neither object nor reference."""
    return [
        Fault("member-odd", name, "is no object and no reference of a Git repository.")
        for name in sorted(reader.members)
        if name.startswith("repositories/")
        and not (re.match(r"repositories/\d+\.git/", name) and wanted(name.split("/", 2)[2]))
    ]


def put(reader: ArchiveReader, line: int, folder: Path) -> bool:
    """Make a repository of an archive in a folder that is not there yet; say whether it has one."""
    inside = members_of(reader, line)
    if not inside:
        return False
    git = shutil.which("git") or "git"
    hashes = "sha256" if any(re.fullmatch(r"objects/../.{62}", one) for one in inside) else "sha1"
    _git(git, "init", "--bare", "--quiet", f"--object-format={hashes}", str(folder))
    for path, name in inside.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with reader.archive.open(name) as incoming, place.open("wb") as outgoing:
            shutil.copyfileobj(incoming, outgoing)
    _git(git, "-C", str(folder), "fsck", "--no-dangling", "--no-progress")
    return True


def _git(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=CHECK_SECONDS)  # noqa: S603 - Git with words of our own
