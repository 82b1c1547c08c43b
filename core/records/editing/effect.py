"""What would come of a change once it is in force: who would need re-review, and who is let go."""

from sqlmodel import Session

from core.records.checking import content_faults
from core.records.comparing import lost_links
from core.records.content import Content
from core.records.models import Project, Record, Revision
from core.records.snapshot import Key
from core.records.targets import known_records
from core.records.type_shape import RecordType
from core.records.writing import content_of, says_the_same

CHANGES = "changes"


def effect(session: Session, record: Record, record_type: RecordType, content: Content) -> str:
    """Say why approving a content would throw doubt on nothing, or `CHANGES` where it would."""
    if record.effective_id is None:
        return "This record was never in force, so no other record relies on it yet."
    fields, _ = content_faults(record_type, content, record.uid)
    checked = Content(content.title.strip(), content.body, fields, content.links)
    before = session.get_one(Revision, record.effective_id)
    if says_the_same(record_type, before, checked):
        return "Nothing that other records rely on is changed: none will need re-review."
    return CHANGES


def losing(
    session: Session, project: Project, record: Record, record_type: RecordType, content: Content
) -> list[Key]:
    """Return the records in force that lose what a content no longer says of them."""
    if record.effective_id is None:
        return []
    before = content_of(session, session.get_one(Revision, record.effective_id), project)
    lost = [
        Key(one.project or project.key, one.target)
        for one in lost_links(record_type, before, content)
    ]
    there = known_records(session, lost)
    return [
        key
        for key in dict.fromkeys(lost)
        if (one := there.get(key)) and one.effective_id is not None and one.withdrawn_at is None
    ]
