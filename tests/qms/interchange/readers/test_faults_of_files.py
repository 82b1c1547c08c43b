"""What a reader cannot take is told with its line and a way out, and all of it at once."""

from pathlib import Path

import pytest

from core.errors import Invalid
from qms.interchange.corpus import Corpus
from qms.interchange.readers.detecting import FORMATS, detect
from qms.interchange.readers.files import files_below
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import column_map


def told(corpus: Corpus) -> list[tuple[str, str]]:
    return [(one.code, str(one.place)) for one in corpus.findings]


SDOC = """[DOCUMENT]
TITLE: A

[REQUIREMENT]
UID: A-1
UID: A-2
STATEMENT: >>>
UID: no field
[REQUIREMENT]
<<<
RELATIONS:
- TYPE: Parrent
  VALUE: A-1
- TYPE: Parent
- TYPE: File
  VALUE: ../../etc/passwd

lower case

[[SECTION]]
TITLE: Never closed
"""


def test_strictdoc(tmp_path: Path) -> None:
    (tmp_path / "a.sdoc").write_text(SDOC)

    corpus = read_corpus(tmp_path)

    assert told(corpus) == [
        ("TR008", "a.sdoc:6"),
        ("TR014", "a.sdoc:12"),
        ("TR013", "a.sdoc:14"),
        ("TR004", "a.sdoc:15"),
        ("TR003", "a.sdoc:18"),
        ("TR003", "a.sdoc:20"),
    ]
    assert corpus.findings[1].mend == "Did you mean Parent?"
    assert [one.uid for one in corpus.items] == ["a.sdoc", "A-1", "a.sdoc#2"]
    assert corpus.items[1].text == "UID: no field\n[REQUIREMENT]"


def test_strictdoc_of_older_versions(tmp_path: Path) -> None:
    old = (
        "[DOCUMENT]\nTITLE: A\n\n[FREETEXT]\nfree\n\ntext\n[/FREETEXT]\n\n[SECTION]\nTITLE: S\n\n"
        "[REQUIREMENT]\nUID: A-1\nREFS:\n- TYPE: Parent\n  VALUE: A-2\n  ROLE: Refines\n\n"
        "[/SECTION]\n"
    )
    (tmp_path / "a.sdoc").write_text(old)

    _, text, section, requirement = read_corpus(tmp_path).items

    assert (text.text, text.position) == ("free\n\ntext", (1,))
    assert (section.position, requirement.position) == ((2,), (2, 1))
    assert requirement.references[0].attributes == {"ROLE": "Refines"}


OFT = """# Design
`dsn~a~1`

Text.

Covers:
- req~a~2
- not an id

Needs: impl, no-kind here

```
dsn~in-code~1
```

<!-- oft:off -->
dsn~switched-off~1
<!-- oft:on -->

Title underlined
----------------
dsn~b~4

arch --> dsn, impl : req~c~3
"""


