"""What a pack shows, worked out from records as plain values; the whole is held by the demo."""

from dataclasses import replace
from datetime import UTC, date, datetime

from core.qa_controls import ControlWord, QaControl, by_watched
from core.records.snapshot import Key, LinkView, RecordView, SignatureView, Snapshot
from core.verdicts import Verdict, VerdictWord
from qms.rules.facts import Facts, RuleInput
from qms.rules.findings import CheckResult, Finding, Level, RuleResult
from validation.pack import registers
from validation.pack.assemble import highlights
from validation.pack.check import release_check
from validation.pack.frozen import FinalSignature
from validation.pack.risks import risk_policy, risk_rows

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def key(uid: str) -> Key:
    return Key("RPM", uid)


def view(uid: str, type_: str, **fields: object) -> RecordView:
    return RecordView(
        key(uid), type_, f"Title of {uid}", fields=fields, state="approved", in_force=True
    )


POLICY = view(
    "DOC-RMP-MATRIX",
    "risk_policy",
    severity=["minor", "major", "worst"],
    likelihood=["rare", "often"],
    matrix={"rows": [[1, 1, 2], [1, 2, 3]]},
    acceptable_up_to=1,
    tolerable_with_benefit_risk=2,
)
RISK = view(
    "RSK-001",
    "risk",
    hazard="wrong figure",
    sequence=["one", "two"],
    severity=3,
    likelihood_before=2,
    likelihood_after=1,
)


def controlled(verdicts: dict[Key, Verdict], *qa: QaControl) -> tuple[object, ...]:
    snapshot = Snapshot(
        [POLICY, RISK, view("REQ-001", "requirement"), view("TST-001", "test")],
        [
            LinkView("mitigates", key("REQ-001"), key("RSK-001"), {"kind": "inherent"}),
            LinkView("verifies", key("TST-001"), key("REQ-001")),
        ],
    )
    [row] = risk_rows(snapshot, "RPM", verdicts, by_watched(qa))
    return row.before.level, row.after.level, row.controls[-1].verified, row.controls[-1].how


def test_the_policy_is_turned_so_that_severity_comes_first() -> None:
    policy = risk_policy(Snapshot([POLICY], []), "RPM")

    assert policy.levels == (("1", "1"), ("1", "2"), ("2", "3"))
    assert policy.levels[2][1] == "3", "the worst harm, often"
    assert policy.order == ("1", "2", "3")


def test_a_risk_falls_only_with_a_control_that_passed() -> None:
    passed = Verdict(VerdictWord.PASSED, "1", "c0ffee")

    assert controlled({key("TST-001"): passed}) == ("3", "2", True, "by TST-001")
    before, after, verified, how = controlled({})
    assert (before, after, verified) == ("3", "3", False)
    assert "has not been tested (TST-001 not run)" in str(how)


def test_qa_that_had_stopped_working_at_the_signature_holds_the_level_up() -> None:
    passed = {key("TST-001"): Verdict(VerdictWord.PASSED, "1", "c0ffee")}
    watched = frozenset({key("REQ-001")})
    late = QaControl(Key("DEPT", "QA-022"), watched, ControlWord.NOT_EFFECTIVE, "overdue")

    told = controlled(passed, late)

    assert told == ("3", "3", False, "control not effective, overdue")


def result(*rules: RuleResult) -> CheckResult:
    return CheckResult("RPM", "REL-1", "1.0", "c0ffee", "release", date(2026, 11, 20), rules)


def rule(code: str, *findings: Finding, reason: str = "", level: Level = Level.ERROR) -> RuleResult:
    return RuleResult(code, f"Rule {code}", "clause", level, ("release",), 3, findings, reason)


def finding(code: str, waiver: str = "", level: Level = Level.ERROR) -> Finding:
    return Finding(code, key("REQ-001"), "REQ-001 has a flaw.", "Mend it.", "/", level, waiver)


def checked(snapshot: Snapshot, *rules: RuleResult):
    given = RuleInput(snapshot, {}, (), Facts(AT.date()), "RPM", key("REL-1"))
    signed = FinalSignature(None, 7, "ab" * 32, AT, AT, AT)  # type: ignore[arg-type]
    return release_check(result(*rules), given, signed)


