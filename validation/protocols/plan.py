"""Bind the scenarios of a protocol to the test records they claim to execute. Pure.

Every fault is found before anything runs, and all of them are told at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import Fault
from validation.recorder.evidence import ScenarioEvidence

NUMERICAL = "numerical"
"""The protocol of numerical comparisons with published data, and the tag of its scenarios."""

VERIFICATION = "verification"
"""The protocol of a release: the scenarios of the automated tests it names."""

MANUAL = "manual"
"""The protocol of a run that a person executes, and the method of the test it executes."""

COUNTED = (VERIFICATION, MANUAL)
"""The protocols whose complete runs say something about tests."""

TEST_PREFIX = "TST-"
"""How the uid of a test begins; a tag of this form that no record bears is a fault."""


@dataclass(frozen=True)
class TestRecord:
    """What a run needs to know of one test record.

    Attributes
    ----------
    revision : int or None
        The effective revision; None while the test was never approved.
    content_digest : str
        Of that revision.
    approved_at, approved_by : datetime, str
        When it was approved and the printed name under the approval.
    automated : bool
        A manual test has no scenario and reads "not run" until someone performs it.
    """

    __test__ = False

    uid: str
    title: str
    state: str
    automated: bool = True
    revision: int | None = None
    content_digest: str = ""
    approved_at: datetime | None = None
    approved_by: str = ""

    @property
    def approved(self) -> bool:
        """Whether an approved revision is in force."""
        return self.revision is not None and self.state != "withdrawn"


@dataclass(frozen=True)
class Listing:
    """The scenarios a protocol holds, and what stands in the way of executing them.

    Attributes
    ----------
    scenarios : tuple of ScenarioEvidence
        Bound to step code, each example row apart, in the order of the feature files.
    undefined : mapping
        Scenario key to the steps that no code defines.
    outlines_without_rows : frozenset of str
        Keys of outlines that would run once with ``<placeholders>`` in their steps.
    written : tuple of (feature, title)
        Every scenario as the feature files spell it.
    failures : tuple of str
        Step code that cannot be imported and feature files that cannot be read.
    """

    scenarios: tuple[ScenarioEvidence, ...]
    undefined: Mapping[str, tuple[str, ...]]
    outlines_without_rows: frozenset[str]
    written: tuple[tuple[str, str], ...]
    failures: tuple[str, ...]

    @classmethod
    def from_child(cls, held: Mapping[str, Any]) -> "Listing":
        """Read what the recorder's listing says."""
        rows = held["scenarios"]
        scenarios = [ScenarioEvidence.from_dict(row["scenario"]) for row in rows]
        keys = [scenario.key for scenario in scenarios]
        written = [(one["feature"], one["title"]) for one in held["written"] if "fault" not in one]
        unread = [f"{one['feature']}: {one['fault']}" for one in held["written"] if "fault" in one]
        return cls(
            scenarios=tuple(sorted(scenarios, key=_reading_order)),
            undefined={k: tuple(row["undefined"]) for k, row in zip(keys, rows, strict=True)},
            outlines_without_rows=frozenset(
                k for k, row in zip(keys, rows, strict=True) if row["outline_without_rows"]
            ),
            written=tuple(written),
            failures=(*held["failures"], *unread),
        )


@dataclass(frozen=True)
class Planned:
    """One scenario that a run will execute, and the test record it counts for."""

    scenario: ScenarioEvidence
    test: str | None
    ordinal: int

    @property
    def step_name(self) -> str:
        """The name under which a run remembers that this scenario is done."""
        return f"scenario:{self.test or NUMERICAL}:{self.ordinal}"


def plan_release(
    listing: Listing, tests: Sequence[TestRecord], known: Iterable[str]
) -> tuple[tuple[Planned, ...], list[Fault]]:
    """Choose the scenarios of a release's automated tests.

    Parameters
    ----------
    tests : sequence of TestRecord
        The tests the release names.
    known : iterable of str
        The uid of every test record of the project, planned ones included.

    Returns
    -------
    planned, faults : tuple, list
        Nothing may run unless the faults are empty.
    """
    faults = structural_faults(listing)
    uids = {*known, *(test.uid for test in tests)}
    chosen: list[ScenarioEvidence] = []
    planned: list[Planned] = []
    for scenario in listing.scenarios:
        faults.extend(_tag_faults(scenario, uids))
    for test in tests:
        own = [scenario for scenario in listing.scenarios if test.uid in scenario.tags]
        faults.extend(_test_faults(test, own))
        if test.automated:
            chosen.extend(own)
            planned.extend(Planned(scenario, test.uid, at) for at, scenario in enumerate(own))
    if not any(test.automated for test in tests):
        faults.append(
            Fault(
                "protocol-empty",
                "the release",
                "names no automated test, so there is nothing to execute.",
                "Link the release to the tests it is tested by.",
            )
        )
    return tuple(planned), [*faults, *scenario_faults(listing, chosen)]


