"""The mirror of a real repository answers with what the repository holds, and with nothing else."""

from pathlib import Path

import pytest

from core.errors import Conflict, Invalid
from qms.repositories.addresses import Address, Transport, parse_address
from qms.repositories.mirror import Mirror
from qms.repositories.names import readable_name


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "mirrors" / "1.git")


def test_commits_tags_and_trailers_are_read_as_written(source, mirror: Mirror) -> None:
    first = source.add("Begin\n\nNo trace here.\n")
    second = source.add("Add metrics\n\nLong text.\n\nImplements: REQ-009\nVerifies: TST-009\n")
    source.tag("v0.1.0", annotated=True)
    source.tag("nightly")

    mirror.fetch(parse_address(str(source.folder)))
    commits = list(mirror.commits())

    assert [(commit.sha, commit.subject) for commit in commits] == [
        (second, "Add metrics"),
        (first, "Begin"),
    ]
    assert commits[0].trailers == (("Implements", "REQ-009"), ("Verifies", "TST-009"))
    assert commits[0].author == "Amara Kole"
    assert [(tag.name, tag.sha, tag.annotated) for tag in mirror.tags()] == [
        ("nightly", second, False),
        ("v0.1.0", second, True),
    ]


@pytest.mark.parametrize("branch", ["main", "master", "trunk", "release/2026"])
def test_any_default_branch_is_found(new_source, mirror: Mirror, branch: str) -> None:
    source = new_source(branch)
    source.add("Begin")

    mirror.fetch(parse_address(str(source.folder)))

    assert mirror.default_branch() == branch


def test_a_second_look_shows_only_what_is_new(source, mirror: Mirror) -> None:
    source.add("One", "Two")
    mirror.fetch(parse_address(str(source.folder)))
    tips = mirror.tips().values()
    third = source.add("Three")

    mirror.fetch(parse_address(str(source.folder)))

    assert [commit.sha for commit in mirror.commits(tips)] == [third]
    assert mirror.lost(tips) == []


def test_a_rewritten_branch_names_the_commits_it_lost_and_keeps_them(source, mirror) -> None:
    source.add("One")
    lost = source.add("Two\n\nImplements: REQ-001\n")
    mirror.fetch(parse_address(str(source.folder)))
    tips = list(mirror.tips().values())
    source.reset("trunk~1")
    source.add("Two, again")

    mirror.fetch(parse_address(str(source.folder)))

    assert mirror.lost(tips) == [lost]
    assert "engine/dvh/metrics.py" in mirror.paths(lost)


def test_the_tree_of_a_commit_lists_files_and_folders(source, mirror: Mirror) -> None:
    commit = source.add("Begin", path="engine/dvh/Größe metrics.py")
    mirror.fetch(parse_address(str(source.folder)))

    assert mirror.paths(commit) == {
        ".",
        "engine",
        "engine/dvh",
        "engine/dvh/Größe metrics.py",
    }


def test_a_message_full_of_separators_stays_one_commit(source, mirror: Mirror) -> None:
    message = "Odd\x1e\x1f \t|\n\n--end\ncommit deadbeef\n\nImplements: REQ-001\n"
    source.add(message, "Next")
    mirror.fetch(parse_address(str(source.folder)))

    next_one, odd = mirror.commits()

    assert next_one.subject == "Next"
    assert odd.trailers == (("Implements", "REQ-001"),)


def test_bytes_that_are_not_utf8_do_not_stop_the_scan(source, mirror: Mirror) -> None:
    source.feed(b"commit refs/heads/trunk\ncommitter A <a@b> 1 +0000\ndata 4\nGr\xfc\xdf\n")
    mirror.fetch(parse_address(str(source.folder)))

    (commit,) = mirror.commits()

    assert commit.subject.startswith("Gr")


@pytest.mark.parametrize(
    "revision", ["HEAD", "--output=/tmp/x", "-1", "v0.1.0", "abc123", "f" * 39 + "g", "../x"]
)
def test_only_a_full_commit_name_reaches_git(source, mirror: Mirror, revision: str) -> None:
    source.add("Begin")
    mirror.fetch(parse_address(str(source.folder)))

    with pytest.raises(Invalid, match="not a commit"):
        mirror.paths(revision)
    with pytest.raises(Invalid, match="not a commit"):
        list(mirror.commits([revision]))


def test_a_hostile_ref_and_tag_are_only_names(source, mirror: Mirror) -> None:
    commit = source.add("Begin")
    source.repo.git.update_ref("refs/tags/--output=x", commit)
    source.repo.git.update_ref("refs/heads/$(touch;x)", commit)

    mirror.fetch(parse_address(str(source.folder)))

    assert [tag.name for tag in mirror.tags()] == ["--output=x"]
    assert len(list(mirror.commits())) == 1


def test_a_command_behind_the_address_is_never_run(mirror: Mirror, tmp_path: Path) -> None:
    """Even past the address check, Git is told the one transport it may use."""
    proof = tmp_path / "ran"

    with pytest.raises(Conflict, match=r"transport 'ext' not allowed|protocol"):
        mirror.fetch(Address(Transport.HTTPS, f"ext::touch {proof}", "x"))

    assert not proof.exists()


def test_a_missing_repository_is_a_clear_refusal(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="could not fetch"):
        mirror.fetch(parse_address(str(tmp_path / "nowhere")))


def test_a_repository_of_another_account_is_refused_with_what_makes_it_trusted(
    source, mirror: Mirror, monkeypatch
) -> None:
    mirror.fetch(parse_address(str(source.folder)))
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(Conflict, match="belongs to another account") as refused:
        mirror.fetch(parse_address(str(source.folder)))

    command = str(refused.value.message).partition("run as that account: ")[2]
    assert command == f"git config --global --add safe.directory {mirror.path}"


def test_hooks_of_the_mirror_do_not_run(source, mirror: Mirror, tmp_path: Path) -> None:
    source.add("Begin")
    mirror.fetch(parse_address(str(source.folder)))
    proof = tmp_path / "ran"
    hook = mirror.path / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    source.add("Next")

    mirror.fetch(parse_address(str(source.folder)))

    assert not proof.exists()


def test_five_thousand_commits_are_streamed(source, mirror: Mirror) -> None:
    source.add(
        *(
            f"Change {i}\n\n" + (f"Implements: REQ-{i:04d}\n" if i % 10 < 3 else "")
            for i in range(5000)
        )
    )

    mirror.fetch(parse_address(str(source.folder)))
    traced = sum(bool(commit.trailers) for commit in mirror.commits())

    assert traced == 1500


def test_what_a_commit_did_to_each_file_is_told(source, mirror: Mirror) -> None:
    first = source.add("First", path="a plan.py")
    second = source.add("Second", path="a plan.py")
    source.feed(
        b"commit refs/heads/trunk\ncommitter Amara Kole <ak@example.org> 1800000000 +0000\n"
        b"data 5\nThird\nfrom refs/heads/trunk^0\nD a plan.py\n"
        b"M 100644 inline docs/n\xc3\xa4h.md\ndata 1\nx\n"
    )

    mirror.fetch(parse_address(str(source.folder)))

    assert readable_name(b"caf\xe9.txt".decode("utf-8", "surrogateescape")) == r"caf\xe9.txt"
    assert mirror.changed(first) == [("added", "a plan.py")]
    assert mirror.changed(second) == [("changed", "a plan.py")]
    assert mirror.changed(source.head()) == [("removed", "a plan.py"), ("added", "docs/n\xe4h.md")]
