"""Unpacking a device's repository: byte for byte, and nothing that climbs out."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from git import Repo

from core.errors import Invalid, NotFound
from tests.validation.runs.devices import Device, adding_device
from validation.runs.checkout import check_out, differences, resolve_tag


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return adding_device(tmp_path)


def test_a_tag_is_unpacked_byte_for_byte_and_is_clean(device, tmp_path):
    (device.work / "steps" / "data.bin").write_bytes(bytes(range(256)) + b"\r\n$Id$\n")
    (device.work / ".gitattributes").write_text("* text=auto eol=crlf ident filter=lfs\n")
    commit = device.commit("v0.2.0")

    checkout = check_out(device.mirror, "v0.2.0", tmp_path / "out")

    assert checkout.commit == commit == resolve_tag(device.mirror, "v0.2.0")
    assert (checkout.folder / "steps" / "data.bin").read_bytes().endswith(b"\r\n$Id$\n")
    assert differences(checkout) == ()
    assert not (checkout.folder / ".git").exists()
    assert sorted(checkout.files) == [
        ".gitattributes",
        "app.yaml",
        "features/adding.feature",
        "steps/data.bin",
        "steps/test_adding.py",
    ]


def test_an_annotated_tag_is_followed_to_its_commit_and_a_later_commit_is_left_alone(
    device, tmp_path
):
    commit = device.repository.head.commit.hexsha
    device.repository.create_tag("signed", message="released")
    device.write({"app.yaml": "name: later\n"})
    device.commit()

    checkout = check_out(device.mirror, "signed", tmp_path / "out")

    assert checkout.commit == commit
    assert "adder" in (checkout.folder / "app.yaml").read_text()


def test_every_change_of_the_folder_is_named(device, tmp_path):
    checkout = check_out(device.mirror, "v0.1.0", tmp_path / "out")

    (checkout.folder / "app.yaml").write_text("changed")
    (checkout.folder / "steps" / "test_adding.py").unlink()
    (checkout.folder / "left.txt").write_text("")
    (checkout.folder / "link").symlink_to("/etc/passwd")

    assert differences(checkout) == (
        "added left.txt",
        "added link",
        "changed app.yaml",
        "missing steps/test_adding.py",
    )


def test_symbolic_links_and_submodules_are_refused_all_at_once(device, tmp_path):
    (device.work / "outside").symlink_to("/etc/passwd")
    (device.work / "inside").symlink_to("app.yaml")
    device.repository.git.add("-A")
    device.repository.git.update_index(
        "--add", "--cacheinfo", f"160000,{device.repository.head.commit.hexsha},vendored"
    )
    device.repository.index.commit("Link out")
    device.repository.create_tag("v9")
    device.publish()

    with pytest.raises(Invalid) as refusal:
        check_out(device.mirror, "v9", tmp_path / "out")

    assert [fault.where for fault in refusal.value.faults] == [
        "v9:inside",
        "v9:outside",
        "v9:vendored",
    ]
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".out*")) == []


@pytest.mark.parametrize("name", ["..", ".git", ".GIT ", "a\\b"])
def test_a_tree_entry_that_climbs_out_is_refused(device, tmp_path, name):
    blob = device.repository.git.hash_object("-w", "--stdin", istream=stream(b"escape"))
    inner = device.repository.git.mktree("-z", istream=stream(f"100644 blob {blob}\tx\0".encode()))
    tree = device.repository.git.mktree(
        "-z", istream=stream(f"040000 tree {inner}\t{name}\0".encode())
    )
    commit = device.repository.git.commit_tree(tree, "-m", "escape")
    device.repository.create_tag("v9", commit)
    device.publish()

    with pytest.raises(Invalid) as refusal:
        check_out(device.mirror, "v9", tmp_path / "deep" / "out")

    said = " ".join(str(fault) for fault in refusal.value.faults)
    assert name.strip() in said
    assert not (tmp_path / "deep" / "out").exists()
    assert not (tmp_path / "deep" / "x").exists()


@pytest.mark.parametrize(
    "tag",
    ["-x", "--output=/tmp/x", "a..b", "v1^{tree}", "v1:app.yaml", "a b", "", "v1.lock", "@{0}"],
)
def test_a_tag_that_git_could_misread_is_refused_unasked(device, tmp_path, tag):
    with pytest.raises(Invalid, match="not the name of a tag"):
        check_out(device.mirror, tag, tmp_path / "out")


@pytest.mark.parametrize("tag", ["v9.9.9", "main", "HEAD"])
def test_only_tags_are_executed(device, tmp_path, tag):
    with pytest.raises(NotFound, match="no tag"):
        check_out(device.mirror, tag, tmp_path / "out")


def test_a_replacement_reference_changes_nothing(device, tmp_path):
    other = device.repository.git.hash_object("-w", "--stdin", istream=stream(b"name: forged\n"))
    original = device.repository.head.commit.tree["app.yaml"].hexsha
    device.repository.git.replace(original, other)
    device.publish()
    assert f"refs/replace/{original}" in Repo(device.mirror).git.for_each_ref()
    assert "forged" in Repo(device.mirror).git.cat_file("blob", original)

    checkout = check_out(device.mirror, "v0.1.0", tmp_path / "out")

    assert "adder" in (checkout.folder / "app.yaml").read_text()


def test_a_missing_mirror_is_said(tmp_path):
    with pytest.raises(NotFound, match="no Git repository"):
        check_out(tmp_path / "none.git", "v1", tmp_path / "out")


def stream(content: bytes) -> int:
    """Return a readable descriptor: Git commands take no bytes."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(BytesIO(content).getvalue())
    return reading
