"""Faults seeded in records, links and signatures: family A names each at its record."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from core.records.suspects import Happened
from qms.rules.facts import AuditFact
from tests.qms.rules.conftest import TODAY


def test_two_ids_read_the_same(demo) -> None:
    demo.add("requirement", "req-9", state="draft")

    demo.must_name("A01", "REQ-009", "req-9")


def test_required_field_empty(demo) -> None:
    demo.fill("REQ-009", category=None)

    demo.must_name("A02", "REQ-009")


def test_required_text_empty(demo) -> None:
    demo.change("UN-001", body=" ")

    demo.must_name("A02", "UN-001")


def test_an_issue_that_came_closed_lacks_what_closing_asks_for(whole) -> None:
    """Written elsewhere and imported closed, so no form ever asked."""
    whole.fill("CAPA-001", effectiveness_checked_on=None)
    whole.must_name("A02", "CAPA-001")

    whole.change("CAPA-001", state="in_work")
    whole.must_name("A02")


def test_type_file_missing(demo) -> None:
    demo.change("REQ-001", type="wish")

    demo.must_name("A02", "REQ-001")


def test_link_to_nothing(demo) -> None:
    demo.link("REQ-009", "derives_from", "UN-099")

    demo.must_name("A03", "REQ-009")


def test_matrix_names_a_missing_document(demo) -> None:
    matrix = [{"role": "tester", "documents": ["DOC-VVP", "DOC-GONE"]}]
    demo.fill("PRJ-RPM", training_matrix=matrix)

    demo.must_name("A03", "PRJ-RPM")


def test_role_between_wrong_types(demo) -> None:
    demo.link("REQ-009", "allocated_to", "UN-001")

    demo.must_name("A04", "REQ-009")


def test_role_unknown_to_the_type(demo) -> None:
    demo.link("REQ-010", "likes", "UN-001")

    demo.must_name("A04", "REQ-010")


def test_item_withdrawn_under_others(demo) -> None:
    demo.change("SI-05", state="withdrawn", withdrawn=True)
    demo.unlink("DD-04", "designs", "SI-05")
    demo.unlink("REL-0.1.0", "contains", "SI-05")

    demo.must_name(
        "A05",
        "REQ-002",
        "REQ-009",
        "REQ-010",
        "REQ-011",
        "RSK-004",
        "RSK-005",
        "CR-001",
        "JDG-001",
    )


def test_approval_signature_missing(demo) -> None:
    kept = [s for s in demo.records[demo.key("REQ-009")].signatures if s.meaning != "approved"]
    demo.change("REQ-009", signatures=tuple(kept))

    demo.must_name("A06", "REQ-009")


def test_signature_is_for_an_older_revision(demo) -> None:
    demo.change("REQ-010", envelope_digest="envelope of revision 2")

    demo.must_name("A06", "REQ-010")


def test_issue_is_decided_on_without_a_signature(demo) -> None:
    demo.change("PR-001", signatures=())
    demo.change("CR-001", state="closed")

    demo.must_name("A06", "CR-001", "PR-001")


def test_co_author_approves_own_revision(demo) -> None:
    demo.change("REQ-009", co_authors=("PPL-BT", "PPL-EQ"))

    demo.must_name("A07", "REQ-009")


def test_co_author_signs_as_author(demo) -> None:
    demo.change("REQ-010", co_authors=("PPL-BT",))
    demo.resign("REQ-010", person_uid="PPL-BT", name="Ben Tarrant")

    demo.must_name("A07")


def test_author_approves_own_revision(demo) -> None:
    demo.change("REQ-009", author_uid="PPL-EQ")

    demo.must_name("A07", "REQ-009")


def test_another_signs_as_author(demo) -> None:
    demo.resign("REQ-010", person_uid="PPL-BT", name="Ben Tarrant")

    demo.must_name("A07", "REQ-010")


def test_approved_without_the_role(demo) -> None:
    first, second = demo.records[demo.key("RSK-001")].signatures
    demo.change("RSK-001", signatures=(first, replace(second, role="quality_manager")))

    demo.must_name("A08", "RSK-001")


def test_signature_without_printed_name(demo) -> None:
    demo.resign("REQ-009", name="")

    demo.must_name("A09", "REQ-009")


def test_signature_without_time_zone(demo) -> None:
    demo.resign("REQ-010", at=datetime(2026, 6, 1, 9, 0))  # noqa: DTZ001 - the fault itself

    demo.must_name("A09", "REQ-010")


def test_content_changed_behind_the_signature(demo) -> None:
    demo.digests[demo.key("REQ-009")] = "0" * 64

    demo.must_name("A10", "REQ-009")


def test_signature_carried_over(demo) -> None:
    demo.resign("REQ-010", envelope_digest="envelope of something else")

    demo.must_name("A10", "REQ-010")


def test_two_records_need_rereview(demo) -> None:
    cause = demo.key("REQ-009")
    for uid, distance in (("TST-009", 1), ("SI-05", 2)):
        suspicion = SimpleNamespace(
            record=demo.key(uid),
            cause=cause,
            role="verifies",
            distance=distance,
            happened=Happened.CHANGED,
        )
        demo.suspects.append(suspicion)

    demo.must_name("A11", "SI-05", "TST-009")


def test_item_is_its_own_grandparent(demo) -> None:
    demo.link("SI-00", "part_of", "SI-05")

    demo.must_name("A12", "SI-00")


def test_document_past_review(demo) -> None:
    demo.fill("DOC-SDP", review_by="2026-11-19")

    demo.must_name("A13", "DOC-SDP")


def test_number_that_no_record_carries(demo) -> None:
    del demo.records[demo.key("REQ-012")]
    demo.links = [one for one in demo.links if demo.key("REQ-012") not in (one.source, one.target)]

    demo.must_name("A15", "REQ-013")
    (finding,) = demo.result("A15").findings
    assert "follows REQ-012" in finding.sentence


def test_withdrawn_record_keeps_its_number(demo) -> None:
    demo.change("REQ-026", withdrawn=True, state="withdrawn")

    demo.must_name("A15")


def test_a_number_of_another_type_and_a_series_that_begins_later_are_no_gap(demo) -> None:
    demo.add("document", "NEW-101")
    demo.add("problem", "NEW-102", "closed")
    demo.add("document", "NEW-103")

    assert not {"NEW-101", "NEW-102", "NEW-103"} & set(demo.flawed("A15"))


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        (None, "of which no verification is recorded"),
        (AuditFact(TODAY, 3), "in which 3 things did not fit on 2026-11-20"),
        (AuditFact(TODAY - timedelta(days=8), 0), "last verified on 2026-11-12, 8 days ago"),
    ],
)
def test_audit_trail_not_verified(demo, audit, said) -> None:
    demo.audit = audit

    demo.must_name("A14", "PRJ-RPM")
    assert said in demo.result("A14").findings[0].sentence


def test_audit_trail_verified_within_the_limit(demo) -> None:
    demo.audit = AuditFact(TODAY - timedelta(days=7), 0)

    demo.must_name("A14")
