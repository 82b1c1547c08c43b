"""Let the garbage collector rest while much is made that forms no ring."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_resting = 0
_was_on = False


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Look for no rings meanwhile; several threads may ask, the last one to leave wakes it.

    What nothing names is freed as ever. Walking through a few hundred thousand new objects again
    and again while they are made takes as long as making them.
    """
    global _resting, _was_on
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting and _was_on:
                gc.enable()
