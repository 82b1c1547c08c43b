"""The residual level of a risk, lowered only by controls that are verified and work. Pure.

A risk record states what its authors expect after the controls; whether that level may be shown is
decided here each time, from the tests of the release (ISO 14971 7.2, IEC 62304 7.3.1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from core.qa_controls import QaControl, QaControls, watching
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.verdicts import NOT_RUN, Verdict, VerdictWord
from qms.risks.evaluation import Level, RiskPolicy, evaluate, is_step

CONTROL_KINDS = ("inherent", "protective", "information")
"""In the order in which ISO 14971 7.1 asks for them."""


@dataclass(frozen=True)
class Position:
    """Where a risk stands in the matrix, both steps counted from 1."""

    severity: int
    likelihood: int


@dataclass(frozen=True)
class Control:
    """One requirement that controls a risk, and whether tests show that it works.

    Attributes
    ----------
    kind : str
        inherent, protective or information; empty where the link does not say.
    tests : tuple of (RecordView, Verdict)
        Every test that verifies the requirement.
    missing : str
        Why the control does not count, as a clause; empty when it is verified.
    """

    requirement: RecordView
    kind: str
    tests: tuple[tuple[RecordView, Verdict], ...]
    missing: str

    @property
    def verified(self) -> bool:
        """Whether a test of this requirement passed and none failed."""
        return not self.missing


@dataclass(frozen=True)
class Assessment:
    """One risk under a policy: where it stands before and after its controls.

    Attributes
    ----------
    before, after : Level or None
        None where the record gives no position on the scales; `problems` then says so.
    claimed : Level or None
        The level the record expects once every control is verified.
    reasons : tuple of str
        Why `after` is not `claimed`: one sentence per missing control.
    problems : tuple of str
        What is wrong with the record's own figures.
    watched_by : tuple of QaControl
        The QA procedures on the connections that the risk arises on, and those that monitor a
        requirement which controls it.
    """

    risk: RecordView
    controls: tuple[Control, ...]
    effectiveness: tuple[tuple[RecordView, Verdict], ...]
    position_before: Position | None
    position_after: Position | None
    before: Level | None
    after: Level | None
    claimed: Level | None
    reasons: tuple[str, ...]
    problems: tuple[str, ...]
    watched_by: tuple[QaControl, ...] = ()

    @property
    def not_effective(self) -> tuple[QaControl, ...]:
        """The QA procedures that no longer control anything: overdue, failing or unknown."""
        return tuple(control for control in self.watched_by if control.failed)

    @property
    def lowered(self) -> bool:
        """Whether verified controls lowered the level."""
        return self.before is not None and self.after is not None and self.after < self.before


def assess(
    snapshot: Snapshot,
    risk: RecordView,
    policy: RiskPolicy,
    verdicts: Mapping[Key, Verdict],
    qa: QaControls = MappingProxyType({}),
) -> Assessment:
    """Assess one risk against the verdicts of a release.

    Parameters
    ----------
    snapshot : Snapshot
        Holds the risk, the requirements that mitigate it and the tests that verify those.
    verdicts : mapping of Key to Verdict
        Latest verdict per test at the release commit; an absent test has not been run.
    qa : mapping of Key to QaControls
        The QA procedures by what they watch; empty where nobody was asked.

    Returns
    -------
    Assessment
        ``after`` equals ``claimed`` only where every control is verified and no QA procedure that
        watches one has stopped working; otherwise the level before stands, or the claimed one
        where that is worse.
    """
    controls = controls_of(snapshot, risk.key, verdicts)
    watched_by = watching(qa, _watched(snapshot, risk.key, controls))
    before, problems = _position(risk, policy, "severity", "likelihood_before", "before")
    after, unclear = _position(
        risk,
        policy,
        "severity" if risk.fields.get("severity_after") is None else "severity_after",
        "likelihood_after",
        "after",
    )
    failed = tuple(control.sentence for control in watched_by if control.failed)
    reasons = (*_reasons(controls, claimed=after is not None), *failed)
    level_before = _level(before, policy)
    claimed = _level(after, policy)
    stands = _worse(before, after, policy) if reasons else after
    return Assessment(
        risk=risk,
        controls=controls,
        effectiveness=_effectiveness(snapshot, risk.key, verdicts),
        position_before=before,
        position_after=stands,
        before=level_before,
        after=_level(stands, policy),
        claimed=claimed,
        reasons=reasons,
        problems=(*problems, *unclear),
        watched_by=watched_by,
    )


def _watched(snapshot: Snapshot, risk: Key, controls: Iterable[Control]) -> list[Key]:
    """Return what a QA procedure may watch for a risk: where it arises and what controls it."""
    arises = [link.target for link in snapshot.outgoing(risk, "arises_on")]
    return [*arises, *(control.requirement.key for control in controls)]


def controls_of(
    snapshot: Snapshot, risk: Key, verdicts: Mapping[Key, Verdict]
) -> tuple[Control, ...]:
    """Return the controls of a risk in the order of ISO 14971 7.1, then by id."""
    found = []
    for link in snapshot.incoming(risk, "mitigates"):
        requirement = snapshot.records.get(link.source)
        if requirement is None or requirement.withdrawn:
            continue
        tests = tuple(
            _with_verdicts(snapshot, snapshot.incoming(link.source, "verifies"), verdicts)
        )
        kind = str(link.attributes.get("kind") or "")
        found.append(Control(requirement, kind, tests, _missing(requirement, tests)))
    order = {kind: place for place, kind in enumerate(CONTROL_KINDS)}
    return tuple(
        sorted(found, key=lambda one: (order.get(one.kind, len(order)), one.requirement.key))
    )


def _with_verdicts(
    snapshot: Snapshot, links: Iterable[LinkView], verdicts: Mapping[Key, Verdict]
) -> Iterable[tuple[RecordView, Verdict]]:
    for key in sorted({link.source for link in links}):
        test = snapshot.records.get(key)
        if test is not None and test.type == "test" and not test.withdrawn:
            yield test, verdicts.get(key, NOT_RUN)


def _effectiveness(
    snapshot: Snapshot, risk: Key, verdicts: Mapping[Key, Verdict]
) -> tuple[tuple[RecordView, Verdict], ...]:
    """Return the tests that show the controls work together: those linked to the risk itself."""
    links = (*snapshot.incoming(risk, "verifies"), *snapshot.incoming(risk, "validates"))
    return tuple(_with_verdicts(snapshot, links, verdicts))


def _missing(requirement: RecordView, tests: tuple[tuple[RecordView, Verdict], ...]) -> str:
    """Say why a control does not count, naming the test to mend; empty when it does."""
    uid = requirement.key.uid
    if not requirement.in_force:
        return f"{uid} is {requirement.state.replace('_', ' ')} and not approved"
    failed = [test.key.uid for test, verdict in tests if verdict.word is VerdictWord.FAILED]
    if failed:
        return f"{uid} failed in {', '.join(failed)}"
    if any(verdict.passed for _, verdict in tests):
        return ""
    if not tests:
        return f"{uid} is verified by no test"
    older = [t.key.uid for t, verdict in tests if verdict.word is VerdictWord.OLDER_COMMIT]
    if older:
        return f"{uid} was last tested on an older commit ({', '.join(older)})"
    return f"{uid} has not been tested ({', '.join(test.key.uid for test, _ in tests)} not run)"


def _reasons(controls: tuple[Control, ...], *, claimed: bool) -> tuple[str, ...]:
    unstated = () if claimed else ("No likelihood after the controls is given.",)
    uncontrolled = () if controls else ("No requirement controls this risk.",)
    missing = (f"{control.missing}." for control in controls if control.missing)
    return (*uncontrolled, *missing, *unstated)


def _position(
    risk: RecordView, policy: RiskPolicy, severity: str, likelihood: str, when: str
) -> tuple[Position | None, tuple[str, ...]]:
    """Read a position; an empty one after the controls is not yet assessed, and no problem."""
    steps: tuple[Any, Any] = (risk.fields.get(severity), risk.fields.get(likelihood))
    scales = (("Severity", policy.severity), ("Likelihood", policy.likelihood))
    if steps[1] is None and when == "after":
        return None, ()
    problems = tuple(
        f"{name} {when} the controls is not given."
        if step is None
        else f"{name} {when} the controls is {step}, not a step of 1 to {len(scale)}."
        for step, (name, scale) in zip(steps, scales, strict=True)
        if not is_step(step, scale)
    )
    if problems:
        return None, problems
    return Position(int(steps[0]), int(steps[1])), ()


def _level(position: Position | None, policy: RiskPolicy) -> Level | None:
    return evaluate(position.severity, position.likelihood, policy) if position else None


def _worse(before: Position | None, after: Position | None, policy: RiskPolicy) -> Position | None:
    """Let nothing fall without verified controls; a claim worse than before still counts."""
    level_before, level_after = _level(before, policy), _level(after, policy)
    if level_before is not None and level_after is not None and level_after > level_before:
        return after
    return before
