"""Why a row reads as it does: the chain of evidence as sentences with links. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.qa_controls import QaControl
from core.records.snapshot import Key, RecordView
from core.records.suspects import Suspicion
from core.verdicts import VerdictWord
from qms.results.judging import Bearing
from qms.rules.facts import LinesFact
from qms.traceability.coverage import FLAG_OF_WORD, Flag, Outcome
from qms.traceability.matrix import TEST, Entry, Row
from qms.traceability.paths import Column


@dataclass(frozen=True)
class Part:
    """A piece of a sentence: text, a link, or a moment that the page prints in local time."""

    text: str = ""
    address: str = ""
    moment: datetime | None = None

    def __str__(self) -> str:
        if self.moment is None:
            return self.text
        return self.moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True)
class Sentence:
    """One sentence of an explanation.

    Attributes
    ----------
    parts : tuple of Part
        In reading order, spaces included.
    flag : Flag or None
        What this sentence is the reason for; None when it tells nothing wrong.
    """

    parts: tuple[Part, ...]
    flag: Flag | None = None

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


@dataclass(frozen=True)
class CommitNamed:
    """A commit whose trailer names the row's record."""

    sha: str
    subject: str
    role: str
    at: datetime
    address: str


def explain(
    row: Row,
    columns: Sequence[Column],
    *,
    release: str = "",
    commits: Iterable[CommitNamed] = (),
) -> tuple[Sentence, ...]:
    """Return the sentences that explain one row, in the order in which an auditor asks.

    Parameters
    ----------
    row : Row
        The row, built with `columns`.
    columns : sequence of Column
        The columns of the matrix; each becomes a sentence.
    release : str
        How the release is named in the verdict; empty when none was chosen.
    commits : iterable of CommitNamed
        Commits that name the record.
    """
    sentences = [_standing(row.record)]
    for column in columns:
        cell = row.cells[column.name]
        if TEST not in column.types:
            sentences.extend(_linked(column, cell))
    sentences.extend(_code(list(commits)))
    sentences.extend(_lines(one) for one in row.lines)
    tests = [entry for column in columns for entry in row.cells[column.name] if entry.verdict]
    if row.record.type == TEST:
        tests = []
    sentences.extend(_tested(entry) for entry in tests)
    against = {one.about for one in row.bearing}
    beside = [entry for entry in (row.own, *tests) if entry.record.key not in against]
    sentences.extend(one for entry in beside for one in _beside(entry))
    sentences.extend(_imported(one) for one in row.bearing)
    sentences.extend(
        Sentence((Part(what),), flag)
        for flag, what in row.judgement.reasons
        if flag is Flag.UNCOVERED
    )
    entries = [row.own, *(entry for cell in row.cells.values() for entry in cell)]
    controls = {one.procedure: one for entry in entries for one in entry.watched_by}
    sentences.extend(_watched(controls[key]) for key in sorted(controls))
    sentences.extend(_suspect(one) for one in row.suspicions)
    sentences.extend(
        _suspect(one) for cell in row.cells.values() for entry in cell for one in entry.suspicions
    )
    return (*sentences, *_verdict(row, release))


def explain_cell(row: Row, column: Column, paths: Sequence[str]) -> tuple[Sentence, ...]:
    """Return the sentences that explain one cell: how it is filled, what stands in it, what lacks.

    Parameters
    ----------
    paths : sequence of str
        The role paths of the column, in words.
    """
    cell = row.cells[column.name]
    said = " or ".join(paths)
    if cell:
        parts = [*_listed(cell), Part(" reached from "), _link(row.record), Part(f": {said}.")]
    else:
        parts = [Part("Nothing is reached from "), _link(row.record), Part(f": {said}.")]
    sentences = [Sentence(tuple(parts))]
    for entry in cell:
        if entry.verdict:
            sentences.append(_tested(entry))
            if not entry.judged:
                sentences.append(Sentence((_link(entry.record), Part(" is not judged here."))))
            sentences.extend(_beside(entry))
        else:
            sentences.append(_standing(entry.record))
        sentences.extend(_watched(one) for one in entry.watched_by)
        sentences.extend(_suspect(one) for one in entry.suspicions)
    if column.name in row.lacking:
        sentences.append(Sentence((Part(row.lacking[column.name]),), Flag.UNCOVERED))
    elif not cell and column.required:
        sentences.append(Sentence((Part("Another link makes up for it, so it is covered."),)))
    elif not cell:
        sentences.append(Sentence((Part("Nothing has to stand here, so it stops nothing."),)))
    return tuple(sentences)


def _listed(cell: Sequence[Entry]) -> list[Part]:
    parts: list[Part] = []
    for place, entry in enumerate(cell):
        parts += [Part(", " if place else ""), _link(entry.record)]
    return [*parts, Part(" is" if len(cell) == 1 else " are")]


def _standing(record: RecordView) -> Sentence:
    link = _link(record)
    if record.in_force and record.approved_at is not None:
        parts = (
            link,
            Part(f" revision {record.revision} was approved on "),
            Part(moment=record.approved_at),
            Part(f"; written by {record.author}."),
        )
        return Sentence(parts)
    if record.in_force:
        return Sentence((link, Part(f" revision {record.revision} is {record.state}.")))
    state = record.state.replace("_", " ")
    said = Part(f" revision {record.revision} is {state} and has not been approved.")
    return Sentence((link, said), Flag.UNSIGNED)


