"""Trailers name records; repeated keys, lists and stray punctuation all occur in real histories."""

import pytest

from qms.repositories.trailers import Mention, mentions, read_trailers

pytestmark = pytest.mark.verifies("TST-025")


def test_repeated_keys_are_all_kept_in_order() -> None:
    block = "Implements: SRS-012\nVerifies: TST-004\nImplements: SRS-013\n"

    assert read_trailers(block) == [
        ("Implements", "SRS-012"),
        ("Verifies", "TST-004"),
        ("Implements", "SRS-013"),
    ]


@pytest.mark.parametrize("key", ["Implements", "implements", "IMPLEMENTS"])
def test_the_case_of_a_key_does_not_matter(key: str) -> None:
    assert mentions([(key, "REQ-001")]) == [Mention("implements", "REQ-001")]


@pytest.mark.parametrize(
    "value",
    [
        "REQ-001, REQ-002",
        "REQ-001,REQ-002",
        "REQ-001 REQ-002",
        "REQ-001; REQ-002.",
        "(REQ-001, REQ-002)",
        "REQ-001, REQ-002, REQ-001",
    ],
)
def test_one_trailer_may_name_several_records_each_counted_once(value: str) -> None:
    assert [mention.named for mention in mentions([("Fixes", value)])] == ["REQ-001", "REQ-002"]


def test_other_trailers_name_nothing() -> None:
    assert mentions([("Signed-off-by", "REQ-001 <a@b>"), ("Reviewed-by", "TST-001")]) == []


def test_an_id_with_points_keeps_the_inner_ones() -> None:
    assert mentions([("Implements", "REL-0.1.0.")]) == [Mention("implements", "REL-0.1.0")]


def test_what_cannot_be_an_id_is_kept_and_marked() -> None:
    (found,) = mentions([("Fixes", "#42")])

    assert found.named == "#42"
    assert not found.well_formed


def test_an_endless_name_is_cut() -> None:
    (found,) = mentions([("Fixes", "A" * 100_000)])

    assert len(found.named) == 200
