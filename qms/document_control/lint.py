"""Hold a folder of controlled documents against itself: versions, ids, citations, markers. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qms.clauses.lists import ClauseList
from qms.document_control.documents import FACTS, OWN_ID, Document, Said, ids_in


@dataclass(frozen=True, order=True)
class DocumentFinding:
    """One thing that is wrong, with the file and the line."""

    path: str
    line: int
    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.what}"


CODES: Mapping[str, str] = {
    "DL01": "Front matter and table of a document say different things",
    "DL02": "Citation of a procedure at another version than it has",
    "DL03": "Id that no document of the folder has",
    "DL04": "Clause marker that cannot be read",
    "DL05": "Id that two documents have",
    "DL06": "Controlled document without front matter",
    "DL07": "File name and table give different ids",
}


def lint(
    documents: Sequence[Document], standards: Mapping[str, ClauseList]
) -> tuple[DocumentFinding, ...]:
    """Return everything in which the documents disagree with themselves or each other."""
    known = {document.stated_id: document for document in documents if document.stated_id}
    found = [
        *_twice(documents),
        *(
            finding
            for document in documents
            for check in (_disagreeing, _stale, _unknown, _identity)
            for finding in check(document, known)
        ),
        *(finding for document in documents for finding in _unreadable(document, standards)),
    ]
    return tuple(sorted(found))


def _disagreeing(document: Document, _: Mapping[str, Document]) -> Iterator[DocumentFinding]:
    for key, labels in FACTS.items():
        said = document.front.get(key)
        # A template's table calls its own version by another name than a procedure's does.
        names = [one for one in labels if one in document.table]
        if said is None or not names:
            continue
        told = document.table[names[0]]
        if said.value != told.value and (said.value or told.value):
            yield DocumentFinding(
                document.path,
                told.line,
                "DL01",
                f"the table says {names[0]} {told.value or '(nothing)'}, the front matter says "
                f"{key} {said.value or '(nothing)'} on line {said.line}.",
            )


def _stale(document: Document, known: Mapping[str, Document]) -> Iterator[DocumentFinding]:
    cited, version = document.front.get("sop_id"), document.front.get("sop_version")
    for name in ids_in(cited.value) if cited else ():
        procedure = known.get(name)
        current = procedure.version if procedure is not None else None
        if version is not None and current is not None and version.value != current.value:
            yield DocumentFinding(
                document.path,
                version.line,
                "DL02",
                f"cites {name} at version {version.value or '(none)'}; it is at {current.value}.",
            )


def _unknown(document: Document, known: Mapping[str, Document]) -> Iterator[DocumentFinding]:
    owners = {name.split(" ")[0] for name in known}
    told: set[str] = set()
    for said in document.cited:
        if said.value not in known and said.value.split(" ")[0] in owners:
            # Once for each document, at the first place: one mend is due, not ten.
            if said.value not in told:
                yield DocumentFinding(
                    document.path,
                    said.line,
                    "DL03",
                    f"names {said.value}, which no document of the folder is.",
                )
            told.add(said.value)


def _identity(document: Document, _: Mapping[str, Document]) -> Iterator[DocumentFinding]:
    if not document.stated_id:
        return
    if document.problem:
        what = f"has front matter that cannot be read: {document.problem}."
        yield DocumentFinding(document.path, 1, "DL06", what)
    elif not document.front:
        what = "is a controlled document by its name and has no front matter."
        yield DocumentFinding(document.path, 1, "DL06", what)
    own = _own_id(document)
    if own is not None and document.stated_id not in ids_in(own.value):
        yield DocumentFinding(
            document.path,
            own.line,
            "DL07",
            f"is {document.stated_id} by its name and calls itself {own.value or '(nothing)'}.",
        )


def _own_id(document: Document) -> Said | None:
    """Return what a document calls itself; the SOP id of a template is its procedure's."""
    for label in OWN_ID:
        if label in document.table:
            return document.table[label]
    if document.is_procedure:
        return document.table.get("sop id", document.front.get("sop_id"))
    return None


def _twice(documents: Sequence[Document]) -> Iterator[DocumentFinding]:
    paths: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        if document.stated_id:
            paths[document.stated_id].append(document.path)
    for name, each in paths.items():
        for path in each[1:]:
            yield DocumentFinding(path, 1, "DL05", f"is {name}, as {each[0]} is.")


def _unreadable(
    document: Document, standards: Mapping[str, ClauseList]
) -> Iterator[DocumentFinding]:
    for marker in document.markers:
        fault = marker.fault
        if not fault and marker.standard in standards:
            listed = standards[marker.standard]
            if not listed.marked(marker.clause):
                fault = f"is no clause of {listed.name}"
        if fault:
            what = f"the marker '{marker.clause or marker.standard}' {fault}."
            yield DocumentFinding(document.path, marker.line, "DL04", what)
