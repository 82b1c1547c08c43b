"""What is lost, which devices are touched and what a QA programme lacks: one answer per purpose."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import Invalid
from core.records.content import RecordDraft
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.verdicts import Verdict, VerdictWord
from dataflows.impact import (
    Impact,
    impact_of_connection,
    impact_of_system,
    losses,
    with_drafts_of_losses,
)
from dataflows.inventory import Department, Outside, Pathway, Procedure, Step
from dataflows.pathways import breaks
from dataflows.planning.evidence import Nearness, evidence_of, last_runs, touched_devices
from dataflows.planning.plan import (
    KEPT_ELSEWHERE,
    NO_SERVER,
    Plan,
    Purpose,
    programme_of,
    purpose_named,
    qa_status_of,
)
from dataflows.planning.sheets import plan_sheet
from dataflows.priorities import SCALE, Priority, action_priority
from dataflows.qatrack.standing import Standing, State


def test_retiring_the_afterloader_breaks_both_brachytherapy_pathways(
    department: Department,
) -> None:
    lost = losses(department, impact_of_system(department, "HDR"))

    assert [(one.pathway.uid, len(one.lost)) for one in lost.pathways] == [("P4", 7), ("P5", 7)]
    assert [[(s.number, s.uid) for s in one.breaks] for one in lost.pathways] == [
        [(23, "C069")],
        [(18, "C069")],
    ]
    assert {one.system for one in lost.systems} == {
        "BTPS.WS", "OMS.CHART", "OMS.DOC", "OMS.TDS",
    }  # fmt: skip
    assert [p.uid for p in lost.idle] == ["QA-033", "QA-034", "QA-042", "QA-055"]
    assert lost.narrowed == ()


@pytest.mark.parametrize("system", ["HDR", "TPS", "OMS", "CTSIM", "PQA", "ASEG"])
def test_the_breaks_foretold_are_those_of_the_map_without_the_system(
    department: Department, system: str
) -> None:
    found = impact_of_system(department, system)
    gone = {c.uid for c in found.direct}
    left = {uid: c for uid, c in department.connections.items() if uid not in gone}

    for one in losses(department, found).pathways:
        steps = tuple(step for step in one.pathway.steps if step.connection not in gone)
        after = replace(department, connections=left)
        walked = breaks(after, replace(one.pathway, steps=steps))
        assert [step.uid for step in one.breaks] == [step.uid for step in walked]


def test_a_procedure_loses_all_or_part_of_what_it_controls(small: Department) -> None:
    procedures = {
        "QA-1": Procedure("QA-1", "All gone", connections=("C1", "C4")),
        "QA-2": Procedure("QA-2", "Its pathway is gone", pathways=("P1",)),
        "QA-3": Procedure("QA-3", "Half gone", connections=("C1", "C9")),
        "QA-4": Procedure("QA-4", "Controls nothing"),
    }
    pathways = {"P1": Pathway("P1", "One step", steps=(Step("C1", entry=True),))}
    department = replace(small, procedures=procedures, pathways=pathways)

    lost = losses(department, impact_of_system(department, "A"))

    assert [p.uid for p in lost.idle] == ["QA-1", "QA-2"]
    assert [p.uid for p in lost.narrowed] == ["QA-3"]
    assert [(one.system, one.left_in) for one in lost.systems] == [("B", 0)]


@pytest.mark.parametrize(
    ("system", "nearness", "how"),
    [
        ("PQA", Nearness.REALISED, "realised by PQA"),
        ("TPS", Nearness.CONNECTED, "reads over C023"),
        ("CTSIM", Nearness.DOWNSTREAM, "fed over C023, step 24 of P1"),
    ],
)
def test_a_device_is_touched_as_near_as_the_change_comes(
    department: Department, system: str, nearness: Nearness, how: str
) -> None:
    [device] = touched_devices(department, impact_of_system(department, system))

    assert (device.device.project, device.device.uid) == ("RPM", "PRJ-RPM")
    assert device.nearness is nearness
    assert device.how.startswith(how)


def test_a_device_that_reads_over_several_connections_says_so_once_and_drafts_are_named(
    department: Department,
) -> None:
    again = replace(department.connections["C023"], uid="C092")
    pqa = replace(
        department,
        connections={**department.connections, "C092": again},
        drafts=frozenset({"C092", "C001", "QA-022", "TPS.DICOM"}),
    )
    found = impact_of_system(pqa, "TPS")

    [device] = touched_devices(pqa, found)

    assert device.how == "reads over C023, C092"
    assert found.drafts == ("C092", "QA-022", "TPS.DICOM")


def test_what_is_only_downstream_is_named_and_marked_where_nobody_approved_it(
    small: Department,
) -> None:
    onward = replace(small.connections["C1"], uid="C5", source="B", target="D")
    pathway = Pathway("P1", "To the portal", steps=(Step("C1", entry=True), Step("C5")))
    department = replace(
        small,
        connections={**small.connections, "C5": onward},
        pathways={"P1": pathway},
        drafts=frozenset({"A", "C2", "C5", "D", "P1"}),
    )

    found = impact_of_system(department, "A.1")
    rows = _rows(department, found, Purpose.UPGRADE)

    assert found.drafts == ("A", "C5", "D", "P1")
    assert rows["pathway", "P1"] == ("1 C1", "1; not approved yet")
    onwards = "1 C1; 2 C5 (not approved yet)"
    assert rows["steps downstream", "P1"] == (onwards, "2; not approved yet")
    assert rows["connection between systems", "C1"][1] == "no QA"


def test_an_endpoint_says_where_its_connection_or_its_system_is_not_approved(
    department: Department,
) -> None:
    drafted = replace(department, drafts=frozenset({"C036", "BTPS.WS"}))

    rows = plan_sheet(drafted, _plan(drafted, impact_of_system(drafted, "HDR"), Purpose.REPLACE))

    stands = {
        (uid, str(what).split()[0]): stands
        for part, uid, what, _, stands in rows.rows
        if part == "endpoint to set"
    }
    assert set(stands.values()) >= {""}
    assert {system for (_, system), said in stands.items() if "BTPS.WS not approved" in str(said)}
    for (uid, system), said in stands.items():
        assert ("not approved yet" in str(said)) == (uid == "C036" or system == "BTPS.WS")


def test_a_step_at_which_a_pathway_breaks_is_named_where_nobody_approved_it(
    small: Department,
) -> None:
    pathway = Pathway("P1", "Both ways", steps=(Step("C1", entry=True), Step("C4")))
    department = replace(small, pathways={"P1": pathway}, drafts=frozenset({"C4"}))

    found = impact_of_system(department, "B")
    lost = losses(department, found)
    rows = _rows(department, found, Purpose.RETIRE)

    assert found.drafts == ()
    assert with_drafts_of_losses(department, found, lost).drafts == ("C4",)
    assert rows["pathway that loses steps", "P1"][1] == ("breaks at step 2 C4 (not approved yet)")


def _plan(department: Department, found: Impact, purpose: Purpose) -> Plan:
    subject = department.systems[found.subject]
    lost = losses(department, found) if purpose is Purpose.RETIRE else None
    return Plan(purpose, subject, found, (), (), (), {}, lost, programme_of(department, found))


def _rows(
    department: Department, found: Impact, purpose: Purpose
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return detail and standing of each row of a plan by its part and id."""
    rows = plan_sheet(department, _plan(department, found, purpose)).rows
    return {(str(r[0]), str(r[1])): (str(r[3]), str(r[4])) for r in rows}


