"""Verify the audit trail: edits, gaps, a cut end, a chain made anew, and rows changed behind it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import Connection, select
from sqlmodel import Session, col

from core.ledger.chain import head
from core.ledger.guards import missing_guards
from core.ledger.models import GENESIS, LedgerEntry, entry_hash
from core.ledger.placing import AuditFinding as AuditFinding
from core.ledger.placing import Check, Seen, check_in, placed

PAGE = 5_000


@dataclass(frozen=True)
class Anchor:
    """A place in the chain that was written down outside: in a pack or at a Git tag."""

    seq: int
    hash: str
    source: str


@dataclass
class Verification:
    """The outcome: clean when there are no findings.

    Attributes
    ----------
    checks : list of Check
        Earlier verifications that the trail holds, in sound entries.
    """

    entries: int = 0
    head: str = GENESIS
    revisions: int = 0
    signatures: int = 0
    findings: list[AuditFinding] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_chain(session: Session, anchors: tuple[Anchor, ...] = ()) -> Verification:
    """Recompute every entry, follow the chain, and look at the anchors.

    What an anchor shows is not placed: a verification without it could not have found that.
    """
    result = Verification()
    wanted: dict[int, list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        wanted[anchor.seq].append(anchor)
    found: list[tuple[AuditFinding, Seen | None]] = []
    compared: list[AuditFinding] = []
    sound: Seen | None = None
    previous, expected = GENESIS, 1
    for entry in _entries(session):
        flaws = list(_flaws(entry, previous, expected))
        found += [(one, sound) for one in flaws]
        for anchor in wanted.pop(entry.seq, ()):
            compared += _compared(anchor, entry.hash)
        if entry_hash(entry) == entry.hash:
            sound = Seen(entry.seq, entry.at)
            check = check_in(entry)
            result.checks += [check] if check else []
        previous, expected = entry.hash, entry.seq + 1
        result.entries += 1
    result.head = previous
    found += [(one, sound) for one in _cut(session, previous, expected - 1)]
    compared += _unseen(chain.from_iterable(wanted.values()), expected - 1)
    result.findings += [placed(one, last, result.checks, "Written after") for one, last in found]
    result.findings += compared
    return result


def _flaws(entry: LedgerEntry, previous: str, expected: int) -> Iterator[AuditFinding]:
    where = f"audit trail entry {entry.seq}"
    if entry.seq != expected:
        gone = f"{expected}" if entry.seq == expected + 1 else f"{expected} to {entry.seq - 1}"
        yield AuditFinding("gap", f"audit trail entry {gone}", "was deleted.", expected)
    elif entry.previous != previous:
        what = "does not follow the entry before it."
        yield AuditFinding("broken-link", where, what, entry.seq)
    if entry_hash(entry) != entry.hash:
        what = f"({entry.action} {entry.subject}) was edited after it was written."
        yield AuditFinding("edited", where, what, entry.seq)


def _cut(session: Session, previous: str, end: int) -> Iterator[AuditFinding]:
    last = head(session)
    if (last.seq, last.hash) != (end, previous):
        what = f"ends at entry {end}, but its head says {last.seq}: the end was cut or the head "
        yield AuditFinding("cut", "audit trail", f"{what}changed.")


def _unseen(anchors: Iterable[Anchor], end: int) -> Iterator[AuditFinding]:
    for anchor in anchors:
        what = f"ends at entry {end}, but {anchor.source} saw entry {anchor.seq}: the end was cut."
        yield AuditFinding("cut", "audit trail", what)


def _compared(anchor: Anchor, found: str) -> Iterator[AuditFinding]:
    if found != anchor.hash:
        what = (
            f"is not the one that {anchor.source} saw ({anchor.hash[:12]}, now {found[:12]}): "
            "the chain was made anew."
        )
        yield AuditFinding("recomputed", f"audit trail entry {anchor.seq}", what, anchor.seq)


def guard_findings(connection: Connection) -> list[AuditFinding]:
    """Return the guards of the database that are missing."""
    return [
        AuditFinding("no-guard", name, "this trigger is missing; run 'fiducial db upgrade'.")
        for name in missing_guards(connection)
    ]


def _entries(session: Session) -> Iterator[LedgerEntry]:
    last = 0
    while True:
        rows = (
            session.execute(
                select(LedgerEntry)
                .where(col(LedgerEntry.seq) > last)
                .order_by(col(LedgerEntry.seq))
                .limit(PAGE)
            )
            .scalars()
            .all()
        )
        if not rows:
            return
        for row in rows:
            yield row
            session.expunge(row)
        last = rows[-1].seq
