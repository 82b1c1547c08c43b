"""Lists of clauses: what ships is whole, what a department writes is judged all at once."""

from itertools import pairwise
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.snapshot import natural_order
from core.records.types import TypeRegistry
from qms.clauses.lists import ClauseBook
from qms.clauses.packs import clause_book, read_clause_lists
from qms.rules.packs import framework_pack

ROOT = Path(__file__).parents[3]
OURS = ROOT / "qms/frameworks/clauses"

OWN = """key: local
name: Local rules
names: [LOCAL]
clauses:
  1.1: scope
  1.2: people
"""


@pytest.fixture(scope="module")
def book() -> ClauseBook:
    return clause_book()


def test_every_framework_is_there_in_the_order_of_the_page(book) -> None:
    assert list(book.lists) == [
        "13485", "62304", "14971", "62366-1", "82304-1", "dcb0129", "dcb0160", "part11", "hie",
        "gmlp", "other",
    ]  # fmt: skip
    assert len(book.lists["13485"].titles) == 71
    assert [key for key, one in book.lists.items() if not one.is_standard] == ["other"]


def test_no_list_has_a_number_twice_or_out_of_order(book) -> None:
    for file in OURS.glob("*.yaml"):
        lines = file.read_text().partition("\nclauses:\n")[2].splitlines()
        numbers = [line.strip().split(":")[0] for line in lines if line.startswith("  ")]
        assert len(numbers) == len(set(numbers)), file.name
        assert all(natural_order(a) < natural_order(b) for a, b in pairwise(numbers)), file.name
    for one in book.lists.values():
        assert all(len(title.split()) <= 9 for title in one.titles.values()), one.key


def test_every_clause_that_types_and_rules_name_is_in_a_list(book) -> None:
    types = TypeRegistry.load([ROOT / "qms/types", ROOT / "dataflows/types"])
    pack = framework_pack()

    named = [clause for one in types.all() for clause in one.clauses]
    named += [clause for entry in pack.entries.values() for clause in entry.clauses]
    named += [clause for question in pack.questions for clause in question.clauses]
    named += [str(clause) for clause in pack.limits["plan_clauses"]]

    assert len(named) > 250
    assert book.unknown(named) == []


def test_every_single_pointer_is_named_by_something(book) -> None:
    """A list that covers no framework has no other reason to hold a line."""
    types = TypeRegistry.load([ROOT / "qms/types", ROOT / "dataflows/types"])
    pack = framework_pack()
    demo = (ROOT / "app/demo/project.yaml").read_text()
    named = [clause for one in types.all() for clause in one.clauses]
    named += [clause for entry in pack.entries.values() for clause in entry.clauses]

    led = {one.number for each in named if (one := book.resolve(each)).framework == "other"}

    alone = [number for number in book.lists["other"].titles if number not in led]
    assert [number for number in alone if number not in demo] == []


@pytest.mark.parametrize(
    ("pointer", "framework", "number", "clauses"),
    [
        ("ISO13485-7.3.7", "13485", "7.3.7", ("7.3.7",)),
        ("ISO 13485:2016 7.3.7", "13485", "7.3.7", ("7.3.7",)),
        ("13485:7.3.2a", "13485", "7.3.2a", ("7.3.2",)),
        ("13485 7.5.9.1", "13485", "7.5.9.1", ("7.5.9",)),
        ("dcb 0129 6.3.3", "dcb0129", "6.3.3", ("6.3.3",)),
        ("DCB0129-6.3", "dcb0129", "6.3", ("6.3.1", "6.3.2", "6.3.3")),
        ("IEC82304-1-6.1", "82304-1", "6.1", ("6.1",)),
        ("IEC 62304:2006+A1:2015 5.1.1", "62304", "5.1.1", ("5.1.1",)),
        ("21 CFR 11.10(g)", "part11", "11.10g", ("11.10g",)),
        ("Part 11 11.50", "part11", "11.50", ("11.50a", "11.50b")),
        ("MDR Art 5(5)(c)", "hie", "5.5c", ("5.5c",)),
        ("EU/NI only: MDR-5.5c", "hie", "5.5c", ("5.5c",)),
        ("MHRA health institution exemption", "hie", "GB", ("GB",)),
        ("MDR-AnnexII-1.1f", "other", "MDR-AnnexII-1.1f", ("MDR-AnnexII-1.1",)),
        ("ISO/IEC 42001 A.6.2", "other", "ISO42001-A.6.2", ("ISO42001-A.6.2",)),
        ("GMLP 10", "gmlp", "10", ("10",)),
    ],
)
def test_a_pointer_leads_to_its_clause_however_it_is_spelt(
    book, pointer, framework, number, clauses
) -> None:
    found = book.resolve(pointer)

    assert (found.framework, found.number, found.clauses) == (framework, number, clauses)


