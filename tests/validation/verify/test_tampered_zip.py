"""Packs whose zip was changed: each member that is not as signed is named."""

import struct
import zipfile
import zlib

import pytest

from tests.effort import effort
from tests.validation.pack.tampering import (
    append,
    read_members,
    repack,
    spans,
    with_comment,
    write_members,
)
from tests.validation.verify.reading import RECORD, found
from validation.pack.container import END
from validation.pack.manifest import MANIFEST, MANIFEST_ENVELOPE, in_file_order
from validation.verify.findings import Finding, Kind
from validation.verify.members import ZIP
from validation.verify.verification import verify_pack

pytestmark = pytest.mark.verifies("TST-024")


def test_each_removed_member_is_named(pack, key_file, tmp_path) -> None:
    members = read_members(pack)
    for path in members:
        left = {name: data for name, data in members.items() if name != path}
        short = write_members(tmp_path / "short.zip", left)

        named = {finding.member for finding in verify_pack(short, [key_file]).findings}

        assert verify_pack(short, [key_file]).exit_code == 1
        assert path in named, f"{path} was removed and not named"


def test_a_removed_record_is_the_only_one_named(pack, key_file, tmp_path) -> None:
    members = read_members(pack)
    del members[RECORD]

    short = write_members(tmp_path / "short.zip", members)

    assert (RECORD, Kind.REMOVED) in found(short, key_file)
    assert {kind for _, kind in found(short, key_file)} == {Kind.REMOVED}


def test_an_added_member_is_named(pack, key_file, tmp_path) -> None:
    longer = append(pack, "records/RPM/REQ-999.json", b"{}", tmp_path / "longer.zip")

    assert found(longer, key_file) == {("records/RPM/REQ-999.json", Kind.ADDED)}


def test_an_added_member_in_our_own_form_is_named(pack, key_file, tmp_path) -> None:
    members = {**read_members(pack), "evidence/extra": b"x"}

    longer = write_members(tmp_path / "longer.zip", members, in_file_order(members))

    assert ("evidence/extra", Kind.ADDED) in found(longer, key_file)


@pytest.mark.parametrize("path", [RECORD, MANIFEST, MANIFEST_ENVELOPE, "pack.pdf"])
@pytest.mark.parametrize("same", [True, False])
def test_a_doubled_member_is_named(pack, key_file, tmp_path, path, same) -> None:
    content = read_members(pack)[path] if same else b"{}"

    doubled = append(pack, path, content, tmp_path / "doubled.zip")

    assert (path, Kind.DOUBLED) in found(doubled, key_file)
    assert {name for name, _ in found(doubled, key_file)} == {path}


def test_a_name_that_differs_in_case_is_named(pack, key_file, tmp_path) -> None:
    longer = append(pack, "PACK.PDF", b"%PDF", tmp_path / "longer.zip")

    assert found(longer, key_file) == {("PACK.PDF", Kind.DOUBLED)}


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "C:/evil", "a\\..\\evil", "./x", "evidence/", "nul", "é.txt"],
)
def test_a_name_that_leads_out_of_the_pack_is_named(pack, key_file, tmp_path, name) -> None:
    longer = append(pack, name, b"x", tmp_path / "longer.zip")

    (finding,) = verify_pack(longer, [key_file]).findings

    assert finding.kind is Kind.ADDED
    assert "leads out of the pack or is not plain" in finding.what


def test_a_member_hidden_from_the_directory_is_named(pack, key_file, tmp_path) -> None:
    """Some programs read the headers, others the directory: nobody may see a second pack."""
    shown = append(pack, "hidden.txt", b"x", tmp_path / "hidden.zip").read_bytes()
    end = shown.rfind(b"PK\x05\x06")
    entry = shown.rfind(b"PK\x01\x02")
    head = list(END.unpack_from(shown, end))
    head[3:6] = [head[3] - 1, head[4] - 1, head[5] - (end - entry)]
    (tmp_path / "hidden.zip").write_bytes(shown[:entry] + END.pack(*head))

    assert ("hidden.txt", Kind.ADDED) in found(tmp_path / "hidden.zip", key_file)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_repacked_zip_fails_and_says_what_is_still_as_signed(
    pack, key_file, tmp_path, method
) -> None:
    members = read_members(pack)
    members[RECORD] = members[RECORD].replace(b"structure volume", b"structure column")
    assert members[RECORD] != read_members(pack)[RECORD]

    named = found(repack(members, tmp_path / "repacked.zip", method), key_file)

    assert (RECORD, Kind.CHANGED) in named
    assert {kind for path, kind in named if path != RECORD} <= {Kind.REPACKED, Kind.SIGNATURE}


