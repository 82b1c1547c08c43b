"""What programs are told of records: the shapes that several answers share."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.records.comparing import Difference, Kind
from core.records.content import LinkDraft
from core.records.talking.reading import ThreadView
from core.signing.models import Signature


class LinkTold(BaseModel):
    """One authored link; without a project it leads to one of the record's own."""

    role: str = Field(max_length=60)
    target: str = Field(max_length=80)
    project: str | None = Field(default=None, max_length=60)
    attributes: dict[str, Any] = {}


class SignatureTold(BaseModel):
    """One signature of the revision; `deputy_for` names in whose place the role was held."""

    meaning: str
    role: str
    deputy_for: str | None = None
    name: str
    uid: str
    at: datetime


class CommentTold(BaseModel):
    """One thing that somebody said in a thread; the one that settles it is the last."""

    name: str
    uid: str
    at: datetime
    text: str
    settles: bool


class ThreadTold(BaseModel):
    """A talk about one revision: about the whole, its "body", or "field." and a field's name."""

    id: int
    revision: int
    about: str
    open: bool
    comments: list[CommentTold]


class PartTold(BaseModel):
    """A run of text that stayed, came or went."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    text: str


class DifferenceTold(BaseModel):
    """One value that differs, word by word."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    parts: list[PartTold]


class NamedTold(BaseModel):
    """A record by its project and uid."""

    model_config = ConfigDict(from_attributes=True)

    project: str
    uid: str


class WaitingTold(BaseModel):
    """A revision that waits for a person: for their signature, or as their own draft.

    `roles` are those of the person that may give the signature `meaning`; `threads` counts the
    talks about the record that are open.
    """

    project: str
    uid: str
    title: str
    revision: int
    author: str
    since: AwareDatetime
    meaning: str
    roles: list[str]
    threads: int


def links_told(links: Iterable[LinkDraft]) -> list[LinkTold]:
    """Return what is told of the links of a content."""
    return [
        LinkTold(
            role=one.role, target=one.target, project=one.project, attributes=dict(one.attributes)
        )
        for one in links
    ]


def signatures_told(signatures: Iterable[Signature]) -> list[SignatureTold]:
    """Return what is told of signatures."""
    return [
        SignatureTold(
            meaning=one.meaning, role=one.role, deputy_for=one.deputy_for or None,
            name=one.printed_name, uid=one.person_uid, at=one.at,
        )
        for one in signatures
    ]  # fmt: skip


def thread_told(thread: ThreadView) -> ThreadTold:
    """Return what is told of a thread, with everything that was said in it."""
    return ThreadTold(
        id=thread.id,
        revision=thread.revision,
        about=thread.part,
        open=thread.is_open,
        comments=[
            CommentTold(
                name=said.person_name, uid=said.person_uid, at=said.at, text=said.text,
                settles=said.settles,
            )
            for said in thread.comments
        ],
    )  # fmt: skip


def differences_told(differences: Sequence[Difference]) -> list[DifferenceTold]:
    """Return what is told of the values that differ."""
    return [DifferenceTold.model_validate(one) for one in differences]
