"""Ask for each clause of each list what speaks to it: types, records, rules, exclusions. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.records.type_shape import RecordType
from qms.clauses.lists import ClauseBook, ClauseList, Pointed
from qms.clauses.standing import AskingRule, ClauseAnswer, Exclusion, Filler, Speaker
from qms.rules.findings import CheckResult, Pack, Question
from qms.rules.view import is_in_force, text

CLAUSE_FIELD = "covers"
"""The list field in which a record names the clauses that it speaks to itself."""

AUDITED: Mapping[str, str] = {"audit": "clauses_audited", "audit_finding": "clause"}
"""Fields that name clauses which were looked into: no answer to them."""

APPLICABILITY = "applicability"
EXCLUSIONS = "exclusions"

Asked = tuple[str, str]
"""A framework's key and one of its listed clauses."""

Found = dict[Asked, dict[Key, tuple[RecordView, list[str], bool]]]
"""For each clause the records that name it, how, and whether they do so themselves."""


@dataclass(frozen=True)
class ClauseInput:
    """Everything that is looked at for the clauses of one project.

    Attributes
    ----------
    snapshot : Snapshot
        Records in force; for a record that was never approved, its latest draft.
    types : sequence of RecordType
        Every type of the installation.
    result : CheckResult
        The release check of the whole pack.
    looked_at : mapping of rule code to RecordViews
        The records that each rule looked at.
    """

    project: str
    snapshot: Snapshot
    types: Sequence[RecordType]
    pack: Pack
    result: CheckResult
    looked_at: Mapping[str, Sequence[RecordView]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """Every clause of every list, and the pointers that lead to none.

    Attributes
    ----------
    unknown : tuple of (str, str)
        Who says it (a uid, a type, a rule), and the pointer.
    """

    by_framework: Mapping[str, tuple[ClauseAnswer, ...]]
    unknown: tuple[tuple[str, str], ...]


class _Gathering:
    """What was found so far, by clause."""

    def __init__(self, book: ClauseBook) -> None:
        self.book = book
        self.pointed: Found = defaultdict(dict)
        self.audited: Found = defaultdict(dict)
        self.rules: dict[Asked, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.questions: dict[Asked, list[Question]] = defaultdict(list)
        self.exclusions: dict[Asked, list[Exclusion]] = defaultdict(list)
        self.fillers: dict[Asked, list[Filler]] = defaultdict(list)
        self.unknown: dict[tuple[str, str], None] = {}

    def lead(self, who: str, pointer: str) -> Pointed | None:
        """Return what a pointer leads to, and remember one that leads nowhere."""
        found = self.book.resolve(pointer)
        if found is None and pointer.strip():
            self.unknown[who, pointer] = None
        return found

    def clauses(self, who: str, pointer: str) -> Iterator[Asked]:
        """Yield the clauses a pointer speaks of; one to a framework as a whole says too little."""
        found = self.lead(who, pointer)
        if found is not None and found.number:
            for clause in found.clauses:
                yield found.framework, clause


def answers(given: ClauseInput, book: ClauseBook) -> Answers:
    """Return what speaks to each clause of each list."""
    found = _Gathering(book)
    own = [
        record
        for key, record in given.snapshot.records.items()
        if key.project == given.project and not record.withdrawn
    ]
    _records(found, own, {one.name: one for one in given.types})
    _types(found, given.types)
    _rules(found, given.pack)
    _exclusions(found, given.snapshot.of_type(APPLICABILITY, given.project))
    results = {one.code: one for one in given.result.rules}
    device = next(iter(given.snapshot.of_type("project", given.project)), None)
    software_class = text(device, "software_class") if device is not None else ""

    def asking(asked: Asked) -> tuple[AskingRule, ...]:
        return tuple(
            AskingRule(results[code], tuple(pointers), tuple(given.looked_at.get(code, ())))
            for code, pointers in sorted(found.rules.get(asked, {}).items())
            if code in results
        )

    def one(listed: ClauseList, clause: str) -> ClauseAnswer:
        asked = (listed.key, clause)
        speakers = _speakers(found.pointed.get(asked, {}).values())
        speaking = {each.record.type for each in speakers if is_in_force(each.record)}
        return ClauseAnswer(
            framework=listed.key,
            clause=clause,
            title=listed.titles[clause],
            in_force=tuple(each for each in speakers if is_in_force(each.record)),
            drafts=tuple(each for each in speakers if not is_in_force(each.record)),
            rules=asking(asked),
            exclusions=tuple(found.exclusions.get(asked, ())),
            fillers=tuple(f for f in found.fillers.get(asked, ()) if f.type not in speaking),
            questions=tuple(found.questions.get(asked, ())),
            audited=_speakers(found.audited.get(asked, {}).values()),
            not_asked=_not_asked(listed.classes.get(clause, ()), software_class),
        )

    by_framework = {
        key: tuple(one(listed, clause) for clause in listed.titles)
        for key, listed in book.lists.items()
    }
    return Answers(by_framework, tuple(found.unknown))


def _speakers(found: Iterable[tuple[RecordView, list[str], bool]]) -> tuple[Speaker, ...]:
    return tuple(Speaker(record, tuple(pointers), own) for record, pointers, own in found)


def _records(
    found: _Gathering, records: Sequence[RecordView], types: Mapping[str, RecordType]
) -> None:
    """Note for each clause the records whose type names it, and those that name it themselves."""
    places = {name: place for place, name in enumerate(types)}

    def order(record: RecordView) -> tuple[int, object]:
        return places.get(record.type, len(places)), natural_order(record.uid)

    for record in sorted(records, key=order):
        kind = types.get(record.type)
        if kind is not None:
            for pointer in kind.clauses_of(record.fields):
                _point(found.pointed, record, pointer, found.clauses(kind.label, pointer), False)
        for pointer in _texts(record.fields.get(CLAUSE_FIELD)):
            _point(found.pointed, record, pointer, found.clauses(record.uid, pointer), True)
        for pointer in _texts(record.fields.get(AUDITED.get(record.type, ""))):
            _point(found.audited, record, pointer, found.clauses(record.uid, pointer), True)


def _point(
    into: Found,
    record: RecordView,
    pointer: str,
    clauses: Iterable[Asked],
    own: bool,
) -> None:
    for asked in clauses:
        before = into[asked].get(record.key)
        if before is None:
            into[asked][record.key] = (record, [pointer], own)
        elif pointer not in before[1]:
            into[asked][record.key] = (record, [*before[1], pointer], own or before[2])
        elif own and not before[2]:
            into[asked][record.key] = (record, before[1], True)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _types(found: _Gathering, types: Sequence[RecordType]) -> None:
    for kind in types:
        for pointer in kind.clauses:
            when = "; ".join(
                f"{kind.fields[name].label}: {' or '.join(wanted)}"
                for name, wanted in kind.clauses_when.get(pointer, {}).items()
            )
            for asked in found.clauses(kind.label, pointer):
                # A type that names heading and clause is one way to fill it.
                if all(one.type != kind.name for one in found.fillers[asked]):
                    found.fillers[asked].append(Filler(kind.name, kind.label, when))


def _rules(found: _Gathering, pack: Pack) -> None:
    for code, entry in pack.entries.items():
        for pointer in entry.clauses:
            for asked in found.clauses(code, pointer):
                found.rules[asked][code].append(pointer)
    for question in pack.questions:
        asked_once = {
            asked: None
            for pointer in question.clauses
            for asked in found.clauses(question.code, pointer)
        }
        for asked in asked_once:
            found.questions[asked].append(question)


def _exclusions(found: _Gathering, statements: Iterable[RecordView]) -> None:
    """Note every row of every statement; one that excludes nothing is kept with its reason why."""
    for record in statements:
        rows = record.fields.get(EXCLUSIONS)
        if record.withdrawn or not isinstance(rows, list):
            continue
        for row in (one for one in rows if isinstance(one, Mapping)):
            pointer = str(row.get("clause") or "").strip()
            reason = str(row.get("reason") or "").strip()
            lead = found.lead(record.uid, pointer)
            if lead is None:
                continue
            said = Exclusion(record, pointer, reason, _problem(record, reason, lead))
            for clause in lead.clauses:
                found.exclusions[lead.framework, clause].append(said)


def _problem(record: RecordView, reason: str, lead: Pointed) -> str:
    if not is_in_force(record):
        return f"is {record.state.replace('_', ' ')}, not approved"
    if not reason:
        return "gives no reason"
    if lead.is_part:
        return f"speaks of a part of it only ({lead.number})"
    return ""


def _not_asked(classes: tuple[str, ...], software_class: str) -> str:
    if not classes or not software_class or software_class in classes:
        return ""
    return f"It is asked of software of class {' and '.join(classes)}; this is {software_class}."
