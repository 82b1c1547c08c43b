"""A corpus becomes records by its tool's own words, and keeps what they have no room for."""

from collections.abc import Mapping

import pytest

from core.errors import Invalid
from core.records.types import get_registry
from qms.interchange.corpus import Corpus, Finding, Item, Place, Reference
from qms.interchange.mapping.accepting import known_codes, told_acceptance
from qms.interchange.mapping.back import corpus_of
from qms.interchange.mapping.records import MappedCorpus, Stated, map_corpus
from qms.interchange.mapping.uids import uid_of
from qms.interchange.markdown.record_file import RecordFile


def item(uid: str, kind: str = "req", *targets: str, role: str = "links", **said: object) -> Item:
    place = Place("a.csv", 7)
    return Item(
        uid, kind, str(said.pop("title", "T")), str(said.pop("text", "")), place,
        fields=said, references=tuple(Reference(role, one, place) for one in targets),
    )  # fmt: skip


def mapped(*items: Item, form: str = "sheets", **stated: object) -> MappedCorpus:
    corpus = Corpus(form, items)
    return map_corpus(corpus, Stated(**stated), get_registry(), "RPM")  # type: ignore[arg-type]


def records(found: MappedCorpus) -> Mapping[str, RecordFile]:
    return {one.uid: one for one in found.folder.records}


def codes(found: MappedCorpus) -> list[str]:
    return [one.code for one in found.folder.faults]


@pytest.mark.parametrize(
    ("form", "kind", "became"),
    [
        ("openfasttrace", "feat", "user_need"),
        ("openfasttrace", "dsn", "design"),
        ("rdm", "specification", "design"),
        ("roboclerk", "UnitTest", "test"),
        ("doorstop", "heading", "item"),
        ("reqif", "System Requirement", "requirement"),
        ("reqif", "SW_TEST", "test"),
        ("sphinx-needs", "need", "item"),
        ("strictdoc", "TEXT", "item"),
        ("sheets", "hazard", "risk"),
        ("sheets", "row", "item"),
    ],
)
def test_a_kind_becomes_the_type_that_its_tool_means(form: str, kind: str, became: str) -> None:
    assert records(mapped(item("A", kind), form=form))["A"].type == became


def test_the_most_exact_statement_about_a_type_counts() -> None:
    types = {"req": "design", "a.csv": "risk"}

    assert records(mapped(item("A"), types={"req": "user_need"}))["A"].type == "user_need"
    found = mapped(item("A"), types=types)
    assert records(found)["A"].type == "design"
    assert [one.where for one in found.folder.faults] == ["--type a.csv=risk"]


def test_a_link_becomes_what_the_types_at_its_ends_have_for_it() -> None:
    found = records(
        mapped(
            item("N", "need"),
            item("R", "req", "N"),
            item("D", "design", "R"),
            item("T", "test", "R", "D"),
            item("S", "req", "R", role="mitigates"),
            item("H", "hazard"),
            item("M", "req", "H", role="mitigates"),
        )
    )

    links = {
        uid: [(one.role, one.target) for one in record.content.links]
        for uid, record in found.items()
    }
    assert links == {
        "N": [],
        "R": [("derives_from", "N")],
        "D": [("satisfies", "R")],
        "T": [("verifies", "R"), ("traces_to", "D")],
        "S": [("traces_to", "R")],
        "H": [],
        "M": [("mitigates", "H")],
    }


def test_a_value_goes_into_a_field_only_where_it_can_be_told_again() -> None:
    found = records(
        mapped(item("A", "hazard", severity="3", Harm="Dose", likelihood_before="02", Owner="AK"))
    )

    fields = dict(found["A"].content.fields)
    origin = fields.pop("origin")
    assert fields == {"severity": 3, "harm": "Dose"}
    assert origin["moved"] == {"severity": "severity", "Harm": "harm"}
    assert origin["fields"] == {"likelihood_before": "02", "Owner": "AK"}


SCALES = {"severity": tuple("abcde"), "likelihood": tuple("abc")}


