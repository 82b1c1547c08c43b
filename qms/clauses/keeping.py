"""Keep what the clauses of a project came to, for as long as its release check stands.

A release check is handed out again only while everything it looks at is equal; so is this.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from qms.clauses.answering import Answers
from qms.clauses.lists import ClauseBook
from qms.rules.findings import CheckResult

MOST_KEPT = 8
"""Projects, and releases, whose last answer is kept."""

_lock = Lock()
_kept: OrderedDict[tuple[str, str], tuple[CheckResult, ClauseBook, Answers]] = OrderedDict()


def kept_answers(result: CheckResult, book: ClauseBook, ask: Callable[[], Answers]) -> Answers:
    """Return the answers that belong to a release check; asked anew for another one."""
    asked = (result.project, result.release)
    known = _kept.get(asked)
    if known is None or known[0] is not result or known[1] is not book:
        known = (result, book, ask())
    with _lock:
        _kept[asked] = known
        _kept.move_to_end(asked)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return known[2]
