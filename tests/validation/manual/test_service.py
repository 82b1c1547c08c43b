"""Runs by hand: what may begin, what is recorded, what a signature makes of it."""

import io
import json

import pytest

from core.errors import Conflict, Invalid, NotFound, Refused
from core.ledger.verify import verify_chain
from core.ledger.witness import mismatches
from validation.manual.service import SentFile, steps_of
from validation.runs.integrity import run_faults
from validation.runs.listing import unsigned_of
from validation.runs.plain import run_as_plain
from validation.runs.verdicts import release_verdicts, verdicts


def faults_of(refusal: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(fault.code, fault.where) for fault in refusal.value.faults]


def plain(bench, number: int):
    return bench.department.look(number, run_as_plain)


def test_a_signed_run_passes_its_test_at_the_releases_commit(bench) -> None:
    number = bench.begin()
    bench.record_all(number)
    assert plain(bench, number)["verdict"] == "running"

    bench.sign(number)

    run = plain(bench, number)
    assert (run["verdict"], run["protocol"], run["release"]) == ("passed", "manual", "REL-0.1.0")
    assert run["device"]["tag"] == "v0.1.0"
    assert run["protocol_digest"] == run["tests"][0]["content_digest"]
    assert run["environment"]["tools"] == ["Firefox 128", "Ruler, serial 44"]
    [scenario] = run["scenarios"]
    assert [step["status"] for step in scenario["steps"]] == ["passed"] * 3
    [measured] = scenario["steps"][1]["measurements"]
    assert (measured["name"], measured["actual"], measured["unit"]) == (
        "Read the mean dose", 2.01, "Gy",
    )  # fmt: skip
    with bench.department.db.reading() as session:
        found = release_verdicts(session, "RPM", "REL-0.1.0")
        assert str(found["TST-003"].word) == "passed"
        assert found["TST-003"].detail == "Read the mean dose off by 0.01 Gy, allowed 0.02 Gy"
        assert run_faults(session, bench.store) == []


def test_nothing_of_a_run_counts_before_it_is_signed(bench) -> None:
    number = bench.begin()
    bench.record_all(number)

    with bench.department.db.reading() as session:
        assert verdicts(session, "RPM") == {}
    assert plain(bench, number)["scenarios"] == []


@pytest.mark.parametrize(
    ("measured", "word"), [("2.03", "failed"), ("1.99", "passed"), ("-2e0", "failed")]
)
def test_what_is_measured_is_compared_and_never_judged(bench, measured: str, word: str) -> None:
    number = bench.begin()
    bench.record_all(number, measured)
    bench.sign(number)

    run = plain(bench, number)

    assert (run["verdict"], run["scenarios"][0]["steps"][1]["status"]) == (word, word)


def test_a_blocked_step_keeps_the_test_from_passing(bench) -> None:
    number = bench.begin()
    bench.record(number, 1, outcome="passed")
    bench.record(number, 2, outcome="blocked")
    bench.record(number, 3, outcome="passed")
    bench.sign(number)

    run = plain(bench, number)

    assert (run["verdict"], run["scenarios"][0]["status"]) == ("failed", "blocked")


def test_a_correction_is_a_new_entry_and_the_evidence_shows_the_old_one(bench) -> None:
    number = bench.begin()
    bench.record_all(number, "2.30")
    assert bench.record(number, 2, measured="2.00", observed="Read on the right page.")
    assert not bench.record(number, 2, measured="2.00", observed="Read on the right page.")
    bench.sign(number)

    run = plain(bench, number)

    entries = [one for one in run["events"] if one["kind"] == "entry"]
    assert [one["data"]["step"] for one in entries] == [1, 2, 3, 2]
    [scenario] = run["scenarios"]
    assert (scenario["status"], scenario["flags"]) == ("passed", ["step 2 was corrected"])
    step = scenario["steps"][1]
    assert step["inputs"]["observed"] == "Read on the right page."
    [before] = step["inputs"]["corrected"]
    assert before.endswith("failed, measured 2.3 Gy: As written.")
    kept = json.loads(bench.store.read(scenario["evidence_sha256"]))
    assert kept["steps"][1]["inputs"] == step["inputs"]


