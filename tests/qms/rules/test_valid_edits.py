"""Ten edits that are in order, on every record of every type: no rule has anything to say.

A check that cries wolf is not read. Each edit is made in all records at once, approved and signed
anew, as a team that goes through its whole record would leave it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.records.snapshot import LinkView, RecordView
from core.records.type_shape import FieldSpec, RecordType
from tests.qms.rules.conftest import Case

SENTENCE = "It is told once more, in other words."
FOREIGN = "Größe, 線量, αβγ; <b>bold</b> & 'quoted' \N{SNOWMAN} "
LONG = "A plain sentence of no account follows another one. " * 200

Edit = Callable[[RecordView, RecordType], RecordView]


def prose(kind: RecordType, record: RecordView) -> Iterator[tuple[str, FieldSpec]]:
    """Yield the fields in which people write sentences."""
    for name, spec in kind.fields.items():
        if spec.kind == "text":
            yield name, spec


def with_fields(record: RecordView, fields: dict[str, Any]) -> RecordView:
    return replace(record, fields={**record.fields, **fields})


def reword_the_title(record: RecordView, _: RecordType) -> RecordView:
    return replace(record, title=f"{record.title}, reworded")


def add_to_the_text(record: RecordView, _: RecordType) -> RecordView:
    return replace(record, body=f"{record.body}\n\n{SENTENCE}") if record.body else record


def add_to_the_prose(record: RecordView, kind: RecordType) -> RecordView:
    names = [name for name, _ in prose(kind, record) if record.fields.get(name)]
    return with_fields(record, {name: f"{record.fields[name]} {SENTENCE}" for name in names})


def fill_what_was_empty(record: RecordView, kind: RecordType) -> RecordView:
    names = [name for name, _ in prose(kind, record) if not record.fields.get(name)]
    return with_fields(record, dict.fromkeys(names, SENTENCE))


def add_a_list_in_markdown(record: RecordView, _: RecordType) -> RecordView:
    items = "\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    return replace(record, body=record.body + items) if record.body else record


def turn_the_rows_round(record: RecordView, kind: RecordType) -> RecordView:
    names = [
        name
        for name, spec in kind.fields.items()
        if spec.kind in ("list", "table") and isinstance(record.fields.get(name), list)
    ]
    return with_fields(record, {name: record.fields[name][::-1] for name in names})


def write_in_other_alphabets(record: RecordView, kind: RecordType) -> RecordView:
    edited = add_to_the_prose(record, kind)
    names = [name for name, _ in prose(kind, record) if record.fields.get(name)]
    edited = with_fields(edited, {name: FOREIGN + str(edited.fields[name]) for name in names})
    return replace(edited, body=FOREIGN + edited.body) if edited.body else edited


def write_at_length(record: RecordView, kind: RecordType) -> RecordView:
    names = [name for name, _ in prose(kind, record) if record.fields.get(name)]
    edited = with_fields(record, {name: f"{record.fields[name]} {LONG}" for name in names})
    return replace(edited, body=f"{edited.body}\n\n{LONG}") if edited.body else edited


def write_it_with_somebody(record: RecordView, _: RecordType) -> RecordView:
    return replace(record, co_authors=(*record.co_authors, "PPL-XX"))


EDITS: tuple[Edit, ...] = (
    reword_the_title,
    add_to_the_text,
    add_to_the_prose,
    fill_what_was_empty,
    add_a_list_in_markdown,
    turn_the_rows_round,
    write_in_other_alphabets,
    write_at_length,
    write_it_with_somebody,
)


@pytest.mark.parametrize("edit", EDITS, ids=[edit.__name__ for edit in EDITS])
def test_an_edit_in_order_raises_no_finding(whole: Case, edit: Edit) -> None:
    for key, record in whole.records.items():
        edited = edit(record, whole.registry.of(record.type))
        whole.records[key] = replace(edited, content_digest=f"edited {key.uid}")
        whole.digests[key] = f"edited {key.uid}"

    assert [one.sentence for one in whole.check().findings if not one.waiver] == []


def test_a_further_link_raises_no_finding(whole: Case) -> None:
    """The tenth: each record that may have several of a link has one more, to something alike."""
    linked = {(link.source, link.role, link.target) for link in whole.links}
    further = []
    for link in list(whole.links):
        record = whole.records[link.source]
        spec = whole.registry.of(record.type).links.get(link.role)
        if spec is None or not spec.many:
            continue
        kind = whole.records[link.target].type
        alike = [
            key
            for key, one in whole.records.items()
            if one.type == kind and one.in_force and (link.source, link.role, key) not in linked
        ]
        if alike and link.source not in {one.source for one in further}:
            further.append(LinkView(link.role, link.source, alike[0], dict(link.attributes)))
    whole.links += further

    assert len({whole.records[one.source].type for one in further}) >= 15
    assert [one.sentence for one in whole.check().findings if not one.waiver] == []


def test_every_type_is_among_the_edited(whole: Case) -> None:
    assert {one.type for one in whole.records.values()} == set(whole.registry.names())
