"""A case is credited to the record that it names, and to no other."""

import pytest

from core.blobs import BlobStore
from qms.interchange.corpus import Place
from qms.results.arriving import Sent, read_all
from qms.results.cases import Case, Outcome
from qms.results.ids import STATING, stated_by
from qms.results.judging import Standing
from qms.results.naming import Names
from tests.conftest import Office
from tests.effort import effort
from tests.qms.results.conftest import ONE, send, standings

pytestmark = pytest.mark.verifies("TST-028")


def test_a_record_of_another_project_is_told_and_credits_none_of_ours(
    tested: Office, store: BlobStore
) -> None:
    kept = send(tested, store, ONE, a="DEPT/TST-001", b="RPM/TST-002")

    assert kept.named == ("TST-002",)
    assert [(one.code, one.what) for one in kept.findings] == [
        ("TR618", "DEPT/TST-001 is no record of RPM; it counts for none here.")
    ]
    assert standings(tested) == {"TST-002": Standing.PASSED}


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("TST-001 dose", ("TST-001",)),
        ("test_TST_001_dose[2]", ("TST-001",)),
        ("TST-001.volumes", ("TST-001",)),
        ("TST-001-2 dose", ("TST-001-2",)),
        ("test_TST_001_2", ("TST-001-2",)),
        ("TST-001.7", ()),
        ("TST-001-3", ()),
        ("C001_works", ("C001",)),
        ("test_UN_00A", ("UN-00A",)),
        ("MAIN is no id", ()),
        ("C001-TST-001 both", ("C001", "TST-001")),
        ("TST-009-TST-001 both", ("TST-009", "TST-001")),
        ("pre-TST-001", ("TST-001",)),
    ],
)
def test_a_name_is_held_against_the_ids_of_the_project_the_longest_first(
    name: str, named: tuple[str, ...]
) -> None:
    uids = ("TST-001", "TST-001-2", "C001", "UN-00A", "MAIN")
    names = Names("RPM", uids, ("DEPT",))
    (read,) = read_all(
        [Sent("a.xml", f'<testsuite><testcase name="{name}"/></testsuite>'.encode())]
    )
    (case,) = read[0].cases

    assert tuple(one.uid for one in names.of(case)) == named
    ends = [one.what for one in names.findings.values()]
    assert ends == (
        [f"{name} begins with TST-001, and RPM has no such record."]
        if name in ("TST-001.7", "TST-001-3")
        else []
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SYS-TST-001 dose", "SYS-TST-001 ends in TST-001"),
        ("dose [SW2-TST-001]", "SW2-TST-001 ends in TST-001"),
        ("tests.A-B-TST-001-2", "A-B-TST-001-2 ends in TST-001-2"),
        ("mySYS-TST-001", "SYS-TST-001 ends in TST-001"),
        ("RPM/SYS-TST-001", "SYS-TST-001 ends in TST-001"),
        ("SYS-C001-TST-001", "SYS-C001-TST-001 ends in TST-001"),
        ("SYS-TST-009", ""),
    ],
)
def test_an_id_that_only_ends_in_one_of_ours_is_told_and_credited_to_none(
    name: str, told: str
) -> None:
    names = Names("RPM", ("TST-001", "TST-001-2", "C001"), ("DEPT",))
    content = f'<testsuite name="{name}"><testcase classname="{name}" name="{name}"/></testsuite>'
    (read,) = read_all([Sent("a.xml", content.encode())])

    assert names.of(read[0].cases[0]) == ()
    ends = [one.what for one in names.findings.values()]
    assert (f"{told}, and RPM has no such record." in ends) is bool(told)


@pytest.mark.parametrize("key", ["test_id", "test_cases", "req", "polarion:Requirement-Ids"])
def test_a_property_names_what_it_states_whatever_stands_before_it(key: str) -> None:
    (one,) = stated_by(key, "SYS-TST-001", Place("a.xml"))
    names = Names("RPM", ("TST-001", "SYS-TST-001"))

    (named,) = names.of(Case("", "", "a", Outcome.PASSED, one.place, named=(one,)))

    assert named.uid == "SYS-TST-001"


def test_tags_and_markers_name_any_record_of_the_project_and_nothing_else() -> None:
    properties = "".join(
        f'<property name="{name}" value="{value}"/>'
        for name, value in {
            "marker": "verifies('C001', why='UN-00A')", "tag": "slow", "tags": "RPM/C002 OFF-9",
        }.items()
    )  # fmt: skip
    case = f"<testcase name='DEPT/C001'><properties>{properties}</properties></testcase>"
    (read,) = read_all([Sent("a.xml", f"<testsuite>{case}</testsuite>".encode())])
    names = Names("RPM", ("C001", "C002", "UN-00A"), ("DEPT",))

    found = {one.uid: one.stated for one in names.of(read[0].cases[0])}

    assert found == {"OFF-9": True, "C001": True, "UN-00A": True, "C002": True}
    assert [one.code for one in names.findings.values()] == ["TR618"]


@pytest.mark.parametrize("key", ["requirement", "test_id", "record", "test_case", "requirement_id"])
def test_what_states_one_record_states_several(key: str) -> None:
    assert {key, f"{key}s"} <= STATING
    assert [one.uid for one in stated_by(f"{key}s", "REQ-1, REQ-2", Place("a.xml"))] == [
        "REQ-1", "REQ-2",
    ]  # fmt: skip


def test_the_name_of_a_suite_is_read_once_for_all_of_its_cases() -> None:
    names = Names("RPM", ("TST-001",))
    cases = [
        Case("word " * 4_000, "", f"TST-001 {n}", Outcome.PASSED, Place("a.xml"))
        for n in range(2_000)
    ]

    assert effort(lambda: [names.of(case) for case in cases]) < 30
