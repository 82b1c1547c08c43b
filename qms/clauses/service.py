"""What speaks to each clause in a project, as it stands now; page, JSON and command ask this."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from core.errors import NotFound
from core.records.models import Project
from core.records.service import find_project
from core.records.snapshot import RecordView
from core.records.types import get_registry
from qms.baselines.current import project_snapshot
from qms.clauses.answering import Answers, ClauseInput, answers
from qms.clauses.keeping import kept_answers
from qms.clauses.lists import ClauseBook, ClauseList, Pointed
from qms.clauses.packs import clause_book
from qms.clauses.standing import ClauseAnswer, Standing
from qms.releases.gathering import gather
from qms.releases.keeping import checked
from qms.releases.scope import NEWEST, ReleaseScope, choose_release, releases_of
from qms.rules.facts import RuleInput
from qms.rules.packs import framework_pack
from qms.rules.registry import RULES
from qms.rules.view import View


@dataclass(frozen=True)
class ClauseFile:
    """Every clause of every framework for one project, judged with one release.

    Attributes
    ----------
    release : ReleaseScope or None
        Whose check the rules' verdicts are of; None judges the record alone.
    changes : tuple of str
        What this department asks otherwise than the product as it ships.
    """

    project: str
    book: ClauseBook
    answers: Answers
    releases: tuple[ReleaseScope, ...]
    release: ReleaseScope | None
    today: str
    changes: tuple[str, ...]

    def framework(self, key: str) -> ClauseList:
        """Return one list.

        Raises
        ------
        NotFound
            If there is none of that key; the message names those there are.
        """
        found = self.book.lists.get(key)
        if found is None:
            known = ", ".join(self.book.lists)
            raise NotFound(f"There is no framework {key[:40]!r}; there are: {known}.")
        return found

    def of(self, key: str) -> tuple[ClauseAnswer, ...]:
        """Return every clause of one framework."""
        self.framework(key)
        return self.answers.by_framework[key]

    def clause(self, key: str, number: str) -> ClauseAnswer:
        """Return one clause; a part leads to the clause that it is of.

        Raises
        ------
        NotFound
            If the framework lists no such clause.
        """
        listed = self.framework(key)
        asked = listed.asked_by(listed.numbers.get(number.casefold(), number))
        found = next((one for one in self.of(key) if one.clause == asked), None)
        if found is None:
            raise NotFound(f"{listed.name} lists no clause {number[:40]!r}.")
        return found

    def counts(self, key: str) -> dict[Standing, int]:
        """Return how many clauses of a framework stand where."""
        counted = Counter(one.standing for one in self.of(key))
        return {standing: counted[standing] for standing in Standing}

    def pick(self, key: str, words: str) -> list[ClauseAnswer]:
        """Return the clauses of one framework, or of all, that somebody's words ask for.

        A number or a pointer comes before words in the titles.
        """
        within = [*self.of(key)] if key else self.all()
        asked = words.strip()
        if not asked:
            return within
        pointed = self.led(key, asked)
        if pointed:
            wanted = {(one.framework, clause) for one in pointed for clause in one.clauses}
            return [one for one in within if (one.framework, one.clause) in wanted]
        each = asked.casefold().split()
        return [
            one
            for one in within
            if all(word in f"{one.clause} {one.title}".casefold() for word in each)
        ]

    def led(self, key: str, words: str) -> list[Pointed]:
        """Return where a pointer or a bare number leads, within one framework if one is named."""
        found = self.book.search(words)
        return [one for one in found if not key or one.framework == key]

    def all(self) -> list[ClauseAnswer]:
        """Return every clause of every framework."""
        return [one for each in self.answers.by_framework.values() for one in each]


def clause_file(
    session: Session, project: Project | str, release: str | None = NEWEST
) -> ClauseFile:
    """Return what speaks to each clause in a project.

    Parameters
    ----------
    release : str or None
        Uid or version of the release whose check is asked; the newest candidate unless named,
        and the record alone with None.

    Raises
    ------
    NotFound
        If there is no such project or release.
    """
    found = find_project(session, project) if isinstance(project, str) else project
    snapshot = project_snapshot(session, found)
    releases = releases_of(snapshot, found.key)
    chosen = choose_release(releases, release)
    record = snapshot.records[chosen.key] if chosen is not None else None
    given, pack = gather(session, found, record, snapshot), framework_pack()
    result = checked(given, pack)
    book = clause_book()

    def ask() -> Answers:
        looked_at = _looked_at(given, pack.limits)
        types = get_registry().all()
        return answers(ClauseInput(found.key, snapshot, types, pack, result, looked_at), book)

    return ClauseFile(
        project=found.key,
        book=book,
        answers=kept_answers(result, book, ask),
        releases=releases,
        release=chosen,
        today=result.today.isoformat(),
        changes=pack.changes,
    )


def _looked_at(given: RuleInput, limits: Mapping[str, object]) -> dict[str, tuple[RecordView, ...]]:
    """Return the records each rule looks at; of other projects too, as the check names them."""
    view = View(given, limits)
    return {code: tuple(rule.subjects.select(view)) for code, rule in RULES.items()}


def kept(shown: Iterable[ClauseAnswer], standing: str) -> list[ClauseAnswer]:
    """Return the clauses of one standing; an unknown word keeps all."""
    words = set(Standing)
    return [one for one in shown if standing not in words or one.standing == standing]
