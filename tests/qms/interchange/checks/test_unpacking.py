"""Hostile archives are refused by name; nothing of them is read, nothing lands elsewhere."""

import io
import json
import stat
import zipfile
from pathlib import Path

import pytest

from qms.interchange.checks.arriving import Sent, asked, safe_name
from qms.interchange.checks.job import checked
from qms.interchange.checks.unpacking import lay_out


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def link_to(target: str, name: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


REQUIREMENTS = ("req.csv", b"id,title\nR1,One\n")


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (packed(REQUIREMENTS, ("../../out.csv", b"id\n")), "TR004", "../../out.csv"),
        (packed(REQUIREMENTS, ("/etc/out.csv", b"id\n")), "TR004", "/etc/out.csv"),
        (packed(REQUIREMENTS, ("a/../../.out", b"id\n")), "TR004", "a/../../.out"),
        (packed(REQUIREMENTS, link_to("/etc/passwd", "l.csv")), "TR004", "l.csv"),
        (packed(REQUIREMENTS, ("bomb.csv", bytes(20_000_000))), "TR006", "zip bomb"),
        (packed(REQUIREMENTS, ("req.csv/inside.csv", b"id\n")), "TR006", "req.csv/inside.csv"),
        (b"PK\x03\x04 no archive at all", "TR006", "no zip"),
    ],
    ids=["climbs", "absolute", "climbs inside", "link", "bomb", "folder and file", "damaged"],
)
def test_a_hostile_archive_is_refused_by_name(
    data: bytes, code: str, named: str, tmp_path: Path
) -> None:
    result = checked([("all.zip", data)])

    assert result["refused"] == "Nothing was checked."
    assert [one["code"] for one in result["faults"]] == [code]
    assert named in result["faults"][0]["what"]
    assert result["faults"][0]["where"] == "all.zip"


def test_two_members_of_one_name_are_a_fault_and_not_a_guess() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(REQUIREMENTS, REQUIREMENTS)

    assert "stands there twice" in checked([("all.zip", data)])["faults"][0]["what"]


def test_folders_and_the_settings_of_doorstop_are_kept_and_other_hidden_files_left(
    tmp_path: Path,
) -> None:
    data = packed(
        ("req/.doorstop.yml", b"a"), ("req/REQ1.yml", b"b"), (".git/config", b"c"), ("x/.env", b"d")
    )

    assert lay_out([("all.zip", data)], tmp_path) == 3
    assert (tmp_path / "req" / ".doorstop.yml").read_bytes() == b"a"
    assert not (tmp_path / "x").exists()


def test_files_sent_one_by_one_are_read_together_and_a_single_one_by_itself() -> None:
    one = ("req.csv", b"id,title,links\nR1,One,\nR2,Two,R9\n")
    more = ("spec/more.csv", b"id,title,links\nR9,Nine,R1\n")

    alone, both = checked([one]), checked([one, more])

    assert (alone["items"], alone["counts"].get("TR101")) == (2, 1)
    assert (both["items"], both["counts"].get("TR101")) == (3, None)


def test_what_no_reader_knows_is_refused_in_words_of_what_was_sent() -> None:
    result = checked([("notes.txt", b"nothing"), ("more.txt", b"nothing")])

    assert result["refused"] == "What was sent holds none of the formats that are read."
    assert "fiducial-check" not in str(result)


def test_characters_that_no_database_holds_are_not_kept() -> None:
    needs = {"A": {"id": "A", "type": "t", "title": "", "links": ["B\x00", "C"]}}
    value = {"current_version": "1", "versions": {"1": {"needs": needs}}}

    result = checked([("needs.json", json.dumps(value).encode())])

    told = json.dumps(result, ensure_ascii=False).encode()
    assert b"u0000" not in told
    assert result["counts"]["TR101"] == 2


@pytest.mark.parametrize("name", ["..", "a/../b", "/a", "a//b", "a\\b", "c:a", "a\x00b", "", "a/."])
def test_a_name_that_leads_elsewhere_is_none(name: str) -> None:
    assert not safe_name(name)


def test_levels_and_columns_are_taken_without_empty_lines() -> None:
    wanted = asked([Sent("a.csv", b"")], "sheets", ["", " need ", "req"], ["uid=Ref"])

    assert (wanted.levels, wanted.columns) == (("need", "req"), ("uid=Ref",))