def test_openfasttrace(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(OFT)

    corpus = read_corpus(tmp_path)

    assert told(corpus) == [("TR013", "a.md:8"), ("TR008", "a.md:10")]
    items = {one.uid: one for one in corpus.items}
    assert items.keys() == {"dsn~a", "dsn~b", "arch~c"}
    assert items["dsn~b"].title == "Title underlined"
    assert items["arch~c"].fields["Needs"] == ("dsn", "impl")
    assert items["arch~c"].references[0].stated == "3"


def test_doorstop(tmp_path: Path) -> None:
    (tmp_path / ".doorstop.yml").write_text("settings:\n  prefix: REQ\n")
    (tmp_path / "md").mkdir()
    (tmp_path / "md/.doorstop.yml").write_text("settings:\n  prefix: MD\n  itemformat: markdown\n")
    (tmp_path / "REQ1.yml").write_text("level: 1.10\ntext: [a]\nlinks:\n- REQ2: null\n- [x]\n")
    (tmp_path / "REQ2.yml").write_text("text: a: b\n")
    (tmp_path / "REQ3.yml").write_text("- no mapping\n")

    corpus = read_corpus(tmp_path)

    assert told(corpus) == [
        ("TR014", "md/.doorstop.yml:3"),
        ("TR008", "REQ1.yml:2"),
        ("TR008", "REQ1.yml:3"),
        ("TR003", "REQ2.yml:1"),
        ("TR008", "REQ3.yml:1"),
    ]
    assert corpus.items[0].position == (1, 10)


def test_an_exact_id_of_a_need_wins_over_a_part_of_another(tmp_path: Path) -> None:
    (tmp_path / "needs.json").write_text(
        '{"current_version": "1", "versions": {"1": {"needs": {"REL-0": {}, "REL-0.1.0": {}, '
        '"A": {"links": ["REL-0.1.0", "REL-0.1.0.2", "REL-0.2", "REL-1.0"]}}}}}'
    )

    *_, item = read_corpus(tmp_path).items

    assert [(one.target, dict(one.attributes)) for one in item.references] == [
        ("REL-0.1.0", {}),
        ("REL-0.1.0", {"part": "2"}),
        ("REL-0", {"part": "2"}),
        ("REL-1.0", {}),
    ]


def test_needs_of_a_schema(tmp_path: Path) -> None:
    (tmp_path / "needs.json").write_text(
        '{"current_version": "2", "versions": {"1": {"needs": {"X": {}}}, "2": {\n'
        '"needs_schema": {"properties": {"tests": {"field_type": "links"},\n'
        '"tests_back": {"field_type": "backlinks"}}},\n'
        '"needs": {"A": {"id": "A", "type": "req", "title": "T", "content": "C", "docname": "d",\n'
        '"links": [], "tests": ["B.1"], "tests_back": ["Z"], "status": "open"},\n'
        '"B": 3, "C": {"id": ""}}}}}'
    )

    corpus = read_corpus(tmp_path)

    (item,) = corpus.items
    assert (item.kind, item.title, item.text, item.document) == ("req", "T", "C", "d")
    assert [(one.role, one.target, one.place.line) for one in item.references] == [
        ("tests", "B", 5)
    ]
    assert item.fields == {"status": "open"}
    assert told(corpus) == [("TR008", "needs.json:6"), ("TR007", "needs.json:6")]
    assert corpus.left_out == {"needs of earlier versions": 1}


def test_roboclerk(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"SystemRequirements": [{"ItemTitle": "no id"}, 3],\n'
        '"Risks": [{"ItemID": "R1", "LinkedItems": [\n{"LinkType": 1}]}],\n"Rissks": [1, 2]}'
    )

    corpus = read_corpus(tmp_path)

    assert told(corpus) == [
        ("TR007", "a.json:1"),
        ("TR008", "a.json:1"),
        ("TR013", "a.json:3"),
        ("TR014", "a.json:4"),
    ]
    assert corpus.findings[-1].mend == "Did you mean Risks?"
    assert corpus.left_out == {"Rissks": 2}


def test_rdm(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "requirements.yml").write_text(
        "requirements:\n  - id: r-1\n    titel: x\n  - title: y\n  - 3\n"
        "specification:\n  - id: s-1\n    req_id: r-1, r-2\n"
    )
    (data / "risk.yml").write_text("risks: none\n")

    corpus = read_corpus(tmp_path)

    assert told(corpus) == [
        ("TR009", "data/requirements.yml:3"),
        ("TR007", "data/requirements.yml:4"),
        ("TR008", "data/requirements.yml:1"),
        ("TR008", "data/risk.yml:1"),
    ]
    assert corpus.findings[0].mend == "Did you mean title?"
    assert [one.target for one in corpus.items[-1].references] == ["r-1", "r-2"]


def test_manual_tests_of_rdm_keep_all_that_was_said_of_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/manual_tests.yml").write_text(
        "- name: Try\n  tester: AK\n  date: 2026-01-02\n  result: fail\n  steps:\n"
        "    - Plain words.\n    - step: 1\n      reslt: pass\n    - step: 2\n      req_id: r-1\n"
        "- name: Again\n  req_ids: [r-1]\n  stepps:\n    - step: 1\n"
    )

    corpus = read_corpus(tmp_path, "rdm")

    first, second = corpus.items
    said = {**first.fields}
    steps = said.pop("steps")
    assert {key: str(one) for key, one in said.items()} == {
        "tester": "AK",
        "date": "2026-01-02",
        "result": "fail",
    }
    assert steps == ["Plain words.", {"step": 1, "reslt": "pass"}, {"step": 2, "req_id": "r-1"}]
    assert second.fields["stepps"] == [{"step": 1}]
    assert told(corpus) == [
        ("TR008", "data/manual_tests.yml:5"),
        ("TR009", "data/manual_tests.yml:8"),
        ("TR014", "data/manual_tests.yml:10"),
        ("TR014", "data/manual_tests.yml:13"),
        ("TR014", "data/manual_tests.yml:12"),
    ]


def test_sheets_by_a_map_of_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "risks.csv"
    path.write_text(
        "Ref;Was passiert;Controls;Owner\nH-1;Verwechslung;REQ-1, REQ-2;AK\n;no id;;\n\n"
        "H-2;a;;b;too much\n"
    )
    columns = column_map(["uid=Ref", "title=was passiert", "link:mitigates=Controls"], "risk")

    corpus = read_corpus(path, columns=columns)

    first = corpus.items[0]
    assert (first.uid, first.kind, first.title) == ("H-1", "risk", "Verwechslung")
    assert [(one.role, one.target) for one in first.references] == [
        ("mitigates", "REQ-1"),
        ("mitigates", "REQ-2"),
    ]
    assert first.fields == {"Owner": "AK"}
    assert told(corpus) == [("TR007", "risks.csv:3"), ("TR008", "risks.csv:5")]


def test_a_column_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Id,Title\n1,x\n")

    corpus = read_corpus(tmp_path, columns=column_map(["title=Titel"]))

    assert [(one.code, one.mend) for one in corpus.findings] == [("TR014", "Did you mean 'Title'?")]


def test_a_map_that_names_no_part_of_an_item_is_refused_whole() -> None:
    with pytest.raises(Invalid) as caught:
        column_map(["uuid=Id", "title", "link:=x", "text=Text"])

    assert [one.where for one in caught.value.faults] == ["uuid=Id", "title", "link:=x"]
    assert caught.value.faults[0].mend == "Did you mean uid=?"


