"""Family E, coverage: tests cover what must be covered, were approved, and ran at the commit."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator

from core.records.snapshot import RecordView
from core.verdicts import VerdictWord
from qms.rules.execution import RUN_TESTS, latest_runs
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, filled, in_force, is_in_force, of_release, rule, text

_RELEASE_TESTS = of_release("tested_by", "tests")
_C_UNITS = Subjects(
    "units of class C in force",
    lambda view: [
        item
        for item in view.in_force("software_item")
        if text(item, "class") == "C" and text(item, "kind") == "unit"
    ],
)
_STATISTICAL = Subjects(
    "tests of stage PQ",
    lambda view: [test for test in view.live("test") if text(test, "stage") == "PQ"],
)
_FAILED_TESTS = Subjects(
    "tests with a failed run",
    lambda view: [
        test
        for test in view.live("test")
        if any(run.outcome == "failed" for run in view.runs.get(test.key.uid, ()))
    ],
)
_TESTS = Subjects("tests that are not withdrawn", lambda view: view.live("test"))
_VALIDATING = Subjects(
    "tests that validate",
    lambda view: [test for test in view.live("test") if view.targets(test, "validates")],
)
_VALIDATIONS_RUN = Subjects(
    "validations of the release that were run",
    lambda view: [
        test
        for test in view.of_release("tested_by")
        if text(test, "level") == "validation" and view.latest_run(test) is not None
    ],
)


@rule("E01", "Each requirement is verified by a test", in_force("requirement", "requirements"))
def requirements_are_tested(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some test verifies it; for a requirement of the release, a test of the release does."""
    tests = view.sources(record, "verifies")
    if not tests:
        yield Flaw("is verified by no test.", "Write a test that verifies it.")
    elif record.key in view.delivered and not any(t.key in view.release_tests for t in tests):
        yield Flaw(
            "belongs to the release, and no test of the release verifies it.",
            "Add its test to the release.",
        )


@rule("E02", "Each user need has a validation", in_force("user_need", "user needs"))
def needs_are_validated(view: View, record: RecordView) -> Iterator[Flaw]:
    """Some test validates it; a release for clinical use holds that test, passed."""
    tests = view.sources(record, "validates")
    if not tests:
        yield Flaw("has no validation.", "Write a test with users that validates it.")
        return
    if not view.clinical:
        return
    met = {need.key for need in view.of_release("meets")}
    if record.key in met and not any(
        test.key in view.release_tests and view.verdict(test).passed for test in tests
    ):
        yield Flaw(
            "is met by a release for clinical use without a passed validation in it.",
            "Run its validation with users.",
        )


@rule("E03", "No test without a requirement or need", _TESTS)
def tests_have_a_reason(view: View, record: RecordView) -> Iterator[Flaw]:
    """Every test says what it is for."""
    if not view.targets(record, "verifies") and not view.targets(record, "validates"):
        yield Flaw("verifies and validates nothing.", "Link what it is for, or withdraw it.")


@rule("E04", "Latest run of each test of the release is at its commit and passed", _RELEASE_TESTS)
def tests_passed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Nothing but a recorded pass on the release's own commit counts."""
    verdict = view.verdict(record)
    if verdict.passed:
        return
    told = {
        VerdictWord.FAILED: f"failed in run {verdict.run}",
        VerdictWord.OLDER_COMMIT: f"last ran on another commit ({verdict.commit[:7]})",
        VerdictWord.NOT_RUN: "was not run on the release's commit",
        VerdictWord.PASSED: "passed",
    }[verdict.word]
    detail = f": {verdict.detail}" if verdict.detail else ""
    yield Flaw(f"{told}{detail}.", "Run the validation of the release again.")


@rule("E06", "Protocol was approved before execution", RUN_TESTS)
def protocols_came_first(view: View, record: RecordView) -> Iterator[Flaw]:
    """The revision that ran is the one in force, and it was approved by then."""
    for run in latest_runs(view, record):
        if not is_in_force(record) or record.approved_at is None:
            yield Flaw(f"ran ({run.run}) and is {record.state}.", "Approve it and run it again.")
        elif run.test_revision != record.revision:
            yield Flaw(
                f"ran ({run.run}) at revision {run.test_revision}; in force is {record.revision}.",
                "Run it again.",
            )
        elif record.approved_at > run.started_at:
            yield Flaw(f"was approved after its run {run.run} began.", "Run it again.")


