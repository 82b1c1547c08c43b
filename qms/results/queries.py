"""What imported results say about each record of a project, fetched and never stored."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.db import CHUNK, chunks
from core.records.models import Project
from qms.releases.commits import commit_of_release
from qms.results.cases import Outcome
from qms.results.judging import Imported, Standing, Told, judge, together
from qms.results.models import ResultCase, ResultImport, ResultNaming, ResultReport
from qms.results.newest import Line, lines_of


def imported_results(
    session: Session,
    project: str,
    release: str | None = None,
    uids: Collection[str] | None = None,
    until: datetime | None = None,
) -> dict[str, Imported]:
    """Return what imported results say, by the uid that cases name.

    A name that the project has no record of may be among them.

    Parameters
    ----------
    release : str, optional
        Uid of the release whose commit counts. Without one, the newest commit counts that anything
        was imported for: of each repository, and of what no repository holds.
    uids : collection of str, optional
        Look at these records alone.
    until : datetime, optional
        Look at what had been imported by then.
    """
    imports = _imports(session, project, until)
    if not imports:
        return {}
    commits = frozenset(one.commit for one in imports.values())
    if release is not None:
        lines = [Line(commit_of_release(session, project, release), commits)]
    else:
        lines = lines_of(session, project, _first(imports))
    found: dict[str, list[Imported]] = defaultdict(list)
    for line in lines:
        here = {number: one for number, one in imports.items() if one.commit in line.commits}
        for uid, one in _said(session, project, line.newest, here, uids).items():
            found[uid].append(one)
    return {uid: together(found[uid]) for uid in sorted(found)}


def newest_lines(session: Session, project: str) -> list[Line]:
    """Return the lines of commits that results were imported for."""
    return lines_of(session, project, _first(_imports(session, project, None)))


def _first(imports: Mapping[int, ResultImport]) -> dict[str, int]:
    return {imports[number].commit: number for number in sorted(imports, reverse=True)}


def _said(
    session: Session,
    project: str,
    commit: str,
    imports: Mapping[int, ResultImport],
    uids: Collection[str] | None,
) -> dict[str, Imported]:
    """Return what the imports of one line of commits say at one of them."""
    last = _last_import(session, project, uids, imports)
    if uids is not None:
        last = {uid: number for uid, number in last.items() if uid in uids}
    numbers = [number for number, one in imports.items() if one.commit == commit]
    told = _told(session, project, imports, numbers, uids)
    found = {}
    address = f"/p/{project}/results/"
    for uid, number in last.items():
        if uid in told:
            judged = judge(uid, told[uid])
            found[uid] = replace(judged, address=f"{address}{judged.number}")
        else:
            standing = Standing.MISSING if numbers else Standing.STALE
            one = imports[number]
            found[uid] = Imported(
                uid, standing, number, one.commit, one.at, address=f"{address}{number}"
            )
    return found


def _imports(session: Session, project: str, until: datetime | None) -> dict[int, ResultImport]:
    query = (
        select(ResultImport)
        .join(Project, col(Project.id) == col(ResultImport.project_id))
        .where(col(Project.key) == project)
        .order_by(col(ResultImport.number))
    )
    if until is not None:
        query = query.where(col(ResultImport.at) <= until)
    return {one.number: one for one in session.execute(query).scalars()}


def _last_import(
    session: Session,
    project: str,
    uids: Collection[str] | None,
    imports: Mapping[int, ResultImport],
) -> dict[str, int]:
    """Return the last of some imports that names each uid."""
    query = (
        select(col(ResultNaming.uid), func.max(col(ResultImport.number)))
        .join(ResultCase, col(ResultCase.id) == col(ResultNaming.case_id))
        .join(ResultReport, col(ResultReport.id) == col(ResultCase.report_id))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .join(Project, col(Project.id) == col(ResultImport.project_id))
        .where(col(Project.key) == project)
        .group_by(col(ResultNaming.uid))
        .order_by(col(ResultNaming.uid))
    )
    if uids is not None and len(uids) <= CHUNK:
        query = query.where(col(ResultNaming.uid).in_(sorted(uids)))
    found: dict[str, int] = {}
    for chunk in chunks(imports):
        # In the order of their numbers, so that what comes later is what was imported later.
        rows = session.execute(query.where(col(ResultImport.number).in_(chunk)))
        found.update((row[0], row[1]) for row in rows)
    return found


def _told(
    session: Session,
    project: str,
    imports: Mapping[int, ResultImport],
    numbers: list[int],
    uids: Collection[str] | None,
) -> Mapping[str, list[Told]]:
    query = (
        select(
            col(ResultNaming.uid),
            col(ResultImport.number),
            col(ResultCase.suite),
            col(ResultCase.label),
            col(ResultCase.outcome),
            col(ResultCase.message),
        )
        .join(ResultCase, col(ResultCase.id) == col(ResultNaming.case_id))
        .join(ResultReport, col(ResultReport.id) == col(ResultCase.report_id))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .join(Project, col(Project.id) == col(ResultImport.project_id))
        .where(col(Project.key) == project)
        .order_by(col(ResultImport.number), col(ResultCase.id))
    )
    if uids is not None and len(uids) <= CHUNK:
        query = query.where(col(ResultNaming.uid).in_(sorted(uids)))
    found: dict[str, list[Told]] = defaultdict(list)
    for chunk in chunks(numbers):
        for uid, number, suite, label, outcome, message in session.execute(
            query.where(col(ResultImport.number).in_(chunk))
        ):
            one = imports[number]
            told = Told(
                uid, number, one.commit, one.at, suite, label, Outcome(outcome), message,
                one.environment, one.rerun,
            )  # fmt: skip
            found[uid].append(told)
    return found
