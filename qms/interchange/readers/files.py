"""The files below one folder, or one file alone: named, bounded, and never outside of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from core.errors import Fault, Invalid
from qms.interchange.corpus import Place
from qms.interchange.readers.codes import NO_TEXT, OUTSIDE, TOO_MUCH, UNREADABLE
from qms.interchange.readers.gathering import Gathering

MOST_FILES = 50_000
LARGEST_BYTES = 64_000_000
"""Of one file: a ReqIF export of a whole vehicle is about half of it."""

LARGEST_TOGETHER = 512_000_000

HIDDEN_BUT_READ = frozenset({".doorstop.yml"})


@dataclass
class Files:
    """What may be read of one path.

    Attributes
    ----------
    root : Path
        The folder; of a single file the folder it lies in.
    names : tuple of str
        Every file, relative to the root and with slashes, in the order of their names.
    passed : tuple of (str, str, str)
        What is not read: a code, the name, and why; a link that leads out of the root, a pipe.
    """

    root: Path
    names: tuple[str, ...]
    passed: tuple[tuple[str, str, str], ...] = ()
    _read: int = field(default=0, repr=False)
    _counted: dict[str, int] = field(default_factory=dict, repr=False)
    """Bytes by name: what is opened to find the format out counts once, not again when read."""

    @cached_property
    def held(self) -> frozenset[str]:
        """The names, for whoever asks whether one of them is there."""
        return frozenset(self.names)

    def ending(self, *ends: str) -> tuple[str, ...]:
        """Return the names that end so, whatever their capitals."""
        return tuple(name for name in self.names if name.lower().endswith(ends))

    def data(self, name: str, into: Gathering) -> bytes | None:
        """Return the bytes of a file, or note why it is not read."""
        path = self.root / name
        if told := _not_read(path, self.root.resolve()):
            into.fault(OUTSIDE, Place(name), told)
            return None
        size = path.stat().st_size
        together = self._read - self._counted.get(name, 0) + size
        if size > LARGEST_BYTES or together > LARGEST_TOGETHER:
            what = f"The file holds {size:,} bytes; at most {LARGEST_BYTES:,} are read of one file"
            into.fault(TOO_MUCH, Place(name), f"{what} and {LARGEST_TOGETHER:,} of all.")
            return None
        self._read, self._counted[name] = together, size
        try:
            return path.read_bytes()
        except OSError as error:
            into.fault(UNREADABLE, Place(name), f"It cannot be read: {error.strerror}.")
            return None

    def text(self, name: str, into: Gathering) -> str | None:
        """Return the text of a file, or note why there is none."""
        data = self.data(name, into)
        return None if data is None else text_of(data, name, into)


def text_of(data: bytes, name: str, into: Gathering) -> str | None:
    """Return bytes as text with line feeds only, or note that they are none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"Byte {error.start} is no text in UTF-8."
        into.fault(NO_TEXT, Place(name, line), what, "Save the file as UTF-8.")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def files_below(path: Path) -> Files:
    """Return the files below a folder, or one file.

    Hidden folders are left out. Links that lead elsewhere, pipes and the like, and names that are
    no text are told and not read.

    Raises
    ------
    Invalid
        If there is nothing at the path, or more than is read.
    """
    if path.is_file():
        return Files(path.parent, (path.name,))
    if not path.is_dir():
        raise Invalid(f"There is no file or folder {path}.")
    root = path.resolve()
    names, passed = [], []
    for found in _walked(path):
        name = found.relative_to(path).as_posix()
        if (shown := as_shown(name)) != name:
            passed.append((NO_TEXT, shown, "Its name is no text in UTF-8."))
        elif told := _not_read(found, root):
            passed.append((OUTSIDE, name, told))
        else:
            names.append(name)
        if len(names) > MOST_FILES:
            fault = Fault(TOO_MUCH, str(path), f"It holds more than {MOST_FILES:,} files.")
            raise Invalid(f"{path} cannot be read.", [fault])
    return Files(path, tuple(sorted(names)), tuple(sorted(passed)))


def as_shown(name: str) -> str:
    r"""Return the name of a file as text; bytes that are none stand there as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _not_read(path: Path, root: Path) -> str:
    """Say why a path is not opened; empty where it is."""
    try:
        inside = path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        # RuntimeError is what Python raises of links that lead to each other.
        return "This link leads to itself and is not followed."
    if not inside:
        return "This link leads out of the folder and is not followed."
    # Whoever opens a pipe waits until somebody writes into it.
    return "" if path.is_file() else "This is no file of its own and is not read."


def _walked(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.name.startswith(".") and entry.name not in HIDDEN_BUT_READ:
                continue
            if entry.is_symlink() and not entry.is_file():
                yield entry
            elif entry.is_dir():
                waiting.append(entry)
            else:
                yield entry
