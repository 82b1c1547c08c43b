"""What a rule may look at besides the records: runs, repository, build, types, today. Pure.

Every fact that nobody knows is None or empty and never reads as good news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from core.qa_controls import QaControls
from core.records.snapshot import Key, Snapshot
from core.records.suspects import Suspicion
from core.verdicts import Verdict
from qms.results.judging import Imported
from qms.soup.components import Bill, Component


@dataclass(frozen=True)
class Measured:
    """One comparison inside a run: what was expected, how far it may lie, what came out."""

    name: str
    expected: str
    tolerance: str
    actual: str
    unit: str
    passed: bool


@dataclass(frozen=True)
class DeviationFact:
    """Something in a run that did not go as the protocol says.

    Attributes
    ----------
    disposition : str
        What was decided about it.
    signed_by : str
        Uid of the person who signed that; empty where nobody did.
    at : datetime or None
        When it was noted.
    """

    what: str
    disposition: str
    signed_by: str
    at: datetime | None = None


def settled(noted: Sequence[DeviationFact]) -> dict[DeviationFact, None]:
    """Return each deviation once, as it was noted last; one noted again, signed, is signed."""
    signed = {one.what: one.signed_by for one in noted if one.signed_by}
    last = {one.what: one for one in noted}
    return {
        DeviationFact(what, one.disposition, signed.get(what, "")): None
        for what, one in last.items()
    }


@dataclass(frozen=True)
class InstallationFact:
    """What a run found of the installation it was executed on.

    Attributes
    ----------
    problems : tuple of str
        What did not hold before the run; empty where everything did.
    kept : bool
        Whether environment and engine had the same digests when the run had ended.
    """

    problems: tuple[str, ...]
    kept: bool


@dataclass(frozen=True)
class RunOfTest:
    """One recorded execution of one test, kept whether it passed or not.

    Attributes
    ----------
    test : str
        Uid of the test.
    run : str
        The run as people name it.
    outcome : str
        passed, failed or interrupted.
    commit, version : str
        The device commit that was executed, and its version.
    tester : str
        Uid of the person who started it.
    test_revision : int or None
        Revision of the test that was executed.
    environment : str
        Digest or description of the machine and its packages.
    tools : tuple of str
        Name and version of each tool used.
    anomalies : str
        What was noticed; "none" where nothing was.
    measured : tuple of Measured
        Every comparison that was recorded.
    lineage : tuple of str
        The run that this one says it repeats, the one which that repeats, and so on.
    reason : str
        Why it was repeated; empty for a first run.
    files : tuple of str
        SHA-256 of each file of evidence that the run left; empty for one that has no digest.
    by_hand : bool
        Whether a person executed it; one who is not done yet left it "interrupted".
    signed_by : tuple of str
        Uids of those who signed the run itself.
    deviations : tuple of DeviationFact
        What was noted of the run as a whole.
    installation : InstallationFact or None
        None where the installation was not looked at, as in a run by hand.
    data_sets : tuple of (uid, digest)
        Each registered data set that the run was given, with the digest of what lay there.
    """

    test: str
    run: str
    outcome: str
    commit: str
    version: str
    tester: str
    started_at: datetime
    ended_at: datetime | None
    test_revision: int | None
    environment: str
    tools: tuple[str, ...]
    anomalies: str
    measured: tuple[Measured, ...] = ()
    address: str = ""
    lineage: tuple[str, ...] = ()
    reason: str = ""
    files: tuple[str, ...] = ()
    by_hand: bool = False
    signed_by: tuple[str, ...] = ()
    deviations: tuple[DeviationFact, ...] = ()
    installation: InstallationFact | None = None
    data_sets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Declared:
    """What the project's repository says, at the release's commit, that the device is built of.

    Attributes
    ----------
    bill : Bill or None
        Its lock file or bill of materials.
    problem : str
        Why there is none, as a clause: "the commit holds no lock file".
    """

    bill: Bill | None
    problem: str = ""


@dataclass(frozen=True)
class TypeFacts:
    """What the rules need to know of a record type.

    Attributes
    ----------
    asked : mapping
        State of an issue -> the fields and links that it must have in it, whatever it says.
    """

    label: str
    lifecycle: str
    required: tuple[str, ...] = ()
    required_links: tuple[str, ...] = ()
    body_required: bool = False
    asked: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    links: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sign: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tagged:
    """What the project's repository says about the tag of the release.

    Attributes
    ----------
    commit : str or None
        The commit the tag names, in full.
    problem : str
        Why there is none, as a clause: "no repository is registered".
    """

    commit: str | None
    problem: str = ""


@dataclass(frozen=True)
class BaselineFact:
    """What became of the baseline that the release names.

    Attributes
    ----------
    root : str
        Its root hash.
    intact : bool
        Whether its stored lines still give that hash.
    changed : tuple of Key
        Records that came into force, changed or were withdrawn since it was frozen.
    """

    root: str
    intact: bool
    changed: tuple[Key, ...]


@dataclass(frozen=True)
class ChangeMade:
    """One commit that a release adds to what was released before.

    Attributes
    ----------
    named : tuple of str
        The ids of records that its trailers name.
    """

    sha: str
    subject: str
    named: tuple[str, ...]


@dataclass(frozen=True)
class AuditFact:
    """The last verification of the audit trail that was recorded.

    Attributes
    ----------
    findings : int
        How many things did not fit.
    """

    on: date
    findings: int


@dataclass(frozen=True)
class SourceTree:
    """What the project's repository holds at the commit of the release.

    Attributes
    ----------
    paths : frozenset of str
        Every file and folder of the tree, and of the engine that ran with it; "." is the top.
    changes : tuple of ChangeMade
        What is new since the releases before; empty for a first release.
    """

    paths: frozenset[str]
    changes: tuple[ChangeMade, ...] = ()


@dataclass(frozen=True)
class LinesFact:
    """Lines of source that a marker gives to a record.

    Attributes
    ----------
    span : str
        File and lines, as people write them: "metrics/dvh.py:12-30".
    commit : str
        The commit of the default branch at which they were read last.
    doubt : str
        Why they need re-review; empty while they do not.
    address : str
        The page on which they are read and accepted.
    """

    record: Key
    repository: str
    span: str
    commit: str
    doubt: str
    address: str

    @property
    def told(self) -> str:
        """Where the lines are, and why they need re-review."""
        return f"{self.repository} {self.span} at commit {self.commit[:7]}: {self.doubt}"


@dataclass(frozen=True)
class Facts:
    """Everything a rule may use that is not a record."""

    today: date
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    runs: Sequence[RunOfTest] = ()
    tagged: Tagged = Tagged(None, "no repository is registered")
    bill: Sequence[Component] | None = None
    source: SourceTree | None = None
    """None where no repository of the project holds the commit of the release."""
    declared: Declared = Declared(None, "no repository is registered")
    audit: AuditFact | None = None
    """None where no verification was ever recorded."""
    baseline: BaselineFact | None = None
    unaccepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The signatures of acceptance that an issue lacks, by its uid; absent where nobody looked."""
    opened: Mapping[str, date] = field(default_factory=dict)
    """The day on which each CAPA was opened, by its uid."""
    content_digests: Mapping[Key, str] = field(default_factory=dict)
    """The content digest of each record, computed again from what is stored now."""
    imported: Mapping[str, Imported] = field(default_factory=dict)
    """What imported results say at the release's commit, by the uid that they name."""
    lines: Sequence[LinesFact] = ()
    """The lines of source that are marked with records of the project."""
    qa: QaControls = field(default_factory=dict)
    """The QA procedures by what they watch, with whether each can be relied on now."""


@dataclass(frozen=True)
class RuleInput:
    """What one release check looks at.

    Attributes
    ----------
    snapshot : Snapshot
        Records in force; for a record that was never approved, its latest draft.
    verdicts : mapping of test uid to Verdict
        The latest verdict on each test at the release's commit; absent reads "not run".
    suspects : sequence of Suspicion
        What needs re-review.
    facts : Facts
        Everything else.
    project : str
        Key of the project that is judged.
    release : Key or None
        The release that is judged; None judges the record alone.
    proposed : bool
        Whether one record is judged on its way to review, before the tests of what it says can
        have been run.
    """

    snapshot: Snapshot
    verdicts: Mapping[str, Verdict]
    suspects: Sequence[Suspicion]
    facts: Facts
    project: str
    release: Key | None = None
    proposed: bool = False
