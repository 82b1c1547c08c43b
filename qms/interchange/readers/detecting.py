"""Name the format of a folder or a file, or say what it holds instead."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import Fault, Invalid
from qms.interchange.readers.codes import UNKNOWN
from qms.interchange.readers.doorstop import SETTINGS
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.located_json import read_json
from qms.interchange.readers.needs import holds_needs
from qms.interchange.readers.openfasttrace import holds_items as holds_specifications
from qms.interchange.readers.roboclerk import holds_items as holds_roboclerk

MOST_LOOKED_INTO = 500
"""Files of one ending that are opened to see what they are; the first one that fits decides."""


@dataclass(frozen=True)
class Detected:
    """A format and what spoke for it."""

    format: str
    because: str


def detect(files: Files) -> Detected:
    """Return the format of what may be read.

    Raises
    ------
    Invalid
        If it is none of the formats, with what was found; or if it is several, with each.
    """
    spoke = {name: look(files) for name, look in _LOOKS.items()} | _in_json(files)
    found = [
        Detected(name, because) for name in FORMATS if (because := spoke.get(name)) is not None
    ]
    if len(found) == 1:
        return found[0]
    sheet = next((name for name in files.ending(".csv", ".xlsx", ".xlsm")), None)
    if not found and sheet:
        return Detected("sheets", sheet)
    if found:
        faults = [
            Fault(UNKNOWN, one.because, f"This is {one.format}.", f"Say '--format {one.format}'.")
            for one in found
        ]
        raise Invalid(f"{files.root} holds more than one format.", faults)
    raise Invalid(
        f"{files.root} holds none of the formats that are read.",
        [Fault(UNKNOWN, str(files.root), _held(files), f"What is read: {', '.join(FORMATS)}.")],
    )


def _held(files: Files) -> str:
    if not files.names:
        return "There is no file in it."
    endings = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in files.names)
    shown = ", ".join(f"{count} of {ending}" for ending, count in endings.most_common(6))
    only = " JSON was opened and is of another tool." if endings.get(".json") else ""
    if endings.get(".md"):
        only += " No Markdown in it holds an id like `req~name~1`."
    if endings.keys() & {".yml", ".yaml"}:
        only += f" There is neither '{SETTINGS}' nor 'data/requirements.yml'."
    count = len(files.names)
    return f"It holds {count} file{'s' if count > 1 else ''}: {shown}.{only}"


def _doorstop(files: Files) -> str | None:
    return next((name for name in files.names if PurePosixPath(name).name == SETTINGS), None)


def _strictdoc(files: Files) -> str | None:
    return next(iter(files.ending(".sdoc")), None)


def _reqif(files: Files) -> str | None:
    return next(iter(files.ending(".reqif", ".reqifz")), None)


def _rdm(files: Files) -> str | None:
    for name in files.ending(".yml", ".yaml"):
        path = PurePosixPath(name)
        if path.stem in {"requirements", "risk"} and path.parent.name in {"data", ""}:
            return name
    return None


def _openfasttrace(files: Files) -> str | None:
    into = Gathering("")
    for name in files.ending(".md", ".markdown")[:MOST_LOOKED_INTO]:
        text = files.text(name, into)
        if text is not None and holds_specifications(text):
            return name
    return None


def _in_json(files: Files) -> dict[str, str]:
    """Return the first file of each format that is kept in JSON; each file is parsed once."""
    into = Gathering("")
    found: dict[str, str] = {}
    for name in files.ending(".json")[:MOST_LOOKED_INTO]:
        text = files.text(name, into)
        value = None if text is None else read_json(text, name, into)
        for form, holds in _JSON.items():
            if form not in found and holds(value):
                found[form] = name
        if len(found) == len(_JSON):
            break
    return found


_JSON: Mapping[str, Callable[[object], bool]] = {
    "sphinx-needs": holds_needs,
    "roboclerk": holds_roboclerk,
}

_LOOKS: Mapping[str, Callable[[Files], str | None]] = {
    "doorstop": _doorstop,
    "strictdoc": _strictdoc,
    "openfasttrace": _openfasttrace,
    "rdm": _rdm,
    "reqif": _reqif,
}

FORMATS = (
    "doorstop", "strictdoc", "sphinx-needs", "openfasttrace", "roboclerk", "rdm", "reqif", "sheets",
)  # fmt: skip
