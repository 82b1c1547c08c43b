"""A folder of our own records as a corpus, so that every check of links works on it too."""

from collections.abc import Iterable

from qms.interchange.corpus import Corpus, Finding, Item, Place, Reference
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.values import as_text

FORMAT = "markdown"
PINNED = "revision"
"""The attribute of a link that says for which revision of its target it was made."""


def as_corpus(folder: RecordFolder) -> Corpus:
    """Return the records of a folder as items, and what is wrong with its files as findings.

    A target in another project is named `PROJECT/UID`, as its file names it.
    """
    findings = tuple(
        Finding(fault.code, fault.what, _place(fault.where), mend=fault.mend)
        for fault in folder.faults
    )
    return Corpus(FORMAT, tuple(_items(folder.records)), findings)


def _items(records: Iterable[RecordFile]) -> Iterable[Item]:
    for one in records:
        yield Item(
            one.uid,
            one.type,
            one.content.title,
            one.content.body,
            _place(one.where("id")),
            revision=str(one.revision),
            fields=dict(one.content.fields),
            references=tuple(_references(one)),
        )


def _references(one: RecordFile) -> Iterable[Reference]:
    for place, link in enumerate(one.content.links):
        own = link.project in (None, one.project)
        pinned = link.attributes.get(PINNED)
        yield Reference(
            link.role,
            link.target if own else f"{link.project}/{link.target}",
            _place(one.where("links", place)),
            None if pinned is None else as_text(pinned),
            {name: as_text(value) for name, value in link.attributes.items()},
        )


def _place(where: str) -> Place:
    file, colon, line = where.rpartition(":")
    return Place(file, int(line)) if colon and line.isdigit() else Place(where)