def _linked(column: Column, cell: Sequence[Entry]) -> Iterable[Sentence]:
    if not cell:
        return
    label = column.label or column.name.replace("_", " ").capitalize()
    parts = [Part(f"{label}: ")]
    for place, entry in enumerate(cell):
        parts += [Part(", " if place else ""), _link(entry.record), Part(f" {entry.record.title}")]
    yield Sentence((*parts, Part(".")))


def _code(commits: Sequence[CommitNamed]) -> Iterable[Sentence]:
    for commit in commits:
        parts = (
            Part("Commit "),
            Part(commit.sha[:7], commit.address),
            Part(f" {commit.role} it, "),
            Part(moment=commit.at),
            Part(f": {commit.subject}"),
        )
        yield Sentence(parts)


def _lines(one: LinesFact) -> Sentence:
    said = (Part("Marked lines need re-review, "), Part(one.told, one.address), Part("."))
    return Sentence(said, Flag.NEEDS_REVIEW)


def _tested(entry: Entry) -> Sentence:
    """Say what the latest run of a test says: word, run, commit, time and figures."""
    verdict = entry.verdict
    assert verdict is not None  # noqa: S101 - only tests come here, and each has a verdict
    start = _link(entry.record)
    if verdict.imported:
        flag = FLAG_OF_WORD.get(verdict.word) if entry.judged else None
        said = Part(verdict.detail, verdict.address)
        return Sentence((start, Part(" has no recorded run; "), said, Part(".")), flag)
    flag = FLAG_OF_WORD.get(verdict.word) if entry.judged else None
    if verdict.word is VerdictWord.NOT_RUN:
        draft = not entry.record.in_force
        state = f" (it is {entry.record.state.replace('_', ' ')})" if draft else ""
        return Sentence((start, Part(f" has not been run{state}.")), flag)
    revision = f" revision {verdict.revision}" if verdict.revision is not None else ""
    done = {
        VerdictWord.PASSED: "passed",
        VerdictWord.FAILED: "failed",
        VerdictWord.OLDER_COMMIT: "was last run",
    }[verdict.word]
    parts = [start, Part(f"{revision} {done} in "), Part(f"run {verdict.run}", verdict.address)]
    if verdict.commit:
        parts.append(Part(f" on {'the older ' if done == 'was last run' else ''}commit "))
        parts.append(Part(verdict.commit[:7]))
    if verdict.at is not None:
        parts += [Part(", "), Part(moment=verdict.at)]
    if verdict.detail:
        parts.append(Part(f", {verdict.detail}"))
    return Sentence((*parts, Part(".")), flag)


def _beside(entry: Entry) -> Iterable[Sentence]:
    """Say what imported results tell of a record, where its verdict does not say so already."""
    if entry.imported is None or (entry.verdict and entry.verdict.imported):
        return
    said = Part(entry.imported.detail, entry.imported.address)
    yield Sentence((_link(entry.record), Part(" beside that: "), said, Part(".")))


def _imported(bearing: Bearing) -> Sentence:
    """Say which imported result keeps a row from being verified, and over what it reaches it."""
    over = bearing.through[1:]
    parts = [_key_link(bearing.about)]
    for place, key in enumerate(over):
        parts += [Part(" and " if place else ", over "), _key_link(key)]
    said = Part(bearing.result.detail, bearing.result.address)
    parts += [Part(", is not verified: " if over else " is not verified: "), said, Part(".")]
    return Sentence(tuple(parts), FLAG_OF_WORD[bearing.word])


def _watched(control: QaControl) -> Sentence:
    """Say whether a QA procedure still controls what stands in the row, and why."""
    parts = (
        Part("QA: "),
        _key_link(control.procedure),
        Part(f" of {control.procedure.project}: {control.word}, {control.why.rstrip('.')}."),
    )
    return Sentence(parts, Flag.NOT_EFFECTIVE if control.failed else None)


def _suspect(suspicion: Suspicion) -> Sentence:
    parts = (
        _key_link(suspicion.record),
        Part(" needs re-review because "),
        _key_link(suspicion.cause),
        Part(f" {suspicion.happened}{changed_fields(suspicion)}."),
    )
    return Sentence(parts, Flag.NEEDS_REVIEW)


def changed_fields(suspicion: Suspicion) -> str:
    """Name the fields that changed at the cause: " (Acceptance criterion)"; empty when unknown."""
    labels = ", ".join(change.label for change in suspicion.diff)
    return f" ({labels})" if labels else ""


def _verdict(row: Row, release: str) -> Iterable[Sentence]:
    said = row.judgement.outcome
    where = f" at {release}" if release else ""
    if said is Outcome.NONE:
        return
    if said is Outcome.NO_TEST:
        yield Sentence((Part(f"So there is no verdict{where}."),), Flag.UNCOVERED)
    elif said is Outcome.PASSED:
        yield Sentence((Part(f"So the verdict{where} is passed: every test that counts passed."),))
    else:
        yield Sentence((Part(f"So the verdict{where} is {said}."),))


def _link(record: RecordView) -> Part:
    return _key_link(record.key)


def _key_link(key: Key) -> Part:
    return Part(key.uid, f"/p/{key.project}/{key.uid}")