@pytest.mark.parametrize(
    "pointer",
    ["", "7.3.7", "ISO13485-7.3.99", "ISO13485-7.3.7.1", "ISO13485-7a", "13485-17.3", "GMLP-11"],
)
def test_a_pointer_to_nothing_leads_nowhere(book, pointer) -> None:
    assert book.resolve(pointer) is None


def test_a_letter_names_a_part_and_a_heading_the_clauses_below(book) -> None:
    assert book.resolve("13485 7.3.7b").is_part
    assert not book.resolve("DCB0129 2.6").is_part
    assert book.resolve("GMLP").number == ""
    assert [one.framework for one in book.search("5.1")] == [
        "13485", "62304", "14971", "62366-1", "dcb0129", "dcb0160",
    ]  # fmt: skip
    assert book.search("nothing of that") == []


@pytest.mark.parametrize(
    ("key", "number", "written"),
    [
        ("13485", "7.3.7", "ISO13485-7.3.7"),
        ("hie", "GB", "MHRA-HIE"),
        ("other", "IPEM-81", "IPEM-81"),
        ("part11", "11.70", "21CFRPart11-11.70"),
    ],
)
def test_a_clause_is_written_so_that_it_is_found_again(book, key, number, written) -> None:
    assert book.lists[key].pointer(number) == written
    assert book.resolve(written).clauses == (number,)


def test_a_list_of_the_department_comes_before_ours_and_another_key_adds_one(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(OWN)
    (tmp_path / "b.yaml").write_text(OWN.replace("local", "gmlp").replace("LOCAL", "GMLP"))

    book = read_clause_lists(OURS, tmp_path)

    assert book.resolve("LOCAL-1.2").clauses == ("1.2",)
    assert list(book.lists["gmlp"].titles) == ["1.1", "1.2"]
    assert list(book.lists)[-2:] == ["local", "other"]


def test_every_fault_of_every_file_is_named_with_its_line(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(
        'key: Local!\nname: ""\nclauses: {}\n'  # neither key nor name
    )
    (tmp_path / "b.yaml").write_text("key: b\nname: B\nnames: [B]\nclauses: {}\n")
    (tmp_path / "c.yaml").write_text(
        "key: c\n"
        "name: C\n"
        "colour: red\n"
        "names: [ISO 13485, 5]\n"
        "parts: [9.9.9]\n"
        "clauses:\n"
        "  1.2: two\n"
        "  1.1: one\n"
        "  1.1: again\n"
        "  x.1: no number\n"
        "  1.3:\n"
        "  1.4: {title: four, classes: [B, D], size: 3}\n"
    )
    (tmp_path / "d.yaml").write_text("key: [\n")
    (tmp_path / "e.yaml").write_text("- a list\n")
    (tmp_path / "f.yaml").write_text(OWN)
    (tmp_path / "g.yaml").write_text(OWN)

    with pytest.raises(Invalid) as refusal:
        read_clause_lists(OURS, tmp_path)

    told = {(fault.code, fault.where.split(" ")[0]) for fault in refusal.value.faults}
    assert told == {
        ("CL01", "clauses/a.yaml:1"),
        ("CL02", "clauses/b.yaml:4"),
        ("CL06", "clauses/c.yaml:3"),
        ("CL10", "clauses/c.yaml:4"),
        ("CL11", "clauses/c.yaml:4"),
        ("CL04", "clauses/c.yaml:5"),
        ("CL07", "clauses/c.yaml:8"),
        ("duplicate-key", "clauses/c.yaml:9"),
        ("CL03", "clauses/c.yaml:10"),
        ("CL08", "clauses/c.yaml:11"),
        ("CL07", "clauses/c.yaml:11"),
        ("CL09", "clauses/c.yaml:12"),
        ("CL06", "clauses/c.yaml:12"),
        ("yaml-syntax", "clauses/d.yaml:2"),
        ("PK03", "clauses/e.yaml:1"),
        ("CL05", "clauses/g.yaml:1"),
    }
