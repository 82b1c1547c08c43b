"""Faults seeded in the department and the data: families G and H."""

from dataclasses import replace

from core.records.snapshot import Key, RecordView


def test_no_system_realises_the_device(demo) -> None:
    demo.unlink("PQA", "realises", "PRJ-RPM")

    demo.must_name("G01", "PRJ-RPM")


def test_deployed_elsewhere(demo) -> None:
    demo.unlink("SI-00", "deployed_on", "PQA")
    key = Key("DEPT", "EPR")
    demo.records[key] = RecordView(key, "system", "EPR", state="approved")
    demo.links.append(
        replace(demo.links[-1], role="deployed_on", source=demo.key("SI-00"), target=key)
    )

    demo.must_name("G01", "PRJ-RPM")


def test_connection_without_qa(demo) -> None:
    demo.unlink("QA-001", "controls_connection", "C023")

    demo.must_name("G02", "C023")


def test_groups_do_not_add_up(demo) -> None:
    demo.fill("DS-004", count=301)

    demo.must_name("H02", "DS-004")


def test_demographics_unstated(demo) -> None:
    demo.fill("DS-001", demographics_statement=None)

    demo.must_name("H02", "DS-001")
