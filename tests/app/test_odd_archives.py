"""An archive whose rows or entries have an odd form is refused in words, never with a crash."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.canonical import canonical_json, digest
from tests.app.moved import House, Source, forged, refused
from tests.app.test_forged_archives import ROWS, edited

pytestmark = pytest.mark.verifies("TST-044")

TRAIL = "trail/entries.jsonl"


def entries(**change: object) -> Callable[[bytes], bytes]:
    """Return an edit of the first entry of a trail, with a hash that agrees."""

    def resealed(row: dict) -> None:
        kept = row["entry"] | change
        row["entry"] = kept | {"hash": digest({one: kept[one] for one in kept if one != "hash"})}

    return edited(1, resealed)


def data(**said: object) -> str:
    """Return what an entry says."""
    return canonical_json(said).decode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seq": "5"}, "is no entry of an audit trail."),
        ({"seq": None}, "is no entry of an audit trail."),
        ({"action": 5}, "is no entry of an audit trail."),
        ({"subject": ["x"]}, "is no entry of an audit trail."),
        ({"data": "[]"}, "cannot be read."),
        ({"data": "not json"}, "cannot be read."),
        ({"data": data(signature=["a"])}, "does not say signature as a text."),
        ({"action": "record:user_need:create", "data": data(revision="x")},
         "does not say revision as a number."),
        ({"action": "record:user_need:create", "data": data(revision=1)},
         "does not say content as a text."),
        ({"action": "audit:trail:verify"}, "does not say entries as a number."),
        ({"action": "archive:project:import"}, "does not say archive as a text."),
    ],
)  # fmt: skip
def test_an_entry_of_an_odd_form_is_told(
    source: Source, empty: House, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    said = {"data": "{}"} | change
    archive = forged(source.archive, tmp_path / "odd.zip", {TRAIL: entries(**said)})

    faults = refused(empty, archive)

    assert any(one.startswith(f"{TRAIL} line 1: ") and told in one for one in faults), faults


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("revision", {"number": 2**40}, "line 1: number holds int"),
        ("revision", {"title": "a\0b"}, "line 1: title holds str"),
        ("record_thread", {"record_id": ["RPM", {}]}, "record_id names record"),
        ("revision", {"co_authors": {"a": 1}}, "UN-901 revision 1 of SIDE: its author"),
    ],
)
def test_a_row_of_an_odd_form_is_told(
    source: Source, empty: House, tmp_path: Path, table: str, change: dict[str, object], told: str
) -> None:
    archive = forged(
        source.archive, tmp_path / "odd.zip",
        {ROWS.format(table): edited(1, lambda row: row.update(change))},
    )  # fmt: skip

    faults = refused(empty, archive)

    assert any(told in one for one in faults), faults


def test_a_row_that_is_there_twice_is_told(source: Source, empty: House, tmp_path: Path) -> None:
    archive = forged(
        source.archive, tmp_path / "twice.zip",
        {ROWS.format("uid_counter"): lambda content: content + content.splitlines(True)[0]},
    )  # fmt: skip

    [fault] = refused(empty, archive)

    assert "holds something that cannot be kept or read here (IntegrityError" in fault


def test_a_repository_whose_address_is_a_command_is_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    command = edited(1, lambda row: row.update(address="ext::sh -c touch% /tmp/x"))
    archive = forged(source.archive, tmp_path / "ext.zip", {ROWS.format("repository"): command})

    [fault] = refused(empty, archive)

    assert "names a remote helper ('::'), which can run commands." in fault


@pytest.mark.parametrize(
    ("column", "revision", "told"),
    [
        ("effective_id", ["RPM", "UN-001", 1], "names a revision that is not in force."),
        ("effective_id", ["RPM", "REQ-001", 1], "names a revision that is not in force."),
        ("effective_id", None, "names a revision that is not in force."),
        ("latest_id", ["RPM", "UN-001", 1], "names a revision that is not its latest."),
    ],
)
def test_a_record_that_leads_to_another_revision_is_told(
    source: Source, empty: House, tmp_path: Path, column: str, revision: object, told: str
) -> None:
    led = edited(2, lambda row: row.update({column: revision}))
    archive = forged(source.archive, tmp_path / "led.zip", {ROWS.format("record"): led})

    assert refused(empty, archive) == [f"RPM UN-001: {told}"]


def test_a_baseline_that_was_frozen_and_is_left_out_is_told(
    source: Source, empty: House, tmp_path: Path
) -> None:
    gone = {ROWS.format(one): lambda _: b"" for one in ("baseline", "baseline_entry")}

    faults = refused(empty, forged(source.archive, tmp_path / "gone.zip", gone))

    assert faults == [
        "RPM baseline 1: is not both among the baselines and, with the same root, in the audit "
        "trail."
    ]
