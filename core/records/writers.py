"""Who may write a type, and who may raise an issue that others will work on."""

from core.errors import Refused
from core.people.actor import Actor
from core.records import lifecycle
from core.records.models import Project, Revision
from core.records.type_shape import RecordType


def require_author(record_type: RecordType, project: Project, by: Actor) -> None:
    """Refuse a person who may not write records of a type.

    Raises
    ------
    Refused
    """
    if not by.has(project.id or 0, *record_type.authors):
        raise Refused(
            f"{by.name} may not write a {record_type.label.lower()} in {project.key}; that needs "
            f"the role {' or '.join(role.replace('_', ' ') for role in record_type.authors)}."
        )


def require_raiser(
    record_type: RecordType, project: Project, by: Actor, latest: Revision | None = None
) -> None:
    """Refuse a person who may neither write a type nor raise it and put right what they raised.

    Parameters
    ----------
    latest : Revision, optional
        The latest of what is to be edited; None for a new record.

    Raises
    ------
    Refused
    """
    own = latest is None or (raised_by(latest, by))
    if not (own and by.has(project.id or 0, *record_type.raisers)):
        require_author(record_type, project, by)


def still_raises(record_type: RecordType, project_id: int, latest: Revision, person: Actor) -> bool:
    """Whether a person may still put right, and attach files to, what they raised."""
    return raised_by(latest, person) and person.has(project_id, *record_type.raisers)


def raised_by(latest: Revision, person: Actor) -> bool:
    """Whether an issue is still open, and a person wrote it."""
    return latest.state == lifecycle.OPEN and person.uid in latest.authors
