"""The pages of runs, as a browser gets them."""

import json
import re

import pytest

from core.records import service as records
from tests.core.conftest import PASSWORD
from tests.validation.runs.conftest import Department, fill
from tests.validation.runs.devices import FEATURE, adding_device
from validation.runs.plain import run_as_plain
from validation.runs.service import find_run


def words_of(response) -> str:
    """Return a page's text as it is read."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", response.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def post(department: Department, uid: str, path: str, **fields: str):
    browser = department.browser(uid)
    return browser.post(path, data={"csrf_token": f"csrf-{uid}", **fields})


def test_an_empty_list_says_so_and_offers_the_form_to_those_who_may(department):
    page = department.browser("PPL-FR").get("/p/RPM/runs")

    assert page.status_code == 200
    assert "every test reads not run" in words_of(page)
    assert 'value="REL-0.1.0"' in page.text
    viewer = department.browser("PPL-VW").get("/p/RPM/runs")
    assert "Start a run" not in viewer.text
    assert "is started by a tester" in words_of(viewer)


def test_starting_leads_to_a_page_that_keeps_itself_up_to_date_until_the_run_ends(department):
    answer = post(department, "PPL-FR", "/p/RPM/runs", release="REL-0.1.0")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/p/RPM/runs/1"
    browser = department.browser("PPL-FR")

    waiting = browser.get("/p/RPM/runs/1")
    assert 'hx-get="/p/RPM/runs/1/progress" hx-trigger="every 2s"' in waiting.text
    assert "Waiting for a worker" in words_of(waiting)

    assert department.work() == "done"
    part = browser.get("/p/RPM/runs/1/progress")
    assert "hx-trigger" not in part.text
    assert "<html" not in part.text
    assert "2 of 2 scenarios passed, 2 values measured, 0 out of bounds" in words_of(part)


def test_a_run_shows_expected_beside_actual_and_everything_it_was_executed_with(executed):
    page = executed.browser("PPL-VW").get("/p/RPM/runs/1")

    words = words_of(page)
    assert page.status_code == 200
    assert "3.0 ± 0.5 Gy" in words
    assert "Given the numbers 1 and 2" in words
    assert "numbers: [1.0, 2.0]" in words
    assert "numbers.txt" in words
    assert "Farid Rowe, validation tester" in words
    assert "TST-001 Two numbers are added" in words
    assert "Esther Quill" in words
    run = executed.look(1, run_as_plain)
    for digest in ("protocol_digest", "environment_digest"):
        assert run[digest] in page.text
    assert "There is no earlier run of this protocol." in words
    assert "Note a deviation" not in words
    assert "Run again" not in words


def test_failures_come_first_and_open_with_what_differs_from_the_run_before(department):
    department.execute()
    wrong = FEATURE.replace("sum is 3.25 within", "sum is 4 within")
    department.device.write({"features/adding.feature": wrong})
    department.device.commit("v0.2.0")
    department.scan()
    department.add_release("REL-0.2.0", "v0.2.0", ["TST-001", "TST-002"])
    department.execute(release="REL-0.2.0")

    page = department.browser("PPL-FR").get("/p/RPM/runs/2")

    text = page.text
    assert text.index('id="scenario-1"') < text.index('id="scenario-0"')
    assert re.search(r'id="scenario-1"[^>]* open>', text)
    words = words_of(page)
    assert "What differs from run 1" in words
    assert "Tag: v0.1.0 before, now v0.2.0." in words
    assert "TST-002: passed before, now failed." in words
    assert "expected 4.0 Gy within 0.0 Gy" in words


def test_the_list_shows_every_run_the_latest_first(with_run):
    with_run.execute(reason="The reviewer asked for it.")

    words = words_of(with_run.browser("PPL-VW").get("/p/RPM/runs"))

    assert words.index("2 of 2") < words.index("The reviewer asked for it.")
    assert "run 1 The reviewer asked for it." in words


@pytest.mark.parametrize("uid", ["PPL-VW", "PPL-AK"])
def test_who_may_not_start_a_run_is_refused(department, uid):
    answer = post(department, uid, "/p/RPM/runs", release="REL-0.1.0")

    assert answer.status_code == 403
    with department.db.reading() as session, pytest.raises(Exception, match="no run 1"):
        find_run(session, department.project(session), 1)


def test_a_refused_form_keeps_what_was_typed_and_names_every_fault(with_run):
    answer = post(with_run, "PPL-FR", "/p/RPM/runs", release="REL-0.1.0", predecessor="7")

    assert answer.status_code == 422
    words = words_of(answer)
    assert "The run was not started" in words
    assert "run 7 : is not what is repeated here." in words
    assert 'value="REL-0.1.0" selected' in answer.text


def test_a_form_of_another_site_is_refused(department):
    answer = department.browser("PPL-FR").post("/p/RPM/runs", data={"release": "REL-0.1.0"})

    assert answer.status_code == 403


def test_a_deviation_is_noted_and_an_incomplete_one_comes_back(with_run):
    at = "/p/RPM/runs/1/deviations"

    lamp = {"what": "The lamp went out.", "effect": "None.", "disposition": "Accepted."}
    refused = post(with_run, "PPL-FR", at, what=lamp["what"], password=PASSWORD)
    assert refused.status_code == 422
    assert "The lamp went out." in refused.text
    assert PASSWORD not in refused.text
    unproven = post(with_run, "PPL-FR", at, **lamp, password="a guess at it")
    assert unproven.status_code == 401
    assert "The lamp went out." in unproven.text
    assert "That is not your password; nothing was signed." in words_of(unproven)
    noted = post(with_run, "PPL-FR", at, **lamp, password=PASSWORD)
    assert noted.status_code == 303
    assert post(with_run, "PPL-VW", at, **lamp, password=PASSWORD).status_code == 403

    words = words_of(with_run.browser("PPL-VW").get("/p/RPM/runs/1"))
    assert "deviation The lamp went out. Effect: None. Decided: Accepted." in words
    assert "Signed as validation tester" in words


def test_a_refused_run_shows_every_fault(empty_department, tmp_path):
    feature = FEATURE.replace("@TST-002", "@TST-009")
    fill(empty_department, adding_device(tmp_path, feature=feature))
    empty_department.execute()

    words = words_of(empty_department.browser("PPL-VW").get("/p/RPM/runs/1"))

    assert "refused" in words
    assert "TST-002: no scenario of the repository" in words
    assert "No scenario was executed." in words


def test_all_of_a_run_is_there_as_json_and_its_values_as_a_table(executed):
    browser = executed.browser("PPL-VW")

    assert browser.get("/p/RPM/runs/1.json").json() == json.loads(
        json.dumps(executed.look(1, run_as_plain))
    )
    table = browser.get("/p/RPM/runs/1/export/csv").text.splitlines()
    assert table[0].endswith("Started (UTC),Ended (UTC)")
    assert len(table) == 1 + 6
    assert sum("sum,within,3.0,0.5,3.0,Gy,passed" in line for line in table) == 1
    assert browser.get("/p/RPM/runs/export/csv").text.splitlines()[1].startswith("1,passed,")
    assert browser.get("/p/RPM/runs/export/doc").status_code == 422


def test_only_files_of_the_run_are_given_and_none_of_them_is_executed(executed):
    browser = executed.browser("PPL-VW")
    [file] = executed.look(1, run_as_plain)["scenarios"][0]["steps"][1]["attachments"]

    given = browser.get(f"/p/RPM/runs/1/files/{file['sha256']}")

    assert given.content == b"[1.0, 2.0]"
    assert given.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in given.headers["content-security-policy"]
    for other in ("0" * 64, "..%2f..%2ffiducial.db", "x"):
        assert browser.get(f"/p/RPM/runs/1/files/{other}").status_code == 404


@pytest.mark.parametrize("path", ["", "/1", "/1.json", "/1/progress", "/1/export/csv"])
def test_runs_of_another_project_are_not_shown(executed, path):
    with executed.db.writing() as session:
        if not session.execute(records.select(records.Project)).scalars().all()[1:]:
            records.create_project(session, "DEPT", "Department", None)
    browser = executed.browser("PPL-FR")

    assert browser.get(f"/p/DEPT/runs{path}").status_code == 404
    assert browser.get(f"/p/RPM/runs{path}").status_code == 200


def test_an_unknown_run_is_said(executed):
    answer = executed.browser("PPL-FR").get("/p/RPM/runs/99")

    assert answer.status_code == 404
    assert "RPM has no run 99." in answer.text
