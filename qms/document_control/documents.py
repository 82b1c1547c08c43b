"""Controlled documents in Markdown as plain values: what they say they are, and what they cite.

The conventions read here are those of quality systems kept in Git: YAML front matter, a table of
the same facts under the title, and clause markers in comments, ``<!-- [13485:7.3.2a,7.3.3] -->``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FACTS: Mapping[str, tuple[str, ...]] = {
    "qms_version": ("qms version",),
    "sop_id": ("sop id",),
    "sop_version": ("sop version", "document version"),
    "policy_version": ("document version",),
    "info_version": ("document version",),
    "template_id": ("template id",),
    "template_version": ("template version",),
}
"""Key of the front matter -> the labels under which a document's own table says the same."""

OWN_ID = ("template id", "document id")
"""Labels of the table that say which document this is, the most telling first."""

OWN_VERSION = ("template_version", "sop_version", "policy_version", "info_version")

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_TABLE_ROW = re.compile(r"^\|\s*\*\*(?P<label>[^|*]+?)\*\*\s*\|\s*(?P<value>[^|\n]*?)\s*\|")
_FILE_ID = re.compile(r"^(?P<who>[A-Z]{2,6})-(?P<kind>[A-Z]{1,3})-(?P<number>\d{3})(?!\d)")
_ID = re.compile(r"\b(?P<who>[A-Z]{2,6})[ -](?P<kind>[A-Z]{1,3})[.-](?P<number>\d{3})(?!\d)")
_COMMENT = re.compile(r"<!--(?P<text>.*?)-->", re.DOTALL)
_MARKER = re.compile(r"^\[(?P<standard>\w[\w-]*)\s*:(?P<clauses>[^\[\]]*)\]$")
_MARKERLIKE = re.compile(r"\[?\s*\d{4,5}\s*[:;]|\[\w[\w-]*:|^\[\s*\d{4,5}\b")
_CLAUSE = re.compile(r"^\d+(?:\.\d+)*[a-z]?$|^[A-Z]{2,4}$")


@dataclass(frozen=True)
class Said:
    """One value with the line it stands on."""

    value: str
    line: int


@dataclass(frozen=True)
class Marker:
    """One clause that a document claims to cover, or a marker that says none.

    Attributes
    ----------
    fault : str
        Why it names no clause, as a clause of a sentence; empty where it does.
    """

    standard: str
    clause: str
    line: int
    fault: str = ""


@dataclass(frozen=True)
class Document:
    """One Markdown file.

    Attributes
    ----------
    path : str
        Relative to the folder.
    stated_id : str
        The id by its file name, as "CSC PR.016"; empty for files that carry none.
    front : mapping
        Its front matter.
    table : mapping
        The rows of its own table, by label in lower case.
    cited : tuple of Said
        Every id in its text, each with its line.
    not_applicable : mapping
        Clauses that a table of it declares not applicable, with the reason and the line.
    problem : str
        Why the front matter cannot be read.
    """

    path: str
    stated_id: str
    front: Mapping[str, Said]
    table: Mapping[str, Said]
    markers: tuple[Marker, ...]
    cited: tuple[Said, ...]
    not_applicable: Mapping[str, Said]
    problem: str = ""

    @property
    def is_procedure(self) -> bool:
        """Whether it is a procedure itself, by its file name: PR, as in GSTT-CSC-PR-016."""
        return self.stated_id.partition(" ")[2].startswith("PR.") and not self.is_template

    @property
    def is_template(self) -> bool:
        """Whether it belongs to a procedure, whose id and version it then states too."""
        return "template_id" in self.front

    @property
    def version(self) -> Said | None:
        """The version of the document itself, by its front matter."""
        for name in OWN_VERSION:
            # The version of the procedure that a template belongs to is not the template's own.
            if name == "sop_version" and self.is_template:
                continue
            if name in self.front:
                return self.front[name]
        return None


def read_document(path: str, text: str) -> Document:
    """Read one file. Nothing in it stops the others from being read."""
    front, problem = _front_matter(text)
    lines = text.splitlines()
    table = _table(lines)
    named = _FILE_ID.match(path.rsplit("/", 1)[-1])
    return Document(
        path=path,
        stated_id=_spelt(named) if named else "",
        front=front,
        table=table,
        markers=tuple(_markers(text)),
        cited=tuple(_cited(lines)),
        not_applicable=_not_applicable(lines),
        problem=problem,
    )


def ids_in(text: str) -> list[str]:
    """Return the document ids in a text, in their one spelling: "CSC PR.016"."""
    return [_spelt(found) for found in _ID.finditer(text)]


def _spelt(found: re.Match[str]) -> str:
    return f"{found['who']} {found['kind']}.{found['number']}"


def _front_matter(text: str) -> tuple[dict[str, Said], str]:
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, ""
    try:
        # Everything stays text: 2.10 is a version, not the number 2.1.
        value: Any = YAML(typ="base", pure=True).load(found["yaml"])
    except YAMLError as error:
        return {}, str(error).splitlines()[0]
    if not isinstance(value, dict):
        return {}, "it is no list of names and values"
    lines = found["yaml"].splitlines()
    return {
        str(key): Said(str(one or "").strip(), _line_of(str(key), lines))
        for key, one in value.items()
    }, ""


def _line_of(key: str, lines: list[str]) -> int:
    at = (number for number, line in enumerate(lines, start=2) if line.startswith(f"{key}:"))
    return next(at, 2)


def _table(lines: list[str]) -> dict[str, Said]:
    rows: dict[str, Said] = {}
    for number, line in enumerate(lines, start=1):
        row = _TABLE_ROW.match(line)
        if row:
            # Only the first: further tables speak of other documents.
            rows.setdefault(row["label"].strip().lower(), Said(row["value"].strip(), number))
    return rows


def _markers(text: str) -> Iterator[Marker]:
    for comment in _COMMENT.finditer(text):
        inside = comment["text"].strip()
        if not _MARKERLIKE.search(inside):
            continue
        line = text.count("\n", 0, comment.start()) + 1
        marker = _MARKER.match(inside)
        if marker is None:
            yield Marker("", inside, line, "is not of the form [STANDARD:CLAUSE,CLAUSE]")
            continue
        for part in marker["clauses"].split(","):
            clause = part.strip()
            fault = "" if _CLAUSE.match(clause) else "is no clause number"
            yield Marker(marker["standard"], clause, line, fault)


def _cited(lines: list[str]) -> Iterator[Said]:
    for number, line in enumerate(lines, start=1):
        for found in ids_in(line):
            yield Said(found, number)


def _not_applicable(lines: list[str]) -> dict[str, Said]:
    """Return the rows of tables of clauses that a sentence above calls not applicable."""
    declared: dict[str, Said] = {}
    above, declaring = "", False
    for number, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("|"):
            declaring = False
            above = f"{above} {line}" if line.strip() else above
            above = above[-400:] if not line.startswith("#") else ""
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0].lower() in ("section", "clause"):
            words = above.lower()
            reasoned = bool(re.search(r"reason|rationale|justif", cells[-1].lower()))
            declaring = reasoned and bool(re.search(r"non-?applicable|not applicable", words))
            above = ""
        elif declaring and _CLAUSE.match(cells[0]) and len(cells) > 1:
            declared[cells[0]] = Said(cells[-1], number)
    return declared
