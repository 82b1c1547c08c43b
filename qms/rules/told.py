"""A release check as JSON Schema tells it: what `CheckResult.as_json` returns, named and typed."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from qms.rules.findings import CheckResult, Level, Word


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindingTold(_Told):
    """One flaw of one record: what it is, how it is mended and where; `waiver` lets it through."""

    project: str
    record: str
    sentence: str
    mend: str
    address: str
    level: Level
    waiver: str


class RuleTold(_Told):
    """One rule's answer; `reason` says why it does not apply, where it does not."""

    code: str
    title: str
    clause: str
    level: Level
    gates: list[str]
    verdict: Word
    looked_at: int
    reason: str
    remark: str
    findings: list[FindingTold]


class CheckCounts(_Told):
    """The counts of the page: rules by what they come to, findings by how they weigh."""

    rules: int
    applied: int
    without_subject: int
    passing: int
    failing: int
    errors: int
    warnings: int
    conceded: int


class BesideTold(_Told):
    """What there is to look at beside a question, with the records that it concerns."""

    told: str
    records: list[str]


class ConsideredTold(_Told):
    """What a person answered, in which record, and when."""

    record: str
    answer: str
    by: str
    on: str


class QuestionTold(_Told):
    """What no rule can answer; `more` counts what is left out beside it."""

    code: str
    asks: str
    clauses: list[str]
    beside: list[BesideTold]
    more: int
    considered: list[ConsideredTold]


class CheckTold(_Told):
    """What every rule of a gate says of a project; release, version and commit may be empty."""

    project: str
    release: str
    version: str
    commit: str
    gate: str
    today: date
    passed: bool
    changes: list[str]
    counts: CheckCounts
    questions: list[QuestionTold]
    rules: list[RuleTold]


def check_told(result: CheckResult) -> CheckTold:
    """Return a result as it is answered; a value that the schema does not name is an error."""
    return CheckTold.model_validate(result.as_json())
