"""A backup that was changed, cut off or made to mislead is refused, with every fault named."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.backup import BackupMade, restore
from core.errors import Invalid
from core.safekeeping import dumps
from core.safekeeping.archives import MANIFEST

pytestmark = pytest.mark.verifies("TST-004")


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a backup anew with other members."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target


def blob_of(members: dict[str, bytes]) -> str:
    return min(name for name in members if name.startswith("blobs/"))


def test_every_fault_of_a_backup_is_named_and_nothing_is_written(
    made: BackupMade, tmp_path: Path
) -> None:
    altered: list[str] = []

    def change(members: dict[str, bytes]) -> None:
        first, second = sorted(name for name in members if name.startswith("blobs/"))
        altered.extend([first, second])
        members[first] = members[first] + b"!"
        del members[second]
        members["blobs/00/added"] = b"added"
        members["../outside"] = b"outside"
        database = bytearray(members[dumps.SQLITE])
        database[5000] ^= 1
        members[dumps.SQLITE] = bytes(database)

    bad = rewritten(made.path, tmp_path / "bad.zip", change)

    with pytest.raises(Invalid) as refused:
        restore(bad, tmp_path / "elsewhere")

    found = {(fault.code, fault.where) for fault in refused.value.faults}
    assert found == {
        ("member-changed", altered[0]),
        ("member-missing", altered[1]),
        ("member-added", "blobs/00/added"),
        ("member-unsafe", "'../outside'"),
        ("member-changed", dumps.SQLITE),
    }
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "outside").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_flipped_byte_in_any_member_is_named(made: BackupMade, tmp_path: Path) -> None:
    with zipfile.ZipFile(made.path) as archive:
        names = [name for name in archive.namelist() if archive.getinfo(name).file_size]

    for name in names:

        def flip(members: dict[str, bytes], name: str = name) -> None:
            content = bytearray(members[name])
            content[len(content) // 2] ^= 1
            members[name] = bytes(content)

        bad = rewritten(made.path, tmp_path / "bad.zip", flip)
        with pytest.raises(Invalid) as refused:
            restore(bad, tmp_path / "elsewhere")
        if name != MANIFEST:
            assert name in str(refused.value)
    assert len(names) > 10
    assert not (tmp_path / "elsewhere").exists()


def test_a_doubled_member_is_named(made: BackupMade, tmp_path: Path) -> None:
    doubled = tmp_path / "doubled.zip"
    shutil.copy(made.path, doubled)
    with zipfile.ZipFile(doubled, "a") as archive:
        name = blob_of(dict.fromkeys(archive.namelist(), b""))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, b"another")

    with pytest.raises(Invalid, match="stands 2 times"):
        restore(doubled, tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/cron.d/x", "blobs/../../outside", "a\\b", "a//b", "./a", "a\nb"]
)
def test_a_manifest_that_leads_outside_is_refused(
    made: BackupMade, tmp_path: Path, name: str
) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        members[name] = b"outside"
        manifest["members"][name] = {"size": 7, "sha256": hashlib.sha256(b"outside").hexdigest()}
        members[MANIFEST] = json.dumps(manifest).encode()

    bad = rewritten(made.path, tmp_path / "bad.zip", change)

    with pytest.raises(Invalid, match="outside the data folder"):
        restore(bad, tmp_path / "elsewhere")


def test_a_member_that_unpacks_to_more_than_it_says_is_not_read_on(
    made: BackupMade, tmp_path: Path
) -> None:
    """A kilobyte that claims to hold a gigabyte: reading stops at the size in the manifest."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        manifest["members"]["bomb"] = {"size": 10, "sha256": "0" * 64}
        members[MANIFEST] = json.dumps(manifest).encode()

    bad = rewritten(made.path, tmp_path / "bad.zip", change)
    with zipfile.ZipFile(bad, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 200_000_000)

    with pytest.raises(Invalid, match="bomb: differs from the manifest"):
        restore(bad, tmp_path / "elsewhere")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(content)

    with pytest.raises(Invalid, match="not a backup that can be restored"):
        restore(tmp_path / "bad.zip", tmp_path / "elsewhere")


def test_a_backup_that_was_cut_off_is_refused(made: BackupMade, tmp_path: Path) -> None:
    whole = made.path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "cut.zip").write_bytes(whole[: int(len(whole) * share)])

        with pytest.raises(Invalid, match="cut off or no zip file"):
            restore(tmp_path / "cut.zip", tmp_path / "elsewhere")
