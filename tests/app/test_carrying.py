"""Every table is classified: what moves with a project, what is shared, what stays."""

from dataclasses import replace

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String
from sqlalchemy import Table as Sheet

import app.tables  # noqa: F401 - importing makes every table known
from app.carrying import CARRYING
from core.archive.register import Behind, Carried
from core.archive.rows import OddRow, decoded, line_of, row_of
from core.db import Table


def test_every_table_says_whether_it_moves_with_a_project() -> None:
    assert CARRYING.faults(Table.metadata) == []


def test_a_new_table_and_a_new_reference_are_noticed() -> None:
    grown = MetaData()
    for sheet in Table.metadata.sorted_tables:
        sheet.to_metadata(grown)
    number = Column("id", Integer, primary_key=True)
    Sheet("remark", grown, number, Column("record_id", ForeignKey("record.id")))
    grown.tables["record"].append_column(Column("owner_id", Integer))
    grown.tables["attachment"].append_column(Column("preview_sha256", String))
    grown.tables["attachment"].append_column(Column("job_id", ForeignKey("job.id")))

    found = CARRYING.faults(grown)

    assert found == [
        "remark is not classified: say whether it moves with a project.",
        "record.owner_id looks like a reference; say what it names.",
        "attachment.job_id leads to job, which stays behind.",
        "attachment.preview_sha256 looks like a reference; say what it names.",
    ]


def test_a_table_that_is_gone_or_named_twice_is_noticed() -> None:
    lines = (*CARRYING.lines, Carried("gone", by="project_id"), Behind("job", "twice"))

    found = replace(CARRYING, lines=lines).faults(Table.metadata)

    assert found == ["gone is classified and is no table.", "job is classified twice."]


def test_a_row_keeps_the_form_of_its_numbers_and_the_same_row_is_the_same_bytes() -> None:
    row = {"b": {"z": 1.0, "a": [1, 2.50, None, True]}, "a": "ü\n"}

    line = line_of(row)

    assert line == '{"a":"ü\\n","b":{"a":[1,2.5,null,true],"z":1.0}}\n'.encode()
    assert line_of(row_of(line)) == line


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("number", "1", "number holds str '1'."),
        ("number", True, "number holds bool 'True'."),
        ("title", None, "title is empty."),
        ("created_at", "2026-01-01T00:00:00", "created_at holds a time without a zone."),
        ("created_at", "yesterday", "created_at holds no time: 'yesterday'."),
    ],
)
def test_a_column_refuses_what_it_cannot_hold(column: str, value: object, told: str) -> None:
    with pytest.raises(OddRow) as refusal:
        decoded(Table.metadata.tables["revision"].c[column], value)

    assert str(refusal.value) == told


@pytest.mark.parametrize("line", [b"{}", b"[]\n", b"{\n", b'{"a": NaN}\n', b"\xff\n"])
def test_a_line_that_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(OddRow):
        row_of(line)
