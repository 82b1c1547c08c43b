"""The look-ups that every view of the department shares."""

from core.records.snapshot import natural_order
from dataflows.inventory import Connection, Department, Procedure, System


def test_a_system_three_levels_down_knows_its_whole_way() -> None:
    systems = {
        uid: System(uid, uid, parent=parent)
        for uid, parent in (("A.1.x", "A.1"), ("A.1", "A"), ("A", None))
    }
    department = Department("DEPT", systems, {})

    assert department.lineage["A.1.x"] == ("A", "A.1", "A.1.x")
    assert department.depth == 2
    assert department.major("A.1.x") == "A"
    assert department.within("A") == ("A", "A.1", "A.1.x")
    assert department.endpoints == {"A.1.x"}


def test_a_system_with_parts_is_an_endpoint_when_a_connection_touches_it_itself(
    small: Department,
) -> None:
    way = Connection("C9", "", "A", "D", next(iter(small.connections.values())).category)
    department = Department("DEPT", small.systems, {**small.connections, "C9": way})

    assert "A" in department.endpoints
    assert "A" not in small.endpoints


def test_numbers_in_ids_sort_as_numbers() -> None:
    uids = ["C100", "C20", "C3", "QA-2", "9Z"]

    assert sorted(uids, key=natural_order) == ["9Z", "C3", "C20", "C100", "QA-2"]


def test_a_procedure_that_names_a_connection_twice_counts_once(small: Department) -> None:
    procedure = Procedure("QA-1", "", connections=("C1", "C1"))
    department = Department("DEPT", small.systems, small.connections, {}, {"QA-1": procedure})

    assert department.qa_of_connection == {"C1": ("QA-1",)}


def test_the_demo_has_26_major_systems_and_33_parts(department: Department) -> None:
    assert len(department.majors) == 26
    assert len(department.systems) - len(department.majors) == 33
    assert department.depth == 1
    assert department.incomplete == ()
