"""Read who is in a project and what training is on record, and lay it out as a matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import now
from core.exports import Sheet
from core.people.actor import ADMINISTRATOR, Actor
from core.people.models import Person, RoleGrant
from core.records.models import Project, Record, Revision
from core.records.snapshot import Snapshot, natural_order
from qms.baselines.current import project_snapshot
from qms.training import training_record
from qms.training_matrix.matrix import (
    Cell,
    Change,
    Column,
    Member,
    Row,
    changes_of,
    columns_of,
    rows_of,
)


@dataclass(frozen=True)
class TrainingMatrix:
    """Everybody in a project against every document that a role asks for.

    Attributes
    ----------
    changes : tuple of Change
        Documents that changed after people were trained on them.
    roles : tuple of str
        The roles that ask for something.
    matrix_at : str
        The record that holds the training matrix; empty where there is none.
    recorded : frozenset of str
        The people and documents that have a record in the project.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    roles: tuple[str, ...]
    matrix_at: str
    recorded: frozenset[str]

    def of(self, uid: str) -> Row | None:
        """Return one person's row."""
        return next((row for row in self.rows if row.member.uid == uid), None)


def training_matrix(
    session: Session, project: Project, snapshot: Snapshot | None = None
) -> TrainingMatrix:
    """Return how everybody of a project stands today.

    Parameters
    ----------
    snapshot : Snapshot, optional
        What `project_snapshot` gave, where it was loaded already.
    """
    snapshot = snapshot or project_snapshot(session, project)
    record = training_record(snapshot, project.key)
    titles = {one.uid: one.title for one in snapshot.of_type("document", project.key)}
    columns = columns_of(record, titles)
    members = _members(session, project, snapshot) if columns else []
    rows = rows_of(record, columns, members, now().date())
    held = snapshot.of_type("project", project.key)
    return TrainingMatrix(
        columns,
        rows,
        changes_of(rows, record),
        tuple(sorted(record.matrix)),
        held[0].uid if held else "",
        frozenset({*titles, *(one.uid for one in snapshot.of_type("person", project.key))}),
    )


def own_lacks(
    session: Session, person: Actor, projects: Sequence[Project]
) -> list[tuple[Project, Cell]]:
    """Return what a person lacks to act in their roles, project by project."""
    found: list[tuple[Project, Cell]] = []
    asking = _asking(session, projects)
    for project in projects:
        if project.id not in asking:
            continue
        row = training_matrix(session, project).of(person.uid)
        found += [(project, cell) for cell in row.cells if cell.lacks] if row else []
    return found


def _asking(session: Session, projects: Sequence[Project]) -> set[int]:
    """Return the projects that ask for training at all, without reading their other records."""
    rows = session.execute(
        select(col(Record.project_id), col(Revision.fields))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .where(
            col(Record.type) == "project",
            col(Record.project_id).in_([one.id for one in projects]),
            col(Record.withdrawn_at).is_(None),
        )
    )
    return {project for project, fields in rows if (fields or {}).get("training_matrix")}


def _members(session: Session, project: Project, snapshot: Snapshot) -> list[Member]:
    """Return the people on record in a project and those who hold a role in it, once each.

    A role counts that the record of the person states, and one that was granted to their account:
    the first says what they do, the second what they may sign.
    """
    names: dict[str, str] = {}
    roles: dict[str, set[str]] = {}
    for record in snapshot.of_type("person", project.key):
        if not record.withdrawn:
            names[record.uid] = record.title
            roles[record.uid] = {str(one) for one in record.fields.get("roles") or ()}
    granted = session.execute(
        select(col(Person.uid), col(Person.name), col(RoleGrant.role))
        .join(RoleGrant, col(RoleGrant.person_id) == col(Person.id))
        .where(
            col(Person.active).is_(True),
            col(RoleGrant.revoked_at).is_(None),
            col(RoleGrant.role) != ADMINISTRATOR,
            (col(RoleGrant.project_id) == project.id) | col(RoleGrant.project_id).is_(None),
        )
    )
    for uid, name, role in granted:
        names.setdefault(uid, name)
        roles.setdefault(uid, set()).add(role)
    return [
        Member(uid, names[uid], tuple(sorted(roles[uid])))
        for uid in sorted(names, key=natural_order)
    ]


def sheet(project: Project, matrix: TrainingMatrix, rows: tuple[Row, ...], shown: str) -> Sheet:
    """Return some rows as a table that leaves the house."""
    headings = [
        f"{one.document} {f'revision {one.revision}' if one.revision else 'not in force'}"
        for one in matrix.columns
    ]
    return Sheet(
        f"Training in {project.key}",
        ("Person", "Name", "Roles", *headings),
        [
            (
                row.member.uid,
                row.member.name,
                ", ".join(role.replace("_", " ") for role in row.member.roles),
                *(
                    ", ".join(part for part in (cell.standing, cell.detail, cell.training) if part)
                    for cell in row.cells
                ),
            )
            for row in rows
        ],
        {
            "Project": f"{project.key} {project.title}",
            "Shown": shown,
            "On (UTC)": f"{now():%Y-%m-%d %H:%M}",
        },
    )
