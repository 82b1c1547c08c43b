"""Say who lacks training for a role, from the training matrix and the training on record. Pure.

The matrix stands in the project record: for each role, the documents a person must be trained on
before acting in it. Training counts for the revision of the document it covered and no other, once
the person trained and somebody who confirms it signed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.records.snapshot import Key, RecordView, Snapshot


@dataclass(frozen=True)
class Training:
    """One training on record: a person, a document at a revision, and when it was completed.

    Attributes
    ----------
    signed : bool
        The person signed it as attended, and somebody else as approved.
    uid : str
        The record that says so.
    """

    person: str
    document: str
    revision: int | None
    done: date | None
    due: date | None = None
    signed: bool = True
    uid: str = ""


@dataclass(frozen=True)
class Lack:
    """One document that a person is not trained on although a role asks for it."""

    person: str
    role: str
    document: str
    revision: int
    reason: str

    def __str__(self) -> str:
        return f"{self.person} as {self.role} lacks training on {self.document}: {self.reason}."


@dataclass(frozen=True)
class TrainingRecord:
    """What a project says about training.

    Attributes
    ----------
    matrix : mapping of role to tuple of document uids
    documents : mapping of document uid to the revision in force
    approved : mapping of document uid to the first day on which that revision can be trained on
    trainings : mapping of person uid to their trainings
    """

    matrix: Mapping[str, tuple[str, ...]]
    documents: Mapping[str, int]
    trainings: Mapping[str, tuple[Training, ...]]
    approved: Mapping[str, date] = field(default_factory=dict)

    def lacking(self, person: str, roles: Iterable[str], on: date) -> tuple[Lack, ...]:
        """Return what `person` lacks on a day to act in `roles`; empty when nothing does.

        A document that the matrix asks for and that is not in force is lacking for everyone:
        nobody can have been trained on it.

        Examples
        --------
        >>> record = TrainingRecord({"tester": ("DOC-VVP",)}, {"DOC-VVP": 2}, {})
        >>> [str(lack) for lack in record.lacking("PPL-BT", ["tester"], date(2026, 5, 1))]
        ['PPL-BT as tester lacks training on DOC-VVP: never trained on it.']
        """
        lacks = []
        for role in roles:
            for document in self.matrix.get(role, ()):
                revision = self.documents.get(document)
                reason = (
                    "the document is not in force"
                    if revision is None
                    else self._reason(person, document, revision, on)
                )
                if reason:
                    lacks.append(Lack(person, role, document, revision or 0, reason))
        return tuple(lacks)

    def _reason(self, person: str, document: str, revision: int, on: date) -> str:
        own = [t for t in self.trainings.get(person, ()) if t.document == document]
        done = [t for t in own if t.done is not None and t.done <= on]
        covering = [t for t in done if t.revision == revision]
        since = self.approved.get(document, date.min)
        if any(t.signed and t.done is not None and t.done >= since for t in covering):
            return ""
        if any(t.signed for t in covering):
            return f"trained on revision {revision} before it was approved on {since}"
        if covering:
            return "the training is not signed by the person and by who confirms it"
        if done:
            known = max((t.revision for t in done if t.revision is not None), default=None)
            trained = f"revision {known}" if known is not None else "an unnamed revision"
            return f"trained on {trained}, revision {revision} is in force"
        due = [t.due for t in own if t.due is not None and t.done is None]
        return f"due {min(due)}, not done" if due else "never trained on it"


def training_record(snapshot: Snapshot, project: str) -> TrainingRecord:
    """Gather what the records of a project say about training.

    The matrix is that of the project's own record; documents count while they are in force.
    """
    matrix: dict[str, tuple[str, ...]] = {}
    for record in snapshot.of_type("project", project):
        for row in record.fields.get("training_matrix") or ():
            role = str(row.get("role", ""))
            matrix[role] = (*matrix.get(role, ()), *map(str, row.get("documents") or ()))
    in_force = [
        record
        for record in snapshot.of_type("document", project)
        if not record.withdrawn and record.state == "approved"
    ]
    trainings: dict[str, list[Training]] = defaultdict(list)
    for record in snapshot.of_type("training", project):
        if not record.withdrawn:
            for training in _trainings(snapshot, record):
                trainings[training.person].append(training)
    return TrainingRecord(
        matrix,
        {record.key.uid: record.revision for record in in_force},
        {person: tuple(each) for person, each in trainings.items()},
        {one.key.uid: first_day(one.approved_at) for one in in_force if one.approved_at},
    )


def first_day(approved_at: datetime) -> date:
    """Return the first day on which an approved revision can be trained on.

    A training names the day of its place. West of Greenwich the day of an approval may still be
    the one before that of its UTC time, nowhere by more than twelve hours.
    """
    return (approved_at - timedelta(hours=12)).date()


def is_signed(record: RecordView, person: str) -> bool:
    """Whether a training is signed by the person trained and by somebody else who confirms it."""
    given = {(one.meaning, one.person_uid == person) for one in record.signatures}
    return {("attended", True), ("approved", False)} <= given


def _trainings(snapshot: Snapshot, record: RecordView) -> Iterable[Training]:
    done = _date(record.fields.get("done")) if record.fields.get("outcome") == "complete" else None
    due = _date(record.fields.get("due"))
    key: Key = record.key
    for person in snapshot.outgoing(key, "person"):
        for covers in snapshot.outgoing(key, "covers"):
            revision = covers.attributes.get("revision")
            signed = is_signed(record, person.target.uid)
            yield Training(
                person.target.uid, covers.target.uid, revision, done, due, signed, key.uid
            )


def _date(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if isinstance(value, str) and value else None