def test_a_device_that_two_systems_realise_names_both_in_their_order(small: Department) -> None:
    device = Outside("RPM", "PRJ-RPM")
    names = ("A", "A.1", "A.2")
    realising = {uid: replace(small.systems[uid], realises=(device,)) for uid in names}
    department = replace(small, systems={**small.systems, **realising})

    [found] = touched_devices(department, impact_of_system(department, "A"))

    assert found.how == "realised by A; realised by A.1; realised by A.2"


def test_a_device_that_a_part_and_its_whole_realise_is_told_once_for_a_connection(
    small: Department,
) -> None:
    device = Outside("RPM", "PRJ-RPM")
    realising = {uid: replace(small.systems[uid], realises=(device,)) for uid in ("A", "A.2")}
    department = replace(small, systems={**small.systems, **realising})

    [found] = touched_devices(department, impact_of_system(department, "B"))

    assert found.how == "sends over C1, C2, C3"
    assert found.connections == ("C1", "C2", "C3")


def test_what_names_the_whole_rests_on_a_change_of_its_part(small: Department) -> None:
    risk = RecordView(Key("RPM", "RSK-001"), "risk", "Wrong plan")
    named = LinkView("involves", risk.key, Key("DEPT", "A"))

    evidence = evidence_of(Snapshot([risk], [named]), small, impact_of_system(small, "A.2"), ())

    assert [(one.record.uid, one.why) for one in evidence] == [("RSK-001", ("involves A",))]


def test_a_system_away_from_every_device_touches_none(department: Department) -> None:
    assert touched_devices(department, impact_of_system(department, "HDR")) == ()


def test_the_upgrade_of_a_neighbour_lists_requirements_risks_and_last_runs(
    department: Department,
) -> None:
    passed = Verdict(VerdictWord.PASSED, run="14")
    found = impact_of_system(department, "TPS")

    evidence = evidence_of(_device(), department, found, touched_devices(department, found))
    runs = last_runs(_device(), evidence, {Key("RPM", "TST-004"): passed})

    assert {one.record.uid: one.why for one in evidence} == {
        "REQ-001": ("monitored by QA-022",),
        "REQ-003": ("received over C023", "monitored by QA-022"),
        "RSK-001": ("arises on C023",),
    }
    assert [(one.record.uid, one.shows, one.verdict) for one in runs] == [
        ("TST-004", ("REQ-003", "RSK-001"), passed)
    ]


def test_what_is_only_fed_later_says_so(department: Department) -> None:
    found = impact_of_system(department, "CTSIM")

    evidence = evidence_of(_device(), department, found, touched_devices(department, found))

    assert [(one.record.uid, one.direct) for one in evidence if one.record.type == "risk"] == [
        ("RSK-001", False)
    ]


