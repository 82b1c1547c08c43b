"""Keep, find, change and delete views of the matrix; say of each what of it no longer exists."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger import append, hold_still
from core.people.actor import ADMINISTRATOR, Actor
from core.people.models import Person
from core.records.models import Project, Record, Revision
from core.records.types import get_registry
from qms.traceability.asking import ALL, FILTERS, NO_RELEASE, SORTS, Choice
from qms.traceability.clauses import is_listed
from qms.traceability.columns import columns_for
from qms.traceability.service import allowed_links
from qms.traceability.views.models import DefaultView, SavedView
from qms.traceability.ways import along

LONGEST_NAME = 80
MOST_VIEWS = 50
"""Of one person in one project; a list that is longer helps nobody to find anything."""

KEEPER = "quality_manager"
"""May delete what others share."""


@dataclass(frozen=True)
class Kept:
    """A view as one person meets it.

    Attributes
    ----------
    words : str
        What it shows.
    faults : tuple of Fault
        What of it no longer exists; with any, it is not shown.
    """

    id: int
    name: str
    owner: str
    own: bool
    shared: bool
    default: bool
    may_delete: bool
    choice: Choice
    words: str
    faults: tuple[Fault, ...]


def kept_views(session: Session, project: Project, person: Actor) -> list[Kept]:
    """Return the views that a person may open in a project: their own, then the shared ones."""
    rows = session.execute(
        select(SavedView, col(Person.name))
        .join(Person, col(Person.id) == col(SavedView.person_id))
        .where(
            col(SavedView.project_id) == project.id,
            (col(SavedView.person_id) == person.person_id) | col(SavedView.shared).is_(True),
        )
    ).all()
    chosen = default_of(session, project, person) if rows else None
    known = releases_by_name(session, project) if rows else {}
    found = [_kept(view, owner, project, person, chosen, known) for view, owner in rows]
    return sorted(found, key=lambda one: (not one.own, one.name.casefold(), one.id))


def _kept(
    view: SavedView,
    owner: str,
    project: Project,
    person: Actor,
    chosen: int | None,
    known: dict[str, str],
) -> Kept:
    choice = Choice(**view.query)
    return Kept(
        id=view.id or 0,
        name=view.name,
        owner=owner,
        own=view.person_id == person.person_id,
        shared=view.shared,
        default=view.id == chosen,
        may_delete=_may_delete(view, project, person),
        choice=choice,
        words=in_words(choice, known),
        faults=tuple(faults_of(choice, known)),
    )


def find_view(session: Session, project: Project, person: Actor, view_id: int) -> SavedView:
    """Return a view that a person may open.

    Raises
    ------
    NotFound
        Where there is none, or it is somebody else's own.
    """
    view = session.get(SavedView, view_id)
    if (
        view is None
        or view.project_id != project.id
        or not (view.shared or view.person_id == person.person_id)
    ):
        raise NotFound(f"There is no view {view_id} of the matrix of {project.key} for you.")
    return view


def default_of(session: Session, project: Project, person: Actor) -> int | None:
    """Return the view with which the matrix opens for a person, if they chose one."""
    row = session.get(DefaultView, (project.id, person.person_id))
    return row.view_id if row else None


def keep_view(
    session: Session, project: Project, by: Actor, name: str, choice: Choice, *, shared: bool
) -> SavedView:
    """Keep what the matrix shows under a name.

    Raises
    ------
    Invalid
        With every fault of the name and of what it would show.
    Refused
        If it is to be shared by somebody without a role in the project.
    Conflict
        If the person has too many already.
    """
    hold_still(session)
    faults = _name_faults(session, project, by, name)
    faults += faults_of(choice, releases_by_name(session, project))
    if faults:
        raise Invalid("The view was not kept.", faults)
    if shared:
        _refuse_sharing(project, by)
    own = select(func.count()).where(
        col(SavedView.project_id) == project.id, col(SavedView.person_id) == by.person_id
    )
    if session.execute(own).scalar_one() >= MOST_VIEWS:
        raise Conflict(f"You have {MOST_VIEWS} views in {project.key}; delete one first.")
    view = SavedView(
        project_id=project.id or 0,
        person_id=by.person_id,
        name=name.strip(),
        shared=shared,
        query=choice.model_dump(),
    )
    session.add(view)
    session.flush()
    if shared:
        _note(session, "share", view, by)
    return view


def rename_view(
    session: Session, project: Project, by: Actor, view_id: int, name: str, *, shared: bool
) -> SavedView:
    """Give one's own view another name, share it, or take it back."""
    hold_still(session)
    view = _own(session, project, by, view_id)
    faults = _name_faults(session, project, by, name, view)
    if faults:
        raise Invalid("The view was not renamed.", faults)
    if shared and not view.shared:
        _refuse_sharing(project, by)
    was_shared, before = view.shared, view.name
    view.name, view.shared, view.changed_at = name.strip(), shared, now()
    session.add(view)
    session.flush()
    if was_shared and not shared:
        session.execute(
            delete(DefaultView).where(
                col(DefaultView.view_id) == view.id, col(DefaultView.person_id) != by.person_id
            )
        )
        _note(session, "unshare", view, by)
    elif shared and not was_shared:
        _note(session, "share", view, by)
    elif shared and before != view.name:
        _note(session, "rename", view, by, {"before": before})
    return view


