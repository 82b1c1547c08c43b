"""Put the steps of a pathway in order: what is pressed changes the list, and only Save keeps it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record, Revision
from core.records.queries import load_snapshot
from core.records.service import project_of, read_content, save_draft
from dataflows.devices import split_reference
from dataflows.inventory import Department, Pathway, Step
from dataflows.pathways import WalkedStep, walk
from dataflows.survey import department_from_snapshot

MOST_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button does: its verb, and the step from 1 that it stands beside."""

    verb: str
    number: int = 0


def pressed(text: str) -> Pressed:
    """Read what a button sends, as "up.3".

    Examples
    --------
    >>> pressed("up.3")
    Pressed(verb='up', number=3)
    >>> pressed("save")
    Pressed(verb='save', number=0)
    """
    verb, _, number = text.partition(".")
    return Pressed(verb, int(number) if number.isascii() and number.isdecimal() else 0)


def step_of(text: str) -> Step:
    """Read a step as it is sent: a connection, perhaps of another project, perhaps an entry.

    Examples
    --------
    >>> step_of("C001 entry")
    Step(connection='C001', entry=True)
    """
    uid, _, entry = text.strip().partition(" ")
    return Step(uid[:120], entry.strip() == "entry")


def moved(steps: Sequence[Step], what: Pressed, added: str = "") -> tuple[Step, ...]:
    """Return the steps after a button was pressed; what cannot be done changes nothing.

    Examples
    --------
    >>> steps = (Step("C1"), Step("C2"), Step("C3"))
    >>> [one.connection for one in moved(steps, Pressed("up", 3))]
    ['C1', 'C3', 'C2']
    """
    found = list(steps)
    place = what.number - 1
    there = 0 <= place < len(found)
    if what.verb == "up" and there and place:
        found[place - 1 : place + 1] = reversed(found[place - 1 : place + 1])
    elif what.verb == "down" and there and place + 1 < len(found):
        found[place : place + 2] = reversed(found[place : place + 2])
    elif what.verb == "remove" and there:
        del found[place]
    elif what.verb == "entry" and there:
        found[place] = replace(found[place], entry=not found[place].entry)
    elif what.verb == "add" and added.strip():
        found.insert(what.number if 0 < what.number <= len(found) else len(found), Step(added))
    return tuple(found)


def department_of(session: Session, project: Project) -> Department:
    """Return the map that the steps are walked on: the latest drafts of its own records."""
    snapshot = load_snapshot(session, [project.key], effective=False)
    return department_from_snapshot(snapshot, project.key)


def judged(department: Department, uid: str, steps: Iterable[Step]) -> list[WalkedStep]:
    """Walk steps that are not kept yet."""
    return list(walk(department, Pathway(uid, "", steps=tuple(steps))))


def keep_steps(
    session: Session,
    record: Record,
    steps: Sequence[Step],
    by: Actor,
    expected: str,
    reason: str = "",
) -> Revision:
    """Save the steps of a pathway as a draft; everything else that it says stays.

    Raises
    ------
    Invalid
        If there is no step, or a step names no connection.
    Conflict, Refused
        As `save_draft`.
    """
    if not steps or len(steps) > MOST_STEPS:
        what = "A pathway has at least one step." if not steps else f"At most {MOST_STEPS} steps."
        raise Invalid("The steps were not saved.", [Fault("steps", record.uid, what)])
    content = read_content(session, record)
    others = [link for link in content.links if link.role != "steps"]
    links = _links(content, steps, project_of(session, record).key)
    changed = replace(content, links=(*others, *links))
    return save_draft(session, record, changed, by, expected, reason or "Steps put in order.")


def steps_of(content: Content, project: str) -> list[Step]:
    """Return the steps that a pathway says; one of another project is written OTHER/C005."""
    return [
        Step(reference_of(link, project), bool(link.attributes.get("entry")))
        for link in content.links
        if link.role == "steps"
    ]


def reference_of(link: LinkDraft, project: str) -> str:
    """Write what a link leads to, with the project where that is another.

    Examples
    --------
    >>> reference_of(LinkDraft("steps", "C005", "OTHER"), "DEPT")
    'OTHER/C005'
    """
    return f"{link.project}/{link.target}" if link.project not in (None, project) else link.target


def _links(content: Content, steps: Sequence[Step], project: str) -> list[LinkDraft]:
    """Return the links of steps, each with all that the kept link to the same end says of it."""
    kept: dict[str, list[LinkDraft]] = {}
    for link in content.links:
        if link.role == "steps":
            kept.setdefault(reference_of(link, project), []).append(link)
    found = []
    for one in steps:
        other, uid = split_reference(one.connection)
        begun = LinkDraft("steps", uid, None if other == project else other)
        before = kept.get(reference_of(begun, project))
        link = before.pop(0) if before else begun
        said = {name: value for name, value in link.attributes.items() if name != "entry"}
        found.append(replace(link, attributes={**said, **({"entry": True} if one.entry else {})}))
    return found
