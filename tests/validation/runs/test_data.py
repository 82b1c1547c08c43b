"""A frozen data folder names every file, and every later change to it."""

import hashlib

import pytest

from core.errors import Invalid
from validation.runs.data import changes, freeze


def test_every_file_is_named_by_its_hash(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.dcm").write_bytes(b"dose")
    (tmp_path / "sub" / "a.dcm").write_bytes(b"")

    assert freeze(tmp_path) == [
        {"path": "b.dcm", "size": 4, "sha256": hashlib.sha256(b"dose").hexdigest()},
        {"path": "sub/a.dcm", "size": 0, "sha256": hashlib.sha256(b"").hexdigest()},
    ]


def test_changed_added_and_missing_files_are_named(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    before = freeze(tmp_path)

    (tmp_path / "a").write_text("other")
    (tmp_path / "b").unlink()
    (tmp_path / "d").write_text("new")

    assert changes(before, freeze(tmp_path)) == ("changed a", "missing b", "added d")
    assert changes(before, before) == ()


def test_an_empty_or_missing_folder_and_links_are_refused(tmp_path):
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a").symlink_to("/etc/passwd")
    (tmp_path / "linked" / "b").symlink_to(tmp_path)

    for name, code, count in [
        ("none", "missing", 1),
        ("empty", "empty", 1),
        ("linked", "special", 2),
    ]:
        with pytest.raises(Invalid) as refusal:
            freeze(tmp_path / name)
        assert [fault.code for fault in refusal.value.faults] == [f"data-{code}"] * count
