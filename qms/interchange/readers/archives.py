"""The members of a zip, unpacked within limits; names that lead elsewhere are refused."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator

from qms.interchange.corpus import Place
from qms.interchange.readers.codes import ARCHIVE, ENTITIES, OUTSIDE
from qms.interchange.readers.files import HIDDEN_BUT_READ
from qms.interchange.readers.gathering import Gathering

MOST_MEMBERS = 2_000
LARGEST_UNPACKED = 256_000_000
"""Bytes of all members together."""

HIGHEST_RATIO = 250
"""XML packs 10 to 60 times; a bomb a thousand times."""

SMALL = 1_000_000
"""Bytes up to which the ratio says nothing."""

LONGEST_HEAD = 4_000
"""Bytes in which a picture names its document type, behind what drawing tools say of themselves."""

_ARCHIVES = (".reqifz", ".zip")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
_MARKUP = re.compile(rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<")
_WITHOUT = "Take that out, or save it anew; nothing of it was expanded."
_OF_PICTURE = "Take that picture out, or save it as PNG; nothing of it was expanded."
_DECLARES = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_NAMES_SVG = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s|<\?xml\s[^<>]*\?>|<!--[^<>]*-->)*"
    rb"<!DOCTYPE\s+svg\s+PUBLIC(?:\s+\"[\w:/. -]*\"){2}\s*>"
)
"""A picture that names the type of SVG, as drawing tools write it, and declares nothing there."""


def members(
    data: bytes, name: str, into: Gathering, *, hidden: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Go through the files of a zip by their names; nothing is written anywhere.

    Parameters
    ----------
    hidden : bool
        Whether those count too that no folder shows, or whose name is that of a folder.
    """
    archive = _opened(data, name, into)
    if archive is None:
        return
    met: set[str] = set()
    for info in archive.infolist():
        parts = re.split(r"[/\\]", info.filename)
        if _is_empty_folder(info) or (not hidden and _is_hidden(info, parts)):
            continue
        if refusal := _refusal(info, parts, met):
            code, what, mend = refusal
            told = f"The member '{info.filename[:80]}' {what}"
            into.fault(code, Place(name), told, mend)
            continue
        met.add(info.filename)
        try:
            # The size was added up before; no more than the archive states is unpacked.
            with archive.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _DAMAGED as error:
            what = f"The member '{info.filename[:80]}' cannot be unpacked: {error}."
            into.fault(ARCHIVE, Place(name), what, "Export it again.")
            continue
        yield info.filename, content


def _is_empty_folder(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() and not info.file_size


def _is_hidden(info: zipfile.ZipInfo, parts: list[str]) -> bool:
    dotted = parts[-1].startswith(".") and parts[-1] not in HIDDEN_BUT_READ
    return info.is_dir() or "__MACOSX" in parts or (dotted and ".." not in parts)


def _refusal(info: zipfile.ZipInfo, parts: list[str], met: set[str]) -> tuple[str, str, str] | None:
    """Return code, words and mend of what keeps a member from being read."""
    if ".." in parts or parts[0] == "" or ":" in info.filename[:3]:
        return OUTSIDE, "leads out of the archive and is not read.", "Pack the archive again."
    if stat.S_ISLNK(info.external_attr >> 16):
        return OUTSIDE, "is a symbolic link and is not followed.", "Put the file itself there."
    once = "Pack each file once, and no archive."
    if info.filename in met:
        return ARCHIVE, "stands there twice and is not read.", once
    if info.filename.lower().endswith(_ARCHIVES):
        return ARCHIVE, "is an archive within this one and is not read.", once
    return None


def _opened(data: bytes, name: str, into: Gathering) -> zipfile.ZipFile | None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except _DAMAGED as error:
        into.fault(ARCHIVE, Place(name), f"This is no zip: {error}.", "Export it again.")
        return None
    unpacked = sum(one.file_size for one in infos)
    if len(infos) > MOST_MEMBERS or unpacked > LARGEST_UNPACKED:
        what = (
            f"It holds {len(infos):,} files of {unpacked:,} bytes; {MOST_MEMBERS:,} files of "
            f"{LARGEST_UNPACKED:,} bytes together are read."
        )
        into.fault(ARCHIVE, Place(name), what, "Split it.")
        return None
    if unpacked > SMALL and unpacked > HIGHEST_RATIO * len(data):
        what = f"It unpacks from {len(data):,} to {unpacked:,} bytes, as only a zip bomb does."
        into.fault(ARCHIVE, Place(name), what, "Nothing of it was unpacked.")
        return None
    return archive


def safe_workbook(data: bytes, name: str, into: Gathering) -> bool:
    """Tell whether a workbook may be given to a reader of workbooks: no bomb, no entities."""
    told = len(into.findings)
    count = 0
    # Its relations say what a part is: a sheet may have any name, one that hides it too.
    for member, content in members(data, name, into, hidden=True):
        count += 1
        # A declaration could hide from the search in another encoding than these.
        if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in content[:4]:
            content = content.replace(b"\0", b"")
        picture = member.lower().endswith(".svg")
        # A part that a relation calls a picture may still be opened as a sheet; the mere name of a
        # document type, with nothing declared, does no harm there either.
        named = _NAMES_SVG.match(content[:LONGEST_HEAD]) if picture else None
        # A picture may hold these letters by chance; only what begins as XML is read as that.
        if _MARKUP.match(content) and _DECLARES.search(content, named.end() if named else 0):
            what = f"Its part '{member[:80]}' declares a document type or an entity."
            into.fault(ENTITIES, Place(name), what, _OF_PICTURE if picture else _WITHOUT)
    if not count and len(into.findings) == told:
        into.fault(ARCHIVE, Place(name), "The workbook is empty.")
    return len(into.findings) == told
