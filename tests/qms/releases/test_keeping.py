"""A release check is given again only while everything it looks at is as it was."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.records.suspects import Suspicion
from core.records.types import get_registry
from core.verdicts import NOT_RUN
from qms.releases.keeping import MOST_CHECKED, checked, digest_now, digests_now
from qms.rules.check import check
from qms.rules.facts import BaselineFact, Facts, RuleInput, Tagged
from qms.rules.packs import framework_pack, type_facts

NEED, REQUIREMENT = Key("RPM", "UN-001"), Key("RPM", "REQ-001")
DERIVED = LinkView("derives_from", REQUIREMENT, NEED)


def snapshot(title: str = "A requirement") -> Snapshot:
    records = (
        RecordView(NEED, "user_need", "A need", state="approved", in_force=True),
        RecordView(REQUIREMENT, "requirement", title, state="approved", in_force=True),
    )
    return Snapshot(records, [DERIVED])


@pytest.fixture
def given() -> RuleInput:
    facts = Facts(today=date(2026, 11, 21), types=type_facts(get_registry()))
    return RuleInput(snapshot(), {}, [], facts, "RPM")


def test_an_equal_question_has_the_answer_that_was_given(given: RuleInput) -> None:
    first = checked(given, framework_pack())

    assert checked(replace(given, facts=replace(given.facts)), framework_pack()) is first
    assert first == check(given, framework_pack())


@pytest.mark.parametrize(
    "changed",
    [
        lambda given: replace(given, snapshot=snapshot("Another")),
        lambda given: replace(given, verdicts={"TST-001": NOT_RUN}),
        lambda given: replace(
            given, suspects=[Suspicion(REQUIREMENT, NEED, "derives_from", 1, DERIVED)]
        ),
        lambda given: replace(
            given, facts=replace(given.facts, today=given.facts.today + timedelta(days=1))
        ),
        lambda given: replace(given, facts=replace(given.facts, tagged=Tagged("3f2c1a9"))),
        lambda given: replace(
            given, facts=replace(given.facts, baseline=BaselineFact("f00d", False, (NEED,)))
        ),
        lambda given: replace(given, facts=replace(given.facts, content_digests={NEED: "0"})),
    ],
    ids=["records", "verdicts", "suspects", "today", "tag", "baseline", "digests"],
)
def test_whatever_a_check_looks_at_makes_it_ask_again(given: RuleInput, changed) -> None:
    first = checked(given, framework_pack())
    other = changed(given)

    again = checked(other, framework_pack())

    assert again is not first
    assert again == check(other, framework_pack())


def test_every_release_of_a_home_page_is_kept(given: RuleInput) -> None:
    asked = [replace(given, release=Key("RPM", f"REL-{n}")) for n in range(MOST_CHECKED)]
    first = [checked(one, framework_pack(), "runs") for one in asked]

    again = [checked(one, framework_pack(), "runs") for one in asked]

    assert all(one is other for one, other in zip(first, again, strict=True))


def test_a_digest_is_computed_again_for_what_is_another_value() -> None:
    before, after = snapshot(), snapshot("Edited behind the audit trail's back")
    first = digests_now(before, "RPM")

    found = digests_now(after, "RPM")

    assert digests_now(before, "RPM") == first
    assert found[NEED] == first[NEED]
    assert found[REQUIREMENT] != first[REQUIREMENT]
    assert found[REQUIREMENT] == digest_now(after.records[REQUIREMENT], (DERIVED,))


def test_a_digest_follows_the_links_too() -> None:
    whole = snapshot()
    bare = Snapshot(whole.records.values(), [])
    first = digests_now(whole, "RPM")

    assert digests_now(bare, "RPM")[REQUIREMENT] != first[REQUIREMENT]
