"""The SQLite file of the demonstration changed by hand: the audit names what was done."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.canonical import digest
from core.ledger.models import GENESIS
from tests.demonstration import BuiltDemo
from tests.journeys.command_line import fiducial

CLEAN, FOUND = 0, 1


def audited(demo: BuiltDemo, folder: Path, against: Path | None = None) -> tuple[int, set[str]]:
    """Verify by command; return the exit code and every finding, as "where: what"."""
    more = () if against is None else ("--against", against)
    done = fiducial("audit", "verify", *more, "--json", folder=folder, data_dir=demo.data_dir)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["clean"] is (done.returncode == CLEAN)
    return done.returncode, {f"{one['where']}: {one['what']}" for one in said["findings"]}


@contextmanager
def by_hand(demo: BuiltDemo) -> Iterator[sqlite3.Connection]:
    """Open the file as anybody can who may write it, with the program of their choice."""
    with closing(sqlite3.connect(demo.data_dir / "fiducial.db")) as connection, connection:
        yield connection


@contextmanager
def without_guards(demo: BuiltDemo, *, put_back: bool) -> Iterator[sqlite3.Connection]:
    """Drop every trigger, and make each again afterwards where asked for."""
    with by_hand(demo) as connection:
        guards = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard%'"
        ).fetchall()
        for name, _ in guards:
            connection.execute(f'DROP TRIGGER "{name}"')
        yield connection
        for _, statement in guards if put_back else ():
            connection.execute(statement)


def test_the_demonstration_is_clean_alone_and_against_its_pack(
    built_demo: BuiltDemo, tmp_path: Path
) -> None:
    assert audited(built_demo, tmp_path) == (CLEAN, set())
    assert audited(built_demo, tmp_path, built_demo.pack) == (CLEAN, set())


def test_the_database_itself_refuses_to_change_history(demo_copy: BuiltDemo) -> None:
    for statement in (
        "UPDATE revision SET title = 'Other' WHERE state = 'approved'",
        "DELETE FROM revision",
        "UPDATE ledger_entry SET subject = 'Other'",
        "DELETE FROM ledger_entry WHERE seq = 100",
        "UPDATE signature SET role = 'author'",
        "UPDATE validation_run_measurement SET passed = 1",
        "DELETE FROM validation_run_scenario",
        "UPDATE baseline SET root = 'x'",
    ):
        with by_hand(demo_copy) as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


@pytest.mark.parametrize("put_back", [True, False], ids=["guards put back", "guards left out"])
def test_an_edited_requirement_is_named(
    *, demo_copy: BuiltDemo, tmp_path: Path, put_back: bool
) -> None:
    with without_guards(demo_copy, put_back=put_back) as connection:
        connection.execute(
            "UPDATE revision SET body = body || ' or not' WHERE id = "
            "(SELECT latest_id FROM record WHERE uid = 'REQ-009')"
        )

    code, findings = audited(demo_copy, tmp_path)

    assert code == FOUND
    changed = "REQ-009 revision 1 of RPM: its content is not the one that the audit trail recorded."
    assert changed in findings
    missing = {one for one in findings if "this trigger is missing" in one}
    assert findings == {changed} | missing
    assert bool(missing) is not put_back


def test_a_deleted_entry_is_named(demo_copy: BuiltDemo, tmp_path: Path) -> None:
    with without_guards(demo_copy, put_back=True) as connection:
        connection.execute("DELETE FROM ledger_entry WHERE seq = 1000")

    code, findings = audited(demo_copy, tmp_path)

    assert code == FOUND
    assert "audit trail entry 1000: was deleted." in findings


def cut(connection: sqlite3.Connection, last: int) -> None:
    """Cut the tail off and set the head to what is left, as a careful forger would."""
    connection.execute("DELETE FROM ledger_entry WHERE seq > ?", (last,))
    connection.execute(
        "UPDATE ledger_head SET seq = ?, hash = (SELECT hash FROM ledger_entry WHERE seq = ?)",
        (last, last),
    )


def test_a_cut_tail_is_named_by_the_pack_that_saw_it(demo_copy: BuiltDemo, tmp_path: Path) -> None:
    """The end of the trail is the building of the pack and the release's last signature."""
    with without_guards(demo_copy, put_back=True) as connection:
        [(seen,)] = connection.execute(
            "SELECT seq FROM ledger_entry WHERE action = 'record:release:approve'"
        )
        cut(connection, seen - 2)

    code, findings = audited(demo_copy, tmp_path, demo_copy.pack)

    assert code == FOUND
    assert any(
        one.startswith(f"audit trail: ends at entry {seen - 2}, but {demo_copy.pack.name} saw")
        for one in findings
    )


def test_a_tail_cut_without_setting_the_head_is_named_without_any_pack(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    with without_guards(demo_copy, put_back=True) as connection:
        [(last,)] = connection.execute("SELECT max(seq) FROM ledger_entry")
        connection.execute("DELETE FROM ledger_entry WHERE seq = ?", (last,))

    code, findings = audited(demo_copy, tmp_path)

    assert code == FOUND
    assert (
        f"audit trail: ends at entry {last - 1}, but its head says {last}: the end was cut or the "
        "head changed."
    ) in findings


def recompute(connection: sqlite3.Connection, change: Callable[[dict[str, Any]], None]) -> None:
    """Make the whole chain anew after a change, each hash right, by the documented rule."""
    connection.row_factory = sqlite3.Row
    previous = GENESIS
    for row in connection.execute("SELECT * FROM ledger_entry ORDER BY seq").fetchall():
        entry = dict(row)
        change(entry)
        entry["previous"] = previous
        said = {name: entry[name] for name in entry if name != "hash"}
        said["at"] = f"{entry['at'].replace(' ', 'T')}Z"
        previous = digest(said)
        connection.execute(
            "UPDATE ledger_entry SET person_name = ?, previous = ?, hash = ? WHERE seq = ?",
            (entry["person_name"], entry["previous"], previous, entry["seq"]),
        )
    connection.execute("UPDATE ledger_head SET hash = ?", (previous,))


def test_recomputing_an_unchanged_chain_gives_the_same_chain(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    """Otherwise the next test would prove nothing."""
    with without_guards(demo_copy, put_back=True) as connection:
        recompute(connection, lambda _entry: None)

    assert audited(demo_copy, tmp_path, demo_copy.pack) == (CLEAN, set())


def test_a_chain_recomputed_after_the_pack_is_named_by_the_pack(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    def blame_another(entry: dict[str, Any]) -> None:
        if entry["action"] == "record:release:approve":
            entry["person_name"] = "Somebody Else"

    with without_guards(demo_copy, put_back=True) as connection:
        recompute(connection, blame_another)

    alone = audited(demo_copy, tmp_path)
    code, findings = audited(demo_copy, tmp_path, demo_copy.pack)

    assert alone == (CLEAN, set())
    assert code == FOUND
    [finding] = findings
    assert f"is not the one that {demo_copy.pack.name} saw" in finding
    assert "the chain was made anew" in finding
