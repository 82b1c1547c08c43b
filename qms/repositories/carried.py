"""Which records the source files of a folder name, and which automated tests no file carries.

The files are read where they lie, so that a developer and a build server learn it before anything
is committed; a scan reads the same markers of every commit.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import Fault, Invalid
from qms.repositories.dialects import dialect_of
from qms.repositories.markers import LOOSE, Marker, markers_in
from qms.repositories.sources import BINARY, LARGEST_FILE, MOST_FILES, SNIFFED

LEFT_OUT = frozenset({"node_modules", "__pycache__"})
"""Folders that nobody wrote, beside those whose name begins with a dot."""


@dataclass(frozen=True)
class Carried:
    """One marker of one source file; the file is relative to the folder, with slashes."""

    file: str
    marker: Marker

    @property
    def where(self) -> str:
        """The file and the line."""
        return f"{self.file}:{self.marker.line}"


def carried_in(folders: Sequence[Path], left_out: Sequence[Path] = ()) -> list[Carried]:
    """Return every marker of the source files below some folders, but for those left out.

    Raises
    ------
    Invalid
        If one is no folder, or holds more files than are read; nothing is passed over silently.
    """
    missing = [str(one) for one in folders if not one.is_dir()]
    missing += [str(one) for one in left_out if not one.exists()]
    if missing:
        raise Invalid(f"There is no {' and no '.join(missing)}.")
    beside = {one.resolve() for one in left_out}
    found: list[Carried] = []
    count = 0
    for folder in folders:
        for path in _sources(folder):
            if beside & {path.resolve(), *path.resolve().parents}:
                continue
            count += 1
            if count > MOST_FILES:
                raise Invalid(
                    f"There are more than {MOST_FILES} source files; name smaller folders."
                )
            name = (Path(folder.name) / path.relative_to(folder)).as_posix()
            found += (Carried(name, one) for one in _markers(path, name))
    return found


def _sources(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in LEFT_OUT and not n.startswith("."))
        paths = (Path(at) / name for name in sorted(names) if dialect_of(name))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _markers(path: Path, name: str) -> list[Marker]:
    if path.stat().st_size > LARGEST_FILE:
        raise Invalid(f"{name} is larger than {LARGEST_FILE} bytes; leave it out.")
    data = path.read_bytes()
    if b"\0" in data[:SNIFFED]:
        raise Invalid(f"{name} {BINARY}; leave it out.")
    found = markers_in(data, dialect_of(name))
    if found.unread:
        raise Invalid(f"{name} {found.unread}.")
    return found.markers


def carried_faults(
    found: Iterable[Carried], uids: Collection[str], automated: Iterable[tuple[str, str]]
) -> list[Fault]:
    """Return each marker that names no record, and each automated test that no file carries.

    Parameters
    ----------
    uids : collection of str
        The records there are.
    automated : iterable of (uid, where)
        The tests that a machine executes, and where each record stands.
    """
    prefixes = {uid.split("-", 1)[0] for uid in uids}
    faults, named = [], set()
    for one in found:
        uid = one.marker.named
        named.add(uid)
        if uid in uids:
            continue
        if one.marker.form in LOOSE and uid.split("-", 1)[0] not in prefixes:
            continue
        what = f"names {uid}, and there is no such record."
        faults.append(Fault("TR351", one.where, what, "Correct the id, or add the record."))
    faults += (
        Fault("TR352", where, f"{uid} is automated, and no source file names it.", _CARRY)
        for uid, where in automated
        if uid not in named
    )
    return faults


_CARRY = "Give the test that executes it the marker, or say that people execute it."
