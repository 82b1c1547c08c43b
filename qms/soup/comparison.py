"""Hold what something is built of against the register of third-party components. Pure.

The register must cover what the software asks for itself, at the version that was evaluated. What
came along with that is listed as such, with what brought it in: its known problems are read with
those of the component that asks for it. Where a source does not tell one from the other, every
component must be registered. Tools of development and test are no part of what is delivered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.records.snapshot import Key, RecordView, Snapshot
from qms.rules.view import text
from qms.soup.components import Bill, Component, are_same, normal_name, version_in
from qms.soup.register import Entry, Touched, entries, items_of, touched


class Code(StrEnum):
    """What can be wrong with a component; codes are stable."""

    MISSING = "SB01"
    EXTRA = "SB02"
    DRIFT = "SB03"
    NO_LICENCE = "SB04"
    NO_ANOMALY_LIST = "SB05"
    OVERDUE = "SB06"
    DOUBLED = "SB07"


WORDS = {
    Code.MISSING: "missing in the register",
    Code.EXTRA: "extra in the register",
    Code.DRIFT: "version drift",
    Code.NO_LICENCE: "no licence",
    Code.NO_ANOMALY_LIST: "no anomaly list",
    Code.OVERDUE: "evaluation overdue",
    Code.DOUBLED: "registered twice",
}
"""What each code is called, in the order of the filters."""

MISMATCHES = frozenset({Code.MISSING, Code.EXTRA, Code.DRIFT, Code.DOUBLED})
"""What makes the register another list than what was built; the others are gaps within it."""


@dataclass(frozen=True)
class Disagreement:
    """One thing that is wrong, and what it touches.

    Attributes
    ----------
    name : str
        The component.
    stated, registered : str
        The version in the source, and in the register.
    record : RecordView or None
        Its record in the register.
    due : str
        The evaluation that is due because of it, as a sentence.
    component : Component or None
        What the source states.
    """

    code: Code
    name: str
    what: str
    mend: str
    stated: str = ""
    registered: str = ""
    record: RecordView | None = None
    touched: Touched = field(default_factory=Touched)
    due: str = ""
    component: Component | None = None

    @property
    def word(self) -> str:
        """What it is called."""
        return WORDS[self.code]

    @property
    def is_mismatch(self) -> bool:
        """Whether it makes the register another list than what was built."""
        return self.code in MISMATCHES

    @property
    def subject(self) -> str:
        """The record's uid, or the component's name where it has none."""
        return self.record.key.uid if self.record is not None else self.name

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        said = f"{self.code} {self.subject} {self.what} {self.mend}"
        return " ".join(filter(None, (said, self.touched.sentence, self.due)))


@dataclass(frozen=True)
class Along:
    """A component that came along, with the registered ones that brought it in."""

    component: Component
    brought_by: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What came of holding one source against the register.

    Attributes
    ----------
    met : tuple of Entry
        Registered components that the source states at the version evaluated.
    along : tuple of Along
        Transitive components; they need no entry of their own.
    development : tuple of Component
        Not delivered with the software.
    not_sought : tuple of Entry
        Registered, of a kind that the source cannot state.
    """

    bill: Bill
    disagreements: tuple[Disagreement, ...]
    met: tuple[Entry, ...]
    along: tuple[Along, ...]
    development: tuple[Component, ...]
    not_sought: tuple[Entry, ...]

    @property
    def agreeing(self) -> int:
        """How many registered components the source states at the version evaluated."""
        return len(self.met)

    @property
    def agrees(self) -> bool:
        """Whether nothing was found."""
        return not self.disagreements

    def counts(self) -> dict[Code, int]:
        """Return how many of each kind were found, kinds without any included."""
        return {code: sum(1 for one in self.disagreements if one.code is code) for code in WORDS}


@dataclass(frozen=True)
class Held:
    """What a comparison is made under: the day, and the days an evaluation lasts."""

    today: date
    evaluation_days: int


