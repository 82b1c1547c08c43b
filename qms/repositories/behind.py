"""Where a local repository really keeps what it hands out: behind links, other folders, borrowings.

A folder below an allowed source may be a door to one that is not: by a `.git` file, a shared
folder of a working tree, a linked folder of objects, or objects that it borrows from elsewhere.
"""

from collections.abc import Iterator
from pathlib import Path

DEEPEST = 5
"""Repositories that borrow from one that borrows; Git itself stops there."""

LONGEST = 64_000
"""Bytes of a file that names folders; it has one line for each."""


def folders_behind(place: Path) -> Iterator[Path]:
    """Yield every folder that Git would read for a repository, each where it really is."""
    yield place.resolve()
    git = place / ".git" if (place / ".git").exists() else place
    if git.is_file():
        told = _lines(git)[:1]
        git = (place / told[0].removeprefix("gitdir:").strip()) if told else git
    yield git.resolve()
    shared = _lines(git / "commondir")[:1]
    common = git / shared[0] if shared else git
    yield common.resolve()
    for name in ("refs", "packed-refs", "HEAD", "objects/pack", "objects/info"):
        if (common / name).exists():
            yield (common / name).resolve()
    yield from _objects(common / "objects", DEEPEST)


def _objects(folder: Path, deeper: int) -> Iterator[Path]:
    yield folder.resolve()
    for line in _lines(folder / "info" / "alternates"):
        # Quoted and remarked lines are Git's own affair: taken as they are, they lead nowhere.
        borrowed = folder / line
        yield borrowed.resolve()
        if deeper:
            yield from _objects(borrowed, deeper - 1)


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    with file.open("rb") as opened:
        told = opened.read(LONGEST).decode("utf-8", "surrogateescape")
    return [line for line in told.split("\n") if line.strip()]
