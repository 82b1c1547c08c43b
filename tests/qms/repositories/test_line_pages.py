"""The page of marked lines, the panel that leads there, and the answers of the command line."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.clock import now
from core.db import Database
from core.people.tokens import START
from core.records.models import Project, Record
from core.records.service import find_project
from core.records.snapshot import Key, RecordView
from qms.attention.standing import attention
from qms.releases.gathering import gather
from qms.releases.outside import marked_lines
from qms.repositories.api.routes import router as api_router
from qms.repositories.asking import answers_of
from qms.repositories.models import MarkedLines
from qms.repositories.panels import code_panel
from qms.repositories.routes import router
from qms.repositories.scanning import scan_repository
from qms.repositories.telling import answers_in_words
from qms.rules.outside import marked_lines_hold
from qms.rules.view import View
from qms.traceability.coverage import Flag
from qms.traceability.service import trace
from tests.programs import Program
from tests.qms.repositories.conftest import approve

pytestmark = pytest.mark.verifies("TST-026")

ADDRESS = "/p/RPM/repositories"
CODE = b"# REQ-009: <b>bins</b>\ndef dvh(dose):\n    return dose + 1\n"


@pytest.fixture
def site(new_site):
    return new_site(router)


@pytest.fixture
def browser(site):
    return site.browser("PPL-BT", "developer")


@pytest.fixture
def marked(site, browser, source):
    """Scan marked lines, change them after the approval, scan again; return the link's number."""
    write(source, CODE)
    post(browser, ADDRESS, address=str(source.folder), name="rpm")
    scan_repository(site.db, site.settings, 1)
    approve(site.db, "REQ-009", now(), 9)
    write(source, CODE.replace(b"+ 1", b"+ 2"), at=int(now().timestamp()) + 1000)
    scan_repository(site.db, site.settings, 1)
    with site.db.reading() as session:
        return session.execute(select(MarkedLines.id)).scalar_one()


def post(browser, page, /, uid="PPL-BT", **fields):
    return browser.post(page, data={"csrf_token": f"csrf-{uid}", **fields})


def write(source, content, at=1_700_000_000):
    begun = f"from refs/heads/{source.branch}^0\n" if source.count else ""
    source.count += 1
    source.feed(
        f"commit refs/heads/{source.branch}\ncommitter A <a@example.org> {at} +0000\n"
        f"data 4\nWork\n{begun}M 100644 inline dvh.py\ndata {len(content)}\n".encode()
        + content
        + b"\n"
    )


def test_the_record_leads_to_its_lines_and_what_changed_in_them(
    site, browser, marked, words
) -> None:
    with site.db.reading() as session:
        project = session.execute(select(Project).where(Project.key == "RPM")).scalar_one()
        record = session.execute(select(Record).where(Record.uid == "REQ-009")).scalar_one()
        panel = code_panel(session, project, record)

    shown = browser.get(f"{ADDRESS}/lines/{marked}")

    assert panel.title == "Code: 1 marked place, 1 needs re-review"
    assert shown.status_code == 200
    assert "- return dose + 1 + return dose + 2" in words(shown)
    assert "needs re-review" in words(shown)
    assert "<b>bins" not in shown.text
    assert "REQ-009 dvh.py lines 2-3" in words(browser.get(ADDRESS))


@pytest.mark.parametrize("number", [0, 2**31, 2**63])
def test_a_number_that_no_link_can_have_names_none(browser, marked, number: int) -> None:
    page = f"{ADDRESS}/lines/{number}"

    assert browser.get(page).status_code in (404, 422)
    assert post(browser, f"{page}/acceptance", digest="x", reason="y").status_code in (404, 422)


def test_the_page_names_the_commit_that_the_lines_are_compared_with(
    source, browser, marked, words
) -> None:
    first = source.repo.commit(f"{source.branch}~1").hexsha

    shown = words(browser.get(f"{ADDRESS}/lines/{marked}"))

    assert f"Compared with lines 2-3 of dvh.py at commit {first[:10]}" in shown


