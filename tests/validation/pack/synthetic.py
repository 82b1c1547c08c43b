"""Synthetic contents of a pack: a plausible small release, or as many pages of it as wanted."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from core.canonical import digest
from qms.baselines.comparison import BaselineLine, root_hash
from validation.pack.contents import (
    Anomaly,
    Baseline,
    BaselineEntry,
    ChangeRow,
    Component,
    Cover,
    FactGroup,
    Finding,
    Ledger,
    PackContents,
    RecordEntry,
    ReleaseCheck,
    RiskControl,
    RiskEstimate,
    RiskPolicy,
    RiskRow,
    RuleResult,
    SoupRow,
    TraceRow,
    TraceTest,
    Waiver,
)
from validation.pack.evidence import (
    AttachmentRef,
    Deviation,
    Fact,
    Measurement,
    NotRun,
    Run,
    Scenario,
    SignatureEntry,
    Step,
    StepInput,
)

START = datetime(2026, 11, 20, 13, 58, 3, 250_000, tzinfo=UTC)
COMMIT = "3f2c1a9d5b7e4086a1c2d3e4f5061728394a5b6c"
LEVELS = ("1 acceptable", "2 acceptable", "3 tolerable", "4 unacceptable", "5 unacceptable")
CELLS = ((1, 1, 2, 2, 3), (1, 2, 2, 3, 4), (2, 2, 3, 3, 4), (2, 3, 3, 4, 5), (3, 4, 4, 5, 5))
TITLES = (
    "Match plan and dose and structures",
    "Check values before use",
    "Structure volume accuracy",
    "Dose units and interpolation",
    "Dose-volume metric accuracy",
    "Show the error bound",
    "Withhold weak metrics",
)
TEXTS = (
    "The system shall refuse a set when dose and structure set lie in different frames of "
    "reference or when the plan in the set is not the plan that the dose refers to.",
    "The system shall compute VxGy within **0.4 %** of the structure volume, and D99% to D1% "
    "within 0.10 mm times the dose gradient, of the closed-form value of the contour stack.\n\n"
    "- spheres, cylinders, cones\n- nested holes and islands, see REQ-001",
)
PEOPLE = (
    ("Amara Kole", "author", "authored"),
    ("Chidi Vance", "technical reviewer", "reviewed"),
    ("Dr Dana Moss", "clinical safety officer", "approved"),
    ("Esther Quill", "quality manager", "released"),
)

Evidence = dict[str, bytes]


def make_contents(requirements: int = 7, cases: int = 3) -> tuple[PackContents, Evidence]:
    """Return contents with so many requirements, each tested in so many scenarios, and files."""
    evidence: Evidence = {}
    records = _records(requirements)
    interrupted = _run("13", 1, 1, evidence, state="interrupted")
    passed = _run(
        "14", requirements, cases, evidence, predecessor="13", reason="The worker was restarted."
    )
    entries = tuple(
        BaselineEntry(project=r.project, uid=r.uid, revision=r.revision, digest=r.envelope_digest)
        for r in records
    )
    root = root_hash(BaselineLine(e.project, e.uid, e.revision, e.digest) for e in entries)
    contents = PackContents(
        cover=_cover(),
        check=_check(),
        records=records,
        baseline=Baseline(name="RPM 0.1.0", entries=entries, root=root),
        trace=_trace(requirements),
        risk_policy=RiskPolicy(
            name="DOC-RMP-MATRIX",
            severities=("Minor", "Significant", "Considerable", "Major", "Catastrophic"),
            probabilities=("Very low", "Low", "Medium", "High", "Very high"),
            levels=tuple(tuple(LEVELS[n - 1] for n in row) for row in CELLS),
            order=LEVELS,
        ),
        risks=_risks(max(3, requirements // 2)),
        runs=(interrupted, passed),
        **_registers(),
        signatures=tuple(_signature(n, root) for n in range(4)),
        ledger=Ledger(
            head={"number": 412, "digest": sha256(b"412").hexdigest(), "at": START},
            segment=({"number": 411, "action": "release:release:sign"},
                     {"number": 412, "action": "release:release:sign"}),
        ),
        device=_device(),
        changes=(
            ChangeRow(uid="CR-001", title="Add error bound to every metric", state="closed",
                      impact="REQ-010, SI-05, RSK-004"),
        ),
        competence=(Fact(label="Ben Tarrant, tester", value="DOC-VVP rev 2, read 3 Nov 2026"),),
    )  # fmt: skip
    return contents, evidence


def _registers() -> dict:
    """Return what is known beside the runs."""
    return dict(  # noqa: C408 (the keywords are those of PackContents)
        not_run=(
            NotRun(uid="TST-901", title="Five users read twelve reports and state the next step",
                   reason="Belongs to release 1.0.0."),
        ),
        deviations=(
            Deviation(uid="DEV-001", run="13", what="The worker process ended during TST-001.",
                      effect="No value of the attempt is used.",
                      disposition="Repeated as run 14 on the same commit and data.",
                      decided_by="Ben Tarrant"),
        ),
        anomalies=(
            Anomaly(uid="PR-001", title="Figure caption clipped in long plan names",
                    severity="minor", state="deferred",
                    rationale="The report builder is not part of 0.1.0; the identity block is "
                    "unaffected."),
        ),
        soup=(
            SoupRow(uid="SOUP-01", name="pydicom", supplier="pydicom contributors",
                    version="3.0.2", installed="3.0.2", licence="MIT",
                    purpose="Reads DICOM files", risk_level="high",
                    evaluated="2 Nov 2026, Chidi Vance", used_by=("SI-02",)),
        ),
        components=(
            Component(name="numpy", version="2.4.6", licence="BSD-3-Clause"),
            Component(name="pydicom", version="3.0.2", licence="MIT", supplier="Darcy Mason"),
        ),
    )  # fmt: skip


def _cover() -> Cover:
    return Cover(
        product="RT Plan Metrics",
        project="RPM",
        version="0.1.0",
        document="RPM-VP-0.1.0",
        organisation="Northmoor University Hospitals (fictional), Radiotherapy Physics",
        tag="v0.1.0",
        commit=COMMIT,
        verdict="Released as a bench candidate. All checks pass, one of them by concession. "
        "Not for clinical use.",
        passed=True,
        frozen_at=START + timedelta(hours=3),
        demonstration=True,
        scope="Bench candidate of the dose-volume core: verified by machine on reference objects, "
        "not validated with users, not for clinical use.",
        highlights=(
            Fact(label="Requirements in this release", value="8 of 26"),
            Fact(label="Largest error of a volume metric", value="0.31 % (0.4 % allowed)"),
        ),
    )


def _check() -> ReleaseCheck:
    rules = [
        RuleResult(code=f"{letter}{n:02}", title=title, clause="IEC 62304 5.8.1", level="error",
                   checked=40 + n)
        for letter in "ABDE"
        for n, title in enumerate(
            ("Every identifier is unique", "Fields required for the record type are filled",
             "Each requirement is verified by a test of the release",
             "Latest run of each test is at the release commit and passed"), start=1)
    ]  # fmt: skip
    rules.append(
        RuleResult(
            code="A13", title="Controlled document is not past its review date",
            clause="ISO 13485 4.2.4b", level="warning", checked=11,
            findings=(Finding(record="DOC-PMS", what="was to be reviewed by 1 Nov 2026.",
                              mend="Review it."),),
        )
    )  # fmt: skip
    rules.append(
        RuleResult(
            code="E08", title="Environment of each run passed its installation check",
            clause="GAMP", level="error", checked=2,
            waivers=(Waiver(uid="WVR-001", record="14", reason="The bench machine is the build "
                            "machine; its lock digest equals that of the release.",
                            signed_by="Esther Quill", signed_at=START, expires="2027-03-01"),),
        )
    )  # fmt: skip
    return ReleaseCheck(name="release", checked_at=START + timedelta(hours=2), rules=tuple(rules))


def _records(requirements: int) -> tuple[RecordEntry, ...]:
    made = [
        _record("user_need", "User need", "UN-001", "Trust the numbers", body=TEXTS[0], links=[])
    ]
    for n in range(1, requirements + 1):
        links = [{"role": "derives_from", "project": "RPM", "target": "UN-001", "attributes": {}}]
        title = TITLES[(n - 1) % len(TITLES)]
        made.append(
            _record(
                "requirement", "Requirement", f"REQ-{n:03}", title, body=TEXTS[n % 2], links=links
            )
        )
        tested = [{"role": "verifies", "project": "RPM", "target": f"REQ-{n:03}", "attributes": {}}]
        made.append(
            _record("test", "Test", f"TST-{n:03}", f"{title} is shown", body="", links=tested)
        )
    return tuple(made)


def _record(kind, label, uid, title, *, body, links) -> RecordEntry:
    fields = {
        "category": "functional",
        "acceptance": "largest error 0.4 percent",
        "limits": [1, 2.5],
    }
    content = {"project": "RPM", "type": kind, "uid": uid, "title": title, "body": body,
               "fields": fields, "links": links}  # fmt: skip
    content_digest = digest(content)
    envelope = {"content_digest": content_digest, "number": 2, "author": "PPL-AK",
                "at": "2026-11-01T09:00:00.000000Z", "reason": "", "previous": ""}  # fmt: skip
    envelope_digest = digest(envelope)
    return RecordEntry(
        project="RPM", uid=uid, type=kind, label=label, revision=2, state="approved",
        content=content, content_digest=content_digest, envelope=envelope,
        envelope_digest=envelope_digest,
        signatures=tuple(_signature(n, envelope_digest) for n in (0, 1)),
    )  # fmt: skip


def _signature(n: int, signed: str) -> SignatureEntry:
    name, role, meaning = PEOPLE[n]
    return SignatureEntry(
        name=name, role=role, meaning=meaning, digest=signed,
        signed_at=START + timedelta(hours=2, minutes=10 * n), signer=f"PPL-{name[0]}",
    )  # fmt: skip


def _trace(requirements: int) -> tuple[TraceRow, ...]:
    return tuple(
        TraceRow(
            uid=f"REQ-{n:03}", title=TITLES[(n - 1) % len(TITLES)], revision=2,
            needs=("UN-001",), items=("SI-03", "SI-05"), code=("engine/dose/dvh.py", "2 commits"),
            tests=(TraceTest(uid=f"TST-{n:03}", verdict="passed", run="14",
                             detail="largest error 0.31 % of volume, allowed 0.4 %"),),
            verdict="passed",
        )
        for n in range(1, requirements + 1)
    )  # fmt: skip


def _risks(count: int) -> tuple[RiskRow, ...]:
    return tuple(
        RiskRow(
            uid=f"RSK-{n:03}", title="Figures shown for the wrong plan",
            hazard="Wrong association",
            sequence="two plans of one patient arrive together; dose of plan A is joined to the "
            "structures of plan B",
            situation="physicist reviews figures of another plan",
            harm="overdose to the rectum is accepted",
            before=_estimate(4, 3), after=_estimate(4, 1),
            controls=(
                RiskControl(uid="REQ-001", title=TITLES[0], kind="protective", verified=True,
                            how="TST-001 passed in run 14"),
                RiskControl(uid="REQ-002", title=TITLES[1], kind="information", verified=n % 3 > 0),
            ),
            benefit_risk="Further reduction is not practicable (Dana Moss, 2 Mar 2026).",
            owner="Dr Dana Moss",
        )
        for n in range(1, count + 1)
    )  # fmt: skip


def _estimate(severity: int, probability: int) -> RiskEstimate:
    level = LEVELS[CELLS[severity - 1][probability - 1] - 1]
    return RiskEstimate(severity=severity, probability=probability, level=level)


def _run(number, tests, cases, evidence, *, state="passed", predecessor="", reason="") -> Run:
    scenarios = [
        _scenario(n, case, evidence, state) for n in range(1, tests + 1) for case in range(cases)
    ]
    return Run(
        number=number, protocol="release-0.1.0", protocol_digest=sha256(b"protocol").hexdigest(),
        protocol_approved="Esther Quill, 18 Nov 2026", state=state, tester="Ben Tarrant",
        started_at=START + timedelta(minutes=int(number)),
        ended_at=None if state == "interrupted" else START + timedelta(minutes=int(number) + 4),
        tag="v0.1.0", commit=COMMIT, clean=True, engine_digest=sha256(b"engine").hexdigest(),
        environment=(
            Fact(label="Machine", value="physics-bench-2"),
            Fact(label="System", value="Linux 6.1, Debian 12"),
            Fact(label="Python", value="3.11.7"),
            Fact(label="Package lock", value=sha256(b"lock").hexdigest()),
        ),
        data_sets=(Fact(label="DS-003 Closed-form phantoms", value=sha256(b"ds3").hexdigest()),),
        scenarios=tuple(scenarios), predecessor=predecessor, reason=reason,
        signatures=(_signature(0, sha256(number.encode()).hexdigest()),),
    )  # fmt: skip


def _scenario(n: int, case: int, evidence: Evidence, state: str) -> Scenario:
    interrupted = state == "interrupted"
    table = f"structure,{n},{case}\nrectum,39.113\n".encode()
    file = AttachmentRef(name=f"TST-{n:03}-case-{case + 1}.csv", sha256=sha256(table).hexdigest(),
                         size=len(table), media_type="text/csv")  # fmt: skip
    evidence[file.sha256] = table
    begun = START + timedelta(seconds=7 * n + case)
    steps = (
        Step(keyword="Given", text="the closed-form phantoms of data set DS-003", state="passed",
             started_at=begun, seconds=0.2,
             inputs=(StepInput(name="grid", value=[1.0, 1.0, 2.0]),
                     StepInput(name="offset_mm", value=0.25 * case))),
        Step(keyword="When", text="the dose-volume histogram of each structure is computed",
             state="passed", started_at=begun + timedelta(seconds=1), seconds=1.9),
        Step(keyword="Then", text="the metrics of each structure agree with their closed form",
             state="not run" if interrupted else "passed",
             started_at=None if interrupted else begun + timedelta(seconds=3), seconds=0.0,
             measurements=() if interrupted else (
                 _measurement("Rectum Dmean", 39.113, 39.11312345 + 0.01 * case, 0.15, unit="Gy"),
                 _measurement("Rectum V30Gy", 87.57, 87.91 + 0.01 * n, 0.6, unit="%"),
                 _measurement("Largest error of V", 0.4, 0.31, None, unit="% of volume",
                              comparison="at_most"),
             ),
             attachments=() if interrupted else (file,),
             message="The attempt ended before this step." if interrupted else ""),
    )  # fmt: skip
    if interrupted:
        evidence.pop(file.sha256)
    said = f"log of TST-{n:03}, case {case}, {state}\n".encode()
    log = AttachmentRef(
        name="recorder.jsonl", sha256=sha256(said).hexdigest(), size=len(said),
        media_type="application/jsonl",
    )  # fmt: skip
    evidence[log.sha256] = said
    return Scenario(
        test=f"TST-{n:03}", test_revision=2, title=f"{TITLES[(n - 1) % len(TITLES)]} is shown",
        feature="features/dose_volume.feature", state="not run" if interrupted else "passed",
        started_at=begun, seconds=2.4, files=(log,), steps=steps,
    )  # fmt: skip


def _measurement(name, expected, actual, tolerance, *, unit, comparison="within") -> Measurement:
    return Measurement(
        name=name, expected=expected, actual=actual, tolerance=tolerance, unit=unit,
        comparison=comparison, passed=True,
    )  # fmt: skip


def _device() -> tuple[FactGroup, ...]:
    return (
        FactGroup(
            title="Intended use",
            facts=(
                Fact(label="Intended use", value="Recalculates dose-volume figures from an "
                     "external-beam photon plan and shows them beside a local expectation, so that "
                     "a physicist can decide whether the plan deserves a second look."),
                Fact(label="Not for", value="replacing the planning system's dose report; protons "
                     "or brachytherapy; children"),
            ),
        ),
        FactGroup(
            title="Classification",
            facts=(Fact(label="Software", value="IEC 62304 class C (DOC-CLS)"),
                   Fact(label="Route", value="GB: health institution exemption")),
        ),
    )  # fmt: skip