def replace_view(
    session: Session, project: Project, by: Actor, view_id: int, choice: Choice
) -> SavedView:
    """Let one's own view show something else from now on."""
    hold_still(session)
    view = _own(session, project, by, view_id)
    faults = faults_of(choice, releases_by_name(session, project))
    if faults:
        raise Invalid("The view was not replaced.", faults)
    view.query, view.changed_at = choice.model_dump(), now()
    session.add(view)
    session.flush()
    if view.shared:
        _note(session, "replace", view, by)
    return view


def delete_view(session: Session, project: Project, by: Actor, view_id: int) -> str:
    """Delete a view: one's own, or as quality manager a shared one; return its name."""
    hold_still(session)
    view = find_view(session, project, by, view_id)
    if not _may_delete(view, project, by):
        raise Refused(
            f"{by.name} may not delete the view {view.name}; that needs its owner or a quality "
            "manager."
        )
    session.execute(delete(DefaultView).where(col(DefaultView.view_id) == view.id))
    if view.shared:
        _note(session, "delete", view, by)
    session.delete(view)
    session.flush()
    return view.name


def open_by_default(
    session: Session, project: Project, person: Actor, view_id: int, *, wanted: bool
) -> SavedView:
    """Let the matrix open with a view for one person, or as usual again."""
    hold_still(session)
    view = find_view(session, project, person, view_id)
    session.execute(
        delete(DefaultView).where(
            col(DefaultView.project_id) == project.id,
            col(DefaultView.person_id) == person.person_id,
        )
    )
    if wanted:
        session.add(
            DefaultView(
                project_id=project.id or 0, person_id=person.person_id, view_id=view.id or 0
            )
        )
    session.flush()
    return view


def faults_of(choice: Choice, releases: dict[str, str]) -> list[Fault]:
    """Return what of a view does not exist: a type, a way between two, a release, a filter."""
    faults: list[Fault] = []
    try:
        links = allowed_links(get_registry())
        along(columns_for(choice.rows, choice.columns, links), choice.along, choice.rows, links)
    except Invalid as error:
        faults += error.faults
    if choice.release not in ("", NO_RELEASE, *releases):
        what = "is no release of this project, or is withdrawn."
        faults.append(Fault("TM04", choice.release, what, "Choose another release."))
    if choice.show not in FILTERS:
        mend = f"Use one of {', '.join(FILTERS)}."
        faults.append(Fault("TM05", choice.show, "is no filter of the matrix.", mend))
    if choice.clause.strip() and not is_listed(choice.clause):
        mend = "Write a clause as 13485 7.3.3."
        faults.append(Fault("TM07", choice.clause, "is a clause that no framework lists.", mend))
    if choice.sort not in dict(SORTS):
        faults.append(Fault("TM06", choice.sort, "is no order of the matrix."))
    return faults


