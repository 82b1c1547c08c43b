"""Family E: tests cover what must be covered, ran at the release's commit, and left evidence."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator
from typing import Final

from core.records.snapshot import RecordView
from core.verdicts import VerdictWord
from qms.rules.facts import DeviationFact, InstallationFact, RunOfTest, settled
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
_QUANTITATIVE = Subjects(
    "tests of the release that state a tolerance",
    lambda view: [test for test in view.of_release("tested_by") if filled(test, "tolerance")],
)
_STATISTICAL = Subjects(
    "tests of stage PQ",
    lambda view: [test for test in view.live("test") if text(test, "stage") == "PQ"],
)
_RUN_TESTS = Subjects(
    "tests of the release that were run",
    lambda view: [t for t in view.of_release("tested_by") if view.latest_run(t) is not None],
)
_BY_HAND = Subjects(
    "tests of the release that were run by hand",
    lambda view: [
        test
        for test in view.of_release("tested_by")
        if any(run.by_hand for run in _here(view, test))
    ],
)
_DEVIATING = Subjects(
    "the release, where a run of it deviated",
    lambda view: [view.release] if view.release and _deviations(view) else [],
)
_EXECUTED = Subjects(
    "the release, where a worker executed it",
    lambda view: [view.release] if view.release and _installations(view) else [],
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

_RUN_STATES: Final = {
    "outcome": "its result",
    "anomalies": "anomalies",
    "version": "the version tested",
    "commit": "the commit tested",
    "environment": "its environment",
    "tools": "the tools used",
    "started_at": "when it began",
    "ended_at": "when it ended",
    "tester": "its tester",
}


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


@rule(
    "E05",
    "Run record holds result, anomalies, version, environment, tools, date, tester",
    _RUN_TESTS,
)
def runs_are_complete(view: View, record: RecordView) -> Iterator[Flaw]:
    """What IEC 62304 9.8 asks of a test record is there."""
    for run in _latest(view, record):
        lacking = [words for name, words in _RUN_STATES.items() if not getattr(run, name)]
        if lacking:
            yield Flaw(f"was run ({run.run}) without {', '.join(lacking)}.", "Run it again.")


def _here(view: View, test: RecordView) -> list[RunOfTest]:
    """Return every execution of a test at the release's commit, whatever came of it."""
    commit = view.release_commit
    return [run for run in view.runs.get(test.key.uid, ()) if run.commit == commit]


def _deviations(view: View) -> list[tuple[str, DeviationFact]]:
    """Return each deviation of a run at the release's commit once, with the run."""
    return list(
        dict.fromkeys(
            (run.run, one)
            for test in view.of_release("tested_by")
            for run in _here(view, test)
            for one in settled(run.deviations)
        )
    )


def _installations(view: View) -> list[tuple[str, InstallationFact | None]]:
    """Return what each run that decides about the release found of its installation."""
    latest = [run for test in view.of_release("tested_by") for run in _latest(view, test)]
    return list(dict.fromkeys((one.run, one.installation) for one in latest if not one.by_hand))


def _latest(view: View, record: RecordView) -> list[RunOfTest]:
    run = view.latest_run(record)
    return [run] if run is not None else []


@rule("E06", "Protocol was approved before execution", _RUN_TESTS)
def protocols_came_first(view: View, record: RecordView) -> Iterator[Flaw]:
    """The revision that ran is the one in force, and it was approved by then."""
    for run in _latest(view, record):
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
    for run in _latest(view, record):
        person = people.get(run.tester)
        if person is None or person.fields.get("independent_of_design") is not True:
            yield Flaw(
                f"was run ({run.run}) by {run.tester}, who is not recorded as independent of the "
                "design.",
                "Have somebody independent run it.",
            )


@rule("E08", "Environment of each run passed its check and kept its digest", _EXECUTED)
def installations_were_checked(view: View, _: RecordView) -> Iterator[Flaw]:
    """What ran the tests was what had been installed, answered as it must, and stayed so."""
    for run, found in _installations(view):
        if found is None:
            yield Flaw(
                f"was executed in run {run}, which did not check its installation.", "Run it again."
            )
            continue
        if found.problems:
            yield Flaw(
                f"was executed in run {run} on an installation that failed its check: "
                f"{'; '.join(found.problems)}.",
                "Mend the installation (fiducial doctor), then run it again.",
            )
        if not found.kept:
            yield Flaw(
                f"was executed in run {run}, at whose end the environment or the engine was "
                "another one than at its start.",
                "Run it again.",
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


@rule("E10", "Each deviation has a disposition and a signature", _DEVIATING)
def deviations_are_decided(view: View, _: RecordView) -> Iterator[Flaw]:
    """What did not go as the protocol says was decided on by somebody who put their name to it."""
    for run, one in _deviations(view):
        lacking = [
            words
            for words, value in {
                "a disposition": one.disposition.strip(),
                "a signature": one.signed_by,
            }.items()
            if not value
        ]
        if lacking:
            yield Flaw(
                f'was executed in run {run} with the deviation "{one.what}" without '
                f"{' and '.join(lacking)}.",
                "Note it again in the same words, with what was decided; noting it signs it.",
            )


@rule("E12", "Each run left files of evidence, each with its digest", _RUN_TESTS)
def evidence_is_kept(view: View, record: RecordView) -> Iterator[Flaw]:
    """At least one; whether they are unchanged is what verifying the audit trail reads them for."""
    for run in _latest(view, record):
        if not run.files:
            yield Flaw(f"was run ({run.run}) and left no file of evidence.", "Run it again.")
        nameless = sum(not digest for digest in run.files)
        if nameless:
            yield Flaw(
                f"left {nameless} files of evidence without a digest in run {run.run}.",
                "Run it again.",
            )


@rule("E13", "Quantitative test records measured value, expectation and tolerance", _QUANTITATIVE)
def figures_are_recorded(view: View, record: RecordView) -> Iterator[Flaw]:
    """A test that states a tolerance leaves figures behind, not only a verdict."""
    for run in _latest(view, record):
        if not run.measured:
            yield Flaw(f"recorded no figure in run {run.run}.", "Record what was measured.")
        for measured in run.measured:
            lacking = [
                words
                for words, value in {
                    "the expectation": measured.expected,
                    "the tolerance": measured.tolerance,
                    "the actual value": measured.actual,
                }.items()
                if not value
            ]
            if lacking:
                yield Flaw(
                    f"recorded {measured.name} in run {run.run} without {', '.join(lacking)}.",
                    "Record what was measured.",
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


@rule("E15", "Manual run is signed by its tester", _BY_HAND)
def runs_by_hand_are_signed(view: View, record: RecordView) -> Iterator[Flaw]:
    """Nobody else can say what was observed; one that still waits may hide a failure."""
    for run in _here(view, record):
        if not run.by_hand:
            continue
        if run.outcome == "interrupted":
            yield Flaw(
                f"is being run by hand ({run.run}) by {run.tester}, who has not signed.",
                "Have the run signed, or given up.",
            )
        elif run.tester not in run.signed_by:
            yield Flaw(
                f"was run by hand ({run.run}) by {run.tester}, who did not sign.",
                "Run it again, and sign it.",
            )


@rule("E16", "Each tester was trained before the run", _RUN_TESTS)
def testers_were_trained(view: View, record: RecordView) -> Iterator[Flaw]:
    """On every document that the matrix asks of the role; a missing matrix is no training."""
    role = "validation_tester" if text(record, "level") == "validation" else "tester"
    for run in _latest(view, record):
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