def test_files_of_a_step_are_kept_by_their_digest(bench) -> None:
    number = bench.begin()
    photo = SentFile("C:\\photos\\screen.png", "image/png", io.BytesIO(b"a picture"))
    bench.record(number, 1, outcome="passed", files=[photo])
    bench.record(number, 2, measured="2")
    bench.record(number, 3, outcome="passed")
    bench.sign(number)

    [file] = plain(bench, number)["scenarios"][0]["steps"][0]["attachments"]

    assert (file["name"], file["media_type"], file["size"]) == ("screen.png", "image/png", 9)
    assert bench.store.read(file["sha256"]) == b"a picture"


def test_every_fault_of_an_entry_is_told_at_once(bench) -> None:
    number = bench.begin()

    with pytest.raises(Invalid) as judged:
        bench.record(number, 1, observed=" ", measured="2", outcome="perhaps")
    with pytest.raises(Invalid) as unmeasured:
        bench.record(number, 2, observed="", outcome="passed", measured="2,01")
    with pytest.raises(Invalid) as empty:
        bench.record(number, 2)

    assert [where for _, where in faults_of(judged)] == ["observed", "outcome", "measured"]
    assert [where for _, where in faults_of(unmeasured)] == ["observed", "outcome", "measured"]
    assert "as 2.01, or choose blocked" in empty.value.faults[0].mend
    assert plain(bench, number)["events"][1:] == []
    with pytest.raises(NotFound, match="has no step 4; it has 3"):
        bench.record(number, 4, outcome="passed")


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "2 Gy", "0x10", "٢"])
def test_only_a_finite_number_is_measured(bench, value: str) -> None:
    number = bench.begin()

    with pytest.raises(Invalid, match="Nothing was recorded of step 2"):
        bench.record(number, 2, measured=value)


def test_a_run_is_signed_by_its_tester_alone_when_every_step_is_recorded(bench) -> None:
    number = bench.begin()
    bench.record(number, 1, outcome="passed")

    with pytest.raises(Invalid) as missing:
        bench.sign(number)
    assert [where for _, where in faults_of(missing)] == ["step 2", "step 3"]
    bench.record(number, 2, measured="2")
    bench.record(number, 3, outcome="passed")
    with pytest.raises(Refused, match="is executed by Farid Rowe"):
        bench.sign(number, by="PPL-EQ")
    with pytest.raises(Refused, match="another person's"):
        bench.sign(number, password_of="PPL-EQ")
    bench.sign(number)
    with pytest.raises(Conflict, match=f"Run {number} is signed"):
        bench.record(number, 1, outcome="failed")
    with pytest.raises(Conflict, match=f"Run {number} is signed"):
        bench.sign(number)


def test_another_person_records_nothing_in_it(bench) -> None:
    number = bench.begin()

    with pytest.raises(Refused, match="Esther Quill begins a run of their own"):
        bench.record(number, 1, by="PPL-EQ", outcome="passed")


@pytest.mark.parametrize("uid", ["PPL-AK", "PPL-VW"])
def test_who_may_not_execute_begins_nothing(bench, uid: str) -> None:
    with pytest.raises(Refused, match="A run is executed by"):
        bench.begin(by=uid)


def test_a_test_revised_meanwhile_takes_no_more_entries(bench) -> None:
    number = bench.begin()
    bench.record_all(number)
    bench.revise()

    for deed in (lambda: bench.record(number, 1, outcome="passed"), lambda: bench.sign(number)):
        with pytest.raises(Conflict, match=r"TST-003 was revised \(revision 2 is in force\) while"):
            deed()
    bench.give_up(number)

    run = plain(bench, number)
    assert run["verdict"] == "given up"
    [told] = [one for one in run["events"] if one["kind"] == "given up"]
    assert told["text"] == "The room was locked. 3 of 3 steps were recorded."


