"""Faults that other tools saw: imported results at the release's commit, and lines of source."""

from dataclasses import replace

import pytest

from core.verdicts import Verdict, VerdictWord
from qms.results.judging import Imported, Standing
from qms.rules.facts import LinesFact
from tests.qms.rules.conftest import COMMIT, RAN

pytestmark = pytest.mark.verifies("TST-047")


def imported(demo, uid: str, standing: Standing, **parts) -> None:
    label = "" if standing in (Standing.MISSING, Standing.STALE) else "test_dvh::test_mean"
    said = Imported(uid, standing, 4, COMMIT, RAN, label, cases=1, address="/p/RPM/results/4")
    demo.imported[uid] = replace(said, **parts)


def lines(demo, uid: str, doubt: str = "") -> None:
    demo.lines.append(
        LinesFact(demo.key(uid), "device", "dvh.py:12-30", COMMIT, doubt, "/p/RPM/x/lines/7")
    )


def test_imported_failure_at_the_commit_of_the_release(demo) -> None:
    imported(demo, "TST-009", Standing.FAILED, message="1 != 2")

    demo.must_name("E21", "REQ-009", "REQ-010")
    finding, _ = demo.result("E21").findings
    assert finding.sentence == (
        "REQ-009 is not verified at commit 3f2c1a9: TST-009: imported results 4: "
        "test_dvh::test_mean failed: 1 != 2."
    )
    assert finding.address == "/p/RPM/results/4"
    assert not demo.check().passed


@pytest.mark.parametrize(
    "standing", [Standing.ERROR, Standing.XPASS, Standing.XFAIL, Standing.MISSING, Standing.STALE]
)
def test_requirement_that_imported_results_name_and_no_pass(demo, standing) -> None:
    imported(demo, "REQ-009", standing)

    demo.must_name("E21", "REQ-009")


def test_pass_says_nothing_against_and_is_looked_at(demo) -> None:
    imported(demo, "TST-009", Standing.PASSED)

    assert demo.result("E21").word == "passes"
    assert demo.result("E21").looked_at > 0


def test_nothing_imported_is_nothing_to_look_at(demo) -> None:
    assert demo.result("E21").word == "nothing to look at"


def test_pass_recorded_here_says_more_than_a_result_that_says_nothing(demo) -> None:
    imported(demo, "TST-009", Standing.STALE)

    demo.must_name("E21")

    demo.verdicts["TST-009"] = Verdict(VerdictWord.NOT_RUN)
    demo.must_name("E21", "REQ-009", "REQ-010")


def test_requirement_of_a_later_release_may_still_fail(demo) -> None:
    delivered = {link.target.uid for link in demo.links if link.role == "delivers"
                 and link.source.uid == "REL-0.1.0"}  # fmt: skip
    later = next(
        key.uid
        for key, one in demo.records.items()
        if one.type == "requirement" and key.uid not in delivered
    )
    imported(demo, later, Standing.FAILED)

    assert demo.result("E21").findings == ()


def test_marked_lines_that_changed(demo) -> None:
    lines(demo, "REQ-009", "changed since revision 1 of REQ-009 was approved")

    demo.must_name("A16", "REQ-009")
    [finding] = demo.result("A16").findings
    assert "device dvh.py:12-30 at commit 3f2c1a9: changed since revision 1" in finding.sentence
    assert finding.address == "/p/RPM/x/lines/7"


def test_marked_lines_that_hold(demo) -> None:
    lines(demo, "REQ-009")

    assert demo.result("A16").word == "passes"
    assert demo.result("A16").looked_at == 1
