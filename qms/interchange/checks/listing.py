"""The checks of a project and what each came to, as pages and programs show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.errors import NotFound
from core.exports import MOST_PRINTED, Sheet
from core.jobs.models import Job
from core.records.models import Project
from qms.interchange.checks.models import (
    TraceCheck,
    TraceCheckFile,
    TraceCheckFinding,
    TraceCheckResult,
)
from qms.interchange.telling import TITLES

HEADINGS = ("Code", "Place", "Id", "What is wrong", "What to do")
NAMED = 3
"""Files that a line names; of more the first ones and how many."""


@dataclass(frozen=True)
class CheckLine:
    """One check with its files and, once its job has ended, what it came to."""

    row: TraceCheck
    files: tuple[TraceCheckFile, ...]
    job: Job | None
    result: TraceCheckResult | None

    @property
    def number(self) -> int:
        """Its number in the project."""
        return self.row.number

    @property
    def word(self) -> str:
        """How it stands, in a word."""
        if self.result is not None:
            if self.result.refused:
                return "refused"
            return "failed" if self.result.findings else "passed"
        state = str(self.job.state) if self.job else "failed"
        return {"queued": "waiting", "done": "failed"}.get(state, state)

    @property
    def told(self) -> str:
        """What it came to, in a few words."""
        if self.result is None:
            return ""
        if self.result.refused:
            return "nothing could be read"
        count = self.result.findings
        return f"{count or 'no'} finding{'' if count == 1 else 's'}"

    @property
    def named(self) -> str:
        """Its files in a few words."""
        names = [one.name for one in self.files]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return f"{', '.join(names[:NAMED])}{more}"


@dataclass(frozen=True)
class FindingLine:
    """One finding."""

    code: str
    place: str
    uid: str
    what: str
    mend: str

    @property
    def title(self) -> str:
        """What its code means."""
        return TITLES.get(self.code, "")


def checks_of(session: Session, project: Project, *, most: int = 200) -> list[CheckLine]:
    """Return the checks of a project, the latest first."""
    query = (
        select(TraceCheck)
        .where(col(TraceCheck.project_id) == project.id)
        .order_by(col(TraceCheck.number).desc())
        .limit(most)
    )
    return _lines(session, session.execute(query).scalars().all())


def find_check(session: Session, project: Project, number: int) -> CheckLine:
    """Return one check.

    Raises
    ------
    NotFound
        If the project has none of that number.
    """
    return _lines(session, [find_row(session, project, number)])[0]


def find_row(session: Session, project: Project, number: int) -> TraceCheck:
    """Return what was asked as one check; raises `NotFound` as `find_check`."""
    query = select(TraceCheck).where(
        col(TraceCheck.project_id) == project.id, col(TraceCheck.number) == number
    )
    found: TraceCheck | None = session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"{project.key} has no check of files {number}.")
    return found


def files_of(session: Session, check: TraceCheck) -> list[TraceCheckFile]:
    """Return the files of a check in the order in which they were sent."""
    query = select(TraceCheckFile).where(col(TraceCheckFile.check_id) == check.id)
    return list(session.execute(query.order_by(col(TraceCheckFile.id))).scalars())


def file_of(session: Session, project: Project, number: int, sha256: str) -> str:
    """Return the name of a file of a check, or of its result.

    Raises
    ------
    NotFound
        If the check has no such file.
    """
    line = find_check(session, project, number)
    for one in line.files:
        if one.sha256 == sha256:
            return one.name.rpartition("/")[2]
    if line.result is not None and line.result.sha256 == sha256:
        return f"{project.key}-trace-check-{number}.json"
    raise NotFound(f"The check {number} has no file {sha256[:12]}.")


def findings_of(
    session: Session, check: TraceCheck, code: str = "", *, start: int = 0, most: int | None = None
) -> list[FindingLine]:
    """Return findings of a check by place, those of one code or all."""
    query = select(TraceCheckFinding).where(col(TraceCheckFinding.check_id) == check.id)
    if code:
        query = query.where(col(TraceCheckFinding.code) == code)
    query = query.order_by(col(TraceCheckFinding.ordinal)).offset(start).limit(most)
    return [
        FindingLine(one.code, one.place, one.uid, one.what, one.mend)
        for one in session.execute(query).scalars()
    ]


def sheet(session: Session, project: Project, line: CheckLine, code: str, form: str) -> Sheet:
    """Return the findings that the page shows, those of every page, with the counts of all.

    A list that is too long for paper is printed up to its limit, and says so.
    """
    most = MOST_PRINTED if form == "pdf" else None
    found = findings_of(session, line.row, code, most=most)
    return Sheet(
        f"Check {line.number} of files, {project.key}",
        HEADINGS,
        [(one.code, one.place, one.uid, one.what, one.mend) for one in found],
        _about(project, line, code, len(found)),
    )


def _about(project: Project, line: CheckLine, code: str, listed: int) -> Mapping[str, str]:
    about = {"Project": project.key, "Files": line.named, "Asked by": line.row.asked_by}
    result = line.result
    if result is None:
        return about | {"State": line.word}
    if result.refused:
        told = [f"{one['code']} {one['where']}: {one['what']}" for one in result.faults]
        return about | {"Refused": " ".join((result.refused, *told))}
    total = result.counts.get(code, 0) if code else result.findings
    shown = f"{code} {TITLES.get(code, '')}" if code else "every code"
    about |= {
        "Format": result.form,
        "Read": f"{result.items} items and {result.links} links",
        "Findings": f"{result.findings}",
        "Counts": "; ".join(f"{name}: {count}" for name, count in result.counts.items()) or "none",
        "Shown": shown if listed == total else f"{shown}, the first {listed} of {total}",
        "Result": f"SHA-256 {result.sha256}",
    }
    for name, said in (("Left out", result.left_out), ("Not judged", result.not_judged)):
        if said:
            about[name] = "; ".join(f"{count} {what}" for what, count in said.items())
    return about


def _lines(session: Session, rows: Sequence[TraceCheck]) -> list[CheckLine]:
    ids = [one.id or 0 for one in rows]
    files: dict[int, list[TraceCheckFile]] = {one: [] for one in ids}
    results: dict[int, TraceCheckResult] = {}
    jobs: dict[int, Job] = {}
    for chunk in chunks(ids):
        held: Any = select(TraceCheckFile).where(col(TraceCheckFile.check_id).in_(chunk))
        for file in session.execute(held.order_by(col(TraceCheckFile.id))).scalars():
            files[file.check_id].append(file)
        came = select(TraceCheckResult).where(col(TraceCheckResult.check_id).in_(chunk))
        results |= {one.check_id: one for one in session.execute(came).scalars()}
    for chunk in chunks([one.job_id for one in rows]):
        asked = session.execute(select(Job).where(col(Job.id).in_(chunk))).scalars()
        jobs |= {one.id or 0: one for one in asked}
    return [
        CheckLine(one, tuple(files[one.id or 0]), jobs.get(one.job_id), results.get(one.id or 0))
        for one in rows
    ]