@pytest.mark.parametrize(
    ("said", "taken", "told"),
    [
        ({"severity": "9", "Likelihood before controls": "0"}, {}, 2),
        ({"severity": "5", "probability": "4"}, {"severity": 5}, 1),
        ({"severity": "Catastrophic"}, {}, 1),
        ({"severity": "1", "Initial severity": "5"}, {"severity": 1}, 1),
        ({"initial_severity": "4", "initial_likelihood": "3", "final_likelihood": "2"},
         {"severity": 4, "likelihood_before": 3, "likelihood_after": 2}, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["sheets", "rdm"])
def test_a_step_is_taken_on_its_scale_alone_and_any_other_stops_until_it_is_accepted(
    form: str, said: Mapping[str, str], taken: Mapping[str, int], told: int
) -> None:
    found = mapped(item("A", "hazard", **said), form=form, scales=SCALES)
    accepted = mapped(
        item("A", "hazard", **said), form=form, scales=SCALES, accepted=frozenset({"TR334"})
    )

    fields = dict(records(found)["A"].content.fields)
    del fields["origin"]
    assert fields == taken
    assert codes(found) == ["TR334"] * told
    assert codes(accepted) == []
    [back] = corpus_of(found.folder.records, form, {}).items
    assert back.fields == said


def test_a_stated_field_comes_before_a_name_that_matches() -> None:
    said = {"severity": "1", "Initial severity": "5", "Score": "4"}

    one = mapped(item("A", "hazard", **said), fields={"Initial severity": "severity"})
    both = mapped(
        item("A", "hazard", **said), fields={"Initial severity": "severity", "Score": "severity"}
    )

    assert records(one)["A"].content.fields["severity"] == 5
    assert codes(one) == []
    assert codes(both) == ["TR332"]


def test_what_is_stated_and_does_not_fit_is_told_with_what_was_probably_meant() -> None:
    found = mapped(
        item("A", "hazard", Score="high"),
        item("B", "req", "A"),
        types={"hazzard": "risk", "req": "requirment"},
        roles={"links": "satisfies"},
        fields={"Score": "severity"},
    )

    told = {(one.code, one.mend) for one in found.folder.faults}
    assert ("TR330", "Did you mean hazard?") in told
    assert ("TR330", "Did you mean requirement?") in told
    assert "TR332" in codes(found)
    again = mapped(item("A", "hazard"), item("B", "req", "A"), roles={"links": "satisfies"})
    assert codes(again) == ["TR331"]


def test_an_id_that_is_no_uid_is_spelt_from_itself_alone_and_kept() -> None:
    alike = ["req~a", "req-a", "Req a", "req_a", "REQ~a", "ä", "1", "_1", "a" * 99, "A" * 99]

    uids = [uid_of(one) for one in alike]
    found = mapped(*(item(one) for one in alike))

    assert len(set(uids)) == len(alike)
    assert codes(found) == []
    assert {one.content.fields["origin"]["id"] for one in found.folder.records} == set(alike)


def test_an_item_without_a_title_is_called_by_its_text_and_gives_the_title_back() -> None:
    long = "word " * 60
    found = records(mapped(item("A", title="", text="\n Shall.\nMore."), item("B", title=long)))

    assert found["A"].content.title == "Shall."
    assert found["A"].content.fields["origin"]["title"] == ""
    assert found["B"].content.title == long.strip()
    assert found["B"].content.fields["origin"]["title"] == long


def test_a_link_that_leads_nowhere_stops_until_it_is_accepted_and_is_kept() -> None:
    refused = mapped(item("REQ-1", "req", "REQ-2", "REQ-1"), item("REQ-3"))
    taken = mapped(
        item("REQ-1", "req", "REQ-2", "REQ-1"),
        item("REQ-3"),
        accepted=frozenset({"TR101", "TR104"}),
    )

    assert codes(refused) == ["TR101", "TR104"]
    assert refused.folder.faults[0].where == "a.csv:7"
    assert refused.folder.faults[0].mend == "Did you mean REQ-1? Or accept it: --accept TR101."
    assert codes(taken) == []
    record = records(taken)["REQ-1"]
    assert record.content.links == ()
    assert [one["target"] for one in record.content.fields["origin"]["links"]] == [
        "REQ-2",
        "REQ-1",
    ]
    told = told_acceptance(taken.findings, {"TR101", "TR104"})
    assert told == " Accepted: 1 of TR101, 1 of TR104."


def test_two_items_with_one_id_and_hostile_files_cannot_be_accepted() -> None:
    with pytest.raises(Invalid) as refusal:
        known_codes(["TR102", "TR005", "TR105", "TR999", "TR101"])

    assert [one.where for one in refusal.value.faults] == ["TR102", "TR005", "TR105", "TR999"]
    assert codes(mapped(item("A"), item("A"), accepted=frozenset({"TR102"}))) == ["TR102"]


def test_findings_that_only_ask_for_attention_stop_nothing() -> None:
    corpus = Corpus("doorstop", (item("A"), item("B", "req", "A"), item("C")), (
        Finding("TR012", "A changed since its review.", Place("a"), "A"),
    ))  # fmt: skip

    found = map_corpus(corpus, Stated(), get_registry(), "RPM")

    assert {one.code for one in found.findings} >= {"TR012"}
    assert found.folder.faults == ()
