"""The verdict on a pack that is intact, or was rebuilt and signed again."""

import json
import os

import pytest

from core.errors import Invalid, NotFound, Refused
from tests.validation.pack.synthetic import make_contents
from tests.validation.pack.tampering import read_members, sign_again, write_members
from tests.validation.verify.reading import RECORD, found
from validation.pack.build import build_pack
from validation.pack.manifest import MANIFEST, MANIFEST_ENVELOPE
from validation.verify.findings import Kind
from validation.verify.ledger import ledger_of
from validation.verify.verification import verify_pack


def test_with_its_makers_key_it_is_intact_and_trusted(pack, key_file, maker) -> None:
    verdict = verify_pack(pack, [key_file])

    assert verdict.findings == ()
    assert (verdict.exit_code, verdict.trusted) == (0, True)
    assert verdict.signers == (maker.fingerprint,)
    assert (verdict.document, verdict.demonstration) == ("RPM-VP-0.1.0", True)


def test_without_a_key_its_signer_is_unknown(pack, maker) -> None:
    verdict = verify_pack(pack)

    assert (verdict.exit_code, verdict.trusted) == (2, False)
    assert verdict.signers == (maker.fingerprint,)


def test_one_of_several_keys_is_enough(pack, key_file, other_key_file) -> None:
    assert verify_pack(pack, [other_key_file, key_file]).exit_code == 0


def test_with_only_another_key_it_fails_and_names_both(
    pack, other_key_file, maker, stranger
) -> None:
    verdict = verify_pack(pack, [other_key_file])

    (finding,) = verdict.findings
    assert verdict.exit_code == 1
    assert finding.member == MANIFEST_ENVELOPE
    assert maker.fingerprint[:4] in finding.what
    assert stranger.fingerprint[:4] in finding.what


def test_a_copy_under_another_name_and_time_is_the_same_pack(pack, key_file, tmp_path) -> None:
    copy = tmp_path / "renamed.bin"
    copy.write_bytes(pack.read_bytes())
    os.utime(copy, (0, 0))

    assert verify_pack(copy, [key_file]).exit_code == 0


def test_a_missing_pack_or_key_is_said_by_name(pack, tmp_path) -> None:
    with pytest.raises(NotFound, match="no pack"):
        verify_pack(tmp_path / "absent.zip")
    with pytest.raises(NotFound, match="no key file"):
        verify_pack(pack, [tmp_path / "absent.pem"])
    (tmp_path / "bad.pem").write_text("hello")
    with pytest.raises(Invalid, match="is not a public key"):
        verify_pack(pack, [tmp_path / "bad.pem"])


def test_a_pack_rebuilt_and_signed_by_another_key_is_not_trusted(
    pack, key_file, other_key_file, stranger, tmp_path
) -> None:
    """The forger did everything right but has another key."""
    contents, evidence = make_contents(2, 1)
    forged = build_pack(contents, evidence, stranger, tmp_path / "forged.zip")

    assert verify_pack(forged).exit_code == 2
    assert verify_pack(forged, [other_key_file]).exit_code == 0
    assert found(forged, key_file) == {(MANIFEST_ENVELOPE, Kind.SIGNATURE)}


def test_a_manifest_rebuilt_and_signed_by_another_key_is_named(
    pack, key_file, stranger, tmp_path
) -> None:
    members = read_members(pack)

    forged = sign_again(members, stranger, tmp_path / "forged.zip")

    assert (MANIFEST_ENVELOPE, Kind.SIGNATURE) in found(forged, key_file)
    assert verify_pack(forged).exit_code == 1, "the statements are still signed by the maker"


def test_a_manifest_rebuilt_without_signing_is_named(pack, key_file, tmp_path) -> None:
    members = read_members(pack)
    members[RECORD] = b"{}\n"
    table = json.loads(members[MANIFEST])
    for item in table["members"]:
        if item["path"] == RECORD:
            item["size"] = 3
            item["sha256"] = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    members[MANIFEST] = json.dumps(table, indent=1, sort_keys=True).encode() + b"\n"

    named = found(write_members(tmp_path / "p.zip", members), key_file)

    assert {MANIFEST, RECORD} <= {member for member, _ in named}


def test_the_envelope_of_another_pack_does_not_fit(pack, key_file, maker, tmp_path) -> None:
    members = read_members(pack)
    other = read_members(sign_again(members, maker, tmp_path / "o.zip", version="9.9.9"))
    members[MANIFEST_ENVELOPE] = other[MANIFEST_ENVELOPE]

    named = found(write_members(tmp_path / "p.zip", members), key_file)

    assert MANIFEST in {member for member, _ in named}


def test_a_signed_manifest_that_lists_hostile_paths_is_refused(pack, maker, tmp_path) -> None:
    members = {**read_members(pack), "../evil": b"x"}

    forged = sign_again(members, maker, tmp_path / "p.zip")

    assert any("../evil" in finding.what for finding in verify_pack(forged).findings)
    assert verify_pack(forged).exit_code == 1


def test_a_signed_pack_that_lacks_its_parts_is_refused(pack, maker, tmp_path) -> None:
    members = {name: data for name, data in read_members(pack).items() if name != "pack.pdf"}

    forged = sign_again(members, maker, tmp_path / "p.zip")

    assert any("pack.pdf is missing" in f.what for f in verify_pack(forged).findings)


def test_the_ledger_of_a_pack_is_read_only_while_the_pack_is_intact(
    pack, key_file, other_key_file, tmp_path
) -> None:
    changed = tmp_path / "p.zip"
    changed.write_bytes(pack.read_bytes() + b"x")

    assert ledger_of(pack, [key_file])["head"]["number"] == 412
    with pytest.raises(Refused, match="it proves nothing"):
        ledger_of(changed)
    with pytest.raises(Refused, match=r"manifest\.dsse\.json: signature"):
        ledger_of(pack, [other_key_file])
