"""A scan remembers what it saw, links what exists, and names what does not."""

import pytest
from sqlalchemy import select

from core.errors import Conflict, Invalid, NotFound
from core.ledger.models import LedgerEntry
from core.records.models import ObservedLink, Record
from qms.repositories import queries, service
from qms.repositories.models import Repository, RepositoryTag
from qms.repositories.queries import CommitFilter

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-025")]


def named(commits):
    return {commit.subject: [one.named for one in commit.mentioned] for commit in commits}


def page(registered, chosen=CommitFilter.ALL):
    with registered.db.reading() as session:
        return queries.commits_page(session, registered.project_id, chosen, 1, 50)


def test_a_trailer_becomes_a_link_on_the_record_it_names(registered, source) -> None:
    sha = source.add("Begin", "Add metrics\n\nImplements: REQ-001, REQ-002\nVerifies: TST-001\n")

    report = registered.scan(registered.register(source, "rpm"))

    assert (report.commits, report.linked, report.unknown) == (2, 3, 0)
    with registered.db.reading() as session:
        links = session.execute(
            select(Record.uid, ObservedLink.role, ObservedLink.source_ref)
            .join(Record, Record.id == ObservedLink.record_id)
            .order_by(Record.uid)
        ).all()
    assert [tuple(link) for link in links] == [
        ("REQ-001", "implements", f"rpm@{sha}"),
        ("REQ-002", "implements", f"rpm@{sha}"),
        ("TST-001", "verifies", f"rpm@{sha}"),
    ]


def test_an_unknown_id_is_a_finding_and_a_link_once_its_record_exists(registered, source) -> None:
    source.add("Fix\n\nFixes: PR-001\nImplements: #42\n")
    repository = registered.register(source)

    first = registered.scan(repository)
    with registered.db.reading() as session:
        findings = queries.unknown_mentions(session, registered.project_id)
    with registered.db.writing() as session:
        registered.add_records(session, "PR-001")
    second = registered.scan(repository)

    assert (first.linked, first.unknown) == (0, 2)
    assert sorted(findings) == [("#42", 1), ("PR-001", 1)]
    assert second.linked == 1
    with registered.db.reading() as session:
        assert queries.unknown_mentions(session, registered.project_id) == [("#42", 1)]


def test_each_filter_shows_the_commits_it_counts(registered, source) -> None:
    source.add(
        "Plain", "Traced\n\nImplements: REQ-001\n", "Wrong\n\nImplements: REQ-999\n", "Other"
    )
    registered.scan(registered.register(source))

    with registered.db.reading() as session:
        counts = queries.commit_counts(session, registered.project_id)

    assert counts == {
        CommitFilter.ALL: 4,
        CommitFilter.TRACED: 2,
        CommitFilter.UNTRACED: 2,
        CommitFilter.UNKNOWN: 1,
        CommitFilter.LOST: 0,
    }
    for chosen, count in counts.items():
        assert len(page(registered, chosen)) == count
    assert named(page(registered, CommitFilter.UNKNOWN)) == {"Wrong": ["REQ-999"]}


def test_a_second_scan_without_news_changes_nothing(registered, source) -> None:
    source.add("Traced\n\nImplements: REQ-001\n")
    source.tag("v0.1.0")
    repository = registered.register(source)
    registered.scan(repository)
    before = page(registered)

    report = registered.scan(repository)

    assert (report.commits, report.linked, report.tags, report.lost) == (0, 0, 0, 0)
    assert page(registered) == before


def test_requirements_that_no_commit_names_are_listed(registered, source) -> None:
    source.add("Traced\n\nImplements: REQ-001\n")
    registered.scan(registered.register(source))

    with registered.db.reading() as session:
        bare = queries.records_without_commit(session, registered.project_id, "requirement")
        counts = queries.commit_count_per_record(session, "RPM")

    assert bare == ["REQ-002"]
    assert counts == {"REQ-001": 1}


