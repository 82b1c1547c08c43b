"""What a release is made of, read from the mirror of its project's repository."""

from dataclasses import replace

import pytest

from core.records.snapshot import Key, RecordView, Snapshot
from qms.releases import ports
from qms.releases.source import source_of
from qms.rules.facts import ChangeMade

pytestmark = pytest.mark.database


def release(uid: str, commit: str, **parts) -> RecordView:
    fields = {"commit": commit}
    view = RecordView(
        Key("RPM", uid), "release", uid, fields=fields, state="approved", in_force=True
    )
    return replace(view, **parts)


@pytest.fixture
def read(registered):
    registered.db.data_dir = registered.settings.data_dir

    def read(judged: RecordView, *others: RecordView):
        with registered.db.reading() as session:
            return source_of(session, "RPM", judged, Snapshot([judged, *others], []))

    return read


def test_the_tree_of_a_release_is_that_of_its_commit_and_of_its_engine(
    registered, source, read
) -> None:
    first = source.add("Begin", path="steps/dose.py")
    source.add("Add what comes later", path="steps/later.py")
    registered.scan(registered.register(source))

    with ports.bundled_paths.filled(lambda *_: {"engine", "engine/dvh.py"}):
        found = read(release("REL-1", first))

    assert found is not None
    assert found.paths == {".", "steps", "steps/dose.py", "engine", "engine/dvh.py"}


def test_changes_are_the_commits_that_no_release_before_had(registered, source, read) -> None:
    begin = source.add("Begin")
    rounded = source.add("Round figures\n\nFixes: CR-001, PR-001\n")
    tagged = source.add("Mend the table")
    later = source.add("Add what comes later")
    registered.scan(registered.register(source))

    judged = read(
        release("REL-2", tagged),
        release("REL-1", begin),
        release("REL-3", later),
        release("REL-4", "abc"),
    )
    first = read(release("REL-1", begin), release("REL-2", tagged))
    gone = read(release("REL-2", tagged), release("REL-1", begin, withdrawn=True, in_force=False))
    past_a_draft = read(
        release("REL-3", tagged),
        release("REL-1", begin),
        release("REL-2", rounded, state="draft", in_force=False),
    )

    assert judged.changes == (
        ChangeMade(rounded, "Round figures", ("CR-001", "PR-001")),
        ChangeMade(tagged, "Mend the table", ()),
    )
    assert first.changes == ()
    assert gone.changes == ()
    assert past_a_draft.changes == judged.changes


def test_a_commit_that_the_mirror_has_and_no_scan_recorded_is_told(
    registered, source, read, monkeypatch
) -> None:
    begin = source.add("Begin")
    tagged = source.add("Mend the table")
    registered.scan(registered.register(source))
    monkeypatch.setattr("qms.releases.source.commits_by_sha", lambda *_: [])

    judged = read(release("REL-2", tagged), release("REL-1", begin))

    assert judged.changes == (ChangeMade(tagged, "not scanned yet", ()),)


def test_a_commit_that_no_repository_holds_is_no_source(registered, source, read) -> None:
    source.add("Begin")
    registered.scan(registered.register(source))

    assert read(release("REL-1", "0" * 40)) is None
    assert read(release("REL-1", "main")) is None
    assert read(release("REL-1", "")) is None
