"""Our needs.json is edited by hand: what was edited comes in, what is wrong is told by line."""

from pathlib import Path

import pytest

from core.records.content import LinkDraft
from core.records.types import get_registry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.returning.reading import read_records
from qms.interchange.writers.needs import to_needs
from tests.qms.interchange.returning.test_reqif import ALL


def edited(folder: Path, *changes: tuple[str, str]) -> RecordFolder:
    text = to_needs("RPM", ALL, get_registry()).decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "needs.json"
    path.write_text(text)
    return read_records(path, get_registry())


def test_lists_of_links_are_edited_and_keep_what_each_says(tmp_path: Path) -> None:
    lists = '"derives_from": [\n      "UN-001"\n     ]'

    found = edited(
        tmp_path,
        (lists, '"derives_from": ["UN-002", "DEPT/UN-001"]'),
        ('"Seen."', '"Seen by two."'),
    )

    assert not found.faults
    [one] = [one for one in found.records if one.is_edited]
    assert one.uid == "REQ-1"
    assert one.content.fields["acceptance"] == "Seen by two."
    assert one.content.links == (
        LinkDraft("mitigates", "RSK-001", None, {"kind": "x"}),
        LinkDraft("derives_from", "UN-002"),
        LinkDraft("derives_from", "UN-001", "DEPT"),
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "what"),
    [
        ('"id": "UN-001"', '"id": "un 1"', "TR321", "'un 1' is no uid."),
        ('"id": "UN-001"', '"id": 7', "TR321", "'id' is no text."),
        ('"id": "UN-001"', '"id": "REQ-1"', "TR310", "has the id REQ-1 again"),
        ('"acceptance": "Seen."', '"acceptence": "Seen."', "TR304", "has the unknown key"),
        ('"acceptance": "Seen."', '"acceptance": {}', "TR321", "'acceptance' is no text."),
        ('[\n      "RSK-001"\n     ]', '{"RSK-001": 1}', "TR306", "'mitigates' is no list"),
        ('"revision": "1",\n     "s', '"revision": "a",\n     "s', "TR321", "revision is 'a'"),
        ('"link_order": "[[', '"link_order": "[', "TR321", "'link_order' is not what"),
    ],
)
def test_what_is_wrong_in_a_need_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, what: str
) -> None:
    found = edited(tmp_path, (old, new))

    fault = found.faults[0]
    assert fault.code == code
    assert fault.what.startswith(what)
    name, _, line = fault.where.partition(":")
    text = (tmp_path / "needs.json").read_text().split("\n")
    assert name == "needs.json"
    assert 3 < int(line) < len(text)
