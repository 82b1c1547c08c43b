"""A way is walked as a set, and the shortest ways follow the record types."""

import pytest

from core.errors import Invalid
from qms.traceability.columns import columns_for, known_columns
from qms.traceability.paths import Step, reach, read_columns, shortest_ways, walk

LINKS = {
    "requirement": {"derives_from": ["need"], "allocated_to": ["item"]},
    "test": {"verifies": ["requirement"], "validates": ["need"]},
    "item": {},
    "need": {},
    "island": {},
}


def words(ways):
    return sorted(" ".join(map(str, way)) for way in ways)


def test_a_direct_link_is_preferred_to_a_detour() -> None:
    assert words(shortest_ways("need", "test", LINKS)) == ["<validates"]


def test_all_ways_of_the_shortest_length_are_found() -> None:
    links = LINKS | {"test": {"verifies": ["requirement"], "checks": ["requirement"]}}

    assert words(shortest_ways("requirement", "test", links)) == ["<checks", "<verifies"]


def test_a_detour_is_found_where_there_is_no_direct_link() -> None:
    assert words(shortest_ways("item", "test", LINKS)) == ["<allocated_to <verifies"]
    assert words(shortest_ways("item", "need", LINKS)) == ["<allocated_to derives_from"]


def test_a_type_that_nothing_links_to_has_no_way() -> None:
    assert shortest_ways("need", "island", LINKS) == ()


def test_a_type_reaches_itself_only_through_others() -> None:
    assert words(shortest_ways("test", "test", {"test": {"follows": ["test"]}})) == [
        "<follows",
        "follows",
    ]


def test_walking_gathers_sets_where_paths_would_multiply(book) -> None:
    """Ten layers of ten, fully joined: 10**10 paths, and 10 records at the end."""
    for layer in range(10):
        for number in range(10):
            book.add("item", f"L{layer}.{number}")
            for below in range(10) if layer else ():
                book.link(f"L{layer}.{number}", "part_of", f"L{layer - 1}.{below}")
    snapshot = book.snapshot()

    end = walk(snapshot, book.key("L9.0"), (Step("part_of", forward=True),) * 9)

    assert {key.uid for key in end} == {f"L0.{number}" for number in range(10)}


def test_the_union_of_several_ways_holds_each_record_once(book) -> None:
    book.add("test", "T1")
    book.add("requirement", "R1")
    book.link("T1", "verifies", "R1")
    book.link("T1", "validates", "R1")
    ways = ((Step("verifies", forward=False),), (Step("validates", forward=False),))

    assert reach(book.snapshot(), book.key("R1"), ways) == {book.key("T1")}


def test_the_columns_that_ship_are_well_formed_and_name_types() -> None:
    table = known_columns()

    assert [c.name for c in table["requirement"] if c.shown] == [
        "user_need",
        "software_item",
        "test",
    ]
    assert all(column.lack for columns in table.values() for column in columns if column.required)


def test_chosen_columns_keep_their_order_and_unlisted_ones_are_worked_out() -> None:
    columns = columns_for("need", ["test", "requirement"], LINKS)

    assert [column.name for column in columns] == ["test", "requirement"]
    assert all(column.required for column in columns)


def test_every_impossible_choice_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        columns_for("need", ["nothing", "island", "unheard"], LINKS)

    assert [fault.code for fault in refusal.value.faults] == ["TM02", "TM02", "TM03"]


def test_faulty_column_data_names_every_entry() -> None:
    data = [{"rows": "a", "columns": [{"name": "b"}, {"along": [["x"]]}]}, {"columns": []}]

    with pytest.raises(Invalid) as refusal:
        read_columns(data, "paths.yaml")

    assert len(refusal.value.faults) == 3


def test_a_role_that_says_no_more_stands_beside_the_ways_that_do_and_never_instead() -> None:
    links = {
        **LINKS,
        "item": {"traces_to": ["need", "island", "item"]},
        "requirement": {**LINKS["requirement"], "traces_to": ["need"]},
    }

    assert words(shortest_ways("need", "requirement", links)) == ["<derives_from", "<traces_to"]
    assert words(shortest_ways("need", "item", links)) == [
        "<derives_from allocated_to",
        "<traces_to",
    ]
    assert words(shortest_ways("island", "item", links)) == ["<traces_to"]
    assert words(shortest_ways("item", "item", links)) == [
        "<allocated_to allocated_to",
        "<traces_to",
        "traces_to",
    ]
