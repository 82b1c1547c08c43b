"""Read a folder or a file of another tool into a corpus, whichever of the formats it is in."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Place
from qms.interchange.readers import (
    doorstop,
    needs,
    openfasttrace,
    rdm,
    reqif,
    roboclerk,
    sheets,
    strictdoc,
)
from qms.interchange.readers.codes import UNKNOWN
from qms.interchange.readers.detecting import FORMATS, detect
from qms.interchange.readers.files import Files, files_below
from qms.interchange.readers.gathering import Gathering

_READERS: Mapping[str, Callable[[Files], Gathering]] = {
    "doorstop": doorstop.read,
    "strictdoc": strictdoc.read,
    "sphinx-needs": needs.read,
    "openfasttrace": openfasttrace.read,
    "roboclerk": roboclerk.read,
    "rdm": rdm.read,
    "reqif": reqif.read,
}


def read_corpus(
    path: Path, format_name: str | None = None, columns: sheets.ColumnMap = sheets.ANY
) -> Corpus:
    """Return all that a path holds, with everything that is wrong with it.

    Parameters
    ----------
    path : Path
        A folder, or one file.
    format_name : str, optional
        One of `FORMATS`; found out where it is not said.
    columns : ColumnMap
        What the columns of sheets are; the other formats need none.

    Raises
    ------
    Invalid
        If there is nothing there, if it is of no format or of several, and if no item could be
        read of it: a check of nothing is no success.
    """
    files = files_below(path)
    name = _known(format_name) if format_name else detect(files).format
    into = sheets.read(files, columns) if name == "sheets" else _READERS[name](files)
    for code, passed, what in files.passed:
        into.fault(code, Place(passed), what, "Put the file itself there.")
    corpus = into.corpus()
    if not corpus.items:
        told = [Fault(one.code, str(one.place), one.what, one.mend) for one in corpus.findings]
        raise Invalid(f"No item could be read of {path} as {name}.", told)
    return corpus


def _known(name: str) -> str:
    if name in FORMATS:
        return name
    near = difflib.get_close_matches(name, FORMATS, 1)
    mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FORMATS)}."
    raise Invalid(
        f"There is no format '{name[:40]}'.",
        [Fault(UNKNOWN, name[:40], "Nothing reads it.", mend)],
    )
