"""One question, "if this changes, what is touched?", and its one answer."""

from dataclasses import replace

import pytest

from dataflows.impact import impact_of_connection, impact_of_system
from dataflows.inventory import Department, Outside

pytestmark = pytest.mark.verifies("TST-015")


@pytest.mark.parametrize(
    ("system", "downstream", "pathways"),
    [("CTSIM", 61, 4), ("TPS", 40, 3), ("OMS", 52, 5), ("HDR", 6, 2), ("ASEG", 29, 1)],
)
def test_the_downstream_of_a_system_follows_the_pathways(
    department: Department, system: str, downstream: int, pathways: int
) -> None:
    found = impact_of_system(department, system)

    assert len(found.downstream) == downstream
    assert len(found.pathways) == pathways


def test_the_afterloader_touches_four_external_and_three_internal_connections(
    department: Department,
) -> None:
    found = impact_of_system(department, "HDR")

    assert [c.uid for c in found.external] == ["C036", "C037", "C045", "C065"]
    assert [c.uid for c in found.internal] == ["C081", "C082", "C083"]
    assert [t.pathway.uid for t in found.pathways] == ["P4", "P5"]
    assert found.devices == ()
    assert "Brachytherapy physics" in found.groups


def test_the_plan_quality_system_names_the_device_and_the_requirements_its_qa_monitors(
    department: Department,
) -> None:
    found = impact_of_system(department, "PQA")

    assert [(d.project, d.uid) for d in found.devices] == [("RPM", "PRJ-RPM")]
    assert [(d.project, d.uid) for d in found.evidence] == [("RPM", "REQ-001"), ("RPM", "REQ-003")]
    assert found.uncovered == ("C048", "C061")
    assert [p.slug for p in found.procedures] == ["rpm-end-to-end-monthly", "e2e-vmat-annual"]


def test_a_part_of_the_system_that_realises_a_device_names_the_device_too(
    small: Department,
) -> None:
    device = Outside("RPM", "PRJ-RPM")
    systems = {**small.systems, "A": replace(small.systems["A"], realises=(device,))}

    found = impact_of_system(replace(small, systems=systems), "A.2")

    assert found.devices == (device,)


def test_everything_outside_that_names_a_touched_connection_is_evidence(
    small: Department,
) -> None:
    test = Outside("RPM", "TST-002", "Stored unchanged", "test", "exercises")
    connections = {
        **small.connections,
        "C2": replace(small.connections["C2"], named_by=(test,)),
    }
    department = replace(small, connections=connections)

    assert impact_of_system(department, "A").evidence == (test,)
    assert impact_of_system(department, "D").evidence == ()


def test_no_step_before_a_connection_is_downstream_of_it(department: Department) -> None:
    """C022 is step 41 of P3; what reached its target before that did not come over it."""
    found = impact_of_connection(department, "C022")

    for touched in found.pathways:
        first = min(step.number for step in touched.direct)
        assert all(step.number > first for step in touched.downstream)
    assert {t.pathway.uid: t.direct[0].number for t in found.pathways}["P3"] == 41


def test_a_connection_carries_its_change_on_from_its_target(department: Department) -> None:
    found = impact_of_connection(department, "C014")

    assert [c.uid for c in found.direct] == ["C014"]
    assert found.scope == ()
    assert "C023" in found.downstream
    assert "C001" not in found.downstream


def test_a_replacement_names_both_ends_of_every_association(department: Department) -> None:
    found = impact_of_system(department, "PQA")

    assert [(e.connection, e.system, e.side, e.ae, e.host, e.port) for e in found.endpoints] == [
        ("C023", "TPS.DICOM", "asks", "TPS_DICOM", "", None),
        ("C023", "PQA", "listens", "PQA", "192.0.2.26", 11112),
    ]


def test_every_endpoint_of_a_replaced_system_is_named_with_all_that_is_set_there(
    department: Department,
) -> None:
    """Who asks is known by its AE title; who listens by AE title, host and port."""
    seen = 0
    for major in department.majors:
        found = impact_of_system(department, major)

        associations = [(c.uid, one) for c in found.direct for one in c.associations]
        expected = [(uid, one.role, "asks", one.scu_ae, "", None) for uid, one in associations]
        expected += [
            (uid, one.role, "listens", one.scp_ae, one.scp_host, one.scp_port)
            for uid, one in associations
        ]
        told = [(e.connection, e.role, e.side, e.ae, e.host, e.port) for e in found.endpoints]
        assert sorted(told, key=str) == sorted(expected, key=str)
        assert all(e.ae and (e.side == "asks" or (e.host and e.port)) for e in found.endpoints)
        seen += len(told)
    assert seen > 2 * 43


def test_in_a_query_the_receiver_asks_and_the_sender_listens(department: Department) -> None:
    worklist = impact_of_connection(department, "C006").endpoints
    move = impact_of_connection(department, "C022").endpoints

    assert [(e.system, e.side) for e in worklist] == [("CTSIM.ACQ", "asks"), ("PACS.WL", "listens")]
    assert [(e.system, e.role, e.side) for e in move] == [
        ("TPS.DICOM", "request", "asks"),
        ("ARCH", "request", "listens"),
        ("ARCH", "store-suboperation", "asks"),
        ("TPS.DICOM", "store-suboperation", "listens"),
    ]
