"""The map is built from what the records say, and says which records it could not place."""

from dataclasses import replace

import pytest

from core.records.content import Content, LinkDraft, RecordDraft
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from dataflows.inventory import Category, Department, Outside, Status
from dataflows.survey import department_from_drafts, department_from_snapshot


def _views(drafts: list[RecordDraft]) -> tuple[list[RecordView], list[LinkView]]:
    records, links = [], []
    for draft in drafts:
        key = Key(draft.project, str(draft.uid))
        content = draft.content
        records.append(
            RecordView(key, draft.type, content.title, content.body, content.fields, "approved")
        )
        links += [
            LinkView(one.role, key, Key(one.project or draft.project, one.target), one.attributes)
            for one in content.links
        ]
    return records, links


def _system(uid: str, parent: str | None = None) -> RecordDraft:
    links = (LinkDraft("part_of", parent),) if parent else ()
    return RecordDraft("DEPT", "system", uid, Content(uid, links=links))


def _connection(uid: str, *ends: str, **fields: object) -> RecordDraft:
    roles = ("from_system", "to_system")
    links = tuple(LinkDraft(role, end) for role, end in zip(roles, ends, strict=False))
    content = Content(uid, fields={"category": "file", **fields}, links=links)
    return RecordDraft("DEPT", "connection", uid, content)


def test_the_snapshot_of_the_demo_gives_the_same_map_as_its_drafts(
    department_drafts: list[RecordDraft], department: Department
) -> None:
    records, links = _views(department_drafts)

    assert department_from_snapshot(Snapshot(records, links), "DEPT") == department


def test_a_record_of_another_project_that_names_the_map_is_known_with_its_title(
    department_drafts: list[RecordDraft],
) -> None:
    records, links = _views(department_drafts)
    device = Key("RPM", "PRJ-RPM")
    test, risk = Key("RPM", "TST-002"), Key("RPM", "RSK-001")
    records += [
        RecordView(device, "project", "RT Plan Metrics"),
        RecordView(test, "test", "Stored unchanged"),
        RecordView(risk, "risk", "Wrong plan", withdrawn=True),
    ]
    links += [
        LinkView("exercises", test, Key("DEPT", "C023")),
        LinkView("arises_on", risk, Key("DEPT", "C023")),
    ]

    found = department_from_snapshot(Snapshot(records, links), "DEPT")

    assert found.systems["PQA"].realises == (
        Outside("RPM", "PRJ-RPM", "RT Plan Metrics", "project"),
    )
    assert found.connections["C023"].named_by == (
        Outside("RPM", "TST-002", "Stored unchanged", "test", "exercises"),
    )


def test_a_withdrawn_record_is_not_on_the_map(department_drafts: list[RecordDraft]) -> None:
    records, links = _views(department_drafts)
    records = [replace(r, withdrawn=r.key.uid in {"C023", "QA-056"}) for r in records]

    found = department_from_snapshot(Snapshot(records, links), "DEPT")

    assert "C023" not in found.connections
    assert "QA-056" not in found.procedures
    assert len(found.connections) == 90


def test_an_incomplete_record_is_set_aside_with_its_reason_and_the_rest_is_drawn() -> None:
    drafts = [
        _system("A"),
        _system("B"),
        _system("A.1", "A"),
        _system("X.1", "X"),
        _connection("C1", "A.1", "B"),
        _connection("C2", "A.1"),
        _connection("C3", "A.1", "Z"),
        _connection("C4", "A.1", "B", category=None),
    ]

    found = department_from_drafts(drafts, "DEPT")

    assert list(found.connections) == ["C1"]
    assert found.systems["X.1"].parent is None
    assert [(one.uid, one.reason) for one in found.incomplete] == [
        ("X.1", "is part of X, which is not a system on this map; it is drawn as a major system"),
        ("C2", "has no system at its end"),
        ("C3", "names Z at its end, which is not a system on this map"),
        ("C4", "has no category: choose DICOM, file or other"),
    ]


def test_systems_that_are_parts_of_each_other_are_cut_apart_once() -> None:
    found = department_from_drafts(
        [_system("A", "B"), _system("B", "C"), _system("C", "A"), _system("D", "C")], "DEPT"
    )

    assert found.systems["A"].parent is None
    assert found.lineage["D"] == ("A", "C", "D")
    assert len(found.incomplete) == 1


def test_only_active_and_planned_connections_are_drawn() -> None:
    drafts = [_system("A"), _system("B"), _system("D")]
    drafts += [
        _connection("C1", "A", "B"),
        _connection("C2", "A", "B", status="planned"),
        _connection("C3", "A", "B", status="retired"),
        _connection("C4", "A", "D", status="none"),
    ]

    found = department_from_drafts(drafts, "DEPT")

    assert {c.uid: c.status for c in found.connections.values()} == {
        "C1": Status.ACTIVE,
        "C2": Status.PLANNED,
    }
    assert found.connections["C1"].category is Category.FILE
    assert found.no_transfer == {("A", "D")}


@pytest.mark.parametrize(
    ("stated", "priority"), [({}, "high"), ({"action_priority": "low"}, "low")]
)
def test_a_priority_that_is_not_stated_is_looked_up(stated: dict[str, str], priority: str) -> None:
    """Severity 9, occurrence 6, detection 7 is high, in the table and on the coloured map."""
    mode = {"what": "Wrong plan", "severity": 9, "occurrence": 6, "detection": 7, **stated}
    drafts = [_system("A"), _system("B"), _connection("C1", "A", "B", failure_modes=[mode])]

    found = department_from_drafts(drafts, "DEPT")

    assert found.connections["C1"].priority == priority
