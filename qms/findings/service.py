"""What the rules find in a project at any gate, for a release or for the record alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.errors import NotFound
from core.exports import Sheet
from core.records.models import Project
from core.records.snapshot import Key, Snapshot
from qms.baselines.current import project_snapshot
from qms.findings.asking import GATE_WORDS, NO_RELEASE, View
from qms.releases.gathering import gather
from qms.releases.keeping import checked
from qms.releases.scope import NEWEST, ReleaseScope, choose_release, releases_of
from qms.rules.check import RELEASE
from qms.rules.findings import CheckResult, Finding
from qms.rules.packs import GATES, framework_pack

HEADINGS = ("Level", "Check", "Asks", "Clauses", "Project", "Record", "Title", "Finding", "Mend",
            "Address", "Let through by")  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """The answer of one gate, with the records it is about.

    Attributes
    ----------
    release : ReleaseScope or None
        What was judged with the record; None for the record alone.
    releases : sequence of ReleaseScope
        What may be chosen.
    """

    result: CheckResult
    snapshot: Snapshot
    release: ReleaseScope | None
    releases: Sequence[ReleaseScope]

    @property
    def types(self) -> Mapping[Key, str]:
        """The type of every record that something is found against."""
        return {one.record: self.snapshot.records[one.record].type for one in self.result.findings}

    @property
    def command(self) -> str:
        """The command that says the same."""
        told = f"fiducial check {self.result.project}"
        told += f" --release {self.release.uid}" if self.release else ""
        return told + (f" --gate {self.result.gate}" if self.result.gate != RELEASE else "")


def judge(session: Session, project: Project, gate: str = RELEASE, release: str = "") -> Judged:
    """Ask the rules of a gate, as `release_check` does.

    Parameters
    ----------
    release : str
        A release's uid or version; empty for the newest candidate, `NO_RELEASE` for none.

    Raises
    ------
    NotFound
        If there is no such gate or release.
    """
    if gate not in GATES:
        raise NotFound(f"There is no gate {gate[:40]!r}; there are {', '.join(GATES)}.")
    snapshot = project_snapshot(session, project)
    releases = releases_of(snapshot, project.key)
    wanted = None if release == NO_RELEASE else release or NEWEST
    chosen = choose_release(releases, wanted)
    record = snapshot.records[chosen.key] if chosen else None
    given = gather(session, project, record, snapshot)
    return Judged(checked(given, framework_pack(), gate), snapshot, chosen, releases)


def sheet(
    project: Project,
    judged: Judged,
    shown: Sequence[Finding],
    titles: Mapping[Key, str],
    view: View,
) -> Sheet:
    """Return findings as a table to take away."""
    rules = {rule.code: rule for rule in judged.result.rules}
    return Sheet(
        f"Findings {project.key}",
        HEADINGS,
        [
            (
                one.level.value,
                one.code,
                rules[one.code].title,
                rules[one.code].clause,
                one.record.project,
                one.record.uid,
                titles.get(one.record, ""),
                one.sentence,
                one.mend,
                one.address,
                one.waiver,
            )
            for one in shown
        ],
        {
            "Project": project.key,
            "Gate": GATE_WORDS[judged.result.gate],
            "Release": judged.release.uid if judged.release else "none: the record alone",
            "Judged for": judged.result.today.isoformat(),
            "Shown": view.words,
            "Findings": f"{len(shown)} of {len(judged.result.findings)}",
        },
    )