def test_an_encrypted_member_is_named(pack, key_file, tmp_path) -> None:
    longer = bytearray(append(pack, "x.txt", b"x", tmp_path / "x.zip").read_bytes())
    span = next(span for span in spans(pack) if span.path == RECORD)
    longer[span.start + 6] |= 1
    entry = longer.rfind(b"PK\x01\x02", 0, longer.rfind(RECORD.encode()))
    longer[entry + 8] |= 1
    (tmp_path / "x.zip").write_bytes(longer)

    findings = verify_pack(tmp_path / "x.zip", [key_file]).findings

    assert Finding(RECORD, Kind.REPACKED, "it was encrypted.") in findings


def test_bytes_behind_the_end_are_named(pack, key_file, tmp_path) -> None:
    (tmp_path / "p.zip").write_bytes(pack.read_bytes() + b"more")

    assert found(tmp_path / "p.zip", key_file) == {(ZIP, Kind.ADDED)}


def test_bytes_before_the_first_member_are_named(pack, key_file, tmp_path) -> None:
    (tmp_path / "p.zip").write_bytes(b"#!/bin/sh\n" + pack.read_bytes())

    assert found(tmp_path / "p.zip", key_file) == {(ZIP, Kind.ADDED)}


def test_a_comment_is_named(pack, key_file, tmp_path) -> None:
    commented = with_comment(pack, b"seen by a scanner", tmp_path / "p.zip")

    verdict = verify_pack(commented, [key_file])

    assert verdict.exit_code == 1
    assert verdict.findings[0].member == ZIP


def test_a_byte_put_in_or_taken_out_names_the_member(pack, key_file, tmp_path) -> None:
    data, changed = pack.read_bytes(), tmp_path / "p.zip"
    for span in spans(pack):
        if span.path in (MANIFEST, MANIFEST_ENVELOPE):
            continue
        middle = (span.data + span.end) // 2
        for shifted in (
            data[:middle] + b"!" + data[middle:],
            data[:middle] + data[middle + 1 :],
        ):
            changed.write_bytes(shifted)
            assert span.path in {member for member, _ in found(changed, key_file)}


def test_a_pack_cut_off_anywhere_fails(pack, key_file, tmp_path) -> None:
    data, cut = pack.read_bytes(), tmp_path / "cut.zip"
    for length in [*range(0, len(data), 991), len(data) - 1]:
        cut.write_bytes(data[:length])

        assert verify_pack(cut, [key_file]).exit_code == 1


def test_a_pack_cut_in_half_names_the_members_it_lost(pack, key_file, tmp_path) -> None:
    data, all_spans = pack.read_bytes(), spans(pack)
    cut_at = all_spans[len(all_spans) // 2].start
    (tmp_path / "cut.zip").write_bytes(data[:cut_at])

    named = {member for member, _ in found(tmp_path / "cut.zip", key_file)}

    assert {span.path for span in all_spans if span.start >= cut_at} <= named


@pytest.mark.parametrize("content", [b"", b"x", b"PK", b"PK\x05\x06" + bytes(18), bytes(5000)])
def test_what_is_no_pack_fails(tmp_path, content) -> None:
    (tmp_path / "p.zip").write_bytes(content)

    assert verify_pack(tmp_path / "p.zip").exit_code == 1


def test_a_zip_bomb_is_refused_in_no_time(pack, key_file, tmp_path) -> None:
    """A member of ours swapped for one that inflates to 4 GB, and a stranger beside it."""
    members = read_members(pack)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    # Blocks closed by a full flush stand alone, so one of them can be repeated without compressing.
    block = packed.compress(bytes(1 << 20)) + packed.flush(zlib.Z_FULL_FLUSH)
    bomb = block * 4000 + packed.flush()
    repacked = repack({**members, RECORD: b"?" * len(bomb)}, tmp_path / "b.zip", 0)
    data = bytearray(repacked.read_bytes())
    position = data.find(b"?" * len(bomb))
    data[position : position + len(bomb)] = bomb
    for signature, method, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        head = data.rfind(signature, 0, data.find(RECORD.encode(), data.find(signature)))
        struct.pack_into("<H", data, head + method, 8)
        struct.pack_into("<L", data, head + size, 4000 << 20)
    repacked.write_bytes(data)
    named: list[tuple[str, Kind]] = []

    spent = effort(lambda: named.extend(found(repacked, key_file)))

    assert spent < 200
    assert (RECORD, Kind.CHANGED) in named
