"""What the files of a commit are, what they hold, and where they were in another commit.

Answers about a mirror that a scan of source files asks; as there, revisions are hexadecimal names.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from qms.repositories.mirror import Mirror, object_name
from qms.repositories.names import readable_name

RENAMES_AT_MOST = 2_000
"""Pairs of moved and changed files that Git compares; beyond it only unchanged files are."""


@dataclass(frozen=True)
class FileAt:
    """One file of a commit's tree."""

    path: str
    blob: str
    size: int


@dataclass(frozen=True)
class Came:
    """Where a file that differs between two commits was in the earlier one."""

    path: str
    blob: str


def files_of(mirror: Mirror, commit: str) -> Iterator[FileAt]:
    """Stream the plain files in the tree of a commit; no links, no submodules."""
    name = object_name(commit)
    with mirror.opened() as repo:
        process = repo.git.ls_tree("-r", "-l", "-z", "--full-tree", name, as_process=True)
        try:
            for entry in _records(process.stdout):
                about, _, path = entry.partition(b"\t")
                mode, kind, blob, size = about.decode().split()
                if kind == "blob" and mode.startswith("100"):
                    shown = readable_name(path.decode("utf-8", "surrogateescape"))
                    yield FileAt(shown, blob, int(size))
            process.wait()
        finally:
            process.stdout.close()


def blobs(mirror: Mirror, names: Sequence[str], most: int) -> Iterator[tuple[str, bytes | None]]:
    """Stream the contents of blobs in the order of their names, one in memory at a time.

    None stands for one that holds more than `most` bytes, or that the mirror does not hold.
    """
    if not names:
        return
    with mirror.opened() as repo, tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{object_name(name)}\n" for name in names).encode())
        asked.seek(0)
        process = repo.git.cat_file("--batch", istream=asked, as_process=True)
        try:
            for name in names:
                told = process.stdout.readline().decode().split()
                size = int(told[2]) if told[1:2] == ["blob"] else -1
                if 0 <= size <= most:
                    yield name, process.stdout.read(size)
                    process.stdout.read(1)
                else:
                    _pass_over(process.stdout, int(told[2]) + 1 if len(told) > 2 else 0)
                    yield name, None
            process.wait()
        finally:
            process.stdout.close()


def _pass_over(stream: IO[bytes], size: int) -> None:
    while size > 0 and (piece := stream.read(min(size, 1 << 16))):
        size -= len(piece)


def came_from(mirror: Mirror, earlier: str, later: str) -> Mapping[str, Came | None]:
    """Return where each file of `later` that is not as it was in `earlier` comes from.

    A file that moved is followed as Git follows it: the same content, or most of its lines. None
    for a file that is new; a file that is not in the answer is the same as it was.
    """
    with mirror.opened() as repo:
        told: str = repo.git.diff_tree(
            "-r", "-z", "--raw", "--no-abbrev", "-M", f"-l{RENAMES_AT_MOST}",
            object_name(earlier), object_name(later),
        )  # fmt: skip
    found: dict[str, Came | None] = {}
    fields = iter(told.removesuffix("\0").split("\0") if told else ())
    for about in fields:
        _, _, old, _, status = about.removeprefix(":").split()
        path = readable_name(next(fields))
        now = readable_name(next(fields)) if status[0] in "RC" else path
        if status != "D":
            found[now] = None if status == "A" else Came(path, old)
    return found


def held_at(
    mirror: Mirror, head: str, moments: Iterable[datetime]
) -> Mapping[datetime, str | None]:
    """Return the last commit of the branch that ends at `head`, at or before each moment.

    Along first parents: what a merge brought came to the branch with the merge. A commit whose
    clock went backwards counts as old as the one that came after it. None where the branch began
    later. The history is streamed and not kept.
    """
    wanted = sorted(set(moments), reverse=True)
    found: dict[datetime, str | None] = dict.fromkeys(wanted)
    if not wanted:
        return found
    position, latest = 0, float("inf")
    with mirror.opened() as repo:
        process = repo.git.log(
            "-z", "--first-parent", "--no-show-signature", "--format=tformat:%H %ct",
            object_name(head), as_process=True,
        )  # fmt: skip
        try:
            for entry in _records(process.stdout):
                sha, _, seconds = entry.decode().partition(" ")
                latest = min(latest, float(seconds))
                while position < len(wanted) and latest <= wanted[position].timestamp():
                    found[wanted[position]] = sha
                    position += 1
                if position == len(wanted):
                    break
        finally:
            process.stdout.close()
    return found


def _records(stream: IO[bytes]) -> Iterable[bytes]:
    rest = b""
    while piece := stream.read(1 << 16):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
