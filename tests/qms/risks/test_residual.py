"""A level drops only where every control is verified; otherwise it says what is missing."""

import pytest

from core.qa_controls import ControlWord, QaControl, by_watched
from core.records.snapshot import Key, LinkView
from core.verdicts import NOT_RUN, Verdict, VerdictWord
from qms.risks.logged import rows_of
from qms.risks.packs import matrix_packs
from qms.risks.residual import Position, assess

pytestmark = pytest.mark.verifies("TST-012")

PASSED = Verdict(VerdictWord.PASSED, run="14")
FAILED = Verdict(VerdictWord.FAILED, run="14")
OLDER = Verdict(VerdictWord.OLDER_COMMIT, run="12")
NHS = matrix_packs()["nhs-dcb-5x5"]


@pytest.fixture
def chain(book):
    """RSK-001 (4 x 3 = level 3, expected 4 x 1 = level 2), two controls, one test each."""
    book.add("risk", "RSK-001", severity=4, likelihood_before=3, likelihood_after=1)
    for number, kind in ((1, "information"), (2, "protective")):
        book.add("requirement", f"REQ-00{number}")
        book.add("test", f"TST-00{number}")
        book.link(f"REQ-00{number}", "mitigates", "RSK-001", kind=kind)
        book.link(f"TST-00{number}", "verifies", f"REQ-00{number}")
    return book


def look(book, verdicts=None):
    snapshot = book.snapshot()
    words = {book.key(uid): verdict for uid, verdict in (verdicts or {}).items()}
    return assess(snapshot, snapshot.records[book.key("RSK-001")], NHS, words)


def test_verified_controls_lower_the_level(chain) -> None:
    risk = look(chain, {"TST-001": PASSED, "TST-002": PASSED})

    assert (risk.before.number, risk.after.number) == (3, 2)
    assert risk.lowered
    assert risk.reasons == ()
    assert risk.position_after == Position(severity=4, likelihood=1)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (NOT_RUN, "REQ-002 has not been tested (TST-002 not run)."),
        (FAILED, "REQ-002 failed in TST-002."),
        (OLDER, "REQ-002 was last tested on an older commit (TST-002)."),
    ],
)
def test_one_unverified_control_leaves_the_level_before_and_is_named(chain, verdict, said) -> None:
    risk = look(chain, {"TST-001": PASSED, "TST-002": verdict})

    assert risk.after == risk.before
    assert risk.claimed.number == 2
    assert not risk.lowered
    assert risk.reasons == (said,)
    assert risk.position_after == Position(severity=4, likelihood=3)


def test_every_missing_control_is_named(chain) -> None:
    assert len(look(chain).reasons) == 2


def test_a_control_that_no_test_verifies_is_not_verified(chain) -> None:
    chain.add("requirement", "REQ-003")
    chain.link("REQ-003", "mitigates", "RSK-001", kind="inherent")

    risk = look(chain, {"TST-001": PASSED, "TST-002": PASSED})

    assert risk.reasons == ("REQ-003 is verified by no test.",)
    assert risk.after == risk.before


def test_a_failing_test_outweighs_a_passing_one(chain) -> None:
    chain.add("test", "TST-003")
    chain.link("TST-003", "verifies", "REQ-001")

    risk = look(chain, {"TST-001": PASSED, "TST-002": PASSED, "TST-003": FAILED})

    assert risk.reasons == ("REQ-001 failed in TST-003.",)


def test_a_planned_test_beside_a_passing_one_takes_nothing_away(chain) -> None:
    chain.add("test", "TST-003", state="draft")
    chain.link("TST-003", "verifies", "REQ-001")

    assert look(chain, {"TST-001": PASSED, "TST-002": PASSED}).lowered


def test_a_withdrawn_test_verifies_nothing(book) -> None:
    book.add("risk", "RSK-001", severity=4, likelihood_before=3, likelihood_after=1)
    book.add("requirement", "REQ-001")
    book.add("test", "TST-001", state="withdrawn")
    book.link("REQ-001", "mitigates", "RSK-001")
    book.link("TST-001", "verifies", "REQ-001")

    assert look(book, {"TST-001": PASSED}).reasons == ("REQ-001 is verified by no test.",)


def test_a_control_that_is_not_approved_lowers_nothing(book) -> None:
    book.add("risk", "RSK-001", severity=4, likelihood_before=3, likelihood_after=1)
    book.add("requirement", "REQ-001", state="in_review")
    book.add("test", "TST-001")
    book.link("REQ-001", "mitigates", "RSK-001")
    book.link("TST-001", "verifies", "REQ-001")

    assert look(book, {"TST-001": PASSED}).reasons == ("REQ-001 is in review and not approved.",)


