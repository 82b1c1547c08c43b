"""Write a corpus in the form of its tool, and read it back before anybody else does.

What the form cannot say as a record says it is named, and then nothing is written.
"""

import difflib
import re
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
from qms.interchange.readers.files import HIDDEN_BUT_READ
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import LINK, ColumnMap

THERE_ALREADY, MACROS, OUTSIDE, CANNOT_SAY = "TR342", "TR343", "TR344", "TR345"

NOTHING = "Nothing was written."

LONGEST_PART, LONGEST_NAME = 255, 1_000
"""Bytes of one step of a path, and characters of all: what file systems take."""

_LEADS_OUT = "leads out of the folder."
_STAYS = "is there already and says something else than the one that was imported; it stays so."
_MEANT = "Nothing needs doing where it was meant to change since the import."

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

_CARRYING = frozenset({"doorstop"})
"""Formats whose items name the files that they carry. ReqIF does in formatted text alone, and that
is written as plain text."""

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
        What is there and stays as it is: workbooks that can neither be made anew nor changed
        without loss (those with macros, and hazard logs that lie in a folder of which the files are
        changed in place), and files that items carry and that say something else by now.
    """

    written: tuple[str, ...]
    unchanged: int
    left_out: tuple[Fault, ...] = ()


def write_corpus(corpus: Corpus, folder: Path) -> WrittenCorpus:
    """Write a corpus into a folder.

    Raises
    ------
    Invalid
        If there is no item, a file would be hidden or lie outside of the folder, one is there that
        would be overwritten, or the form cannot say what a record says; then nothing was written.
        If the disk refuses a file, saying how many were written before it.
    """
    if corpus.format not in NATIVES:
        near = difflib.get_close_matches(corpus.format, NATIVES, 1)
        mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(NATIVES)}."
        raise Invalid(f"Nothing is written as '{corpus.format[:40]}'. {mend}")

    def there(name: str) -> bytes | None:
        path = folder / name
        try:
            return path.read_bytes() if _inside(name) and path.is_file() else None
        except OSError as error:
            what = f"cannot be read: {error.strerror}."
            raise Invalid(NOTHING, [Fault(THERE_ALREADY, name, what)]) from error

    corpus, left_out = _without_books(corpus, there)
    if not corpus.items and left_out:
        raise Invalid(NOTHING, left_out)
    if not corpus.items:
        raise Invalid(f"No record here was imported from {corpus.format}; {NOTHING.lower()}")
    if outside := _outside(corpus):
        raise Invalid(NOTHING, outside)
    in_place = _IN_PLACE.get(corpus.format)
    files = in_place(corpus, there) if in_place else _ANEW[corpus.format](corpus)
    faults = [*_placed(folder, files), *_clashing(corpus, files)]
    if faults:
        raise Invalid(NOTHING, faults)
    held = {name: there(name) for name in files}
    newer = _newer(corpus, files, held)
    # What stays as it is counts here as the items know it: they state its digest.
    if faults := _overwriting(corpus, files, held, newer) or _lost(corpus, files):
        raise Invalid(NOTHING, faults)
    written = {name: data for name, data in files.items() if name not in newer}
    changed = {name: data for name, data in written.items() if held[name] != data}
    _write(folder, changed)
    left_out += tuple(Fault(THERE_ALREADY, name, _STAYS, _MEANT) for name in newer)
    return WrittenCorpus(tuple(changed), len(written) - len(changed), left_out)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for number, (name, data) in enumerate(files.items()):
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            what = f"{name} cannot be written: {error.strerror}."
            raise Invalid(f"{what} Files written before it: {number}.") from error


def _without_books(corpus: Corpus, there: There) -> tuple[Corpus, tuple[Fault, ...]]:
    """Return what can be written, and each workbook that is left as it is."""
    found: dict[tuple[str, str], int] = {}
    items = []
    for one in corpus.items:
        book = _BOOK.match(one.place.file)
        if book is None:
            items.append(one)
        elif book[1].lower().endswith("m"):
            found[MACROS, book[1]] = found.get((MACROS, book[1]), 0) + 1
        elif corpus.format in _IN_PLACE and there(book[1]) is not None:
            found[THERE_ALREADY, book[1]] = found.get((THERE_ALREADY, book[1]), 0) + 1
        else:
            items.append(one)
    why = {
        MACROS: "is a workbook with macros, which is never written",
        THERE_ALREADY: "is there already, and a workbook is only written whole",
    }
    mend = "Export the risks as a sheet, or change the workbook by hand."
    left = tuple(
        Fault(code, name, f"{why[code]}; {count} items of it are left out.", mend)
        for (code, name), count in found.items()
    )
    return replace(corpus, items=tuple(items)), left


_BOOK = re.compile(r"(.*?\.xls[mx])/", re.IGNORECASE | re.DOTALL)
"""The workbook in the place of an item: what stands behind it names the sheet."""


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    odd = name.startswith("/") or "\\" in name or "\0" in name or ":" in name[:3]
    long = len(name) > LONGEST_NAME or any(len(one.encode()) > LONGEST_PART for one in parts)
    return bool(parts) and not odd and not long and ".." not in parts


def _hidden(name: str) -> bool:
    """Whether a file or a folder on the way to it is one that no reader here looks into."""
    *above, last = PurePosixPath(name).parts
    return any(one.startswith(".") for one in above) or (
        last.startswith(".") and last not in HIDDEN_BUT_READ
    )


def _led_out(name: str) -> Fault | None:
    """Return what is wrong with the name of a file, whatever stands in the folder."""
    if not _inside(name):
        return Fault(OUTSIDE, name[:200], _LEADS_OUT)
    if _hidden(name):
        # Git and others take orders from hidden files, and no import reads one.
        return Fault(OUTSIDE, name[:200], "is hidden, and would not be read again.")
    return None


def _outside(corpus: Corpus) -> list[Fault]:
    """Return each name in an origin that no reader could have told."""
    places = sorted({one.place.file for one in corpus.items})
    carried = sorted({one.name for item in corpus.items for one in item.attached})
    return [
        *(Fault(OUTSIDE, one[:200], _LEADS_OUT) for one in places if not _inside(one)),
        *(fault for one in carried if (fault := _led_out(one))),
    ]


def _placed(folder: Path, files: Mapping[str, bytes]) -> list[Fault]:
    """Return what stands in the way of each file."""
    elsewhere = "Remove it, or write elsewhere."
    for one in (folder, *folder.parents):
        if one.exists() and not one.is_dir():
            return [Fault(THERE_ALREADY, str(one), "is a file, not a folder.", elsewhere)]
    faults = []
    for name in files:
        if fault := _led_out(name):
            faults.append(fault)
            continue
        above = [one for one in PurePosixPath(name).parents if one.parts]
        if any((folder / one).is_symlink() for one in (PurePosixPath(name), *above)):
            mend = "Remove the link, or write elsewhere."
            faults.append(Fault(OUTSIDE, name, _LEADS_OUT, mend))
        elif (folder / name).is_dir():
            faults.append(Fault(THERE_ALREADY, name, "is a folder there.", elsewhere))
        elif file := next((one for one in above if _is_file(folder, files, one)), None):
            what = f"cannot lie below '{file}', which is a file."
            faults.append(Fault(THERE_ALREADY, name, what, elsewhere))
    return faults


def _is_file(folder: Path, files: Mapping[str, bytes], one: PurePosixPath) -> bool:
    return str(one) in files or ((folder / one).exists() and not (folder / one).is_dir())


def _clashing(corpus: Corpus, files: Mapping[str, bytes]) -> list[Fault]:
    """Return each file of an item that cannot go where it came from."""
    faults: dict[str, Fault] = {}
    met: dict[tuple[str, str], str] = {}
    for item in corpus.items:
        archive, packed, _ = item.place.file.partition(".reqifz/")
        for one in item.attached:
            twice = met.setdefault((archive if packed else "", one.name), one.sha256) != one.sha256
            if twice or (one.name in files and files[one.name] != one.data):
                what = f"is a file of {item.uid} and another one too."
                faults[one.name] = Fault(CANNOT_SAY, one.name, what, "Import them again.")
    return list(faults.values())


def _carried(corpus: Corpus) -> set[str]:
    return {one.name for item in corpus.items for one in item.attached}


def _newer(
    corpus: Corpus, files: Mapping[str, bytes], held: Mapping[str, bytes | None]
) -> list[str]:
    """Return each file that items only carry and that is not as it was imported.

    It is known by its bytes alone, and often is code: another one there is how things should be.
    """
    if corpus.format not in _IN_PLACE:
        return []
    places = {one.place.file for one in corpus.items}
    return [
        name
        for name in sorted(_carried(corpus) & set(files) - places)
        if held[name] not in (None, files[name]) and PurePosixPath(name).name not in HIDDEN_BUT_READ
    ]


def _overwriting(
    corpus: Corpus,
    files: Mapping[str, bytes],
    held: Mapping[str, bytes | None],
    newer: Sequence[str],
) -> list[Fault]:
    what = f"is there already; all that was not imported of it would be lost as {corpus.format}."
    mend = "Write into an empty folder and compare."
    whole = set(files) - set(newer)
    if corpus.format in _IN_PLACE:
        # An item may carry the file of another one, which then cannot be changed beside it.
        whole &= _carried(corpus)
        what = "is there already and says something else than the one that was imported."
    return [
        Fault(THERE_ALREADY, name, what, mend)
        for name, data in files.items()
        if name in whole and held[name] not in (None, data)
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
        try:
            again = read_corpus(Path(place), corpus.format, known)
        except Invalid as refusal:
            told = [f"{one.where.removeprefix(f'{place}/')}: {one.what}" for one in refusal.faults]
            what = f"would not come in again: {'; '.join(told)[:400] or 'nothing is read'}"
            mend = "Write it so that the tool can."
            return [Fault(CANNOT_SAY, corpus.items[0].place.file[:200], what, mend)]
    read = {one.uid: one for one in again.items}
    # Of sheets nothing comes in as it was meant beside such a finding; elsewhere it may be of what
    # was accepted when it came in.
    bad = STOPPING if corpus.format == "sheets" else STOPPING - ACCEPTABLE
    faults = [
        Fault(CANNOT_SAY, str(one.place), f"would read as {one.code}: {one.what}", one.mend)
        for one in again.findings
        if one.code in bad
    ]
    # The steps of a manual test say once more what it is linked to.
    for item in map(rdm.linked, corpus.items) if corpus.format == "rdm" else corpus.items:
        differs = _differs(item, read.get(item.uid), carries=corpus.format in _CARRYING)
        if differs:
            what = f"cannot be said in {corpus.format}: {', '.join(differs)} would read otherwise."
            faults.append(Fault(CANNOT_SAY, item.uid, what, "Write it so that the tool can."))
    return faults


def _differs(item: Item, read: Item | None, *, carries: bool) -> Sequence[str]:
    if read is None:
        return ["the item"]
    said = {
        "kind": (item.kind, read.kind),
        "title": (item.title.strip(), read.title.strip()),
        "text": (item.text.strip(), read.text.strip()),
        "fields": (_plain(item.fields), _plain(read.fields)),
        "links": (_links(item), _links(read)),
    }
    differs = [name for name, (wanted, found) in said.items() if wanted != found]
    held = {(one.name, one.sha256) for one in read.attached}
    carried = {(one.name, one.sha256) for one in item.attached} if carries else set()
    return differs + (["files"] if carried - held else [])


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value not in (None, "", [], (), {})}


def _links(item: Item) -> list[tuple[str, str]]:
    return sorted((one.role, one.target) for one in item.references)
