"""Finding records by words: in the uid, the title, the text, and in what the fields say."""

import pytest

from core.records.content import Content
from core.records.listing import Wanted, find_records
from core.records.service import create_record
from tests.conftest import Office

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("late rectal", ["RSK-001"]),
        ("LATE RECTAL", ["RSK-001"]),
        ('Größe "zwei"', ["RSK-001"]),
        ("joined to the wrong", ["RSK-001"]),
        ("harm", []),
        ("100%", []),
        ("rsk", ["RSK-001", "RSK-002"]),
    ],
)
def test_words_are_found_in_what_fields_say_and_not_in_their_names(
    office: Office, words: str, found: list[str]
) -> None:
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        first = {
            "hazard": 'Größe "zwei" \\ drei',
            "sequence": ["two plans arrive", "dose joined to the wrong plan"],
            "harm": "Late rectal injury",
            "severity": 4,
        }
        create_record(session, project, "risk", Content("Wrong plan", "", first), author)
        create_record(session, project, "risk", Content("Another", "", {"harm": ""}), author)

    with office.reading() as session:
        listing = find_records(session, office.project(session), Wanted(words))

    assert [line.uid for line in listing.lines] == found
    assert listing.total == len(found)
