"""Registered data sets: where each lies, and whether its files are those of its record."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core.errors import Fault
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import RecordView
from validation.runs.data import KIND, RunData, folder_faults, same_digest, set_digests


class Standing(StrEnum):
    """How the files of a data set stand to its record."""

    REGISTERED = "as registered"
    DIFFERS = "differs from its record"
    NO_DIGEST = "has no digest in its record"
    ABSENT = "is not there"


@dataclass(frozen=True)
class DataSet:
    """One data set of a project, as its latest words and its folder stand now.

    Attributes
    ----------
    files, size : int
        How many files lie there, and their bytes together; 0 where none can be read.
    digest : str
        Of what lies there; empty where nothing can be read.
    faults : tuple of Fault
        Why its folder cannot be used.
    """

    uid: str
    title: str
    version: str
    state: str
    registered: str
    folder: Path
    files: int
    size: int
    digest: str
    faults: tuple[Fault, ...]

    @property
    def standing(self) -> Standing:
        """How its files stand to its record."""
        if self.faults:
            return Standing.ABSENT
        if not self.registered:
            return Standing.NO_DIGEST
        same = same_digest(self.registered, self.digest)
        return Standing.REGISTERED if same else Standing.DIFFERS

    @property
    def wrong(self) -> bool:
        """Whether a run on it would be refused."""
        return bool(self.registered) and self.standing is not Standing.REGISTERED

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "uid": self.uid,
            "title": self.title,
            "version": self.version,
            "state": self.state,
            "standing": str(self.standing),
            "folder": str(self.folder),
            "files": self.files,
            "bytes": self.size,
            "digest": f"{KIND}{self.digest}" if self.digest else "",
            "registered_digest": self.registered,
            "faults": [str(fault) for fault in self.faults],
        }


def data_sets(session: Session, project: Project, root: Path) -> list[DataSet]:
    """Hash every data set of a project; the latest revision of each is asked, drafts too."""
    snapshot = load_snapshot(session, [project.key], effective=False)
    return [
        _look(one, root / project.key)
        for one in snapshot.of_type("dataset", project.key)
        if not one.withdrawn
    ]


def _look(record: RecordView, folder: Path) -> DataSet:
    place = RunData(folder, (record.uid,))
    faults = folder_faults(folder / record.uid)
    frozen = [] if faults else place.freeze()
    return DataSet(
        uid=record.uid,
        title=record.title,
        version=str(record.fields.get("version") or ""),
        state=record.state,
        registered=str(record.fields.get("digest") or ""),
        folder=folder / record.uid,
        files=len(frozen),
        size=sum(entry["size"] for entry in frozen),
        digest=set_digests(frozen, place.sets).get(record.uid, ""),
        faults=tuple(faults),
    )
