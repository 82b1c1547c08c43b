"""Pull requests of hosting services: recognised by their merge, and what that says for all."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.clock import now
from core.errors import Invalid
from core.ledger.models import LedgerEntry
from core.records.models import ObservedLink, Record
from core.records.service import find_project
from qms.repositories import queries, scanning
from qms.repositories.asking import contents_of_release
from qms.repositories.models import CommitMention, Repository
from qms.repositories.queries import CommitFilter
from qms.repositories.requests import Request, request_of, trailers_of_request
from qms.repositories.telling import contents_in_words
from qms.repositories.trailer_keys import read_trailer_keys
from qms.repositories.trailers import TRACE_KEYS
from tests.qms.repositories.conftest import approve


@pytest.mark.parametrize(
    ("subject", "body", "found"),
    [
        (
            "Merge pull request #12 from amara/wide",
            "\nWiden\n\nImplements: REQ-1",
            ("#12", "Widen"),
        ),
        ("Merge pull request #3 in RT/dose from a to main", "", ("#3", "")),
        ("Merge pull request 'Widen (x)' (#8) from a/b into main", "", ("#8", "Widen (x)")),
        ("Merged in amara/wide (pull request #9)", "Widen", ("#9", "Widen")),
        ("Merged PR 77: Widen the margins", "Why.", ("#77", "Widen the margins")),
        (
            "Merge branch 'wide' into 'main'",
            "Widen\n\nCloses #4\n\nSee merge request rt/dose!7",
            ("rt/dose!7", "Widen"),
        ),
        ("Merge branch 'wide' into 'main'", "By hand.", None),
        ("Merge pull request #x from a", "", None),
        ("Revert Merge pull request #12 from amara/wide", "", None),
        ("Merge pull request #1234567890 from a/b", "", None),
    ],
)
def test_a_service_s_merge_is_recognised_and_no_other(subject, body, found) -> None:
    assert request_of(subject, body) == (Request(*found) if found else None)


def test_trailers_above_a_service_s_own_lines_are_read() -> None:
    body = "Widen\n\nImplements: REQ-1\nVerifies: TST-1\n\nSee merge request rt/dose!7\n"

    assert trailers_of_request(body) == [("Implements", "REQ-1"), ("Verifies", "TST-1")]
    assert trailers_of_request("Widen\n\nMore: words\nand prose\n") == []


class Team:
    """A main line, and branches that are merged into it."""

    def __init__(self, source) -> None:
        self.source = source
        self.count = 0

    def commit(self, branch: str, message: str, *parents: str) -> str:
        """Commit onto a branch and return the commit."""
        self.count += 1
        begun = [f"{'merge' if n else 'from'} {one}\n" for n, one in enumerate(parents)]
        text = message.encode()
        stream = (
            f"commit refs/heads/{branch}\ncommitter A <a@example.org> "
            f"{1_700_000_000 + self.count} +0000\n"
        ).encode() + b"data %d\n%s\n" % (len(text), text)
        stream += "".join(begun).encode() + b"M 100644 inline f\ndata 1\nx\n"
        self.source.feed(stream)
        return self.source.repo.commit(branch).hexsha


@pytest.fixture
def merged(source) -> dict[str, str]:
    """One request with two commits, of which one names a record itself; then one without words."""
    team = Team(source)
    base = team.commit(source.branch, "Begin")
    silent = team.commit("wide", "Widen", base)
    speaking = team.commit("wide", "Test it\n\nVerifies: TST-001", silent)
    merge = team.commit(
        source.branch,
        "Merge pull request #12 from amara/wide\n\nWiden the margins\n\nImplements: REQ-002",
        base,
        speaking,
    )
    other = team.commit("thin", "Thin", merge)
    second = team.commit(source.branch, "Merged PR 13: Thin them", merge, other)
    return {
        "base": base, "silent": silent, "speaking": speaking, "merge": merge, "other": other,
        "second": second,
    }  # fmt: skip


def told(registered) -> dict[str, tuple[list[tuple[str, str, str]], str]]:
    with registered.db.reading() as session:
        lines = queries.commits_page(session, registered.project_id, CommitFilter.ALL, 1, 50)
    return {
        one.sha: (
            [(each.role, each.named, each.via) for each in one.mentioned],
            one.request.label if one.request else "",
        )
        for one in lines
    }


def test_what_a_merge_names_counts_for_the_commits_it_brought_that_name_nothing(
    registered, source, merged
) -> None:
    number = registered.register(source, "rpm")
    registered.scan(number)

    found = told(registered)
    registered.scan(number)

    assert found == {
        merged["base"]: ([], ""),
        merged["silent"]: ([("implements", "REQ-002", "#12")], "#12"),
        merged["speaking"]: ([("verifies", "TST-001", "")], "#12"),
        merged["merge"]: ([("implements", "REQ-002", "")], "#12"),
        merged["other"]: ([], "#13"),
        merged["second"]: ([], "#13"),
    }
    assert told(registered) == found, "a second scan changes nothing"
    with registered.db.reading() as session:
        counts = queries.commit_counts(session, registered.project_id)
        linked = set(
            session.execute(
                select(ObservedLink.source_ref).join(Record, Record.id == ObservedLink.record_id)
                .where(Record.uid == "REQ-002")
            ).scalars()
        )  # fmt: skip
    assert counts[CommitFilter.UNTRACED] == 2
    assert linked == {f"rpm@{merged[name]}" for name in ("silent", "merge")}


def test_a_merge_that_comes_later_speaks_for_commits_that_were_scanned_before(
    registered, source, merged
) -> None:
    branch = source.repo.heads[source.branch]
    source.repo.delete_head("thin", force=True)
    source.reset(merged["base"])
    number = registered.register(source, "rpm")
    registered.scan(number)
    before = told(registered)[merged["silent"]]
    branch.commit = merged["second"]

    registered.scan(number)

    assert before == ([], "")
    assert told(registered)[merged["silent"]] == ([("implements", "REQ-002", "#12")], "#12")


def test_other_keys_are_taken_up_by_the_next_scan_and_given_up_again(
    registered, source, monkeypatch
) -> None:
    first = source.add("One\n\nSatisfies: REQ-001", "Two\n\nFixes: REQ-002\nRefs: TST-001")
    number = registered.register(source, "rpm")
    registered.scan(number)
    plain = told(registered)
    keys = {**TRACE_KEYS, "satisfies": "implements", "refs": "refers to", "fixes": "implements"}

    monkeypatch.setattr(scanning, "trailer_keys", lambda: keys)
    registered.scan(number)
    wider = told(registered)
    with registered.db.reading() as session:
        links = session.execute(select(ObservedLink.role).order_by(ObservedLink.role)).all()
        used = session.execute(select(Repository.trailer_keys)).scalar_one()
        entry = select(LedgerEntry).where(LedgerEntry.action == "repository:trailers:read")
        recorded = session.scalars(entry).one().details["keys"]
    monkeypatch.setattr(scanning, "trailer_keys", lambda: TRACE_KEYS)
    registered.scan(number)

    assert plain[first] == ([("fixes", "REQ-002", "")], "")
    assert wider[first] == ([("implements", "REQ-002", ""), ("refers to", "TST-001", "")], "")
    assert [one for (one,) in links] == ["implements", "implements", "refers to"]
    assert used
    assert recorded == keys
    assert told(registered) == plain
    with registered.db.reading() as session:
        assert session.execute(select(func.count()).select_from(ObservedLink)).scalar_one() == 1
        assert session.execute(select(func.count()).select_from(CommitMention)).scalar_one() == 1


def test_a_department_s_keys_are_read_and_every_fault_is_told(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("trailers: {Closes: fixes, Refs: refers to}\n")
    assert read_trailer_keys(tmp_path) == {**TRACE_KEYS, "closes": "fixes", "refs": "refers to"}

    (tmp_path / "wrong.yaml").write_text("trailers:\n  Does: magic\n  'no key': fixes\nmore: 1\n")
    (tmp_path / "empty.yaml").write_text("trailers: 7\n")
    with pytest.raises(Invalid) as caught:
        read_trailer_keys(tmp_path)

    found = sorted((one.code, one.where) for one in caught.value.faults)
    assert found == [
        ("TK01", "trailers/empty.yaml:1 trailers"),
        ("TK01", "trailers/wrong.yaml:4 more"),
        ("TK02", "trailers/wrong.yaml:3 trailers.no key"),
        ("TK03", "trailers/wrong.yaml:2 trailers.Does"),
    ]


def test_the_page_of_a_commit_tells_its_pull_request(new_site, source, merged, words) -> None:
    from app.main import ROUTERS

    site = new_site(*ROUTERS)
    browser = site.browser("PPL-BT", "developer")
    at = "/p/RPM/repositories"
    browser.post(at, data={"csrf_token": "csrf-PPL-BT", "address": str(source.folder), "name": "x"})
    scanning.scan_repository(site.db, site.settings, 1)

    page = words(browser.get(f"{at}/x/commits/{merged['silent']}"))

    assert f"Pull request #12 Widen the margins, merged by {merged['merge'][:10]}" in page
    assert "REQ-002 by the merge of pull request #12" in page


REFUSES = "Service refuses to start when a component version differs from the release record"
"""The title of TST-001 in the demonstration."""


def test_page_table_and_command_tell_the_same_contents_of_a_release(
    new_site, source, merged, words
) -> None:
    from app.main import ROUTERS

    site = new_site(*ROUTERS)
    browser = site.browser("PPL-BT", "developer")
    fields = {"csrf_token": "csrf-PPL-BT", "address": str(source.folder), "name": "x"}
    browser.post("/p/RPM/repositories", data=fields)
    scanning.scan_repository(site.db, site.settings, 1)
    approve(site.db, "REL-0.1.0", now(), 90, {"commit": merged["second"]})

    at = "/p/RPM/releases/REL-0.1.0/contents"
    page = browser.get(at)
    rows = browser.get(f"{at}/export/json").json()["rows"]
    with site.db.reading() as session:
        project = find_project(session, "RPM")
        told = contents_of_release(session, project, "REL-0.1.0", site.settings)

    counts = {"commits": 4, "implements": 1, "verifies": 1, "pull requests": 2, "without trace": 2}
    assert told.counts == counts
    assert ", ".join(f"{count} {name}" for name, count in counts.items()) in words(page)
    spoken = contents_in_words(told)
    assert "Pull requests: 2" in spoken
    assert f"#12: Widen the margins: {merged['silent'][:12]}, {merged['speaking'][:12]}" in spoken
    assert "Commits without a trace: 2" in spoken
    assert f"REQ-002 {told.titles['REQ-002']}: " in spoken
    assert f"TST-001 {REFUSES}" in words(page)
    named = ("Role", "Record", "Record title", "Named by")
    assert [tuple(row[name] for name in named) for row in rows] == [
        ("without trace", "", "", ""),
        ("implements", "REQ-002", told.titles["REQ-002"], "pull request #12"),
        ("verifies", "TST-001", REFUSES, "the commit"),
        ("without trace", "", "", ""),
    ]
    assert browser.get("/p/RPM/releases/REL-9/contents").status_code == 404