@rule("E07", "Validation tester is independent of the design", _VALIDATIONS_RUN)
def validators_are_independent(view: View, record: RecordView) -> Iterator[Flaw]:
    """Nobody validates a design of their own."""
    people = {person.key.uid: person for person in view.in_force("person")}
    for run in latest_runs(view, record):
        person = people.get(run.tester)
        if person is None or person.fields.get("independent_of_design") is not True:
            yield Flaw(
                f"was run ({run.run}) by {run.tester}, who is not recorded as independent of the "
                "design.",
                "Have somebody independent run it.",
            )


@rule("E09", "Failed run has a problem report", _FAILED_TESTS)
def failures_are_reported(view: View, record: RecordView) -> Iterator[Flaw]:
    """A failure is never only a run: somebody looked into it, then or later."""
    reports = [report for report in view.sources(record, "raised_by_test") if is_in_force(report)]
    written = max((at for report in reports if (at := report.approved_at)), default=None)
    failed = [
        run.run
        for run in view.runs[record.key.uid]
        if run.outcome == "failed" and (written is None or written < run.started_at)
    ]
    if failed:
        yield Flaw(
            f"failed in run {', '.join(failed)} and no problem report since then says why.",
            "Write a problem report that names the test, or add the run to the open one.",
        )


@rule("E14", "Each class C unit has a unit-level test", _C_UNITS)
def c_units_are_tested(view: View, record: RecordView) -> Iterator[Flaw]:
    """A test of level unit verifies one of the unit's requirements."""
    levels = {
        text(test, "level")
        for requirement in view.sources(record, "allocated_to")
        for test in view.sources(requirement, "verifies")
    }
    if "unit" not in levels:
        yield Flaw("is a unit of class C without a unit-level test.", "Write one.")


@rule("E16", "Each tester was trained before the run", RUN_TESTS)
def testers_were_trained(view: View, record: RecordView) -> Iterator[Flaw]:
    """On every document that the matrix asks of the role; a missing matrix is no training."""
    role = "validation_tester" if text(record, "level") == "validation" else "tester"
    for run in latest_runs(view, record):
        if role not in view.training.matrix:
            yield Flaw(
                f"was run ({run.run}), and the training matrix says nothing of a {role}.",
                "Add the role to the training matrix of the project.",
                at=view.device.key if view.device else None,
            )
        for lack in view.training.lacking(run.tester, [role], run.started_at.date()):
            yield Flaw(f"was run ({run.run}) without training: {lack}", "Train, then run again.")


@rule("E17", "Statistical test states a sample size rationale", _STATISTICAL)
def sample_sizes_are_justified(_: View, record: RecordView) -> Iterator[Flaw]:
    """Why that many are enough."""
    if not filled(record, "sample_size"):
        yield Flaw("is of stage PQ and states no sample size.", "Say why that many are enough.")


@rule("E19", "A rerun never replaces an earlier failed run", _FAILED_TESTS)
def reruns_name_what_failed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Whoever repeats a run that failed says which one, and why; both stay in the record."""
    runs = view.runs[record.key.uid]
    for failed in (run for run in runs if run.outcome == "failed"):
        later = [
            run
            for run in runs
            if run.commit == failed.commit and run.started_at > failed.started_at
        ]
        silent = [run.run for run in later if failed.run not in run.lineage]
        wordless = [run.run for run in later if run.run not in silent and not run.reason.strip()]
        if silent:
            yield Flaw(
                f"failed in run {failed.run}, which run {', '.join(silent)} passes over.",
                "Run it again as a repetition of the run that failed.",
            )
        if wordless:
            yield Flaw(
                f"failed in run {failed.run}; run {', '.join(wordless)} does not say why it was "
                "repeated.",
                "Run it again and say why.",
            )


@rule("E20", "A user need is validated by users, and by nothing else", _VALIDATING)
def validation_is_by_users(view: View, record: RecordView) -> Iterator[Flaw]:
    """Level validation, stage PQ, with named users."""
    lacking = []
    if text(record, "level") != "validation":
        lacking.append("is not of level validation")
    if text(record, "stage") != "PQ":
        lacking.append("is not of stage PQ")
    if not view.targets(record, "performed_by"):
        lacking.append("names no users")
    if lacking:
        yield Flaw(f"claims to validate and {', '.join(lacking)}.", "Correct it, or let it verify.")
