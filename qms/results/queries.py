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
from qms.results.judging import Imported, Standing, Told, judge
from qms.results.models import ResultCase, ResultImport, ResultNaming, ResultReport


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
        Uid of the release whose commit counts. Without one, the latest commit that names a record
        counts for it.
    uids : collection of str, optional
        Look at these records alone.
    until : datetime, optional
        Look at what had been imported by then.
    """
    imports = _imports(session, project, until)
    if not imports:
        return {}
    commit = commit_of_release(session, project, release) if release is not None else None
    last = _last_import(session, project, uids, max(imports))
    if uids is not None:
        last = {uid: number for uid, number in last.items() if uid in uids}
    wanted = {imports[number].commit for number in last.values()} if commit is None else {commit}
    numbers = [number for number, one in imports.items() if one.commit in wanted]
    told = _told(session, project, imports, numbers, uids)
    found = {}
    for uid, number in last.items():
        deciding = imports[number].commit if commit is None else commit
        here = [one for one in told.get(uid, ()) if one.commit == deciding]
        address = f"/p/{project}/results/"
        if here:
            judged = judge(uid, here)
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
    session: Session, project: str, uids: Collection[str] | None, newest: int
) -> dict[str, int]:
    """Return the last import that names each uid, of those up to the newest one."""
    query = (
        select(col(ResultNaming.uid), func.max(col(ResultImport.number)))
        .join(ResultCase, col(ResultCase.id) == col(ResultNaming.case_id))
        .join(ResultReport, col(ResultReport.id) == col(ResultCase.report_id))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .join(Project, col(Project.id) == col(ResultImport.project_id))
        .where(col(Project.key) == project, col(ResultImport.number) <= newest)
        .group_by(col(ResultNaming.uid))
        .order_by(col(ResultNaming.uid))
    )
    if uids is not None and len(uids) <= CHUNK:
        query = query.where(col(ResultNaming.uid).in_(sorted(uids)))
    return {row[0]: row[1] for row in session.execute(query)}


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
            told = Told(uid, number, one.commit, one.at, suite, label, Outcome(outcome), message)
            found[uid].append(told)
    return found
