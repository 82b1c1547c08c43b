"""What a zip file of unknown origin claims to hold, read without believing any of it.

A zip tells its members twice: in the directory at its end, and in a header before each of them.
Other programs believe one or the other; here both are read, and nothing is unpacked to disk.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from mmap import mmap

from validation.pack.container import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END_SIGNATURE,
    LOCAL,
    LOCAL_SIGNATURE,
    MOST_MEMBERS,
)

STORED, DEFLATED = 0, 8
ENCRYPTED_FLAG = 0x0001
LONGEST_COMMENT = 0xFFFF
CHUNK = 1 << 20

MOST_INFLATED = 1 << 30
"""Bytes that are inflated at most to see whether a repacked member still holds its content."""


@dataclass(frozen=True)
class Sighting:
    """A member as one of the two lists describes it."""

    path: str
    start: int
    data: int
    packed: int
    size: int
    method: int
    flags: int


@dataclass(frozen=True)
class Listing:
    """The members of one list, in its order, and where reading it stopped.

    `complete` tells whether the list was read to its end without a contradiction in itself.
    """

    sightings: tuple[Sighting, ...]
    complete: bool
    begins: int
    ends: int


def by_directory(data: mmap) -> Listing:
    """Read the directory that the record at the end of the file points to."""
    end = _end_record(data)
    if end is None:
        return Listing((), complete=False, begins=len(data), ends=len(data))
    (_, _, _, _, count, length, directory, comment) = END.unpack_from(data, end)
    # Bytes put before the first member move everything; the distance shows in the directory.
    moved = end - length - directory
    sightings: list[Sighting] = []
    position = directory + moved
    begins = position
    while 0 <= position <= end - CENTRAL.size and len(sightings) < MOST_MEMBERS:
        head = CENTRAL.unpack_from(data, position)
        if head[0] != CENTRAL_SIGNATURE:
            break
        (flags, method), (packed, size, name, extra, note) = head[3:5], head[8:13]
        start = head[16] + moved
        if not 0 <= start <= position:
            break
        path = _path(data, position + CENTRAL.size, name)
        after = start + _local_header_length(data, start, name)
        sightings.append(Sighting(path, start, after, packed, size, method, flags))
        position += CENTRAL.size + name + extra + note
    complete = len(sightings) == count and position == end
    return Listing(tuple(sightings), complete, begins, end + END.size + comment)


def by_headers(data: mmap) -> Listing:
    """Walk from header to header, beginning with the first one in the file."""
    begins = position = max(data.find(LOCAL_SIGNATURE), 0)
    sightings: list[Sighting] = []
    while position <= len(data) - LOCAL.size and len(sightings) < MOST_MEMBERS:
        head = LOCAL.unpack_from(data, position)
        if head[0] != LOCAL_SIGNATURE:
            break
        (flags, method), (packed, size, name, extra) = head[2:4], head[7:11]
        path = _path(data, position + LOCAL.size, name)
        after = position + LOCAL.size + name + extra
        sightings.append(Sighting(path, position, after, packed, size, method, flags))
        position = after + packed
    complete = data[position : position + 4] == CENTRAL_SIGNATURE
    return Listing(tuple(sightings), complete, begins, position)


def content_digest(data: mmap, sighting: Sighting, expected_size: int) -> str | None:
    """Return the SHA-256 of a member's content, or None when it cannot be or is not so long."""
    hashed, length = sha256(), 0
    try:
        for chunk in _content(data, sighting, min(expected_size, MOST_INFLATED)):
            length += len(chunk)
            hashed.update(chunk)
    except zlib.error:
        return None
    return hashed.hexdigest() if length == expected_size else None


def content(data: mmap, sighting: Sighting, limit: int) -> bytes | None:
    """Return a member's content, or None when it cannot be read or is longer than `limit`."""
    try:
        read = b"".join(_content(data, sighting, limit))
    except zlib.error:
        return None
    return read if len(read) == sighting.size <= limit else None


def _content(data: mmap, sighting: Sighting, limit: int) -> Iterator[bytes]:
    """Yield a member's content, at most one byte more than `limit`, whatever its headers claim."""
    position, end = sighting.data, min(sighting.data + sighting.packed, len(data))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if sighting.method == DEFLATED else None
    if sighting.flags & ENCRYPTED_FLAG or sighting.method not in (STORED, DEFLATED):
        return
    left = limit + 1
    while position < end and left > 0:
        chunk = data[position : min(position + CHUNK, end)]
        position += len(chunk)
        while chunk and left > 0:
            if inflate is None:
                piece, chunk = chunk[:left], b""
            else:
                piece = inflate.decompress(chunk, min(left, CHUNK))
                chunk = inflate.unconsumed_tail
            left -= len(piece)
            yield piece


def _end_record(data: mmap) -> int | None:
    """Find the record at the end, with at most the longest comment behind it."""
    lowest = max(0, len(data) - END.size - LONGEST_COMMENT)
    position = data.rfind(END_SIGNATURE, lowest)
    while position >= 0:
        if position + END.size <= len(data):
            return position
        position = data.rfind(END_SIGNATURE, lowest, position)
    return None


def _local_header_length(data: mmap, start: int, name: int) -> int:
    """Return how long the header before a member says it is; without one, as long as ours are."""
    if data[start : start + 4] != LOCAL_SIGNATURE or start + LOCAL.size > len(data):
        return LOCAL.size + name
    head = LOCAL.unpack_from(data, start)
    return LOCAL.size + int(head[9]) + int(head[10])


def _path(data: mmap, position: int, length: int) -> str:
    # Names that are not ASCII are not ours; what else they may be is of no interest here.
    return data[position : position + length].decode("ascii", "backslashreplace")
