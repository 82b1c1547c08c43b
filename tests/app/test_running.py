"""Who tests when a command names nobody."""

import pytest

from app.running import only_tester
from core.errors import Invalid
from core.people.models import Person
from core.people.service import grant, revoke
from tests.conftest import Office


def test_the_one_tester_of_a_project_tests(office: Office) -> None:
    assert only_tester(office.database, office.key).uid == "PPL-FR"


def test_where_several_test_they_are_named_and_nobody_is_chosen(office: Office) -> None:
    with office.writing() as session:
        chidi = session.get_one(Person, office.staff["PPL-CV"].person_id)
        grant(session, chidi, ["tester"], None, office.project(session).id)

    with pytest.raises(Invalid, match=r"PPL-CV \(Chidi Vance\), PPL-FR \(Farid Rowe\)"):
        only_tester(office.database, office.key)


def test_without_a_tester_it_is_said_which_role_to_give(office: Office) -> None:
    with office.writing() as session:
        project = office.project(session)
        for uid in ("PPL-FR", "PPL-EQ"):
            person = session.get_one(Person, office.staff[uid].person_id)
            for role in ("tester", "validation_tester", "release_manager"):
                if office.staff[uid].has(project.id or 0, role):
                    revoke(session, person, role, None, project.id)

    with pytest.raises(Invalid, match="give a person the role tester"):
        only_tester(office.database, office.key)
