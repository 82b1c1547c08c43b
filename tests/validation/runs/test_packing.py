"""A recorded run in the shape of a pack."""

import json

from core.canonical import canonical_json
from validation.pack.evidence import Run
from validation.runs.packing import evidence_files, pack_deviations, pack_not_run, pack_run
from validation.runs.plain import run_as_plain


def test_a_run_goes_into_the_pack_with_expected_beside_actual(executed):
    plain = executed.look(1, run_as_plain)

    run = pack_run(plain)

    assert isinstance(run, Run)
    assert (run.number, run.state, run.clean) == ("1", "passed", True)
    assert run.tester == "Farid Rowe"
    assert "2 tests approved by Esther Quill" in run.protocol_approved
    first = run.scenarios[0]
    assert (first.test, first.test_revision, first.state) == ("TST-001", 1, "passed")
    measured = first.steps[2].measurements[0]
    assert (measured.expected, measured.actual, measured.tolerance) == (3, 3, 0.5)
    assert first.steps[0].inputs[0].name == "numbers"
    assert first.steps[1].attachments[0].media_type == "text/plain"
    assert any(fact.label == "Package lock SHA-256" and fact.value for fact in run.environment)
    assert pack_deviations(plain) == ()
    assert pack_not_run(plain) == ()


def test_plain_values_have_a_canonical_form_and_name_every_file(executed):
    plain = executed.look(1, run_as_plain)

    assert json.loads(canonical_json(plain)) == plain
    files = evidence_files(plain)
    assert sorted(files.values()).count("application/jsonl") == 2
    assert all(len(sha256) == 64 for sha256 in files)


def test_a_failed_or_stopped_run_and_its_deviations_stay_in_the_pack(executed):
    plain = executed.look(1, run_as_plain)
    plain["verdict"] = "failed"
    plain["events"] = [
        {
            "at": plain["started_at"],
            "kind": kind,
            "scenario": "",
            "text": kind,
            "by": "",
            "data": {},
        }
        for kind in ("interrupted", "changed", "deviation")
    ]
    plain["events"][2]["data"] = {"effect": "None.", "disposition": "Accepted."}
    plain["tests"][1]["verdict"] = "not run"

    assert pack_run(plain).state == "failed"
    assert pack_run({**plain, "verdict": "stopped"}).state == "interrupted"
    deviations = pack_deviations(plain)
    assert [one.what for one in deviations] == ["interrupted", "changed", "deviation"]
    assert (deviations[2].effect, deviations[2].disposition) == ("None.", "Accepted.")
    assert [one.uid for one in pack_not_run(plain)] == ["TST-002"]
