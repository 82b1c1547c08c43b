"""The latest verdict per test, asked of a real database."""

import pytest

from core.verdicts import VerdictWord
from tests.validation.runs.conftest import fill
from tests.validation.runs.devices import FEATURE, adding_device
from validation.runs.facts import runs_of_tests
from validation.runs.verdicts import release_verdicts, verdicts


@pytest.mark.database
def test_a_test_reads_not_run_until_a_whole_run_says_otherwise(department):
    with department.db.reading() as session:
        assert verdicts(session, "RPM") == {}

    department.start()
    with department.db.reading() as session:
        assert verdicts(session, "RPM") == {}
        assert runs_of_tests(session, "RPM") == []


@pytest.mark.database
def test_passed_on_the_release_commit_failed_after_a_rerun_and_older_on_the_next_commit(
    department,
):
    first = department.execute()
    commit = department.device.repository.head.commit.hexsha

    with department.db.reading() as session:
        found = release_verdicts(session, "RPM", "REL-0.1.0")
        assert {uid: verdict.word for uid, verdict in found.items()} == {
            "TST-001": VerdictWord.PASSED,
            "TST-002": VerdictWord.PASSED,
        }
        assert found["TST-001"].commit == commit
        assert found["TST-001"].run == str(first)
        assert found["TST-001"].address == "/p/RPM/runs/1"
        assert found["TST-001"].detail == "sum off by 0 Gy, allowed 0.5 Gy"
        assert found["TST-001"].revision == 1
        assert verdicts(session, "RPM", "0" * 40)["TST-001"].word is VerdictWord.OLDER_COMMIT

    wrong = FEATURE.replace("sum is 3 within", "sum is 4 within")
    department.device.write({"features/adding.feature": wrong})
    department.device.commit("v0.2.0")
    department.scan()
    department.add_release("REL-0.2.0", "v0.2.0", ["TST-001", "TST-002"])
    department.execute(release="REL-0.2.0")

    with department.db.reading() as session:
        new = release_verdicts(session, "RPM", "REL-0.2.0")
        assert new["TST-001"].word is VerdictWord.FAILED
        assert new["TST-001"].detail == "sum off by 1 Gy, allowed 0.5 Gy"
        assert new["TST-002"].word is VerdictWord.PASSED
        assert release_verdicts(session, "RPM", "REL-0.1.0")["TST-001"].passed
        assert release_verdicts(session, "RPM")["TST-001"].word is VerdictWord.FAILED
        assert release_verdicts(session, "RPM", "REL-9")["TST-001"].word is (
            VerdictWord.OLDER_COMMIT
        )
        outcomes = [(one.test, one.run, one.outcome) for one in runs_of_tests(session, "RPM")]
    assert outcomes == [
        ("TST-001", "1", "passed"),
        ("TST-002", "1", "passed"),
        ("TST-001", "2", "failed"),
        ("TST-002", "2", "passed"),
    ]


def test_a_refused_run_says_nothing_about_a_test(empty_department, tmp_path):
    feature = FEATURE.replace("@TST-002", "@TST-009")
    fill(empty_department, adding_device(tmp_path, feature=feature))
    empty_department.execute()

    with empty_department.db.reading() as session:
        assert verdicts(session, "RPM") == {}


def test_the_release_check_sees_tools_environment_tester_and_figures(executed):
    with executed.db.reading() as session:
        first = runs_of_tests(session, "RPM")[0]

    assert first.tester == "PPL-FR"
    assert first.version == "v0.1.0"
    assert first.anomalies == "none"
    assert len(first.environment) == 64
    assert [tool.rpartition(" ")[0] for tool in first.tools] == [
        "Fiducial", "pytest", "pytest-bdd", "Python",
    ]  # fmt: skip
    [measured] = first.measured
    assert (measured.expected, measured.tolerance, measured.actual) == ("3.0", "0.5", "3.0")
    assert first.ended_at is not None
    assert first.started_at < first.ended_at
