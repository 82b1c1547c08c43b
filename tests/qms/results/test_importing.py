"""Results come in whole or not at all, by command, by program and by page."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from git import Actor, Repo
from sqlalchemy import func, select
from sqlmodel import Session
from typer.testing import CliRunner

from app.cli import cli
from core.blobs import Blob, BlobStore
from core.clock import now
from core.errors import Invalid, Refused
from core.ledger.models import LedgerEntry
from core.records.content import Content, LinkDraft
from core.records.panels import Panel
from core.records.service import create_record, find_project
from core.settings import Settings, get_settings
from core.web.pages import environment
from qms.releases.service import release_check
from qms.repositories.scanning import scan_repository
from qms.repositories.service import register
from qms.results import service
from qms.results.api.routes import router as api
from qms.results.arriving import Sent, read_all, wanted_files, with_files
from qms.results.judging import Standing
from qms.results.listing import cases_of, find_import, imports_of
from qms.results.models import ResultCase, ResultImport
from qms.results.naming import Names
from qms.results.panels import results_panel
from qms.results.queries import imported_results, newest_lines
from qms.results.routes import router as pages
from tests.conftest import TEST_DATABASE, Office

ONE, TWO = "1" * 40, "2" * 40


def report(**cases: str) -> bytes:
    """Return JUnit XML of cases: the id that each states, and what lies in it."""
    inside = "".join(
        f'<testcase name="{name}"><properties><property name="verifies" value="{uid}"/>'
        f"</properties>{rest}</testcase>"
        for name, (uid, _, rest) in ((name, told.partition(" ")) for name, told in cases.items())
    )
    return f'<testsuite name="unit" tests="{len(cases)}">{inside}</testsuite>'.encode()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def tested(office: Office) -> Office:
    """Two tests and a release at the first commit."""
    with office.writing() as session:
        project, by = office.project(session), office.staff["PPL-AK"]
        for uid in ("TST-001", "TST-002"):
            create_record(session, project, "test", Content(title=uid), by, uid=uid)
        fields = {"version": "1.0.0", "commit": ONE}
        create_record(
            session, project, "release", Content(title="One", fields=fields), by, uid="REL-1"
        )
    return office


def send(
    office: Office,
    store: BlobStore,
    commit: str,
    *files: Sent,
    uid: str = "PPL-AK",
    ran: service.Ran = service.AS_EVER,
    **cases: str,
) -> service.Kept:
    sent = [Sent("unit.xml", report(**cases))]
    with office.writing() as session:
        return service.import_results(
            session, store, office.project(session), with_files(read_all(sent), files), commit,
            office.staff[uid], service.PROGRAM, ran,
        )  # fmt: skip


def standings(office: Office, release: str | None = None) -> dict[str, Standing]:
    with office.reading() as session:
        found = imported_results(session, "RPM", release)
    return {uid: one.standing for uid, one in found.items()}


def counted(session: Session, table: type) -> int:
    return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_import_is_kept_with_its_report_and_a_line_of_the_audit_trail(
    tested: Office, store: BlobStore
) -> None:
    kept = send(tested, store, ONE, a="TST-001", b="TST-002 <failure message='off by 2'/>")

    assert (kept.number, kept.named, kept.findings) == (1, ("TST-001", "TST-002"), ())
    with tested.reading() as session:
        project = tested.project(session)
        line = find_import(session, project, 1)
        [first, second] = cases_of(session, project, 1)
        last = session.execute(
            select(LedgerEntry.action, LedgerEntry.data).order_by(LedgerEntry.seq.desc()).limit(1)
        ).one()
    assert (line.cases, line.worst, line.via) == (2, "failed", "program")
    assert (first.label, first.named) == ("a", ("TST-001",))
    assert (second.outcome, second.message, second.place) == ("failed", "off by 2", "unit.xml:1")
    told = json.loads(last.data)
    assert last.action == "results:report:import"
    assert told["counts"] == {"failed": 1, "passed": 1}
    [digest] = told["reports"].values()
    assert store.read(digest, verify=True).startswith(b"<testsuite")


def test_results_of_the_release_count_for_it_and_those_of_another_commit_are_stale(
    tested: Office, store: BlobStore
) -> None:
    send(tested, store, TWO, a="TST-001", b="TST-002")
    before = standings(tested, "REL-1")

    send(tested, store, ONE, a="TST-001")

    assert before == {"TST-001": Standing.STALE, "TST-002": Standing.STALE}
    assert standings(tested, "REL-1") == {
        "TST-001": Standing.PASSED,
        "TST-002": Standing.MISSING,
    }
    assert standings(tested) == {"TST-001": Standing.PASSED, "TST-002": Standing.MISSING}


def test_what_the_newest_commit_names_no_more_is_missing(tested: Office, store: BlobStore) -> None:
    send(tested, store, ONE, a="TST-001", b="TST-002")
    send(tested, store, TWO, b="TST-002")

    assert standings(tested) == {"TST-001": Standing.MISSING, "TST-002": Standing.PASSED}


def test_an_older_commit_that_comes_in_late_takes_no_failure_back(
    installed: Office, store: BlobStore, tmp_path: Path
) -> None:
    older, newer = two_commits(installed, tmp_path)
    send(installed, store, newer, a="TST-001 <failure/>")
    send(installed, store, older, a="TST-001")

    assert standings(installed) == {"TST-001": Standing.FAILED}
    with installed.reading() as session:
        (line,) = newest_lines(session, "RPM")
    assert (line.newest, line.repository) == (newer, "device")


def test_a_commit_that_no_repository_holds_counts_beside_those_of_repositories(
    installed: Office, store: BlobStore, tmp_path: Path
) -> None:
    _, newer = two_commits(installed, tmp_path)
    send(installed, store, newer, a="TST-001 <failure/>")
    send(installed, store, ONE, a="TST-001", b="TST-002")

    assert standings(installed) == {"TST-001": Standing.FAILED, "TST-002": Standing.PASSED}


def two_commits(office: Office, folder: Path) -> tuple[str, str]:
    """Scan a repository in which the second commit is dated before the first."""
    source = Repo.init(folder / "device", initial_branch="trunk")
    made = []
    for count, second in enumerate((1_700_000_900, 1_700_000_000)):
        moment = f"{second} +0000"
        author = Actor("Amara Kole", "ak@example.org")
        made.append(
            source.index.commit(
                f"Change {count}", author=author, committer=author,
                author_date=moment, commit_date=moment,
            ).hexsha
        )  # fmt: skip
    settings = Settings(data_dir=folder, repository_sources=[str(folder)])
    by = office.staff["PPL-AK"]
    with office.writing() as session:
        address = str(folder / "device")
        one = register(
            session, office.project(session), address, by, name="device", settings=settings
        )
        number = one.id or 0
    scan_repository(office.database, settings, number, by)
    return made[0], made[1]


def test_what_failed_in_one_environment_is_not_mended_by_another(
    tested: Office, store: BlobStore
) -> None:
    old, new = service.Ran("py3.10"), service.Ran("py3.11")
    send(tested, store, ONE, ran=old, a="TST-001 <failure message='boom'/>")
    send(tested, store, ONE, ran=new, a="TST-001")
    before = standings(tested, "REL-1")

    kept = send(tested, store, ONE, ran=service.Ran("py3.10", rerun=True), a="TST-001")

    assert before == {"TST-001": Standing.FAILED}
    assert standings(tested, "REL-1") == standings(tested) == {"TST-001": Standing.PASSED}
    assert kept.findings == ()


def test_a_second_import_of_a_commit_mends_nothing_unless_it_is_a_rerun(
    tested: Office, store: BlobStore
) -> None:
    send(tested, store, ONE, a="TST-001 <failure/>")
    send(tested, store, ONE, a="TST-001")

    assert standings(tested) == {"TST-001": Standing.FAILED}


def test_a_rerun_of_nothing_is_told_and_a_long_environment_refused(
    tested: Office, store: BlobStore
) -> None:
    kept = send(tested, store, ONE, ran=service.Ran("py3.10", rerun=True), a="TST-001")

    assert [one.code for one in kept.findings] == ["TR619"]
    with pytest.raises(Invalid):
        send(tested, store, ONE, ran=service.Ran("x" * 61), a="TST-001")


def test_a_later_commit_says_nothing_of_the_release(tested: Office, store: BlobStore) -> None:
    send(tested, store, ONE, a="TST-001")
    send(tested, store, TWO, a="TST-001 <error/>")

    assert standings(tested, "REL-1") == {"TST-001": Standing.PASSED}
    assert standings(tested) == {"TST-001": Standing.ERROR}


def test_an_id_that_no_record_has_is_told_with_the_one_that_is_meant(
    tested: Office, store: BlobStore
) -> None:
    kept = send(tested, store, ONE, a="TST-0001")

    assert [(one.code, one.mend) for one in kept.findings] == [
        ("TR610", "Did you mean TST-001?"),
        (
            "TR613",
            'Name them: record_property("verifies", "REQ-1"), a tag, or the name of the test.',
        ),
    ]
    assert str(kept.findings[0].place) == "unit.xml:1"


def test_a_record_of_another_project_is_told_and_credits_none_of_ours(
    tested: Office, store: BlobStore
) -> None:
    kept = send(tested, store, ONE, a="DEPT/TST-001", b="RPM/TST-002")

    assert kept.named == ("TST-002",)
    assert [(one.code, one.what) for one in kept.findings] == [
        ("TR618", "DEPT/TST-001 is no record of RPM; it counts for none here.")
    ]
    assert standings(tested) == {"TST-002": Standing.PASSED}


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("TST-001 dose", ("TST-001",)),
        ("test_TST_001_dose[2]", ("TST-001",)),
        ("TST-001.volumes", ("TST-001",)),
        ("TST-001-2 dose", ("TST-001-2",)),
        ("test_TST_001_2", ("TST-001-2",)),
        ("TST-001.7", ()),
        ("TST-001-3", ()),
        ("C001_works", ("C001",)),
        ("test_UN_00A", ("UN-00A",)),
        ("MAIN is no id", ()),
    ],
)
def test_a_name_is_held_against_the_ids_of_the_project_the_longest_first(
    name: str, named: tuple[str, ...]
) -> None:
    uids = ("TST-001", "TST-001-2", "C001", "UN-00A", "MAIN")
    names = Names("RPM", uids, ("DEPT",))
    (read,) = read_all(
        [Sent("a.xml", f'<testsuite><testcase name="{name}"/></testsuite>'.encode())]
    )
    (case,) = read[0].cases

    assert tuple(one.uid for one in names.of(case)) == named
    ends = [one.what for one in names.findings.values()]
    assert ends == (
        [f"{name} begins with TST-001, and RPM has no such record."]
        if name in ("TST-001.7", "TST-001-3")
        else []
    )


def test_tags_and_markers_name_any_record_of_the_project_and_nothing_else() -> None:
    properties = "".join(
        f'<property name="{name}" value="{value}"/>'
        for name, value in {
            "marker": "verifies('C001', why='UN-00A')", "tag": "slow", "tags": "RPM/C002 OFF-9",
        }.items()
    )  # fmt: skip
    case = f"<testcase name='DEPT/C001'><properties>{properties}</properties></testcase>"
    (read,) = read_all([Sent("a.xml", f"<testsuite>{case}</testsuite>".encode())])
    names = Names("RPM", ("C001", "C002", "UN-00A"), ("DEPT",))

    found = {one.uid: one.stated for one in names.of(read[0].cases[0])}

    assert found == {"OFF-9": True, "C001": True, "UN-00A": True, "C002": True}
    assert [one.code for one in names.findings.values()] == ["TR618"]


def test_more_findings_than_anybody_reads_are_counted(
    tested: Office, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_TOLD", 3)

    kept = send(tested, store, ONE, **{f"case{n}": f"REQ-{n}" for n in range(9)})

    assert [one.code for one in kept.findings] == ["TR610", "TR610", "TR610", "TR615"]
    assert kept.findings[-1].what == "7 more findings are not listed."


def test_files_of_a_case_are_kept_by_their_digest_and_a_climbing_path_is_named(
    tested: Office, store: BlobStore
) -> None:
    out = "<system-out>[[ATTACHMENT|out/dvh.png]] [[ATTACHMENT|../../etc/passwd]]</system-out>"
    kept = send(tested, store, ONE, Sent("dvh.png", b"picture"), a=f"TST-001 {out}")

    assert [one.code for one in kept.findings] == ["TR611"]
    assert kept.findings[0].what == (
        "a names the file ../../etc/passwd, which lies outside its folder."
    )
    with tested.reading() as session:
        [case] = cases_of(session, tested.project(session), 1)
    [(name, digest)] = case.files
    assert (name, store.read(digest)) == ("dvh.png", b"picture")


def test_all_faults_of_all_files_are_told_at_once() -> None:
    sent = [
        Sent("../up.xml", b"<testsuite/>"),
        Sent("bomb.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite/>'),
        Sent("twice.xml", b"<testsuite/>"),
        Sent("twice.xml", b"<testsuite>"),
    ]

    with pytest.raises(Invalid) as caught:
        read_all(sent)

    assert [fault.code for fault in caught.value.faults] == ["TR611", "TR603", "TR614", "TR604"]


def test_reports_that_name_too_much_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qms.results.arriving.MOST_NAMINGS", 3)
    sent = [Sent(f"{n}.xml", report(a="TST-001", b="TST-002")) for n in range(2)]

    with pytest.raises(Invalid) as caught:
        read_all(sent)

    assert [fault.code for fault in caught.value.faults] == ["TR602"]


def test_wanted_files_leave_out_what_climbs() -> None:
    out = "<system-out>[[ATTACHMENT|a/b.txt]][[ATTACHMENT|/etc/passwd]]</system-out>"
    read = read_all([Sent("one.xml", report(a=f"TST-001 {out}"))])

    assert wanted_files(one for one, _ in read) == ("a/b.txt",)


@pytest.mark.parametrize("commit", ["", "abc123", "HEAD", "--upload-pack=x", "g" * 40])
def test_only_a_full_commit_is_one(tested: Office, store: BlobStore, commit: str) -> None:
    with pytest.raises(Invalid):
        send(tested, store, commit, a="TST-001")

    with tested.reading() as session:
        assert counted(session, ResultImport) == counted(session, Blob) == 0


def test_who_only_reads_imports_nothing(tested: Office, store: BlobStore) -> None:
    with pytest.raises(Refused):
        send(tested, store, ONE, uid="PPL-VW", a="TST-001")


@pytest.fixture
def installed(tested: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(tmp_path))
    if TEST_DATABASE:
        monkeypatch.setenv("FIDUCIAL_DATABASE_URL", TEST_DATABASE)
    get_settings.cache_clear()
    yield tested
    get_settings.cache_clear()


def test_the_page_of_what_rests_on_a_failing_test_says_so(tested: Office, store: BlobStore) -> None:
    with tested.writing() as session:
        project, by = tested.project(session), tested.staff["PPL-AK"]
        content = Content(title="A requirement")
        create_record(session, project, "requirement", content, by, uid="REQ-001")
        verifying = Content(title="t", links=(LinkDraft("verifies", "REQ-001"),))
        create_record(session, project, "test", verifying, by, uid="TST-003")
    before = shown_panel(tested, "REQ-001")
    send(tested, store, ONE, a="TST-003 <failure message='off by 2'/>", b="TST-001")

    after = shown_panel(tested, "REQ-001")

    assert before is None
    assert after is not None
    assert after.title == "Imported results: not verified"
    [bearing] = after.context["bearing"]
    assert bearing.sentence == ("TST-003 is not verified: imported results 1: a failed: off by 2.")
    drawn = environment().get_template(after.template).render(after.context)
    assert "imported results 1: a failed: off by 2" in drawn
    assert "/p/RPM/TST-003" in drawn
    assert shown_panel(tested, "TST-001").title == "Imported results: passed"
    assert shown_panel(tested, "REL-1") is None


def shown_panel(office: Office, uid: str) -> Panel | None:
    with office.reading() as session:
        return results_panel(session, office.project(session), office.record(session, uid))


def fiducial(*arguments: object):
    fixed = ["results", "import", "--project", "RPM", "--as", "PPL-AK"]
    return CliRunner().invoke(cli, [*fixed, *map(str, arguments)])


def test_the_command_imports_reports_with_the_files_of_a_folder(
    installed: Office, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dvh.png").write_bytes(b"picture")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "out" / "leak.txt").symlink_to(tmp_path / "secret.txt")
    out = "<system-out>[[ATTACHMENT|dvh.png]][[ATTACHMENT|leak.txt]]</system-out>"
    path = tmp_path / "unit.xml"
    path.write_bytes(report(a=f"TST-001 {out}"))

    where = ("--environment", "py3.11", "--rerun")
    told = fiducial(path, "--commit", ONE, "--files", tmp_path / "out", *where, "--json")

    value = json.loads(told.stdout)
    assert told.exit_code == 3
    assert [one["what"] for one in value["findings"]] == [
        "It says that it is a rerun, and nothing was imported before to run again.",
        "a names the file leak.txt, which was not sent.",
    ]
    assert (value["environment"], value["rerun"]) == ("py3.11", True)
    assert (value["number"], value["counts"]["passed"], value["named"]) == (1, 1, ["TST-001"])
    with installed.reading() as session:
        [case] = cases_of(session, installed.project(session), 1)
    assert [name for name, _ in case.files] == ["dvh.png"]


def test_the_command_refuses_an_entity_bomb_and_writes_nothing(
    installed: Office, tmp_path: Path
) -> None:
    good, bomb = tmp_path / "good.xml", tmp_path / "bomb.xml"
    good.write_bytes(report(a="TST-001"))
    bomb.write_bytes(b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite name="&x;"/>')

    told = fiducial(good, bomb, "--commit", ONE)

    assert told.exit_code == 1
    with installed.reading() as session:
        assert counted(session, ResultCase) == counted(session, Blob) == 0


def test_a_page_takes_reports_and_shows_them(new_site) -> None:
    site = new_site(pages)
    browser = site.browser("PPL-DV", "developer")
    form = {"csrf_token": "csrf-PPL-DV", "commit": ONE, "environment": "py3.11"}
    files = [("reports", ("unit.xml", report(a="TST-001 <failure message='off by 2'/>")))]

    answer = browser.post("/p/RPM/results", data=form, files=files)

    assert answer.status_code == 303
    shown = browser.get(answer.headers["location"]).text
    assert "off by 2" in shown
    assert "/p/RPM/TST-001" in shown
    listed = browser.get("/p/RPM/results").text
    assert "imported results 1 (py3.11): a failed: off by 2" in listed
    assert "the newest commit that results were imported for" in listed
    assert "py3.11" in shown
    with site.db.reading() as session:
        assert len(imports_of(session, find_project(session, "RPM"))) == 1


def test_a_page_tells_every_fault_and_keeps_what_was_typed(new_site) -> None:
    browser = new_site(pages).browser("PPL-DV", "developer")
    form = {"csrf_token": "csrf-PPL-DV", "commit": ONE}
    files = [("reports", ("bad.xml", b"<html/>")), ("reports", ("worse.xml", b"none"))]

    answer = browser.post("/p/RPM/results", data=form, files=files)

    assert answer.status_code == 422
    assert "bad.xml:1" in answer.text
    assert "worse.xml" in answer.text
    assert ONE in answer.text


def test_a_viewer_sees_no_form_and_imports_nothing(new_site) -> None:
    browser = new_site(pages).browser("PPL-VW", "viewer")
    files = [("reports", ("unit.xml", report(a="TST-001")))]

    answer = browser.post("/p/RPM/results", data={"csrf_token": "csrf-PPL-VW"}, files=files)

    assert answer.status_code == 403
    assert 'name="reports"' not in browser.get("/p/RPM/results").text


def test_a_program_is_told_what_was_imported(new_site) -> None:
    browser = new_site(api).browser("PPL-DV", "developer")
    headers = {"accept": "application/json", "x-csrf-token": "csrf-PPL-DV"}
    files = [("reports", ("unit.xml", report(a="TST-001", b="TST-9999")))]
    form = {"commit": ONE, "csrf_token": "csrf-PPL-DV", "environment": "py3.11", "rerun": "true"}

    answer = browser.post("/api/p/RPM/results", data=form, files=files, headers=headers)

    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/p/RPM/results/1"
    told = answer.json()
    assert [one["code"] for one in told["findings"]] == ["TR610", "TR619"]
    assert (told["environment"], told["rerun"]) == ("py3.11", True)
    [listed] = browser.get("/api/p/RPM/results", headers=headers).json()
    assert (listed["number"], listed["counts"]) == (1, {"passed": 2})


def test_the_release_check_is_stopped_by_a_failure_imported_at_its_commit(
    tested: Office, store: BlobStore
) -> None:
    with tested.writing() as session:
        project, by = tested.project(session), tested.staff["PPL-AK"]
        fields = {"version": "1.0.0", "commit": ONE}
        links = (LinkDraft("tested_by", "TST-001"), LinkDraft("tested_by", "TST-002"))
        content = Content(title="Two", fields=fields, links=links)
        create_record(session, project, "release", content, by, uid="REL-2")

    def told() -> tuple[int, list[str]]:
        with tested.reading() as session:
            result = release_check(session, "RPM", "REL-2")
        rule = next(one for one in result.rules if one.code == "E21")
        return rule.looked_at, [one.sentence for one in rule.findings]

    nothing = told()
    send(tested, store, ONE, a="TST-001", b="TST-002 <failure message='off by 2'/>")
    failing = told()
    moment = now()
    send(tested, store, ONE, ran=service.Ran(rerun=True), b="TST-002")
    mended = told()

    assert nothing == (0, [])
    assert failing == (
        2,
        ["TST-002 is not verified at commit 1111111: imported results 1: b failed: off by 2."],
    )
    assert mended == (2, [])
    with tested.reading() as session:
        then = imported_results(session, "RPM", "REL-2", until=moment)
    assert then["TST-002"].standing is Standing.FAILED
