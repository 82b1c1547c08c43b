"""Family E, execution: what a run was executed with and what it left behind."""
# ruff: noqa: D401 - the docstring of a rule is the claim it holds records to

from collections.abc import Iterator, Mapping
from typing import Final

from core.records.snapshot import Key, RecordView
from qms.rules.facts import DeviationFact, InstallationFact, RunOfTest, settled
from qms.rules.findings import Flaw
from qms.rules.view import Subjects, View, day, filled, is_in_force, missing, rule, text

RUN_TESTS = Subjects(
    "tests of the release that were run",
    lambda view: [t for t in view.of_release("tested_by") if view.latest_run(t) is not None],
)
_QUANTITATIVE = Subjects(
    "tests of the release that state a tolerance",
    lambda view: [test for test in view.of_release("tested_by") if filled(test, "tolerance")],
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
_DATA = Subjects(
    "data sets that a worker ran tests of the release on",
    lambda view: [view.snapshot.records[key] for key in _given(view)],
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
    latest = [run for test in view.of_release("tested_by") for run in latest_runs(view, test)]
    return list(dict.fromkeys((one.run, one.installation) for one in latest if not one.by_hand))


def _given(view: View) -> Mapping[Key, list[RunOfTest]]:
    """Return the data sets of executed tests, with the runs that executed one, each once."""

    def find() -> dict[Key, list[RunOfTest]]:
        found: dict[Key, dict[str, RunOfTest]] = {}
        for test in view.of_release("tested_by"):
            for run in latest_runs(view, test):
                for data_set in view.targets(test, "data") if not run.by_hand else ():
                    found.setdefault(data_set.key, {}).setdefault(run.run, run)
        return {key: list(runs.values()) for key, runs in found.items()}

    return view.once("data sets given to runs", find)


def _tools(view: View) -> dict[str, RunOfTest]:
    """Return each tool and version that a worker used, with the first run that used it."""
    runs = [run for test in view.of_release("tested_by") for run in latest_runs(view, test)]
    used: dict[str, RunOfTest] = {}
    for run in sorted(runs, key=lambda run: run.started_at):
        for tool in run.tools if not run.by_hand else ():
            used.setdefault(tool, run)
    return used


def latest_runs(view: View, record: RecordView) -> list[RunOfTest]:
    """Return the execution of a test that decides about it, if there is one."""
    run = view.latest_run(record)
    return [run] if run is not None else []


@rule(
    "E05",
    "Run record holds result, anomalies, version, environment, tools, date, tester",
    RUN_TESTS,
)
def runs_are_complete(view: View, record: RecordView) -> Iterator[Flaw]:
    """What IEC 62304 9.8 asks of a test record is there."""
    for run in latest_runs(view, record):
        lacking = [words for name, words in _RUN_STATES.items() if not getattr(run, name)]
        if lacking:
            yield Flaw(f"was run ({run.run}) without {', '.join(lacking)}.", "Run it again.")


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


@rule("E11", "Data used equals the registered data set", _DATA)
def data_are_the_registered(view: View, record: RecordView) -> Iterator[Flaw]:
    """The files that lay there had the digest that the record of the data set gives."""
    registered = text(record, "digest").removeprefix("sha256:").lower()
    for run in _given(view)[record.key]:
        found = dict(run.data_sets).get(record.key.uid)
        if record.key.project != view.project:
            yield Flaw(
                f"was to be used in run {run.run} and belongs to another project; a run is given "
                "the data sets of its own.",
                "Register it in this project too.",
            )
        elif not is_in_force(record):
            yield Flaw(f"was used in run {run.run} and is {record.state}.", "Approve it first.")
        elif not registered:
            yield Flaw(
                f"has no digest, so nobody can say what run {run.run} was made on.",
                "Freeze its files (fiducial data-sets) and write their digest.",
            )
        elif found is None:
            yield Flaw(
                f"was not given to run {run.run}, which executed tests that are on it.",
                "Run it again.",
            )
        elif found != registered:
            yield Flaw(
                f"was used in run {run.run} with the digest {found[:12]}; registered is "
                f"{registered[:12]}.",
                "Run it again on the registered files.",
            )


@rule("E12", "Each run left files of evidence, each with its digest", RUN_TESTS)
def evidence_is_kept(view: View, record: RecordView) -> Iterator[Flaw]:
    """At least one; whether they are unchanged is what verifying the audit trail reads them for."""
    for run in latest_runs(view, record):
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
    for run in latest_runs(view, record):
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


@rule("E18", "Tools used in runs are validated at that version", _EXECUTED)
def tools_are_validated(view: View, _: RecordView) -> Iterator[Flaw]:
    """Each is in the register of tools, validated at the version that was used, by then."""
    for tool, run in _tools(view).items():
        name, _space, version = tool.rpartition(" ")
        known = [
            one
            for one in view.in_force("equipment")
            if text(one, "kind") in ("test tool", "QMS tool")
            and text(one, "identity").casefold() == name.casefold()
        ]
        if not known:
            yield Flaw(
                f"was tested in run {run.run} with {tool}, which is in no register of tools.",
                "Record it as a test tool, with the evidence of its validation.",
            )
        elif not any(_validated(one, version, run) for one in known):
            held = known[-1]
            yield Flaw(
                f"was tested in run {run.run} with {tool}; {held.key.uid} does not say that this "
                "version was validated by then.",
                "Validate the version (fiducial tools check), record it, and run again.",
                at=held.key,
            )


def _validated(tool: RecordView, version: str, run: RunOfTest) -> bool:
    on = day(tool, "validated_on")
    return (
        text(tool, "validated_version") == version
        and on is not None
        and on <= run.started_at.date()
        and not missing(tool, {"validation_evidence": ""})
    )
