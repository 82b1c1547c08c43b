"""Find the id that was meant by one that is not there, at a cost that many ids do not raise."""

import re
from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST = 60
"""Longer ids are not compared: nobody types them."""

MOST_NEAR = 50
"""Candidates that are compared; ids with as many neighbours differ in their numbers alone."""


class NearIds:
    """Ids by what remains of each when one character is taken away.

    Two ids that differ by one character, or by two neighbours swapped, share such a remainder, so
    that the candidates are looked up and not searched for.

    Examples
    --------
    >>> NearIds(["REQ-0012", "REQ-0100"]).to("req_0012")
    'REQ-0012'
    >>> NearIds(["REQ-0012", "REQ-0100"]).to("REQ-0021")
    'REQ-0012'
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._plain: dict[str, str] = {}
        self._shorter: dict[str, list[str]] = defaultdict(list)
        for uid in ids:
            if len(uid) > LONGEST:
                continue
            self._plain.setdefault(_plain(uid), uid)
            for remainder in _remainders(uid):
                self._shorter[remainder].append(uid)

    def to(self, missing: str) -> str | None:
        """Return the nearest id, if one is near."""
        if len(missing) > LONGEST:
            return None
        if (same := self._plain.get(_plain(missing))) is not None:
            return same
        near: dict[str, None] = {}
        for remainder in _remainders(missing):
            near |= dict.fromkeys(self._shorter.get(remainder, ())[:MOST_NEAR])
        # The later in the id, the likelier the slip: what agrees from the left is preferred.
        return max(
            near, key=lambda one: (_ratio(one, missing), _common(one, missing)), default=None
        )


def _plain(uid: str) -> str:
    """Return an id as it sounds: no capitals, no separators, no zeros before a number."""
    return re.sub(r"(?<!\d)0+(?=\d)|[\W_]+", "", uid.lower())


def _remainders(uid: str) -> set[str]:
    uid = uid.lower()
    return {uid, *(uid[:at] + uid[at + 1 :] for at in range(len(uid)))}


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _common(one: str, other: str) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
