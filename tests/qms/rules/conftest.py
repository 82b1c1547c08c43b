"""The demo device as a release check sees it after import, approvals, a run and signatures.

Everything here is plain values: the records come from the demo's own file, the signatures, runs
and repository facts are made up so that a fault can be seeded in any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.qa_controls import QaControl, by_watched
from core.records.content import RecordDraft, content_digest
from core.records.lifecycle import is_decided
from core.records.snapshot import Key, LinkView, RecordView, SignatureView, Snapshot
from core.records.types import TypeRegistry
from core.verdicts import Verdict, VerdictWord
from qms.interchange.design_record import DesignRecord, load_design_record
from qms.results.judging import Imported
from qms.risks.logged import owners_in, rows_of
from qms.rules.check import check
from qms.rules.facts import (
    AuditFact,
    BaselineFact,
    Declared,
    Facts,
    InstallationFact,
    LinesFact,
    Measured,
    RuleInput,
    RunOfTest,
    SourceTree,
    Tagged,
)
from qms.rules.findings import CheckResult, RuleResult
from qms.rules.packs import framework_pack, type_facts
from qms.rules.view import View
from qms.soup.components import Bill, Component, Source
from tests.qms.rules.registers import keep_registers

ROOT = Path(__file__).parents[3]
COMMIT = "3f2c1a9" + "0" * 33
TODAY = date(2026, 11, 20)
APPROVED = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
RAN = datetime(2026, 11, 19, 14, 0, tzinfo=UTC)
SIGNED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

PEOPLE = {
    "author": ("PPL-AK", "Amara Kole"),
    "technical_reviewer": ("PPL-CV", "Chidi Vance"),
    "clinical_safety_officer": ("PPL-DM", "Dr Dana Moss"),
    "clinical_lead": ("PPL-DM", "Dr Dana Moss"),
    "quality_manager": ("PPL-EQ", "Esther Quill"),
    "top_management": ("PPL-NV", "Nora Vance-Hill"),
    "trainer": ("PPL-CV", "Chidi Vance"),
}
TOOLS = {
    "EQP-001": ("Fiducial", "0.1.0"),
    "EQP-002": ("Python", "3.11.9"),
    "EQP-003": ("pytest", "9.2.0"),
    "EQP-004": ("pytest-bdd", "9.0.1"),
}
DATA = {"DS-002": "2" * 64, "DS-003": "3" * 64}
BUILT = {
    "REL-0.1.0.commit": COMMIT,
    "REL-0.1.0.build.image_digest": "sha256:" + "b" * 64,
    **{f"{uid}.digest": f"sha256:{digest}" for uid, digest in DATA.items()},
    **{f"{uid}.version": version for uid, (_, version) in TOOLS.items()},
    **{f"{uid}.validated.version": version for uid, (_, version) in TOOLS.items()},
    **{f"{uid}.validated.evidence": "Planted outcomes were recorded truly." for uid in TOOLS},
}
BILL = (
    Component("cpython", "3.11.9"),
    Component("numpy", "2.4.6"),
    Component("pydicom", "3.0.2"),
    Component("shapely", "2.2.0"),
)
LOCK = Bill(
    Source.LOCK,
    "requirements.lock",
    (
        Component("numpy", "2.4.6", "pkg:pypi/numpy@2.4.6", direct=True, needed_by=("shapely",)),
        Component("pydicom", "3.0.2", "pkg:pypi/pydicom@3.0.2", direct=True),
        Component("shapely", "2.2.0", "pkg:pypi/shapely@2.2.0", direct=True),
    ),
)


@dataclass
class Case:
    """One situation that the rules judge, open to change."""

    records: dict[Key, RecordView]
    links: list[LinkView]
    registry: TypeRegistry
    runs: list[RunOfTest] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    suspects: list[Any] = field(default_factory=list)
    tagged: Tagged = field(default_factory=lambda: Tagged(COMMIT))
    source: SourceTree | None = None
    audit: AuditFact | None = field(default_factory=lambda: AuditFact(TODAY - timedelta(days=1), 0))
    bill: tuple[Component, ...] | None = BILL
    declared: Declared = field(default_factory=lambda: Declared(LOCK))
    baseline: BaselineFact | None = None
    digests: dict[Key, str] = field(default_factory=dict)
    opened: dict[str, date] = field(default_factory=dict)
    unaccepted: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"CR-001": (), "CR-002": (), "CMP-001": ()}
    )
    qa: list[QaControl] = field(default_factory=list)
    imported: dict[str, Imported] = field(default_factory=dict)
    lines: list[LinesFact] = field(default_factory=list)
    today: date = TODAY
    release: Key | None = field(default_factory=lambda: Key("RPM", "REL-0.1.0"))

    def key(self, uid: str, project: str = "RPM") -> Key:
        """Return the key of a record of the device."""
        return Key(project, uid)

    def change(self, uid: str, **parts: Any) -> None:
        """Change parts of one record's view."""
        self.records[self.key(uid)] = replace(self.records[self.key(uid)], **parts)

    def fill(self, uid: str, **fields: Any) -> None:
        """Change fields of one record; None empties one."""
        record = self.records[self.key(uid)]
        changed: Mapping[str, Any] = {**record.fields, **fields}
        self.change(uid, fields={k: v for k, v in changed.items() if v is not None})

    def unlink(self, source: str, role: str, target: str) -> None:
        """Take one link away."""
        before = len(self.links)
        self.links = [
            link
            for link in self.links
            if (link.source.uid, link.role, link.target.uid) != (source, role, target)
        ]
        assert len(self.links) < before, f"there is no link {source} {role} {target}"

    def link(self, source: str, role: str, target: str, **attributes: Any) -> None:
        """Add one link."""
        self.links.append(LinkView(role, self.key(source), self.key(target), attributes))

    def add(
        self, type_: str, uid: str, state: str = "approved", project: str = "RPM", **fields: Any
    ) -> RecordView:
        """Add one record without signatures or digests."""
        record = RecordView(
            key=self.key(uid, project),
            type=type_,
            title=f"Title of {uid}",
            fields=fields,
            state=state,
            author_uid="PPL-AK",
            approved_at=APPROVED if state == "approved" else None,
            withdrawn=state == "withdrawn",
        )
        self.records[record.key] = record
        return record

    def rerun(self, uid: str, **parts: Any) -> None:
        """Change the run of one test."""
        self.runs = [replace(run, **parts) if run.test == uid else run for run in self.runs]

    def resign(self, uid: str, **parts: Any) -> None:
        """Change the first signature of one record."""
        first, *rest = self.records[self.key(uid)].signatures
        self.change(uid, signatures=(replace(first, **parts), *rest))

    def sign(self, uid: str, meaning: str, role: str) -> None:
        """Let the person who holds a role sign one record."""
        record = self.records[self.key(uid)]
        person, name = PEOPLE[role]
        given = SignatureView(name, person, role, meaning, APPROVED, record.envelope_digest)
        self.change(uid, signatures=(*record.signatures, given))

    def input(self) -> RuleInput:
        """Return the situation as the rules take it."""
        facts = Facts(
            today=self.today,
            types=type_facts(self.registry),
            runs=tuple(self.runs),
            tagged=self.tagged,
            bill=self.bill,
            source=self.source,
            audit=self.audit,
            declared=self.declared,
            baseline=self.baseline,
            content_digests=self.digests,
            unaccepted=self.unaccepted,
            opened=self.opened,
            qa=by_watched(self.qa),
            imported=self.imported,
            lines=tuple(self.lines),
        )
        snapshot = Snapshot(self.records.values(), self.links)
        return RuleInput(snapshot, self.verdicts, self.suspects, facts, "RPM", self.release)

    def check(self, gate: str = "release") -> CheckResult:
        """Ask the rules of a gate."""
        return check(self.input(), framework_pack(), gate)

    def result(self, code: str) -> RuleResult:
        """Return one rule's answer on this situation."""
        return next(rule for rule in self.check().rules if rule.code == code)

    def flawed(self, code: str) -> list[str]:
        """Return the uids that one rule objects to without a concession, each once, in order."""
        findings = [one for one in self.result(code).findings if not one.waiver]
        return list(dict.fromkeys(finding.record.uid for finding in findings))

    def lock(self, *more: Component, without: str = "", **parts: Any) -> None:
        """Declare other components: some more, one less, or one with other parts."""
        held = [one for one in LOCK.components if one.name != without]
        changed = [replace(one, **parts.get(one.name, {})) for one in held]
        self.declared = Declared(replace(LOCK, components=(*changed, *more)))

    def must_name(self, code: str, *uids: str) -> None:
        """Assert that a rule objects to exactly these records."""
        assert sorted(self.flawed(code)) == sorted(uids)


