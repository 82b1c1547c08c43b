"""Links that a machine saw are kept once, however often and in however many pieces."""

import pytest
from sqlmodel import select

from core.records.models import ObservedLink, Record
from core.records.observing import Observation, observe_link, observe_links

pytestmark = pytest.mark.database


def test_links_seen_again_in_either_way_are_kept_once(office) -> None:
    with office.writing() as session:
        record = Record(project_id=office.project(session).id, type="requirement", uid="REQ-001")
        session.add(record)
        session.flush()
        seen = [
            Observation(record.id, "commit", f"rpm@{n}", "implements", {"subject": "one"})
            for n in range(3)
        ]
        observe_link(session, record, "commit", "rpm@1", "implements", {"subject": "first"})

        observe_links(session, seen)
        observe_links(session, seen)
        observe_links(session, [])

        kept = session.exec(select(ObservedLink).order_by(ObservedLink.source_ref)).all()
        assert [link.source_ref for link in kept] == ["rpm@0", "rpm@1", "rpm@2"]
        assert kept[1].attributes == {"subject": "first"}
