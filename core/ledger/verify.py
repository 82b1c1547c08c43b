"""Verify the audit trail: edits, gaps, a cut end, a chain made anew, and rows changed behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select
from sqlmodel import Session, col

from core.ledger.chain import head
from core.ledger.guards import missing_guards
from core.ledger.models import GENESIS, LedgerEntry, entry_hash

PAGE = 5_000


@dataclass(frozen=True)
class AuditFinding:
    """One thing that does not fit, with the record or entry it is about."""

    code: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Anchor:
    """A place in the chain that was written down outside: in a pack or at a Git tag."""

    seq: int
    hash: str
    source: str


@dataclass
class Verification:
    """The outcome: clean when there are no findings."""

    entries: int = 0
    head: str = GENESIS
    revisions: int = 0
    signatures: int = 0
    findings: list[AuditFinding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_chain(session: Session, anchors: tuple[Anchor, ...] = ()) -> Verification:
    """Recompute every entry, follow the chain, and look at the anchors."""
    result = Verification()
    wanted = {anchor.seq: anchor for anchor in anchors}
    previous, expected = GENESIS, 1
    for entry in _entries(session):
        where = f"audit trail entry {entry.seq}"
        if entry.seq != expected:
            gone = f"{expected}" if entry.seq == expected + 1 else f"{expected} to {entry.seq - 1}"
            result.findings.append(AuditFinding("gap", f"audit trail entry {gone}", "was deleted."))
        elif entry.previous != previous:
            result.findings.append(
                AuditFinding("broken-link", where, "does not follow the entry before it.")
            )
        if entry_hash(entry) != entry.hash:
            result.findings.append(
                AuditFinding(
                    "edited",
                    where,
                    f"({entry.action} {entry.subject}) was edited after it was written.",
                )
            )
        if entry.seq in wanted:
            _compare(result, wanted.pop(entry.seq), entry.hash)
        previous, expected = entry.hash, entry.seq + 1
        result.entries += 1
    result.head = previous
    last = head(session)
    if (last.seq, last.hash) != (expected - 1, previous):
        result.findings.append(
            AuditFinding(
                "cut",
                "audit trail",
                f"ends at entry {expected - 1}, but its head says {last.seq}: the end was cut or "
                "the head changed.",
            )
        )
    for anchor in wanted.values():
        result.findings.append(
            AuditFinding(
                "cut",
                "audit trail",
                f"ends at entry {expected - 1}, but {anchor.source} saw entry {anchor.seq}: "
                "the end was cut.",
            )
        )
    return result


def _compare(result: Verification, anchor: Anchor, found: str) -> None:
    if found != anchor.hash:
        result.findings.append(
            AuditFinding(
                "recomputed",
                f"audit trail entry {anchor.seq}",
                f"is not the one that {anchor.source} saw ({anchor.hash[:12]}, now {found[:12]}): "
                "the chain was made anew.",
            )
        )


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
