"""Turn a corpus into records: a pure mapping, so that whoever imports can show it first.

An item becomes a record of a type; what its type has a field for becomes that field, a link that
the type allows becomes that link, and all the rest is kept in the record's origin.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import Fault
from core.records.checking import checked_fields
from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import TypeRegistry
from qms.interchange.corpus import Attached, Corpus, Finding, Item, Reference
from qms.interchange.linkcheck import LinkCheck, all_findings, check_links
from qms.interchange.mapping.accepting import stopping_faults
from qms.interchange.mapping.kinds import ORIGIN, role_of, type_of
from qms.interchange.mapping.origin import (
    Kept,
    in_cells,
    origin_of,
    plain,
    shown_title,
    with_origin,
)
from qms.interchange.mapping.steps import RISK, SAID, Scales, not_taken, on_scale
from qms.interchange.mapping.uids import uid_of
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.plain_yaml import Path
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.readers.sheets import plain as plain_heading
from qms.risks.rows import SCALE_OF

NO_TYPE, NO_ROLE, NO_FIELD, SAME_UID = "TR330", "TR331", "TR332", "TR333"

MAPPING: Mapping[str, str] = {
    NO_TYPE: "Record type that there is not, or that has no room for an origin",
    NO_ROLE: "Role that there is not, or that does not lead there",
    NO_FIELD: "Field that there is not, or that does not take the value",
    SAME_UID: "Two ids that have one uid",
}
"""Faults of what somebody stated for the import."""

_FIELDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("rdm", "soup"): {"manufacturer": "supplier", "anomaly_reference": "anomaly_list"},
}
"""By format and record type: what a tool calls a field of ours otherwise than by its name."""

_STAYS = frozenset({"steps"})
"""Names that mean other things in other tools."""

_EMPTY: tuple[object, ...] = (None, "", [], (), {})


@dataclass(frozen=True)
class Stated:
    """What somebody states about an import; what is not stated is the default of the format.

    Attributes
    ----------
    types : mapping
        Record types by `DOCUMENT:KIND`, `DOCUMENT` or `KIND` of the tool.
    roles, fields : mapping
        Our roles and fields by those of the tool.
    levels : tuple of str
        As `check_links` takes them.
    accepted : frozenset of str
        Codes of findings that stop nothing.
    scales : mapping
        Those of the risk policy in force; without them any whole number from 1 is a step.
    moved : bool
        Whether items may come from other files and documents than at their last import.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    scales: Scales = field(default_factory=dict)
    moved: bool = False


@dataclass(frozen=True)
class MappedCorpus:
    """What a corpus becomes.

    Attributes
    ----------
    folder : RecordFolder
        The records, and every fault that stops the import.
    findings : tuple of Finding
        Everything that is to be told of the files and their links, whether or not it stops it.
    attached : mapping
        The files of each record, by its uid.
    """

    folder: RecordFolder
    findings: tuple[Finding, ...]
    checked: LinkCheck
    attached: Mapping[str, tuple[Attached, ...]]


def map_corpus(
    corpus: Corpus, mapping: Stated, registry: TypeRegistry, project: str
) -> MappedCorpus:
    """Return the records that a corpus becomes in a project.

    Parameters
    ----------
    corpus : Corpus
        What a reader made of the files of another tool.
    mapping : Mapped
        What the person who imports states.
    project : str
        Key of the project whose records they become.
    """
    checked = check_links(corpus, mapping.levels)
    making = _Making(corpus, mapping, registry, project)
    records = [made for item in corpus.items if (made := making.record(item)) is not None]
    findings = (*all_findings(corpus, checked), *making.findings)
    faults = [*making.stated_faults(), *making.faults]
    faults += stopping_faults(findings, mapping.accepted)
    attached = {uid_of(item.uid): item.attached for item in corpus.items if item.attached}
    folder = RecordFolder(tuple(records), tuple(dict.fromkeys(faults)))
    return MappedCorpus(folder, findings, checked, attached)


