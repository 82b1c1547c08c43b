"""The imports of a project and the cases of one of them, as pages and programs show them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.db import chunks
from core.errors import NotFound
from core.records.models import Project
from qms.results.cases import WORST_FIRST, Outcome
from qms.results.models import ResultCase, ResultImport, ResultNaming, ResultReport


@dataclass(frozen=True)
class ImportLine:
    """One import with how its cases came out, worst first; outcomes without a case are left out."""

    number: int
    commit: str
    environment: str
    rerun: bool
    via: str
    by: str
    at: datetime
    counts: Mapping[Outcome, int]
    findings: Sequence[Mapping[str, Any]]

    @property
    def cases(self) -> int:
        """How many cases it holds."""
        return sum(self.counts.values())

    @property
    def worst(self) -> str:
        """The worst outcome among its cases; empty where it holds none."""
        return next(iter(self.counts), "")


@dataclass(frozen=True)
class CaseLine:
    """One case with the records that it names and the files that belong to it."""

    report: str
    suite: str
    label: str
    outcome: Outcome
    message: str
    place: str
    source: str
    seconds: float | None
    named: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReportLine:
    """One file of an import."""

    name: str
    tool: str
    sha256: str


def has_imports(session: Session, project: Project) -> bool:
    """Whether anything was ever imported into a project."""
    query = select(col(ResultImport.id)).where(col(ResultImport.project_id) == project.id).limit(1)
    return session.execute(query).first() is not None


def imports_of(session: Session, project: Project, number: int | None = None) -> list[ImportLine]:
    """Return the imports of a project, the latest first, or the one of that number."""
    query = select(ResultImport).where(col(ResultImport.project_id) == project.id)
    if number is not None:
        query = query.where(col(ResultImport.number) == number)
    found = session.execute(query.order_by(col(ResultImport.number).desc())).scalars().all()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    counting = (
        select(col(ResultReport.import_id), col(ResultCase.outcome), func.count())
        .join(ResultCase, col(ResultCase.report_id) == col(ResultReport.id))
        .group_by(col(ResultReport.import_id), col(ResultCase.outcome))
    )
    for chunk in chunks(one.id or 0 for one in found):
        rows = session.execute(counting.where(col(ResultReport.import_id).in_(chunk)))
        for import_id, outcome, count in rows:
            counts[import_id][outcome] = count
    return [
        ImportLine(
            number=one.number,
            commit=one.commit,
            environment=one.environment,
            rerun=one.rerun,
            via=one.via,
            by=one.imported_by,
            at=one.at,
            counts={
                word: counts[one.id or 0][word.value]
                for word in WORST_FIRST
                if word.value in counts[one.id or 0]
            },
            findings=one.findings,
        )
        for one in found
    ]


def find_import(session: Session, project: Project, number: int) -> ImportLine:
    """Return one import.

    Raises
    ------
    NotFound
        If the project has none of that number.
    """
    for one in imports_of(session, project, number):
        return one
    raise NotFound(f"{project.key} has no imported results {number}.")


def reports_of(session: Session, project: Project, number: int) -> list[ReportLine]:
    """Return the files of one import by name."""
    rows = session.execute(
        select(col(ResultReport.name), col(ResultReport.tool), col(ResultReport.sha256))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .where(col(ResultImport.project_id) == project.id, col(ResultImport.number) == number)
        .order_by(col(ResultReport.name))
    )
    return [ReportLine(name, tool, sha256) for name, tool, sha256 in rows]


def cases_of(
    session: Session,
    project: Project,
    number: int,
    outcome: Outcome | None = None,
    *,
    start: int = 0,
    most: int = 100,
) -> list[CaseLine]:
    """Return cases of one import in the order of its reports, those of one outcome or all."""
    query = (
        select(ResultCase, col(ResultReport.name))
        .join(ResultReport, col(ResultReport.id) == col(ResultCase.report_id))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .where(col(ResultImport.project_id) == project.id, col(ResultImport.number) == number)
        .order_by(col(ResultReport.id), col(ResultCase.ordinal))
        .offset(start)
        .limit(most)
    )
    if outcome is not None:
        query = query.where(col(ResultCase.outcome) == outcome.value)
    rows = [(case, report) for case, report in session.execute(query)]
    named: dict[int, list[str]] = defaultdict(list)
    naming = select(col(ResultNaming.case_id), col(ResultNaming.uid)).order_by(
        col(ResultNaming.case_id), col(ResultNaming.uid)
    )
    for chunk in chunks(case.id or 0 for case, _ in rows):
        for case_id, uid in session.execute(naming.where(col(ResultNaming.case_id).in_(chunk))):
            named[case_id].append(uid)
    return [
        CaseLine(
            report=report,
            suite=case.suite,
            label=case.label,
            outcome=Outcome(case.outcome),
            message=case.message,
            place=report if case.line is None else f"{report}:{case.line}",
            source=case.source,
            seconds=case.seconds,
            named=tuple(named[case.id or 0]),
            files=tuple((name, sha256) for name, sha256 in case.files),
        )
        for case, report in rows
    ]


def file_of(session: Session, project: Project, number: int, sha256: str) -> str:
    """Return the name of a file of one import, a report or what belongs to a case.

    Raises
    ------
    NotFound
        If the import has no such file.
    """
    for report in reports_of(session, project, number):
        if report.sha256 == sha256:
            return report.name
    rows = session.execute(
        select(col(ResultCase.files))
        .join(ResultReport, col(ResultReport.id) == col(ResultCase.report_id))
        .join(ResultImport, col(ResultImport.id) == col(ResultReport.import_id))
        .where(col(ResultImport.project_id) == project.id, col(ResultImport.number) == number)
    ).scalars()
    for files in rows:
        for name, digest in files:
            if digest == sha256:
                return str(name)
    raise NotFound(f"The imported results {number} have no file {sha256[:12]}.")
