"""Freeze the data of a run: name every file of it by its SHA-256, and find what changed since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from core.canonical import digest
from core.errors import Fault, Invalid

Entry = Mapping[str, Any]

KIND = "sha256:"
"""What a registered digest begins with."""


@dataclass(frozen=True)
class RunData:
    """The data that a run is given.

    Attributes
    ----------
    folder : Path
        What step code is told.
    sets : tuple of str
        Uids of the registered data sets, each a folder below; empty where all of it is the data.
    """

    folder: Path
    sets: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders that step code may read."""
        return tuple(self.folder / uid for uid in self.sets) or (self.folder,)

    def freeze(self) -> list[dict[str, Any]]:
        """Return path, size and SHA-256 of every file.

        Raises
        ------
        Invalid
            If a folder is none, is empty or holds links; every fault of every folder at once.
        """
        if not self.sets:
            return freeze(self.folder)
        faults: list[Fault] = []
        for part in self.parts:
            faults += folder_faults(part)
        if faults:
            raise Invalid("The data sets cannot be used.", faults)
        return [
            {**entry, "path": f"{uid}/{entry['path']}"}
            for uid in self.sets
            for entry in freeze(self.folder / uid)
        ]

    def digests(self) -> dict[str, str]:
        """Return the digest of each data set as it lies there now, by uid."""
        return set_digests(self.freeze(), self.sets)


def set_digests(entries: Iterable[Entry], sets: Sequence[str]) -> dict[str, str]:
    """Return the digest of each data set of a freeze: over path, size and SHA-256 of its files.

    A set of which no file is there has none.
    """
    own: dict[str, list[dict[str, Any]]] = {uid: [] for uid in sets}
    for entry in entries:
        uid, _, path = str(entry["path"]).partition("/")
        if uid in own:
            own[uid].append({"path": path, "size": entry["size"], "sha256": entry["sha256"]})
    return {uid: digest(files) for uid, files in own.items() if files}


def same_digest(registered: str, found: str) -> bool:
    """Whether a record's digest, with or without "sha256:", is the one that was found."""
    return registered.strip().removeprefix(KIND).lower() == found


def folder_faults(folder: Path) -> list[Fault]:
    """Return what stands in the way of using a data folder."""
    try:
        data_files(folder)
    except Invalid as refusal:
        return list(refusal.faults)
    return []


def data_files(folder: Path) -> list[Path]:
    """Return the files of a data folder in order.

    Raises
    ------
    Invalid
        If it is no folder, holds no file, or holds symbolic links, whose targets could change
        without a trace; every fault at once.
    """
    if not folder.is_dir():
        raise Invalid(
            "The data folder cannot be used.",
            [
                Fault(
                    "data-missing", str(folder), "is not a folder.", "Name the folder of the data."
                )
            ],
        )
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    faults = [
        Fault("data-special", str(path), "is not an ordinary file.", "Put the file itself there.")
        for path in found
        if path.is_symlink() or not path.is_file()
    ]
    if not found:
        faults = [
            Fault("data-empty", str(folder), "holds no file.", "Name the folder of the data.")
        ]
    if faults:
        raise Invalid("The data folder cannot be used.", faults)
    return found


def refuse_private(folder: Path, protected: Iterable[Path]) -> None:
    """Refuse a data folder that would hand step code what is the installation's alone.

    Raises
    ------
    Invalid
        If it lies in one of the protected folders, or one of them lies in it.
    """
    real = folder.resolve()
    for one in protected:
        if real.is_relative_to(one) or one.is_relative_to(real):
            what = f"would let step code read {one}, which is the installation's own."
            mend = "Copy the data into a folder of their own, apart from it."
            raise Invalid(
                "The data folder cannot be used.",
                [Fault("data-private", str(folder), what, mend)],
            )


def freeze(folder: Path) -> list[dict[str, Any]]:
    """Return path, size and SHA-256 of every file of a data folder."""
    frozen = []
    for path in data_files(folder):
        with path.open("rb") as stream:
            sha256 = file_digest(stream, "sha256").hexdigest()
        name = path.relative_to(folder).as_posix()
        frozen.append({"path": name, "size": path.stat().st_size, "sha256": sha256})
    return frozen


def changes(before: Iterable[Entry], after: Iterable[Entry]) -> tuple[str, ...]:
    """Name every file that changed, came or went between two freezes of one folder."""
    old = {entry["path"]: entry["sha256"] for entry in before}
    new = {entry["path"]: entry["sha256"] for entry in after}
    return tuple(
        f"{'missing' if path not in new else 'added' if path not in old else 'changed'} {path}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
