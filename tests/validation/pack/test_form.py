"""The form of a pack: paths, manifest, the one spelling of the zip, words in print."""

import doctest
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from validation.pack import container, manifest, wording
from validation.pack.container import TooLarge, layout, measure, write_archive
from validation.pack.manifest import (
    Manifest,
    ManifestMember,
    NotAManifest,
    assign_paths,
    path_fault,
    path_faults,
    read_manifest,
)

pytestmark = pytest.mark.verifies("TST-023")

CREATED = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("module", [container, manifest, wording])
def test_examples_run(module) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.b",
        "a\\b", "C:", "C:/a", "a:b", "a b", "a\nb", "a\x00b", "é", "a.", "a/b.", "con", "CON.txt",
        "a/nul", "Com1.json", "x" * 201, "a*b", "-a", "~a",
    ],
)  # fmt: skip
def test_paths_that_other_systems_read_otherwise_are_refused(path: str) -> None:
    assert path_fault(path)


@pytest.mark.parametrize("path", ["a", "records/RPM/REQ-001.json", "evidence/00ff", "a/b.c~1+_-d"])
def test_plain_paths_are_taken(path: str) -> None:
    assert path_fault(path) is None


def test_doubled_and_case_colliding_paths_are_named() -> None:
    assert path_faults(["a", "b", "A", "b"]) == [
        "'A' differs from 'a' only in case",
        "'b' stands twice",
    ]


def test_every_name_gets_a_plain_path_of_its_own() -> None:
    names = [
        ("RPM", "REQ-1"), ("RPM", "req-1"), ("RPM", "AUX"), ("RPM", "a/b"), ("RPM", "a_b"),
        ("RPM", "ü" * 300), ("RPM", ".."), ("RPM", ""), ("RPM", "x~y"),
    ]  # fmt: skip

    paths = assign_paths("records", names)

    assert path_faults(paths.values()) == []
    assert len(set(paths.values())) == len(names)
    assert paths["RPM", "a_b"] == "records/RPM/a_b.json"


def a_manifest(**changes) -> Manifest:
    """Return a manifest that may be read back."""
    members = tuple(ManifestMember(path, 1, "0" * 64) for path in sorted(manifest.REQUIRED))
    fields = {
        "product": "P", "version": "1", "document": "D", "created": "2026-11-20T00:00:00.000000Z",
        "demonstration": False, "statement": "0" * 64, "signers": (), "members": members,
    }  # fmt: skip
    return Manifest(**{**fields, **changes})


def test_a_manifest_reads_back_as_written() -> None:
    assert read_manifest(a_manifest().to_bytes()) == a_manifest()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((ManifestMember("../x", 1, "0" * 64),), "not a plain path"),
        ((ManifestMember("x", 1, "0" * 64),) * 2, "'x' stands twice"),
        ((ManifestMember("manifest.json", 1, "0" * 64),), "lists itself"),
        ((ManifestMember("x", -1, "0" * 64),), "not a number of bytes"),
        ((ManifestMember("x", 1, "0" * 63),), "not a SHA-256"),
    ],
)
def test_a_manifest_that_lists_what_no_pack_holds_is_refused(members, message) -> None:
    with pytest.raises(NotAManifest, match=message):
        read_manifest(a_manifest(members=a_manifest().members + members).to_bytes())


def test_a_manifest_without_a_required_member_is_refused() -> None:
    with pytest.raises(NotAManifest, match=r"README\.txt is missing"):
        read_manifest(a_manifest(members=a_manifest().members[1:]).to_bytes())


def test_a_manifest_spelt_otherwise_is_refused() -> None:
    value = json.loads(a_manifest().to_bytes())

    for data in (
        json.dumps(value).encode(),
        a_manifest().to_bytes() + b"\n",
        json.dumps({**value, "extra": 1}, indent=1, sort_keys=True).encode() + b"\n",
        json.dumps({**value, "demonstration": 0}, indent=1, sort_keys=True).encode() + b"\n",
        json.dumps({**value, "format": "fiducial-pack/2"}, indent=1, sort_keys=True).encode()
        + b"\n",
        b"[]",
        b"{}",
        b"\xff",
    ):
        with pytest.raises(NotAManifest):
            read_manifest(data)


def test_the_layout_is_where_the_bytes_are(tmp_path: Path) -> None:
    members = {"a": b"one", "b/c": b"", "d": b"three"}
    entries = [measure(path, data) for path, data in members.items()]

    write_archive(tmp_path / "x.zip", entries, members.__getitem__)

    plan = layout([(entry.path, entry.size) for entry in entries])
    data = (tmp_path / "x.zip").read_bytes()
    assert len(data) == plan.length
    for span in plan.spans:
        assert data[span.data : span.end] == members[span.path]
        assert data[span.central : span.central + 4] == b"PK\x01\x02"
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == members


def test_a_file_that_changes_while_it_is_packed_is_noticed(tmp_path: Path) -> None:
    entries = [measure("a", b"before")]

    with pytest.raises(OSError, match="a changed while it was packed"):
        write_archive(tmp_path / "x.zip", entries, lambda _: b"after!")

    assert list(tmp_path.iterdir()) == []


def test_a_pack_beyond_the_plain_zip_form_is_refused(tmp_path: Path) -> None:
    huge = [container.Entry("a", 2**32, 0, "")]

    with pytest.raises(TooLarge, match="attach its digest"):
        write_archive(tmp_path / "x.zip", huge, lambda _: b"")
