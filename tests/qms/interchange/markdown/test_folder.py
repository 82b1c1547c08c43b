"""A folder of records is written without noise and read with every fault of every file."""

import os
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.content import Content, LinkDraft
from core.records.types import get_registry
from qms.interchange.markdown.checking import check_folder
from qms.interchange.markdown.folder import LARGEST_FILE, read_folder, write_folder
from qms.interchange.markdown.record_file import RecordFile
from tests.effort import effort

NEED = RecordFile(
    "RPM", "user_need", "UN-001", Content("See the dose", "A physicist **needs** it.")
)
REQUIREMENT = RecordFile(
    "RPM",
    "requirement",
    "REQ-001",
    Content(
        "Reads the plan",
        "",
        {"category": "interface", "acceptance": "It is read. Nothing else is."},
        (LinkDraft("derives_from", "UN-001"), LinkDraft("received_over", "C001", "DEPT")),
    ),
)


def faults_of(folder: Path) -> list[str]:
    return [f"{one.code} {one.where}" for one in check_folder(read_folder(folder), get_registry())]


def test_what_is_written_is_read_and_has_no_fault(tmp_path: Path) -> None:
    done = write_folder(tmp_path, [REQUIREMENT, NEED], get_registry())

    found = read_folder(tmp_path)

    assert done.written == ("requirement/REQ-001.md", "user_need/UN-001.md")
    assert [one.content for one in found.records] == [REQUIREMENT.content, NEED.content]
    assert not any(one.is_edited for one in found.records)
    assert not faults_of(tmp_path)


def test_writing_again_touches_only_what_changed(tmp_path: Path) -> None:
    write_folder(tmp_path, [REQUIREMENT, NEED], get_registry())
    before = (tmp_path / "user_need/UN-001.md").stat().st_mtime_ns
    edited = RecordFile("RPM", "requirement", "REQ-001", Content("Reads the plan and the dose"))

    done = write_folder(tmp_path, [edited, NEED], get_registry())

    assert (done.written, done.unchanged) == (("requirement/REQ-001.md",), 1)
    assert (tmp_path / "user_need/UN-001.md").stat().st_mtime_ns == before


def test_a_file_of_no_record_is_told_and_left(tmp_path: Path) -> None:
    write_folder(tmp_path, [REQUIREMENT, NEED], get_registry())

    done = write_folder(tmp_path, [NEED], get_registry())

    assert done.stale == ("requirement/REQ-001.md",)
    assert (tmp_path / "requirement/REQ-001.md").exists()


def test_one_changed_sentence_is_one_changed_line(tmp_path: Path) -> None:
    write_folder(tmp_path, [REQUIREMENT], get_registry())
    before = (tmp_path / "requirement/REQ-001.md").read_text().splitlines()

    fields = {**REQUIREMENT.content.fields, "acceptance": "It is read. Nothing more is."}
    changed = RecordFile("RPM", "requirement", "REQ-001", Content("Reads the plan", "", fields))
    write_folder(tmp_path, [changed], get_registry())

    after = (tmp_path / "requirement/REQ-001.md").read_text().splitlines()
    assert [line for line in after if line not in before and "digest" not in line] == [
        "    Nothing more is."
    ]


def test_every_fault_of_a_folder_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    head = "---\nid: {}\ntype: requirement\nproject: RPM\ntitle: A\n"
    files = {
        "requirement/REQ-001.md": f"{head.format('REQ-001')}fields:\n  category: nonsense\n"
        "  colour: red\nlinks:\n  - derives_from: UN-002\n  - derives_from: UN-002\n---\n",
        "requirement/REQ-002.md": f"{head.format('REQ-002')}links:\n  - derives_from: REQ-001\n"
        "  - allocated_to: REQ-002\n  - mitigates: RSK-1\n    attributes:\n      kind: odd\n---\n",
        "requirement/REQ-003.md": f"{head.format('REQ-002')}---\n",
        "requirement/REQ-004.md": "no front matter",
        "user_need/UN-001.md": "---\nid: UN-001\ntype: user_ned\nproject: RPM\ntitle: A\n---\n",
        "README.md": "What this folder is.",
        ".git/x.md": "not ours",
        "notes.txt": "not ours either",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert sorted(faults_of(tmp_path)) == sorted(
        [
            "TR302 requirement/REQ-004.md:1",
            "TR309 requirement/REQ-003.md:2",
            "TR309 user_need/UN-001.md:2",
            "TR310 requirement/REQ-003.md:2",
            "TR311 user_need/UN-001.md:3",
            "TR312 requirement/REQ-001.md:5",
            "TR312 requirement/REQ-001.md:7",
            "TR312 requirement/REQ-001.md:8",
            "TR312 requirement/REQ-002.md:9",
            "TR313 requirement/REQ-001.md:10",
            "TR313 requirement/REQ-001.md:11",
            "TR313 requirement/REQ-002.md:9",
            "TR314 requirement/REQ-002.md:7",
            "TR315 requirement/REQ-002.md:8",
        ]
    )


def test_a_name_that_is_nearly_right_is_suggested(tmp_path: Path) -> None:
    lost = Content("A", "", {}, (LinkDraft("derives_from", "UN-01"),))
    records = [NEED, RecordFile("RPM", "requirement", "REQ-002", lost)]
    write_folder(tmp_path, records, get_registry())

    [fault] = check_folder(read_folder(tmp_path), get_registry())

    assert fault.mend == "Did you mean UN-001?"


def test_a_link_out_of_the_folder_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "record"
    write_folder(outside, [NEED], get_registry())
    folder.mkdir()
    (folder / "user_need").symlink_to(outside / "user_need")

    assert faults_of(folder) == ["TR307 user_need"]
    with pytest.raises(Invalid) as caught:
        write_folder(folder, [NEED, REQUIREMENT], get_registry())
    assert [one.code for one in caught.value.faults] == ["TR307"]
    assert sorted(path.name for path in folder.iterdir()) == ["user_need"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    write_folder(tmp_path, [NEED], get_registry())
    with (tmp_path / "user_need" / "UN-002.md").open("wb") as file:
        os.truncate(file.fileno(), LARGEST_FILE + 1)

    assert faults_of(tmp_path) == ["TR308 user_need/UN-002.md"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is no folder"):
        read_folder(tmp_path / "none")


def test_a_thousand_records_are_checked_in_half_a_second(tmp_path: Path) -> None:
    """Ten thousand may take five; the processor's time, which a busy machine does not change."""
    records = [NEED]
    for number in range(1, 1000):
        links = tuple(LinkDraft("derives_from", f"UN-{max(1, n):03d}") for n in (1,))
        fields = {
            "category": "interface",
            "acceptance": "It is read. Nothing else is. " * 3 + "So.",
        }
        content = Content(
            f"Requirement {number}", "It **shall** be read.\n\n- twice", fields, links
        )
        records.append(RecordFile("RPM", "requirement", f"REQ-{number:04d}", content))
    write_folder(tmp_path, records, get_registry())

    counted: list[tuple[int, int]] = []

    def read() -> None:
        found = read_folder(tmp_path)
        counted.append((len(found.records), len(check_folder(found, get_registry()))))

    spent = effort(read)

    assert counted == [(1000, 0)]
    assert spent < 50  # 12 were seen
