"""What a person writes into a record, before it is checked and kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.canonical import digest


@dataclass(frozen=True)
class LinkDraft:
    """One authored link.

    Attributes
    ----------
    role : str
        A role that the record's type allows.
    target : str
        Uid of the record at the other end.
    project : str or None
        Key of the target's project; None means the record's own.
    attributes : mapping
        What the role says about the link, e.g. the kind of a risk control.
    """

    role: str
    target: str
    project: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """Title, Markdown body, typed fields and authored links, in the order they were written."""

    title: str
    body: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[LinkDraft, ...] = ()


@dataclass(frozen=True)
class RecordDraft:
    """One record as an importer reads it.

    Attributes
    ----------
    uid : str or None
        None lets the project give the next number of the type.
    number : int
        The revision number the source states; history before it stays in the source.
    state : str
        The state the source states. A controlled record is imported as a draft whatever it says:
        approval is a signature, and a signature is never imported.
    author : str or None
        Uid of the person who wrote it; None means whoever imports.
    origin : str
        File and line or entry, for faults.
    """

    project: str
    type: str
    uid: str | None
    content: Content
    number: int = 1
    state: str = "draft"
    author: str | None = None
    origin: str = ""


def content_document(project: str, type_name: str, uid: str, content: Content) -> dict[str, Any]:
    """Return exactly what the content digest is over: the same in the database and in Git."""
    return {
        "project": project,
        "type": type_name,
        "uid": uid,
        "title": content.title,
        "body": content.body,
        "fields": dict(content.fields),
        "links": [
            {
                "role": link.role,
                "project": link.project or project,
                "target": link.target,
                "attributes": dict(link.attributes),
            }
            for link in content.links
        ],
    }


def content_digest(project: str, type_name: str, uid: str, content: Content) -> str:
    """Return the SHA-256 of a record's content in canonical JSON."""
    return digest(content_document(project, type_name, uid, content))
