"""An archive of a project that is damaged, hostile or made to deceive is refused by name."""

import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.carrying import CARRYING
from app.schema import newest
from core.archive.reading import opened
from core.archive.shape import PROOF
from core.canonical import canonical_json, read_json
from core.errors import Invalid, NotFound
from core.safekeeping.archives import MANIFEST
from tests.app.moved import House, Source, forged, refused

pytestmark = pytest.mark.verifies("TST-044")

ROWS = "rows/{}.jsonl"


def rebuilt(
    archive: Path, target: Path, change: Callable[[zipfile.ZipInfo, bytes], bytes | None]
) -> Path:
    """Write a zip anew, each member as `change` returns it; None leaves it out."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as out:
        for info in source.infolist():
            content = change(info, source.read(info.filename))
            if content is not None:
                out.writestr(info, content)
    return target


def faults_of(archive: Path) -> list[str]:
    """Return what is wrong with a file before anything of it is read into a database."""
    with pytest.raises(Invalid) as refusal, opened(archive, CARRYING, newest(), None):
        pass
    return [str(one) for one in refusal.value.faults]


def flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_one_changed_byte_is_told_with_the_member_that_it_is_in(
    source: Source, tmp_path: Path
) -> None:
    names = zipfile.ZipFile(source.archive).namelist()
    for name in names:
        if not zipfile.ZipFile(source.archive).getinfo(name).file_size:
            continue
        changed = rebuilt(
            source.archive,
            tmp_path / "changed.zip",
            lambda info, content, name=name: flipped(content) if info.filename == name else content,
        )
        told = faults_of(changed)
        if name in (MANIFEST, PROOF):
            assert any(name in one for one in told), (name, told)
        else:
            assert told == [f"{name}: differs from the manifest."]


def test_every_changed_missing_and_added_member_is_told_at_once(
    source: Source, empty: House, tmp_path: Path
) -> None:
    record, revision = ROWS.format("record"), ROWS.format("revision")
    archive = rebuilt(
        source.archive,
        tmp_path / "changed.zip",
        lambda info, content: None if info.filename == record
        else flipped(content) if info.filename == revision else content,
    )  # fmt: skip
    with zipfile.ZipFile(archive, "a") as out:
        out.writestr("../climbs.jsonl", b"")
        out.writestr("rows/more.jsonl", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("rows/project.jsonl", b"")

    assert refused(empty, archive) == [
        "'../climbs.jsonl': would be written outside the data folder.",
        "rows/more.jsonl: is not in the manifest.",
        "rows/project.jsonl: stands 2 times in the archive.",
        "rows/record.jsonl: is in the manifest but not in the archive.",
        "rows/revision.jsonl: differs from the manifest.",
    ]


def test_a_symbolic_link_and_a_bomb_are_refused_by_name(
    source: Source, empty: House, tmp_path: Path
) -> None:
    def linked(info: zipfile.ZipInfo, content: bytes) -> bytes:
        if info.filename == ROWS.format("revision"):
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
        return content

    bomb = forged(
        source.archive, tmp_path / "bomb.zip", {ROWS.format("record"): lambda _: bytes(40 << 20)}
    )

    assert refused(empty, rebuilt(source.archive, tmp_path / "link.zip", linked)) == [
        "rows/revision.jsonl: leads to another file instead of holding something."
    ]
    assert refused(empty, bomb) == [
        "rows/record.jsonl: unpacks into 41,943,040 bytes; it is not ours."
    ]


def test_what_is_no_archive_of_a_project_is_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(source.archive.read_bytes()[:-200])

    with pytest.raises(NotFound):
        empty.bring(tmp_path / "none.zip")
    assert "is cut off or no zip file" in refused(empty, cut)[0]
    assert (
        "wrote this archive from the schema 000000000000"
        in refused(empty, forged(source.archive, tmp_path / "old.zip", {}, schema="000000000000"))[
            0
        ]
    )
    assert (
        "is not of the format fiducial-project/1"
        in refused(
            empty, forged(source.archive, tmp_path / "new.zip", {}, format="fiducial-project/2")
        )[0]
    )
    assert (
        "lacks what it must say"
        in refused(empty, forged(source.archive, tmp_path / "no.zip", {}, projects=None))[0]
    )


def test_an_archive_without_a_signature_comes_in_and_says_so(
    source: Source, empty: House, tmp_path: Path
) -> None:
    unsigned = forged(source.archive, tmp_path / "unsigned.zip", {})

    assert empty.bring(unsigned).signer == ""


Change = Callable[[dict[str, object]], None]


def edited(number: int, change: Change) -> Callable[[bytes], bytes]:
    """Return an edit of one line of a member."""

    def edit(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        row = json.loads(lines[number - 1])
        change(row)
        lines[number - 1] = canonical_json(row) + b"\n"
        return b"".join(lines)

    return edit


def without(number: int) -> Callable[[bytes], bytes]:
    """Return an edit that leaves one line out."""
    return lambda content: b"".join(
        line for at, line in enumerate(content.splitlines(keepends=True), 1) if at != number
    )


def test_rows_that_do_not_fit_are_all_told_at_once(
    source: Source, empty: House, tmp_path: Path
) -> None:
    edits = {
        "attachment": edited(1, lambda row: row.update(sha256="0" * 64)),
        "thread_comment": edited(1, lambda row: row.update(number=1)),
        "deputyship": edited(1, lambda row: row.update(first_day=7)),
        "record_link": edited(1, lambda row: row.update(target_id=["RPM", "UN-777"])),
        "saved_view": edited(1, lambda row: row.update(person_id="PPL-NOBODY")),
        "repository_marked": edited(1, lambda row: row.update(base_of="acceptance 9")),
        "record": edited(2, lambda row: row.update(latest_id=["RPM", "UN-001", 9])),
    }
    archive = forged(
        source.archive, tmp_path / "f.zip", {ROWS.format(one): edits[one] for one in edits}
    )

    faults = refused(empty, archive)

    assert sorted(faults) == [
        f"rows/attachment.jsonl line 1: sha256 names the file {'0' * 64}, which is not there.",
        "rows/deputyship.jsonl line 1: first_day holds no time: '7'.",
        "rows/deputyship_end.jsonl line 1: deputyship_id names deputyship 1, which is not there.",
        'rows/record.jsonl: latest_id names ["RPM","UN-001",9], which is not there.',
        'rows/record_link.jsonl line 1: target_id names record ["RPM","UN-777"], which is not '
        "there.",
        "rows/repository_marked.jsonl: base_of names acceptance 9, which is not there.",
        'rows/saved_view.jsonl line 1: person_id names person "PPL-NOBODY", which is not there.',
        "rows/thread_comment.jsonl line 1: has other columns than this version: number.",
    ]


def test_a_manifest_made_to_agree_hides_no_change_of_content(
    source: Source, empty: House, tmp_path: Path
) -> None:
    def revisions(content: bytes) -> bytes:
        for number, change in (
            (2, {"title": "Another"}), (3, {"author_name": "Another"}), (6, {"state": "approved"}),
        ):  # fmt: skip
            content = edited(number, lambda row, change=change: row.update(change))(content)
        return content

    archive = forged(
        source.archive,
        tmp_path / "forged.zip",
        {
            ROWS.format("revision"): revisions,
            ROWS.format("baseline"): edited(1, lambda row: row.update(root="0" * 64)),
        },
    )

    faults = refused(empty, archive)

    assert [one.split(";", 1)[0] for one in faults] == [
        "UN-001 revision 1 of RPM: its content is not the one that the audit trail recorded.",
        *(
            f"{uid} revision 1 of RPM: its author, time, reason or state is not what the audit "
            "trail recorded."
            for uid in ("REQ-001", "QA-001")
        ),
        "RPM: Baseline 1 does not hold",
        "RPM baseline 1: is not both among the baselines and, with the same root, in the audit "
        "trail.",
        "RPM QA-001: names a revision that is not in force.",
    ]


@pytest.mark.parametrize(
    ("member", "edit", "told"),
    [
        ("record_link", without(2),
         "REQ-001 revision 1 of RPM: its content is not the one that the audit trail recorded."),
        ("signature", edited(2, lambda row: row.update(printed_name="Somebody Else")),
         "signature 2 of Somebody Else is not what was signed."),
        ("signature", without(8), "names signature 8, which is not there."),
        ("blob", edited(1, lambda row: row.update(size=1)), "or of another size."),
        ("result_case", edited(1, lambda row: row.update(outcome="xfail")),
         "RPM results 1: holds other cases than its audit entry saw."),
        ("uid_counter", lambda _: b"[]\n", "is no JSON object."),
        ("project", edited(1, lambda row: row.update(key="MINE")), "project 1: is not announced."),
    ],
)  # fmt: skip
def test_a_manifest_made_to_agree_hides_nothing(
    source: Source, empty: House, tmp_path: Path, member: str,
    edit: Callable[[bytes], bytes], told: str,
) -> None:  # fmt: skip
    archive = forged(source.archive, tmp_path / "forged.zip", {ROWS.format(member): edit})

    faults = refused(empty, archive)

    assert any(told in one for one in faults), faults


def entry(change: Change) -> Callable[[dict[str, object]], None]:
    """Return a change of the entry that a line of the trail holds."""
    return lambda row: change(row["entry"])  # type: ignore[arg-type]


def test_an_audit_trail_that_was_changed_is_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    def changed(content: bytes) -> bytes:
        lines = [one for one in content.splitlines(keepends=True) if b"requirement:sign" not in one]
        content = b"".join([*lines, lines[0]])
        content = edited(6, entry(lambda kept: kept.update(person_name="Nobody")))(content)
        content = edited(7, lambda row: row.update(project="OTHER"))(content)
        return edited(8, lambda row: row.update(entry=None))(content)

    archive = forged(source.archive, tmp_path / "forged.zip", {"trail/entries.jsonl": changed})

    faults = [one.removeprefix("trail/entries.jsonl") for one in refused(empty, archive)]

    assert [one for one in faults if "signature" not in one] == [
        " line 6: entry 8 was edited after it was written.",
        " line 7: is no entry about these projects.",
        " line 8: is no entry of an audit trail.",
        " line 39: entry 3 does not follow the entry before it.",
    ]
    assert [one[:24] for one in faults if "signature" in one] == [": tells of no signature "] * 3


@pytest.mark.parametrize(
    "name", ["config", "hooks/post-update", "objects/info/alternates", "refs/heads/../../config"]
)
def test_a_repository_brings_nothing_that_git_obeys(
    source: Source, empty: House, tmp_path: Path, name: str
) -> None:
    archive = tmp_path / "hooked.zip"
    shutil.copy(source.archive, archive)
    with zipfile.ZipFile(archive) as opened_archive:
        stated = read_json(opened_archive.read(MANIFEST))["members"]
    member = f"repositories/1.git/{name}"
    stated[member] = {
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size": 0
    }  # fmt: skip

    def with_more(info: zipfile.ZipInfo, content: bytes) -> bytes | None:
        if info.filename != MANIFEST:
            return None if info.filename == PROOF else content
        kept = read_json(content)
        kept["source"] |= {"fingerprint": "", "public_key": ""}
        return canonical_json(kept | {"members": stated})

    made = rebuilt(archive, tmp_path / "made.zip", with_more)
    with zipfile.ZipFile(made, "a") as out:
        out.writestr(member, b"")

    [fault] = refused(empty, made)

    assert member in fault
    assert "is no object and no reference" in fault or "outside the data folder" in fault


def test_a_repository_with_a_damaged_object_is_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    names = zipfile.ZipFile(source.archive).namelist()
    name = next(one for one in names if "1.git/objects/" in one)
    archive = forged(source.archive, tmp_path / "damaged.zip", {name: flipped})

    faults = refused(empty, archive)

    assert faults == ["repositories/1.git: is no sound Git repository."]


def more(change: Change) -> Callable[[bytes], bytes]:
    """Return an edit that adds a row like the first one, changed."""
    return lambda content: content + edited(1, change)(content.splitlines(keepends=True)[0])


def test_no_role_in_the_whole_installation_and_no_unknown_one_comes_with_a_project(
    source: Source, empty: House, tmp_path: Path
) -> None:
    grant = ROWS.format("role_grant")
    everywhere = more(lambda row: row.update(project_id=None, role="administrator"))
    unknown = more(lambda row: row.update(role="sorcerer", revoked_at=None))

    [first] = refused(empty, forged(source.archive, tmp_path / "a.zip", {grant: everywhere}))
    [second] = refused(empty, forged(source.archive, tmp_path / "b.zip", {grant: unknown}))

    assert first.startswith("rows/role_grant.jsonl line ")
    assert first.endswith(": project_id is empty.")
    assert "RPM sorcerer: is held there and is no role here." in second


def test_nothing_is_added_to_a_record_of_a_project_that_is_here(
    source: Source, empty: House, tmp_path: Path
) -> None:
    side, rpm = tmp_path / "side.zip", tmp_path / "rpm.zip"
    source.house.export(side, "SIDE")
    source.house.export(rpm, "RPM")
    empty.bring(side)
    theirs = ["SIDE", "UN-901"]
    seen = {"kind": "commit", "source_ref": "device abc", "role": "implements", "attributes": {},
            "observed_at": "2026-01-01T00:00:00.000000Z", "record_id": theirs}  # fmt: skip
    edits = {
        "link_review": more(lambda row: row.update(source_id=theirs)),
        "attachment": more(lambda row: row.update(record_id=theirs)),
        "record_thread": more(lambda row: row.update(record_id=theirs)),
        "repository_marked": more(lambda row: row.update(record_id=theirs)),
        "observed_link": lambda content: content + canonical_json(seen) + b"\n",
    }

    faults = refused(
        empty, forged(rpm, tmp_path / "f.zip", {ROWS.format(one): edits[one] for one in edits})
    )
    silent = refused(empty, forged(rpm, tmp_path / "g.zip", {}, elsewhere=[]))

    assert len(faults) == len(edits)
    assert all('names record ["SIDE","UN-901"], which is not there.' in one for one in faults)
    assert all('target_id names record ["SIDE","UN-901"]' in one for one in silent)


def test_a_signature_and_a_manifest_that_unpack_into_a_flood_are_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    def flooded(name: str) -> Path:
        def flood(info: zipfile.ZipInfo, content: bytes) -> bytes:
            info.compress_type = zipfile.ZIP_DEFLATED
            return content + b" " * (40 << 20) if info.filename == name else content

        return rebuilt(source.archive, tmp_path / f"{name}.zip", flood)

    [proof] = refused(empty, flooded(PROOF))
    [manifest] = refused(empty, flooded(MANIFEST))

    assert "it is larger than" in proof
    assert "has a manifest that is far too large" in manifest
