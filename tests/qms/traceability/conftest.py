"""A small design record built by hand: records and links, as a snapshot."""

from typing import Any

import pytest

from core.records.snapshot import Key, LinkView, RecordView, Snapshot


class Book:
    """Collects records and links; every record is approved unless said otherwise."""

    def __init__(self, project: str = "RPM") -> None:
        self.project = project
        self.records: list[RecordView] = []
        self.links: list[LinkView] = []

    def key(self, uid: str) -> Key:
        """Return the key of a record of this book's project."""
        return Key(self.project, uid)

    def add(
        self, type_name: str, uid: str, *, state: str = "approved", **fields: Any
    ) -> RecordView:
        """Add a record in any state."""
        record = RecordView(
            key=self.key(uid),
            type=type_name,
            title=f"Title of {uid}",
            body="",
            fields=fields,
            state=state,
            revision=1,
            author="Amara Kole",
            author_uid="PPL-AK",
            approved_at=None,
            content_digest="",
            envelope_digest="",
            fingerprint="",
            signatures=(),
            withdrawn=state == "withdrawn",
            in_force=state == "approved",
        )
        self.records.append(record)
        return record

    def link(self, source: str, role: str, target: str, **attributes: Any) -> None:
        """Link two records."""
        self.links.append(LinkView(role, self.key(source), self.key(target), attributes))

    def snapshot(self) -> Snapshot:
        """Return what has been collected."""
        return Snapshot(self.records, self.links)


@pytest.fixture
def book() -> Book:
    return Book()
