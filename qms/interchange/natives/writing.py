"""Write a corpus in the form of its tool, and read it back before anybody else does.

What the form cannot say as a record says it is named, and then nothing is written.
"""

import difflib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Item
from qms.interchange.mapping.accepting import ACCEPTABLE, STOPPING
from qms.interchange.natives import (
    doorstop,
    needs,
    openfasttrace,
    rdm,
    reqif,
    roboclerk,
    sheets,
    strictdoc,
)
from qms.interchange.natives.yaml_files import There
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import LINK, ColumnMap

THERE_ALREADY, MACROS, OUTSIDE, CANNOT_SAY = "TR342", "TR343", "TR344", "TR345"

NOTHING = "Nothing was written."

_IN_PLACE: Mapping[str, Callable[[Corpus, There], dict[str, bytes]]] = {
    "rdm": rdm.write,
    "doorstop": doorstop.write,
}
"""Formats of which the files that are there are changed."""

_ANEW: Mapping[str, Callable[[Corpus], dict[str, bytes]]] = {
    "sphinx-needs": needs.write,
    "reqif": reqif.write,
    "strictdoc": strictdoc.write,
    "openfasttrace": openfasttrace.write,
    "roboclerk": roboclerk.write,
    "sheets": sheets.write,
}
"""Formats whose files are written whole; one that is there is not overwritten, since what was not
imported of it would be lost."""

NATIVES = (*_IN_PLACE, *_ANEW)


@dataclass(frozen=True)
class WrittenCorpus:
    """What writing changed.

    Attributes
    ----------
    written : tuple of str
        Files that were made or changed.
    unchanged : int
        Files that said the same already.
    left_out : tuple of Fault
        Workbooks with macros, which can neither be made anew nor changed without loss.
    """

    written: tuple[str, ...]
    unchanged: int
    left_out: tuple[Fault, ...] = ()


def write_corpus(corpus: Corpus, folder: Path) -> WrittenCorpus:
    """Write a corpus into a folder.

    Raises
    ------
    Invalid
        If there is no item, a file would lie outside of the folder, one is there that would be
        overwritten, or the form cannot say what a record says; then nothing was written.
    """
    if corpus.format not in NATIVES:
        near = difflib.get_close_matches(corpus.format, NATIVES, 1)
        mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(NATIVES)}."
        raise Invalid(f"Nothing is written as '{corpus.format[:40]}'. {mend}")
    corpus, left_out = _without_macros(corpus)
    if not corpus.items and left_out:
        raise Invalid(NOTHING, left_out)
    if not corpus.items:
        raise Invalid(f"No record here was imported from {corpus.format}; {NOTHING.lower()}")

    def there(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if _inside(name) and path.is_file() else None

    outside = sorted({one.place.file for one in corpus.items if not _inside(one.place.file)})
    if outside:
        what = "leads out of the folder."
        raise Invalid(NOTHING, [Fault(OUTSIDE, one[:200], what) for one in outside])
    in_place = _IN_PLACE.get(corpus.format)
    files = in_place(corpus, there) if in_place else _ANEW[corpus.format](corpus)
    held = {name: there(name) for name in files}
    faults = [*_placed(folder, files), *_overwriting(corpus.format, files, held)]
    if faults:
        raise Invalid(NOTHING, faults)
    if faults := _lost(corpus, files):
        raise Invalid(NOTHING, faults)
    changed = [name for name, data in files.items() if held[name] != data]
    for name in changed:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
    return WrittenCorpus(tuple(changed), len(files) - len(changed), left_out)


def _without_macros(corpus: Corpus) -> tuple[Corpus, tuple[Fault, ...]]:
    """Return what can be written, and each workbook with macros that is left as it is."""
    found: dict[str, int] = {}
    items = []
    for one in corpus.items:
        book, inside, _ = one.place.file.lower().partition(".xlsm/")
        if inside:
            name = one.place.file[: len(book) + len(".xlsm")]
            found[name] = found.get(name, 0) + 1
        else:
            items.append(one)
    left = tuple(
        Fault(
            MACROS,
            name,
            f"is a workbook with macros, which is never written; {count} items of it are left out.",
            "Export the risks as a sheet, or change the workbook by hand.",
        )
        for name, count in found.items()
    )
    return replace(corpus, items=tuple(items)), left


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    odd = name.startswith("/") or "\\" in name or "\0" in name or ":" in name[:3]
    return bool(parts) and not odd and ".." not in parts


def _placed(folder: Path, files: Mapping[str, bytes]) -> list[Fault]:
    faults = []
    for name in files:
        steps = [folder / one for one in (PurePosixPath(name), *PurePosixPath(name).parents)]
        if not _inside(name) or any(one.is_symlink() for one in steps if one != folder):
            mend = "Remove the link, or write elsewhere."
            faults.append(Fault(OUTSIDE, name[:200], "leads out of the folder.", mend))
    return faults


def _overwriting(
    format_name: str, files: Mapping[str, bytes], held: Mapping[str, bytes | None]
) -> list[Fault]:
    if format_name in _IN_PLACE:
        return []
    what = f"is there already; all that was not imported of it would be lost as {format_name}."
    mend = "Write into an empty folder and compare."
    return [
        Fault(THERE_ALREADY, name, what, mend)
        for name, data in files.items()
        if held[name] not in (None, data)
    ]


def _lost(corpus: Corpus, files: Mapping[str, bytes]) -> list[Fault]:
    """Read what would be written and return each item that reads otherwise."""
    roles = {one.role for item in corpus.items for one in item.references}
    columns = {f"{LINK}{role}": role for role in roles - sheets.usual_roles()}
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        known = ColumnMap(columns if corpus.format == "sheets" else {}, guess=True)
        again = read_corpus(Path(place), corpus.format, known)
    read = {one.uid: one for one in again.items}
    # Of sheets nothing comes in as it was meant beside such a finding; elsewhere it may be of what
    # was accepted when it came in.
    bad = STOPPING if corpus.format == "sheets" else STOPPING - ACCEPTABLE
    faults = [
        Fault(CANNOT_SAY, str(one.place), f"would read as {one.code}: {one.what}", one.mend)
        for one in again.findings
        if one.code in bad
    ]
    for item in corpus.items:
        differs = _differs(item, read.get(item.uid))
        if differs:
            what = f"cannot be said in {corpus.format}: {', '.join(differs)} would read otherwise."
            faults.append(Fault(CANNOT_SAY, item.uid, what, "Write it so that the tool can."))
    return faults


def _differs(item: Item, read: Item | None) -> Sequence[str]:
    if read is None:
        return ["the item"]
    said = {
        "kind": (item.kind, read.kind),
        "title": (item.title.strip(), read.title.strip()),
        "text": (item.text.strip(), read.text.strip()),
        "fields": (_plain(item.fields), _plain(read.fields)),
        "links": (_links(item), _links(read)),
    }
    return [name for name, (wanted, found) in said.items() if wanted != found]


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value not in (None, "", [], (), {})}


def _links(item: Item) -> list[tuple[str, str]]:
    return sorted((one.role, one.target) for one in item.references)
