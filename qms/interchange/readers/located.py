"""Read YAML as the product does everywhere, with its faults among those of the reading."""

from typing import Any

from core.errors import Invalid
from core.located_yaml import read_yaml
from qms.interchange.corpus import Place
from qms.interchange.readers.codes import UNREADABLE
from qms.interchange.readers.gathering import Gathering


def read_located_yaml(text: str, name: str, into: Gathering) -> Any:
    """Return what a YAML file holds, its mappings with their lines, or None with its faults."""
    try:
        document, faults = read_yaml(text, name)
    except Invalid as refusal:
        document, faults = None, refusal.faults
    for fault in faults:
        line = fault.where.rpartition(":")[2]
        place = Place(name, int(line) if line.isdigit() else None)
        into.fault(UNREADABLE, place, fault.what, fault.mend)
    return document.value if document else None
