"""Where packs are read from: what ships with the product, then the department's own folder.

The department names its folder in the settings. It holds `clauses/`, `matrices/`, `rules/` and
`trailers/`, each with YAML files; what stands there comes before what ships.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from core.errors import Fault, Invalid
from core.located_yaml import Lined, LocatedYaml, read_yaml
from core.settings import PREFIX, get_settings

KINDS: Mapping[str, str] = {
    "clauses": "lists of clauses",
    "matrices": "risk matrices",
    "rules": "changes of the release check",
    "trailers": "keys of commit trailers",
}
"""The folders of a department's packs, and what each holds."""

SETTING = f"{PREFIX}FRAMEWORKS_DIR"

LARGEST_PACK_BYTES = 500_000
"""Ten times the longest list we know."""


@dataclass(frozen=True)
class PackFile:
    """One pack as it was read.

    Attributes
    ----------
    own : bool
        Whether it is the department's, and not ours.
    """

    name: str
    document: LocatedYaml
    own: bool

    @property
    def value(self) -> Lined:
        """What the file says."""
        return self.document.value  # type: ignore[no-any-return]

    def fault(self, code: str, path: tuple[str | int, ...], what: str, mend: str = "") -> Fault:
        """Return a fault with the file, the line and the part that it is about."""
        part = ".".join(map(str, path))
        where = f"{self.document.where(path)} {part}".strip()
        return Fault(code, where, what, mend)


def department_folder(kind: str) -> Path | None:
    """Return the department's folder of one kind of pack; None where it has none.

    Raises
    ------
    Invalid
        If the setting names no folder: what a department meant to be asked is then not known.
    """
    root = get_settings().frameworks_dir
    if root is None:
        return None
    if not root.is_dir():
        raise Invalid("The department's packs cannot be read.", folder_faults())
    found = root / kind
    return found if found.is_dir() else None


def folder_faults() -> list[Fault]:
    """Return what is in the department's folder and would not be read, however it is misspelt."""
    root = get_settings().frameworks_dir
    if root is None:
        return []
    if not root.is_dir():
        return [Fault("PK01", SETTING, f"names {root}, which is no folder.", "Make it.")]
    known = ", ".join(f"{name}/" for name in KINDS)
    faults = []
    for one in sorted(root.iterdir()):
        if one.name in KINDS and one.is_dir():
            faults += [
                Fault("PK02", f"{one.name}/{file.name}", "is no YAML file.", "Name it *.yaml.")
                for file in sorted(one.iterdir())
                if file.suffix != ".yaml" and not file.name.startswith(".")
            ]
        elif not one.name.startswith(".") and not one.name.lower().startswith("readme"):
            what = f"lies in {root} and is read by nothing."
            faults.append(Fault("PK02", one.name, what, f"Use the folders {known}."))
    return faults


def pack_files(
    folder: Traversable | None, kind: str, faults: list[Fault], own: Path | None = None
) -> Iterator[PackFile]:
    """Read every ``*.yaml`` of our folder, then of the department's.

    A file that cannot be read adds its faults and is passed over; the others are read all the same.
    """
    for place, theirs in ((folder, False), (own, True)):
        if place is None:
            continue
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".yaml"):
                read = read_pack(file, f"{kind}/{file.name}" if theirs else file.name, faults)
                if read is not None:
                    yield PackFile(read.name, read, theirs)


def read_pack(file: Traversable | Path, name: str, faults: list[Fault]) -> LocatedYaml | None:
    """Read one file; None, with its faults added, where nothing in it can be judged."""
    content = file.read_bytes()
    if len(content) > LARGEST_PACK_BYTES:
        faults.append(Fault("PK03", name, "is larger than a pack can be."))
        return None
    try:
        document, spelling = read_yaml(content, name)
    except Invalid as refusal:
        faults += refusal.faults
        return None
    faults += spelling
    if not isinstance(document.value, Lined):
        what = "does not begin with a mapping."
        faults.append(Fault("PK03", document.where(()), what, "Begin it with `name: value`."))
        return None
    return document


def unknown_keys(
    pack: PackFile, code: str, given: Any, known: frozenset[str], path: tuple[str | int, ...] = ()
) -> list[Fault]:
    """Return a fault for each key of a mapping that nothing reads."""
    keys = given if isinstance(given, Mapping) else {}
    what = f"is no key here; there are {', '.join(sorted(known))}."
    return [
        pack.fault(code, (*path, key), what, "Remove or correct it.")
        for key in keys
        if key not in known
    ]
