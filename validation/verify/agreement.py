"""Does what the signed members say hold together? Digests, statements, baseline, the PDF.

A signature proves who packed the members, not that they agree. All that can be computed again
without the server is computed again here.
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from core.canonical import NotCanonical, canonical_json, read_json
from core.signing.envelopes import NotAnEnvelope, read_envelope
from validation.pack import claims, manifest
from validation.pack.attestations import pack_statement, run_statement
from validation.verify.authority import Authority, signature_fault
from validation.verify.findings import Finding, Kind

LARGEST_JSON = 64 << 20
"""Bytes of one JSON member that is read; our largest, a long run, has some megabytes."""

_EMBEDDED = re.compile(rb"/Type /EmbeddedFile.{0,2000}?stream\r?\n", re.DOTALL)
_ATTESTATIONS = "attestations/"

Read = Callable[[str], bytes]


class Unreadable(ValueError):
    """A signed member that is not what its place in the pack says it is."""


@dataclass(frozen=True)
class _Members:
    """The members of an intact pack, read as what they are."""

    authority: Authority
    read: Read

    def json(self, path: str) -> Any:
        if self.authority.manifest.by_path[path].size > LARGEST_JSON:
            raise Unreadable(f"it has more than {LARGEST_JSON >> 20} MB of JSON.")
        try:
            return read_json(self.read(path))
        except NotCanonical as error:
            raise Unreadable(str(error)) from error

    def below(self, folder: str) -> list[str]:
        return [path for path in self.authority.manifest.by_path if path.startswith(folder)]

    @cached_property
    def release(self) -> Mapping[str, Any]:
        return _mapping(self.json(manifest.RELEASE))

    @cached_property
    def runs(self) -> dict[str, Mapping[str, Any]]:
        return {path: _mapping(self.json(path)) for path in self.below("runs/")}

    @cached_property
    def records(self) -> dict[str, Mapping[str, Any]]:
        return {path: _mapping(self.json(path)) for path in self.below("records/")}


def contradictions(authority: Authority, read: Read) -> list[Finding]:
    """Return everything in which the members of a pack do not agree with each other.

    Parameters
    ----------
    authority : Authority
        The manifest and the keys that signed it.
    read : callable
        Gives the bytes of a member that is known to be as the manifest says.
    """
    members = _Members(authority, read)
    checks: tuple[tuple[str, Callable[[_Members], Iterator[tuple[str, str]]]], ...] = (
        (manifest.RELEASE, _release),
        ("records/", _records),
        (manifest.BASELINE, _baseline),
        ("runs/", _runs),
        (_ATTESTATIONS, _statements),
        (manifest.PDF, _printed),
    )
    found = []
    for where, check in checks:
        try:
            for member, what in check(members):
                found.append(Finding(member, Kind.CONTRADICTS, what))
        except (Unreadable, KeyError, TypeError, AttributeError, IndexError) as error:
            # A pack that a stranger signed may hold anything where a record belongs.
            what = f"it does not have the form of such a member: {type(error).__name__} {error}"
            found.append(Finding(where, Kind.CONTRADICTS, what[:300]))
    return found


def _release(members: _Members) -> Iterator[tuple[str, str]]:
    table, cover = members.authority.manifest, members.release["cover"]
    for name, stated in (
        ("product", table.product),
        ("version", table.version),
        ("document", table.document),
        ("demonstration", table.demonstration),
        ("frozen_at", table.created),
    ):
        if cover[name] != stated:
            yield manifest.MANIFEST, f"it says {name} {stated!r}, the release {cover[name]!r}."
    for what in claims.release_faults(members.release):
        yield manifest.RELEASE, what
    if members.release["ledger_head"] != members.json(manifest.LEDGER)["head"]:
        yield manifest.LEDGER, "its head is not the one that the release states."


def _records(members: _Members) -> Iterator[tuple[str, str]]:
    for path, record in members.records.items():
        for what in claims.record_faults(record):
            yield path, what


def _baseline(members: _Members) -> Iterator[tuple[str, str]]:
    baseline = _mapping(members.json(manifest.BASELINE))
    for what in claims.baseline_faults(baseline, members.records.values()):
        yield manifest.BASELINE, what
    if members.release["baseline"] != {"name": baseline["name"], "root": baseline["root"]}:
        yield manifest.BASELINE, "it is not the baseline that the release states."


def _runs(members: _Members) -> Iterator[tuple[str, str]]:
    for what in claims.run_faults(list(members.runs.values())):
        yield "runs/", what
    referred = claims.attachments(members.runs.values())
    for digest, file in referred.items():
        held = members.authority.manifest.by_path.get(f"evidence/{digest}")
        if held is None:
            yield f"evidence/{digest}", f"a run recorded this file ({file['name']}); it is absent."
        elif (held.sha256, held.size) != (digest, file["size"]):
            yield held.path, "its content is not the one that its name and the run state."
    for path in members.below("evidence/"):
        if path.removeprefix("evidence/") not in referred:
            yield path, "no run refers to this file."


def _statements(members: _Members) -> Iterator[tuple[str, str]]:
    table = members.authority.manifest
    covered = [
        (member.path, member.sha256)
        for member in table.members
        if member.path not in (manifest.PDF, manifest.README)
        and not member.path.startswith(_ATTESTATIONS)
    ]
    derived = {
        manifest.run_attestation(path): run_statement(path, table.by_path[path].sha256, run)
        for path, run in members.runs.items()
    }
    derived[manifest.PACK_STATEMENT] = pack_statement(
        covered, members.release, members.runs.values()
    )
    for path in sorted({*members.below(_ATTESTATIONS), *derived}):
        if path not in table.by_path:
            yield path, "a run of the pack has no attestation."
        elif path not in derived:
            yield path, "it attests nothing that is in the pack."
        elif fault := _statement_fault(members, path, derived[path]):
            yield path, fault


def _statement_fault(members: _Members, path: str, derived: Mapping[str, Any]) -> str | None:
    try:
        envelope = read_envelope(members.read(path))
    except NotAnEnvelope as error:
        return str(error)
    if fault := signature_fault(envelope, members.authority.keys, manifest.STATEMENT_TYPE):
        return fault
    if envelope.payload != canonical_json(derived):
        return "what it attests is not what the members say, or its subjects are others."
    stated = members.authority.manifest.statement
    if path == manifest.PACK_STATEMENT and sha256(envelope.payload).hexdigest() != stated:
        return "its digest is not the one that the manifest states and the PDF prints."
    return None


def _printed(members: _Members) -> Iterator[tuple[str, str]]:
    embedded = list(_embedded_files(members.read(manifest.PDF)))
    if embedded != [members.read(manifest.PACK_STATEMENT)]:
        yield (
            manifest.PDF,
            f"the attestation embedded in it is not {manifest.PACK_STATEMENT}.",
        )


def _embedded_files(pdf: bytes) -> Iterator[bytes | None]:
    """Yield what is embedded in a PDF as our printer writes it: one stream object per file."""
    for found in _EMBEDDED.finditer(pdf):
        yield _stream(pdf, found.end(), deflated=b"/FlateDecode" in found[0])


def _stream(pdf: bytes, start: int, deflated: bool) -> bytes | None:
    end = pdf.find(b"\nendstream", start)
    if not deflated:
        return pdf[start:end]
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(pdf[start:], LARGEST_JSON)
    except zlib.error:
        return None
    return content if inflate.eof else None


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Unreadable("it is not a JSON object.")
    return value
