"""What the database says when it refuses."""

import pytest
from sqlalchemy.exc import IntegrityError

from core.people.models import Person

pytestmark = pytest.mark.database


def test_refused_statement_does_not_tell_what_it_was_given(database) -> None:
    with pytest.raises(IntegrityError) as refused:
        write_twice(database)

    assert "the hash" not in str(refused.value)


def write_twice(database) -> None:
    with database.writing() as session:
        for uid in ("PPL-1", "PPL-2"):
            session.add(Person(username="ada", uid=uid, name="Ada", password_hash="the hash"))