def test_accepting_asks_for_a_reason_and_for_the_right(site, browser, marked, words) -> None:
    page = f"{ADDRESS}/lines/{marked}"
    with site.db.reading() as session:
        digest = session.execute(select(MarkedLines.digest)).scalar_one()
    reader = site.browser("PPL-GL", "user")

    refused = post(reader, f"{page}/acceptance", uid="PPL-GL", digest=digest, reason="Fine.")
    bare = post(browser, f"{page}/acceptance", digest=digest, reason=" ")
    stale = post(browser, f"{page}/acceptance", digest="0", reason="Fine.")
    done = post(browser, f"{page}/acceptance", digest=digest, reason="One more bin is asked for.")

    assert refused.status_code == 403
    assert (bare.status_code, stale.status_code, done.status_code) == (422, 409, 303)
    assert "GIT11" in words(bare)
    assert done.headers["location"] == "/p/RPM/REQ-009"
    assert "One more bin is asked for." in words(browser.get(page))
    assert "They still serve it" not in words(browser.get(page))


def test_another_project_s_lines_are_not_found(site, marked) -> None:
    other = site.browser("PPL-XX", "developer", project="DEPT")

    assert other.get(f"/p/DEPT/repositories/lines/{marked}").status_code == 404
    assert other.get(f"{ADDRESS}/lines/{marked}").status_code == 404


def test_the_answers_count_what_is_amiss(site, marked) -> None:
    with site.db.reading() as session:
        project = session.execute(select(Project).where(Project.key == "RPM")).scalar_one()
        found = answers_of(session, project)
        told, plain = answers_in_words(found), found.plain()

    assert [one.subject for one in found.untraced] == ["Work", "Work"]
    assert "REQ-009" not in found.without_code
    assert "REQ-009 rpm dvh.py:2-3: changed" in told
    assert plain["marked_lines_that_need_re_review"][0]["path"] == "dvh.py"


def test_programs_read_which_lines_need_re_review_and_why(site, marked) -> None:
    site.app.include_router(api_router)
    program = Program(site.app, site.db, "PPL-BT", START)

    [told] = program.get(f"/api{ADDRESS}/lines?show=re-review")

    assert (told["uid"], told["path"], told["first"], told["last"]) == ("REQ-009", "dvh.py", 2, 3)
    assert told["why"] == "changed since revision 9 of REQ-009 was approved"
    assert "+    return dose + 2" in told["diff"]
    assert told["address"] == f"{ADDRESS}/lines/{marked}"


def test_release_check_and_matrix_name_the_lines_until_they_are_accepted(
    site, browser, marked
) -> None:
    def seen() -> tuple[list[str], list[str], set[Flag], int]:
        with site.db.reading() as session:
            project = find_project(session, "RPM")
            given = gather(session, project, None)
            view = View(given, {})
            record = view.snapshot.records[Key("RPM", "REQ-009")]
            subjects = list(marked_lines_hold.subjects.select(view))
            found = [one.what for each in subjects for one in marked_lines_hold.judge(view, each)]
            assert subjects == [record]
            matrix = trace(session, "RPM")
            [row] = [one for one in matrix.rows if one.record.key.uid == "REQ-009"]
            told = [one.told for one in row.lines]
            count = attention(session, project).counts["marked_lines"]
        return found, told, set(row.flags) & {Flag.NEEDS_REVIEW}, count

    before = seen()
    with site.db.reading() as session:
        digest = session.execute(select(MarkedLines.digest)).scalar_one()
    post(browser, f"{ADDRESS}/lines/{marked}/acceptance", digest=digest, reason="Asked for.")

    why = "changed since revision 9 of REQ-009 was approved"
    assert len(before[0]) == 1
    assert "rpm dvh.py:2-3 at commit " in before[0][0]
    assert before[0][0].endswith(f": {why}.")
    assert before[1][0].endswith(why)
    assert before[2:] == ({Flag.NEEDS_REVIEW}, 1)
    assert seen() == ([], [], set(), 0)


