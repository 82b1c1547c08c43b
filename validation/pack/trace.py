"""Each requirement of a release from its needs to its verdict, as a pack prints it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlmodel import Session

from core.records.models import Project
from core.records.snapshot import Key
from core.records.types import get_registry
from core.verdicts import NOT_RUN
from qms.releases.scope import ReleaseScope
from qms.repositories.queries import commits_of_uid
from qms.rules.facts import RuleInput
from qms.traceability.columns import columns_for
from qms.traceability.matrix import Entry, Facts, Row, build
from qms.traceability.service import allowed_links
from validation.pack.contents import TraceRow, TraceTest

REQUIREMENT = "requirement"
COLUMNS = ("user_need", "software_item", "test")
SHORT = 8
"""Digits of a commit in print; the commit of the release stands whole on the cover."""


def trace_rows(
    session: Session,
    project: Project,
    given: RuleInput,
    scope: ReleaseScope,
    commits: AbstractSet[str],
) -> tuple[TraceRow, ...]:
    """Return the requirements that a release delivers, in natural order.

    Parameters
    ----------
    commits : set of str
        The commits that the release is made of; what was committed elsewhere says nothing of it.
    """
    facts = Facts(
        snapshot=given.snapshot,
        verdicts={Key(project.key, uid): one for uid, one in given.verdicts.items()},
        suspicions=given.suspects,
        release_tests=scope.tests,
        delivered=scope.delivered,
    )
    columns = columns_for(REQUIREMENT, COLUMNS, allowed_links(get_registry()))
    matrix = build(facts, project.key, REQUIREMENT, columns, scope.uid)
    return tuple(
        _row(row, _commits(session, project, row.record.uid, commits))
        for row in matrix.rows
        if row.delivered
    )


def _row(row: Row, commits: tuple[str, ...]) -> TraceRow:
    return TraceRow(
        uid=row.record.uid,
        title=row.record.title,
        revision=row.record.revision,
        needs=_uids(row.cells["user_need"]),
        items=_uids(row.cells["software_item"]),
        code=commits,
        tests=tuple(_test(entry) for entry in row.cells["test"]),
        verdict=str(row.judgement.outcome),
        needs_review=", ".join(sorted({one.cause.uid for one in row.suspicions})),
    )


def _uids(entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(entry.record.uid for entry in entries)


def _test(entry: Entry) -> TraceTest:
    verdict = entry.verdict or NOT_RUN
    return TraceTest(
        uid=entry.record.uid, verdict=str(verdict.word), detail=verdict.detail, run=verdict.run
    )


def _commits(
    session: Session, project: Project, uid: str, commits: AbstractSet[str]
) -> tuple[str, ...]:
    found = commits_of_uid(session, project.key, uid)
    shas = [one.sha[:SHORT] for one in found if one.sha in commits]
    return tuple(dict.fromkeys(shas))