def plan_numerical(listing: Listing) -> tuple[tuple[Planned, ...], list[Fault]]:
    """Choose the scenarios tagged ``@numerical``; they count for no test of a release."""
    chosen = [scenario for scenario in listing.scenarios if NUMERICAL in scenario.tags]
    faults = structural_faults(listing)
    if not chosen:
        faults.append(
            Fault(
                "protocol-empty",
                "features/",
                f"no scenario is tagged @{NUMERICAL}.",
                f"Tag the scenarios of the numerical comparison with @{NUMERICAL}.",
            )
        )
    faults.extend(scenario_faults(listing, chosen))
    return tuple(Planned(one, None, at) for at, one in enumerate(chosen)), faults


def structural_faults(listing: Listing) -> list[Fault]:
    """Find what makes the protocol as a whole unreadable or ambiguous."""
    faults = [
        Fault("protocol-unreadable", text.partition(":")[0], text.partition(":")[2].strip())
        for text in listing.failures
    ]
    bound = {(scenario.feature, scenario.title) for scenario in listing.scenarios}
    for (feature, title), times in Counter(listing.written).items():
        if times > 1:
            faults.append(
                Fault(
                    "scenario-doubled",
                    f'{feature} "{title}"',
                    f"stands {times} times in one feature file; only the last would run.",
                    "Give each scenario its own title or make it rows of one outline.",
                )
            )
        if (feature, title) not in bound and not listing.failures:
            faults.append(
                Fault(
                    "scenario-unbound",
                    f'{feature} "{title}"',
                    "is executed by no step code.",
                    "Bind it with scenarios(...) in a module below steps/.",
                )
            )
    for key, times in Counter(scenario.key for scenario in listing.scenarios).items():
        if times > 1:
            one = next(scenario for scenario in listing.scenarios if scenario.key == key)
            faults.append(
                Fault(
                    "scenario-bound-twice",
                    f'{one.feature} "{one.title}"',
                    f"would run {times} times: bound by several modules or by equal example rows.",
                    "Bind each feature once and remove the equal rows.",
                )
            )
    return faults


def scenario_faults(listing: Listing, chosen: Iterable[ScenarioEvidence]) -> list[Fault]:
    """Find what would keep the chosen scenarios from saying anything."""
    faults: list[Fault] = []
    for scenario in chosen:
        where = f'{scenario.feature} "{scenario.title}"'
        faults.extend(
            Fault("step-undefined", where, f'no code defines the step "{step}".', "Write it.")
            for step in listing.undefined.get(scenario.key, ())
        )
        if not scenario.steps:
            faults.append(
                Fault("scenario-empty", where, "has no steps.", "Write Given, When and Then.")
            )
        if scenario.key in listing.outlines_without_rows:
            faults.append(
                Fault(
                    "outline-empty",
                    where,
                    "is an outline without example rows; its <names> would stay unfilled.",
                    "Give it rows.",
                )
            )
    return faults


def approval_faults(test: TestRecord) -> list[Fault]:
    """Find a test that is not in force: a protocol is approved before it is executed."""
    if test.approved:
        return []
    return [
        Fault(
            "test-unapproved",
            test.uid,
            f"is {test.state.replace('_', ' ')}; a protocol is approved before it is executed.",
            "Have it approved, then start the run.",
        )
    ]


def _tag_faults(scenario: ScenarioEvidence, known: Iterable[str]) -> list[Fault]:
    """Find tags that name no test, several tests, or a test and a numerical comparison."""
    where = f'{scenario.feature} "{scenario.title}"'
    named = [tag for tag in scenario.tags if tag in known]
    faults = [
        Fault(
            "tag-unknown", where, f"is tagged @{tag}, but there is no such test.", "Mend the tag."
        )
        for tag in scenario.tags
        if tag.startswith(TEST_PREFIX) and tag not in known
    ]
    if len(named) > 1:
        faults.append(
            Fault(
                "tag-several",
                where,
                f"is tagged with several tests ({', '.join(named)}).",
                "A scenario executes one test; write one for each.",
            )
        )
    if named and NUMERICAL in scenario.tags:
        faults.append(
            Fault(
                "tag-numerical",
                where,
                f"is tagged @{NUMERICAL} and {named[0]}; a comparison counts for no release.",
                "Keep the two protocols apart.",
            )
        )
    return faults


def _test_faults(test: TestRecord, own: Sequence[ScenarioEvidence]) -> list[Fault]:
    """Find what keeps one test of the release from being executed as it was approved."""
    faults = approval_faults(test)
    if not test.automated:
        return faults
    if not own:
        faults.append(
            Fault(
                "test-without-scenario",
                test.uid,
                "no scenario of the repository at this tag bears it as a tag.",
                f"Tag its scenario with @{test.uid}.",
            )
        )
    titles = {scenario.title: scenario for scenario in own}
    faults.extend(
        Fault(
            "title-differs",
            f"{test.uid} in {scenario.feature}",
            f'the scenario is called "{title}" and the record "{test.title}".',
            "Give both the same title, so that what was approved is what is executed.",
        )
        for title, scenario in titles.items()
        if _words(title) != _words(test.title)
    )
    return faults


def _words(text: str) -> str:
    """Fold spaces: a title that wraps in YAML is still the same title."""
    return " ".join(text.split())


def _reading_order(scenario: ScenarioEvidence) -> tuple[str, int]:
    return scenario.feature, scenario.line
