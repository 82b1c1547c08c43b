"""Every defect of links is told once, where it was written, and cheaply however many there are."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qms.interchange.corpus import Corpus, Item, Place, Reference
from qms.interchange.cycles import knots, way_round
from qms.interchange.linkcheck import LINKS, check_links
from qms.interchange.near_ids import NearIds
from qms.interchange.readers.codes import READING
from qms.interchange.readers.reading import read_corpus
from tests.effort import effort
from tests.qms.interchange.seeded import SEEDED

pytestmark = pytest.mark.verifies("TST-029")


def test_each_seeded_defect_is_found_once_with_its_file_and_line(seeded: Path) -> None:
    corpus = read_corpus(seeded)

    checked = check_links(corpus)

    assert corpus.findings == ()
    assert {one.code: str(one.place) for one in checked.findings} == SEEDED
    assert checked.counts == dict.fromkeys(LINKS, 1)


def test_what_was_meant_is_said(seeded: Path) -> None:
    checked = check_links(read_corpus(seeded))

    told = {one.code: (one.what, one.mend) for one in checked.findings}

    assert told["TR101"][1] == "Did you mean REQ3?"
    assert "SPEC5 -> SPEC6 -> SPEC5" in told["TR103"][0]
    assert "req/REQ1.yml:1" in told["TR102"][0]
    assert told["TR107"][1] == "Turn the link round."


def test_the_same_defects_are_found_in_needs(tmp_path: Path) -> None:
    links = {
        "N1": ("need", []),
        "N2": ("need", []),
        "R1": ("req", ["N1"]),
        "R2": ("req", ["N1x"]),
        "R3": ("req", ["R4"]),
        "R4": ("req", ["R3"]),
        "R5": ("req", ["R5", "N1"]),
        "R6": ("req", []),
        "R7": ("req", ["N1", "N1"]),
        "N3": ("need", ["R1"]),
    }
    needs = {
        uid: {"id": uid, "type": kind, "title": uid, "links": to}
        for uid, (kind, to) in links.items()
    }
    value = {"current_version": "1", "versions": {"1": {"needs": needs}}}
    (tmp_path / "needs.json").write_text(json.dumps(value, indent=1))

    counts = check_links(read_corpus(tmp_path), ("need", "req")).counts

    assert counts == {
        "TR101": 1, "TR102": 0, "TR103": 1, "TR104": 1, "TR105": 1, "TR106": 2, "TR107": 1,
        "TR108": 0, "TR109": 1,
    }  # fmt: skip


def test_a_link_is_outdated_by_a_revision_as_by_a_stamp() -> None:
    corpus = Corpus(
        "openfasttrace",
        (
            item("req~a", "req", revision="3"),
            item("dsn~a", "dsn", Reference("covers", "req~a", Place("b.md", 7), "2")),
            item("dsn~b", "dsn", Reference("covers", "req~a", Place("b.md", 9), "3")),
        ),
    )

    (found,) = [one for one in check_links(corpus).findings if one.code == "TR108"]

    assert str(found.place) == "b.md:7"
    assert "revision 2" in found.what


def test_what_could_not_be_judged_is_said() -> None:
    linked = item("R1", "req", Reference("links", "N1", Place("a", 1)))

    checked = check_links(Corpus("sphinx-needs", (item("N1", "need"), linked)))

    assert checked.not_judged == {"items whose coverage needs levels, which are not stated": 2}


def test_a_link_of_doorstop_without_a_stamp_is_not_taken_as_reviewed() -> None:
    linked = item("T1", "normative", Reference("parent", "R1", Place("a", 1)))
    corpus = Corpus("doorstop", (item("R1", "normative", revision="x"), linked))

    checked = check_links(corpus, ("normative",))

    unstamped = "links that state no revision, or lead to an item without one"
    assert checked.not_judged == {unstamped: 1}


def test_a_link_that_both_ends_state_is_one_link_and_no_circle() -> None:
    above = item("A", "SystemRequirement", Reference("Child", "B", Place("a", 1)))
    below = item("B", "SoftwareRequirement", Reference("Parent", "A", Place("a", 2)))

    assert not check_links(Corpus("roboclerk", (above, below))).findings


def test_links_to_files_are_not_held_against_the_items() -> None:
    one = item("A", "REQUIREMENT", Reference("File", "core/a.py", Place("a", 1)))

    checked = check_links(Corpus("strictdoc", (one,)))

    assert (checked.links, checked.findings) == (0, ())


def item(uid: str, kind: str, *references: Reference, revision: str | None = None) -> Item:
    return Item(uid, kind, "", "", Place("a", 1), revision=revision, references=references)


def layered(count: int, broken: bool) -> Corpus:
    """Four levels with four links from every item to the level above, as real ones have."""
    sizes = {"UN": 0.1, "REQ": 0.25, "SPEC": 0.3, "TST": 0.35}
    items: list[Item] = []
    above: list[str] = []
    for kind, share in sizes.items():
        uids = [f"{kind}-{number:05d}" for number in range(int(count * share))]
        for number, uid in enumerate(uids):
            targets = [above[(number * 7 + step * 13) % len(above)] for step in range(4) if above]
            ends = [f"{one}?" for one in targets] if broken else targets
            links = (Reference("links", one, Place("a", number)) for one in ends)
            items.append(item(uid, kind, *links))
        above = uids
    return Corpus("sheets", tuple(items))


@pytest.mark.parametrize("broken", [False, True])
def test_ten_thousand_items_cost_about_ten_times_as_much_as_one_thousand(broken: bool) -> None:
    levels = ("UN", "REQ", "SPEC", "TST")
    links: list[int] = []
    spent = {}
    for count in (1_000, 10_000):
        corpus = layered(count, broken)
        spent[count] = effort(lambda at=corpus: links.append(check_links(at, levels).links))

    assert links[-1] == 36_000
    assert spent[10_000] < 40 * spent[1_000]


def test_one_circle_of_ten_thousand_is_one_finding() -> None:
    count = 10_000
    ring = tuple(
        item(f"R{at}", "req", Reference("links", f"R{(at + 1) % count}", Place("a", at)))
        for at in range(count)
    )

    (found,) = check_links(Corpus("sheets", ring)).findings

    assert found.code == "TR103"
    assert "circle of 10000" in found.what
    assert len(found.what) < 200


GRAPH = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6
)


@given(GRAPH)
def test_knots_are_what_reaches_each_other(edges: dict[str, list[str]]) -> None:
    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(edges.get(start, ()))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += edges.get(one, ())
        return found

    over = {one: reached(one) for one in edges}
    expected = {
        frozenset(other for other in edges if other in over[one] and one in over[other])
        for one in edges
    }

    found = [frozenset(one) for one in knots(edges)]

    assert Counter(found) == Counter(one for one in expected if len(one) > 1)
    for knot in found:
        way = way_round(edges, knot)
        assert set(way) <= knot
        assert all(b in edges[a] for a, b in zip(way, [*way[1:], way[0]], strict=True))


@pytest.mark.parametrize(
    ("missing", "meant"),
    [
        ("req_0012", "REQ-0012"),
        ("REQ-12", "REQ-0012"),
        ("REQ-0021", "REQ-0012"),
        ("REQ-0013", "REQ-0012"),
        ("HAZ-7", None),
        ("x" * 500, None),
    ],
)
def test_the_id_that_was_meant_is_found(missing: str, meant: str | None) -> None:
    assert NearIds(["REQ-0012", "SYS-4400"]).to(missing) == meant


def test_every_code_has_one_meaning() -> None:
    assert not READING.keys() & LINKS.keys()
    assert all(code.startswith("TR") and len(code) == 5 for code in READING | LINKS)
