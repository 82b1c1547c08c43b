"""Another tool edits the ReqIF that we wrote: its edits come in, what it broke is told by line."""

from pathlib import Path

import pytest

from core.records.content import Content, LinkDraft
from core.records.types import get_registry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.readers.reading import read_corpus
from qms.interchange.returning.reading import read_records
from qms.interchange.writers.reqif import to_reqif
from tests.qms.interchange.writers.test_forms import HARD

NEED = RecordFile("RPM", "user_need", "UN-001", Content("See the dose"))
RISK = RecordFile("RPM", "risk", "RSK-001", Content("Wrong unit"))
PLAIN = RecordFile(
    "RPM",
    "requirement",
    "REQ-1",
    Content(
        "Reads",
        "One line.\nTwo lines.",
        {"category": "interface", "acceptance": "Seen."},
        (
            LinkDraft("derives_from", "UN-001"),
            LinkDraft("mitigates", "RSK-001", None, {"kind": "x"}),
        ),
    ),
)
ALL = (NEED, PLAIN, RISK)


def edited(folder: Path, *changes: tuple[str, str]) -> RecordFolder:
    text = to_reqif("RPM", "Device", ALL, get_registry()).decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "rpm.reqif"
    path.write_text(text)
    return read_records(path, get_registry())


def of(found: RecordFolder, uid: str) -> RecordFile:
    assert [str(one) for one in found.faults] == []
    return next(one for one in found.records if one.uid == uid)


@pytest.mark.parametrize(
    ("old", "new", "body"),
    [
        ("One line.", "A line.", "A line.\nTwo lines."),
        (
            "<xhtml:div>One line.<xhtml:br />Two lines.</xhtml:div>",
            "<xhtml:div><xhtml:p>One line.</xhtml:p>\n<xhtml:ul><xhtml:li>Two.</xhtml:li>"
            "</xhtml:ul></xhtml:div>",
            "One line.\n\n* Two.",
        ),
        ("<xhtml:div>One line.<xhtml:br />Two lines.</xhtml:div>", "", ""),
    ],
)
def test_an_edited_text_is_an_edit_of_that_record(
    tmp_path: Path, old: str, new: str, body: str
) -> None:
    found = edited(tmp_path, (old, new))

    one = of(found, "REQ-1")
    assert one.content.body == body
    assert [each.uid for each in found.records if each.is_edited] == ["REQ-1"]
    assert one.digest == PLAIN.content_digest
    text = (tmp_path / "rpm.reqif").read_text().split("\n")
    assert 'THE-VALUE="Reads"' in text[one.lines["title",] - 1]


def test_a_choice_a_removed_link_and_a_new_one_are_edits(tmp_path: Path) -> None:
    first = edited(tmp_path)
    line = of(first, "REQ-1").lines["links", 0]
    text = (tmp_path / "rpm.reqif").read_text().split("\n")
    relation = "\n".join(text[line - 1 : line + 17])
    assert relation.endswith("</SPEC-RELATION>")
    start = relation.index("<VALUES>")
    end = relation.index("</VALUES>")
    bare = relation[:start] + "<VALUES>" + relation[end:]
    turned = bare.replace("UN-001", "RSK-001").replace("rt-derives_from", "rt-mitigates")

    found = edited(
        tmp_path,
        (relation, turned),
        ("_RPM-dt-requirement-category-2</", "_RPM-dt-requirement-category-1</"),
    )

    one = of(found, "REQ-1")
    assert one.content.fields["category"] == "performance"
    assert one.content.links == (
        LinkDraft("mitigates", "RSK-001", None, {"kind": "x"}), LinkDraft("mitigates", "RSK-001"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "what"),
    [
        ('THE-VALUE="UN-001"', 'THE-VALUE="un 1"', "TR321", "'un 1' is no uid."),
        ('THE-VALUE="UN-001"', 'THE-VALUE="REQ-1"', "TR310", "has the id REQ-1 again"),
        ("-category-2</", "-category-99</", "TR321", "the choice '_RPM-dt-requirement-category-99"),
        ("REF>RSK-001</", "REF>RSK-2</", "TR306", "a relation has the end 'RSK-2'"),
        ('="[1,{&quot;kind', '="[{&quot;kind', "TR321", "Fiducial.Link: "),
        ('LONG-NAME="Reads"', 'LONG-NAME="Writes"', "TR321", "the LONG-NAME of REQ-1 was changed"),
        ('LONG-NAME="acceptance"', 'LONG-NAME="acceptence"', "TR304", "has the unknown attribute"),
        (
            "One line.",
            '<xhtml:object data="a.png" type="image/png"/>',
            "TR321",
            "the text shows a file",
        ),
    ],
)
def test_what_another_tool_broke_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, what: str
) -> None:
    found = edited(tmp_path, (old, new))

    fault = found.faults[0]
    assert fault.code == code
    assert fault.what.startswith(what)
    lines = (tmp_path / "rpm.reqif").read_text().split("\n")
    name, _, line = fault.where.partition(":")
    assert name == "rpm.reqif"
    assert 1 < int(line) <= len(lines)


def test_a_text_with_carriage_returns_that_was_edited_is_the_edited_one(tmp_path: Path) -> None:
    text = to_reqif("RPM", "Device", [HARD], get_registry()).decode()
    path = tmp_path / "rpm.reqif"
    path.write_text(text.replace("  Led by spaces.<", "  Led by blanks.<"))

    [one] = read_records(path, get_registry()).records

    assert one.is_edited
    assert one.content.body == HARD.content.body.replace("spaces", "blanks").replace("\r", "")


def test_the_reader_of_other_tools_reads_ours_too(tmp_path: Path) -> None:
    path = tmp_path / "rpm.reqif"
    path.write_bytes(to_reqif("RPM", "Device", ALL, get_registry()))

    corpus = read_corpus(path)

    assert [(one.uid, one.title) for one in corpus.items] == [
        (one.uid, one.content.title) for one in ALL
    ]
    assert not corpus.findings
    assert [(one.role, one.target) for one in corpus.items[1].references] == [
        ("derives_from", "UN-001"), ("mitigates", "RSK-001"),
    ]  # fmt: skip
