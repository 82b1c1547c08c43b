"""A folder of records, one file each: written without touching what did not change, read whole."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import Fault, Invalid
from core.records.snapshot import natural_order
from core.records.type_shape import RecordType
from core.records.types import TypeRegistry
from qms.interchange.markdown.record_file import RecordFile, path_of, read_record, write_record
from qms.interchange.readers.files import as_shown

LARGEST_FILE = 2_000_000
"""Ten times what a record may hold with all its fields; a larger file was not written by people."""

MOST_FILES = 100_000
MOST_BYTES = 500_000_000
DEEPEST_FOLDER = 8

SUFFIX = ".md"
ASIDE = frozenset({"README.md"})
"""Words for the reader of a folder, not records."""


@dataclass(frozen=True)
class RecordFolder:
    """What a folder holds: its records by type and uid, and what is wrong with its files."""

    records: tuple[RecordFile, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Written:
    """What writing a folder changed.

    Attributes
    ----------
    stale : tuple of str
        Files of records that were not among those written; they were left as they are.
    """

    written: tuple[str, ...]
    unchanged: int
    stale: tuple[str, ...]


def write_folder(
    folder: Path, records: Iterable[RecordFile], registry: TypeRegistry | None = None
) -> Written:
    """Write one file per record; a file that says the same already is not touched.

    Raises
    ------
    Invalid
        If a file or folder on the way is a link to somewhere else, naming each; then nothing is
        written.
    """
    wanted = {path_of(one): write_record(one, _type(registry, one)) for one in records}
    faults = [
        Fault("TR307", str(led), "is a link to somewhere else.", "Remove it, or write elsewhere.")
        for led in sorted({step for name in wanted for step in _steps(folder, name)})
        if led.is_symlink()
    ]
    if faults:
        raise Invalid("Nothing was written.", faults)
    changed = []
    for name, data in wanted.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == data:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        changed.append(name)
    held = {_name(folder, path) for path in _walk(folder, folder, 0, [])}
    return Written(
        tuple(changed), len(wanted) - len(changed), tuple(sorted(held - wanted.keys() - ASIDE))
    )


def _type(registry: TypeRegistry | None, one: RecordFile) -> RecordType | None:
    return registry.of(one.type) if registry is not None and one.type in registry else None


def _steps(folder: Path, name: str) -> Iterator[Path]:
    path = folder
    for part in Path(name).parts:
        path /= part
        yield path


def read_folder(folder: Path) -> RecordFolder:
    """Read every record of a folder and tell everything that is wrong with its files at once.

    Folders whose name begins with a dot, and files that are no Markdown, are left alone. A link
    to somewhere else is not followed but told.

    Raises
    ------
    Invalid
        If there is no such folder.
    """
    if not folder.is_dir():
        raise Invalid(f"{folder} is no folder.")
    faults: list[Fault] = []
    found: list[RecordFile] = []
    total = count = 0
    for path in _walk(folder, folder, 0, faults):
        name = _name(folder, path)
        if path.name in ASIDE:
            continue
        size = path.stat().st_size
        count, total = count + 1, total + size
        if count > MOST_FILES or total > MOST_BYTES:
            what = f"the folder holds more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes."
            faults.append(Fault("TR308", name, what, "Nothing from here on was read."))
            break
        if size > LARGEST_FILE:
            what = f"holds {size:,} bytes; at most {LARGEST_FILE:,} are read."
            faults.append(Fault("TR308", name, what))
            continue
        record, told = read_record(path.read_bytes(), name)
        faults += told
        if record is not None:
            faults += _misplaced(record)
            found.append(record)
    found.sort(key=lambda one: (one.type, natural_order(one.uid)))
    return RecordFolder(tuple(found), (*faults, *_twice(found)))


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _walk(root: Path, folder: Path, depth: int, faults: list[Fault]) -> Iterator[Path]:
    """Go through the Markdown files of a folder in the order of their names."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        name = _name(root, path)
        if (shown := as_shown(name)) != name:
            what = "the name is not text in UTF-8."
            faults.append(Fault("TR301", shown, what, "Give it another name."))
            continue
        if entry.is_symlink():
            mend = "Put the file itself here."
            faults.append(Fault("TR307", name, "is a link to somewhere else.", mend))
        elif entry.is_dir():
            if depth < DEEPEST_FOLDER:
                yield from _walk(root, path, depth + 1, faults)
            else:
                what = f"stands more than {DEEPEST_FOLDER} folders deep."
                faults.append(Fault("TR308", name, what, "Nothing of it was read."))
        elif entry.name.endswith(SUFFIX):
            if entry.is_file():
                yield path
            else:
                mend = "Put a file of records here."
                faults.append(Fault("TR307", name, "is no file of its own, but a pipe.", mend))


def _misplaced(one: RecordFile) -> list[Fault]:
    """Say where a file is not called as its record, so that nobody looks for it in vain."""
    meant = path_of(one)
    if one.file == meant or one.file.endswith(f"/{meant}"):
        return []
    what = f"holds {one.uid}, {one.type.replace('_', ' ')}."
    return [Fault("TR309", one.where("id"), what, f"Call it {meant}, or give it its own id.")]


def _twice(records: Iterable[RecordFile]) -> list[Fault]:
    first: dict[tuple[str, str], RecordFile] = {}
    faults = []
    for one in records:
        known = first.setdefault((one.project, one.uid), one)
        if known is not one:
            what = f"has the id {one.uid} again (first in {known.where('id')})."
            mend = "An id names one record only."
            faults.append(Fault("TR310", one.where("id"), what, mend))
    return faults
