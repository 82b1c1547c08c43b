"""What a placeholder brings into a document: parts of the record as it truly stands.

An empty part is a sentence that says what is missing. Nothing is made up to fill one.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from core.records.snapshot import Key, RecordView
from core.records.type_shape import RecordType
from core.records.types import TypeRegistry
from core.verdicts import NOT_RUN, VerdictWord
from qms.document_sets.placing import demoted, heading_words
from qms.document_sets.templates import Placeholder, Template
from qms.document_sets.wording import as_words, plain, table
from qms.document_sets.wording import field as field_words
from qms.releases.scope import ReleaseScope, choose_release, releases_of
from qms.risks.policies import policy_in_force
from qms.risks.residual import Assessment, assess
from qms.rules.facts import RuleInput
from qms.traceability.columns import columns_for
from qms.traceability.matrix import Facts, build
from qms.traceability.service import allowed_links
from qms.traceability.tables import sheet

COMMIT_SHOWN = 12
MOST_NAMED = 10
UNKNOWN = "not stated"


class NoPart(Exception):
    """A placeholder that brings nothing: what is wrong with it, and what to do."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.mend = what, mend


@dataclass(frozen=True)
class Source:
    """All that a document set is filled from.

    Attributes
    ----------
    given : RuleInput
        Records, verdicts and the release, as they were signed or as they stand.
    title : str
        Of the project.
    signed_at : datetime or None
        When the release got its last signature; None where it has none, or there is no release.
    """

    given: RuleInput
    title: str
    registry: TypeRegistry
    signed_at: datetime | None = None

    @property
    def key(self) -> str:
        """The project's key."""
        return self.given.project

    @cached_property
    def release(self) -> RecordView | None:
        """The release that the documents are made for."""
        key = self.given.release
        return self.given.snapshot.records[key] if key is not None else None

    @cached_property
    def scope(self) -> ReleaseScope | None:
        """What that release takes in."""
        if self.release is None:
            return None
        return choose_release(releases_of(self.given.snapshot, self.key), self.release.uid)

    @cached_property
    def taken_in(self) -> frozenset[str]:
        """The types of which the release takes in some records and leaves others out."""
        keys = self.scope.delivered | self.scope.tests if self.scope is not None else frozenset()
        records = self.given.snapshot.records
        return frozenset(records[key].type for key in keys if key in records)

    def of_type(self, name: str) -> list[RecordView]:
        """Return the records of a type that are not withdrawn."""
        found = self.given.snapshot.of_type(name, self.key)
        return [one for one in found if not one.withdrawn]

    def said(self, name: str) -> str:
        """Return a field of the release as it stands, or that it is not stated."""
        value = self.release.fields.get(name) if self.release is not None else None
        return str(value) if value else UNKNOWN

    @property
    def version(self) -> str:
        """The version of every document of the set: that of the release."""
        return "none" if self.release is None else self.said("version")


