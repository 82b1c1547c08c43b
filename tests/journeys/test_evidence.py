"""The demonstration's pack, in the hands of somebody who has nothing but the file and the key."""

import io
import json
import random
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.signing.keys import SigningKey
from tests.demonstration import BuiltDemo
from tests.journeys.command_line import fiducial
from tests.validation.pack.tampering import append, read_members, sign_again
from validation.verify.command import verify_command

TRUSTED, CHANGED, UNKNOWN = 0, 1, 2
LOCAL_HEADER = 30
"""Bytes before the name of a member (APPNOTE.TXT, 4.3.7)."""


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A folder of a machine that never saw the service; nothing may be left in it."""
    folder = tmp_path / "away"
    folder.mkdir()
    return folder


@pytest.fixture
def key(built_demo: BuiltDemo, tmp_path: Path) -> Path:
    """The maker's public key as it was handed over."""
    return shutil.copy(built_demo.data_dir / "keys/installation.pub.pem", tmp_path / "maker.pem")


def verified(
    away: Path, *arguments: object
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Verify by command and return the process and what it says."""
    done = fiducial("verify", *arguments, "--json", folder=away)
    assert done.stderr == ""
    assert list(away.iterdir()) == []
    return done, json.loads(done.stdout)


def named(said: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["member"], finding["kind"]) for finding in said["findings"]}


def verified_here(pack: Path, key: Path) -> dict[str, Any]:
    """Verify with the command's own function; a process for each would take minutes."""
    written: list[str] = []
    code = verify_command(pack, [key], as_json=True, write=written.append)
    said = json.loads("".join(written))
    assert said["exit_code"] == code
    return said


def places(pack: bytes) -> dict[str, tuple[int, int]]:
    """Return where the bytes of each member stand, as any zip program finds them."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        for one in archive.infolist():
            name = one.header_offset + LOCAL_HEADER
            lengths = pack[name - 4 : name]
            extra = int.from_bytes(lengths[2:], "little")
            data = name + int.from_bytes(lengths[:2], "little") + extra
            found[one.filename] = (data, data + one.compress_size)
    return found


def test_the_pack_is_intact_and_trusted_with_the_key_and_of_an_unknown_signer_without(
    built_demo: BuiltDemo, key: Path, away: Path
) -> None:
    with_key, trusted = verified(away, built_demo.pack, "--key", key)
    without, unknown = verified(away, built_demo.pack)
    in_words = fiducial("verify", built_demo.pack, "--key", key, folder=away)

    assert (with_key.returncode, without.returncode) == (TRUSTED, UNKNOWN)
    assert (trusted["findings"], unknown["findings"]) == ([], [])
    assert trusted["members"] == unknown["members"] == len(places(built_demo.pack.read_bytes())) - 2
    assert in_words.returncode == TRUSTED
    assert "intact, and signed by a key you trust" in in_words.stdout


def test_one_flipped_byte_names_the_member_it_stands_in(
    built_demo: BuiltDemo, key: Path, tmp_path: Path
) -> None:
    chance = random.Random(20261121)
    whole = built_demo.pack.read_bytes()
    members = places(whole)
    changed = tmp_path / "changed.zip"
    missed = {}
    for member, (start, end) in members.items():
        # An empty file has no byte but those of its header.
        at = chance.randrange(start, end) if end > start else start - 1
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        changed.write_bytes(flipped)
        said = verified_here(changed, key)
        if said["exit_code"] != CHANGED or {name for name, _ in named(said)} != {member}:
            missed[member] = (said["exit_code"], named(said))

    assert len(members) > 150
    assert missed == {}


def test_the_command_names_a_flipped_byte_of_a_few_members(
    built_demo: BuiltDemo, key: Path, away: Path, tmp_path: Path
) -> None:
    chance = random.Random(6)
    whole = built_demo.pack.read_bytes()
    filled = {name: place for name, place in places(whole).items() if place[0] < place[1]}
    changed = tmp_path / "changed.zip"
    for member in ["pack.pdf", "release.json", *chance.sample(sorted(filled), 3)]:
        flipped = bytearray(whole)
        flipped[chance.randrange(*filled[member])] ^= 0x10
        changed.write_bytes(flipped)

        done, said = verified(away, changed, "--key", key)
        in_words = fiducial("verify", changed, folder=away)

        assert (done.returncode, in_words.returncode) == (CHANGED, CHANGED)
        assert named(said) == {(member, "changed")}
        assert f"  {member}: " in in_words.stdout


def test_a_member_added_by_another_program_is_named(
    built_demo: BuiltDemo, key: Path, away: Path, tmp_path: Path
) -> None:
    longer = append(built_demo.pack, "records/RPM/REQ-999.json", b"{}", tmp_path / "longer.zip")

    for given in ((longer, "--key", key), (longer,)):
        done, said = verified(away, *given)

        assert done.returncode == CHANGED
        assert named(said) == {("records/RPM/REQ-999.json", "added")}


def test_a_member_taken_out_is_named(
    built_demo: BuiltDemo, key: Path, away: Path, tmp_path: Path
) -> None:
    shorter = tmp_path / "shorter.zip"
    with zipfile.ZipFile(shorter, "w") as archive:
        for name, data in read_members(built_demo.pack).items():
            if name != "records/RPM/REQ-006.json":
                archive.writestr(name, data)

    for given in ((shorter, "--key", key), (shorter,)):
        done, said = verified(away, *given)

        assert done.returncode == CHANGED
        assert ("records/RPM/REQ-006.json", "removed") in named(said)
        assert {member for member, kind in named(said) if kind != "repacked"} == {
            "records/RPM/REQ-006.json"
        }


@pytest.mark.parametrize("same", [True, False], ids=["the same content", "other content"])
def test_a_member_that_stands_there_twice_is_named(
    *, built_demo: BuiltDemo, key: Path, away: Path, tmp_path: Path, same: bool
) -> None:
    member = "records/RPM/RSK-001.json"
    data = read_members(built_demo.pack)[member] if same else b"{}"
    doubled = append(built_demo.pack, member, data, tmp_path / "doubled.zip")

    for given in ((doubled, "--key", key), (doubled,)):
        done, said = verified(away, *given)

        assert done.returncode == CHANGED
        assert (member, "doubled") in named(said)
        assert {name for name, _ in named(said)} == {member}


def test_a_pack_whose_manifest_somebody_else_made_and_signed_is_refused(
    built_demo: BuiltDemo, key: Path, away: Path, tmp_path: Path
) -> None:
    """The forger changes a figure, lists the new digests and signs with a key of his own."""
    members = read_members(built_demo.pack)
    run = json.loads(members["runs/1.json"])
    run["tester"] = "Somebody Else"
    members["runs/1.json"] = json.dumps(run).encode()
    stranger = SigningKey.generate()
    forged = sign_again(members, stranger, tmp_path / "forged.zip")
    only_signed = sign_again(read_members(built_demo.pack), stranger, tmp_path / "signed.zip")

    for pack in (forged, only_signed):
        with_key, trusting = verified(away, pack, "--key", key)
        without, unknown = verified(away, pack)

        assert (with_key.returncode, without.returncode) == (CHANGED, CHANGED)
        assert trusting["findings"] != []
        assert unknown["findings"] != []
        assert not trusting["trusted"]