class _Making:
    """One corpus on its way to records."""

    def __init__(
        self, corpus: Corpus, mapping: Stated, registry: TypeRegistry, project: str
    ) -> None:
        self.corpus, self.mapping = corpus, mapping
        self.registry, self.project = registry, project
        self.types = {one.uid: type_of(one, corpus.format, mapping.types) for one in corpus.items}
        self.faults: list[Fault] = []
        self.findings: list[Finding] = []
        self.first: dict[str, Item] = {}

    def stated_faults(self) -> list[Fault]:
        """Return what is wrong with what the person stated."""
        kinds = {one for item in self.corpus.items for one in _names(item)}
        roles = {one.role for item in self.corpus.items for one in item.references}
        said = {name for item in self.corpus.items for name in item.fields}
        ours = {role for one in self.registry.all() for role in one.links}
        own = {name for one in self.registry.all() for name in one.fields}
        return [
            *_unknown("--type", self.mapping.types, kinds, set(self._with_origin()), NO_TYPE),
            *_unknown("--role", self.mapping.roles, roles, ours, NO_ROLE),
            *_unknown("--field", self.mapping.fields, said, own, NO_FIELD),
        ]

    def _with_origin(self) -> list[str]:
        return [one.name for one in self.registry.all() if ORIGIN in one.fields]

    def record(self, item: Item) -> RecordFile | None:
        """Return the record of one item, or None where its type cannot hold it."""
        uid, name = uid_of(item.uid), self.types[item.uid]
        first = self.first.setdefault(uid, item)
        if first is not item:
            # That two items have one id the check of the links says; here is what only looks alike.
            if first.uid != item.uid:
                what = f"{item.uid} and {first.uid} would both be {uid}."
                self.faults.append(Fault(SAME_UID, str(item.place), what, "Rename one of them."))
            return None
        if name not in self.registry or ORIGIN not in self.registry.of(name).fields:
            # Told once, of what was stated.
            return None
        record_type = self.registry.of(name)
        fields, moved = self._fields(item, record_type)
        links, roles, lines = self._links(item, record_type)
        kept = Kept(shown_title(item), moved, roles)
        content = Content(kept.title, item.text, fields, links)
        origin = origin_of(item, self.corpus.format, kept, self.corpus.above)
        places = {(): item.place.line or 1} | lines
        return RecordFile(
            self.project, name, uid, with_origin(content, origin),
            file=item.place.file, lines=places, foreign=True, moved=self.mapping.moved,
        )  # fmt: skip

    def _fields(self, item: Item, record_type: RecordType) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the fields that take a value of the item just as it is, and where it came from."""
        called = {name: name for name in record_type.fields}
        called |= {plain_heading(spec.label): name for name, spec in record_type.fields.items()}
        called |= _FIELDS.get((self.corpus.format, record_type.name), {})
        called |= SAID if record_type.name == RISK else {}
        fields: dict[str, Any] = {}
        moved: dict[str, str] = {}
        # What somebody states counts before what a name happens to be.
        for name in sorted(item.fields, key=lambda one: one not in self.mapping.fields):
            value, stated = item.fields[name], self.mapping.fields.get(name)
            ours = stated or called.get(name) or called.get(plain_heading(name))
            if ours is None or (name in _STAYS and stated is None):
                continue
            spec = record_type.fields.get(ours)
            if ours in fields:
                if stated and spec is not None and value not in _EMPTY:
                    self._unfit(item, f"is a second value of '{spec.label}'", value, "Name one.")
                continue
            taken = (
                None if spec is None or spec.made else self._taken(record_type, ours, item, value)
            )
            if taken is not None:
                fields[ours], moved[name] = taken, ours
            elif stated and spec is not None:
                mend = _allowed(spec) or "Mend it, or do not name the field."
                self._unfit(item, f"is no value of '{spec.label}'", value, mend)
        if record_type.name == RISK:
            self._lost_steps(item, moved, called)
        return fields, moved

    def _unfit(self, item: Item, why: str, value: object, mend: str) -> None:
        what = f"'{str(value)[:60]}' of {item.uid} {why}."
        self.faults.append(Fault(NO_FIELD, str(item.place), what, mend))

    def _lost_steps(self, item: Item, moved: Mapping[str, str], called: Mapping[str, str]) -> None:
        """Tell each step that is kept in the origin alone, unless another was stated for it."""
        stated = {ours for name, ours in moved.items() if name in self.mapping.fields}
        means = {
            name: called.get(name) or called.get(plain_heading(name), "") for name in item.fields
        }
        lost = {
            name: ours
            for name, ours in means.items()
            if ours in SCALE_OF and ours not in stated and item.fields[name] not in _EMPTY
            and not (name in moved or name in self.mapping.fields)
        }  # fmt: skip
        self.findings += not_taken(item, lost, self.project)

    def _taken(self, record_type: RecordType, name: str, item: Item, value: object) -> Any:
        """Return a value as a field takes it, None unless it can be told again from that."""
        kind, given = record_type.fields[name].kind, plain(value)
        cell = in_cells(self.corpus.format, item.kind)
        if cell and kind == "integer" and isinstance(given, str):
            given = int(given) if given.isdecimal() and str(int(given)) == given else given
        if kind in {"table", "mapping"} or given in _EMPTY:
            return None
        if record_type.name == RISK and name in SCALE_OF:
            return given if on_scale(name, given, self.mapping.scales) else None
        kept, faults = checked_fields(record_type, {name: given}, "")
        return given if not faults and kept == {name: given} else None

    def _links(
        self, item: Item, record_type: RecordType
    ) -> tuple[tuple[LinkDraft, ...], tuple[str | None, ...], dict[Path, int]]:
        """Return the links that the record states, what became of each reference, their lines."""
        links: dict[tuple[str, str], LinkDraft] = {}
        roles: list[str | None] = []
        lines: dict[Path, int] = {}
        for one in item.references:
            role = self._role(item, one, record_type)
            roles.append(role)
            if role is not None and (role, one.target) not in links:
                # A tool may say one link for each of several steps; the record says it once.
                lines["links", len(links)] = one.place.line or item.place.line or 1
                links[role, one.target] = LinkDraft(role, uid_of(one.target))
        return tuple(links.values()), tuple(roles), lines

    def _role(self, item: Item, one: Reference, record_type: RecordType) -> str | None:
        target = self.types.get(one.target)
        if target is None or one.target == item.uid:
            return None
        found = role_of(one.role, record_type, target, self.mapping.roles)
        stated = self.mapping.roles.get(one.role)
        if found is None and stated:
            what = f"'{stated}' does not lead from {record_type.name} {item.uid} to a {target}."
            mend = f"Links of it are {', '.join(record_type.links)}."
            self.faults.append(Fault(NO_ROLE, str(one.place), what, mend))
        return found


def _names(item: Item) -> tuple[str, ...]:
    return (item.kind, item.document, f"{item.document}:{item.kind}")


def _allowed(spec: FieldSpec) -> str:
    return f"It may be {', '.join(spec.choices)}." if spec.choices else ""


def _unknown(
    option: str, stated: Mapping[str, str], theirs: Iterable[str], ours: set[str], code: str
) -> list[Fault]:
    """Return each name that nothing in the files has, and each that there is not here."""
    faults = []
    known = sorted(set(theirs) - {""})
    for name, meant in stated.items():
        for one, among, what in (
            (name, known, "stands nowhere in the files."),
            (meant, sorted(ours), "is nothing that it can become here."),
        ):
            if one not in among:
                near = difflib.get_close_matches(one, among, 1)
                listed = ", ".join(among[:20])
                mend = f"Did you mean {near[0]}?" if near else f"There are {listed}."
                faults.append(Fault(code, f"{option} {name}={meant}", f"'{one}' {what}", mend))
    return faults


def stated_pairs(
    option: str, stated: Sequence[str], code: str
) -> tuple[dict[str, str], list[Fault]]:
    """Return what `NAME=MEANT` says of each name, and every statement that says nothing."""
    pairs, faults = {}, []
    for one in stated:
        name, _, meant = one.partition("=")
        if not name.strip() or not meant.strip():
            what = "says nothing of anything."
            faults.append(Fault(code, f"{option} {one[:60]}", what, f"Write {option} NAME=MEANT."))
        pairs[name.strip()] = meant.strip()
    return pairs, faults
