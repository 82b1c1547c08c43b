"""The records as the rules see them: in force or not, linked how, in the release or not. Pure.

Everything is asked of the snapshot's own adjacency, so a rule costs what its records cost.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from core.errors import Invalid
from core.records.snapshot import Key, LinkView, RecordView
from core.records.suspects import Suspicion
from core.verdicts import NOT_RUN, Verdict
from qms.risks.evaluation import RiskPolicy
from qms.risks.policies import policy_in_force
from qms.risks.residual import Assessment, assess
from qms.rules.facts import RuleInput, RunOfTest, TypeFacts
from qms.rules.findings import Flaw
from qms.training import TrainingRecord, training_record

Built = TypeVar("Built")

_NOT_IN_FORCE = frozenset({"draft", "in_review", "withdrawn", "rejected"})
_RESOLVED = frozenset({"closed", "rejected", "withdrawn"})


class View:
    """One rule input with the questions that many rules ask of it."""

    def __init__(self, given: RuleInput, limits: Mapping[str, Any]) -> None:
        self.given = given
        self.snapshot = given.snapshot
        self.facts = given.facts
        self.project = given.project
        self.limits = limits
        self._once: dict[str, Any] = {}
        self._live: dict[tuple[str, ...], list[RecordView]] = {}
        self._in_force: dict[tuple[str, ...], list[RecordView]] = {}
        self._links: dict[Key, list[tuple[LinkView, RecordView | None]]] = {}

    def once(self, name: str, build: Callable[[], Built]) -> Built:
        """Return what `build` makes, made once for all records of a rule."""
        if name not in self._once:
            self._once[name] = build()
        return self._once[name]  # type: ignore[no-any-return]

    @cached_property
    def suspicions(self) -> Mapping[Key, tuple[Suspicion, ...]]:
        """What needs re-review, by record."""
        grouped: dict[Key, list[Suspicion]] = {}
        for suspicion in self.given.suspects:
            grouped.setdefault(suspicion.record, []).append(suspicion)
        return {key: tuple(each) for key, each in grouped.items()}

    # Records: kept, because rule after rule asks for the same. Nobody changes the lists.

    def live(self, *types: str) -> Sequence[RecordView]:
        """Return the project's records of these types, drafts included, withdrawn ones not."""
        found = self._live.get(types)
        if found is None:
            found = self._live[types] = [
                record
                for type_ in types
                for record in self.snapshot.of_type(type_, self.project)
                if not record.withdrawn
            ]
        return found

    def in_force(self, *types: str) -> Sequence[RecordView]:
        """Return the project's records of these types that are approved, or under way as issues."""
        found = self._in_force.get(types)
        if found is None:
            found = self._in_force[types] = [r for r in self.live(*types) if is_in_force(r)]
        return found

    @cached_property
    def own(self) -> tuple[RecordView, ...]:
        """Every record of the project, withdrawn ones included."""
        return tuple(r for key, r in self.snapshot.records.items() if key.project == self.project)

    @cached_property
    def device(self) -> RecordView | None:
        """The project's own record: what the device is for, and of which class."""
        return next(iter(self.live("project")), None)

    @cached_property
    def judged(self) -> tuple[RecordView, ...]:
        """The records a release stands on: everything in force, and the release itself."""
        release = (self.release,) if self.release is not None else ()
        return (*(r for r in self.own if is_in_force(r) and r not in release), *release)

    # Links

    def links(self, record: RecordView) -> Sequence[tuple[LinkView, RecordView | None]]:
        """Return the links that a record states, each with its target where there is one."""
        found = self._links.get(record.key)
        if found is None:
            get = self.snapshot.records.get
            found = self._links[record.key] = [
                (link, get(link.target)) for link in self.snapshot.outgoing(record.key)
            ]
        return found

    def targets(self, record: RecordView, role: str) -> Sequence[RecordView]:
        """Return the records that `record` links to in a role and that are not withdrawn."""
        # Nothing is kept: most are asked once, and for a role that the record does not state.
        links = self.snapshot.outgoing(record.key, role)
        return self._standing([link.target for link in links]) if links else ()

    def sources(self, record: RecordView, role: str) -> Sequence[RecordView]:
        """Return the records that link to `record` in a role and that are not withdrawn."""
        links = self.snapshot.incoming(record.key, role)
        return self._standing([link.source for link in links]) if links else ()

    def _standing(self, keys: Sequence[Key]) -> list[RecordView]:
        found = map(self.snapshot.records.get, keys)
        return [record for record in found if record is not None and not record.withdrawn]

    def types_of(self, record: RecordView) -> TypeFacts | None:
        """Return what is known of the record's type."""
        return self.facts.types.get(record.type)

    # The release

    @cached_property
    def release(self) -> RecordView | None:
        """The release that is judged."""
        return self.snapshot.records.get(self.given.release) if self.given.release else None

    def of_release(self, role: str) -> Sequence[RecordView]:
        """Return what the judged release links to in a role."""
        return self.targets(self.release, role) if self.release is not None else []

    @cached_property
    def release_tests(self) -> frozenset[Key]:
        """The tests of the judged release."""
        return frozenset(record.key for record in self.of_release("tested_by"))

    @cached_property
    def delivered(self) -> frozenset[Key]:
        """The requirements of the judged release."""
        return frozenset(record.key for record in self.of_release("delivers"))

    @cached_property
    def clinical(self) -> bool:
        """Whether the judged release is meant for clinical use; one that does not say is."""
        return self.release is not None and self.release.fields.get("clinical_use") is not False

    @cached_property
    def release_commit(self) -> str:
        """The commit the judged release names; empty before it names one."""
        return text(self.release, "commit") if self.release is not None else ""

    # Risks

    @cached_property
    def policy(self) -> RiskPolicy | None:
        """The risk policy that levels are looked up in; None where there is none to be used."""
        try:
            return policy_in_force(self.snapshot, self.project)[0]
        except Invalid:
            return None

    @cached_property
    def policy_problem(self) -> str:
        """Why the risk policy cannot be relied on, as a clause; empty when it can."""
        try:
            _, record = policy_in_force(self.snapshot, self.project)
        except Invalid as refusal:
            return str(refusal.faults[0]) if refusal.faults else refusal.message
        if record is not None and not is_in_force(record):
            return f"the risk policy {record.key.uid} is {record.state}"
        return ""

    @cached_property
    def assessments(self) -> Mapping[Key, Assessment]:
        """Each risk in force under the policy, lowered by nothing but verified controls."""
        if self.policy is None:
            return {}
        risks = self.in_force("risk")
        tests = {test.key: self.verdict(test) for test in self.live("test")}
        qa = self.facts.qa
        return {risk.key: assess(self.snapshot, risk, self.policy, tests, qa) for risk in risks}

    def controls(self, risk: RecordView) -> list[tuple[RecordView, str]]:
        """Return the requirements that mitigate a risk, each with the kind of control."""
        found = []
        for link in self.snapshot.incoming(risk.key, "mitigates"):
            requirement = self.snapshot.records.get(link.source)
            if requirement is not None and not requirement.withdrawn:
                found.append((requirement, str(link.attributes.get("kind") or "")))
        return found

    # Tests and people

    def verdict(self, test: RecordView) -> Verdict:
        """Return the latest verdict on a test at the release's commit.

        A test of another project has none here, whatever its uid.
        """
        if test.key.project != self.project:
            return NOT_RUN
        return self.given.verdicts.get(test.key.uid, NOT_RUN)

    @cached_property
    def runs(self) -> Mapping[str, tuple[RunOfTest, ...]]:
        """Every recorded execution of each test, oldest first."""
        by_test: dict[str, list[RunOfTest]] = {}
        for run in sorted(self.facts.runs, key=lambda one: one.started_at):
            by_test.setdefault(run.test, []).append(run)
        return {test: tuple(runs) for test, runs in by_test.items()}

    def latest_run(self, test: RecordView) -> RunOfTest | None:
        """Return the last completed execution of a test at the release's commit."""
        at_commit = [
            run
            for run in self.runs.get(test.key.uid, ())
            if run.outcome != "interrupted" and run.commit == self.release_commit
        ]
        return at_commit[-1] if at_commit else None

    @cached_property
    def training(self) -> TrainingRecord:
        """What the project says about training."""
        return training_record(self.snapshot, self.project)


