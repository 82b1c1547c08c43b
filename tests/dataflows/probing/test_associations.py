"""The right end of each association is asked, by the right name."""

from dataclasses import replace

from dataflows.inventory import Department, Status
from dataflows.probing.allowed import AllowList
from dataflows.probing.associations import asked_by, associations, obstacles
from dataflows.probing.standing import WORDS
from engine.network.classes import STEP_PULL, STUDY_MOVE, WORKLIST_FIND, name_of, offer_for
from engine.network.findings import Outcome

EVERYWHERE = AllowList.read(["0.0.0.0/0"])


def test_the_demo_has_43_associations_of_38_connections_with_19_listeners(
    department: Department,
) -> None:
    found = associations(department)

    listeners = {(one.question.called_ae, one.question.host, one.question.port) for one in found}
    assert len(found) == 43
    assert len({one.connection.uid for one in found}) == 38
    assert len(listeners) == 19
    assert all(obstacles(one, EVERYWHERE) == () for one in found)


def test_the_one_who_asks_and_the_one_who_listens_are_the_two_ends(department: Department) -> None:
    for one in associations(department):
        ends = {one.connection.source, one.connection.target}
        assert {one.asking, one.listening} == ends
        pushes = one.question.role in ("store", "store-suboperation")
        assert one.asking == (one.connection.source if pushes else one.connection.target)


def test_each_listener_belongs_to_one_system(department: Department) -> None:
    """Otherwise some association would be asked at the wrong end."""
    owners: dict[str, set[str]] = {}
    for one in associations(department):
        owners.setdefault(one.question.called_ae, set()).add(one.listening)

    assert all(len(systems) == 1 for systems in owners.values())


def test_each_end_of_a_move_is_asked_for_what_it_does(department: Department) -> None:
    request, back = associations(department, "C012")

    assert (request.asking, request.listening) == ("CONT", "PACS.ARC")
    assert (back.asking, back.listening) == ("PACS.ARC", "CONT")
    assert offer_for("request", request.question.service, ()).classes == (STUDY_MOVE,)
    kinds = offer_for(back.question.role, back.question.service, back.question.data_types)
    assert [name_of(one) for one in kinds.classes] == [
        "Positron Emission Tomography Image Storage",
        "MR Image Storage",
        "CT Image Storage",
    ]


def test_every_association_of_the_demo_has_object_classes(department: Department) -> None:
    offers = {
        (one.connection.uid, one.number): offer_for(
            one.question.role, one.question.service, one.question.data_types
        )
        for one in associations(department)
    }

    assert all(one.classes and not one.unknown for one in offers.values())
    assert offers["C006", 1].classes == offers["C010", 1].classes == (WORKLIST_FIND,)
    assert offers["C024", 1].classes == (STEP_PULL,)


def test_what_nobody_knows_a_class_for_is_named() -> None:
    offer = offer_for("store", "Storage", ("CT Image", "treatment calendar"))

    assert offer.unknown == ("treatment calendar",)
    assert offer_for("query", "carrier pigeon", ()).unknown == ("carrier pigeon",)


def test_everything_that_keeps_an_association_from_a_probe_is_told(department: Department) -> None:
    connection = department.connections["C023"]
    [association] = connection.associations
    broken = replace(
        connection,
        status=Status.RETIRED,
        associations=(replace(association, scu_ae="", scp_ae="A" * 17, scp_host="", scp_port=0),),
    )
    [one] = associations(Department("DEPT", department.systems, {"C023": broken}), "C023")

    assert obstacles(one, EVERYWHERE) == (
        "The connection is retired: nothing listens for it.",
        "The asking AE title is not stated.",
        "'AAAAAAAAAAAAAAAAA' is no AE title.",
        "The listening host is not stated.",
        "The port is not stated.",
    )
    assert asked_by(broken, broken.associations[0]) == "TPS.DICOM"


def test_every_outcome_of_the_engine_has_a_word() -> None:
    assert {one.value for one in Outcome} <= WORDS.keys()