def test_a_hazard_log_is_read_row_by_row(tmp_path: Path) -> None:
    from openpyxl import Workbook

    from qms.interchange.readers.sheets import HAZARD_COLUMNS

    book = Workbook()
    book.active.append([f"{one} " for one in HAZARD_COLUMNS])
    book.active.append(["hz-1", "Wrong dose", "Overdose", "Swap", "None", 5, 2, 4, "REQ-1", 1, 2])
    book.active.append([None, "No id"])
    book.save(tmp_path / "log.xlsx")
    (tmp_path / "requirements.yml").write_text("requirements: []\n")

    corpus = read_corpus(tmp_path)

    (hazard,) = corpus.items
    assert (hazard.uid, hazard.kind, hazard.title) == ("hz-1", "hazard", "Wrong dose")
    assert hazard.fields["initial_severity"] == "5"
    assert told(corpus) == [("TR007", "log.xlsx/Sheet:3")]


FILES = {
    "doorstop": (".doorstop.yml", "settings:\n  prefix: R\n"),
    "strictdoc": ("a.sdoc", "[DOCUMENT]\n"),
    "sphinx-needs": ("needs.json", '{"versions": {}}'),
    "openfasttrace": ("a.md", "`req~a~1`\n"),
    "roboclerk": ("a.json", '{"Risks": [], "SOUPs": []}'),
    "rdm": ("data/requirements.yml", "requirements: []\n"),
    "reqif": ("a.reqif", "<REQ-IF/>"),
    "sheets": ("a.csv", "Id\n1\n"),
}


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("name", FILES)
def test_each_format_is_found_out(tmp_path: Path, name: str) -> None:
    write(tmp_path, *FILES[name])

    assert detect(files_below(tmp_path)).format == name
    assert set(FILES) == set(FORMATS)


def test_two_formats_in_one_folder_are_both_named(tmp_path: Path) -> None:
    write(tmp_path, *FILES["reqif"])
    write(tmp_path, *FILES["strictdoc"])

    with pytest.raises(Invalid) as caught:
        detect(files_below(tmp_path))

    assert [(one.where, one.mend) for one in caught.value.faults] == [
        ("a.sdoc", "Say '--format strictdoc'."),
        ("a.reqif", "Say '--format reqif'."),
    ]


def test_what_is_there_instead_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "no id\n")
    write(tmp_path, "b.json", "{}")
    write(tmp_path, "c.yml", "a: b\n")

    with pytest.raises(Invalid) as caught:
        read_corpus(tmp_path)

    (fault,) = caught.value.faults
    assert "3 files: 1 of .md, 1 of .json, 1 of .yml" in fault.what
    assert "'.doorstop.yml'" in fault.what


@pytest.mark.parametrize("name", ["doorstopp", "nonsense"])
def test_a_format_that_there_is_not_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_corpus(tmp_path, name)

    expected = "Did you mean doorstop?" if name == "doorstopp" else "There are doorstop, "
    assert caught.value.faults[0].mend.startswith(expected)


def test_nothing_at_all_is_no_success(tmp_path: Path) -> None:
    write(tmp_path, *FILES["doorstop"])

    with pytest.raises(Invalid, match="No item could be read"):
        read_corpus(tmp_path)
    with pytest.raises(Invalid, match="no file or folder"):
        read_corpus(tmp_path / "absent")


@pytest.mark.parametrize(
    ("cell", "targets"),
    [
        ("REQ-10, REQ-2 and REQ-3", ["REQ-10", "REQ-2", "REQ-3"]),
        ("see REQ-10 (REQ-2).", ["REQ-10", "REQ-2"]),
        ("REQ-10; LOGIN", ["REQ-10", "LOGIN"]),
        ("n/a", []),
        ("N/A", []),
        ("-", []),
        ("\u2013", []),
        ("1.1. 1.2.", ["1.1.", "1.2."]),
        ("login and logout", ["login", "logout"]),
    ],
)
def test_the_words_between_the_ids_of_a_cell_are_no_links(
    tmp_path: Path, cell: str, targets: list[str]
) -> None:
    (tmp_path / "a.csv").write_text(f'Id,Parent\nA-1,"{cell}"\n')

    corpus = read_corpus(tmp_path)

    assert [one.target for one in corpus.items[0].references] == targets
    assert corpus.findings == ()


@pytest.mark.parametrize("cell", ["REQ-1 - REQ-5", "REQ-1 to REQ-5", "REQ-1 \u2013 REQ-5"])
def test_a_range_of_ids_is_told_since_only_its_ends_are_read(tmp_path: Path, cell: str) -> None:
    (tmp_path / "a.csv").write_text(f"Id,Parent\nA-1,{cell}\n")

    corpus = read_corpus(tmp_path)

    assert [one.target for one in corpus.items[0].references] == ["REQ-1", "REQ-5"]
    assert [(one.code, str(one.place)) for one in corpus.findings] == [("TR008", "a.csv:2")]
