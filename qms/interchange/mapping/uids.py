"""The uid of a record for an item of another tool: its own id where that is a uid, else a spelling.

A spelling is made of the id alone, so that the same id has the same uid in every import, whatever
stands beside it. It ends in a part of the id's digest, by which two ids that look alike stay two.
"""

import re
from hashlib import sha256

from core.records.checking import UID

LONGEST_SPELT = 60
"""Characters of the id that its spelling shows: its end, which tells more than its beginning."""

_DIGEST_CHARACTERS = 8


def uid_of(foreign: str) -> str:
    """Return the uid of an item.

    Examples
    --------
    >>> uid_of("REQ-0012")
    'REQ-0012'
    >>> uid_of("req~specification-item")
    'Req-specification-item-8071a2d0'
    >>> uid_of("11")
    'I11-4fc82b26'
    """
    if UID.fullmatch(foreign):
        return foreign
    shown = re.sub(r"[^A-Za-z0-9._]+", "-", foreign).strip("-._")[-LONGEST_SPELT:].lstrip("-._")
    shown = f"I{shown}" if not shown[:1].isalpha() else shown[0].upper() + shown[1:]
    return f"{shown}-{sha256(foreign.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"
