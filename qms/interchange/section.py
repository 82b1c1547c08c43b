"""One section of a design record file."""

from collections.abc import Mapping
from dataclasses import dataclass

from qms.interchange.draft_building import Handler


@dataclass(frozen=True)
class Section:
    """One list of the file: the type its entries become, and the keys they may have."""

    type: str
    keys: Mapping[str, Handler]
