"""What is sent to be checked: files by names that stay inside a folder, and how to read them.

Nothing is parsed here: whatever the files hold is met by the job, in a process of its own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.errors import Fault, Invalid
from qms.interchange.readers.codes import ARCHIVE, OUTSIDE, TOO_MUCH, UNKNOWN
from qms.interchange.readers.detecting import FORMATS
from qms.interchange.readers.sheets import column_map

NOTHING = "Nothing was checked."
MOST_FILES = 1_000
MOST_STATED = 50
"""Levels, and columns, that may be named."""

LONGEST_STATED = 200

_PART = re.compile(r"[^\x00-\x1f\x7f/\\:]{1,200}")
_LONGEST_NAME = 500


@dataclass(frozen=True)
class Sent:
    """A file as it was sent; its name may hold folders, as `spec/SPEC1.yml`."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Asked:
    """What is to be checked, and how it is read; whoever says nothing has it found out."""

    files: tuple[Sent, ...]
    form: str = ""
    levels: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def asked(
    files: Sequence[Sent],
    form: str = "",
    levels: Iterable[str] = (),
    columns: Iterable[str] = (),
) -> Asked:
    """Return what was sent as it may be kept.

    Raises
    ------
    Invalid
        With everything that is wrong with it, file by file.
    """
    stated = tuple(one for one in map(str.strip, levels) if one)
    heads = tuple(one for one in map(str.strip, columns) if one)
    faults = [*_of_files(files), *_of_words(form, stated, heads)]
    if faults:
        raise Invalid(NOTHING, faults)
    return Asked(tuple(files), form, stated, heads)


def is_archive(name: str) -> bool:
    """Tell whether a file is unpacked before it is read; a `.reqifz` and a workbook are not."""
    return name.lower().endswith(".zip")


def safe_name(name: str) -> bool:
    r"""Tell whether a name stays inside the folder that it is put into.

    Examples
    --------
    >>> safe_name("spec/SPEC1.yml"), safe_name("../etc/passwd"), safe_name("C:\\a.csv")
    (True, False, False)
    """
    parts = name.split("/")
    inside = all(_PART.fullmatch(one) and one.strip(". ") for one in parts)
    return inside and len(name.encode(errors="replace")) <= _LONGEST_NAME


def _of_files(files: Sequence[Sent]) -> Iterator[Fault]:
    if not files:
        yield Fault("TR600", "files", "No file was sent.", "Choose the files, or a zip of them.")
    if len(files) > MOST_FILES:
        what = f"{len(files):,} files were sent; at most {MOST_FILES:,} are taken one by one."
        yield Fault(TOO_MUCH, "files", what, "Send them as one zip.")
    known: set[str] = set()
    for one in files:
        shown = re.sub(r"[\x00-\x1f\x7f]", "?", one.name)[:200]
        if not safe_name(one.name):
            what = "This name leads out of its folder, or no folder can hold it."
            yield Fault(OUTSIDE, shown, what, "Send the file by its name alone.")
        elif one.name in known:
            yield Fault("TR614", shown, "was sent twice.", "Give each file a name of its own.")
        elif _stands_under_a_file(one.name, known):
            yield Fault("TR614", shown, "lies in a folder that has the name of another file.")
        elif is_archive(one.name) and len(files) > 1:
            what = "A zip is sent alone: its files would lie among the others."
            yield Fault(ARCHIVE, shown, what, "Send either the zip or the files.")
        known.add(one.name)


def _stands_under_a_file(name: str, known: set[str]) -> bool:
    folders = {str(one) for one in PurePosixPath(name).parents}
    return bool(folders & known) or any(one.startswith(f"{name}/") for one in known)


def _of_words(form: str, levels: Sequence[str], columns: Sequence[str]) -> Iterator[Fault]:
    if form and form not in FORMATS:
        mend = f"Choose one of {', '.join(FORMATS)}, or let it be found out."
        yield Fault(UNKNOWN, "form", f"Nothing reads the format '{form[:40]}'.", mend)
    for where, stated in (("levels", levels), ("columns", columns)):
        if len(stated) > MOST_STATED or any(len(one) > LONGEST_STATED for one in stated):
            what = f"At most {MOST_STATED} of {LONGEST_STATED} characters each are taken."
            yield Fault(TOO_MUCH, where, what)
    if len(set(levels)) < len(levels):
        yield Fault(UNKNOWN, "levels", "A level stands twice.", "Name each once, top first.")
    try:
        column_map(columns)
    except Invalid as refusal:
        yield from (Fault(one.code, "columns", str(one)) for one in refusal.faults)
