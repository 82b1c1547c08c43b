"""Everything in a project that needs re-review, one line per link, filtered and told in words."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from core.canonical import digest
from core.clock import now
from core.exports import Sheet
from core.people.actor import Actor
from core.records.comparing import Difference, word_difference
from core.records.models import Project
from core.records.permissions import allowed_roles
from core.records.queries import load_doubts
from core.records.snapshot import Key, RecordView, natural_order
from core.records.suspects import Happened, Suspicion
from core.records.types import get_registry


@dataclass(frozen=True)
class Wanted:
    """What of the list is shown; an empty value asks for all.

    Attributes
    ----------
    cause : str
        The record that changed, as ``PROJECT/UID``.
    type : str
        The type of the record in doubt.
    role : str
        The role of the link.
    """

    cause: str = ""
    type: str = ""
    role: str = ""

    def takes(self, line: "Line") -> bool:
        """Whether a line is shown."""
        return (
            self.cause in ("", line.cause)
            and self.type in ("", line.record.type)
            and self.role in ("", line.doubt.role)
        )


@dataclass(frozen=True)
class Line:
    """One link through which one record needs re-review.

    Attributes
    ----------
    shown : bool
        The person may read what changed; without it nobody can say that the record still holds.
    may : bool
        The person may re-review this record.
    roles : tuple of str
        Who may.
    """

    doubt: Suspicion
    record: RecordView
    cause_title: str
    shown: bool
    may: bool
    roles: tuple[str, ...]

    @property
    def cause(self) -> str:
        """The record that changed, as the filter names it."""
        return "/".join(self.doubt.cause)

    @property
    def link(self) -> str:
        """What the line is about, whatever changed: the beginning of `choice`."""
        direction = "to" if self.doubt.record == self.doubt.link.source else "from"
        return "/".join((self.record.uid, self.doubt.role, direction, self.cause))

    @property
    def choice(self) -> str:
        """What a ticked line sends: the link, and the state of both ends that was read."""
        one = self.doubt
        read = [one.happened, one.now, dict(one.link.attributes), self.record.envelope_digest]
        return f"{self.link}/{digest(read)[:16]}"

    @property
    def may_tick(self) -> bool:
        """Whether the line has a box."""
        return self.may and self.shown

    @property
    def changes(self) -> list[Difference]:
        """What changed, word by word."""
        return [
            Difference(one.label, word_difference(one.before, one.after)) for one in self.doubt.diff
        ]


def lines_of(
    session: Session, project: Project, person: Actor, readable: Collection[str]
) -> list[Line]:
    """Return every line of a project, by record, then by cause."""
    found, around = load_doubts(session)
    registry = get_registry()
    lines = []
    for doubt in found:
        if doubt.record.project != project.key:
            continue
        record = around.records[doubt.record]
        shown = doubt.cause.project in readable
        roles = allowed_roles(registry.of(record.type))
        lines.append(
            Line(
                doubt if shown else replace(doubt, diff=(), said={}),
                record,
                around.records[doubt.cause].title if shown else "",
                shown,
                person.has(project.id or 0, *roles),
                tuple(sorted(roles)),
            )
        )
    return sorted(lines, key=_order)


def _order(line: Line) -> tuple[object, ...]:
    cause = line.doubt.cause
    return natural_order(line.record.uid), cause.project, natural_order(cause.uid), line.link


@dataclass(frozen=True)
class Choices:
    """What a list can be filtered by: each value that is met in it, in words with its count."""

    causes: Sequence[tuple[str, str]]
    types: Sequence[tuple[str, str]]
    roles: Sequence[tuple[str, str]]


def choices_of(lines: Sequence[Line], project: Project) -> Choices:
    """Return the filters of a list, with how many lines each would leave."""
    registry = get_registry()

    def cause_words(value: str) -> str:
        key = Key(*value.split("/", 1))
        return key.uid if key.project == project.key else f"{key.uid} of {key.project}"

    causes = Counter(line.cause for line in lines)
    types = Counter(line.record.type for line in lines)
    roles = Counter(line.doubt.role for line in lines)
    return Choices(
        [
            (one, f"{cause_words(one)} ({causes[one]})")
            for one in sorted(causes, key=lambda one: (one.split("/")[0], natural_order(one)))
        ],
        [(one, f"{registry.of(one).plural} ({types[one]})") for one in sorted(types)],
        [(one, f"{one.replace('_', ' ')} ({roles[one]})") for one in sorted(roles)],
    )


def sheet(project: Project, lines: Sequence[Line], wanted: Wanted) -> Sheet:
    """Return some lines as a table that leaves the house."""
    registry = get_registry()
    return Sheet(
        f"Needs re-review in {project.key}",
        (
            "Record", "Type", "Title", "Revision", "Link", "Because of", "What happened",
            "Distance", "What changed",
        ),
        [
            (
                line.record.uid,
                registry.of(line.record.type).label,
                line.record.title,
                line.record.revision,
                line.doubt.role.replace("_", " "),
                line.doubt.cause.uid
                if line.doubt.cause.project == project.key
                else f"{line.doubt.cause.uid} of {line.doubt.cause.project}",
                str(line.doubt.happened),
                line.doubt.distance,
                _told(line),
            )
            for line in lines
        ],
        {
            "Project": f"{project.key} {project.title}",
            "Because of": wanted.cause or "anything",
            "Type": wanted.type or "all",
            "Link": wanted.role or "all",
            "Made (UTC)": f"{now():%Y-%m-%d %H:%M:%S}",
        },
    )  # fmt: skip


def _told(line: Line) -> str:
    if not line.doubt.diff:
        unseen = line.doubt.happened is Happened.CHANGED
        return "what changed cannot be shown here" if unseen else line.doubt.told
    return "\n".join(
        f"{one.label}: was “{one.before}”, is “{one.after}”" for one in line.doubt.diff
    )
