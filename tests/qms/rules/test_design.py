"""Faults seeded in needs, requirements, items, designs and plans: family B."""

from datetime import UTC, datetime

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def test_need_without_requirement(demo) -> None:
    for uid in ("REQ-003", "REQ-012", "REQ-019"):
        demo.unlink(uid, "derives_from", "UN-005")

    demo.must_name("B01", "UN-005")


def test_requirement_from_nowhere(demo) -> None:
    demo.unlink("REQ-001", "derives_from", "UN-001")

    demo.must_name("B02", "REQ-001")


def test_requirement_carried_by_nothing(demo) -> None:
    demo.unlink("REQ-001", "allocated_to", "SI-01")

    demo.must_name("B03", "REQ-001")


def test_criterion_missing(demo) -> None:
    demo.fill("REQ-009", acceptance="  ")

    demo.must_name("B04", "REQ-009")


def test_two_obligations(demo) -> None:
    demo.change("REQ-009", body="The system shall compute and it shall show.")

    demo.must_name("B05", "REQ-009")


def test_vague_word(demo) -> None:
    demo.change("REQ-010", body="The system shall react quickly.")

    demo.must_name("B05", "REQ-010")


def test_same_text_twice(demo) -> None:
    demo.change("REQ-010", body=demo.records[demo.key("REQ-009")].body.upper())

    demo.must_name("B06", "REQ-009", "REQ-010")


def test_item_without_requirement(demo) -> None:
    demo.unlink("REQ-016", "allocated_to", "SI-07")

    demo.must_name("B08", "SI-07")


def test_unit_without_design(demo) -> None:
    demo.unlink("DD-04", "designs", "SI-05")

    demo.must_name("B09", "SI-05")


def test_design_only_drafted(demo) -> None:
    demo.change("DD-03", state="draft")

    demo.must_name("B09", "SI-04")


def test_interfaces_missing(demo) -> None:
    demo.fill("SI-05", interfaces=[])

    demo.must_name("B10", "SI-05")


def test_system_class_too_low(demo) -> None:
    demo.fill("SI-00", **{"class": "B"})

    demo.must_name("B11", "SI-00")


def test_lower_class_without_segregation(demo) -> None:
    demo.fill("SI-06", segregation=None)

    demo.must_name("B12", "SI-06")


def test_design_does_not_satisfy(demo) -> None:
    demo.unlink("DD-04", "satisfies", "REQ-009")

    demo.must_name("B13", "REQ-009")


def test_exclusions_missing(demo) -> None:
    demo.fill("PRJ-RPM", not_for=[])

    demo.must_name("B15", "PRJ-RPM")


def test_class_without_reasoning(demo) -> None:
    demo.fill("PRJ-RPM", device_class_reasoning=None)

    demo.must_name("B16", "PRJ-RPM")


def test_rationale_only_drafted(demo) -> None:
    demo.change("DOC-CLS", state="in_review")

    demo.must_name("B16", "PRJ-RPM")


def test_rationale_not_linked(demo) -> None:
    demo.unlink("PRJ-RPM", "software_class_justified_by", "DOC-CLS")

    demo.must_name("B16", "PRJ-RPM")


def test_market_scan_overdue(demo) -> None:
    demo.fill("PRJ-RPM", market_scan_next_review="2026-11-19")

    demo.must_name("B17", "PRJ-RPM")


def test_market_scan_missing(demo) -> None:
    demo.fill("PRJ-RPM", market_scan_result=None)

    demo.must_name("B17", "PRJ-RPM")


def test_plan_not_approved(demo) -> None:
    demo.change("DOC-VVP", state="draft")

    demo.must_name("B18", "PRJ-RPM")


def test_no_plan_for_a_clause(demo) -> None:
    demo.fill("DOC-RMP", covers=["ISO14971-4.4"])

    demo.must_name("B18", "PRJ-RPM")


def test_plan_approved_after_the_run(demo) -> None:
    demo.change("DOC-SDP", approved_at=LATER)

    demo.must_name("B18", "PRJ-RPM")


def test_a_requirement_for_a_later_release_may_await_its_design(demo) -> None:
    """REQ-002 is carried by a unit of class C too; only 1.0.0 delivers it."""
    assert demo.flawed("B13") == []

    demo.link("REL-0.1.0", "delivers", "REQ-002")

    demo.must_name("B13", "REQ-002")


def test_category_nobody_thought_of(demo) -> None:
    demo.fill("PRJ-RPM", categories_not_applicable=None)

    demo.must_name("B07", "PRJ-RPM")


def test_category_excused_without_a_reason(demo) -> None:
    rows = demo.records[demo.key("PRJ-RPM")].fields["categories_not_applicable"]
    demo.fill("PRJ-RPM", categories_not_applicable=[{**rows[0], "reason": " "}, *rows[1:]])

    demo.must_name("B07", "PRJ-RPM")


def test_file_of_an_item_moved(demo) -> None:
    demo.fill("SI-04", path="engine/dose/interpolation.py")

    demo.must_name("B14", "SI-04")


def test_item_without_a_path(demo) -> None:
    demo.fill("SI-04", path=None)

    demo.must_name("B14", "SI-04")


def test_item_of_a_later_release_may_have_no_file_yet(demo) -> None:
    demo.fill("SI-07", path="nowhere/yet")

    demo.must_name("B14")


def test_tree_of_the_release_unknown(demo) -> None:
    demo.source = None
    demo.must_name("B14", "REL-0.1.0")

    demo.fill("REL-0.1.0", commit=None)
    demo.must_name("B14")


def test_a_new_unit_fails_by_the_clauses_of_its_class(demo) -> None:
    unit = demo.add(
        "software_item", "SI-12", kind="unit", purpose="Adds doses.", path="engine/dose/sums.py",
        interfaces=["python call"], owner="PPL-AK", **{"class": "C"},
    )  # fmt: skip
    demo.link("SI-12", "part_of", "SI-00")

    def clauses() -> set[str]:
        return {
            clause
            for rule in demo.check().failing
            if "SI-12" in {finding.record.uid for finding in rule.findings}
            for clause in rule.clause.split("; ")
        }

    assert {"IEC 62304 5.4.2", "IEC 62304 5.5.5"} <= clauses()
    demo.fill(unit.key.uid, **{"class": "B"})
    assert "IEC 62304 5.3.5" in clauses()
    assert not {"IEC 62304 5.4.2", "IEC 62304 5.5.5"} & clauses()
    demo.fill(unit.key.uid, segregation="A process of its own.")
    assert "IEC 62304 5.3.5" not in clauses()
