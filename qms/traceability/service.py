"""Draw the traceability matrix of a project, whole, and explain any of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core import ports
from core.errors import NotFound
from core.records.queries import load_snapshot, load_suspicions
from core.records.service import find_project
from core.records.snapshot import Key, Snapshot
from core.records.types import TypeRegistry, get_registry
from qms.releases.outside import marked_lines
from qms.releases.scope import ReleaseScope, choose_release, releases_of
from qms.repositories.queries import commit_count_per_record, commits_of_uid
from qms.results.judging import bearings, speaks
from qms.results.queries import imported_results
from qms.rules.facts import LinesFact
from qms.traceability.columns import Links, columns_for
from qms.traceability.keeping import drawn
from qms.traceability.matrix import Facts, Matrix, Row, build_row
from qms.traceability.paths import Column
from qms.traceability.ways import along, departing, in_words
from qms.traceability.why import CommitNamed, Sentence, explain, explain_cell


@dataclass(frozen=True)
class Trace:
    """Everything one matrix is drawn from.

    Attributes
    ----------
    facts : Facts
        Records, verdicts, suspicions and commits.
    columns : tuple of Column
        The columns chosen, or the usual ones.
    ways : tuple of str
        The role paths of columns that are not drawn along their usual ones.
    """

    project: str
    rows_type: str
    columns: tuple[Column, ...]
    facts: Facts
    releases: tuple[ReleaseScope, ...]
    release: ReleaseScope | None
    ways: tuple[str, ...] = ()

    def matrix(self) -> Matrix:
        """Draw the whole matrix, or find it drawn."""
        release = self.release.uid if self.release else None
        return drawn(self.facts, self.project, self.rows_type, self.columns, release)


def trace(
    session: Session,
    project: str,
    rows: str = "requirement",
    columns: str | Sequence[str] = (),
    release: str | None = None,
    ways: Sequence[str] = (),
) -> Matrix:
    """Return the traceability matrix of a project.

    Parameters
    ----------
    project : str
        The project's key.
    rows : str
        Record type of the rows.
    columns : str or sequence of str
        Record types of the columns, as a list or separated by commas; the usual ones if empty.
    release : str, optional
        Uid or version of the release whose tests and commit count; without one, the latest run of
        each test counts whatever its commit.
    ways : sequence of str, optional
        As `load_trace` has them.

    Raises
    ------
    Invalid
        With every type that does not exist or that no chain of links leads to.
    NotFound
        If there is no such release.
    """
    return load_trace(session, project, rows, columns, release, ways=ways).matrix()


def load_trace(
    session: Session,
    project: str,
    rows: str = "requirement",
    columns: str | Sequence[str] = (),
    release: str | None = None,
    *,
    readable: Sequence[str] | None = None,
    ways: Sequence[str] = (),
    lenient: bool = False,
) -> Trace:
    """Load what a matrix is drawn from; raises as `trace` does.

    Parameters
    ----------
    readable : sequence of str, optional
        Keys of the projects whose records may be shown; all of them otherwise.
    ways : sequence of str, optional
        Role paths that columns are drawn along instead of the usual ones, as `way_text` has them.
    lenient : bool
        As `along` has it.
    """
    chosen = columns.split(",") if isinstance(columns, str) else columns
    names = [name.strip() for name in chosen if name.strip()]
    registry = get_registry()
    links = allowed_links(registry)
    usual = columns_for(rows, names, links)
    drawn = along(usual, ways, rows, links, lenient=lenient)
    snapshot = load_snapshot(session, readable)
    releases = releases_of(snapshot, project)
    scope = choose_release(releases, release)
    return Trace(
        project=project,
        rows_type=rows,
        columns=drawn,
        facts=_facts(session, snapshot, project, scope),
        releases=releases,
        release=scope,
        ways=tuple(departing(usual, drawn)),
    )


def _facts(session: Session, snapshot: Snapshot, project: str, scope: ReleaseScope | None) -> Facts:
    verdicts = ports.verdicts(session, project, scope.uid if scope else None)
    code = commit_count_per_record(session, project)
    said = imported_results(session, project, scope.uid if scope else None)
    imported = {Key(project, uid): one for uid, one in said.items()}
    against = {key: one for key, one in imported.items() if speaks(one, verdicts.get(key.uid))}
    judged = snapshot.get(scope.uid, project) if scope else None
    doubtful: dict[Key, tuple[LinesFact, ...]] = {}
    for lines in marked_lines(session, find_project(session, project), judged):
        if lines.doubt:
            doubtful[lines.record] = (*doubtful.get(lines.record, ()), lines)
    return Facts(
        snapshot=snapshot,
        verdicts={Key(project, uid): verdict for uid, verdict in verdicts.items()},
        suspicions=load_suspicions(session, snapshot),
        release_tests=scope.tests if scope else frozenset(),
        delivered=scope.delivered if scope else frozenset(),
        code={Key(project, uid): count for uid, count in code.items()},
        qa=ports.qa_controls(session, project),
        imported=imported,
        bearing=bearings(snapshot, against),
        lines=doubtful,
    )


def allowed_links(registry: TypeRegistry) -> Links:
    """Return which types each role of each record type may lead to."""
    return {
        name: {role: tuple(link.to) for role, link in registry.of(name).links.items()}
        for name in registry.names()
    }


def role_words(registry: TypeRegistry) -> dict[str, tuple[str, str]]:
    """Return how each role reads along the link and against it."""
    return {
        role: (link.label, link.reverse)
        for name in registry.names()
        for role, link in registry.of(name).links.items()
    }


def why_cell(loaded: Trace, uid: str, column: str) -> tuple[Row, Column, tuple[Sentence, ...]]:
    """Return one row, a column, and the sentences that explain the cell where they meet.

    Raises
    ------
    NotFound
        If the matrix has no such row or column.
    """
    row = _row(loaded, uid)
    for one in loaded.columns:
        if one.name == column:
            path = [in_words(way, role_words(get_registry())) for way in one.ways]
            return row, one, explain_cell(row, one, path)
    raise NotFound(f"This matrix has no column {column[:40]}.")


def why(session: Session, loaded: Trace, uid: str) -> tuple[Row, tuple[Sentence, ...]]:
    """Return one row of a matrix and the sentences that explain it.

    Raises
    ------
    NotFound
        If the matrix has no such row.
    """
    row = _row(loaded, uid)
    commits = [
        CommitNamed(
            sha=one.sha,
            subject=one.subject,
            role=one.role,
            at=one.at,
            address=f"/p/{loaded.project}/repositories/{one.repository}/commits/{one.sha}",
        )
        for one in commits_of_uid(session, loaded.project, uid)
        if not one.lost
    ]
    release = loaded.release.version if loaded.release else ""
    return row, explain(row, loaded.columns, release=release, commits=commits)


def _row(loaded: Trace, uid: str) -> Row:
    record = loaded.facts.snapshot.get(uid, loaded.project)
    if record is None or record.type != loaded.rows_type:
        raise NotFound(f"There is no {loaded.rows_type.replace('_', ' ')} {uid} in this matrix.")
    return build_row(loaded.facts, record, loaded.columns)
