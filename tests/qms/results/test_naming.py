"""A case is credited to the record that it names, and to no other."""

import pytest

from core.blobs import BlobStore
from qms.results.arriving import Sent, read_all
from qms.results.judging import Standing
from qms.results.naming import Names
from tests.conftest import Office
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