def test_a_commit_that_history_lost_stays_readable_and_counts_for_nothing(
    registered, source
) -> None:
    source.add("Begin")
    lost = source.add("Traced\n\nImplements: REQ-001\n")
    repository = registered.register(source)
    registered.scan(repository)
    source.reset("trunk~1")

    report = registered.scan(repository)

    assert report.lost == 1
    assert [commit.sha for commit in page(registered, CommitFilter.LOST)] == [lost]
    with registered.db.reading() as session:
        assert queries.commit_count_per_record(session, "RPM") == {}
        assert queries.commits_of_uid(session, "RPM", "REQ-001")[0].lost


def test_a_commit_that_came_back_is_no_longer_lost(registered, source) -> None:
    source.add("Begin")
    lost = source.add("Traced\n\nImplements: REQ-001\n")
    repository = registered.register(source)
    registered.scan(repository)
    source.reset("trunk~1")
    registered.scan(repository)
    source.reset(lost)

    registered.scan(repository)

    assert page(registered, CommitFilter.LOST) == []
    assert len(page(registered)) == 2


def test_a_tag_names_its_commit_and_a_moved_one_says_where_it_was(registered, source) -> None:
    first = source.add("Begin")
    source.tag("v0.1.0", annotated=True)
    repository = registered.register(source)
    registered.scan(repository)
    with registered.db.reading() as session:
        assert service.commit_of_tag(session, "RPM", "v0.1.0") == first
        assert service.commit_of_tag(session, "RPM", "v9") is None
    second = source.add("Next")
    source.tag("v0.1.0", annotated=True, force=True)

    report = registered.scan(repository)

    assert report.moved == 1
    with registered.db.reading() as session:
        tag = session.execute(select(RepositoryTag)).scalar_one()
        moves = session.execute(
            select(LedgerEntry).where(LedgerEntry.action == "repository:tag:move")
        ).scalars()
        assert (tag.sha, tag.moved_from) == (second, first)
        assert len(list(moves)) == 1


def test_a_deleted_tag_no_longer_binds_a_release(registered, source) -> None:
    source.add("Begin")
    source.tag("v0.1.0")
    repository = registered.register(source)
    registered.scan(repository)
    source.repo.delete_tag("v0.1.0")

    registered.scan(repository)

    with registered.db.reading() as session:
        assert service.commit_of_tag(session, "RPM", "v0.1.0") is None


def test_a_tag_at_different_commits_of_two_repositories_is_ambiguous(
    registered, new_source
) -> None:
    for name in ("one", "two"):
        source = new_source()
        source.add(f"Begin {name}")
        source.tag("v0.1.0")
        registered.scan(registered.register(source, name))

    with registered.db.reading() as session, pytest.raises(Conflict, match=r"one .*two "):
        service.commit_of_tag(session, "RPM", "v0.1.0")


def test_paths_at_a_commit_come_from_the_mirror_that_holds_it(registered, source) -> None:
    commit = source.add("Begin", path="engine/dvh/metrics.py")
    registered.scan(registered.register(source))
    registered.db.data_dir = registered.settings.data_dir

    with registered.db.reading() as session:
        assert service.paths_at(session, "RPM", commit) == {
            ".",
            "engine",
            "engine/dvh",
            "engine/dvh/metrics.py",
        }
        with pytest.raises(NotFound, match="No repository of RPM holds"):
            service.paths_at(session, "RPM", "0" * 40)
        with pytest.raises(Invalid, match="not a commit"):
            service.paths_at(session, "RPM", "--output=/tmp/x")


def test_registering_outside_the_allowed_sources_is_refused(registered, tmp_path) -> None:
    project = service.Project(id=registered.project_id, key="RPM", title="")

    with registered.db.writing() as session, pytest.raises(Invalid) as refusal:
        service.register(session, project, "/etc", registered.by, settings=registered.settings)

    assert [fault.code for fault in refusal.value.faults] == ["GIT07"]


