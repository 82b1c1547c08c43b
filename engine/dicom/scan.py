"""The bounded look at an untrusted file that may run in process.

It reads the preamble and the file meta information (PS3.10, 7.1), nothing else, and for the
deflated transfer syntax counts how far the data set would inflate, up to a limit. Whatever passes
here is parsed in a child process (`engine.dicom.sandbox`).
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from engine.dicom.limits import Limits
from engine.errors import Reason, refuse

PREAMBLE_BYTES = 128
MAX_META_BYTES = 64 * 1024
"""Genuine file meta information is below 1 KB; PS3.10 sets no limit."""

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
READABLE_SYNTAXES = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED_LITTLE, EXPLICIT_BIG})
"""Native encodings only: no RT object needs a compressed one (PS3.5, annex A)."""

LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""Value representations with a 32-bit length in explicit encodings (PS3.5, table 7.1-1)."""


@dataclass(frozen=True)
class Scanned:
    """What the in-process look established about a file."""

    path: Path
    size: int
    sha256: str
    transfer_syntax: str
    dataset_offset: int


def _meta_elements(head: bytes, where: str) -> tuple[dict[int, bytes], int]:
    """Read group 0002 (always explicit little endian) and return it with the offset behind it."""
    offset = PREAMBLE_BYTES + 4
    elements: dict[int, bytes] = {}
    while offset + 8 <= len(head):
        group, element, vr = struct.unpack_from("<HH2s", head, offset)
        if group != 0x0002:
            return elements, offset
        if vr in LONG_VRS:
            if offset + 12 > len(head):
                break
            length = struct.unpack_from("<I", head, offset + 8)[0]
            start = offset + 12
        else:
            length = struct.unpack_from("<H", head, offset + 6)[0]
            start = offset + 8
        if start + length > len(head):
            break
        elements[element] = head[start : start + length]
        offset = start + length
    if len(head) >= MAX_META_BYTES:
        raise refuse(
            Reason.NOT_DICOM, where, f"File meta information runs past {MAX_META_BYTES} bytes."
        )
    return elements, offset


def _bounded_inflate(path: Path, offset: int, limit: int, where: str) -> int:
    """Count inflated bytes, keeping none, and refuse as soon as the limit is passed."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = 0
    with path.open("rb") as stream:
        stream.seek(offset)
        while chunk := stream.read(64 * 1024):
            while chunk:
                try:
                    inflated += len(inflater.decompress(chunk, 1024 * 1024))
                except zlib.error as error:
                    raise refuse(
                        Reason.DEFLATED_BROKEN,
                        where,
                        f"The deflated data set is damaged ({error}).",
                    ) from error
                if inflated > limit:
                    raise refuse(
                        Reason.DEFLATED_TOO_LARGE,
                        where,
                        f"{path.stat().st_size} bytes inflate to more than {limit} bytes.",
                    )
                chunk = inflater.unconsumed_tail
            if inflater.eof:
                return inflated
    raise refuse(Reason.TRUNCATED, where, "The deflated data set ends before its end mark.")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def scan(path: Path, limits: Limits) -> Scanned:
    """Establish size, digest and transfer syntax of an untrusted file, within limits.

    Raises
    ------
    Refusal
        FILE_MISSING, FILE_TOO_LARGE, NOT_DICOM, TRUNCATED, TRANSFER_SYNTAX_UNSUPPORTED,
        DEFLATED_TOO_LARGE or DEFLATED_BROKEN.
    """
    where = path.name
    if not path.is_file():
        raise refuse(Reason.FILE_MISSING, str(path), "There is no such file.")
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise refuse(
            Reason.FILE_TOO_LARGE, where, f"{size} bytes; at most {limits.file_bytes} are read."
        )
    with path.open("rb") as stream:
        head = stream.read(MAX_META_BYTES)
    if head[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] != b"DICM":
        raise refuse(Reason.NOT_DICOM, where, "Byte 128 does not begin with DICM.")
    meta, offset = _meta_elements(head, where)
    syntax = meta.get(0x0010, b"").rstrip(b"\0 ").decode("ascii", "replace")
    if not syntax:
        raise refuse(Reason.TRUNCATED, where, "The file meta information names no transfer syntax.")
    if syntax not in READABLE_SYNTAXES:
        raise refuse(
            Reason.TRANSFER_SYNTAX_UNSUPPORTED, where, f"Transfer syntax {syntax} is not read here."
        )
    if syntax == DEFLATED_LITTLE:
        _bounded_inflate(path, offset, limits.inflated_bytes, where)
    return Scanned(path, size, _sha256(path), syntax, offset)