@pytest.fixture(scope="session")
def registry() -> TypeRegistry:
    return TypeRegistry.load([ROOT / "qms/types", ROOT / "dataflows/types"])


@pytest.fixture(scope="session")
def design_record() -> DesignRecord:
    path = ROOT / "app/demo/project.yaml"
    return load_design_record(path, "RPM", built=BUILT, today=TODAY - timedelta(days=1))


@pytest.fixture
def demo(design_record: DesignRecord, registry: TypeRegistry) -> Case:
    """Release 0.1.0 of the demo device as it stands when it is signed."""
    return demo_case(design_record, registry)


@pytest.fixture
def whole(design_record: DesignRecord, registry: TypeRegistry) -> Case:
    """The same, in a department that keeps every register, and with a model."""
    return whole_case(design_record, registry)


def demo_case(design_record: DesignRecord, registry: TypeRegistry) -> Case:
    """Build the situation of the demonstration anew."""
    case = Case({}, [], registry)
    for draft in design_record.drafts:
        key = Key("RPM", draft.uid or "")
        digest = content_digest("RPM", draft.type, key.uid, draft.content)
        state = "approved" if key.uid == "REL-0.1.0" else draft.state
        case.records[key] = RecordView(
            key=key,
            type=draft.type,
            title=draft.content.title,
            body=draft.content.body,
            fields={**draft.content.fields, **_frozen(key.uid)},
            state=state,
            revision=draft.number,
            author="Amara Kole",
            author_uid="PPL-AK",
            approved_at=APPROVED if state in ("approved", "recorded") else None,
            content_digest=digest,
            envelope_digest=f"envelope of {key.uid}",
            signatures=_signatures(registry, draft, state),
            in_force=state not in ("draft", "in_review"),
        )
        case.digests[key] = digest
        for link in draft.content.links:
            target = Key(link.project or "RPM", link.target)
            case.links.append(LinkView(link.role, key, target, dict(link.attributes)))
    _surround(case)
    _run(case)
    _issue_log(case)
    paths = {str(one.fields.get("path")) for one in case.records.values()}
    case.source = SourceTree(frozenset(paths))
    case.baseline = BaselineFact("8e0b" + "0" * 60, intact=True, changed=())
    return case


