"""The one thread through the whole product, on PostgreSQL: from an empty database to the pack."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.demo.demo import Outcome, run_demo
from core.db import Database
from core.records.audit import verify_audit
from core.settings import Settings
from tests.conftest import TEST_DATABASE
from validation.verify.command import verify_command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database,
    pytest.mark.skipif(not TEST_DATABASE, reason="needs PostgreSQL: make test DB=postgresql"),
]


@dataclass(frozen=True)
class Done:
    """The demonstration on a PostgreSQL of its own."""

    outcome: Outcome
    told: str
    again: str


@pytest.fixture(name="run_twice")
def _run_twice(database: Database, tmp_path: Path) -> Iterator[Done]:
    settings = Settings(
        data_dir=tmp_path / "var", database_url=TEST_DATABASE, reference_data=tmp_path / "none"
    )
    first, second = io.StringIO(), io.StringIO()
    run_demo(settings, Console(file=first), serve=False).db.engine.dispose()
    outcome = run_demo(settings, Console(file=second), serve=False)
    yield Done(outcome, first.getvalue(), second.getvalue())
    outcome.db.engine.dispose()


def test_the_demonstration_ends_in_a_verified_pack(run_twice: Done, database: Database) -> None:
    outcome = run_twice.outcome

    said: list[str] = []
    verified = verify_command(outcome.pack_path, [outcome.key_path], write=said.append)

    assert not (outcome.key_path.parents[1] / "fiducial.db").exists()
    assert "18 of 18 scenarios passed" in run_twice.told
    assert "376 imported" in run_twice.told
    assert "there already; DEPT has 213, RPM has 163" in run_twice.again
    assert [rule.code for rule in outcome.check.failing] == []
    assert (verified, outcome.comparison) == (0, 0), said
    with database.reading() as session:
        assert verify_audit(session).findings == []
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE revision SET title = 'other'")
