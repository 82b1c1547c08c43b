"""Compare a file, byte by byte, with the one file that a manifest allows."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from mmap import mmap

from validation.pack.container import Layout, Span, central_entry, end_record, layout, local_header
from validation.pack.manifest import (
    MANIFEST,
    MANIFEST_ENVELOPE,
    Manifest,
    in_file_order,
    path_fault,
)
from validation.verify.findings import Finding, Kind
from validation.verify.listing import (
    DEFLATED,
    ENCRYPTED_FLAG,
    STORED,
    Listing,
    Sighting,
    content_digest,
)

ZIP = "(zip file)"
"""Stands where a finding belongs to the file as a whole and to no member."""


@dataclass(frozen=True)
class Expectation:
    """What each member must be: its size and SHA-256, and the layout that follows.

    The digest of a member is None where it is unknown and already objected to.
    """

    sizes: Mapping[str, int]
    digests: Mapping[str, str | None]

    @property
    def layout(self) -> Layout:
        """Where every byte must stand."""
        return layout([(path, self.sizes[path]) for path in in_file_order(self.sizes)])


def expectation(
    manifest: Manifest, table: bytes, envelope: bytes | None, file_length: int
) -> Expectation:
    """Return what the file must hold, given the manifest and, if it can be read, its envelope."""
    sizes = {member.path: member.size for member in manifest.members}
    digests: dict[str, str | None] = {m.path: m.sha256 for m in manifest.members}
    sizes[MANIFEST] = len(table)
    digests[MANIFEST] = sha256(table).hexdigest()
    if envelope is not None:
        sizes[MANIFEST_ENVELOPE] = len(envelope)
        digests[MANIFEST_ENVELOPE] = sha256(envelope).hexdigest()
    else:
        # All other lengths are known, so the rest of the file is the envelope's.
        sizes[MANIFEST_ENVELOPE] = 0
        digests[MANIFEST_ENVELOPE] = None
        rest = file_length - Expectation(sizes, digests).layout.length
        sizes[MANIFEST_ENVELOPE] = max(rest, 0)
    return Expectation(sizes, digests)


def differences(data: mmap, expected: Expectation) -> list[Finding]:
    """Name every member whose bytes differ, in a file that has the expected length.

    Every byte of the file belongs to a member's header, data or directory entry, or to the record
    at the end, and all of them are compared: an empty answer means the file is the expected one.
    """
    plan = expected.layout
    found: list[Finding] = []
    for span in plan.spans:
        found += _span_differences(data, span, expected.digests[span.path])
    last = end_record(len(plan.spans), plan.directory, plan.end_record)
    if data[plan.end_record :] != last:
        found.append(Finding(ZIP, Kind.REPACKED, "the record at the end of the zip was changed."))
    return found


def _span_differences(data: mmap, span: Span, digest: str | None) -> Iterator[Finding]:
    hashed, checksum = _hash(data, span.data, span.end)
    size = span.end - span.data
    if digest is not None and hashed != digest:
        yield Finding(span.path, Kind.CHANGED, _other_content(hashed, digest))
        return
    if data[span.start : span.data] != local_header(span.path, size, checksum):
        yield Finding(span.path, Kind.REPACKED, "its header in the zip was changed.")
    if data[span.central : span.central_end] != central_entry(
        span.path, size, checksum, span.start
    ):
        yield Finding(span.path, Kind.REPACKED, "its entry in the zip's directory was changed.")


def structure(
    data: mmap, expected: Expectation, directory: Listing, headers: Listing
) -> list[Finding]:
    """Name what was added, removed, doubled, changed or repacked in a file of another length."""
    found = list(_around(data, directory, headers))
    listed = directory if directory.sightings else headers
    names = Counter(sighting.path for sighting in listed.sightings)
    hidden = [s for s in headers.sightings if s.path not in names and s.path not in expected.sizes]
    found += [
        Finding(s.path, Kind.ADDED, "it stands in the file, but not in the zip's directory.")
        for s in hidden
    ]
    found += _strangers(names, expected)
    for path in in_file_order(expected.sizes):
        sightings = _sightings(path, listed, headers)
        if names[path] > 1 or len({s.start for s in sightings}) > 1:
            found.append(Finding(path, Kind.DOUBLED, "it stands in the zip more than once."))
        if not names[path]:
            found.append(Finding(path, Kind.REMOVED, "it is listed in the manifest, but absent."))
        for sighting in sightings:
            found += _sighting_differences(data, sighting, expected)
    return found or [_first_difference(data, expected)]


def _strangers(names: Counter[str], expected: Expectation) -> Iterator[Finding]:
    ours = {path.casefold(): path for path in expected.sizes}
    for path in sorted(set(names) - set(expected.sizes)):
        twin = ours.get(path.casefold())
        if twin is not None:
            what = f"its name differs from {twin} only in case."
            yield Finding(path, Kind.DOUBLED, what)
        elif path_fault(path):
            what = "it is not in the manifest, and its name leads out of the pack or is not plain."
            yield Finding(path, Kind.ADDED, what)
        else:
            yield Finding(path, Kind.ADDED, "it is not in the manifest.")
        if names[path] > 1:
            yield Finding(path, Kind.DOUBLED, "it stands in the zip more than once.")


def _sightings(path: str, listed: Listing, headers: Listing) -> Sequence[Sighting]:
    """Return each place where the member stands, once."""
    places = {s.start: s for s in headers.sightings if s.path == path}
    places.update({s.start: s for s in listed.sightings if s.path == path})
    return [places[start] for start in sorted(places)]


def _sighting_differences(
    data: mmap, sighting: Sighting, expected: Expectation
) -> Iterator[Finding]:
    path, size = sighting.path, expected.sizes[sighting.path]
    digest = expected.digests[path]
    if sighting.flags & ENCRYPTED_FLAG:
        yield Finding(path, Kind.REPACKED, "it was encrypted.")
        return
    if sighting.method not in (STORED, DEFLATED):
        yield Finding(path, Kind.REPACKED, f"it was packed with method {sighting.method}.")
        return
    if digest is not None:
        hashed = content_digest(data, sighting, size)
        if hashed != digest:
            yield Finding(path, Kind.CHANGED, _other_content(hashed, digest))
            return
    if sighting.method == DEFLATED:
        yield Finding(path, Kind.REPACKED, "it was compressed; its content is the signed one.")
        return
    checksum = zlib.crc32(data[sighting.data : sighting.data + size])
    if data[sighting.start : sighting.data] != local_header(path, size, checksum):
        yield Finding(path, Kind.REPACKED, "its header was changed; its content is the signed one.")


def _around(data: mmap, directory: Listing, headers: Listing) -> Iterator[Finding]:
    if not directory.complete:
        what = "its directory is damaged or cut off; members were looked for by their headers."
        yield Finding(ZIP, Kind.CHANGED, what)
    if headers.begins > 0 and headers.sightings:
        what = f"{headers.begins} bytes stand before the first member."
        yield Finding(ZIP, Kind.ADDED, what)
    if directory.sightings and directory.ends != len(data):
        what = f"{len(data) - directory.ends} bytes stand behind the end of the zip."
        yield Finding(ZIP, Kind.ADDED, what)


def _first_difference(data: mmap, expected: Expectation) -> Finding:
    plan = expected.layout
    for span in plan.spans:
        if any(True for _ in _span_differences(data, span, expected.digests[span.path])):
            return Finding(span.path, Kind.CHANGED, "bytes were put in or taken out here.")
    return Finding(ZIP, Kind.CHANGED, f"it has {len(data)} bytes instead of {plan.length}.")


def _hash(data: mmap, start: int, end: int) -> tuple[str, int]:
    hashed, checksum = sha256(), 0
    for position in range(start, end, 1 << 20):
        chunk = data[position : min(position + (1 << 20), end)]
        hashed.update(chunk)
        checksum = zlib.crc32(chunk, checksum)
    return hashed.hexdigest(), checksum


def _other_content(found: str | None, signed: str) -> str:
    if found is None:
        return "its content has another length than the signed one, or cannot be read."
    return f"its content has SHA-256 {found[:12]}, the signed one has {signed[:12]}."
