"""Keep step code away from what is the installation's alone: its keys, its database, its files.

A device's step code is executed with the user of the service. Linux confines it by Landlock, which
asks for no privilege: what lies in the data folder cannot be read, nothing is written outside the
scenario's own folders, and no process outside is looked into or, from ABI 6 on, sent a signal.
Landlock only ever allows, so everything *but* the protected folders is allowed, piece by piece.

The child imports this before it runs anything of the device, so it stands on the standard library
alone. See landlock(7).
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls, with the same number on every architecture that Python runs on."""

ASK_VERSION = 1
PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION = 0x20080522
"""Of capset(2): two words of each set."""

WRITE_FILE, READ_FILE = 1 << 1, 1 << 2
CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))
"""Make and remove files, folders, links, pipes and devices."""
REFER, TRUNCATE = 1 << 13, 1 << 14
SCOPE_SIGNAL = 1 << 1

REFER_SINCE, TRUNCATE_SINCE, SIGNAL_SINCE = 2, 3, 6

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "shm")
"""What of /dev a program needs; the disks are there too."""

LABEL = "Landlock"


@dataclass(frozen=True)
class Confinement:
    """What a child may reach.

    Attributes
    ----------
    protected : tuple of str
        Folders and files that cannot be read.
    needed : tuple of str
        What is readable though it lies within something protected.
    writable : tuple of str
        Where the child may write.
    """

    protected: tuple[str, ...]
    needed: tuple[str, ...]
    writable: tuple[str, ...]


def confinement_for(
    protected: Sequence[Path], own: Sequence[Path], read: Sequence[Path]
) -> Confinement | None:
    """Return the confinement of one child; None where this machine has none to offer."""
    if not abi():
        return None
    dev = Path("/dev")
    devices = [dev / name for name in DEVICES]
    prefixes = [Path(one) for one in (sys.prefix, sys.base_prefix, sys.executable)]
    return Confinement(
        _real([*protected, dev]),
        _real([*devices, *prefixes, *read, *own]),
        _real([*devices, *own]),
    )


def abi() -> int:
    """Return the version of Landlock that the kernel offers; 0 for none."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION)))


def in_force() -> str:
    """Say how step code is confined on this machine, as a run records it."""
    version = abi()
    if not version:
        return "none: this kernel offers no Landlock; step code could read the keys and database"
    gaps = [
        gap
        for since, gap in (
            (TRUNCATE_SINCE, "emptying a file"),
            (SIGNAL_SINCE, "signals to other processes"),
        )
        if version < since
    ]
    open_to = f"; not held back: {', '.join(gaps)}" if gaps else ""
    return f"{LABEL} ABI {version}{open_to}"


def is_confined(said: str) -> bool:
    """Whether what a run recorded says that its step code was confined."""
    return said.startswith(LABEL)


def confine(bounds: Confinement) -> None:
    """Confine this process and all it starts, for good.

    Raises
    ------
    OSError
        If the kernel refuses; the caller then executes nothing.
    """
    version = abi()
    write = WRITE_FILE | CHANGE_FOLDER
    write |= REFER if version >= REFER_SINCE else 0
    write |= TRUNCATE if version >= TRUNCATE_SINCE else 0
    scoped = SCOPE_SIGNAL if version >= SIGNAL_SINCE else 0
    # The third number is read by ABI 6 and later; zero, earlier kernels accept it.
    attributes = struct.pack("=QQQ", READ_FILE | write, 0, scoped)
    ruleset = _call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    for path in _readable(bounds):
        _allow(ruleset, path, READ_FILE, READ_FILE)
    for path in bounds.writable:
        _allow(ruleset, path, READ_FILE | write, READ_FILE | WRITE_FILE | (write & TRUNCATE))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS) was refused")
    _call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    _drop_capabilities(libc)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give up what root may do, where the service is run by root: it sees into other processes."""
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    if libc.capset(header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset was refused")


def _readable(bounds: Confinement) -> Iterator[str]:
    for start in ("/", *bounds.needed):
        inside = [one for one in bounds.protected if one != start and _lies_in(one, start)]
        yield from _everything_but(start, inside)


def _everything_but(start: str, protected: Sequence[str]) -> Iterator[str]:
    """Yield what covers a folder without some folders in it."""
    inside = [one for one in protected if _lies_in(one, start)]
    if not inside:
        yield start
        return
    if start in inside:
        return
    try:
        entries = sorted(os.scandir(start), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        # A rule on a link would open what it leads to; that has a place of its own.
        if not entry.is_symlink():
            yield from _everything_but(entry.path, inside)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _allow(ruleset: int, path: str, for_folder: int, for_file: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # What cannot be reached now is not reached later either.
    try:
        access = for_folder if Path(path).is_dir() else for_file
        rule = struct.pack("=Qi", access, handle)
        _call(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
    finally:
        os.close(handle)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock call {number} was refused")
    return result


def _real(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(str(path.resolve()) for path in paths)
