"""Faults seeded in tests and runs: family E."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.records.snapshot import Key
from core.verdicts import NOT_RUN, Verdict, VerdictWord
from qms.rules.facts import DeviationFact, InstallationFact, Measured
from qms.rules.view import View
from tests.qms.rules.conftest import DATA

RUN_TESTS = ("TST-004", "TST-005", "TST-007", "TST-008", "TST-009", "TST-010", "TST-026")
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def test_requirement_untested(demo) -> None:
    demo.unlink("TST-002", "verifies", "REQ-001")

    demo.must_name("E01", "REQ-001")


def test_requirement_untested_in_the_release(demo) -> None:
    demo.unlink("REL-0.1.0", "tested_by", "TST-008")

    demo.must_name("E01", "REQ-007")


def test_need_not_validated(demo) -> None:
    demo.unlink("TST-021", "validates", "UN-001")

    demo.must_name("E02", "UN-001")


def test_clinical_use_without_validation(demo) -> None:
    demo.fill("REL-0.1.0", clinical_use=True)

    demo.must_name("E02", "UN-002", "UN-005", "UN-006")


def test_for_nothing(demo) -> None:
    demo.add("test", "TST-099", state="draft")

    demo.must_name("E03", "TST-099")


def test_failed(demo) -> None:
    demo.verdicts["TST-009"] = Verdict(VerdictWord.FAILED, "15")

    demo.must_name("E04", "TST-009")


def test_on_another_commit_and_not_run(demo) -> None:
    demo.verdicts["TST-009"] = Verdict(VerdictWord.OLDER_COMMIT, "13", "a" * 40)
    del demo.verdicts["TST-010"]

    demo.must_name("E04", "TST-009", "TST-010")


def test_run_without_tools(demo) -> None:
    demo.rerun("TST-004", tools=())

    demo.must_name("E05", "TST-004")


def test_run_without_end(demo) -> None:
    demo.rerun("TST-005", ended_at=None)

    demo.must_name("E05", "TST-005")


def test_protocol_approved_late(demo) -> None:
    demo.change("TST-004", approved_at=LATER)

    demo.must_name("E06", "TST-004")


def test_older_protocol_was_run(demo) -> None:
    demo.change("TST-004", revision=2)

    demo.must_name("E06", "TST-004")


def test_designer_validates(demo) -> None:
    demo.fill("TST-004", level="validation")

    demo.must_name("E07", "TST-004")


def installed(demo, found: InstallationFact | None) -> None:
    demo.runs = [replace(run, installation=found) for run in demo.runs]


def test_run_on_an_unchecked_installation(demo) -> None:
    installed(demo, None)

    demo.must_name("E08", "REL-0.1.0")
    assert len(demo.result("E08").findings) == 1


def test_run_on_an_installation_that_failed_its_check(demo) -> None:
    installed(demo, InstallationFact(("numpy 2.4.5, locked is 2.4.6",), kept=True))

    demo.must_name("E08", "REL-0.1.0")


def test_run_whose_environment_changed(demo) -> None:
    installed(demo, InstallationFact((), kept=False))

    demo.must_name("E08", "REL-0.1.0")


def test_run_by_hand_has_no_installation(demo) -> None:
    installed(demo, None)
    demo.runs = [replace(run, by_hand=True, signed_by=(run.tester,)) for run in demo.runs]

    assert demo.flawed("E08") == []


def on_data(demo, uid: str, digest: str | None) -> None:
    """Let every run have been on other files of a data set, or on none."""
    given = {**DATA, uid: digest} if digest else {k: v for k, v in DATA.items() if k != uid}
    demo.runs = [replace(run, data_sets=tuple(given.items())) for run in demo.runs]


def test_run_on_other_data_than_registered(demo) -> None:
    on_data(demo, "DS-003", "f" * 64)

    demo.must_name("E11", "DS-003")
    assert len(demo.result("E11").findings) == 1  # one run, however many tests are on it
    assert "with the digest ffffffffffff; registered is 333333333333" in (
        demo.result("E11").findings[0].sentence
    )


def test_run_that_was_not_given_its_data(demo) -> None:
    on_data(demo, "DS-002", None)

    demo.must_name("E11", "DS-002")


def test_data_without_digest_or_approval(demo) -> None:
    demo.fill("DS-002", digest=" ")
    demo.change("DS-003", state="draft", in_force=False)

    demo.must_name("E11", "DS-002", "DS-003")


def test_data_of_a_run_by_hand_cannot_be_hashed(demo) -> None:
    demo.runs = [
        replace(run, by_hand=True, signed_by=(run.tester,), data_sets=()) for run in demo.runs
    ]

    assert demo.result("E11").looked_at == 0


def test_tool_in_no_register(demo) -> None:
    demo.change("EQP-003", state="draft", in_force=False)

    demo.must_name("E18", "REL-0.1.0")
    [finding] = demo.result("E18").findings
    assert "pytest 9.2.0, which is in no register of tools" in finding.sentence


@pytest.mark.parametrize(
    "changed",
    [
        {"validated_version": "9.1.0", "version": "9.1.0"},
        {"validated_on": "2026-11-20"},
        {"validated_on": None},
        {"validation_evidence": " "},
    ],
)
def test_tool_at_a_version_that_nobody_validated_by_then(demo, changed) -> None:
    demo.fill("EQP-003", **changed)

    demo.must_name("E18", "REL-0.1.0")
    [finding] = demo.result("E18").findings
    assert "EQP-003 does not say that this version was validated by then" in finding.sentence
    assert finding.address == "/p/RPM/EQP-003"


def test_tool_is_known_by_any_of_its_records(demo) -> None:
    demo.fill("EQP-003", validated_version="9.3.0", version="9.3.0")
    older = demo.add("equipment", "EQP-013", **demo.records[demo.key("EQP-003")].fields)
    demo.fill(older.key.uid, validated_version="9.2.0", version="9.2.0", identity="PyTest")

    assert demo.flawed("E18") == []


def test_failure_without_report(demo) -> None:
    demo.runs.append(replace(demo.runs[0], run="13", outcome="failed", commit="a" * 40))

    demo.must_name("E09", "TST-004")


def test_rejected_or_older_report_explains_no_failure(demo) -> None:
    demo.runs.append(replace(demo.runs[0], run="13", outcome="failed", commit="a" * 40))
    demo.add("problem", "PR-090", state="rejected")
    demo.link("PR-090", "raised_by_test", "TST-004")
    older = demo.add("problem", "PR-091", state="closed")
    demo.link("PR-091", "raised_by_test", "TST-004")
    demo.change("PR-091", approved_at=demo.runs[0].started_at - timedelta(days=1))

    demo.must_name("E09", "TST-004")

    demo.records[older.key] = replace(older, approved_at=demo.runs[0].started_at)
    assert demo.flawed("E09") == []


def test_test_of_another_project_has_no_verdict_here(demo) -> None:
    other = replace(demo.records[demo.key("TST-004")], key=Key("OTHER", "TST-004"))

    assert View(demo.input(), {}).verdict(other) is NOT_RUN


def failed_before(demo, **repeated) -> None:
    """Run 13 failed on TST-004 at the same commit, was looked into, and run 14 passed."""
    demo.rerun("TST-004", **repeated)
    passed = next(run for run in demo.runs if run.test == "TST-004")
    began = passed.started_at - timedelta(hours=1)
    demo.runs.append(replace(passed, run="13", outcome="failed", started_at=began, lineage=()))
    demo.add("problem", "PR-002", "closed", safety_relevant=False, found_in="0.1.0-dev")
    demo.change("PR-002", approved_at=began + timedelta(minutes=30))
    demo.link("PR-002", "raised_by_test", "TST-004")


def test_rerun_that_passes_over_what_failed(demo) -> None:
    failed_before(demo)

    demo.must_name("E19", "TST-004")


def test_rerun_that_says_what_it_repeats_but_not_why(demo) -> None:
    failed_before(demo, lineage=("13",), reason=" ")

    demo.must_name("E19", "TST-004")


def test_rerun_that_says_what_failed_and_why_it_was_repeated(demo) -> None:
    """Run 13 failed, another was interrupted, and run 14 repeats that one."""
    failed_before(demo, lineage=("13b", "13"), reason="The disk was full.")

    assert demo.result("E19").looked_at == 1
    demo.must_name("E19")


def test_run_without_evidence(demo) -> None:
    demo.rerun("TST-008", files=())

    demo.must_name("E12", "TST-008")


def test_evidence_without_a_digest(demo) -> None:
    demo.rerun("TST-008", files=("f" * 64, ""))

    demo.must_name("E12", "TST-008")


def test_no_figures(demo) -> None:
    demo.rerun("TST-008", measured=())

    demo.must_name("E13", "TST-008")


def test_figure_without_actual(demo) -> None:
    demo.rerun("TST-009", measured=(Measured("V", "50", "0.4", "", "%", passed=True),))

    demo.must_name("E13", "TST-009")


def test_unit_tested_as_a_whole(demo) -> None:
    demo.fill("TST-008", level="system")

    demo.must_name("E14", "SI-03")


def test_deviation_without_signature(demo) -> None:
    lamp = DeviationFact("The lamp went out.", "Accepted.", "")
    demo.runs = [replace(run, deviations=(lamp,)) for run in demo.runs]

    demo.must_name("E10", "REL-0.1.0")
    assert len(demo.result("E10").findings) == 1  # one run, however many tests it executed


def test_deviation_that_nobody_decided(demo) -> None:
    demo.rerun("TST-004", deviations=(DeviationFact("The lamp went out.", " ", "PPL-EQ"),))

    demo.must_name("E10", "REL-0.1.0")


def test_deviation_that_was_noted_again_and_signed(demo) -> None:
    before = DeviationFact("The lamp went out.", "", "")
    again = DeviationFact("The lamp went out.", "Accepted.", "PPL-EQ", LATER)
    demo.rerun("TST-004", deviations=(before, again))

    assert demo.result("E10").looked_at == 1
    assert demo.flawed("E10") == []


def test_deviation_of_another_commit_is_not_of_this_release(demo) -> None:
    lamp = DeviationFact("The lamp went out.", "", "")
    demo.rerun("TST-004", deviations=(lamp,), commit="a" * 40)

    assert demo.flawed("E10") == []


def test_run_by_hand_signed_by_another(demo) -> None:
    demo.rerun("TST-008", by_hand=True, signed_by=("PPL-EQ",))

    demo.must_name("E15", "TST-008")


def test_run_by_hand_that_waits_for_its_signature(demo) -> None:
    """The run before it passed: what is observed now may say otherwise."""
    passed = next(run for run in demo.runs if run.test == "TST-008")
    demo.runs.append(replace(passed, run="15", outcome="interrupted", by_hand=True))

    demo.must_name("E15", "TST-008")
    assert demo.flawed("E04") == []


def test_run_by_hand_that_its_tester_signed(demo) -> None:
    demo.rerun("TST-008", by_hand=True, signed_by=("PPL-BT",))

    assert demo.flawed("E15") == []
    assert demo.result("E15").looked_at == 1


def test_tester_untrained(demo) -> None:
    demo.rerun("TST-004", tester="PPL-HO")

    demo.must_name("E16", "TST-004")


def test_training_on_an_older_document(demo) -> None:
    demo.change("DOC-VVP", revision=3)

    demo.must_name("E16", *RUN_TESTS)


def test_training_signed_by_nobody(demo) -> None:
    demo.change("TRN-005", signatures=())

    demo.must_name("E16", *RUN_TESTS)


def test_training_signed_by_the_trainee_alone(demo) -> None:
    attended, approved = demo.records[demo.key("TRN-005")].signatures
    demo.change("TRN-005", signatures=(attended, replace(approved, person_uid="PPL-BT")))

    demo.must_name("E16", *RUN_TESTS)


def test_training_done_before_the_document_was_approved(demo) -> None:
    demo.fill("TRN-005", done="2026-05-30")

    demo.must_name("E16", *RUN_TESTS)


def test_no_training_matrix(demo) -> None:
    demo.fill("PRJ-RPM", training_matrix=None)

    demo.must_name("E16", *RUN_TESTS)


def test_sample_size_unexplained(demo) -> None:
    demo.fill("TST-015", sample_size=None)

    demo.must_name("E17", "TST-015")


def test_unit_test_claims_to_validate(demo) -> None:
    demo.link("TST-007", "validates", "UN-002")

    demo.must_name("E20", "TST-007")


def test_validation_without_users(demo) -> None:
    for person in ("PPL-GL", "PPL-HO"):
        demo.unlink("TST-021", "performed_by", person)

    demo.must_name("E20", "TST-021")
