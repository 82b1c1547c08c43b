"""Results come in whole or not at all, by command, by program and by page."""

import json
from pathlib import Path

import pytest
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
from core.web.pages import environment
from qms.releases.service import release_check
from qms.results import service
from qms.results.api.routes import router as api
from qms.results.arriving import Sent, read_all, wanted_files, with_files
from qms.results.judging import Standing
from qms.results.listing import cases_of, find_import, imports_of
from qms.results.models import ResultCase, ResultImport
from qms.results.panels import results_panel
from qms.results.queries import imported_results
from qms.results.routes import router as pages
from tests.conftest import Office
from tests.qms.results.conftest import ONE, report, send

pytestmark = pytest.mark.verifies("TST-028")


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


def naming(*paths: str) -> str:
    return "".join(f"[[ATTACHMENT|{path}]]" for path in paths)


def test_a_file_is_given_to_no_case_that_may_mean_another(tested: Office, store: BlobStore) -> None:
    cases = {
        name: f"TST-001 <system-out>{naming(path)}</system-out>"
        for name, path in {"a": "a/dvh.png", "b": "b/dvh.png", "c": "c/log.txt"}.items()
    }

    kept = send(tested, store, ONE, Sent("dvh.png", b"one"), Sent("log.txt", b"two"), **cases)

    assert [one.code for one in kept.findings] == ["TR609", "TR609", "TR609"]
    assert kept.findings[0].what == "dvh.png may be the file a/dvh.png or another; it is not kept."
    assert kept.findings[2].what == "No case names the file dvh.png; it is not kept."
    with tested.reading() as session:
        found = cases_of(session, tested.project(session), 1)
    assert [[name for name, _ in one.files] for one in found] == [[], [], ["log.txt"]]


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        with_files((), [Sent("dvh.png", b"one"), Sent("dvh.png", b"two")])

    assert [str(one) for one in caught.value.faults] == [
        "dvh.png: is the name of several files. Send each by its own name."
    ]


def test_a_long_name_of_a_file_or_a_case_is_cut_in_what_is_said(
    tested: Office, store: BlobStore
) -> None:
    long = "p" * 5000
    properties = "".join(
        f'<property name="attachment" value="{path}"/>' for path in (long, f"../{long}")
    )
    content = f'<testcase name="{long}"><properties>{properties}</properties></testcase>'
    read = read_all([Sent("a.xml", f"<testsuite>{content}</testsuite>".encode())])

    with tested.writing() as session:
        kept = service.import_results(
            session, store, tested.project(session), with_files(read), ONE,
            tested.staff["PPL-AK"], service.PROGRAM,
        )  # fmt: skip

    assert [one.code for one in kept.findings] == ["TR613", "TR609", "TR611"]
    assert max(len(one.what) for one in kept.findings) < 500


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


@pytest.mark.parametrize("name", ["a\x7f.xml", "a\udce9.xml", "a\n.xml"])
def test_a_name_that_cannot_be_shown_is_refused_by_one_that_can(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_all([Sent(name, report(a="TST-001")), Sent("a?.xml", report(a="TST-001"))])

    assert [(fault.code, fault.where) for fault in caught.value.faults] == [("TR611", "a?.xml")]


def test_a_file_that_nobody_names_is_told_where_the_first_report_is_empty() -> None:
    read = read_all([Sent("a.xml", b"<testsuites/>"), Sent("b.xml", report(a="TST-001"))])

    found = with_files(read, [Sent("dvh.png", b"picture")]).findings

    assert [(one.code, str(one.place)) for one in found] == [
        ("TR608", "a.xml:1"),
        ("TR609", "a.xml"),
    ]


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