def test_a_risk_without_controls_keeps_its_level(book) -> None:
    book.add("risk", "RSK-001", severity=4, likelihood_before=3, likelihood_after=1)

    risk = look(book)

    assert risk.after == risk.before
    assert risk.reasons == ("No requirement controls this risk.",)


def test_a_claim_worse_than_before_is_never_hidden(chain) -> None:
    chain.records[0].fields["likelihood_after"] = 5

    assert look(chain).after.number == 5


def test_severity_may_fall_too(chain) -> None:
    chain.records[0].fields["severity_after"] = 1

    risk = look(chain, {"TST-001": PASSED, "TST-002": PASSED})

    assert risk.position_after == Position(severity=1, likelihood=1)
    assert risk.after.number == 1


def test_no_likelihood_after_means_the_level_before_stands(chain) -> None:
    del chain.records[0].fields["likelihood_after"]

    risk = look(chain, {"TST-001": PASSED, "TST-002": PASSED})

    assert risk.after == risk.before
    assert risk.reasons == ("No likelihood after the controls is given.",)


def test_figures_off_the_scale_are_problems_not_levels(chain) -> None:
    chain.records[0].fields.update(severity=99, likelihood_before=None)

    risk = look(chain)

    assert risk.before is None
    assert "Severity before the controls is 99, not a step of 1 to 5." in risk.problems
    assert "Likelihood before the controls is not given." in risk.problems


def test_controls_stand_in_the_order_in_which_they_are_preferred(chain) -> None:
    assert [control.kind for control in look(chain).controls] == ["protective", "information"]


def test_effectiveness_is_read_from_tests_linked_to_the_risk(chain) -> None:
    chain.link("TST-002", "validates", "RSK-001")
    chain.link("TST-001", "verifies", "RSK-001")

    risk = look(chain, {"TST-001": PASSED})

    shown = [(test.key.uid, verdict.word) for test, verdict in risk.effectiveness]
    assert shown == [("TST-001", "passed"), ("TST-002", "not run")]


def watched(word: ControlWord, *watches: Key):
    """One QA procedure of the department that watches some records."""
    return by_watched([QaControl(Key("DEPT", "QA-022"), frozenset(watches), word, "overdue")])


def look_with(book, qa):
    snapshot = book.snapshot()
    verdicts = {book.key(uid): PASSED for uid in ("TST-001", "TST-002")}
    return assess(snapshot, snapshot.records[book.key("RSK-001")], NHS, verdicts, qa)


@pytest.mark.parametrize("watches", [Key("DEPT", "C023"), Key("RPM", "REQ-002")])
def test_a_control_whose_qa_does_not_work_lowers_nothing(chain, watches) -> None:
    """On the connection that the risk arises on, and on a requirement that controls it."""
    chain.links.append(LinkView("arises_on", chain.key("RSK-001"), Key("DEPT", "C023")))

    risk = look_with(chain, watched(ControlWord.NOT_EFFECTIVE, watches))

    assert risk.after == risk.before
    assert not risk.lowered
    assert risk.reasons == ("QA-022 of DEPT: control not effective, overdue.",)
    assert [one.procedure.uid for one in risk.not_effective] == ["QA-022"]


@pytest.mark.parametrize("word", [ControlWord.EFFECTIVE, ControlWord.NOT_ASKED])
def test_qa_that_works_or_was_not_asked_holds_no_level_up_and_is_shown(chain, word) -> None:
    risk = look_with(chain, watched(word, Key("RPM", "REQ-001")))

    assert risk.lowered
    assert risk.reasons == ()
    assert [one.word for one in risk.watched_by] == [word]
    assert [one.effective for one in risk.watched_by] == [word is ControlWord.EFFECTIVE]


def test_qa_on_something_else_does_not_touch_a_risk(chain) -> None:
    risk = look_with(chain, watched(ControlWord.NOT_EFFECTIVE, Key("DEPT", "C001")))

    assert risk.lowered
    assert risk.watched_by == ()


def test_the_hazard_log_freezes_that_qa_did_not_work_without_the_moving_reason(chain) -> None:
    one = look_with(chain, watched(ControlWord.NOT_EFFECTIVE, Key("RPM", "REQ-001")))

    [row] = rows_of([one], NHS, {})

    assert "QA-022 of DEPT: control not effective." in row["after"].split("\n")
    assert row["level"] == 3
