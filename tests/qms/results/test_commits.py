"""Results count at one commit, whatever came in last and wherever it ran."""

from pathlib import Path

import pytest
from git import Actor, Repo

from core.blobs import BlobStore
from core.errors import Invalid
from core.settings import Settings
from qms.repositories.scanning import scan_repository
from qms.repositories.service import register
from qms.results import service
from qms.results.judging import Standing
from qms.results.queries import newest_lines
from tests.conftest import Office
from tests.qms.results.conftest import ONE, TWO, send, standings

pytestmark = pytest.mark.verifies("TST-028")


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
