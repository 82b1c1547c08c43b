"""Baselines as programs see them: the list, one with its lines, and what differs between two."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from core.web import CurrentPerson, ProjectInPath, ReadSession, readable_projects
from core.web.answers import MAY_CONFLICT
from qms.baselines import service
from qms.baselines.comparison import BaselineLine
from qms.baselines.differing import Kind, RecordDifference, compared
from qms.baselines.told import BaselineTold, baseline_told

router = APIRouter(prefix="/api/p/{project}/baselines", tags=["api"])


class FrozenTold(BaseModel):
    """One frozen record: which revision, and the digest of its envelope."""

    model_config = ConfigDict(from_attributes=True)

    project: str
    uid: str
    revision: int
    digest: str


class WholeBaseline(BaselineTold):
    """A baseline with its lines; `lost` are those whose revision is no longer as it was frozen."""

    intact: bool
    lost: list[FrozenTold]
    lines: list[FrozenTold]


class ChangedTold(BaseModel):
    """A record that is in both and not the same; `compare` is where what it says is compared."""

    project: str
    uid: str
    kinds: list[Kind]
    before: int
    after: int
    compare: str


class DiffTold(BaseModel):
    """What differs between two baselines, by project and uid."""

    before: BaselineTold
    after: BaselineTold
    added: list[FrozenTold]
    removed: list[FrozenTold]
    changed: list[ChangedTold]


@router.get("")
def list_baselines(project: ProjectInPath, session: ReadSession) -> list[BaselineTold]:
    """List the baselines of a project, the latest first."""
    return [baseline_told(one) for one in service.baselines_of(session, project)]


@router.get("/{name}", responses=MAY_CONFLICT)
def read_baseline(project: ProjectInPath, session: ReadSession, name: str) -> WholeBaseline:
    """Return a baseline by its number or 8 digits of its root, and whether it still holds."""
    baseline = service.find_baseline(session, project, name)
    verified = service.verify_baseline(session, baseline)
    return WholeBaseline(
        **baseline_told(baseline).model_dump(),
        intact=verified.intact,
        lost=[_line(one) for one in verified.lost],
        lines=[_line(one) for one in sorted(service.lines_of(session, baseline))],
    )


@router.get("/{before}/diff/{after}", responses=MAY_CONFLICT)
def diff(
    project: ProjectInPath, person: CurrentPerson, session: ReadSession, before: str, after: str
) -> DiffTold:
    """Return what a baseline holds that an earlier one does not, and the other way round."""
    old, new = (service.find_baseline(session, project, name) for name in (before, after))
    readable = {one.key for one in readable_projects(session, person)}
    found = compared(
        session, service.lines_of(session, old), service.lines_of(session, new), readable
    )
    return DiffTold(
        before=baseline_told(old),
        after=baseline_told(new),
        added=[_line(one.after) for one in found.of(Kind.ADDED) if one.after],
        removed=[_line(one.before) for one in found.of(Kind.REMOVED) if one.before],
        changed=[told for one in found.records if (told := _changed(one))],
    )


def _line(one: BaselineLine) -> FrozenTold:
    return FrozenTold.model_validate(one)


def _changed(one: RecordDifference) -> ChangedTold | None:
    """Return a record that is in both, or None."""
    if one.before is None or one.after is None:
        return None
    line, old, new = one.after, one.before.revision, one.after.revision
    return ChangedTold(
        project=line.project,
        uid=line.uid,
        kinds=sorted(one.kinds),
        before=old,
        after=new,
        compare=f"/api/p/{line.project}/records/{line.uid}/compare?old={old}&new={new}",
    )
