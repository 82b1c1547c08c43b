"""What can be wrong with the files of another tool, each under a code that never changes."""

from collections.abc import Mapping

TOO_MUCH = "TR001"
NO_TEXT = "TR002"
UNREADABLE = "TR003"
OUTSIDE = "TR004"
ENTITIES = "TR005"
ARCHIVE = "TR006"
NO_ID = "TR007"
SHAPE = "TR008"
UNKNOWN = "TR009"
ATTACHED = "TR010"
PLACED = "TR011"
UNREVIEWED = "TR012"
NO_VALUE = "TR013"
NOT_READ = "TR014"

READING: Mapping[str, str] = {
    TOO_MUCH: "More than is read",
    NO_TEXT: "No text in UTF-8",
    UNREADABLE: "Not in the form of its format",
    OUTSIDE: "Path that leads out of the folder",
    ENTITIES: "XML that declares a document type or entities",
    ARCHIVE: "Archive that is damaged or unpacks to too much",
    NO_ID: "Item without an id",
    SHAPE: "Value of another kind than the format has there",
    UNKNOWN: "Key or type that nothing declares",
    ATTACHED: "File that an item names, absent or with another digest",
    PLACED: "Place in a document that holds no item",
    UNREVIEWED: "Item changed since the review that it states",
    NO_VALUE: "Link without one of its ends",
    NOT_READ: "Link or part of a file that was left out, since nothing reads what it is called",
}
"""Faults of files; the codes of links begin at TR101."""
