"""Look training up in the record for whoever asks before a signature; check it when it is saved."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Fault
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record, Revision
from core.records.queries import load_snapshot
from core.records.type_shape import RecordType
from qms.training import first_day, training_record

TRAINING = "training"


def missing_training(session: Session, project: str, person: str, role: str) -> tuple[str, ...]:
    """Return, in sentences, what training a person lacks today to act in a role.

    A role that the project's training matrix does not name asks for nothing.
    """
    record = training_record(load_snapshot(session, [project]), project)
    return tuple(str(lack) for lack in record.lacking(person, [role], now().date()))


def training_faults(
    session: Session, record_type: RecordType, project: Project, uid: str, content: Content
) -> list[Fault]:
    """Return what is wrong with a completed training, before it is kept or signed.

    Nobody is trained on a revision before it is approved, nor on a day to come.
    """
    if record_type.name != TRAINING or content.fields.get("outcome") != "complete":
        return []
    faults = []
    covers = [link for link in content.links if link.role == "covers"]
    if not covers:
        faults.append(Fault("no-document", uid, "covers no document.", "Name what it covered."))
    if not any(link.role == "person" for link in content.links):
        faults.append(Fault("no-person", uid, "names nobody.", "Name the person trained."))
    stated = content.fields.get("done")
    if not stated:
        faults.append(Fault("not-done", uid, "is complete without a day.", "Say when it was done."))
        return faults
    done = date.fromisoformat(str(stated))
    # A training names the day of its place, which begins up to fourteen hours before that of UTC.
    if done > (now() + timedelta(hours=14)).date():
        faults.append(
            Fault("done-later", uid, f"was done on {done}, which is still to come.", "Correct it.")
        )
    for link in covers:
        faults += _covering_faults(session, project, uid, link, done)
    return faults


def _covering_faults(
    session: Session, project: Project, uid: str, link: LinkDraft, done: date
) -> list[Fault]:
    number = link.attributes.get("revision")
    if number is None:
        what = f"does not say which revision of {link.target} it covered."
        return [Fault("no-revision", uid, what, "Name it; training counts for that one only.")]
    approved_at = session.execute(
        select(col(Revision.approved_at))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Project.key) == (link.project or project.key),
            col(Record.uid) == link.target,
            col(Revision.number) == number,
        )
    ).scalar_one_or_none()
    if approved_at is None:
        what = f"covers revision {number} of {link.target}, which is not approved."
        return [Fault("not-approved", uid, what, "Train on what is in force, once it is.")]
    if done < first_day(approved_at):
        what = (
            f"was done on {done}, before revision {number} of {link.target} was approved on "
            f"{approved_at.date()}."
        )
        return [Fault("done-before", uid, what, "Train on the approved revision.")]
    return []
