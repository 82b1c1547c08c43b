"""Read the trailers of commits: which commit says it implements, verifies or fixes which record.

Pure. Git itself decides which lines of a message are trailers; here their values become record ids.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TRACE_KEYS = {"implements": "implements", "verifies": "verifies", "fixes": "fixes"}
"""Trailer key in lower case -> role of the observed link on the named record."""

LONGEST_NAME = 200
"""A record id is far shorter; what is longer is kept as the start of a finding."""

_SEPARATORS = re.compile(r"[,;\s]+")
_RECORD_ID = re.compile(r"[A-Z][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Mention:
    """One record id named by one trailer; the id need not exist."""

    role: str
    named: str

    @property
    def well_formed(self) -> bool:
        """Whether the text could be the id of a record at all."""
        return _RECORD_ID.fullmatch(self.named) is not None


def read_trailers(block: str) -> list[tuple[str, str]]:
    r"""Split Git's unfolded trailer block into (key, value), repeated keys kept.

    Examples
    --------
    >>> read_trailers("Implements: REQ-1\nImplements: REQ-2\n")
    [('Implements', 'REQ-1'), ('Implements', 'REQ-2')]
    """
    pairs = (line.partition(":") for line in block.split("\n") if ":" in line)
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def mentions(
    trailers: Iterable[tuple[str, str]], keys: Mapping[str, str] = TRACE_KEYS
) -> list[Mention]:
    """Return the records named by trace trailers, each role and id once, in their order.

    Several ids in one trailer are separated by commas or spaces; a full stop that ends a
    sentence does not belong to an id.

    Examples
    --------
    >>> mentions([("Implements", "REQ-1, REQ-2"), ("Reviewed-by", "Ada")])
    [Mention(role='implements', named='REQ-1'), Mention(role='implements', named='REQ-2')]
    """
    found: dict[Mention, None] = {}
    for key, value in trailers:
        role = keys.get(key.lower())
        if role is None:
            continue
        for word in _SEPARATORS.split(value):
            named = word.strip("()[]\"'`").rstrip(".")[:LONGEST_NAME]
            if named:
                found[Mention(role, named)] = None
    return list(found)
