"""What a release check says: what a rule looked at, found, and what lets it through. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.records.snapshot import Key


class Level(StrEnum):
    """Whether a finding blocks a gate or is only shown."""

    ERROR = "error"
    WARN = "warn"


class Word(StrEnum):
    """What one rule comes to, in the words of the page."""

    PASSES = "passes"
    FAILS = "fails"
    WARNS = "warns"
    CONCEDED = "passes with a concession"
    NOTHING = "nothing to look at"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What a rule says against the record it looks at: a sentence about it, and how to mend it.

    Attributes
    ----------
    what : str
        Continues "REQ-009 ...": "has no acceptance criterion."
    mend : str
        What to do about it.
    at : Key or None
        Where to mend it, where that is not the record itself.
    level : Level or None
        Other than the rule's own.
    step : bool
        Whether one of the five steps on a release's page mends it.
    concedable : bool
        Whether a concession on the record may let it through.
    address : str
        The page on which it is mended, where that is the page of no record.
    """

    what: str
    mend: str
    at: Key | None = None
    level: Level | None = None
    step: bool = False
    concedable: bool = True
    address: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw of one record under one rule.

    Attributes
    ----------
    waiver : str
        Uid of the concession that lets it through; empty when none does.
    """

    code: str
    record: Key
    sentence: str
    mend: str
    address: str
    level: Level
    waiver: str = ""

    @property
    def told(self) -> str:
        """The sentence without the record's uid, for where the uid stands before it as a link."""
        return self.sentence.removeprefix(f"{self.record.uid} ")

    @property
    def blocks(self) -> bool:
        """Whether it stops the gate."""
        return self.level is Level.ERROR and not self.waiver


@dataclass(frozen=True)
class RuleResult:
    """One rule's answer.

    Attributes
    ----------
    looked_at : int
        How many records the rule applied to.
    reason : str
        Why the rule does not apply to this project; empty when it does.
    remark : str
        What a reader must know of how the rule came to its word; empty where there is nothing.
    """

    code: str
    title: str
    clause: str
    level: Level
    gates: tuple[str, ...]
    looked_at: int
    findings: tuple[Finding, ...]
    reason: str = ""
    remark: str = ""

    @property
    def word(self) -> Word:
        """What the rule comes to."""
        if self.reason:
            return Word.NOT_APPLICABLE
        if not self.looked_at and not self.findings:
            return Word.NOTHING
        if any(finding.blocks for finding in self.findings):
            return Word.FAILS
        if any(not finding.waiver for finding in self.findings):
            return Word.WARNS
        return Word.CONCEDED if self.findings else Word.PASSES

    @property
    def passes(self) -> bool:
        """Whether it stops nothing."""
        return self.word is not Word.FAILS


