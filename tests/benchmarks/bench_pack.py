"""Packs: built and verified, against zip and SHA-256 of the same bytes."""

import hashlib
import random
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from core.signing.keys import SigningKey
from tests.benchmarks.bench import Row, growth, wall_time
from tests.validation.pack.synthetic import make_contents
from validation.pack.build import build_pack
from validation.pack.contents import PackContents
from validation.pack.evidence import AttachmentRef
from validation.verify.verification import verify_pack

MEGABYTE = 1 << 20
FILES = 8
EVIDENCE_MB = (16, 128)
"""Evidence in the smaller and the larger pack."""

WRITTEN = "SHA-256 and zip, the same members"
READ = "unzip and SHA-256, the same members"


def measure() -> Iterator[Row]:
    """Yield building, with its PDF, and verifying, each beside the peer, and how both grow."""
    built: dict[int, float] = {}
    verified: dict[int, float] = {}
    zipped: dict[int, float] = {}
    read: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as folder:
        for megabytes in EVIDENCE_MB:
            pack, key, plain = (Path(folder) / name for name in ("p.zip", "k.pem", "plain.zip"))
            signer = SigningKey.generate()
            key.write_bytes(signer.public.to_pem())
            contents, evidence = make_contents(1, 1)
            contents, more = _with_evidence(contents, Path(folder), megabytes)
            evidence = {**evidence, **more}
            built[megabytes] = wall_time(partial(build_pack, contents, evidence, signer, pack), 2)
            members = _members(pack)
            zipped[megabytes] = wall_time(partial(_zip, members, plain))
            verified[megabytes] = wall_time(partial(_verify, pack, key))
            read[megabytes] = wall_time(partial(_read, plain))
    small, large = EVIDENCE_MB
    size = f"{large} MB of evidence"
    yield Row(
        f"pack, build with PDF, {size}", built[large], "s", None, False, WRITTEN, zipped[large]
    )
    yield Row(
        f"pack, what {large - small} MB more evidence add to building",
        built[large] - built[small],
        "s",
        peer=WRITTEN,
        peer_value=zipped[large] - zipped[small],
    )
    yield Row(f"pack, verify, {size}", verified[large], "s", None, False, READ, read[large])
    yield growth("pack, verify, in MB of evidence", verified)


def _with_evidence(
    contents: PackContents, folder: Path, megabytes: int
) -> tuple[PackContents, dict[str, Path]]:
    """Let the last run leave eight more files, so many megabytes of noise together."""
    chance = random.Random(megabytes)
    files, sources = [], {}
    for number in range(FILES):
        noise = chance.randbytes(megabytes * MEGABYTE // FILES)
        digest = hashlib.sha256(noise).hexdigest()
        sources[digest] = folder / digest
        sources[digest].write_bytes(noise)
        files.append(
            AttachmentRef(
                name=f"dose-{number}.dcm",
                sha256=digest,
                size=len(noise),
                media_type="application/dicom",
            )
        )
    *before, run = contents.runs
    first, *others = run.scenarios
    first = replace(first, files=(*first.files, *files))
    run = replace(run, scenarios=(first, *others))
    return replace(contents, runs=(*before, run)), sources


def _members(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _zip(members: dict[str, bytes], target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as opened:
        for name, data in members.items():
            hashlib.sha256(data).hexdigest()
            opened.writestr(name, data)


def _read(packed: Path) -> None:
    with zipfile.ZipFile(packed) as opened:
        for name in opened.namelist():
            hashlib.sha256(opened.read(name)).hexdigest()


def _verify(pack: Path, key: Path) -> None:
    found = verify_pack(pack, [key])
    if found.findings:
        raise RuntimeError(f"the pack is not intact: {found.findings[0]}")
