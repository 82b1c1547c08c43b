"""Say for each clause which records and rules speak to it, and where it then stands. Pure.

Nothing here says that a clause is met. It says which records in force speak to it, what the release
check finds in them, and who excluded what for which reason; whether that is enough, people judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records.snapshot import RecordView
from qms.rules.findings import Finding, Question, RuleResult, Word


class Standing(StrEnum):
    """Where one clause stands, in the words of the page."""

    FULFILLED = "fulfilled"
    PARTLY = "partly"
    GAP = "gap"
    EXCLUDED = "excluded"
    CONTRADICTED = "contradicted"
    NOT_ASKED = "not asked"


MEANINGS: Mapping[Standing, str] = {
    Standing.FULFILLED: "records in force or checks that pass speak to it, and no check that names "
    "it finds anything",
    Standing.PARTLY: "of a kind of record that speaks to it there are drafts only, or a check that "
    "names it finds something",
    Standing.GAP: "nothing in force speaks to it, and nobody excluded it",
    Standing.EXCLUDED: "an approved statement of applicability excludes it and says why",
    Standing.CONTRADICTED: "it is excluded, and records in force speak to it all the same",
    Standing.NOT_ASKED: "it is not asked of software of this safety class",
}

MOST_NAMED = 5
"""Drafts named in one sentence; the list beside it names them all."""

BLOCKING = (Standing.GAP, Standing.CONTRADICTED)
"""What somebody has to act on: nothing is there, or two things say the opposite."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A record that speaks to a clause.

    Attributes
    ----------
    pointers : tuple of str
        What leads to the clause, as it is written: "IEC62304-5.2".
    own : bool
        Whether the record itself names the clause, and not only its type.
    """

    record: RecordView
    pointers: tuple[str, ...]
    own: bool


@dataclass(frozen=True)
class AskingRule:
    """A rule of the release check that names a clause, with its answer.

    Attributes
    ----------
    looked_at : tuple of RecordView
        The records it looked at.
    """

    result: RuleResult
    pointers: tuple[str, ...]
    looked_at: tuple[RecordView, ...] = ()

    @property
    def passed(self) -> tuple[RecordView, ...]:
        """The records it looked at and found nothing against; none where it is not asked here."""
        if self.result.reason:
            return ()
        found = {one.record for one in self.result.findings}
        return tuple(one for one in self.looked_at if one.key not in found)

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """What it finds and no concession lets through."""
        return tuple(one for one in self.result.findings if not one.waiver)

    @property
    def speaks(self) -> bool:
        """Whether it looked at something and found nothing."""
        return self.result.word is Word.PASSES

    @property
    def doubts(self) -> bool:
        """Whether it found something, let through or not."""
        return self.result.word in (Word.FAILS, Word.WARNS, Word.CONCEDED)


@dataclass(frozen=True)
class Exclusion:
    """One row of a statement of applicability.

    Attributes
    ----------
    problem : str
        Why it excludes nothing, as a clause of a sentence; empty where it does.
    """

    record: RecordView
    pointer: str
    reason: str
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is in force, has a reason, and names the clause as a whole."""
        return not self.problem

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who approved it and when, as it is printed."""
        return tuple(
            f"{one.signer}, {one.at:%d %b %Y}"
            for one in self.record.signatures
            if one.meaning == "approved"
        )


@dataclass(frozen=True)
class Filler:
    """A record type that would speak to a clause, for whoever fills a gap.

    Attributes
    ----------
    when : str
        What a record must say to count, as "Level: validation"; empty where any does.
    """

    type: str
    label: str
    when: str = ""


@dataclass(frozen=True)
class ClauseAnswer:
    """One clause, and everything that speaks to it.

    Attributes
    ----------
    in_force, drafts : tuple of Speaker
    fillers : tuple of Filler
        Types that name the clause and of which no record in force speaks to it.
    audited : tuple of Speaker
        Audits and their findings that name it; being audited fulfils nothing.
    not_asked : str
        Why the clause is not asked here; empty where it is.
    """

    framework: str
    clause: str
    title: str
    in_force: tuple[Speaker, ...] = ()
    drafts: tuple[Speaker, ...] = ()
    rules: tuple[AskingRule, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    fillers: tuple[Filler, ...] = ()
    questions: tuple[Question, ...] = ()
    audited: tuple[Speaker, ...] = ()
    not_asked: str = ""

    @property
    def excluded(self) -> bool:
        """Whether an exclusion of it holds."""
        return any(one.holds for one in self.exclusions)

    @property
    def standing(self) -> Standing:
        """Where the clause stands; the words are those of `MEANINGS`."""
        if self.excluded:
            return Standing.CONTRADICTED if self.in_force else Standing.EXCLUDED
        if self.not_asked:
            return Standing.NOT_ASKED
        if self.in_force or any(rule.speaks for rule in self.rules):
            doubted = any(rule.doubts for rule in self.rules) or self.only_drafted
            return Standing.PARTLY if doubted else Standing.FULFILLED
        # A check that fails on records that no type names shows a gap, not a part of an answer.
        conceded = any(rule.result.word is Word.CONCEDED for rule in self.rules)
        return Standing.PARTLY if self.drafts or conceded else Standing.GAP

    @property
    def only_drafted(self) -> Mapping[str, tuple[Speaker, ...]]:
        """The drafts of each type of which nothing in force speaks to it, though drafts would."""
        there = {one.record.type for one in self.in_force}
        types = dict.fromkeys(d.record.type for d in self.drafts if d.record.type not in there)
        return {
            name: tuple(one for one in self.drafts if one.record.type == name) for name in types
        }

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks that name it find and nothing lets through."""
        return tuple(one for rule in self.rules for one in rule.open_findings)

    @property
    def failing(self) -> tuple[AskingRule, ...]:
        """The checks that name it and find something that nothing lets through."""
        return tuple(rule for rule in self.rules if rule.open_findings)

    def unseen_by(self, rule: AskingRule) -> tuple[RecordView, ...]:
        """Return the records in force, of the kinds that a check looks at, that it left out.

        A check of the release's own records says nothing of the others, though it passes.
        """
        seen = {one.key for one in rule.looked_at}
        kinds = {one.type for one in rule.looked_at}
        records = (one.record for one in self.in_force)
        return tuple(one for one in records if one.type in kinds and one.key not in seen)

    def told(self, rule: AskingRule) -> str:
        """Return the word of a check, and how much of its kind it left out."""
        unseen = len(self.unseen_by(rule))
        word = rule.result.word.value
        return f"{word}, {unseen} not looked at" if unseen else word

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is missing or contradicts, one sentence each; empty where nothing is."""
        told = [_excused(one) for one in self.exclusions if one.problem]
        if self.standing in (Standing.EXCLUDED, Standing.NOT_ASKED):
            return tuple(told)
        if self.standing is Standing.CONTRADICTED:
            holding = ", ".join(sorted({e.record.uid for e in self.exclusions if e.holds}))
            told.append(f"{holding} excludes it, and records in force speak to it.")
        told += [
            f"No {self.called(name)} in force speaks to it; {_named(drafts)} would, once in force."
            for name, drafts in self.only_drafted.items()
        ]
        if not self.in_force and not self.drafts and not any(one.speaks for one in self.rules):
            told.append(self._nothing_at_all())
        told += [
            f"{rule.result.code} ({rule.result.title}): {_counted(len(rule.open_findings))}."
            for rule in self.failing
        ]
        return tuple(told)

    def called(self, name: str) -> str:
        """Return what a record type is called, where it is known here."""
        found = (one.label for one in self.fillers if one.type == name)
        return next(found, name.replace("_", " ")).lower()

    def _nothing_at_all(self) -> str:
        if self.fillers:
            labels = ", ".join(dict.fromkeys(one.label.lower() for one in self.fillers))
            return f"No record speaks to it; one of these would: {labels}."
        return "No record speaks to it and no record type names it; a document may list it."


def _excused(one: Exclusion) -> str:
    return f"{one.record.uid} names it as not applicable and {one.problem}, so it excludes nothing."


def _named(speakers: Sequence[Speaker]) -> str:
    uids = ", ".join(one.record.uid for one in speakers[:MOST_NAMED])
    more = len(speakers) - MOST_NAMED
    return f"{uids} and {more} more" if more > 0 else uids


def _counted(number: int) -> str:
    return f"{number} {'finding' if number == 1 else 'findings'}"