def _issue_log(case: Case) -> None:
    """Let the issue of the hazard log hold the risk file as it stands."""
    view = View(case.input(), framework_pack().limits)
    assert view.policy is not None
    owners = {key: owners_in(view.snapshot, key) for key in view.assessments}
    case.fill("DOC-HZL", hazards=rows_of(view.assessments.values(), view.policy, owners))


def whole_case(design_record: DesignRecord, registry: TypeRegistry) -> Case:
    """Build it with every register."""
    case = demo_case(design_record, registry)
    keep_registers(case)
    return case


def _frozen(uid: str) -> dict[str, Any]:
    return {"baseline": "8e0b" + "0" * 60} if uid == "REL-0.1.0" else {}


def _signatures(
    registry: TypeRegistry, draft: RecordDraft, state: str
) -> tuple[SignatureView, ...]:
    kind = registry.of(draft.type)
    trained = draft.content.fields.get("outcome") == "complete"
    if state != "approved" and not is_decided(kind.lifecycle, state) and not trained:
        return ()
    at = SIGNED if draft.type == "release" else APPROVED
    about = next((link.target for link in draft.content.links if link.role == kind.about), "")
    signatures = []
    for meaning, roles in kind.sign.items():
        if meaning == "authored" and kind.lifecycle == "event":
            continue  # It says who may write one; nobody signs it so.
        role = next(role for role in roles if PEOPLE.get(role, ("", ""))[0] != about)
        person, name = (about, about) if meaning == "attended" else PEOPLE[role]
        envelope = f"envelope of {draft.uid}"
        signatures.append(SignatureView(name, person, role, meaning, at, envelope))
    return tuple(signatures)


def _surround(case: Case) -> None:
    """Add what the department map holds of the device's surroundings."""
    for type_, uid in (("system", "PQA"), ("connection", "C023"), ("qa_procedure", "QA-001")):
        key = Key("DEPT", uid)
        case.records[key] = RecordView(key, type_, f"Title of {uid}", state="approved")
    dept = {"PQA": Key("DEPT", "PQA"), "C023": Key("DEPT", "C023"), "QA": Key("DEPT", "QA-001")}
    case.links.append(LinkView("realises", dept["PQA"], Key("RPM", "PRJ-RPM")))
    case.links.append(LinkView("controls_connection", dept["QA"], dept["C023"]))


def _run(case: Case) -> None:
    release = Key("RPM", "REL-0.1.0")
    for link in [one for one in case.links if one.source == release and one.role == "tested_by"]:
        uid = link.target.uid
        case.runs.append(
            RunOfTest(
                test=uid,
                run="14",
                outcome="passed",
                commit=COMMIT,
                version="0.1.0",
                tester="PPL-BT",
                started_at=RAN,
                ended_at=RAN + timedelta(minutes=3),
                test_revision=1,
                environment="sha256:" + "e" * 64,
                tools=tuple(f"{name} {version}" for name, version in TOOLS.values()),
                anomalies="none",
                measured=(Measured("error", "0", "0.4", "0.31", "%", passed=True),),
                address="/p/RPM/runs/14",
                files=("f" * 64,),
                installation=InstallationFact((), kept=True),
                data_sets=tuple(DATA.items()),
            )
        )
        case.verdicts[uid] = Verdict(VerdictWord.PASSED, "14", COMMIT, RAN, "", 1)
