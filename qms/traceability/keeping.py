"""Keep the last matrices, each for as long as it would come out the same.

Ten thousand records make a matrix of four thousand rows, which costs several times the page that
shows fifty of them. Nothing here decides by time: a matrix is given again only where everything it
is drawn from is equal.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from core.collector import collector_at_rest
from qms.traceability.matrix import Facts, Matrix, build
from qms.traceability.paths import Column

MOST_KEPT = 8
"""Matrices that are kept, the ones drawn last."""

Asked = tuple[str, str, tuple[Column, ...], str | None]

_lock = Lock()
_kept: OrderedDict[Asked, tuple[Facts, Matrix]] = OrderedDict()


def drawn(
    facts: Facts,
    project: str,
    rows_type: str,
    columns: Sequence[Column],
    release: str | None = None,
) -> Matrix:
    """Return what `build` returns, again if everything it looks at is as it was."""
    asked = (project, rows_type, tuple(columns), release)
    known = _kept.get(asked)
    if known is None or not _same(known[0], facts):
        with collector_at_rest():
            known = (facts, build(facts, project, rows_type, columns, release))
    with _lock:
        _kept[asked] = known
        _kept.move_to_end(asked)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return known[1]


def _same(one: Facts, other: Facts) -> bool:
    # The records by identity: comparing ten thousand of them would cost what drawing them does,
    # and a session that reads is given the very snapshot that another one loaded.
    return one.snapshot is other.snapshot and one == other
