"""Faults seeded in changes, problems and the release: family F."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.records.snapshot import Key
from qms.rules.facts import BaselineFact, ChangeMade, Tagged

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def test_closed_without_risk_review(demo) -> None:
    demo.change("CR-001", state="closed")
    demo.fill("CR-001", risk_reviewed=False)

    demo.must_name("F01", "CR-001")


def test_problem_assessed_by_nobody(demo) -> None:
    demo.unlink("PR-001", "evaluated_by", "PPL-DM")

    demo.must_name("F03", "PR-001")


def test_safety_question_unanswered(demo) -> None:
    demo.fill("PR-001", safety_relevant=None)

    demo.must_name("F03", "PR-001")


def test_known_problem_not_listed(demo) -> None:
    demo.unlink("REL-0.1.0", "known_anomalies", "PR-001")

    demo.must_name("F04", "PR-001")


def test_problem_without_rationale(demo) -> None:
    demo.fill("PR-001", rationale=None)

    demo.must_name("F04", "PR-001")


def test_safety_problem_open(demo) -> None:
    demo.fill("PR-001", safety_relevant=True)

    demo.must_name("F05", "PR-001")


def test_commit_missing(demo) -> None:
    demo.fill("REL-0.1.0", commit=None)

    demo.must_name("F06", "REL-0.1.0")


def test_commit_abbreviated(demo) -> None:
    demo.fill("REL-0.1.0", commit="3f2c1a9")

    demo.must_name("F06", "REL-0.1.0")


def test_tag_moved(demo) -> None:
    demo.tagged = Tagged("a" * 40)

    demo.must_name("F06", "REL-0.1.0")


def test_tag_unknown(demo) -> None:
    demo.tagged = Tagged(None, "no repository of RPM has the tag v0.1.0")

    demo.must_name("F06", "REL-0.1.0")


def test_record_changed_after_the_freeze(demo) -> None:
    demo.baseline = replace(demo.baseline, changed=(Key("RPM", "REQ-009"),))

    demo.must_name("F06", "REL-0.1.0")


def test_baseline_tampered(demo) -> None:
    demo.baseline = replace(demo.baseline, intact=False)

    demo.must_name("F06", "REL-0.1.0")


def test_baseline_of_another(demo) -> None:
    demo.baseline = BaselineFact("1" * 64, intact=True, changed=())

    demo.must_name("F06", "REL-0.1.0")


def test_release_holds_drafts(demo) -> None:
    demo.change("DOC-SEC", state="draft")
    demo.change("TST-004", state="in_review")

    demo.must_name("F07", "TST-004", "DOC-SEC")


def test_kept_too_short(demo) -> None:
    demo.fill("REL-0.1.0", retention_years=5)

    demo.must_name("F08", "REL-0.1.0")


def test_archive_unnamed(demo) -> None:
    demo.fill("REL-0.1.0", archive_location=None)

    demo.must_name("F08", "REL-0.1.0")


def test_safety_officer_did_not_sign(demo) -> None:
    signatures = demo.records[demo.key("REL-0.1.0")].signatures
    kept = tuple(s for s in signatures if s.role != "clinical_safety_officer")
    demo.change("REL-0.1.0", signatures=kept)

    demo.must_name("F09", "REL-0.1.0")


def test_release_changed_after_signing(demo) -> None:
    demo.change("REL-0.1.0", envelope_digest="another commit")

    demo.must_name("F09", "REL-0.1.0")


def test_nobody_asked_to_sign(demo) -> None:
    demo.fill("REL-0.1.0", required_signatures=[])

    demo.must_name("F09", "REL-0.1.0")


def test_signed_before_the_last_run(demo) -> None:
    demo.rerun("TST-004", started_at=LATER, ended_at=LATER)

    demo.must_name("F10", "REL-0.1.0")


def changed(demo, *named: str) -> None:
    """Let the release add one commit to an earlier one."""
    demo.source = replace(demo.source, changes=(ChangeMade("c" * 40, "Round figures", named),))


def test_commit_without_a_change(demo) -> None:
    changed(demo)

    demo.must_name("F02", "REL-0.1.0")


def test_commit_that_names_no_change_but_something_else(demo) -> None:
    changed(demo, "REQ-009", "CR-999")

    demo.must_name("F02", "REL-0.1.0")
    (finding,) = demo.result("F02").findings
    assert "holds commit cccccccccccc (Round figures), which names REQ-009, CR-999" in (
        finding.sentence
    )


def test_commit_whose_change_nobody_accepted(demo) -> None:
    changed(demo, "CR-001")
    demo.change("CR-001", state="open")

    demo.must_name("F02", "REL-0.1.0")


@pytest.mark.parametrize("known", [{}, {"CR-001": ("accepted",)}])
def test_commit_of_a_change_that_nobody_signed_as_accepted(demo, known) -> None:
    changed(demo, "CR-001")
    demo.unaccepted = known

    demo.must_name("F02", "REL-0.1.0")


def test_closed_change_that_was_not_accepted_as_it_stands(demo) -> None:
    demo.change("CR-001", state="closed")
    demo.unaccepted["CR-001"] = ("reviewed",)

    demo.must_name("F01", "CR-001")
    (finding,) = demo.result("F01").findings
    assert "the signatures that accept it" in finding.sentence


def test_commit_of_an_accepted_change(demo) -> None:
    changed(demo, "REQ-009", "CR-001")

    assert demo.result("F02").looked_at == 1
    demo.must_name("F02")