def releases_by_name(session: Session, project: Project) -> dict[str, str]:
    """Return the version of every release that can be chosen, by its uid."""
    rows = session.execute(
        select(col(Record.uid), col(Revision.fields))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .where(
            col(Record.project_id) == project.id,
            col(Record.type) == "release",
            col(Record.withdrawn_at).is_(None),
        )
    )
    return {uid: str((fields or {}).get("version") or uid) for uid, fields in rows}


def in_words(choice: Choice, releases: dict[str, str]) -> str:
    """Return what a view shows, as a person says it."""
    registry = get_registry()

    def label(name: str, *, many: bool = False) -> str:
        if name not in registry:
            return name
        return (registry.of(name).plural if many else registry.of(name).label).lower()

    columns = ", ".join(label(name) for name in choice.columns) or "the usual columns"
    if choice.release == NO_RELEASE:
        release = "latest runs of any release"
    else:
        version = releases.get(choice.release, choice.release)
        release = f"release {version}" if version else "the newest release"
    shown = "every row" if choice.show == ALL else choice.show
    order = dict(SORTS).get(choice.sort, choice.sort).lower()
    concerned = f"; clause {choice.clause.strip()}" if choice.clause.strip() else ""
    paths = len({one.partition(":")[0] for one in choice.along})
    chosen = (
        f", {paths} along a path of its own"
        if paths == 1
        else f", {paths} along paths of their own"
    )
    columns += chosen if paths else ""
    return f"{label(choice.rows, many=True)} with {columns}; {shown}{concerned}; {release}; {order}"


def may_share(project: Project, person: Actor) -> bool:
    """Whether a person holds a role in the project; who only runs the installation does not."""
    here = person.roles.get(project.id, frozenset())
    return bool(here or person.roles.get(None, frozenset()) - {ADMINISTRATOR})


def _refuse_sharing(project: Project, by: Actor) -> None:
    if not may_share(project, by):
        raise Refused(
            f"{by.name} may not share a view with {project.key}; that needs a role in the project."
        )


def _own(session: Session, project: Project, by: Actor, view_id: int) -> SavedView:
    view = find_view(session, project, by, view_id)
    if view.person_id != by.person_id:
        raise Refused(
            f"{by.name} may not change the view {view.name}; only its owner does. Keep one of "
            "your own instead."
        )
    return view


def _may_delete(view: SavedView, project: Project, person: Actor) -> bool:
    return view.person_id == person.person_id or person.has(project.id or 0, KEEPER)


def _name_faults(
    session: Session, project: Project, by: Actor, name: str, renamed: SavedView | None = None
) -> list[Fault]:
    wanted = name.strip()
    if not wanted or len(wanted) > LONGEST_NAME or not wanted.isprintable():
        what = f"is empty, longer than {LONGEST_NAME} letters, or holds unprintable ones."
        return [Fault("name", "name", what, "Name what the view is for.")]
    taken = session.execute(
        select(col(SavedView.id)).where(
            col(SavedView.project_id) == project.id,
            col(SavedView.person_id) == by.person_id,
            col(SavedView.name) == wanted,
        )
    ).scalar_one_or_none()
    if taken is not None and (renamed is None or taken != renamed.id):
        what = f"“{wanted}” is the name of another view of yours."
        return [Fault("name-taken", "name", what, "Replace that one, or use another name.")]
    return []


def _note(
    session: Session, act: str, view: SavedView, by: Actor, more: dict[str, str] | None = None
) -> None:
    told = {"name": view.name, "query": view.query, **(more or {})}
    append(session, f"trace:view:{act}", by, view.project_id, view.name, told)
