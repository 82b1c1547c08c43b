"""Find the records that links lead to, and say of each that is wrong what is wrong."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.errors import Fault, Invalid
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record
from core.records.snapshot import Key
from core.records.type_shape import RecordType


def known_records(session: Session, keys: Iterable[Key]) -> dict[Key, Record]:
    """Return those of some records that exist."""
    by_project: dict[str, set[str]] = {}
    for key in keys:
        by_project.setdefault(key.project, set()).add(key.uid)
    found: dict[Key, Record] = {}
    for project, uids in by_project.items():
        for chunk in chunks(uids):
            rows = session.execute(
                select(Record)
                .join(Project, col(Project.id) == col(Record.project_id))
                .where(col(Project.key) == project, col(Record.uid).in_(chunk))
            ).scalars()
            found.update({Key(project, record.uid): record for record in rows})
    return found


def refuse_unreadable(
    record_type: RecordType,
    content: Content,
    readable: Collection[str],
    kept: Sequence[LinkDraft] = (),
) -> None:
    """Refuse a new link into a project that the person may not read, as if nothing were there.

    Raises
    ------
    Invalid
    """
    there = {(one.role, one.project, one.target) for one in kept}
    faults = [
        Fault(
            "missing-target",
            link.target,
            f"'{record_type.links[link.role].label}' {link.target} of {link.project} leads to no "
            "record.",
            "Create that record first.",
        )
        for link in content.links
        if link.project
        and link.project not in readable
        and link.role in record_type.links
        and (link.role, link.project, link.target) not in there
    ]
    if faults:
        raise Invalid("Some links lead nowhere; nothing was saved.", faults)


def withdrawn_faults(
    session: Session, record_type: RecordType, links: Sequence[LinkDraft], project: str
) -> list[Fault]:
    """Return each link that leads to a withdrawn record: nothing new may stand on one."""
    meant: dict[Key, list[str]] = {}
    for link in links:
        meant.setdefault(Key(link.project or project, link.target), []).append(link.role)
    return [
        Fault(
            "withdrawn-target",
            key.uid,
            f"is withdrawn, so nothing new is linked to it ('{record_type.links[role].label}').",
            "Link to what replaced it, or take the link away.",
        )
        for key, target in known_records(session, meant).items()
        if target.withdrawn_at is not None
        for role in meant[key]
    ]


def target_faults(
    record_type: RecordType,
    links: Sequence[LinkDraft],
    project: str,
    types: Mapping[Key, str],
    where: str,
) -> list[Fault]:
    """Return each link that leads nowhere or to a record of a type its role does not allow.

    Parameters
    ----------
    types : mapping
        The type of every record that could be meant.
    """
    faults = []
    for link in links:
        spec = record_type.links.get(link.role)
        if spec is None:
            continue
        key = Key(link.project or project, link.target)
        name = link.target if key.project == project else f"{link.target} of {key.project}"
        found = types.get(key)
        if found is None:
            near = difflib.get_close_matches(
                link.target, [one.uid for one in types if one.project == key.project], 1
            )
            faults.append(
                Fault(
                    "missing-target",
                    where,
                    f"'{spec.label}' {name} leads to no record.",
                    f"Did you mean {near[0]}?" if near else "Create that record first.",
                )
            )
        elif found not in spec.to:
            faults.append(
                Fault(
                    "wrong-target",
                    where,
                    f"'{spec.label}' {name} leads to a {found}.",
                    f"It may lead to: {', '.join(spec.to)}.",
                )
            )
    return faults