@dataclass
class Filling:
    """One document while it is filled in."""

    source: Source
    template: Template
    shown: dict[Key, RecordView] = field(default_factory=dict)

    @property
    def document_id(self) -> str:
        """The document's own name, the same in every version."""
        return f"{self.source.key}-{self.template.id}"

    def inline(self, name: str) -> str | None:
        """Return what a placeholder within a sentence says; None where there is no such one."""
        source = self.source
        values: Mapping[str, Callable[[], str]] = {
            "device": lambda: source.title,
            "project": lambda: source.key,
            "document": lambda: self.document_id,
            "title": lambda: self.template.title,
            "version": lambda: source.version,
            "tag": lambda: source.said("git_tag"),
            "commit": lambda: source.said("commit"),
            "baseline": lambda: source.said("baseline"),
        }
        return plain(values[name]()) if name in values else None

    def block(self, asked: Placeholder) -> str:
        """Return the part that stands on lines of its own.

        Raises
        ------
        NoPart
            If there is none of the name, or its words name nothing.
        """
        parts: Mapping[str, Callable[[Sequence[str]], str]] = {
            "records": self._records,
            "table": self._table,
            "value": self._value,
            "risks": self._risks,
            "results": self._results,
            "trace": self._trace,
            "release": self._release,
        }
        if asked.name not in parts:
            known = [*parts, *LATE, *INLINE]
            near = difflib.get_close_matches(asked.name, known, 1)
            mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
            raise NoPart(f"there is no placeholder '{asked.name[:40]}'.", mend)
        return parts[asked.name](asked.words)

    def _type(self, words: Sequence[str]) -> RecordType:
        name = words[0] if words else ""
        if name in self.source.registry:
            return self.source.registry.of(name)
        near = difflib.get_close_matches(name, self.source.registry.names(), 1)
        mend = f"Did you mean {near[0]}?" if near else "Name a record type."
        raise NoPart(f"'{name[:40]}' is no record type.", mend)

    def _show(self, records: Sequence[RecordView]) -> None:
        self.shown |= {one.key: one for one in records}

    def _none(self, known: RecordType) -> str:
        return f"*Missing: {plain(self.source.key)} has no {plain(known.plural.lower())}.*"

    def _records(self, words: Sequence[str]) -> str:
        known = self._type(words)
        found = self.source.of_type(known.name)
        self._show(found)
        return "\n\n".join(self._in_full(one, known) for one in found) or self._none(known)

    def _in_full(self, one: RecordView, known: RecordType) -> str:
        title = heading_words(plain(one.title))
        lines = [f"### {plain(one.uid)} {title}", f"*{self._standing(one)}*"]
        lines += [
            field_words(spec, one.fields[name])
            for name, spec in known.fields.items()
            if one.fields.get(name) not in (None, "", [], {})
        ]
        if links := self._links(one, known):
            lines.append(
                "\n".join(f"- {label}: {'; '.join(ends)}" for label, ends in links.items())
            )
        if one.body.strip():
            lines.append(demoted(one.body))
        return "\n\n".join(lines)

    def _standing(self, one: RecordView) -> str:
        """Say where a record stands, and whether the release takes it in."""
        said = f"Revision {one.revision}, {one.state.replace('_', ' ')}"
        scope = self.source.scope
        if scope is None or one.type not in self.source.taken_in:
            return said
        part = "part" if one.key in scope.delivered | scope.tests else "not part"
        return f"{said}; {part} of release {plain(self.source.version)}"

    def _links(self, one: RecordView, known: RecordType) -> dict[str, list[str]]:
        """Return the records at both ends of its links, by what the links say."""
        found: dict[str, list[str]] = {}
        snapshot = self.source.given.snapshot
        for link in snapshot.outgoing(one.key):
            if (spec := known.links.get(link.role)) is not None:
                found.setdefault(plain(spec.label), []).append(self._named(link.target))
        for link in snapshot.incoming(one.key):
            other = snapshot.records.get(link.source)
            if other is None or other.withdrawn or other.type not in self.source.registry:
                continue
            role = self.source.registry.of(other.type).links.get(link.role)
            if role is not None:
                found.setdefault(plain(role.reverse), []).append(self._named(link.source))
        return found

    def _named(self, key: Key) -> str:
        found = self.source.given.snapshot.records.get(key)
        name = key.uid if key.project == self.source.key else f"{key.project}/{key.uid}"
        return plain(f"{name} {found.title}" if found is not None else name)

    def _table(self, words: Sequence[str]) -> str:
        known = self._type(words)
        wrong = [one for one in words[1:] if one not in known.fields and one not in known.links]
        if wrong:
            near = difflib.get_close_matches(wrong[0], [*known.fields, *known.links], 1)
            mend = f"Did you mean {near[0]}?" if near else ""
            raise NoPart(f"a {known.name} has no field or link '{wrong[0][:40]}'.", mend)
        found = self.source.of_type(known.name)
        self._show(found)
        if not found:
            return self._none(known)
        labels = [
            known.fields[one].label if one in known.fields else known.links[one].label
            for one in words[1:]
        ]
        rows = [
            [
                one.uid,
                one.title,
                *(self._entry(one, known, name) for name in words[1:]),
                str(one.revision),
                one.state.replace("_", " "),
            ]
            for one in found
        ]
        return table(["Id", "Title", *labels, "Revision", "State"], rows)

    def _entry(self, one: RecordView, known: RecordType, name: str) -> str:
        if name in known.fields:
            value = one.fields.get(name)
            return "" if value is None else as_words(value)
        targets = self.source.given.snapshot.outgoing(one.key, name)
        return ", ".join(link.target.uid for link in targets)

    def _value(self, words: Sequence[str]) -> str:
        known = self._type(words)
        name = words[1] if len(words) == 2 else ""
        if name not in known.fields:
            near = difflib.get_close_matches(name, known.fields, 1)
            mend = f"Did you mean {near[0]}?" if near else "Write `value TYPE FIELD`."
            raise NoPart(f"a {known.name} has no field '{name[:40]}'.", mend)
        found = self.source.of_type(known.name)
        spec = known.fields[name]
        label = plain(spec.label)
        if not found:
            return (
                f"*Missing: {label}. {plain(self.source.key)} has no {known.label.lower()} record.*"
            )
        self._show(found)
        said = [
            field_words(spec, one.fields[name])
            if one.fields.get(name) not in (None, "", [], {})
            else f"*Missing: {plain(one.uid)} does not state: {label}.*"
            for one in found
        ]
        return "\n\n".join(said)

    def _risks(self, words: Sequence[str]) -> str:
        _no_words(words)
        source, given = self.source, self.source.given
        policy, record = policy_in_force(given.snapshot, source.key)
        risks = source.of_type("risk")
        self._show([*risks, *([record] if record is not None else [])])
        if not risks:
            return f"*Missing: {plain(source.key)} has no risks.*"
        verdicts = {Key(source.key, uid): one for uid, one in given.verdicts.items()}
        judged = [assess(given.snapshot, one, policy, verdicts, given.facts.qa) for one in risks]
        scale = (
            f"Levels are those of {plain(policy.identifier)} {plain(policy.title)}: acceptable up "
            f"to {policy.acceptable_up_to}, tolerable with a benefit-risk analysis up to "
            f"{policy.tolerable_up_to}. Only a control that a passing test shows lowers a level."
        )
        headings = ["Risk", "Title", "Before controls", "Controls", "After controls", "Why"]
        return f"{scale}\n\n{table(headings, [_assessed(one) for one in judged])}"

    def _results(self, words: Sequence[str]) -> str:
        _no_words(words)
        source = self.source
        tests = source.of_type("test")
        if source.scope is not None:
            tests = [one for one in tests if one.key in source.scope.tests]
        self._show(tests)
        if not tests:
            named = f"release {source.version}" if source.release is not None else source.key
            return f"*Missing: {plain(named)} names no tests.*"
        verdicts = [(one, source.given.verdicts.get(one.uid, NOT_RUN)) for one in tests]
        passed = sum(verdict.word is VerdictWord.PASSED for _, verdict in verdicts)
        rows = [
            [
                test.uid,
                test.title,
                str(verdict.word),
                f"{'import' if verdict.imported else 'run'} {verdict.run}" if verdict.run else "",
                verdict.commit[:COMMIT_SHOWN],
                f"{verdict.at:%Y-%m-%d %H:%M} UTC" if verdict.at else "",
                verdict.detail,
            ]
            for test, verdict in verdicts
        ]
        headings = ["Test", "Title", "Verdict", "Executed in", "Commit", "Ended", "Figures"]
        return f"{passed} of {len(tests)} tests passed.\n\n{table(headings, rows)}"

    def _trace(self, words: Sequence[str]) -> str:
        known, source = self._type(words), self.source
        facts = Facts(
            snapshot=source.given.snapshot,
            verdicts={Key(source.key, uid): one for uid, one in source.given.verdicts.items()},
            suspicions=source.given.suspects,
            release_tests=source.scope.tests if source.scope else frozenset(),
            delivered=source.scope.delivered if source.scope else frozenset(),
            qa=source.given.facts.qa,
        )
        columns = columns_for(known.name, (), allowed_links(source.registry))
        release = source.release.uid if source.release is not None else None
        matrix = build(facts, source.key, known.name, columns, release)
        self._show([row.record for row in matrix.rows])
        if not matrix.rows:
            return self._none(known)
        labels = {one.name: one.label for one in source.registry.all()}
        drawn = sheet(matrix, matrix.rows, labels)
        # How many commits name a record is no part of what was frozen.
        kept = [at for at, heading in enumerate(drawn.headings) if heading != "Commits"]
        rows = [[str(row[at]) for at in kept] for row in drawn.rows]
        return table([drawn.headings[at] for at in kept], rows)

    def _release(self, words: Sequence[str]) -> str:
        _no_words(words)
        if self.source.release is None:
            return "*Missing: this set is made for no release.*"
        self._show([self.source.release])
        known = self.source.registry.of("release")
        return self._in_full(self.source.release, known)


LATE = ("head", "approvals")
"""Parts that tell of all others, and so are filled in after them."""

INLINE = ("device", "project", "document", "title", "version", "tag", "commit", "baseline")


def _no_words(words: Sequence[str]) -> None:
    if words:
        raise NoPart(f"'{' '.join(words)[:40]}' says nothing here.", "Take it out.")


def _assessed(one: Assessment) -> list[str]:
    controls = [
        f"{control.requirement.uid}{f' ({control.kind})' if control.kind else ''}"
        + ("" if control.verified else ": not shown to work")
        for control in one.controls
    ]
    return [
        one.risk.uid,
        one.risk.title,
        str(one.before or "no place on the scales"),
        "\n".join(controls) or "none",
        str(one.after or "no place on the scales"),
        " ".join((*one.problems, *one.reasons)),
    ]
