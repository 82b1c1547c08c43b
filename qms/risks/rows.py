"""A row of a spreadsheet as a risk: steps by number or word, levels compared, controls linked.

The scales and the matrix are those of the policy in force; none is known here.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from core.records.content import Content
from core.records.sheets.cells import bare
from core.records.sheets.headings import Column, Headings, Unknown, Words, plain
from core.records.type_shape import FieldSpec
from qms.risks.control_cells import ControlCells
from qms.risks.evaluation import RiskPolicy, is_step
from qms.sheets.judging import Judge
from qms.sheets.rows import Row

CONTROLLED_BY = "mitigates"
"""The role by which what controls a risk is linked to it; it is stated at the other end."""

SPOKEN: Words = {
    "id": ("risk", "risk id", "hazard id", "ref", "reference", "hazard ref", "hazard no", "no"),
    "hazard": ("hazard description", "hazard name"),
    "sequence": (
        "possible causes",
        "possible cause",
        "causes",
        "cause",
        "events",
        "sequence of events",
    ),
    "situation": ("hazardous situation", "scenario"),
    "harm": ("potential clinical impact", "clinical impact", "impact", "effect", "consequence"),
    "severity": (
        "initial severity",
        "severity before",
        "severity before controls",
        "severity initial",
    ),
    "likelihood_before": (
        "initial likelihood",
        "likelihood",
        "probability",
        "initial probability",
        "likelihood initial",
        "probability initial",
    ),
    "severity_after": (
        "final severity",
        "residual severity",
        "severity residual",
        "severity final",
    ),
    "likelihood_after": (
        "final likelihood",
        "residual likelihood",
        "residual probability",
        "final probability",
        "likelihood residual",
        "likelihood final",
        "probability residual",
        "probability final",
    ),
    "benefit_risk": ("benefit risk",),
    "owned_by": ("owner", "risk owner"),
    "level_before": (
        "initial risk",
        "initial risk rating",
        "risk rating",
        "risk level",
        "risk initial",
        "level initial",
    ),
    "level_after": (
        "final risk",
        "residual risk",
        "final risk rating",
        "residual risk level",
        "risk final",
        "risk residual",
        "level residual",
    ),
    "existing_controls": ("current controls",),
    "controls": ("design controls", "control measures", "mitigations", "risk controls"),
}
"""What the columns are called in hazard logs; those of the RDM template are among them."""

PASSED = frozenset(
    {
        "state", "verified controls", "level once verified", "why not lower", "effectiveness",
        "qa procedures",
    }
)  # fmt: skip
"""Columns of our own export that are worked out anew each time."""

COMPUTED_ONLY_HERE = frozenset({"verified controls", "level once verified", "why not lower"})
PERHAPS_OURS = frozenset({"state", "effectiveness"})
STANDING = frozenset({"severity after", "likelihood after", "level after"})
"""In our own export these tell where a risk stands, verified controls counted, not what its record
states. It is known by any column that nothing else has; where only columns are left that other
sheets have too, somebody says what these are."""

OWN = (
    Column("own", "level_before", "Level before"),
    Column("own", "level_after", "Level after"),
    Column("own", "existing_controls", "Existing controls"),
    Column("own", "controls", "Controls"),
)

SEVERITY, LIKELIHOOD = "severity", "likelihood"
SCALE_OF: Mapping[str, str] = {
    "severity": SEVERITY,
    "severity_after": SEVERITY,
    "likelihood_before": LIKELIHOOD,
    "likelihood_after": LIKELIHOOD,
}
"""The fields that are a step of a scale of the policy."""

LEVELS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "level_before": (("severity",), ("likelihood_before",)),
    "level_after": (("severity_after", "severity"), ("likelihood_after", "likelihood_before")),
}
"""Which fields a stated level follows from; the first of each that says something."""

_NUMBERED = re.compile(r"(\d{1,3})(?:\.0+)?(?:\s*[-\u2013:.)]?\s*([^\d(][^(]*))?")
_BRACKETED = re.compile(r"([^\d(]+?)\s*[(\[]\s*(\d{1,3})\s*[)\]]")
_LOOK_ALIKES = str.maketrans("OIL_", "011-")
_LEVEL = re.compile(r"(?:level\s*)?(\d{1,2})(?:\.0+)?(?:\s+[^\d]*|\s*[(\[][^\d]*)?", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d+)?")
_BLANK_LINES = re.compile(r"\n\s*\n")

NOTED = ("existing_controls", "controls")
"""Columns whose words become a paragraph of the notes each."""


def step_of(scale: Sequence[str], text: str) -> int | None:
    """Return the step that a cell means: its number, its word, or both where they agree.

    Examples
    --------
    >>> scale = ["Minor", "Significant", "Major"]
    >>> [step_of(scale, one) for one in ("2", "major", "3 - Major", "Minor (1)", "2 Major", "4")]
    [2, 3, 3, 1, None, None]
    """
    words = {_plain(name): step for step, name in enumerate(scale, start=1)}
    text = " ".join(text.split())
    if _plain(text) in words:
        return words[_plain(text)]
    number, word = "", ""
    if found := _NUMBERED.fullmatch(text):
        number, word = found[1], found[2] or ""
    elif found := _BRACKETED.fullmatch(text):
        word, number = found[1], found[2]
    if not number or not is_step(int(number), scale):
        return None
    step = int(number)
    return step if not word.strip() or words.get(_plain(word)) == step else None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())


@dataclass
class RiskJudge(Judge):
    """Judges the rows of a risk file.

    Parameters
    ----------
    policy : RiskPolicy
        Whose scales and matrix hold.
    controllers : tuple of str
        The types of record that control a risk.
    prefixes : tuple of str
        How their ids begin.
    kinds : tuple of str
        The kinds of control.
    """

    policy: RiskPolicy | None = None
    controllers: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    named_by = "hazard"

    def __post_init__(self) -> None:
        """Name the columns of a hazard log."""
        self.spoken, self.own, self.passed = SPOKEN, OWN, PASSED
        self.computed = frozenset(LEVELS)

    def headings(self, stated: Sequence[str], chosen: Mapping[int, str]) -> Headings:
        """Say what each column means; of our own export what is stated, not what is worked out."""
        words = {plain(one) for one in stated}
        self.passed = PASSED | STANDING if words & COMPUTED_ONLY_HERE else PASSED
        found = super().headings(stated, chosen)
        if words & COMPUTED_ONLY_HERE or not words & PERHAPS_OURS:
            return found
        columns, unknown = list(found.columns), list(found.unknown)
        for place, column in enumerate(columns):
            if column and place not in chosen and plain(stated[place]) in STANDING:
                columns[place] = None
                unknown.append(Unknown(place, stated[place], column.label))
        return replace(found, columns=tuple(columns), unknown=tuple(unknown))

    def content(self, row: Row, said: Mapping[str, str]) -> Content:
        """Return what a row states of a risk, with its controls beside it."""
        found = super().content(row, said)
        fields = found.fields
        self._levels(row, said, fields)
        notes = [found.body] if found.body else []
        for name in NOTED:
            text = self._controls(row, name, bare(said.get(name, "")))
            if text:
                # One paragraph each, so that it can be told from the rest of the notes.
                notes.append(f"{self._label(name)}: {_BLANK_LINES.sub(chr(10), text)}")
        # A risk that there is keeps its title where the sheet has no column for it.
        derived = "" if row.held is not None else str(fields.get("hazard") or "")
        return replace(found, title=found.title or derived, body="\n\n".join(notes))

    def over(self, old: Content, said: Content) -> Content:
        """Return a content with what a row states; of the notes only what the row mentions."""
        found = super().over(old, said)
        labels = [f"{self._label(name)}:" for name in NOTED]
        return replace(found, body=notes_over(old.body, said.body, labels))

    def value(self, row: Row, name: str, spec: FieldSpec, cell: str) -> Any:
        """Return the value of one cell; of a scale its step."""
        if name == "harm" and self._is_step(bare(cell)):
            what = f"{spec.label} is '{cell[:60]}', a step of a scale and no harm."
            row.fault(name, "step-as-harm", what, "Say that its column is the severity.")
            return None
        if name not in SCALE_OF or self.policy is None:
            return super().value(row, name, spec, cell)
        scale = self.policy.severity if SCALE_OF[name] == SEVERITY else self.policy.likelihood
        cell = bare(cell)
        step = step_of(scale, cell)
        if step is None:
            steps = ", ".join(f"{number} {word}" for number, word in enumerate(scale, start=1))
            near = difflib.get_close_matches(cell.lower(), [one.lower() for one in scale], 1)
            meant = next((one for one in scale if near and one.lower() == near[0]), "")
            mend = f"Did you mean {meant}? " if meant else ""
            what = f"{spec.label} is '{cell[:60]}', which is no step of the scale."
            row.fault(name, "off-scale", what, f"{mend}The steps are {steps}.")
        return step

    def _is_step(self, cell: str) -> bool:
        """Whether a cell holds a bare number, or nothing but a step of the severity."""
        scale = self.policy.severity if self.policy else ()
        return bool(_BARE_NUMBER.fullmatch(cell)) or step_of(scale, cell) is not None

    def _levels(self, row: Row, said: Mapping[str, str], stated: Mapping[str, Any]) -> None:
        """Compare each stated level with the one that the matrix has there."""
        kept = row.held.content.fields if row.held is not None else {}
        fields = {**kept, **stated}
        for name, (severities, likelihoods) in LEVELS.items():
            label, cell = self._label(name), bare(said.get(name, ""))
            severity = next((fields[one] for one in severities if one in fields), None)
            likelihood = next((fields[one] for one in likelihoods if one in fields), None)
            found = _LEVEL.fullmatch(cell)
            level = self._level(severity, likelihood)
            if cell and (level is None or found is None):
                row.told.append(f"{label.lower()} '{cell[:30]}' is not compared")
            if level is None or severity is None or likelihood is None or self.policy is None:
                continue
            at = f"{self.policy.severity[severity - 1]} x {self.policy.likelihood[likelihood - 1]}"
            if severities[0] in stated or likelihoods[0] in stated:
                row.told.append(f"{label.lower()} {level}, {at}")
            if found is not None and int(found[1]) != level:
                told = f"{label} is {cell[:30]}"
                what = f"{told}; {self.policy.title} has {level} at {at}."
                mend = "Correct the steps or the level, or empty this cell: levels are looked up."
                row.fault(name, "other-level", what, mend)

    def _level(self, severity: Any, likelihood: Any) -> int | None:
        """Return the level at two steps; None where one is missing or, being kept, off a scale."""
        policy = self.policy
        if policy is None or severity is None or likelihood is None:
            return None
        there = is_step(severity, policy.severity) and is_step(likelihood, policy.likelihood)
        return policy.cells[likelihood - 1][severity - 1] if there else None

    def _controls(self, row: Row, name: str, cell: str) -> str:
        """Take the ids of controls out of a cell, and return its text where it says more."""
        named = self._cells.named(cell)
        for told in self._cells.unclear(cell, named):
            what = f"'{told[:60]}' is a range or leaves out how an id begins."
            row.fault(name, "unclear-controls", what, "Write out each id.")
        rest, end = "", 0
        for one in named:
            rest, end = rest + cell[end : one.start] + " ", one.end
            held = self.held.get(one.uid)
            if held is None or held.gone or held.type not in self.controllers:
                self._no_control(row, name, one.uid)
                continue
            row.controls[one.uid] = one.kind or row.controls.get(one.uid, "")
            if held.obstacle and not self._states(one.uid, row.uid, one.kind):
                what = f"{one.uid} {held.obstacle}, so it cannot be linked to this risk now."
                mend = "Have that finished or discarded first, or leave it or its column out here."
                row.fault(name, "open-draft", what, mend)
        return cell if re.search(r"\w", rest + cell[end:]) else ""

    @cached_property
    def _cells(self) -> ControlCells:
        """Finds the ids of what controls risks here."""
        ids = [uid for uid, one in self.held.items() if one.type in self.controllers]
        return ControlCells(ids, {*map(_head, ids), *self.prefixes} - {""}, self.kinds)

    def _no_control(self, row: Row, name: str, uid: str) -> None:
        held = self.held.get(uid)
        alike = self._alike.get(_looks(uid))
        near = alike or self.near(self.controllers, uid)
        kinds = " or ".join(one.replace("_", " ") for one in self.controllers)
        word = "withdrawn" if held is not None and held.gone else f"no {kinds} here"
        mend = f"Did you mean {near}?" if near else "Correct it, or leave it out."
        row.fault(name, "missing-control", f"{uid[:60]} is {word}.", mend)

    @cached_property
    def _alike(self) -> dict[str, str]:
        """What controls risks here, by how its id looks."""
        those = (uid for uid, one in self.held.items() if one.type in self.controllers)
        return {_looks(uid): uid for uid in those}

    def _states(self, control: str, risk: str, kind: str) -> bool:
        """Whether a record says already that it controls a risk, by a kind where one is said."""
        links = self.held[control].content.links
        return any(
            one.role == CONTROLLED_BY
            and one.target == risk
            and kind in ("", one.attributes.get("kind"))
            for one in links
        )


def notes_over(old: str, said: str, labels: Sequence[str]) -> str:
    r"""Return notes in which only the paragraphs that a row mentions are other ones.

    Examples
    --------
    >>> notes_over("Why.\n\nControls: a", "Controls: b", ["Controls:"])
    'Why.\n\nControls: b'
    """

    def label(paragraph: str) -> str:
        return next((one for one in labels if paragraph.startswith(one)), "")

    stated = said.split("\n\n") if said else []
    text = [one for one in stated if not label(one)]
    noted = [one for one in stated if label(one)]
    mentioned = {label(one) for one in noted}
    found = list(text)
    for one in old.split("\n\n") if old else ():
        if label(one) in mentioned:
            found += [each for each in noted if label(each) == label(one)]
            noted = [each for each in noted if label(each) != label(one)]
        elif label(one) or not text:
            found.append(one)
    return "\n\n".join([*found, *noted])


def _looks(uid: str) -> str:
    """Return an id with what looks alike in print made one."""
    return uid.upper().translate(_LOOK_ALIKES)


def _head(uid: str) -> str:
    return re.split(r"[-_.\d]", uid, maxsplit=1)[0]
