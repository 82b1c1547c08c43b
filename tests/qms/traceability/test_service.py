"""Matrix and risk file of the demonstration's record, read from a database."""

from pathlib import Path

import pytest
from sqlmodel import Session

from core import ports
from core.db import Database, Table, open_database
from core.errors import Invalid, NotFound
from core.people.actor import Actor
from core.people.models import Person
from core.records.importing import import_records
from core.records.service import create_project
from core.records.types import get_registry, use_packs
from core.verdicts import Verdict, VerdictWord
from dataflows.department import load_department
from qms.interchange.design_record import load_design_record
from qms.releases.scope import NEWEST
from qms.risks.service import risk_file
from qms.traceability.coverage import Flag, Outcome
from qms.traceability.service import load_trace, trace, why

ROOT = Path(__file__).parents[3]
PASSED_TESTS = ("TST-004", "TST-005", "TST-007", "TST-008", "TST-009", "TST-010", "TST-026")
ROLES = frozenset({"author", "developer", "administrator"})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Database:
    use_packs([ROOT / "qms/types", ROOT / "dataflows/types"])
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('trace') / 'demo.db'}")
    Table.metadata.create_all(db.engine)
    department = load_department(ROOT / "app/demo/department.yaml", "DEPT")
    record = load_design_record(ROOT / "app/demo/project.yaml", "RPM")
    with db.writing() as session:
        person = Person(username="ak", uid="PPL-AK", name="Amara Kole", password_hash="")
        session.add(person)
        session.flush()
        by = Actor(person.id or 0, person.name, person.uid, {None: ROLES})
        create_project(session, "DEPT", "Department", by)
        create_project(session, "RPM", "RT Plan Metrics", by)
        import_records(session, [*department, *record.drafts], by, get_registry())
    return db


def all_passed(_session: Session, _project: str, release: str | None) -> dict[str, Verdict]:
    """Pretend a complete run of release 0.1.0; without a release, of nothing."""
    tests = PASSED_TESTS if release == "REL-0.1.0" else ()
    return {uid: Verdict(VerdictWord.PASSED, run="1") for uid in tests}


def test_verdicts_are_asked_for_the_chosen_release(demo: Database) -> None:
    with demo.reading() as session, ports.verdict_source.filled(all_passed):
        judged = trace(session, "RPM", release="0.1.0")
        latest = trace(session, "RPM")

    passed = [row for row in judged.rows if row.judgement.outcome is Outcome.PASSED]
    assert judged.release == "REL-0.1.0"
    assert (len(judged.rows), len(passed), judged.count(Flag.NOT_RUN)) == (26, 8, 18)
    assert latest.count(Flag.NOT_RUN) == 26


def test_without_anybody_who_knows_every_test_reads_not_run(demo: Database) -> None:
    with demo.reading() as session:
        matrix = trace(session, "RPM", release=NEWEST)

    assert matrix.release == "REL-0.1.0"
    assert matrix.count(Flag.NOT_RUN) == 26


def test_columns_may_be_any_type_that_links_reach(demo: Database) -> None:
    with demo.reading() as session:
        matrix = trace(session, "RPM", "requirement", "connection, soup")

    cells = {row.record.key.uid: row.cells for row in matrix.rows}
    assert [entry.record.key for entry in cells["REQ-001"]["connection"]] == [("DEPT", "C023")]
    assert [entry.record.key.uid for entry in cells["REQ-001"]["soup"]] == ["SOUP-02", "SOUP-03"]


def test_projects_that_may_not_be_read_do_not_show(demo: Database) -> None:
    with demo.reading() as session:
        loaded = load_trace(session, "RPM", "requirement", "connection", readable=["RPM"])

    assert all(not row.cells["connection"] for row in loaded.matrix().rows)


def test_impossible_columns_and_releases_are_named(demo: Database) -> None:
    with demo.reading() as session:
        with pytest.raises(Invalid, match="unheard"):
            trace(session, "RPM", "requirement", "unheard")
        with pytest.raises(NotFound, match=r"9\.9"):
            trace(session, "RPM", release="9.9")


def test_why_explains_a_row_of_the_matrix_and_nothing_else(demo: Database) -> None:
    with demo.reading() as session, ports.verdict_source.filled(all_passed):
        loaded = load_trace(session, "RPM", release="0.1.0")
        row, sentences = why(session, loaded, "REQ-009")
        with pytest.raises(NotFound):
            why(session, loaded, "RSK-001")

    assert row.judgement.outcome is Outcome.PASSED
    assert str(sentences[-1]).startswith("So the verdict at 0.1.0 is passed")


def test_a_draft_requirement_controls_nothing_even_when_its_tests_passed(demo: Database) -> None:
    with demo.reading() as session, ports.verdict_source.filled(all_passed):
        file = risk_file(session, "RPM", "0.1.0")

    assert len(file.assessments) == 13
    assert not any(one.lowered for one in file.assessments)
    assert file.assessments[0].reasons[0] == "REQ-003 is draft and not approved."
    assert [owner.title for owner in file.owners[file.assessments[0].risk.key]] == ["Dr Dana Moss"]
