"""What became of a record since it was imported, and what importing its item again may do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from core.canonical import canonical_json
from core.records.content import Content
from qms.interchange.mapping.origin import IMPORTED, origin_in, said_digest


class Since(StrEnum):
    """How an item that comes in again stands to the record that it became."""

    OTHER = "other"
    """The record was not imported."""
    ELSEWHERE = "elsewhere"
    """The record was imported from another document: the same id may mean nothing."""
    AS_IMPORTED = "as imported"
    """Nothing that was written here would be lost if it says what its tool says now."""
    SAME = "same"
    """It was changed here to what its tool says now."""
    HERE = "here"
    """It was changed here alone."""
    BOTH = "both"
    """It was changed here and in its tool."""


def since_import(kept: Content, coming: Content, *, moved: bool = False) -> Since:
    """Compare a record with the item that comes in.

    The record remembers the digest of what it said when it was imported, so what changed on either
    side shows without asking the other tool.

    Parameters
    ----------
    moved : bool
        Whether somebody states that items may come from another file and document than before.
    """
    origin, news = origin_in(kept), origin_in(coming)
    if origin is None or news is None:
        return Since.OTHER
    if origin.get("id") != news.get("id") or origin.get("format") != news.get("format"):
        return Since.OTHER
    if not moved and all(origin.get(one) != news.get(one) for one in ("file", "document")):
        return Since.ELSEWHERE
    said = said_digest(kept)
    beside = _without_digest(origin) == _without_digest(news)
    if said == origin.get(IMPORTED) or (said == news.get(IMPORTED) and not beside):
        return Since.AS_IMPORTED
    if said == news.get(IMPORTED):
        return Since.SAME
    return Since.HERE if beside and origin.get(IMPORTED) == news.get(IMPORTED) else Since.BOTH


def _without_digest(origin: Mapping[str, Any]) -> bytes:
    # As canonical bytes: a tuple and 1.0 are kept as a list and as 1.
    return canonical_json({key: one for key, one in origin.items() if key != IMPORTED})
