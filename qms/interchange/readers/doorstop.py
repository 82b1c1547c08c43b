"""Read Doorstop: a folder per document with `.doorstop.yml`, and a YAML file per item.

The stamps are Doorstop's own: the URL-safe base64 of a SHA-256 over uid, text and reference, and
for a review over the uids that it links to as well.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from core.located_yaml import Lined
from qms.interchange.corpus import Attached, Item, Place, Reference
from qms.interchange.readers.codes import ATTACHED, NO_ID, NOT_READ, SHAPE, UNREVIEWED
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering, attached, shape_of
from qms.interchange.readers.located import read_located_yaml

SETTINGS = ".doorstop.yml"
PARENT = "parent"
"""Doorstop knows one kind of link: from an item to one of the document above."""

_OWN = frozenset({"header", "text", "level", "links"})
"""Keys of an item that are told elsewhere than among its fields."""


@dataclass(frozen=True)
class _Document:
    folder: str
    prefix: str
    parent: str
    reviewed: tuple[str, ...]
    """Attributes of its own that a review covers; a stamp over them is not recomputed."""


def read(files: Files) -> Gathering:
    """Read every document below a folder."""
    into = Gathering("doorstop")
    documents = {
        document.folder: document
        for name in files.names
        if PurePosixPath(name).name == SETTINGS
        and (document := _document(files, name, into)) is not None
    }
    into.above = {one.prefix: (one.parent,) for one in documents.values() if one.parent}
    into.above |= {one.prefix: () for one in documents.values() if not one.parent}
    for name in files.ending(".yml", ".yaml"):
        document = documents.get(_folder(name))
        if document and not PurePosixPath(name).name.startswith("."):
            _item(files, name, document, into)
    return into


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)


def _yaml(files: Files, name: str, into: Gathering) -> tuple[Lined, list[str]] | None:
    text = files.text(name, into)
    if text is None:
        return None
    value = read_located_yaml(text, name, into)
    if isinstance(value, Lined):
        return value, text.split("\n")
    if value is not None:
        what = f"The file holds {shape_of(value)} where a mapping is expected."
        into.fault(SHAPE, Place(name, 1), what)
    return None


def _document(files: Files, name: str, into: Gathering) -> _Document | None:
    found = _yaml(files, name, into)
    if found is None:
        return None
    settings = found[0].get("settings")
    attributes = found[0].get("attributes")
    if not isinstance(settings, Lined) or not settings.get("prefix"):
        what = "The document states no prefix."
        into.fault(NO_ID, Place(name, 1), what, "Write 'settings:' with 'prefix: REQ'.")
        return None
    if settings.get("itemformat", "yaml") != "yaml":
        what = f"The document keeps its items as {settings['itemformat']}, which is not read."
        place = Place(name, settings.line_of("itemformat"))
        into.fault(NOT_READ, place, what, "Turn them into YAML with 'doorstop'.")
    reviewed = attributes.get("reviewed") if isinstance(attributes, Lined) else None
    into.left_out["settings of a document"] += len(settings) - len(
        {"prefix", "parent"} & set(settings)
    )
    return _Document(
        _folder(name),
        str(settings["prefix"]),
        str(settings.get("parent") or ""),
        tuple(str(one) for one in reviewed) if isinstance(reviewed, list) else (),
    )


def _item(files: Files, name: str, document: _Document, into: Gathering) -> None:
    found = _yaml(files, name, into)
    if found is None:
        return
    value, lines = found
    uid = PurePosixPath(name).stem
    text = into.text(value.get("text"), Place(name, value.line_of("text")), "text", uid)
    references = _links(name, value, uid, into)
    stamp = _stamp(uid, value, text)
    # What else a review covers is not in the stamp, so only the stored one can be told then.
    whole = not value.get("references") and not document.reviewed
    revision = stamp if whole else None if references else _stored(value)
    stored = _stored(value)
    due = _stamp(uid, value, text, [one.target for one in references])
    if whole and stored and stored != due and value.get("active") is not False:
        place = Place(name, value.line_of("reviewed"))
        mend = "Read it again and run 'doorstop review'."
        into.fault(UNREVIEWED, place, f"{uid} changed since its review.", mend, uid)
    level = _level(value, lines)
    header = into.text(value.get("header"), Place(name, value.line_of("header")), "header", uid)
    into.add(
        Item(
            uid=uid,
            kind=_kind(value, level),
            title=header.strip(),
            text=text.strip(),
            place=Place(name, 1),
            document=document.prefix,
            position=_position(level),
            revision=revision,
            fields={"level": level}
            | {key: _plain(one) for key, one in value.items() if key not in _OWN},
            references=references,
            attached=_attached(files, name, value, uid, into),
        )
    )


def _kind(value: Mapping[str, Any], level: str) -> str:
    if value.get("normative") is not False:
        return "normative"
    return "heading" if level.endswith(".0") else "informative"


def _stored(value: Mapping[str, Any]) -> str | None:
    stamp = value.get("reviewed")
    return stamp if isinstance(stamp, str) and stamp else None


def _level(value: Lined, lines: list[str]) -> str:
    """Return the level as it is written: as a number 1.10 would become 1.1."""
    if "level" not in value:
        return ""
    written = lines[value.line_of("level") - 1].partition(":")[2]
    return written.partition("#")[0].strip().strip("'\"")


def _position(level: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})*", level):
        return ()
    parts = [int(one) for one in level.split(".")]
    return tuple(parts[:-1] if len(parts) > 1 and parts[-1] == 0 else parts)


def _links(name: str, value: Lined, uid: str, into: Gathering) -> tuple[Reference, ...]:
    links = value.get("links") or []
    place = Place(name, value.line_of("links"))
    if not isinstance(links, list):
        what = f"'links' holds {shape_of(links)} where a list is expected."
        into.fault(SHAPE, place, what, "Write '- REQ001: stamp'.", uid)
        return ()
    found = []
    for link in links:
        if isinstance(link, Lined) and len(link) == 1:
            ((target, stamp),) = link.items()
            stated = stamp if isinstance(stamp, str) else None
            found.append(Reference(PARENT, target, Place(name, link.line), stated))
        elif isinstance(link, str):
            found.append(Reference(PARENT, link, place))
        else:
            what = f"A link is {shape_of(link)}, not a uid with its stamp."
            into.fault(SHAPE, place, what, "Write '- REQ001: stamp'.", uid)
    return tuple(found)


def _stamp(uid: str, value: Mapping[str, Any], text: str, links: list[str] | None = None) -> str:
    parts = [uid, text.strip(), value.get("ref") or "", *(links or ())]
    digest = hashlib.sha256("".join(str(one) for one in parts).encode())
    return base64.urlsafe_b64encode(digest.digest()).decode()


def _attached(
    files: Files, name: str, value: Lined, uid: str, into: Gathering
) -> tuple[Attached, ...]:
    found = []
    references = value.get("references") or []
    for entry in references if isinstance(references, list) else ():
        path = str(entry.get("path", "")) if isinstance(entry, Lined) else ""
        place = Place(name, getattr(entry, "line", value.line_of("references")))
        inside = _inside(files, path)
        if inside is None:
            what = f"{uid} names the file '{path}', which is not in this folder."
            into.fault(ATTACHED, place, what, "Import the folder that holds it.", uid)
            continue
        data = files.data(inside, into)
        if data is None:
            continue
        # Where it lies below what is read: so it goes back there, whichever folder that was.
        taken = attached(inside, data)
        if entry.get("sha") not in (None, "", taken.sha256):
            what = f"'{path}' is not the file that {uid} was reviewed with: its digest differs."
            into.fault(ATTACHED, place, what, "Read it and run 'doorstop review'.", uid)
        found.append(taken)
    return tuple(found)


def _inside(files: Files, path: str) -> str | None:
    """Return the name here of a path that Doorstop counts from the top of the repository."""
    parts = PurePosixPath(path).parts
    if ".." in parts or path.startswith("/"):
        return None
    for first in range(len(parts)):
        if (name := "/".join(parts[first:])) in files.held:
            return name
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
