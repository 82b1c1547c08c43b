"""Look training up in the record, for whoever asks before a signature."""

from sqlmodel import Session

from core.clock import now
from core.records.queries import load_snapshot
from qms.training import training_record


def missing_training(session: Session, project: str, person: str, role: str) -> tuple[str, ...]:
    """Return, in sentences, what training a person lacks today to act in a role.

    A role that the project's training matrix does not name asks for nothing.
    """
    record = training_record(load_snapshot(session, [project]), project)
    return tuple(str(lack) for lack in record.lacking(person, [role], now().date()))
