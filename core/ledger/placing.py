"""When something changed behind the audit trail's back, as far as the trail can tell.

What a finding is about was last right in the entry that recorded it. Each verification that the
trail holds says more: one that found nothing there came before the change, one that named it came
after. One that found more than it kept, or something else about the same thing, says neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.canonical import rfc3339
from core.ledger.models import LedgerEntry

ACTION = "audit:trail:verify"
"""The action of the entry that says what a verification came to."""

MOST_TOLD = 20
"""Findings whose sentences such an entry keeps; all are counted, and verifying again names them."""


@dataclass(frozen=True)
class AuditFinding:
    """One thing that does not fit, with the record or entry it is about.

    Attributes
    ----------
    entry, recorded : int or None, str
        The entry that last recorded it, and the time of that.
    right_until, wrong_from : int or None
        The last entry at which it is known to have been right, and the first one that is known to
        have found it.
    when : str
        The same as sentences.
    """

    code: str
    where: str
    what: str
    entry: int | None = None
    recorded: str = ""
    right_until: int | None = None
    wrong_from: int | None = None
    when: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{' ' if self.when else ''}{self.when}"


@dataclass(frozen=True)
class Seen:
    """The entry that last recorded something."""

    seq: int
    at: datetime

    @property
    def told(self) -> str:
        """The entry and its time, as a sentence says them."""
        return f"entry {self.seq} ({self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC)"


@dataclass(frozen=True)
class Check:
    """One verification that the trail holds.

    Attributes
    ----------
    found : frozenset of (str, str)
        Where it found what; no more than are kept.
    whole : bool
        Whether these are all.
    """

    seen: Seen
    found: frozenset[tuple[str, str]]
    whole: bool

    def names(self, finding: AuditFinding) -> bool:
        """Whether it found this very thing."""
        return (finding.where, finding.what) in self.found

    def clears(self, finding: AuditFinding) -> bool:
        """Whether it is known to have found nothing about what a finding is about."""
        return self.whole and all(where != finding.where for where, _ in self.found)


def check_in(entry: LedgerEntry) -> Check | None:
    """Return the verification that an entry holds; None for any other entry."""
    if entry.action != ACTION:
        return None
    said = entry.details
    # Entries from before there was "found" hold sentences only, which named no project.
    found = [(str(where), str(what)) for where, what in said.get("found", ())]
    whole = len(found) == int(said.get("findings", 0))
    return Check(Seen(entry.seq, entry.at), frozenset(found), whole)


def placed(
    finding: AuditFinding, last: Seen | None, checks: Sequence[Check], lead: str = "Recorded in"
) -> AuditFinding:
    """Return a finding that says when it was last right, and when it changed.

    Parameters
    ----------
    last : Seen, optional
        The entry that recorded it; None for what no entry records.
    checks : sequence of Check
        Those of entries that are themselves as they were written, the oldest first.
    lead : str
        What the sentence begins with: "Recorded in", "Written after".
    """
    right, wrong, unsure = None, None, False
    for check in checks:
        if last is not None and check.seen.seq <= last.seq:
            continue
        if check.names(finding):
            wrong = check.seen
            break
        if check.clears(finding):
            right, unsure = check.seen, False
        else:
            unsure = True
    parts = [f"{lead} {last.told}."] if last else []
    if right is not None:
        parts.append(f"It was still right when {right.told} verified everything.")
    if wrong is not None:
        first = "at the latest" if unsure else "first"
        parts.append(f"The verification of {wrong.told} found it {first}.")
    elif unsure:
        parts.append("A verification before this one may have found it: not all is kept of them.")
    elif last is not None or right is not None:
        parts.append("No verification found it before this one.")
    after = right or last
    return replace(
        finding,
        entry=finding.entry or (last.seq if last else None),
        recorded=rfc3339(last.at) if last else "",
        right_until=after.seq if after else None,
        wrong_from=wrong.seq if wrong else None,
        when=" ".join(parts),
    )
