"""A QA procedure is linked to a connection in one step, and nothing is overwritten."""

import pytest
from sqlmodel import Session

from core.db import Database
from core.errors import Invalid, NotFound, Refused
from core.people.actor import Actor
from core.records import service as records
from core.records.content import LinkDraft
from dataflows import qa_links
from dataflows.qa_links import QaLinkForm
from dataflows.service import read_department


def _link(session: Session, uid: str, by: Actor, **asked: str) -> str:
    project = records.find_project(session, "DEPT")
    form = QaLinkForm.model_validate(asked)
    return qa_links.link(session, project, uid, form, by).uid


def test_a_new_procedure_is_made_with_its_link_and_covers_the_connection(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        uid = _link(
            session,
            "C022",
            author,
            title="Archive read-back",
            slug="arch-readback",
            frequency="annual",
        )

    with map_db.reading() as session:
        department = read_department(session, "DEPT", author)
    assert uid == "QA-059"
    assert department.qa_of_connection["C022"] == ("QA-059",)
    procedure = department.procedures["QA-059"]
    assert (procedure.title, procedure.slug, procedure.frequency) == (
        "Archive read-back",
        "arch-readback",
        "annual",
    )


def test_an_existing_procedure_keeps_what_it_controlled_and_controls_one_more(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        _link(session, "C022", author, procedure="QA-022")

    with map_db.reading() as session:
        project = records.find_project(session, "DEPT")
        procedure = records.find_record(session, project, "QA-022")
        content = records.read_content(session, procedure)
        reason = records.latest_revision(session, procedure).reason
    assert [(one.role, one.target) for one in content.links] == [
        ("controls_connection", "C023"),
        ("monitors", "REQ-001"),
        ("monitors", "REQ-003"),
        ("controls_connection", "C022"),
    ]
    assert content.links[1] == LinkDraft("monitors", "REQ-001", "RPM")
    assert reason == "Controls C022 too."


@pytest.mark.parametrize(
    ("uid", "asked", "error", "words"),
    [
        ("C022", {}, Invalid, "Neither an existing procedure nor the title"),
        ("C022", {"procedure": "QA-022", "title": "Both"}, Invalid, "not both"),
        ("C023", {"procedure": "QA-022"}, Invalid, "controls C023 already"),
        ("C022", {"procedure": "QA-999"}, NotFound, "no record QA-999"),
        ("C022", {"procedure": "PQA"}, NotFound, "PQA is no qa procedure; it is a system"),
        ("PQA", {"title": "On a system"}, NotFound, "PQA is no connection"),
        ("C022", {"title": "New", "frequency": "sometimes"}, Invalid, "Frequency or event"),
    ],
)
def test_a_link_that_makes_no_sense_is_refused_with_its_reason(
    *,
    map_db: Database,
    author: Actor,
    uid: str,
    asked: dict[str, str],
    error: type[Exception],
    words: str,
) -> None:
    with map_db.reading() as session, pytest.raises(error) as refused:
        _link(session, uid, author, **asked)

    assert words in str(refused.value)


def test_a_reader_may_not_link(map_db: Database, viewer: Actor) -> None:
    with map_db.writing() as session:
        for asked in ({"title": "New"}, {"procedure": "QA-022"}):
            with pytest.raises(Refused, match="may not write a qa procedure"):
                _link(session, "C022", viewer, **asked)
