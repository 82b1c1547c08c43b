"""Everything a validation pack shows, as plain values frozen at the final signature.

Whoever assembles a pack fills these dataclasses; the builder only prints, hashes and signs them.
Nothing here knows a table, so contents can be kept as JSON and built again to the same bytes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from core.canonical import plain
from validation.pack.evidence import Deviation, Fact, NotRun, Run, SignatureEntry, Value

RuleLevel = Literal["error", "warning"]

NOTHING = "nothing to check"
"""The outcome of a rule that found no record to look at."""


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """Facts under one heading: "Intended use", "Classification"."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What a director reads: which product, which version, and the verdict in words.

    Attributes
    ----------
    frozen_at : datetime
        Time of the final signature; the only time the pack itself carries.
    verdict : str
        One or two sentences, such as "Released. All 61 checks pass; 7 of 7 tests passed."
    passed : bool
        Whether the verdict is good news; it only chooses the colour of the words.
    """

    product: str
    project: str
    version: str
    document: str
    organisation: str
    tag: str
    commit: str
    verdict: str
    passed: bool
    frozen_at: datetime
    demonstration: bool
    scope: str = ""
    highlights: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One record that a rule objects to."""

    record: str
    what: str
    mend: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A signed, expiring concession that lets one finding through."""

    uid: str
    record: str
    reason: str
    signed_by: str
    signed_at: datetime
    expires: str


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """One rule of the release check: on how many records it looked, and what it found."""

    code: str
    title: str
    clause: str
    level: RuleLevel
    checked: int
    findings: tuple[Finding, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    remark: str = ""

    @property
    def outcome(self) -> str:
        """The rule's result in a word or two."""
        if not self.checked and not self.findings:
            return NOTHING
        if self.findings:
            return "failed" if self.level == "error" else "warned"
        return "passed by concession" if self.waivers else "passed"


@dataclass(frozen=True, kw_only=True)
class PersonsAnswer:
    """What a person answered to a question, and the record that keeps it."""

    uid: str
    answer: str
    by: str
    on: str


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """What no rule can answer; `beside` is what there was to look at."""

    code: str
    asks: str
    clause: str
    beside: tuple[str, ...] = ()
    more: int = 0
    answers: tuple[PersonsAnswer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReleaseCheck:
    """The rules that were applied before the release, at one time, and what they leave open."""

    name: str
    checked_at: datetime
    rules: tuple[RuleResult, ...]
    questions: tuple[OpenQuestion, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no rule of error level found anything that no concession lets through."""
        return all(rule.outcome != "failed" for rule in self.rules)


@dataclass(frozen=True, kw_only=True)
class RecordEntry:
    """One record revision, with everything needed to recompute both its digests.

    Attributes
    ----------
    content : mapping
        Exactly what `core.canonical.digest` was applied to for `content_digest`: project, type,
        uid, title, body, fields, links.
    envelope : mapping
        Exactly what was digested for `envelope_digest`; it holds the content digest as
        ``content_digest``. Signatures bind the envelope digest.
    label : str
        The type as people read it: "Requirement".
    """

    project: str
    uid: str
    type: str
    label: str
    revision: int
    state: str
    content: Mapping[str, Value]
    content_digest: str
    envelope: Mapping[str, Value]
    envelope_digest: str
    signatures: tuple[SignatureEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BaselineEntry:
    """One line of a baseline: a record, the revision it froze and that revision's digest."""

    project: str
    uid: str
    revision: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The frozen list of revisions, and the one digest over all of it."""

    name: str
    entries: tuple[BaselineEntry, ...]
    root: str


@dataclass(frozen=True, kw_only=True)
class TraceTest:
    """A test of a requirement, with its latest verdict in the release's words."""

    uid: str
    verdict: str
    detail: str = ""
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class TraceRow:
    """One requirement from its needs to its verdict."""

    uid: str
    title: str
    revision: int
    needs: tuple[str, ...]
    items: tuple[str, ...]
    code: tuple[str, ...]
    tests: tuple[TraceTest, ...]
    verdict: str
    needs_review: str = ""


@dataclass(frozen=True, kw_only=True)
class RiskEstimate:
    """Severity and probability on the policy's scales, counted from 1, and the level they give."""

    severity: int
    probability: int
    level: str


@dataclass(frozen=True, kw_only=True)
class RiskControl:
    """A requirement that controls a risk, and whether a passing test shows it."""

    uid: str
    title: str
    kind: str
    verified: bool
    how: str = ""


@dataclass(frozen=True, kw_only=True)
class RiskRow:
    """One risk before and after its controls."""

    uid: str
    title: str
    hazard: str
    sequence: str
    situation: str
    harm: str
    before: RiskEstimate
    controls: tuple[RiskControl, ...]
    after: RiskEstimate
    benefit_risk: str = ""
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class LogIssue:
    """An issue of the hazard log as it was frozen, and what rests on it."""

    uid: str
    title: str
    revision: int
    taken_at: str
    hazards: int
    root: str
    signed: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RiskPolicy:
    """The scales, and the level of each cell: ``levels[severity - 1][probability - 1]``.

    `order` names the levels from acceptable to unacceptable, for the shade of a cell.
    """

    name: str
    severities: tuple[str, ...]
    probabilities: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """A known problem that the release carries, with the reason why it may."""

    uid: str
    title: str
    severity: str
    state: str
    rationale: str


@dataclass(frozen=True, kw_only=True)
class SoupRow:
    """A registered component of unknown provenance, beside what was found installed."""

    uid: str
    name: str
    supplier: str
    version: str
    installed: str
    licence: str
    purpose: str
    risk_level: str
    evaluated: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Component:
    """One installed package, as the bill of materials lists it."""

    name: str
    version: str
    licence: str = ""
    supplier: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """A change since the last release."""

    uid: str
    title: str
    state: str
    impact: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The audit trail's head when the pack was frozen, and the entries asked for with it."""

    head: Mapping[str, Value]
    segment: tuple[Mapping[str, Value], ...] = ()


@dataclass(frozen=True, kw_only=True)
class PackContents:
    """All of a pack but its evidence files and its signature."""

    cover: Cover
    check: ReleaseCheck
    records: tuple[RecordEntry, ...]
    baseline: Baseline
    trace: tuple[TraceRow, ...]
    risk_policy: RiskPolicy
    risks: tuple[RiskRow, ...]
    runs: tuple[Run, ...]
    not_run: tuple[NotRun, ...]
    deviations: tuple[Deviation, ...]
    anomalies: tuple[Anomaly, ...]
    soup: tuple[SoupRow, ...]
    components: tuple[Component, ...]
    signatures: tuple[SignatureEntry, ...]
    ledger: Ledger
    device: tuple[FactGroup, ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    competence: tuple[Fact, ...] = field(default=())
    log_issues: tuple[LogIssue, ...] = ()


def contents_to_json(contents: PackContents) -> dict[str, Any]:
    """Return the contents as plain JSON values, times as RFC 3339."""
    result: dict[str, Any] = plain(asdict(contents))
    return result


def contents_from_json(value: Mapping[str, Any]) -> PackContents:
    """Read contents back from what `contents_to_json` gave."""
    return TypeAdapter(PackContents).validate_python(value)
