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
    r"|refs/(?:heads|tags)/(?!\.)(?:(?!/\.|\.\.|//)[\w./@+#-])+"
)


def wanted(inside: str) -> bool:
    """Whether a file of a repository is an object or a reference, by its path in there."""
    return _WANTED.fullmatch(inside) is not None


def add(writer: ArchiveWriter, repository: Path, line: int) -> bool:
    """Add a repository, where it is there; say whether it was."""
    if not (repository / "HEAD").is_file():
        return False
    before = set(writer.folders)
    add_repository(writer, repository, repository_folder(line), wanted)
    # Folders are made with what lies in them.
    writer.folders.clear()
    writer.folders.update(before)
    return True


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
