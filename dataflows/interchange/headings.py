"""What people call the columns of a table of the map."""

from collections.abc import Mapping, Sequence

from core.records.sheets import headings
from core.records.sheets.headings import Column, Headings, Words
from core.records.type_shape import RecordType

SPOKEN: Mapping[str, Words] = {
    "connection": {
        "id": ("connection",),
        "from_system": ("source", "from", "sender", "sends", "sending system"),
        "to_system": ("target", "to", "receiver", "receives", "receiving system", "destination"),
        "category": ("kind", "type"),
        "data_types": ("data", "data type", "object classes"),
        "trigger": ("trigger", "initiated by"),
        "responsible": ("owner", "responsible"),
        "surveyed_by": ("surveyed by", "staff group"),
        "surveyed_on": ("date", "surveyed", "date of survey"),
    },
    "system": {
        "id": ("system", "short name"),
        "title": ("system name",),
        "part_of": ("parent", "part of", "major system"),
        "owner": ("owner", "responsible"),
        "version": ("version",),
    },
}
"""Further words for columns, by type."""

TITLES: Mapping[str, Sequence[str]] = {
    "connection": ("from system", "to system", "qa procedures", "confirmed"),
}
"""Columns of our own exports that repeat what another column says; they are passed over."""


def columns_of(record_type: RecordType) -> dict[str, Column]:
    """Return every column that a table of a type of the map may have, by its plain heading."""
    return headings.columns_of(record_type, SPOKEN.get(record_type.name, {}))


def recognised(record_type: RecordType, stated: Sequence[str]) -> Headings:
    """Say what each heading of a table means, and what it may be a slip for where it does not."""
    passed = TITLES.get(record_type.name, ())
    return headings.recognised(columns_of(record_type), stated, passed)
