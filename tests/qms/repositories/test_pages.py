"""The repositories page: register, scan, read, refuse."""

import pytest
from sqlalchemy import select

from core.jobs.models import Job
from core.records.models import Project, Record
from qms.repositories.panels import code_panel
from qms.repositories.routes import router
from qms.repositories.scanning import scan_repository

ADDRESS = "/p/RPM/repositories"


@pytest.fixture
def site(new_site):
    return new_site(router)


@pytest.fixture
def browser(site):
    return site.browser("PPL-BT", "developer")


def post(browser, page, /, uid="PPL-BT", **fields):
    return browser.post(page, data={"csrf_token": f"csrf-{uid}", **fields})


def scanned(site, browser, source):
    assert post(browser, ADDRESS, address=str(source.folder), name="rpm").status_code == 303
    scan_repository(site.db, site.settings, 1)


def test_a_registered_repository_is_shown_and_scanned_as_a_job(site, browser, source, words):
    assert post(browser, ADDRESS, address=str(source.folder), name="rpm").status_code == 303

    shown = browser.get(ADDRESS)
    first = post(browser, f"{ADDRESS}/rpm/scan")
    second = post(browser, f"{ADDRESS}/rpm/scan")

    assert "rpm" in words(shown)
    assert "never" in words(shown)
    assert first.headers["location"] == second.headers["location"] == "/jobs/1"
    with site.db.reading() as session:
        job = session.execute(select(Job)).scalar_one()
        assert (job.kind, job.payload) == ("qms.repositories.scan", {"repository": 1})


@pytest.mark.parametrize(
    ("address", "code"),
    [("ext::sh -c x", "GIT03"), ("--upload-pack=x", "GIT02"), ("/etc", "GIT07")],
)
def test_a_refused_address_comes_back_as_typed_with_its_code(browser, words, address, code):
    response = post(browser, ADDRESS, address=address, name="mine")

    assert response.status_code == 422
    assert code in words(response)
    assert f'value="{address}"' in response.text
    assert 'value="mine"' in response.text


def test_commits_tags_and_findings_are_shown(site, browser, source, words) -> None:
    sha = source.add("Begin", "Add metrics\n\nImplements: REQ-009, REQ-999\n")
    source.tag("v0.1.0")
    scanned(site, browser, source)

    text = words(browser.get(ADDRESS))

    assert "all 2 with trace 1 without trace 1 naming unknown records 1" in text
    assert f"v0.1.0 {sha[:10]}" in text
    assert "REQ-999 in 1 trailer" in text
    assert "Requirements without a commit REQ-001 REQ-002" in text


def test_a_commit_has_a_page_of_its_own(site, browser, source, words) -> None:
    sha = source.add("Add <b>metrics</b>\n\nImplements: REQ-009\n")
    source.tag("v0.1.0")
    scanned(site, browser, source)

    response = browser.get(f"{ADDRESS}/rpm/commits/{sha}")

    assert "Add &lt;b&gt;metrics&lt;/b&gt;" in response.text
    assert sha in words(response)
    assert "implements REQ-009" in words(response)
    assert "v0.1.0" in words(response)
    assert browser.get(f"{ADDRESS}/rpm/commits/{'0' * 40}").status_code == 404
    assert browser.get(f"{ADDRESS}/rpm/commits/--output=x").status_code == 404


def test_a_file_of_a_commit_is_shown_as_text(site, browser, source, words) -> None:
    first = source.add("First", path="src/<b>.py")
    source.add("Second", path="src/<b>.py")
    scanned(site, browser, source)
    commit = f"{ADDRESS}/rpm/commits/{first}"

    assert f'href="{commit}/file?path=src/%3Cb%3E.py"' in browser.get(commit).text
    shown = browser.get(f"{commit}/file", params={"path": "src/<b>.py"})

    assert '<h1 class="mono">src/&lt;b&gt;.py</h1>' in shown.text
    assert "Line Text 1 1" in words(shown)  # the first commit wrote "1", the second one "2"


@pytest.mark.parametrize(
    "path", ["src", "nothing.py", "../HEAD", "--output=x", "a\nb", "/etc/passwd"]
)
def test_what_is_no_file_of_the_commit_is_not_found(site, browser, source, path) -> None:
    sha = source.add("First", path="src/plan.py")
    scanned(site, browser, source)

    told = browser.get(f"{ADDRESS}/rpm/commits/{sha}/file", params={"path": path})

    assert told.status_code == 404


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "html", "pdf"])
def test_the_export_holds_the_commits_of_the_filter(site, browser, source, name) -> None:
    source.add("Begin", "Traced\n\nImplements: REQ-009\n")
    scanned(site, browser, source)

    response = browser.get(f"{ADDRESS}/export/{name}", params={"show": "without trace"})

    assert response.status_code == 200
    if name == "json":
        assert [row["Subject"] for row in response.json()["rows"]] == ["Begin"]


def test_the_record_page_lists_the_commits_that_name_it(site, browser, source) -> None:
    source.add("Add metrics\n\nImplements: REQ-009\n")
    scanned(site, browser, source)
    with site.db.reading() as session:
        project = session.execute(select(Project).where(Project.key == "RPM")).scalar_one()
        named, bare = (
            code_panel(
                session,
                project,
                session.execute(select(Record).where(Record.uid == uid)).scalar_one(),
            )
            for uid in ("REQ-009", "REQ-010")
        )

    assert named.title == "Code: 1 commit"
    assert named.context["commits"][0].subject == "Add metrics"
    assert bare is None


def test_only_some_roles_may_register_scan_or_retire(site, browser, source, words) -> None:
    scanned(site, browser, source)
    reader = site.browser("PPL-GL", "user")

    shown = reader.get(ADDRESS)

    assert shown.status_code == 200
    assert "Register a repository" not in words(shown)
    for address in (ADDRESS, f"{ADDRESS}/rpm/scan", f"{ADDRESS}/rpm/retire"):
        refused = post(reader, address, uid="PPL-GL", address=str(source.folder))
        assert refused.status_code == 403
        assert "needs" in words(refused)


def test_a_retired_repository_offers_no_scan(site, browser, source, words) -> None:
    scanned(site, browser, source)

    assert post(browser, f"{ADDRESS}/rpm/retire").status_code == 303

    assert "Scan rpm" not in words(browser.get(ADDRESS))


def test_a_form_of_another_site_changes_nothing(site, browser, source) -> None:
    response = browser.post(ADDRESS, data={"address": str(source.folder), "csrf_token": "guess"})

    assert response.status_code == 403
    assert "Register" in browser.get(ADDRESS).text


def test_another_project_s_repository_cannot_be_reached(site, browser, source) -> None:
    scanned(site, browser, source)
    other = site.browser("PPL-XX", "developer", project="DEPT")

    assert post(other, f"{ADDRESS}/rpm/scan", uid="PPL-XX").status_code == 404
    assert post(other, "/p/DEPT/repositories/rpm/scan", uid="PPL-XX").status_code == 404
