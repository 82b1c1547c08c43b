"""Role paths of the columns: offered, chosen, said in words, refused where they lead nowhere."""

import pytest

from core.errors import Invalid
from core.records.types import get_registry
from qms.traceability.columns import columns_for
from qms.traceability.matrix import Facts, build_row
from qms.traceability.service import allowed_links, role_words
from qms.traceability.ways import along, departing, in_words, offered
from qms.traceability.why import explain_cell


@pytest.fixture
def links():
    return allowed_links(get_registry())


def usual(links):
    return columns_for("requirement", ["user_need", "test"], links)


def test_column_is_drawn_along_the_path_that_was_chosen(book, links) -> None:
    book.add("requirement", "REQ-001")
    book.add("risk", "RSK-001")
    book.add("test", "TST-001")
    book.link("REQ-001", "mitigates", "RSK-001")
    book.link("TST-001", "verifies", "RSK-001")
    columns = usual(links)
    chosen = along(columns, ["test:mitigates.<verifies"], "requirement", links)
    facts = Facts(book.snapshot())
    record = facts.snapshot.records[book.key("REQ-001")]

    before, after = (build_row(facts, record, each) for each in (columns, chosen))

    assert before.cells["test"] == ()
    assert [entry.record.key.uid for entry in after.cells["test"]] == ["TST-001"]
    assert departing(columns, chosen) == ["test:mitigates.<verifies"]
    assert chosen[0] == columns[0]


def test_the_usual_paths_named_anew_change_nothing(links) -> None:
    columns = usual(links)

    same = along(columns, ["test:<verifies", "test:<validates"], "requirement", links)

    assert same == columns
    assert departing(columns, same) == []


def test_path_that_leads_nowhere_is_refused_or_left_out(links) -> None:
    asked = ["test:derives_from", "risk:mitigates", "test:", "nothing"]

    with pytest.raises(Invalid) as refusal:
        along(usual(links), asked, "requirement", links)

    assert [fault.where for fault in refusal.value.faults] == asked
    assert along(usual(links), asked, "requirement", links, lenient=True) == usual(links)


def test_paths_are_offered_in_the_words_of_their_links(links) -> None:
    words = role_words(get_registry())
    column = usual(links)[1]

    told = {one.value: one for one in offered(column, column.ways, "requirement", links, words)}

    assert told["test:<verifies"].chosen
    assert told["test:<verifies"].words == "verified by"
    assert told["test:mitigates.<verifies"].words == "mitigates, then verified by"
    assert not told["test:mitigates.<verifies"].chosen


def test_cell_says_how_it_is_reached_what_stands_in_it_and_what_lacks(book, links) -> None:
    book.add("requirement", "REQ-001")
    book.add("user_need", "UN-001")
    book.link("REQ-001", "derives_from", "UN-001")
    columns = usual(links)
    facts = Facts(book.snapshot())
    row = build_row(facts, facts.snapshot.records[book.key("REQ-001")], columns)
    words = role_words(get_registry())

    need, test = (
        [str(one) for one in explain_cell(row, each, [in_words(way, words) for way in each.ways])]
        for each in columns
    )

    assert need[0] == "UN-001 is reached from REQ-001: derives from."
    assert test == [
        "Nothing is reached from REQ-001: verified by or validated by.",
        "No test verifies it.",
    ]