def compare(
    bill: Bill,
    snapshot: Snapshot,
    project: str,
    held: Held,
    release: RecordView | None = None,
) -> Comparison:
    """Return where a source and the register of a project disagree.

    Parameters
    ----------
    release : RecordView, optional
        Only what its software items use is looked for; everything in force, unless given.
    """
    items = items_of(snapshot, release) if release is not None else None
    register = entries(snapshot, project, items)
    known: dict[str, list[Entry]] = {}
    for entry in register:
        known.setdefault(entry.key[1], []).append(entry)
    findings: list[Disagreement] = []
    along: list[Along] = []
    seen: set[Key] = set()
    met: list[Entry] = []
    for component in sorted(bill.components, key=lambda one: one.key):
        found = [one for one in known.get(component.key[1], ()) if are_same(one.key, component.key)]
        used = [entry for entry in found if entry.used_by]
        if not used and component.delivered and component.direct is not False:
            findings.append(_missing(bill, component, found[0] if found else None, release))
        elif not used and component.delivered:
            along.append(Along(component, bill.brought_by(component)))
        for entry in used:
            seen.add(entry.record.key)
            wrong = _version_finding(snapshot, bill, component, entry)
            if wrong is None:
                met.append(entry)
            else:
                findings.append(wrong)
    in_use = [entry for entry in register if entry.used_by]
    absent = [entry for entry in in_use if entry.record.key not in seen]
    not_sought = [one for one in absent if one.key[0] and one.key[0] not in bill.kinds]
    findings += [_extra(snapshot, bill, one) for one in absent if one not in not_sought]
    findings += [wrong for same in known.values() for wrong in _doubled(snapshot, same)]
    findings += [gap for entry in in_use for gap in _gaps(snapshot, entry, held)]
    return Comparison(
        bill=bill,
        disagreements=tuple(sorted(findings, key=_order)),
        met=tuple(met),
        along=tuple(along),
        development=tuple(one for one in bill.components if not one.delivered),
        not_sought=tuple(not_sought),
    )


def same_version(registered: str, stated: str) -> bool:
    """Compare versions; a register that says "3.11" covers every 3.11.x.

    Examples
    --------
    >>> same_version("3.11", "3.11.9"), same_version("3.1", "3.11.9")
    (True, False)
    """
    return bool(registered) and (stated == registered or stated.startswith(f"{registered}."))


def _order(one: Disagreement) -> tuple[str, str]:
    return (one.code, normal_name(one.name))


def _missing(
    bill: Bill, component: Component, registered: Entry | None, release: RecordView | None
) -> Disagreement:
    at = f"{component.name} {component.version}".strip()
    due = f"The anomaly list of {at} has never been evaluated here."
    if registered is not None:
        whose = f"of {release.key.uid} " if release is not None else ""
        return Disagreement(
            Code.MISSING,
            component.name,
            f"is registered, and no item {whose}uses it; {bill.name} states {at}.",
            "Link it from the software items that use it.",
            component.version,
            registered.version,
            registered.record,
            due=f"The anomaly list of {at} is due to be evaluated for that use.",
            component=component,
        )
    told = " and does not say whether it came along" if component.direct is None else ""
    return Disagreement(
        Code.MISSING,
        component.name,
        f"is in {bill.name} at {component.version or 'no version'}{told}; "
        "no record of the register names it.",
        "Register it, link the items that use it, and evaluate its list of anomalies.",
        component.version,
        due=due,
        component=component,
    )


def _version_finding(
    snapshot: Snapshot, bill: Bill, component: Component, entry: Entry
) -> Disagreement | None:
    own = version_in(entry.purl)
    if own and entry.version and not same_version(entry.version, own):
        what = f"says version {entry.version} and has the package URL of {own}."
        mend = "Make both say the version that was evaluated."
    elif not same_version(entry.version, component.version):
        what = (
            f"says {entry.record.title} {entry.version or 'without a version'}; "
            f"{bill.name} states {component.version or 'no version'}."
        )
        mend = "Evaluate that version and correct the register, or build with the other."
    else:
        return None
    return Disagreement(
        Code.DRIFT,
        entry.record.title,
        what,
        mend,
        component.version,
        entry.version,
        entry.record,
        touched(snapshot, entry.used_by),
        _evaluation_due(entry, component),
        component,
    )


