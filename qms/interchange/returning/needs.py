"""Read the ``needs.json`` that we wrote back into records, with what was edited in it since."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Fault, Invalid
from core.located_yaml import Lined
from core.records.content import LinkDraft
from core.records.types import TypeRegistry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.readers.files import text_of
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.located_json import read_json
from qms.interchange.returning.collecting import (
    ELSEWHERE,
    Collected,
    Part,
    StatedLink,
    mapping_of,
    refuse,
    target_of,
)
from qms.interchange.writers.needs import CREATOR, FIELD, MEANING, RESERVED, ROLE
from qms.interchange.writers.values import from_json_text, value_of

_TEXTS: Mapping[str, str] = {
    "id": "uid", "type": "type", "title": "title", "content": "body", "status": "state",
    "digest": "digest",
}  # fmt: skip
_TOLD = frozenset({*_TEXTS, "revision", "link_order", "other_fields"})


def from_needs(data: bytes, name: str, registry: TypeRegistry) -> RecordFolder:
    """Read every need of the current version.

    Raises
    ------
    Invalid
        If it is no such file, or one of another tool.
    """
    into = Gathering("")
    text = text_of(data, name, into)
    value = None if text is None else read_json(text, name, into)
    refuse(name, into.findings)
    version = _version(value)
    if version is None or not isinstance(value, Lined):
        creator = _creator(value)
        what = f"holds needs of {creator}." if creator else "holds no needs that we wrote."
        raise Invalid(f"{name} was not read.", [Fault("TR323", name, what, ELSEWHERE)])
    project = value.get("project")
    collected = Collected(project if isinstance(project, str) else "", registry)
    meanings = _meanings(version)
    for key, need in version["needs"].items():
        if isinstance(need, Lined):
            _Need(name, need, meanings, collected).read()
        else:
            where = f"{name}:{version['needs'].line_of(key)}"
            collected.fault("TR321", where, f"'{key[:80]}' is no need.", "A need is a mapping.")
    return collected.folder()


def _current(value: Any) -> Any:
    versions = value.get("versions") if isinstance(value, dict) else None
    return versions.get(value.get("current_version")) if isinstance(versions, dict) else None


def _version(value: Any) -> Lined | None:
    """Return the current version, if we wrote it."""
    version = _current(value)
    ours = isinstance(version, Lined) and isinstance(version.get("needs"), Lined)
    return version if ours and _creator(value) == CREATOR else None


def _creator(value: Any) -> str:
    version = _current(value)
    creator = version.get("creator") if isinstance(version, dict) else None
    return str(creator.get("program", ""))[:40] if isinstance(creator, dict) else ""


def _meanings(version: Lined) -> Mapping[str, str]:
    """Return which field or role each key of a need is."""
    schema = version.get("needs_schema")
    declared = schema.get("properties") if isinstance(schema, dict) else None
    return {
        key: str(one[MEANING])
        for key, one in (declared.items() if isinstance(declared, dict) else ())
        if isinstance(one, dict) and MEANING in one
    }


@dataclass
class _Need:
    """One need on its way to a record."""

    name: str
    need: Lined
    meanings: Mapping[str, str]
    into: Collected

    def read(self) -> None:
        need = self.need
        part = Part(self.name, need.line_of("id"))
        for key, attribute in _TEXTS.items():
            setattr(part, attribute, self._text(key))
        part.lines = {("title",): need.line_of("title"), ("digest",): need.line_of("digest")}
        revision = self._text("revision")
        if revision.isdecimal() and len(revision) < 16:
            part.revision = int(revision)
        elif revision:
            self._fault("TR321", "revision", f"revision is '{revision[:40]}', no number.")
        part.fields.update(self._json("other_fields"))
        stated = []
        for key in need:
            if key in _TOLD:
                continue
            meaning = self._meaning(key, part.type)
            if meaning.startswith(ROLE):
                stated += list(self._stated(key, meaning.removeprefix(ROLE)))
            elif meaning.startswith(FIELD):
                self._field(key, meaning.removeprefix(FIELD), part)
            elif need[key] not in (None, "", []):
                self._unknown(key)
        part.links = list(self._ordered(stated))
        self.into.add(part)

    def _fault(self, code: str, key: str, what: str, mend: str = "") -> None:
        self.into.fault(code, f"{self.name}:{self.need.line_of(key)}", what, mend)

    def _text(self, key: str) -> str:
        value = self.need.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self._fault("TR321", key, f"'{key}' is no text.", "Put it in quotes.")
        return ""

    def _json(self, key: str) -> Mapping[str, Any]:
        text = self._text(key)
        try:
            return mapping_of(text) if text else {}
        except ValueError as error:
            self._fault("TR321", key, f"'{key}': {error}.", "Leave it as it was written.")
            return {}

    def _meaning(self, key: str, type_name: str) -> str:
        """Return what a key is; of a new one the type says it."""
        if key in self.meanings or key in RESERVED or type_name not in self.into.registry:
            return self.meanings.get(key, "")
        known = self.into.registry.of(type_name)
        if key in known.fields:
            return FIELD + key
        return ROLE + key if key in known.links else ""

    def _unknown(self, key: str) -> None:
        near = difflib.get_close_matches(key, [one for one in self.meanings if one != key], 1)
        mend = f"Did you mean {near[0]}?" if near else "Nothing of a record is called so."
        self._fault("TR304", key, f"has the unknown key '{key[:80]}'.", mend)

    def _field(self, key: str, field: str, part: Part) -> None:
        text = self._text(key)
        if not text:
            return
        part.lines["fields", field] = self.need.line_of(key)
        spec = self.into.spec(part.type, field)
        try:
            part.fields[field] = text if spec is None else value_of(spec, text)
        except ValueError as error:
            self._fault("TR321", key, f"'{key}': {error}.", "Write the value as JSON.")

    def _stated(self, key: str, role: str) -> Iterator[tuple[str, str, int]]:
        targets, line = self.need[key], self.need.line_of(key)
        if targets in (None, ""):
            return
        if not isinstance(targets, list) or not all(
            isinstance(one, str) and one.rpartition("/")[2] for one in targets
        ):
            what = f"'{key}' is no list of ids."
            self._fault("TR306", key, what, "Write UID, or PROJECT/UID, each in quotes.")
            return
        yield from ((role, target, line) for target in targets)

    def _ordered(self, stated: list[tuple[str, str, int]]) -> Iterator[StatedLink]:
        """Return the links that the lists state, in the order and with the words kept beside."""
        places: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
        for number, (role, target, attributes) in enumerate(self._order()):
            places.setdefault((role, target), []).append((number, attributes))
        met: Counter[tuple[str, str]] = Counter()
        for role, target, line in stated:
            known = places.get((role, target), ())
            at = met[role, target]
            met[role, target] += 1
            place: int | None = None
            said: dict[str, Any] = {}
            if at < len(known):
                place, said = known[at]
            uid, project = target_of(target, self.into.project)
            yield StatedLink(LinkDraft(role, uid, project, said), line, place)

    def _order(self) -> list[tuple[str, str, dict[str, Any]]]:
        text = self._text("link_order")
        if not text:
            return []
        try:
            value = from_json_text(text)
            return [(str(role), str(target), dict(said)) for role, target, said in value]
        except (ValueError, TypeError):
            what = "'link_order' is not what was written."
            self._fault("TR321", "link_order", what, "Leave it as it is; change the lists alone.")
            return []
