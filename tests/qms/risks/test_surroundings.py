"""The few records loaded for one page give the same levels as the whole project does."""

import pytest
from sqlalchemy import select

from core.qa_controls import ControlWord, QaControl, by_watched
from core.records.models import Record
from core.records.queries import load_snapshot
from core.records.snapshot import Key
from core.verdicts import Verdict, VerdictWord
from qms.releases.scope import releases_of
from qms.risks.policies import policy_in_force
from qms.risks.service import assessments_around
from qms.risks.surroundings import load_surroundings


@pytest.fixture
def session(new_site):
    with new_site().db.reading() as opened:
        yield opened


def test_every_risk_and_requirement_reads_as_it_does_in_the_whole_project(session) -> None:
    whole = load_snapshot(session, ["RPM"])
    policy, _ = policy_in_force(whole, "RPM")
    passed = Verdict(VerdictWord.PASSED, run="1")
    verdicts = {test.key: passed for test in whole.of_type("test", "RPM")}
    watched = frozenset({Key("DEPT", "C023"), Key("RPM", "REQ-003")})
    stopped = QaControl(Key("DEPT", "QA-022"), watched, ControlWord.NOT_EFFECTIVE, "overdue")
    qa = by_watched([stopped])
    records = session.execute(
        select(Record).where(Record.type.in_(("risk", "requirement")))
    ).scalars()
    checked = 0
    for record in records:
        few = load_surroundings(session, record)
        for snapshot in (few, whole):
            assert policy_in_force(snapshot, "RPM")[0] == policy
            assert releases_of(snapshot, "RPM")[0].uid == "REL-0.1.0"
        small, large = (
            assessments_around(one, one.get(record.uid, "RPM"), policy, verdicts, qa)
            for one in (few, whole)
        )
        assert [shown(one) for one in small] == [shown(one) for one in large]
        assert len(few.records) < len(whole.records) / 4
        checked += len(small)
    assert checked > 30


def shown(one):
    """What the panel shows of a risk."""
    return (
        one.risk.key,
        one.before,
        one.after,
        one.reasons,
        [(control.requirement.key, control.kind, control.verified) for control in one.controls],
        [test.key for test, _ in one.effectiveness],
        one.watched_by,
    )