def test_the_check_in_a_pack_says_of_each_rule_what_it_came_to() -> None:
    signature = SignatureView("Esther Quill", "PPL-EQ", "quality_manager", "approved", AT, "d" * 64)
    waiver = RecordView(
        key("WVR-001"),
        "waiver",
        "Concession",
        fields={"reason": "Not in use.", "expires": "2027-01-01"},
        signatures=(signature,),
    )

    printed = checked(
        Snapshot([waiver], []),
        rule("A01"),
        rule("A02", finding("A02")),
        rule("A03", finding("A03", waiver="WVR-001")),
        rule("A04", finding("A04", level=Level.WARN)),
        rule("A05", reason="asked of software class C"),
    )

    outcomes = {one.code: one.outcome for one in printed.rules}
    assert outcomes == {
        "A01": "passed",
        "A02": "failed",
        "A03": "passed by concession",
        "A04": "warned",
    }
    assert not printed.passed
    assert printed.rules[1].findings[0].what == "has a flaw."
    assert printed.rules[2].waivers[0].signed_by == "Esther Quill"
    assert printed.checked_at == AT


def test_the_cover_tells_what_a_department_asks_otherwise() -> None:
    ships = result(rule("A01"), rule("B17", reason="asked of the route 'health institution'"))
    changed = replace(ships, changes=("C04, level: warn instead of error (rules/ours.yaml)",))

    assert [one.label for one in highlights(ships, ())] == [
        "Attempts at a protocol",
        "Warnings",
        "Checks that do not apply here",
    ]
    assert highlights(changed, ())[-1].value == changed.changes[0]


def test_components_are_those_the_run_recorded_with_what_the_register_says_of_them() -> None:
    soup = view("SOUP-04", "soup", purl="pkg:pypi/NumPy@2.4.6", licence="BSD-3-Clause")
    environment = {"packages": {"numpy": "2.4.6", "attrs": "25.1.0"}, "python": "3.11.7"}

    found = registers.components(Snapshot([soup], []), "RPM", environment)

    assert [(one.name, one.version, one.licence) for one in found] == [
        ("attrs", "25.1.0", ""),
        ("numpy", "2.4.6", "BSD-3-Clause"),
    ]


def test_only_components_that_the_release_rests_on_are_listed_beside_what_was_installed() -> None:
    snapshot = Snapshot(
        [
            view("REL-1", "release"),
            view("SI-00", "software_item"),
            view("SI-05", "software_item"),
            view("SOUP-01", "soup", purl="pkg:generic/cpython@3.11", version="3.11"),
            view("SOUP-04", "soup", purl="pkg:pypi/numpy@2.4.6", version="2.4.6"),
            view("SOUP-06", "soup", purl="pkg:pypi/matplotlib@3.11.2", version="3.11.2"),
        ],
        [
            LinkView("contains", key("REL-1"), key("SI-05")),
            LinkView("part_of", key("SI-05"), key("SI-00")),
            LinkView("uses", key("SI-05"), key("SOUP-04")),
            LinkView("uses", key("SI-00"), key("SOUP-01")),
        ],
    )
    environment = {"packages": {"numpy": "2.5.0"}, "python": "3.11.7"}

    rows = registers.soup(snapshot, key("REL-1"), environment)

    assert [(row.uid, row.version, row.installed, row.used_by) for row in rows] == [
        ("SOUP-01", "3.11", "3.11.7", ("SI-00",)),
        ("SOUP-04", "2.4.6", "2.5.0", ("SI-05",)),
    ]


def test_trainings_are_told_with_the_revision_they_covered() -> None:
    person = RecordView(key("PPL-AK"), "person", "Amara Kole")
    done = view("TRN-001", "training", outcome="complete", done="2026-03-20")
    given = tuple(
        SignatureView("Name", uid, role, meaning, AT, "e")
        for uid, role, meaning in (
            ("PPL-AK", "trainee", "attended"),
            ("PPL-EQ", "quality_manager", "approved"),
        )
    )
    done = replace(done, signatures=given)
    alone = replace(view("TRN-003", "training", outcome="complete"), signatures=given[:1])
    planned = view("TRN-002", "training", outcome="planned")
    snapshot = Snapshot(
        [person, done, alone, planned, view("DOC-SDP", "document")],
        [
            LinkView("person", key("TRN-003"), key("PPL-AK")),
            LinkView("covers", key("TRN-003"), key("DOC-SDP"), {"revision": 2}),
            LinkView("person", key("TRN-001"), key("PPL-AK")),
            LinkView("covers", key("TRN-001"), key("DOC-SDP"), {"revision": 2}),
            LinkView("person", key("TRN-002"), key("PPL-AK")),
            LinkView("covers", key("TRN-002"), key("DOC-SDP"), {"revision": 3}),
        ],
    )

    facts = registers.competence(
        snapshot, "RPM", {"Amara Kole": "authored as author", "Nobody": "executed the runs"}
    )

    assert [(fact.label, fact.value) for fact in facts] == [
        ("Amara Kole (authored as author)", "DOC-SDP revision 2 on 2026-03-20"),
        ("Nobody (executed the runs)", "none"),
    ]
