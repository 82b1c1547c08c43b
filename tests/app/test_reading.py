"""An import of several files tells all that is wrong with all of them, or keeps everything."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.reading import Source, keep, read_sources
from core.errors import Invalid
from core.records.models import Record
from core.records.types import get_registry
from tests.conftest import Office

GOOD = """schema: rsq-demo/2
requirements:
- {id: REQ-001, title: One, text: B, category: interface, acceptance: A}
- {id: REQ-002, title: Two, text: B, category: interface, acceptance: A}
"""

FAULTY = """schema: rsq-demo/2
requirements:
- {id: REQ-001, title: One, text: B, category: nonsense, colour: red}
- {id: REQ-002, title: Two, text: B, category: interface, derives_from: [UN-999]}
"""


def faults_of(office: Office, *sources: Source) -> list[str]:
    with office.writing() as session, pytest.raises(Invalid) as caught:
        keep(session, read_sources(sources), office.staff["PPL-AK"], get_registry())
    with office.reading() as session:
        assert session.execute(select(Record)).first() is None
    assert caught.value.message == "Nothing was imported."
    return [f"{fault.where}: {fault.what}" for fault in caught.value.faults]


def written(folder: Path, name: str, text: str) -> Source:
    (folder / name).write_text(text)
    return Source("design-record", "RPM", folder / name)


def test_what_is_right_is_kept(office: Office, tmp_path: Path) -> None:
    source = written(tmp_path, "good.yaml", GOOD)

    with office.writing() as session:
        result = keep(session, read_sources([source]), office.staff["PPL-AK"], get_registry())

    assert [key.uid for key in result.created] == ["REQ-001", "REQ-002"]


def test_the_reader_and_the_record_types_speak_at_once(office: Office, tmp_path: Path) -> None:
    told = faults_of(office, written(tmp_path, "faulty.yaml", FAULTY))

    assert [one.partition(":")[0] for one in told] == ["faulty.yaml"] * 3
    assert "REQ-001: has the unknown key colour." in told[0]
    assert "REQ-002: names UN-999, which is not in the file." in told[1]
    assert "REQ-001: Category (category): Input should be" in told[2]


def test_a_file_that_gives_nothing_is_told_beside_the_faults_of_the_others(
    office: Office, tmp_path: Path
) -> None:
    faulty = written(tmp_path, "faulty.yaml", FAULTY)
    broken = written(tmp_path, "broken.yaml", "a: [")
    absent = Source("department", "RPM", tmp_path / "absent.yaml")
    strange = Source("spreadsheet", "RPM", tmp_path / "faulty.yaml")

    told = faults_of(office, faulty, broken, absent, strange)

    assert [one.partition(":")[0] for one in told] == [
        *["faulty.yaml"] * 2,
        "broken.yaml",
        "absent.yaml",
        "faulty.yaml",
    ]
    assert "is no file" in told[3]
    assert "'spreadsheet' is nothing that can be imported" in told[4]
