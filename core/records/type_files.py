"""Read the files of record types: what each says, where it stands, and what nobody would read."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import Fault, Invalid
from core.located_yaml import Lined, LocatedYaml, read_yaml
from core.records.type_changes import Where
from core.settings import PREFIX

SETTING = f"{PREFIX}TYPES_DIR"
LARGEST_PACK_BYTES = 100_000

Place = Callable[[tuple[str | int, ...]], str]
"""Turns the keys that lead to a part of a type into its file, line and name."""


def read_type_file(path: Path, faults: list[Fault]) -> LocatedYaml | None:
    """Read one file; None, with its faults added, where nothing in it can be judged."""
    if path.stat().st_size > LARGEST_PACK_BYTES:
        faults.append(Fault("too-large", path.name, "is larger than a record type can be."))
        return None
    try:
        document, spelling = read_yaml(path.read_bytes(), path.name)
    except Invalid as error:
        faults += error.faults
        return None
    faults += spelling
    if not isinstance(document.value, Lined):
        what = "does not begin with a mapping."
        faults.append(Fault("type-fault", document.where(()), what, "Begin it with `type: name`."))
        return None
    return document


def place_in(file: LocatedYaml, changes: Where) -> Place:
    """Return what names the place of each part of a type with changes laid over it."""

    def place(path: tuple[str | int, ...]) -> str:
        # A changed part stands in the department's file, everything else in ours.
        found = next(
            (changes[path[:end]] for end in range(len(path), 0, -1) if path[:end] in changes), file
        )
        return f"{found.where(path)} {'.'.join(map(str, path)) or 'the file'}"

    return place


def changes_of_nothing(files: Sequence[LocatedYaml], whole: Sequence[LocatedYaml]) -> list[Fault]:
    """Return a fault for each file that changes what no other file defines."""
    names = sorted({str(one.value.get("type")) for one in whole})
    return [
        Fault(
            "unknown-type",
            f"{one.where(('changes',))} changes",
            f"changes '{one.value['changes']}', which is no type.",
            f"There are {', '.join(names)}.",
        )
        for one in files
        if "changes" in one.value and one.value["changes"] not in names
    ]


def folder_faults(own: Path) -> list[Fault]:
    """Return what is in the department's folder and would not be read, however it is misspelt."""
    if not own.is_dir():
        return [Fault("types-folder", SETTING, f"names {own}, which is no folder.", "Make it.")]
    return [
        Fault("types-folder", one.name, f"lies in {own} and is read by nothing.", "Name it *.yaml.")
        for one in sorted(own.iterdir())
        if (one.suffix != ".yaml" or not one.is_file())
        and not one.name.startswith(".")
        and not one.name.lower().startswith("readme")
    ]
