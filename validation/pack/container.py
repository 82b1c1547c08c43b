"""The zip file of a pack, written in one spelling only.

Every header of the file follows from the names, sizes and checksums of its members: nothing is
compressed, all times are the zip epoch, there are no comments and no extra fields. So the verifier
can say, from the signed manifest alone, what each byte of the file must be. Compression would
tie that answer to the version of a compressor; the one large member, the PDF, is compressed inside.

References
----------
PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record).
"""

import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")

VERSION_NEEDED = 20
MADE_BY_UNIX = (3 << 8) | VERSION_NEEDED
REGULAR_FILE_0644 = 0o100644 << 16
EPOCH_DATE = (1 << 5) | 1
"""1 January 1980, the first day zip can say. The time of a pack stands in its manifest."""

LARGEST_FILE = 2**32 - 2**20
MOST_MEMBERS = 65_000
"""Beyond these a zip needs the 64-bit records, whose headers can be spelt in several ways."""

CHUNK = 1 << 20

Source = bytes | Path


class TooLarge(ValueError):
    """The members do not fit the plain zip form."""


@dataclass(frozen=True)
class Entry:
    """What the headers of one member follow from, and its digest for the manifest."""

    path: str
    size: int
    crc32: int
    sha256: str


@dataclass(frozen=True)
class Span:
    """Where the bytes of one member stand: local header, data, entry of the directory."""

    path: str
    start: int
    data: int
    end: int
    central: int
    central_end: int


@dataclass(frozen=True)
class Layout:
    """Where everything stands in a pack with these members."""

    spans: tuple[Span, ...]
    directory: int
    end_record: int
    length: int


def measure(path: str, source: Source) -> Entry:
    """Read a source once for its size, checksum and digest."""
    size, checksum, hashed = 0, 0, sha256()
    for chunk in _chunks(source):
        size += len(chunk)
        checksum = zlib.crc32(chunk, checksum)
        hashed.update(chunk)
    return Entry(path, size, checksum, hashed.hexdigest())


def local_header(path: str, size: int, crc32: int) -> bytes:
    """Return the bytes that stand before a member's data."""
    name = path.encode("ascii")
    fixed = LOCAL.pack(
        LOCAL_SIGNATURE, VERSION_NEEDED, 0, 0, 0, EPOCH_DATE, crc32, size, size, len(name), 0
    )
    return fixed + name


def central_entry(path: str, size: int, crc32: int, start: int) -> bytes:
    """Return the bytes of a member's entry in the directory at the end."""
    name = path.encode("ascii")
    fixed = CENTRAL.pack(
        CENTRAL_SIGNATURE, MADE_BY_UNIX, VERSION_NEEDED, 0, 0, 0, EPOCH_DATE,
        crc32, size, size, len(name), 0, 0, 0, 0, REGULAR_FILE_0644, start,
    )  # fmt: skip
    return fixed + name


def end_record(members: int, directory: int, end: int) -> bytes:
    """Return the last bytes of the file: how many members, and where the directory stands."""
    return END.pack(END_SIGNATURE, 0, 0, members, members, end - directory, directory, 0)


def layout(members: Sequence[tuple[str, int]]) -> Layout:
    """Return where each byte stands, given the (path, size) of the members in file order."""
    starts, position = [], 0
    for path, size in members:
        starts.append(position)
        position += LOCAL.size + len(path) + size
    directory = central = position
    spans = []
    for (path, size), start in zip(members, starts, strict=True):
        data = start + LOCAL.size + len(path)
        central_end = central + CENTRAL.size + len(path)
        spans.append(Span(path, start, data, data + size, central, central_end))
        central = central_end
    return Layout(tuple(spans), directory, central, central + END.size)


def write_archive(
    target: Path, entries: Sequence[Entry], open_source: Callable[[str], Source]
) -> None:
    """Write the members in the given order; the file appears whole or not at all."""
    plan = layout([(entry.path, entry.size) for entry in entries])
    if len(entries) > MOST_MEMBERS or plan.length > LARGEST_FILE:
        raise TooLarge(
            f"The pack would have {len(entries)} members and {plan.length} bytes; at most "
            f"{MOST_MEMBERS} and {LARGEST_FILE} are possible. Leave large evidence outside and "
            "attach its digest."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            _write(file, entries, plan, open_source)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _write(
    file: IO[bytes], entries: Sequence[Entry], plan: Layout, open_source: Callable[[str], Source]
) -> None:
    for entry in entries:
        file.write(local_header(entry.path, entry.size, entry.crc32))
        size, checksum = 0, 0
        for chunk in _chunks(open_source(entry.path)):
            size += file.write(chunk)
            checksum = zlib.crc32(chunk, checksum)
        if (size, checksum) != (entry.size, entry.crc32):
            raise OSError(f"{entry.path} changed while it was packed; build the pack again.")
    for entry, span in zip(entries, plan.spans, strict=True):
        file.write(central_entry(entry.path, entry.size, entry.crc32, span.start))
    file.write(end_record(len(entries), plan.directory, plan.end_record))


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