def test_a_failure_is_signed_and_not_given_up_by_its_tester(bench) -> None:
    number = bench.begin()
    bench.record(number, 2, measured="3")

    with pytest.raises(Conflict, match="a failure is not given up"):
        bench.give_up(number)
    with pytest.raises(Invalid):
        bench.give_up(number, by="PPL-EQ", reason=" ")
    bench.give_up(number, by="PPL-EQ")  # its tester left

    assert "step 2 as failed" in str(plain(bench, number)["events"])


def test_everything_that_keeps_a_run_from_beginning_is_told_at_once(bench) -> None:
    bench.told = {}

    with pytest.raises(Invalid) as refusal:
        bench.begin(test="TST-001", release="REL-9")
    assert faults_of(refusal) == [
        ("test-automated", "TST-001"),
        ("release-unknown", "REL-9"),
        ("not-told", "site"),
        ("not-told", "machine"),
        ("not-told", "tools"),
    ]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"test": "TST-404"}, "test-unknown"),
        ({"test": "REL-0.1.0"}, "test-unknown"),
        ({"test": "TST-004"}, "test-unapproved"),
        ({"test": "TST-005"}, "protocol-empty"),
        ({"test": "TST-005"}, "test-not-of-release"),
        ({"release": "", "tag": "v9"}, "tag-missing"),
        ({"release": ""}, "tag-missing"),
    ],
)
def test_a_run_that_cannot_begin_says_why(bench, asked: dict[str, str], code: str) -> None:
    bench.department.add_test("TST-004", "Not yet", approved=False, method="manual")
    bench.department.add_test("TST-005", "Nothing to do", method="manual")

    with pytest.raises(Invalid) as refusal:
        bench.begin(**asked)

    assert code in [one for one, _ in faults_of(refusal)]


def test_a_run_of_no_release_names_the_tag_it_was_made_at(bench) -> None:
    number = bench.begin(release="", tag="v0.1.0")

    run = plain(bench, number)

    assert (run["release"], run["device"]["tag"]) == (None, "v0.1.0")


def test_a_test_is_executed_by_hand_by_one_person_at_a_time(bench) -> None:
    bench.begin()

    with pytest.raises(Conflict, match="Farid Rowe is executing this test by hand in run 1"):
        bench.begin(by="PPL-EQ", reason="I am faster.")


def test_a_repetition_names_the_run_it_repeats_and_why(bench) -> None:
    first = bench.begin()
    bench.record_all(first, "3")
    bench.sign(first)

    with pytest.raises(Invalid) as refusal:
        bench.begin()
    assert faults_of(refusal) == [("reason-missing", "reason")]
    second = bench.begin(reason="The wrong plan was open.")

    run = plain(bench, second)
    assert (run["predecessor"], run["reason"]) == (first, "The wrong plan was open.")


def test_a_run_by_hand_does_not_stand_in_the_way_of_the_releases_own(bench) -> None:
    bench.begin()

    automated = bench.department.start()

    assert plain(bench, automated)["predecessor"] is None


def test_what_waits_for_its_tester_is_told_to_nobody_else(bench) -> None:
    number = bench.begin()

    def waiting(uid: str) -> list[tuple[int, str]]:
        with bench.department.db.reading() as session:
            own = bench.department.actors[uid].person_id
            found = unsigned_of(session, own, [bench.department.project(session)])
            return [(one.number, one.test) for one in found]

    assert (waiting("PPL-FR"), waiting("PPL-EQ")) == ([(number, "TST-003")], [])
    bench.give_up(number)
    assert waiting("PPL-FR") == []


def test_the_steps_of_a_run_are_those_of_its_start(bench) -> None:
    number = bench.begin()
    bench.revise()

    steps = bench.department.look(number, steps_of)

    assert steps[0].step.text == "Open the report of plan 7."


def test_the_trail_of_a_run_by_hand_is_whole(bench) -> None:
    number = bench.begin()
    bench.record_all(number)
    bench.sign(number)

    with bench.department.db.reading() as session:
        assert verify_chain(session).clean
        assert list(mismatches(session, {})) == []
