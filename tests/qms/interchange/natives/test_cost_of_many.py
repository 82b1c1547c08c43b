"""Many items of one file, or leading to one other, go back at a cost in proportion."""

import pytest

from core.records.content import Content
from qms.interchange.corpus import Corpus, Item, Place, Reference
from qms.interchange.mapping.back import corpus_of
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.natives import needs, rdm
from tests.effort import effort

pytestmark = pytest.mark.verifies("TST-043")

MANY = 5_000


def test_many_entries_are_put_into_one_list_of_project_data() -> None:
    place = Place("data/requirements.yml")
    items = [Item(f"r-{at}", "requirement", f"T{at}", "", place) for at in range(MANY)]
    file = rdm._File("data/requirements.yml", None)

    spent = effort(lambda: [file.put(one) for one in items])

    assert len(file.value["requirements"]) == MANY
    assert spent < 100


def test_many_links_to_one_need_are_told_from_its_side_too() -> None:
    place = Place("needs.json")
    link = (Reference("tests", "R", place),)
    items = [Item("R", "req", "R", "", place)]
    items += [Item(f"T{at:05}", "test", "", "", place, references=link) for at in range(MANY)]
    twice = Item("T00000", "test", "", "", place, references=link * 2)
    found: dict[str, bytes] = {}

    spent = effort(lambda: found.update(needs.write(Corpus("sphinx-needs", (*items, twice)))))

    assert found["needs.json"].count(b"tests_back") == 2
    assert spent < 100


def test_many_records_are_told_as_items() -> None:
    origin = {"format": "reqif", "file": "a.reqif", "document": "A"}
    records = [
        RecordFile(
            "RPM", "item", f"ITM-{at}", Content("T", "", {"origin": origin | {"id": f"{at}"}})
        )
        for at in range(MANY)
    ]

    spent = effort(lambda: corpus_of(records, "reqif", {}))

    assert spent < 200
