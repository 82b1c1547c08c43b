"""Import results of tests for a commit: read whole, judged by nobody yet, kept or not at all."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from core.blobs import BlobStore, StoredBlob, remember
from core.errors import Fault, FiducialError, Invalid, Refused
from core.ledger import append, hold_still
from core.people.actor import Actor
from core.records.models import Project, Record
from qms.interchange.corpus import Finding, Place
from qms.interchange.near_ids import NearIds
from qms.repositories.mirror import object_name
from qms.repositories.service import mirror_holding, repositories_of
from qms.results.arriving import Arrived
from qms.results.cases import Case, Naming, Outcome
from qms.results.integrity import IMPORTED, ROWS, digest_of_rows
from qms.results.models import ResultCase, ResultImport, ResultNaming, ResultReport
from qms.results.naming import Names

MAY_IMPORT = ("developer", "tester", "validation_tester", "release_manager", "quality_manager")
"""Roles that may import results; a program does so in the name of a person who holds one."""

MOST_TOLD = 500
"""Findings of one import that are told and kept; whoever has more mends those first."""

ROWS_AT_ONCE = 10_000

_ENVIRONMENT = re.compile(r"[^\x00-\x1f\x7f]{0,60}")

COMMAND, PROGRAM, PAGE = "command line", "program", "page"
"""How results come in."""


@dataclass(frozen=True)
class Ran:
    """Where the tests of an import ran, and whether they ran again there.

    Attributes
    ----------
    environment : str
        Empty where a build runs its tests in one only.
    rerun : bool
        Whether the cases count instead of what they said before, at that commit and there.
    """

    environment: str = ""
    rerun: bool = False


AS_EVER = Ran()


@dataclass(frozen=True)
class Kept:
    """What an import came to.

    Attributes
    ----------
    named : tuple of str
        The records of the project that its cases name.
    """

    number: int
    commit: str
    ran: Ran
    reports: tuple[tuple[str, str, int], ...]
    counts: dict[Outcome, int]
    named: tuple[str, ...]
    findings: tuple[Finding, ...]


def import_results(
    session: Session,
    store: BlobStore,
    project: Project,
    arrived: Arrived,
    commit: str,
    by: Actor,
    via: str,
    ran: Ran = AS_EVER,
) -> Kept:
    """Keep what arrived as one import.

    Parameters
    ----------
    commit : str
        The full name of the commit that the tests ran on.
    ran : Ran
        Where they ran, and whether they ran again there.

    Raises
    ------
    Refused
        If the person holds no role that may.
    Invalid
        If `commit` is no full commit name, or the environment no name.
    """
    if not by.has(project.id or 0, *MAY_IMPORT):
        raise Refused(f"{by.name} may not import results of tests into {project.key}.")
    sha = object_name(commit.strip().lower())
    ran = Ran(_environment(ran.environment), ran.rerun)
    names = names_of(session, project)
    named = [[names.of(case) for case in report.cases] for report, _ in arrived.reports]
    known = {one.uid for each in named for case in each for one in case if one.uid in names.uids}
    about = (
        *_about(session, project, arrived, sha, named, names),
        *_about_rerun(session, project, arrived, sha, ran),
    )
    findings = _the_first((*about, *arrived.findings))
    reports, attached = _store(store, arrived)
    made = _begin(session, project, sha, ran, by, via, findings)
    for at, one in enumerate(reports):
        _keep_report(session, one, made, arrived, at, named[at])
    for one in attached:
        remember(session, one)
    _record(session, project, made, arrived, [one.sha256 for one in reports], by)
    return Kept(
        number=made.number,
        commit=sha,
        ran=ran,
        reports=tuple((one.file, one.tool, len(one.cases)) for one, _ in arrived.reports),
        counts=arrived.counts(),
        named=tuple(sorted(known)),
        findings=findings,
    )


def _environment(name: str) -> str:
    plain = name.strip()
    if _ENVIRONMENT.fullmatch(plain):
        return plain
    what = "is longer than 60 characters, or holds characters that cannot be seen."
    raise Invalid(
        "Nothing was imported.", [Fault("TR620", "the environment", what, "Name it shortly.")]
    )


def _store(
    store: BlobStore, arrived: Arrived
) -> tuple[tuple[StoredBlob, ...], tuple[StoredBlob, ...]]:
    """Keep the bytes of the reports and of their files, before the audit trail is held still.

    A file of many cases is kept once; what is kept of an import that fails is merely unused.
    """
    files = {
        one.sha256: one
        for report, _ in arrived.reports
        for case in report.cases
        for one in arrived.files_of(case)
    }
    reports = tuple(store.put(content) for _, content in arrived.reports)
    return reports, tuple(store.put(one.data) for one in files.values())


def _begin(
    session: Session,
    project: Project,
    sha: str,
    ran: Ran,
    by: Actor,
    via: str,
    findings: Sequence[Finding],
) -> ResultImport:
    # The number that comes next is nobody else's until this is kept.
    hold_still(session)
    made = ResultImport(
        project_id=project.id or 0,
        number=_last_number(session, project) + 1,
        commit=sha,
        environment=ran.environment,
        rerun=ran.rerun,
        via=via,
        imported_by=by.name,
        findings=[{**asdict(one), "place": str(one.place)} for one in findings],
    )
    session.add(made)
    session.flush()
    return made


def _about_rerun(
    session: Session, project: Project, arrived: Arrived, sha: str, ran: Ran
) -> Iterator[Finding]:
    if not ran.rerun:
        return
    query = select(col(ResultImport.id)).where(
        col(ResultImport.project_id) == project.id,
        col(ResultImport.commit) == sha,
        col(ResultImport.environment) == ran.environment,
    )
    if session.execute(query.limit(1)).first() is None:
        what = "It says that it is a rerun, and nothing was imported before to run again."
        yield Finding("TR619", what, Place(arrived.reports[0][0].file))


def _the_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(findings) <= MOST_TOLD:
        return findings
    more = f"{len(findings) - MOST_TOLD} more findings are not listed."
    return (*findings[:MOST_TOLD], Finding("TR615", more, findings[-1].place))


def _record(
    session: Session,
    project: Project,
    made: ResultImport,
    arrived: Arrived,
    digests: Sequence[str],
    by: Actor,
) -> None:
    append(
        session,
        IMPORTED,
        by,
        project_id=project.id,
        subject=f"results {made.number}",
        data={
            "commit": made.commit,
            **({"environment": made.environment} if made.environment else {}),
            **({"rerun": True} if made.rerun else {}),
            "via": made.via,
            "reports": {
                report.file: sha256
                for (report, _), sha256 in zip(arrived.reports, digests, strict=True)
            },
            "counts": {str(one): count for one, count in arrived.counts().items() if count},
            ROWS: digest_of_rows(session, made),
        },
    )


def as_json(kept: Kept, project: str) -> dict[str, Any]:
    """Return an import as plain values."""
    return {
        "number": kept.number,
        "address": f"/p/{project}/results/{kept.number}",
        "commit": kept.commit,
        "environment": kept.ran.environment,
        "rerun": kept.ran.rerun,
        "reports": [{"file": f, "tool": t, "cases": n} for f, t, n in kept.reports],
        "counts": {str(one): count for one, count in kept.counts.items()},
        "named": list(kept.named),
        "findings": [
            {"code": one.code, "where": str(one.place), "what": one.what, "mend": one.mend}
            for one in kept.findings
        ],
    }


def _last_number(session: Session, project: Project) -> int:
    query = select(func.max(col(ResultImport.number))).where(
        col(ResultImport.project_id) == project.id
    )
    return session.execute(query).scalar_one() or 0


def _keep_report(
    session: Session,
    stored: StoredBlob,
    made: ResultImport,
    arrived: Arrived,
    at: int,
    named: Sequence[tuple[Naming, ...]],
) -> None:
    report, _ = arrived.reports[at]
    kind = "application/json" if report.tool == "cucumber" else "application/xml"
    row = ResultReport(
        import_id=made.id or 0,
        name=report.file,
        sha256=remember(session, stored, kind).sha256,
        tool=report.tool,
    )
    session.add(row)
    session.flush()
    rows = [_row(row.id or 0, place, case, arrived) for place, case in enumerate(report.cases)]
    if rows:
        session.execute(insert(ResultCase), rows)
    query = select(col(ResultCase.ordinal), col(ResultCase.id)).where(
        col(ResultCase.report_id) == row.id
    )
    ids: dict[int, int] = {row[0]: row[1] for row in session.execute(query)}
    namings = (
        {"case_id": ids[place], "uid": one.uid, "stated": one.stated}
        for place, each in enumerate(named)
        for one in each
    )
    while some := list(islice(namings, ROWS_AT_ONCE)):
        session.execute(insert(ResultNaming), some)


def _row(report_id: int, ordinal: int, case: Case, arrived: Arrived) -> dict[str, Any]:
    return {
        "report_id": report_id,
        "ordinal": ordinal,
        "suite": case.suite,
        "label": case.label,
        "outcome": case.outcome.value,
        "message": case.message,
        "source": case.source,
        "line": case.place.line,
        "seconds": case.seconds,
        "files": [[one.name, one.sha256] for one in arrived.files_of(case)],
    }


def names_of(session: Session, project: Project) -> Names:
    """Return the ids that cases may name in a project."""
    uids = select(col(Record.uid)).where(col(Record.project_id) == project.id)
    keys = select(col(Project.key)).where(col(Project.id) != project.id)
    return Names(
        project.key,
        frozenset(session.execute(uids).scalars()),
        frozenset(session.execute(keys).scalars()),
    )


def _about(
    session: Session,
    project: Project,
    arrived: Arrived,
    sha: str,
    named: Sequence[Sequence[tuple[Naming, ...]]],
    names: Names,
) -> Iterator[Finding]:
    """Say what of the import leads nowhere: ids, and the commit."""
    every = [one for each in named for case in each for one in case]
    stated: dict[str, Place] = {}
    for one in every:
        if one.stated and one.uid not in names.uids:
            stated.setdefault(one.uid, one.place)
    yield from _unknown(names, stated)
    yield from names.findings.values()
    first = Place(arrived.reports[0][0].file)
    if all(one.uid not in names.uids for one in every):
        mend = 'Name them: record_property("verifies", "REQ-1"), a tag, or the name of the test.'
        yield Finding("TR613", f"No case names a record of {project.key}.", first, mend=mend)
    if repositories_of(session, project.key):
        try:
            mirror_holding(session, project.key, sha)
        except FiducialError as unknown:
            yield Finding("TR612", unknown.message, first, mend="Scan the repository.")


def _unknown(names: Names, stated: Mapping[str, Place]) -> Iterator[Finding]:
    near = NearIds(sorted(names.uids) if stated else ())
    for count, (uid, place) in enumerate(stated.items()):
        # What is not told needs no guess: a report may name very many ids.
        meant = near.to(uid) if count < MOST_TOLD else None
        what = f"{uid} is named, and {names.project} has no such record."
        yield Finding("TR610", what, place, uid, f"Did you mean {meant}?" if meant else "")
