"""Keep what a release check cost, for as long as it would come out the same.

Judging ten thousand records takes seconds, and the home page asks for it each time. Nothing here
decides by time or by guess: an answer is given again only where its whole input is equal.
"""

from collections import OrderedDict
from threading import Lock
from typing import TypeVar

from core.collector import collector_at_rest
from core.records.content import Content, LinkDraft, content_digest
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from qms.rules.check import RELEASE, check
from qms.rules.facts import RuleInput
from qms.rules.findings import CheckResult, Pack

MOST_KEPT = 8
"""Projects whose digests are kept."""

MOST_CHECKED = 24
"""Projects, releases and gates whose last answer is kept: the home page asks for every release."""

Digests = dict[Key, tuple[RecordView, tuple[LinkView, ...], str]]
Asked = TypeVar("Asked")
Kept = TypeVar("Kept")

_lock = Lock()
_checks: OrderedDict[tuple[str, Key | None, str], tuple[RuleInput, Pack, CheckResult]] = (
    OrderedDict()
)
_digests: OrderedDict[str, Digests] = OrderedDict()


def checked(given: RuleInput, pack: Pack, gate: str = RELEASE) -> CheckResult:
    """Return what the rules of a gate say, again if everything they look at is as it was."""
    asked = (given.project, given.release, gate)
    known = _checks.get(asked)
    if known is None or known[1] is not pack or known[0] != given:
        with collector_at_rest():
            known = (given, pack, check(given, pack, gate))
    _keep(_checks, asked, known, MOST_CHECKED)
    return known[2]


def digests_now(snapshot: Snapshot, project: str) -> dict[Key, str]:
    """Compute the content digest of each record of a project from what is stored.

    A record that is the very value it was, with the links it had, has the digest it had.
    """
    known = _digests.get(project, {})
    found: Digests = {}
    for key, record in snapshot.records.items():
        if key.project != project:
            continue
        links = snapshot.outgoing(key)
        last = known.get(key)
        if last is not None and last[0] is record and last[1] == links:
            found[key] = last
        else:
            found[key] = (record, links, digest_now(record, links))
    _keep(_digests, project, found)
    return {key: digest for key, (_, _, digest) in found.items()}


def digest_now(record: RecordView, links: tuple[LinkView, ...]) -> str:
    """Compute a record's content digest again from what is stored now."""
    own = record.key.project
    drafts = tuple(
        LinkDraft(
            link.role,
            link.target.uid,
            None if link.target.project == own else link.target.project,
            dict(link.attributes),
        )
        for link in links
    )
    content = Content(record.title, record.body, dict(record.fields), drafts)
    return content_digest(own, record.type, record.key.uid, content)


def _keep(kept: OrderedDict[Asked, Kept], asked: Asked, value: Kept, most: int = MOST_KEPT) -> None:
    with _lock:
        kept[asked] = value
        kept.move_to_end(asked)
        while len(kept) > most:
            kept.popitem(last=False)