def test_tests_of_a_project_that_nobody_asked_are_not_listed(department: Department) -> None:
    found = impact_of_system(department, "TPS")
    evidence = evidence_of(_device(), department, found, ())

    assert last_runs(_device(), evidence, {}) == ()


def test_the_programme_of_a_system_names_its_gaps(department: Department) -> None:
    of_plan_quality = programme_of(department, impact_of_system(department, "PQA"))

    assert [one.uid for one in of_plan_quality.gaps] == ["C048", "C061"]
    assert [event.event.value for event in of_plan_quality.events] == [
        "acceptance", "commissioning", "upgrade", "periodic",
    ]  # fmt: skip
    of_connection = programme_of(department, impact_of_connection(department, "C022"))
    assert "C022" in {one.uid for one in of_connection.gaps}


def test_the_programme_of_a_system_lists_all_its_connections_with_their_tests_by_event(
    department: Department,
) -> None:
    found = impact_of_system(department, "HDR")

    programme = programme_of(department, found)

    rows = {one.uid: one for one in (*programme.connections, *programme.pathways)}
    linked = {
        (uid, event.value): [p.uid for p in procedures]
        for uid, row in rows.items()
        for event, procedures in row.at.items()
        if procedures
    }
    assert list(rows) == ["C036", "C037", "C045", "C065", "C081", "C082", "C083", "P4", "P5"]
    assert linked == {
        ("C036", "upgrade"): ["QA-033"],
        ("C037", "upgrade"): ["QA-034"],
        ("C045", "periodic"): ["QA-042"],
        ("C065", "periodic"): ["QA-055"],
        ("P4", "periodic"): ["QA-058"],
    }
    external = {uid for uid in rows if uid not in ("C081", "C082", "C083")}
    for at in programme.events:
        assert {one.uid for one in (*at.tested, *at.untested)} == external


def test_no_status_is_good_news_unless_a_server_gave_it() -> None:
    kept = Procedure("QA-1", "Kept there", source="qatrack-testlist")
    paper = Procedure("QA-2", "On paper", source="document")
    since = datetime(2026, 11, 20, 9, tzinfo=UTC)

    unknown = qa_status_of(kept, Standing(State.UNKNOWN, since, "It is down."))

    assert (qa_status_of(kept, None).word, qa_status_of(kept, None).why) == ("not asked", NO_SERVER)
    assert qa_status_of(paper, None).why == KEPT_ELSEWHERE
    assert qa_status_of(kept, None).effective is None
    assert unknown.words == "unknown since 2026-11-20 09:00 UTC: It is down."
    assert unknown.effective is None


def test_a_purpose_is_one_of_four() -> None:
    assert [purpose_named(word) for word in ("upgrade", "replace", "retire", "qa")] == list(Purpose)
    with pytest.raises(Invalid, match="no purpose 'delete'"):
        purpose_named("delete")


def test_the_action_priority_never_falls_where_a_scale_gets_worse() -> None:
    order = {priority: place for place, priority in enumerate(Priority)}

    for s in SCALE:
        for o in SCALE:
            for d in SCALE:
                here = order[action_priority(s, o, d)]
                for worse in ((s + 1, o, d), (s, o + 1, d), (s, o, d + 1)):
                    if max(worse) in SCALE:
                        assert order[action_priority(*worse)] >= here, (s, o, d, worse)


def test_the_table_gives_every_priority_that_the_demo_states(
    department_drafts: list[RecordDraft],
) -> None:
    modes = [
        row
        for draft in department_drafts
        if draft.type == "connection"
        for row in draft.content.fields.get("failure_modes") or ()
    ]

    assert len(modes) == 221
    for row in modes:
        found = action_priority(row["severity"], row["occurrence"], row["detection"])
        assert found == row["action_priority"], row


def _device() -> Snapshot:
    """Two requirements, a risk on C023, and a test of both."""
    records = [
        RecordView(Key("RPM", uid), kind, f"Title of {uid}")
        for uid, kind in (
            ("REQ-001", "requirement"),
            ("REQ-003", "requirement"),
            ("RSK-001", "risk"),
            ("TST-004", "test"),
        )
    ]
    links = [
        LinkView("received_over", Key("RPM", "REQ-003"), Key("DEPT", "C023")),
        LinkView("arises_on", Key("RPM", "RSK-001"), Key("DEPT", "C023")),
        LinkView("verifies", Key("RPM", "TST-004"), Key("RPM", "REQ-003")),
        LinkView("verifies", Key("RPM", "TST-004"), Key("RPM", "RSK-001")),
    ]
    return Snapshot(records, links)


def test_a_record_that_may_not_be_read_is_named_by_its_uid_alone(department: Department) -> None:
    found = impact_of_system(department, "PQA")

    evidence = evidence_of(Snapshot([], []), department, found, ())

    assert [one.record for one in evidence] == [
        Outside("RPM", "REQ-001"),
        Outside("RPM", "REQ-003"),
    ]
