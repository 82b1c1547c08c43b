"""Every corpus of other tools that is at hand is read whole, with the figures known of it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from qms.interchange.corpus import Corpus
from qms.interchange.linkcheck import check_links
from qms.interchange.readers.reading import read_corpus
from qms.interchange.readers.sheets import HAZARD_COLUMNS, plain

pytestmark = pytest.mark.verifies("TST-029")


@pytest.fixture(scope="module")
def trace(reference_data: Path) -> Path:
    return reference_data / "trace"


def roles(corpus: Corpus) -> Counter[str]:
    return Counter(one.role for item in corpus.items for one in item.references)


def kinds(corpus: Corpus) -> Counter[str]:
    return Counter(item.kind for item in corpus.items)


def test_doorstop_has_43_items_and_22_links_in_3_documents(trace: Path) -> None:
    corpus = read_corpus(trace / "doorstop")

    assert corpus.format == "doorstop"
    assert len(corpus.items) == 43
    assert roles(corpus) == {"parent": 22}
    assert {item.document for item in corpus.items} == {"REQ", "TUT", "EXT"}
    assert corpus.above == {"REQ": (), "TUT": ("REQ",), "EXT": ("REQ",)}


def test_the_stamps_of_doorstop_are_those_that_its_links_state(trace: Path) -> None:
    corpus = read_corpus(trace / "doorstop")
    stamps = {item.uid: item.revision for item in corpus.items}

    stated = [(one.stated, stamps[one.target]) for item in corpus.items for one in item.references]

    assert len(stated) == 22
    assert all(was == now for was, now in stated)


def test_doorstop_names_the_item_and_the_file_that_changed_since_their_review(trace: Path) -> None:
    corpus = read_corpus(trace / "doorstop")

    found = {(one.code, one.uid, str(one.place)) for one in corpus.findings}

    assert found == {
        ("TR010", "EXT002", "reqs/ext/EXT002.yml:9"),
        ("TR012", "TUT017", "reqs/tutorial/TUT017.yml:10"),
    }
    (carried,) = next(item for item in corpus.items if item.uid == "EXT001").attached
    assert carried.sha256 == "24d9b35c727e6c78676c2ad378a8c3c47cfb539f3583d3cd9e1eafee51d5679d"


def test_doorstop_keeps_the_level_as_it_is_written(trace: Path) -> None:
    corpus = read_corpus(trace / "doorstop")
    items = {item.uid: item for item in corpus.items}

    assert items["REQ003"].position == (2, 1)
    assert items["REQ003"].title == "Identifiers"
    assert items["REQ018"].kind == "heading"
    assert items["REQ018"].position == (1,)


def test_openfasttrace_has_116_items_with_revisions(trace: Path) -> None:
    corpus = read_corpus(trace / "openfasttrace")

    assert corpus.format == "openfasttrace"
    assert kinds(corpus) == {"feat": 10, "req": 45, "dsn": 61}
    assert roles(corpus) == {"covers": 124}
    assert corpus.above["req"] == ("feat",)
    assert corpus.above["dsn"] == ("req",)
    item = next(one for one in corpus.items if one.uid == "dsn~specification-item-id")
    assert (item.title, item.revision) == ("Specification Item ID", "1")
    assert item.fields["Needs"] == ("impl", "utest")
    assert [(one.target, one.stated) for one in item.references] == [
        ("req~specification-item", "2")
    ]


def test_openfasttrace_names_three_covered_items_without_a_revision(trace: Path) -> None:
    corpus = read_corpus(trace / "openfasttrace")

    found = [(one.code, one.place.line) for one in corpus.findings]

    assert found == [("TR013", 829), ("TR013", 872), ("TR013", 885)]


def test_strictdoc_has_449_uids_and_299_requirements(trace: Path) -> None:
    corpus = read_corpus(trace / "strictdoc")

    assert corpus.format == "strictdoc"
    assert sum("UID" in item.fields for item in corpus.items) == 449
    assert kinds(corpus)["REQUIREMENT"] == 299
    assert kinds(corpus)["DOCUMENT"] == 15
    assert corpus.findings == ()
    assert len({item.uid for item in corpus.items}) == len(corpus.items) == 1110


def test_strictdoc_relations_are_all_of_those_in_the_files_that_are_no_declaration_or_example(
    trace: Path,
) -> None:
    corpus = read_corpus(trace / "strictdoc")
    text = "\n".join(path.read_text(encoding="utf-8") for path in trace.rglob("*.sdoc"))
    own = Counter(re.findall(r"^- TYPE: (Parent|File)$", text, re.MULTILINE))
    declared = Counter(re.findall(r"^  - TYPE: (Parent|File)$", text, re.MULTILINE))
    examples = Counter(re.findall(r"^ {3,}- TYPE: (Parent|File)$", text, re.MULTILINE))

    assert roles(corpus) == own == {"Parent": 230, "File": 37}
    assert declared == {"Parent": 16, "File": 14}
    assert examples == {"Parent": 12, "File": 12}


def test_strictdoc_has_no_link_that_leads_nowhere(trace: Path) -> None:
    counts = check_links(read_corpus(trace / "strictdoc")).counts

    assert {code for code, count in counts.items() if count} == {"TR105"}


def test_roboclerk_has_167_items(trace: Path) -> None:
    corpus = read_corpus(trace / "roboclerk")

    assert corpus.format == "roboclerk"
    assert len(corpus.items) == 167
    assert kinds(corpus)["UnitTest"] == 143
    assert roles(corpus) == {"Parent": 10, "Child": 8, "Related": 3, "LinkType 10": 1}
    assert corpus.findings == ()


def test_roboclerk_orphans_are_those_that_say_so_of_themselves(trace: Path) -> None:
    corpus = read_corpus(trace / "roboclerk")

    found = {one.uid for one in check_links(corpus).findings if one.code == "TR105"}

    orphans = {item.uid for item in corpus.items if "I am an orphan" in item.text}
    assert orphans
    assert orphans <= found


def test_rdm_has_4_requirements_and_3_specifications(trace: Path) -> None:
    corpus = read_corpus(trace / "gstt-project")

    assert corpus.format == "rdm"
    assert kinds(corpus)["requirement"] == 4
    assert kinds(corpus)["specification"] == 3
    assert kinds(corpus)["risk"] == 1
    assert roles(corpus) == {"req_id": 3, "req_ids": 10}
    assert corpus.findings == ()
    assert corpus.left_out["risk_acceptability_matrix of risk.yml"] == 1


def test_the_hazard_log_has_11_columns(trace: Path) -> None:
    from openpyxl import load_workbook

    path = trace / "gstt-project/documentation/hazard_log_template.xlsm"
    sheet = load_workbook(path, read_only=True).worksheets[0]

    headings = [plain(str(one)) for one in next(sheet.iter_rows(values_only=True))]

    assert headings == [plain(one) for one in HAZARD_COLUMNS]
    assert len(headings) == 11


REQIF = {
    "examples/02_read_reqif/input.reqif": (3, 0),
    "examples/03_read_reqifz/input.reqifz": (2, 0),
    "examples/04_convert_reqif_to_json/sample1_polarion.reqif": (2, 0),
    "examples/04_convert_reqif_to_json/sample2_sdoc.reqif": (18, 0),
    "examples/04_convert_reqif_to_json/sample3_eclipse_rmf.reqif": (6, 0),
    "examples/04_convert_reqif_to_json/sample_polarion_reqifz.reqifz": (2, 0),
    "commands/validate/01_valid_file/sample.reqif": (1, 0),
    "commands/validate/_xsd_schema_validation/01_incorrect_reqif_version/sample.reqif": (2, 1),
}
"""Objects and relations, counted in the files themselves."""


@pytest.mark.parametrize("name", REQIF)
def test_reqif_of_four_tools_is_read_whole(trace: Path, name: str) -> None:
    corpus = read_corpus(trace / "reqif/tests/integration" / name)

    assert (len(corpus.items), sum(roles(corpus).values())) == REQIF[name]
    assert corpus.findings == ()


def test_reqif_values_have_the_names_that_the_tool_gave_them(trace: Path) -> None:
    folder = trace / "reqif/tests/integration/examples/04_convert_reqif_to_json"

    heading, requirement = read_corpus(folder / "sample1_polarion.reqif").items

    assert (heading.kind, heading.title, heading.position) == ("Heading", "Section 1", (1,))
    assert requirement.position == (1, 1)
    assert requirement.text == "The Lorem Ipsum shall do something."
    assert requirement.fields["Status"] == ("Draft",)
    assert requirement.place.line == 129


def test_every_reqif_file_is_read_or_told_with_its_line(trace: Path) -> None:
    from qms.interchange.readers import reqif
    from qms.interchange.readers.files import files_below

    paths = [*trace.rglob("*.reqif"), *trace.rglob("*.reqifz")]
    silent = [
        path
        for path in paths
        if not (read := reqif.read(files_below(path))).items
        and not read.findings
        # These four hold a specification without an object.
        and not re.search(r"/0[56]_SPECIFICATION", str(path))
    ]

    assert len(paths) == 36
    assert silent == []


def test_an_excel_export_of_doors_is_read(trace: Path) -> None:
    folder = trace / "reqif/tests/integration/examples/10_excel_convert_excel_to_reqif"

    corpus = read_corpus(folder)

    assert (corpus.format, len(corpus.items)) == ("sheets", 6)
    assert corpus.items[0].uid == "1"
    assert str(corpus.items[0].place) == "input.xlsx/Objects:2"
