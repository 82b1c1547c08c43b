"""Hold the rows of imported results against what the audit trail saw when they came.

The entry of an import names the SHA-256 of each report and of all that was read of them. The
reports are not read anew for this: a later reader may rightly make something else of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.blobs import Blob, BlobStore, DamagedBlob
from core.canonical import canonical_json, rfc3339
from core.errors import Fault, NotFound
from core.ledger.brought import Told, acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from qms.results.models import ResultCase, ResultImport, ResultNaming, ResultReport

IMPORTED = "results:report:import"
"""What the audit trail calls the act of importing."""

ROWS = "rows"
"""Under which name the entry of an import holds the digest of its rows."""

NAMINGS_PER_ENTRY = 10
"""How many records that cases name are read and hashed while one audit entry is verified."""

BYTES_PER_ENTRY = 20_000
"""How much of a report is hashed meanwhile, on a machine without instructions for SHA-256."""

_MEND = "Restore the last backup and compare; nothing may rely on these results until then."
_AT_ONCE = 5_000
_OF_A_CASE = (
    ResultCase.ordinal, ResultCase.suite, ResultCase.label, ResultCase.outcome, ResultCase.message,
    ResultCase.source, ResultCase.line, ResultCase.seconds, ResultCase.files,
)  # fmt: skip


def digest_of_rows(session: Session, made: ResultImport) -> str:
    """Return the SHA-256 over an import, its reports, their cases and what those name."""
    hashed = hashlib.sha256()
    for row in _rows(session, made):
        hashed.update(canonical_json(row) + b"\n")
    return hashed.hexdigest()


def _rows(session: Session, made: ResultImport) -> Iterator[object]:
    yield [
        made.number, made.commit, made.environment, made.rerun, made.via, made.imported_by,
        rfc3339(made.at),
    ]  # fmt: skip
    for report in _reports(session, made):
        yield [report.name, report.sha256, report.tool]
        named = _named(session, report)
        cases = (
            select(col(ResultCase.id), *map(col, _OF_A_CASE))
            .where(col(ResultCase.report_id) == report.id)
            .order_by(col(ResultCase.ordinal))
            .execution_options(yield_per=_AT_ONCE)
        )
        for number, *said in session.execute(cases):
            yield [*said, sorted(named.get(number, ()))]


def _reports(session: Session, made: ResultImport) -> list[ResultReport]:
    query = select(ResultReport).where(col(ResultReport.import_id) == made.id)
    return sorted(session.scalars(query), key=lambda one: one.name)


def _named(session: Session, report: ResultReport) -> dict[int, list[tuple[str, bool]]]:
    query = (
        select(col(ResultNaming.case_id), col(ResultNaming.uid), col(ResultNaming.stated))
        .join(ResultCase, col(ResultCase.id) == col(ResultNaming.case_id))
        .where(col(ResultCase.report_id) == report.id)
    )
    found: dict[int, list[tuple[str, bool]]] = defaultdict(list)
    for case, uid, stated in session.execute(query):
        found[case].append((uid, stated))
    return found


def result_faults(session: Session, project: Project, files: BlobStore) -> list[Fault]:
    """Return every import of a project that is not what the audit trail saw, or that it never saw.

    An import from before the trail kept the digest of its rows is held against its reports alone.
    """
    entries = session.scalars(
        select(LedgerEntry).where(col(LedgerEntry.project_id) == project.id, acts(IMPORTED))
    )
    seen = {one.subject: one for one in map(told, entries)}
    found = []
    imports = select(ResultImport).where(col(ResultImport.project_id) == project.id)
    for made in session.scalars(imports.order_by(col(ResultImport.number))):
        where = f"{project.key} results {made.number}"
        entry = seen.pop(f"results {made.number}", None)
        found += [
            Fault("results", where, what, _MEND) for what in _wrong(session, made, entry, files)
        ]
    found += [
        Fault("results", f"{project.key} {subject[:40]}", "has an audit entry but no rows.", _MEND)
        for subject in sorted(seen)
    ]
    return found


def results_worth(session: Session) -> int:
    """Return how many entries of the audit trail take as long to verify as all imported results.

    A case counts as one entry.
    """
    reports = select(func.sum(col(Blob.size))).join(
        ResultReport, col(ResultReport.sha256) == col(Blob.sha256)
    )
    cases = session.scalar(select(func.count()).select_from(ResultCase))
    namings = session.scalar(select(func.count()).select_from(ResultNaming))
    hashed = session.scalar(reports)
    return (
        int(cases or 0)
        + int(namings or 0) // NAMINGS_PER_ENTRY
        + int(hashed or 0) // BYTES_PER_ENTRY
    )


def _wrong(
    session: Session, made: ResultImport, entry: Told | None, files: BlobStore
) -> Iterator[str]:
    if entry is None:
        yield "has rows but no audit entry."
        return
    reports = {one.name: one.sha256 for one in _reports(session, made)}
    if entry.details.get("commit") != made.commit or entry.details.get("reports") != reports:
        yield "names another commit or other reports than its audit entry."
    elif entry.details.get(ROWS, "") not in ("", digest_of_rows(session, made)):
        yield "holds other cases than its audit entry saw."
    for sha256 in sorted(set(reports.values())):
        try:
            files.verify(sha256)
        except (NotFound, DamagedBlob) as damage:
            yield str(damage)
