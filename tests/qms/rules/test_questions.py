"""What only people answer is asked, with what to look at and what they answered; never decided."""

from qms.rules.packs import framework_pack
from qms.rules.questions import LEAST_SIMILAR


def question(case, code: str):
    return next(one for one in case.check().questions if one.question.code == code)


def looked_at(case, code: str) -> list[str]:
    return [one.told for one in question(case, code).beside]


def test_every_question_of_the_pack_is_asked_once_at_the_release(demo) -> None:
    asked = [one.question for one in demo.check().questions]

    assert asked == list(framework_pack().questions)
    assert demo.check("design").questions == ()


def test_requirements_that_share_an_item_stand_beside_the_question_in_pairs(demo) -> None:
    told = looked_at(demo, "J01")

    assert "REQ-009 and REQ-010 are both allocated to SI-05" in told
    assert not [one for one in told if "REQ-012" in one]  # not of this release
    assert len(set(told)) == len(told)


def test_three_similar_reports_propose_a_capa_and_two_do_not(demo) -> None:
    demo.add("problem", "PR-101", "open")
    demo.link("PR-101", "affects", "SI-09")
    assert looked_at(demo, "J09") == []

    demo.add("problem", "PR-102", "open")
    demo.link("PR-102", "affects", "SI-09")

    assert looked_at(demo, "J09") == [f"{LEAST_SIMILAR} reports affect SI-09: consider a CAPA"]


def test_a_considered_answer_is_told_with_who_and_when(demo) -> None:
    [answer] = question(demo, "J01").considered

    assert answer.record == demo.key("JDG-001")
    assert answer.on == "2026-11-19"
    assert "Amara Kole" in answer.by
    assert answer.answer.startswith("None contradicts another.")


def test_a_drafted_answer_and_one_for_another_release_are_not_told(demo) -> None:
    demo.change("JDG-001", state="draft", in_force=False)
    demo.unlink("JDG-002", "release", "REL-0.1.0")
    demo.link("JDG-002", "release", "REL-1.0.0")

    assert question(demo, "J01").considered == question(demo, "J05").considered == ()


def test_answers_that_other_records_hold_are_told_too(demo) -> None:
    reductions = {one.record.uid: one for one in question(demo, "J03").considered}
    assert reductions["RSK-001"].by == "Dr Dana Moss"
    assert reductions["RSK-001"].answer.startswith("not practicable: the match is checked")

    [review] = question(demo, "J04").considered
    assert (review.record.uid, review.answer) == ("DOC-RMR", "acceptable with conditions")
    assert review.by == "Dr Dana Moss, Nora Vance-Hill"

    [scan] = question(demo, "J07").considered
    assert scan.record.uid == "PRJ-RPM"


def test_an_answer_decides_nothing(demo) -> None:
    before = demo.check()
    demo.change("JDG-001", state="draft", in_force=False)
    after = demo.check()

    assert (before.errors, before.warnings) == (after.errors, after.warnings)


def test_the_json_tells_the_questions(demo) -> None:
    told = {one["code"]: one for one in demo.check().as_json()["questions"]}

    assert told["J01"]["considered"][0]["record"] == "JDG-001"
    assert {"told", "records"} == set(told["J01"]["beside"][0])
    assert told["J06"]["asks"] == "Is the segregation effective in fact?"
