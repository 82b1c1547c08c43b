"""A project moves to another installation with its whole history, and nothing of it changes."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.archive.bringing import Wish
from core.blobs import BlobStore
from core.db import Database
from core.errors import Invalid, Refused
from core.exports import to_json
from core.jobs.service import enqueue
from core.ledger.brought import told
from core.ledger.models import LedgerEntry
from core.ledger.reading import TrailFilter, read_trail
from core.people.actor import Actor
from core.people.models import Person, RoleGrant
from core.records.audit import verify_installation
from core.records.content import Content
from core.records.pages import trail_of
from core.records.remarks import remarks_of
from core.records.reviewed import answers
from core.records.service import create_project, create_record, find_project, find_record
from core.signing.keys import SigningKey
from dataflows.qatrack.models import QatrackItem, QatrackServer
from qms.baselines.freezing import list_sheet, standings
from qms.baselines.service import baselines_of, verify_baseline
from qms.repositories.models import LinesAcceptance, MarkedLines
from qms.repositories.service import mirror_in
from qms.traceability.service import trace
from qms.traceability.tables import sheet
from tests.app.moved import NEED, House, Source, empty_house, members_of, refused
from tests.conftest import add_staff
from validation.runs.models import Run, RunState

pytestmark = pytest.mark.verifies("TST-044")

TRAIL = "trail/entries.jsonl"


def shown(house: House) -> dict[str, object]:
    """Return what people see of the project RPM."""
    with house.database.reading() as session:
        project = find_project(session, "RPM")
        record = find_record(session, project, "UN-001")
        requirement = find_record(session, project, "REQ-001")
        told: dict[str, object] = {
            rows: to_json(sheet(matrix, matrix.rows, {}))
            for rows in ("requirement", "user_need")
            for matrix in (trace(session, "RPM", rows, ""),)
        }
        told["baselines"] = list_sheet(project, standings(session, project)).rows
        told["verified"] = [
            str(verify_baseline(session, x)) for x in baselines_of(session, project)
        ]
        told["came back"] = remarks_of(session, record)
        told["re-reviewed"] = answers(session, project, requirement)
        return told


def is_clean(house: House) -> bool:
    with house.database.reading() as session:
        return verify_installation(session, house.store).clean


def changed(one: Path, other: Path) -> list[str]:
    """Return the members of two archives that are not the same bytes."""
    here, there = members_of(one), members_of(other)
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def test_what_is_shown_and_what_is_exported_again_is_the_same(
    source: Source, empty: House, tmp_path: Path
) -> None:
    brought = empty.bring(source.archive)
    empty.export(tmp_path / "again.zip", "RPM", "SIDE")

    assert brought.notes == []
    assert brought.rows["signature"] == 8
    assert shown(empty) == shown(source.house)
    assert "Esther Quill, release manager" in str(shown(empty)["baselines"])
    assert is_clean(empty)
    assert changed(source.archive, tmp_path / "again.zip") == [TRAIL]
    assert set(empty.store.digests()) == set(source.house.store.digests())
    with empty.database.reading() as session:
        repository = session.scalars(select(MarkedLines.repository_id)).first() or 0
    assert mirror_in(empty.settings.data_dir, repository).default_branch()


@pytest.mark.database
def test_rows_are_numbered_anew_in_an_installation_in_use(
    source: Source, database: Database, tmp_path: Path
) -> None:
    house = empty_house(tmp_path / "var", database)
    with database.writing() as session:
        other = create_project(session, "OTHER", "Another", None)
        staff = add_staff(session, other)
        for uid in ("UN-001", "UN-002"):
            create_record(session, other, "user_need", Content("Ours", "", NEED), staff["PPL-AK"],
                          uid=uid)  # fmt: skip

    brought = house.bring(source.archive)
    house.export(tmp_path / "again.zip", "RPM", "SIDE")

    assert brought.people_made == []
    assert is_clean(house)
    assert shown(house) == shown(source.house)
    assert changed(source.archive, tmp_path / "again.zip") == [TRAIL]
    with database.reading() as session:
        bases = session.scalars(select(MarkedLines.base_of).order_by(col(MarkedLines.id))).all()
        accepted = session.scalars(select(LinesAcceptance.id).order_by(col(LinesAcceptance.id)))
        assert bases == [f"acceptance {one}" for one in accepted]


def test_a_project_that_moved_twice_still_says_who_did_what_and_where(
    source: Source, empty: House, empty_sqlite: Path, tmp_path: Path
) -> None:
    third = empty_house(tmp_path / "third", empty_sqlite)

    empty.bring(source.archive)
    empty.export(tmp_path / "second.zip", "RPM", "SIDE")
    third.bring(tmp_path / "second.zip")
    third.export(tmp_path / "third.zip", "RPM", "SIDE")

    assert is_clean(third)
    assert shown(third) == shown(source.house)
    assert changed(source.archive, tmp_path / "third.zip") == [TRAIL]
    with source.house.database.reading() as session:
        first = [
            (one.at, one.person_name, one.action, one.details)
            for one in trail_of(
                session, find_record(session, find_project(session, "RPM"), "UN-001")
            )
        ]
    with third.database.reading() as session:
        found = trail_of(session, find_record(session, find_project(session, "RPM"), "UN-001"))
    assert [(one.at, one.person_name, one.action, one.details) for one in found] == first
    assert len({one.origin for one in found}) == 1
    third.database.engine.dispose()


def test_the_audit_trail_says_that_it_was_brought_by_whom_and_from_where(
    source: Source, empty: House
) -> None:
    brought = empty.bring(source.archive)

    with empty.database.reading() as session:
        entries = [told(one) for one in session.scalars(select(LedgerEntry))]
    arrivals = [one for one in entries if one.action == "archive:project:import"]
    theirs = [one for one in entries if one.origin]
    assert [one.subject for one in arrivals] == ["RPM", "SIDE"]
    assert {one.person_name for one in arrivals} == {"The Owner"}
    assert arrivals[0].details["archive"] == brought.archive
    assert arrivals[0].details["source"] == brought.signer
    assert arrivals[0].details["source_head"]["seq"] > len(theirs)
    assert brought.entries == len(theirs)
    assert {one.origin for one in theirs} == {brought.signer}
    assert all(one.written >= arrivals[0].at > one.at for one in theirs), "nothing is dated back"


def test_nobody_can_sign_in_with_what_came_along(source: Source, empty: House) -> None:
    brought = empty.bring(source.archive)

    with empty.database.reading() as session:
        people = session.execute(
            select(Person.uid, Person.active, Person.password_hash).where(
                col(Person.uid) != "PPL-OWNER"
            )
        ).all()
        roles = session.scalars(select(RoleGrant.id).where(col(RoleGrant.project_id).is_not(None)))
        assert len(roles.all()) == brought.rows["role_grant"]
    assert {one.uid for one in people} == set(brought.people_made)
    assert {(one.active, one.password_hash) for one in people} == {(False, "")}
    rows = {name for name in members_of(source.archive) if name.startswith("rows/")}
    assert not {"rows/web_session.jsonl", "rows/api_token.jsonl", "rows/job.jsonl"} & rows


def test_a_project_that_an_audit_trail_begins_with_moves_too(
    empty: House, database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        create_project(session, "ONE", "The first", None)
    first = empty_house(tmp_path / "first", database)

    made = first.export(tmp_path / "one.zip", "ONE")

    assert made.faults == ()
    assert empty.bring(tmp_path / "one.zip").entries == 1


def test_trying_it_keeps_nothing(source: Source, empty: House) -> None:
    before = empty.size()

    brought = empty.bring(source.archive, Wish(dry_run=True))

    assert not brought.kept
    assert brought.rows["record"] == 5
    assert empty.size() == before


def test_only_an_administrator_imports_a_project(source: Source, empty: House) -> None:
    somebody = Actor(1, "PPL-X", "Somebody", {})
    house = House(empty.settings, empty.database, somebody)

    with pytest.raises(Refused, match="is no administrator"):
        house.bring(source.archive)


def test_a_project_that_is_here_is_never_changed(source: Source, empty: House) -> None:
    empty.bring(source.archive)

    faults = refused(empty, source.archive)

    assert faults == [
        f"{key}: is here already; an archive changes no project." for key in ("RPM", "SIDE")
    ]


def test_links_into_a_project_that_is_not_here_are_told_and_refused(
    source: Source, empty: House, tmp_path: Path
) -> None:
    made = source.house.export(tmp_path / "rpm.zip", "RPM")
    source.house.export(tmp_path / "side.zip", "SIDE")

    faults = refused(empty, tmp_path / "rpm.zip")
    empty.bring(tmp_path / "side.zip")
    empty.bring(tmp_path / "rpm.zip")

    assert made.needs == ("SIDE",)
    assert faults == [
        "SIDE UN-901: is linked to and is not here. Import SIDE first, or export both together "
        "with --from."
    ]
    assert shown(empty) == shown(source.house)
    assert is_clean(empty)


def test_a_uid_that_is_somebody_elses_here_is_refused_unless_they_are_one(
    source: Source, empty: House
) -> None:
    with empty.database.writing() as session:
        add_staff(session, create_project(session, "OTHER", "Another", None))
        married = session.scalars(select(Person).where(col(Person.uid) == "PPL-AK")).one()
        married.name = "Amara Lund"

    faults = refused(empty, source.archive)
    empty.bring(source.archive, Wish(same_people=("PPL-AK",)))

    assert len(faults) == 1
    assert faults[0].startswith("PPL-AK: is Amara Kole in the archive and Amara Lund here.")
    assert is_clean(empty)


@pytest.mark.parametrize(
    ("address", "told_of"),
    [("https://qa.example.org", ""), ("https://other.example.org", "address")],
)
def test_a_server_of_the_same_name_is_kept_or_refused(
    source: Source, empty: House, address: str, told_of: str
) -> None:
    with empty.database.writing() as session:
        session.add(QatrackServer(name="main", address=address, time_zone="UTC"))

    if told_of:
        faults = refused(empty, source.archive)
        assert faults == [
            "qatrack server main: is another one here; they differ in address. Rename the one here."
        ]
        return
    brought = empty.bring(source.archive)

    assert brought.notes == [
        "The qatrack server main is known here already: it stays as it is, and what the archive "
        "holds of it was left out."
    ]
    with empty.database.reading() as session:
        assert session.scalars(select(QatrackItem)).all() == []
    assert is_clean(empty)


def test_an_archive_of_another_key_is_refused_where_a_key_is_given(
    source: Source, empty: House
) -> None:
    from core.signing.keys import load_key

    theirs = load_key(source.house.settings.data_dir).public

    faults = refused(empty, source.archive, Wish(trusted=SigningKey.generate().public))
    brought = empty.bring(source.archive, Wish(trusted=theirs))

    assert "not of the key given" in faults[0]
    assert brought.trusted


def test_a_run_under_way_is_finished_first(source: Source, empty: House, tmp_path: Path) -> None:
    empty.bring(source.archive)
    with empty.database.writing() as session:
        project = find_project(session, "RPM")
        job = enqueue(session, "validation.run", {}, None, project_id=project.id)
        session.add(
            Run(
                project_id=project.id or 0, number=3, protocol="verification", tester="x", tag="v1",
                repository="device", commit="0" * 40, state=RunState.RUNNING, job_id=job.id,
                repository_id=session.scalars(select(MarkedLines.repository_id)).first() or 0,
            )
        )  # fmt: skip

    with pytest.raises(Invalid) as refusal:
        empty.export(tmp_path / "none.zip", "RPM", "SIDE")

    assert [str(one) for one in refusal.value.faults] == [
        "run 3 of RPM: is under way. Export when it has ended."
    ]
    assert not (tmp_path / "none.zip").exists()


def test_what_is_damaged_at_the_source_is_told_when_it_is_exported(
    source: Source, empty: House, tmp_path: Path
) -> None:
    empty.bring(source.archive)
    [sha256, *_] = sorted(empty.store.digests())
    path = BlobStore(empty.settings.data_dir / "blobs").path(sha256)
    path.chmod(0o640)
    path.write_bytes(b"rotten")

    made = empty.export(tmp_path / "rotten.zip", "RPM", "SIDE")

    assert [one.where for one in made.faults] == [sha256]


def test_what_was_edited_behind_the_audit_trail_does_not_become_right_by_moving(
    source: Source, empty: House, empty_sqlite: Path, tmp_path: Path
) -> None:
    empty.bring(source.archive)
    third = empty_house(tmp_path / "third", empty_sqlite)
    with empty.database.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
        )
        guards = dict(rows.all())
        for name in guards:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.exec_driver_sql("UPDATE attachment SET name = 'other.txt'")
        for guard in guards.values():
            connection.exec_driver_sql(guard)

    made = empty.export(tmp_path / "edited.zip", "RPM", "SIDE")
    faults = refused(third, tmp_path / "edited.zip")
    third.database.engine.dispose()

    assert [one.where for one in made.faults] == ["attachment other.txt, row 1"]
    assert faults == [
        "attachment other.txt, row 1: At the source: is not as the audit trail last saw it: it was "
        "edited. Find out what happened there, and export again when nothing is found."
    ]


@pytest.mark.database
def test_what_somebody_did_elsewhere_is_found_under_their_name(
    source: Source, database: Database, tmp_path: Path
) -> None:
    house = empty_house(tmp_path / "var", database)
    house.bring(source.archive)

    with house.database.reading() as session:
        number = find_project(session, "RPM").id
        theirs, many = read_trail(session, number, TrailFilter(person="esther"))
        _, more = read_trail(session, number, TrailFilter(person="The Owner"))
        nobody, none = read_trail(session, number, TrailFilter(person="person_name"))

        names = [told(one).person_name for one in theirs]
    assert set(names) == {"Esther Quill"}
    assert many == len(names)
    assert more > many
    assert (nobody, none) == ([], 0)
