"""Why a revision came back: what was said when it was rejected or discarded, from the trail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.ledger.brought import acts_like, told
from core.ledger.models import LedgerEntry
from core.records.models import Record

REJECT, DISCARD = "reject", "discard"


@dataclass(frozen=True)
class Remark:
    """One reason that somebody gave.

    Attributes
    ----------
    act : str
        "reject" or "discard".
    """

    act: str
    revision: int
    who: str
    at: datetime
    reason: str

    @property
    def told(self) -> str:
        """What was done, as a sentence begins."""
        return "Sent back" if self.act == REJECT else "Discarded"


def remarks_of(session: Session, record: Record) -> Mapping[int, Sequence[Remark]]:
    """Return the remarks about each revision of a record by its number, the oldest first."""
    found = remarks_on(session, [record])
    return {number: said for (_, number), said in found.items()}


def remarks_on(
    session: Session, records: Sequence[Record]
) -> Mapping[tuple[int, int], Sequence[Remark]]:
    """Return the remarks about revisions of some records, by record id and number."""
    ids = {(one.project_id, one.uid): one.id or 0 for one in records}
    found: dict[tuple[int, int], list[Remark]] = defaultdict(list)
    for chunk in chunks({uid for _, uid in ids}):
        rows = session.execute(
            select(LedgerEntry)
            .where(
                col(LedgerEntry.subject).in_(chunk),
                acts_like(*(f"record:%:{act}" for act in (REJECT, DISCARD))),
            )
            .order_by(col(LedgerEntry.seq))
        ).scalars()
        for one in map(told, rows):
            record_id = ids.get((one.project_id or 0, one.subject))
            if record_id is None:
                continue
            said, act = one.details, one.action.rsplit(":", 1)[1]
            number = int(said["revision"])
            remark = Remark(act, number, one.person_name, one.at, str(said.get("reason", "")))
            found[record_id, number].append(remark)
    return found