def test_lines_that_changed_after_the_commit_of_a_release_are_no_doubt_about_it(
    site, marked, source
) -> None:
    earlier, later = source.repo.git.rev_list("--reverse", source.branch).split()

    def doubts(commit: str) -> list[str]:
        release = RecordView(Key("RPM", "REL-9"), "release", "", fields={"commit": commit})
        with site.db.reading() as session:
            session.info[Database.DATA_DIR] = site.settings.data_dir
            project = find_project(session, "RPM")
            return [one.doubt for one in marked_lines(session, project, release)]

    assert doubts(earlier) == [""]
    assert doubts(later) == ["changed since revision 9 of REQ-009 was approved"]


def doubts(site, commit: str, until=None) -> list[str]:
    release = RecordView(Key("RPM", "REL-9"), "release", "", fields={"commit": commit})
    with site.db.reading() as session:
        session.info[Database.DATA_DIR] = site.settings.data_dir
        project = find_project(session, "RPM")
        return [one.doubt for one in marked_lines(session, project, release, until)]


CHANGED = "changed since revision 9 of REQ-009 was approved"


def test_a_release_keeps_its_doubt_when_the_branch_goes_back(site, marked, source) -> None:
    later = source.head()
    write(source, CODE, at=int(now().timestamp()) + 2000)
    scan_repository(site.db, site.settings, 1)

    assert doubts(site, source.head()) == [""]
    assert doubts(site, later) == [CHANGED]


def test_what_was_accepted_later_is_nothing_that_an_earlier_commit_holds(
    site, browser, marked, source
) -> None:
    earlier, between = source.repo.git.rev_list("--reverse", source.branch).split()
    write(source, CODE.replace(b"+ 1", b"+ 3"), at=int(now().timestamp()) + 2000)
    scan_repository(site.db, site.settings, 1)
    signed = now()
    with site.db.reading() as session:
        digest = session.execute(select(MarkedLines.digest)).scalar_one()
    post(browser, f"{ADDRESS}/lines/{marked}/acceptance", digest=digest, reason="Asked for.")
    write(source, CODE + b"# end\n", at=int(now().timestamp()) + 3000)
    accepted = source.repo.git.rev_parse(f"{source.branch}~1")
    scan_repository(site.db, site.settings, 1)

    assert doubts(site, earlier) == [""]
    assert doubts(site, between) == [CHANGED]
    assert doubts(site, accepted) == [""]
    assert doubts(site, accepted, until=signed) == [CHANGED], "nobody had accepted it yet"
    assert doubts(site, earlier, until=signed) == [""]


def test_a_side_branch_is_judged_by_its_own_lines(site, marked, source) -> None:
    main, source.branch = source.branch, "side"
    source.repo.git.branch("side", f"{main}~1")
    write(source, CODE.replace(b"+ 1", b"+ 7"))
    changed = source.head()
    write(source, CODE.replace(b"# REQ-009", b"# none"))
    gone = source.head()
    for uid, commit in (("REL-8", changed), ("REL-9", gone)):
        with site.db.writing() as session:
            project = find_project(session, "RPM").id or 0
            session.add(Record(project_id=project, type="release", uid=uid))
        approve(site.db, uid, now(), 1, {"commit": commit})
    source.branch = main
    write(source, CODE, at=int(now().timestamp()) + 2000)
    scan_repository(site.db, site.settings, 1)

    assert doubts(site, changed) == [CHANGED]
    assert doubts(site, gone) == ["the marker was removed"]


def test_a_signed_release_is_not_judged_by_a_later_approval(site, marked, source) -> None:
    earlier, later = source.repo.git.rev_list("--reverse", source.branch).split()
    signed = now()
    approve(site.db, "REQ-009", now() + timedelta(seconds=5000), 10)
    scan_repository(site.db, site.settings, 1)
    write(source, CODE.replace(b"+ 1", b"+ 9"), at=int(now().timestamp()) + 6000)
    scan_repository(site.db, site.settings, 1)

    assert doubts(site, earlier, until=signed) == [""]
    assert doubts(site, later, until=signed) == [CHANGED]