@dataclass(frozen=True)
class Question:
    """What only a person can answer; it is shown as a question and never answered here."""

    code: str
    asks: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Something to look at before one answers: a sentence, and the records it is about."""

    told: str
    records: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """What a person answered, where that is kept, and since when it is in force or who says it."""

    record: Key
    answer: str
    by: str
    on: str


@dataclass(frozen=True)
class AskedQuestion:
    """One question with what lies beside it and what people answered so far.

    Attributes
    ----------
    more : int
        How much else there is to look at, beyond what is listed.
    """

    question: Question
    beside: tuple[Beside, ...] = ()
    more: int = 0
    considered: tuple[Considered, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """The answer of a whole check; the page, the JSON and the command print the same one.

    Attributes
    ----------
    release, version, commit : str
        Empty when the record alone was judged.
    today : date
        The day it was judged for.
    rules : tuple of RuleResult
        Every rule of the gate, in the order of their codes.
    changes : tuple of str
        What this department asks otherwise than the product as it ships.
    questions : tuple of AskedQuestion
        What no rule can answer; only the release gate asks it.
    """

    project: str
    release: str
    version: str
    commit: str
    gate: str
    today: date
    rules: tuple[RuleResult, ...]
    changes: tuple[str, ...] = ()
    questions: tuple[AskedQuestion, ...] = ()

    @property
    def applied(self) -> tuple[RuleResult, ...]:
        """The rules that apply to this project and had something to look at."""
        idle = (Word.NOT_APPLICABLE, Word.NOTHING)
        return tuple(rule for rule in self.rules if rule.word not in idle)

    @property
    def without_subject(self) -> tuple[RuleResult, ...]:
        """The rules that apply but found no record to look at: neither good news nor bad."""
        return tuple(rule for rule in self.rules if rule.word is Word.NOTHING)

    @property
    def failing(self) -> tuple[RuleResult, ...]:
        """The rules that stop the gate."""
        return tuple(rule for rule in self.applied if not rule.passes)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, of every rule."""
        return tuple(finding for rule in self.rules for finding in rule.findings)

    @property
    def errors(self) -> int:
        """How many findings stop the gate."""
        return sum(finding.blocks for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are only shown."""
        return sum(f.level is Level.WARN and not f.waiver for f in self.findings)

    @property
    def conceded(self) -> int:
        """How many findings a concession lets through."""
        return sum(bool(finding.waiver) for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether nothing stops the gate."""
        return not self.failing

    @property
    def sentence(self) -> str:
        """The whole answer in one line."""
        told = f"{len(self.applied) - len(self.failing)} of {len(self.applied)} pass"
        idle = len(self.without_subject)
        return f"{told}, {idle} had nothing to look at" if idle else told

    def as_json(self) -> dict[str, object]:
        """Return the result as plain values; counts are those of the page."""
        return {
            "project": self.project,
            "release": self.release,
            "version": self.version,
            "commit": self.commit,
            "gate": self.gate,
            "today": self.today.isoformat(),
            "passed": self.passed,
            "changes": list(self.changes),
            "counts": {
                "rules": len(self.rules),
                "applied": len(self.applied),
                "without_subject": len(self.without_subject),
                "passing": len(self.applied) - len(self.failing),
                "failing": len(self.failing),
                "errors": self.errors,
                "warnings": self.warnings,
                "conceded": self.conceded,
            },
            "rules": [_rule_json(rule) for rule in self.rules],
            "questions": [_question_json(one) for one in self.questions],
        }

    def findings_as_json(self) -> list[dict[str, object]]:
        """Return every finding as plain values, each with the code of its rule."""
        return [{"code": one.code, **_finding_json(one)} for one in self.findings]


@dataclass(frozen=True)
class Pack:
    """A framework pack: what the rules are called by and how strict they are, as data.

    Attributes
    ----------
    entries : mapping of code to PackEntry
    limits : mapping
        Numbers and lists the rules read.
    questions : tuple of Question
        What no rule can answer.
    changes : tuple of str
        What a department set otherwise than it ships, in words.
    """

    name: str
    entries: Mapping[str, "PackEntry"]
    limits: Mapping[str, object] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PackEntry:
    """One rule in a pack: its clause pointers, level, gates and where it applies."""

    code: str
    clauses: tuple[str, ...]
    level: Level
    gates: tuple[str, ...]
    classes: tuple[str, ...] = ()
    route: str = ""

    def reason_against(self, software_class: str, route: str) -> str:
        """Say why the rule does not apply to a project; empty when it does.

        A project that states no class or route is asked everything.
        """
        if self.classes and software_class and software_class not in self.classes:
            return f"asked of software class {' and '.join(self.classes)}, this is {software_class}"
        if self.route and route and self.route.lower() not in route.lower():
            return f"asked of the route '{self.route}'"
        return ""


def _rule_json(rule: RuleResult) -> dict[str, object]:
    return {
        "code": rule.code,
        "title": rule.title,
        "clause": rule.clause,
        "level": rule.level,
        "gates": list(rule.gates),
        "verdict": rule.word,
        "looked_at": rule.looked_at,
        "reason": rule.reason,
        "remark": rule.remark,
        "findings": [_finding_json(finding) for finding in rule.findings],
    }


def _finding_json(finding: Finding) -> dict[str, object]:
    return {
        "project": finding.record.project,
        "record": finding.record.uid,
        "sentence": finding.sentence,
        "mend": finding.mend,
        "address": finding.address,
        "level": finding.level,
        "waiver": finding.waiver,
    }


def _question_json(one: AskedQuestion) -> dict[str, object]:
    return {
        "code": one.question.code,
        "asks": one.question.asks,
        "clauses": list(one.question.clauses),
        "beside": [
            {"told": each.told, "records": [key.uid for key in each.records]} for each in one.beside
        ],
        "more": one.more,
        "considered": [
            {"record": each.record.uid, "answer": each.answer, "by": each.by, "on": each.on}
            for each in one.considered
        ],
    }
