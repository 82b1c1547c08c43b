"""Read the XML of a file of another tool; what keeps it from being read is a fault of the file."""

from core.located_xml import Element, Limits, Trouble, UnreadableXml
from core.located_xml import read_xml as read_located
from qms.interchange.corpus import Place
from qms.interchange.readers.codes import ENTITIES, TOO_MUCH, UNREADABLE
from qms.interchange.readers.gathering import Gathering

LIMITS = Limits(deepest=200, elements=3_000_000)

_CODES = {Trouble.DECLARES: ENTITIES, Trouble.TOO_MUCH: TOO_MUCH}


def read_xml(data: bytes, name: str, into: Gathering) -> Element | None:
    """Return the outermost element, or None with a fault."""
    try:
        return read_located(data, LIMITS)
    except UnreadableXml as trouble:
        declares = trouble.trouble is Trouble.DECLARES
        into.fault(
            _CODES.get(trouble.trouble, UNREADABLE),
            Place(name, trouble.line),
            f"It {trouble.what}.",
            "Export it without; nothing of it was expanded." if declares else "",
        )
        return None