def _evaluation_due(entry: Entry, component: Component) -> str:
    """Say which evaluation a new version asks for, and which was the last."""
    where = text(entry.record, "anomaly_list")
    last = "It was never evaluated before."
    if entry.evaluated_on is not None:
        by = ", ".join(one.key.uid for one in entry.evaluated_by) or "nobody named"
        last = f"The last one, of {entry.version}, was on {entry.evaluated_on} by {by}."
    at = f"Due: evaluation of the anomaly list of {entry.record.title} {component.version}"
    return f"{at} ({where}). {last}" if where else f"{at}, which the register does not name. {last}"


def _extra(snapshot: Snapshot, bill: Bill, entry: Entry) -> Disagreement:
    users = ", ".join(one.key.uid for one in entry.used_by)
    what = f"{entry.record.title} {entry.version} is used by {users} and not in {bill.name}."
    if not entry.purl:
        mend = "Correct which items use it, or give its package URL if it is called otherwise."
    elif entry.key[1] != normal_name(entry.record.title):
        mend = f"Correct which items use it, or its package URL {entry.purl}."
    else:
        mend = "Correct which items use it, or withdraw it."
    return Disagreement(
        Code.EXTRA,
        entry.record.title,
        what,
        mend,
        registered=entry.version,
        record=entry.record,
        touched=touched(snapshot, entry.used_by),
    )


def _doubled(snapshot: Snapshot, named_alike: Sequence[Entry]) -> Iterator[Disagreement]:
    for place, other in enumerate(named_alike):
        first = next((one for one in named_alike[:place] if are_same(one.key, other.key)), None)
        if first is not None:
            yield Disagreement(
                Code.DOUBLED,
                other.record.title,
                f"names the same component as {first.uid}.",
                "Withdraw one of them.",
                registered=other.version,
                record=other.record,
                touched=touched(snapshot, other.used_by),
            )


def _gaps(snapshot: Snapshot, entry: Entry, held: Held) -> Iterator[Disagreement]:
    """Yield what the register does not say of a component that is used."""

    def gap(code: Code, what: str, mend: str, due: str = "") -> Disagreement:
        rests = touched(snapshot, entry.used_by)
        title = entry.record.title
        return Disagreement(
            code, title, what, mend, registered=entry.version, record=entry.record,
            touched=rests, due=due,
        )  # fmt: skip

    if not text(entry.record, "licence"):
        yield gap(Code.NO_LICENCE, "states no licence.", "Read its licence and state it.")
    if not text(entry.record, "anomaly_list"):
        yield gap(
            Code.NO_ANOMALY_LIST,
            "names no published list of anomalies.",
            "Name where its known problems are published, or say why there is no such list.",
        )
    overdue = evaluation_problem(entry.evaluated_on, held)
    if overdue:
        of = f"{entry.record.title} {entry.version}".strip()
        yield gap(
            Code.OVERDUE,
            overdue,
            "Evaluate the list again and record the outcome.",
            f"Due: evaluation of the anomaly list of {of}.",
        )


def evaluation_problem(evaluated: date | None, held: Held) -> str:
    """Return what is wrong with the day of an evaluation; empty where it still holds."""
    if evaluated is None:
        return "has no date of evaluation."
    age = (held.today - evaluated).days
    if age > held.evaluation_days:
        return (
            f"had its anomaly list evaluated on {evaluated}, {age} days ago; "
            f"the limit is {held.evaluation_days}."
        )
    if age < 0:
        return f"says its evaluation was on {evaluated}, in the future."
    return ""


def shown(found: Sequence[Disagreement], code: Code | None) -> tuple[Disagreement, ...]:
    """Return the disagreements of one kind, or all."""
    return tuple(one for one in found if code is None or one.code is code)


def what_it_cannot_tell(bill: Bill) -> str:
    """Return in words what a source does not tell; empty where it tells all."""
    if all(one.direct is not None for one in bill.components):
        return ""
    return (
        f"The {bill.source} does not tell what the software asks for itself from what came along, "
        "so every component of it must be registered."
    )