def test_a_link_that_leads_out_of_the_allowed_folder_is_refused(
    registered, tmp_path, tmp_path_factory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (tmp_path / "link").symlink_to(outside)

    with pytest.raises(Invalid) as refusal:
        service.address_of(str(tmp_path / "link"), registered.settings)

    assert [fault.code for fault in refusal.value.faults] == ["GIT07"]


def test_a_source_no_longer_allowed_is_not_scanned(registered, source) -> None:
    source.add("Begin")
    repository = registered.register(source)
    registered.settings = registered.settings.model_copy(update={"repository_sources": []})

    with pytest.raises(Invalid):
        registered.scan(repository)

    with registered.db.reading() as session:
        assert "cannot be used" in session.get_one(Repository, repository).problem


def test_the_same_repository_is_not_registered_twice(registered, source) -> None:
    source.add("Begin")
    registered.register(source, "rpm")

    with pytest.raises(Conflict, match="already"):
        registered.register(source, "again")


def test_a_retired_repository_is_kept_and_not_scanned(registered, source) -> None:
    source.add("Traced\n\nImplements: REQ-001\n")
    repository = registered.register(source, "rpm")
    registered.scan(repository)
    with registered.db.writing() as session:
        service.retire(session, service.find_repository(session, "RPM", "rpm"), registered.by)

    with pytest.raises(Conflict, match="retired"):
        registered.scan(repository)
    assert len(page(registered)) == 1


def test_a_failed_fetch_is_told_where_the_repository_is_shown(registered, source) -> None:
    source.add("Begin")
    repository = registered.register(source, "rpm")
    source.folder.rename(source.folder.with_name("moved"))

    with pytest.raises(Conflict, match="could not fetch"):
        registered.scan(repository)

    with registered.db.reading() as session:
        assert "could not fetch" in session.get_one(Repository, repository).problem


def test_a_commit_names_a_record_of_its_own_project_only(registered, source) -> None:
    with registered.db.writing() as session:
        other = service.Project(key="DEPT", title="Department")
        session.add(other)
        session.flush()
        session.add(Record(project_id=other.id or 0, type="system", uid="SYS-001"))
    source.add("Reach out\n\nImplements: SYS-001\n")

    report = registered.scan(registered.register(source))

    assert (report.linked, report.unknown) == (0, 1)


def test_five_thousand_commits_are_scanned_once(registered, source) -> None:
    """The largest histories of a department; 30 % of the commits carry trailers."""
    source.add(
        *(
            f"Change {i}\n\n" + ("Implements: REQ-001\nVerifies: TST-001\n" if i % 10 < 3 else "")
            for i in range(5000)
        )
    )
    repository = registered.register(source)

    first = registered.scan(repository)
    second = registered.scan(repository)

    assert (first.commits, first.linked, second.commits) == (5000, 3000, 0)


@pytest.mark.parametrize("between", ["\u2028", "\u0085"])
def test_a_branch_whose_name_holds_the_end_of_a_line_stops_no_scan(
    registered, source, between: str
) -> None:
    head = source.add("Begin")
    branch = f"refs/heads/a{between}b"
    source.repo.git.update_ref(branch, head)
    repository = registered.register(source)

    reports = [registered.scan(repository), registered.scan(repository)]

    assert [one.commits for one in reports] == [1, 0]
    with registered.db.reading() as session:
        assert session.get(Repository, repository).tips == {
            branch: head,
            "refs/heads/trunk": head,
        }


def test_a_scan_heals_what_an_earlier_one_took_for_a_branch(registered, source) -> None:
    head = source.add("Begin")
    repository = registered.register(source)
    registered.scan(repository)
    with registered.db.writing() as session:
        stored = session.get(Repository, repository)
        stored.tips = {**stored.tips, "refs/heads/a": head, "": "b"}
        session.add(stored)
    source.add("Go on")

    assert registered.scan(repository).commits == 1
    with registered.db.reading() as session:
        assert list(session.get(Repository, repository).tips) == ["refs/heads/trunk"]
