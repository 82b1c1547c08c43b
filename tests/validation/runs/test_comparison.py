"""What differs between two runs, sentence by sentence."""

import copy

from validation.runs.comparison import differences


def run() -> dict:
    return {
        "tester": {"name": "Farid Rowe"},
        "device": {
            "repository": "rpm",
            "tag": "v0.1.0",
            "commit": "3f2c1a9" + "0" * 33,
            "clean": True,
            "manifest_digest": "a" * 64,
        },
        "protocol_digest": "b" * 64,
        "engine": {"version": "0.1.0", "digest": "c" * 64},
        "environment": {
            "machine": "bench",
            "os": "Debian",
            "python": "3.11.2",
            "lock_digest": "d" * 64,
            "packages": {"numpy": "2.4.6", "scipy": "1.17.1"},
            "models": {},
        },
        "data": [],
        "tests": [{"uid": "TST-004", "revision": 2}, {"uid": "TST-005", "revision": 1}],
        "scenarios": [
            {
                "test": "TST-004",
                "title": "Doses add",
                "feature": "features/a.feature",
                "example": {"spacing": "2"},
                "status": "passed",
                "steps": [
                    {
                        "measurements": [
                            {
                                "name": "Dmean",
                                "actual": 45.88,
                                "expected": 45.88,
                                "tolerance": 0.02,
                                "unit": "Gy",
                            }
                        ]
                    }
                ],
            }
        ],
    }


def test_a_rerun_that_repeats_everything_differs_in_nothing():
    assert differences(run(), run()) == []


def test_every_difference_is_a_sentence():
    before, after = run(), run()
    after["tester"]["name"] = "Ben Tarrant"
    after["device"].update(commit="4" * 40, clean=False)
    after["protocol_digest"] = "e" * 64
    after["environment"]["python"] = "3.11.9"
    after["environment"]["packages"] = {"numpy": "2.5.0", "shapely": "2.2.0"}
    after["data"] = [{"path": "dose.dcm", "sha256": "f" * 64}]
    after["tests"] = [{"uid": "TST-004", "revision": 3}, {"uid": "TST-006", "revision": 1}]
    scenario = after["scenarios"][0]
    scenario["status"] = "failed"
    scenario["steps"][0]["measurements"][0].update(actual=45.93, tolerance=0.01)
    after["scenarios"].append({**copy.deepcopy(scenario), "title": "New", "example": {}})

    assert differences(before, after) == [
        "Tester: Farid Rowe before, now Ben Tarrant.",
        "Commit: 3f2c1a900000 before, now 444444444444.",
        "The working folder was changed while it was used.",
        "Protocol: bbbbbbbbbbbb before, now eeeeeeeeeeee.",
        "Data: 0 files before, 1 now; not the same.",
        "Python: 3.11.2 before, now 3.11.9.",
        "Package numpy was 2.4.6, now 2.5.0.",
        "Package scipy 1.17.1 is gone.",
        "Package shapely 2.2.0 is new.",
        "TST-004 was revision 2, now 3.",
        "TST-005 is no longer part of the run.",
        "TST-006 is new in the run.",
        "TST-004 (spacing 2): passed before, now failed.",
        "TST-004 (spacing 2): Dmean was 45.88 Gy, now 45.93 Gy.",
        "TST-004 (spacing 2): Dmean was expected to be 45.88 within 0.02 Gy, "
        "now 45.88 within 0.01 Gy.",
        "TST-004: not executed before, now failed.",
    ]


def test_a_scenario_that_is_gone_and_measurements_that_do_not_pair_up_are_said():
    before, after = run(), run()
    before["scenarios"].append({**copy.deepcopy(before["scenarios"][0]), "title": "Gone"})
    after["scenarios"][0]["steps"][0]["measurements"] = []

    assert differences(before, after) == [
        "TST-004 (spacing 2): 1 values measured before, 0 now; not the same ones.",
        "TST-004 (spacing 2): passed before, not executed now.",
    ]