@dataclass(frozen=True)
class Subjects:
    """The records a rule applies to, and what they are called in the list of rules.

    Attributes
    ----------
    absent : Flaw or None
        What is wrong with a judged release where there is no such record at all; None where
        none is needed.
    """

    called: str
    select: Callable[[View], Iterable[RecordView]]
    absent: Flaw | None = None


Judge = Callable[[View, RecordView], Iterable[Flaw]]


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks at, and what it says against each of those records.

    Attributes
    ----------
    remark : callable or None
        Says what a reader must know of how the rule came to its word.
    """

    code: str
    title: str
    subjects: Subjects
    judge: Judge
    remark: Callable[[View], str] | None = None


def rule(
    code: str, title: str, subjects: Subjects, remark: Callable[[View], str] | None = None
) -> Callable[[Judge], Rule]:
    """Make a rule of a function that yields the flaws of one record."""

    def made(judge: Judge) -> Rule:
        return Rule(code, title, subjects, judge, remark)

    return made


def in_force(type_: str, called: str) -> Subjects:
    """Return the project's records of a type that are in force, as the subjects of a rule."""
    return Subjects(f"{called} in force", lambda view: view.in_force(type_))


def of_release(role: str, called: str) -> Subjects:
    """Return what the release links to in a role, as the subjects of a rule."""
    return Subjects(f"{called} of the release", lambda view: view.of_release(role))


THE_RELEASE = Subjects("the release", lambda view: [view.release] if view.release else [])
THE_DEVICE = Subjects("the project record", lambda view: [view.device] if view.device else [])
A_DEVICE = replace(
    THE_DEVICE,
    absent=Flaw(
        "stands on no project record.", "Write what the device is for, and of which class."
    ),
)
JUDGED = Subjects("records in force, and the release", lambda view: view.judged)


def is_in_force(record: RecordView) -> bool:
    """Whether a record counts: approved, recorded, or an issue that was not rejected."""
    return not record.withdrawn and record.state not in _NOT_IN_FORCE


def is_resolved(record: RecordView) -> bool:
    """Whether an issue needs no more work."""
    return record.withdrawn or record.state in _RESOLVED


def text(record: RecordView, name: str) -> str:
    """Return a field as stripped text; empty when it is not filled."""
    value = record.fields.get(name)
    return "" if value is None else str(value).strip()


def filled(record: RecordView, name: str) -> bool:
    """Whether a field holds something: false and 0 are answers, an empty text or list is none."""
    value = record.fields.get(name)
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value not in ([], {}, ())


def day(record: RecordView, name: str) -> date | None:
    """Return a date field as a date."""
    value = record.fields.get(name)
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def missing(record: RecordView, names: Mapping[str, str]) -> list[str]:
    """Return the words of those fields that are not filled."""
    return [words for name, words in names.items() if not filled(record, name)]


def uids(records: Iterable[RecordView]) -> str:
    """Return the uids of some records as a phrase."""
    return ", ".join(record.key.uid for record in records)
