"""The page of marked lines, the panel that leads there, and the answers of the command line."""

import pytest
from sqlalchemy import select

from core.clock import now
from core.records.models import Project, Record
from qms.repositories.asking import answers_of
from qms.repositories.models import MarkedLines
from qms.repositories.panels import code_panel
from qms.repositories.routes import router
from qms.repositories.scanning import scan_repository
from qms.repositories.telling import answers_in_words
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
