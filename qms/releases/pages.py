"""What the release pages show, gathered once and handed over whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records.lifecycle import DRAFT
from core.records.models import Project
from core.records.snapshot import Key, RecordView, Snapshot
from qms.baselines.current import project_snapshot
from qms.releases import ports
from qms.releases.finding_pages import FindingPage, finding_page
from qms.releases.gathering import find_release, gather
from qms.releases.keeping import checked
from qms.releases.ports import SignedStanding
from qms.releases.service import PACK_ROLES, may_freeze
from qms.releases.steps import (
    SIGN,
    SignatureLine,
    Step,
    StepState,
    five_steps,
    signature_lines,
)
from qms.releases.turns import Turn, freezing_turn, turn_of
from qms.rules.check import conceded
from qms.rules.facts import BaselineFact
from qms.rules.findings import CheckResult, Finding
from qms.rules.packs import framework_pack

RUNS = "runs"
"""The gate before a formal run."""

SIGNING_ROLES = ("technical_reviewer", "clinical_safety_officer", "quality_manager")


@dataclass(frozen=True)
class ReleasePage:
    """One release: its steps, its check, its signatures.

    Attributes
    ----------
    found : FindingPage
        The findings of one page.
    titles : mapping of Key to str
        Titles of the records that those name, of records the reader may read.
    turn : Turn or None
        Who takes the next step towards the signatures.
    freezing : str
        Who freezes the baseline, as a sentence; empty where that is not the next step.
    freezer_cannot_sign : bool
        The person reading may freeze, and would then be an author of what they are to sign.
    signed : SignedStanding or None
        What the check said when it was signed; `result` is what it says today.
    """

    record: RecordView
    result: CheckResult
    steps: tuple[Step, ...]
    signatures: tuple[SignatureLine, ...]
    baseline: BaselineFact | None
    found: FindingPage
    titles: Mapping[Key, str]
    concessions: tuple[Finding, ...]
    may_freeze: bool
    freezer_cannot_sign: bool
    may_build_pack: bool
    has_run: bool
    turn: Turn | None
    freezing: str
    signed: SignedStanding | None

    @property
    def before_run(self) -> tuple[Finding, ...]:
        """What the gate of formal runs finds: shown before one is started, and stops none."""
        return tuple(
            finding
            for rule in self.result.rules
            if RUNS in rule.gates
            for finding in rule.findings
            if not finding.waiver
        )

    @property
    def current(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.done), None)


@dataclass(frozen=True)
class ReleaseLine:
    """One row of the list of releases; a planned one has no steps yet."""

    record: RecordView
    standing: str
    result: CheckResult | None
    current: Step | None
    steps: tuple[Step, ...] = ()
    signed: SignedStanding | None = None


@dataclass(frozen=True)
class _Judged:
    result: CheckResult
    steps: tuple[Step, ...]
    baseline: BaselineFact | None
    has_run: bool

    @property
    def current(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.done), None)


def release_page(
    session: Session, project: Project, uid: str, reader: Actor, number: int = 1
) -> ReleasePage:
    """Return everything that one page of a release shows."""
    snapshot = project_snapshot(session, project)
    release = find_release(snapshot, project.key, uid)
    judged = _judged(session, project, release, snapshot)
    readable = _readable(session, reader)
    found = finding_page(judged.result.rules, number)
    freezes = may_freeze(project, reader)
    return ReleasePage(
        record=release,
        result=judged.result,
        steps=judged.steps,
        signatures=signature_lines(release),
        baseline=judged.baseline,
        found=found,
        titles={
            finding.record: snapshot.records[finding.record].title
            for group in found.groups
            for finding in group.findings
            if finding.record.project in readable
        },
        concessions=tuple(conceded(judged.result.rules)),
        may_freeze=freezes,
        freezer_cannot_sign=freezes and reader.has(project.id or 0, *SIGNING_ROLES),
        may_build_pack=reader.has(project.id or 0, *PACK_ROLES),
        has_run=judged.has_run,
        turn=turn_of(session, project, release, reader),
        freezing=_freezing(session, project, release, judged),
        signed=_as_signed(session, project, release),
    )


def _judged(session: Session, project: Project, release: RecordView, snapshot: Snapshot) -> _Judged:
    given = gather(session, project, release, snapshot)
    result = checked(given, framework_pack())
    run_source, pack_source = ports.latest_run.source, ports.latest_pack.source
    run = run_source(session, project.key, release.key.uid) if run_source else None
    pack = pack_source(session, project.key, release.key.uid) if pack_source else None
    steps = five_steps(release, result, given.facts.baseline, run, pack)
    return _Judged(result, steps, given.facts.baseline, run is not None)


def _freezing(session: Session, project: Project, release: RecordView, judged: _Judged) -> str:
    waits = release.state == DRAFT and not judged.steps[0].done
    return freezing_turn(session, project, release) if waits else ""


def _as_signed(session: Session, project: Project, release: RecordView) -> SignedStanding | None:
    asked = ports.as_signed.source
    return asked(session, project, release.key.uid) if asked and release.in_force else None


def release_lines(
    session: Session, project: Project, *, signed_if_red: bool = False
) -> list[ReleaseLine]:
    """Return the releases of a project; a planned one is named, and not judged.

    Parameters
    ----------
    signed_if_red : bool
        Ask what the check said at the signing only of those that fail today: each such answer
        reads the whole record as it was.
    """
    snapshot = project_snapshot(session, project)
    return [
        _line(session, project, release, snapshot, signed_if_red=signed_if_red)
        for release in snapshot.of_type("release", project.key)
    ]


def line_of(session: Session, project: Project, uid: str) -> ReleaseLine:
    """Return where one release stands today."""
    snapshot = project_snapshot(session, project)
    release = find_release(snapshot, project.key, uid)
    return _line(session, project, release, snapshot, signed_if_red=True)


def _line(
    session: Session,
    project: Project,
    release: RecordView,
    snapshot: Snapshot,
    *,
    signed_if_red: bool,
) -> ReleaseLine:
    if release.withdrawn or release.fields.get("stage") == "planned":
        return ReleaseLine(release, "withdrawn" if release.withdrawn else "planned", None, None)
    judged = _judged(session, project, release, snapshot)
    word = "released" if release.in_force else "candidate"
    asks = not (signed_if_red and judged.result.passed)
    signed = _as_signed(session, project, release) if asks else None
    return ReleaseLine(release, word, judged.result, judged.current, judged.steps, signed)


def own_step(session: Session, project: Project, line: ReleaseLine, person: Actor) -> str:
    """Return what a person does next on a release, in words; empty where it is not theirs.

    Freezing waits for who wrote the release: whoever does it cannot sign it any more.
    """
    release, step = line.record, line.current
    if step is None or step.state is StepState.RUNNING:
        return ""
    frozen, *_, packed = line.steps
    wrote = person.uid in (release.author_uid, *release.co_authors)
    if step is frozen:
        own = wrote and release.state == DRAFT and may_freeze(project, person)
        return "Freeze the baseline" if own else ""
    if step is packed:
        return "Build the pack" if person.has(project.id or 0, *PACK_ROLES) else ""
    turn = turn_of(session, project, release, person) if step.name == SIGN else None
    return turn.act if turn is not None and turn.mine and release.state == DRAFT else ""


def _readable(session: Session, reader: Actor) -> frozenset[str]:
    """Return the keys of the projects that a person may read."""
    rows = session.execute(select(col(Project.id), col(Project.key)))
    return frozenset(key for number, key in rows if reader.belongs_to(number or 0))
