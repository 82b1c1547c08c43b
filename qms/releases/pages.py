"""What the release pages show, gathered once and handed over whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records.models import Project
from core.records.snapshot import Key, RecordView, Snapshot
from qms.baselines.current import project_snapshot
from qms.releases import ports
from qms.releases.gathering import find_release, gather
from qms.releases.keeping import checked
from qms.releases.service import PACK_ROLES, may_freeze
from qms.releases.steps import SignatureLine, Step, five_steps, signature_lines
from qms.rules.check import conceded
from qms.rules.facts import BaselineFact
from qms.rules.findings import CheckResult, Finding, Word, count_by_word
from qms.rules.packs import framework_pack

SIGNING_ROLES = ("technical_reviewer", "clinical_safety_officer", "quality_manager")


@dataclass(frozen=True)
class ReleasePage:
    """One release: its steps, its check, its signatures.

    Attributes
    ----------
    titles : mapping of Key to str
        Titles of the records that findings name, of those the reader may read.
    counts : mapping of Word to int
        How many rules come to each word.
    freezer_cannot_sign : bool
        The person reading may freeze, and would then be an author of what they are to sign.
    """

    record: RecordView
    result: CheckResult
    steps: tuple[Step, ...]
    signatures: tuple[SignatureLine, ...]
    baseline: BaselineFact | None
    titles: Mapping[Key, str]
    counts: Mapping[Word, int]
    concessions: tuple[Finding, ...]
    may_freeze: bool
    freezer_cannot_sign: bool
    may_build_pack: bool
    has_run: bool

    @property
    def current(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.done), None)


@dataclass(frozen=True)
class ReleaseLine:
    """One row of the list of releases."""

    record: RecordView
    standing: str
    result: CheckResult | None
    current: Step | None


def release_page(session: Session, project: Project, uid: str, reader: Actor) -> ReleasePage:
    """Return everything the page of a release shows."""
    snapshot = project_snapshot(session, project)
    return _page(session, project, find_release(snapshot, project.key, uid), reader, snapshot)


def _page(
    session: Session,
    project: Project,
    release: RecordView,
    reader: Actor,
    snapshot: Snapshot,
) -> ReleasePage:
    given = gather(session, project, release, snapshot)
    readable = _readable(session, reader)
    result = checked(given, framework_pack())
    run_source, pack_source = ports.latest_run.source, ports.latest_pack.source
    run = run_source(session, project.key, release.key.uid) if run_source else None
    pack = pack_source(session, project.key, release.key.uid) if pack_source else None
    freezes = may_freeze(project, reader)
    return ReleasePage(
        record=release,
        result=result,
        steps=five_steps(release, result, given.facts.baseline, run, pack),
        signatures=signature_lines(release),
        baseline=given.facts.baseline,
        titles={
            finding.record: given.snapshot.records[finding.record].title
            for finding in result.findings
            if finding.record.project in readable
        },
        counts=count_by_word(result.rules),
        concessions=tuple(conceded(result.rules)),
        may_freeze=freezes,
        freezer_cannot_sign=freezes and reader.has(project.id or 0, *SIGNING_ROLES),
        may_build_pack=reader.has(project.id or 0, *PACK_ROLES),
        has_run=run is not None,
    )


def release_lines(session: Session, project: Project, reader: Actor) -> list[ReleaseLine]:
    """Return the releases of a project; a planned one is named, and not judged."""
    lines = []
    snapshot = project_snapshot(session, project)
    for release in snapshot.of_type("release", project.key):
        if release.withdrawn or release.fields.get("stage") == "planned":
            word = "withdrawn" if release.withdrawn else "planned"
            lines.append(ReleaseLine(release, word, None, None))
            continue
        shown = _page(session, project, release, reader, snapshot)
        word = "released" if release.in_force else "candidate"
        lines.append(ReleaseLine(release, word, shown.result, shown.current))
    return lines


def _readable(session: Session, reader: Actor) -> frozenset[str]:
    """Return the keys of the projects that a person may read."""
    rows = session.execute(select(col(Project.id), col(Project.key)))
    return frozenset(key for number, key in rows if reader.belongs_to(number or 0))
