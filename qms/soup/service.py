"""Compare what a release or a file says something is built of with a project's register."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from core.clock import now
from core.exports import Sheet
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import RecordView, Snapshot
from qms.releases.gathering import built, declared
from qms.releases.scope import ReleaseScope, choose_release, releases_of
from qms.rules.packs import framework_pack
from qms.soup.comparison import Code, Comparison, Disagreement, Held, compare
from qms.soup.components import Bill, Component

HEADINGS = (
    "Code", "Finding", "Component", "Record", "Stated", "Registered", "What is wrong", "What to do",
    "Software items", "Requirements", "Risks", "Tests", "Evaluation due",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """A comparison with the release it was made for.

    Attributes
    ----------
    release : ReleaseScope or None
        Only what its items use was looked for; None looks at everything in force.
    result : Comparison or None
        None where there is nothing to compare.
    problem : str
        Why there is none, as a clause.
    """

    project: str
    releases: tuple[ReleaseScope, ...]
    release: ReleaseScope | None
    result: Comparison | None
    problem: str = ""


def compare_release(session: Session, project: Project, wanted: str | None) -> Compared:
    """Compare what the repository states at the commit of a release.

    Raises
    ------
    NotFound
        If a release is named and there is no such one.
    """
    snapshot, releases, release = _chosen(session, project, wanted)
    if release is None:
        return Compared(
            project.key, releases, None, None, "the project has no release but planned ones"
        )
    record = snapshot.records[release.key]
    found = declared(session, project, record, built(session, project, release.uid))
    if found.bill is None:
        return Compared(project.key, releases, release, None, found.problem)
    result = compare(found.bill, snapshot, project.key, held_now(), record)
    return Compared(project.key, releases, release, result)


def compare_bill(session: Session, project: Project, bill: Bill, wanted: str | None) -> Compared:
    """Compare what a file or an environment states; nothing of it is kept.

    Raises
    ------
    NotFound
        If a release is named and there is no such one.
    """
    snapshot, releases, release = _chosen(session, project, wanted)
    record = snapshot.records[release.key] if release is not None else None
    result = compare(bill, snapshot, project.key, held_now(), record)
    return Compared(project.key, releases, release, result)


def held_now() -> Held:
    """Return today, and the days that an evaluation lasts by the rules in force."""
    limit: Any = framework_pack().limits["anomaly_evaluation_days"]
    return Held(now().date(), int(limit))


def _chosen(
    session: Session, project: Project, wanted: str | None
) -> tuple[Snapshot, tuple[ReleaseScope, ...], ReleaseScope | None]:
    snapshot = load_snapshot(session, [project.key])
    releases = releases_of(snapshot, project.key)
    return snapshot, releases, choose_release(releases, wanted)


@dataclass(frozen=True)
class Standing:
    """One component of the source, and where it stands.

    Attributes
    ----------
    word : str
        "registered", a finding, "came along", "development" or "not for this environment".
    """

    component: Component
    word: str
    detail: str = ""
    record: RecordView | None = None


def standings(result: Comparison) -> tuple[Standing, ...]:
    """Return every component that the source states, in order of the names."""
    wrong = {one.component.key: one for one in result.disagreements if one.component is not None}
    along = {one.component.key: one for one in result.along}
    registered = {entry.key[1]: entry.record for entry in result.met}
    found = []
    for one in result.bill.components:
        if one.key in wrong:
            held = wrong[one.key]
            found.append(Standing(one, held.word, record=held.record))
        elif one.key in along:
            brought = ", ".join(along[one.key].brought_by)
            found.append(Standing(one, "came along", f"with {brought}" if brought else ""))
        elif one.key[1] in registered:
            found.append(Standing(one, "registered", record=registered[one.key[1]]))
        else:
            found.append(Standing(one, "development", "not delivered"))
    found += [
        Standing(one, "left out", one.condition or "not part of it") for one in result.bill.left_out
    ]
    return tuple(sorted(found, key=lambda each: each.component.key[1]))


def sheet(compared: Compared, shown: Sequence[Disagreement], shown_as: str) -> Sheet:
    """Return the findings as the page shows them."""
    bill = compared.result.bill if compared.result else None
    about = {
        "Project": compared.project,
        "Release": compared.release.label if compared.release else "none: everything in force",
        "Source": f"{bill.source} {bill.name}" if bill else compared.problem,
        "Shown": shown_as,
    }
    return Sheet(
        title=f"Third-party components {compared.project}",
        headings=HEADINGS,
        rows=[_row(one) for one in shown],
        about=about,
    )


def components_sheet(compared: Compared, listed: Sequence[Standing]) -> Sheet:
    """Return the components as the page lists them."""
    return replace(
        sheet(compared, (), "components"),
        headings=("Component", "Version", "Package URL", "Licence", "Standing", "Detail", "Record"),
        rows=[
            (
                one.component.name,
                one.component.version,
                one.component.purl,
                one.component.licence or _licence_of(one.record),
                one.word,
                one.detail,
                one.record.key.uid if one.record is not None else "",
            )
            for one in listed
        ],
    )


def _licence_of(record: RecordView | None) -> str:
    return str(record.fields.get("licence") or "") if record is not None else ""


def _row(one: Disagreement) -> tuple[str, ...]:
    kinds = (one.touched.items, one.touched.requirements, one.touched.risks, one.touched.tests)
    return (
        one.code.value,
        one.word,
        one.name,
        one.record.key.uid if one.record is not None else "",
        one.stated,
        one.registered,
        one.what,
        one.mend,
        *(", ".join(record.key.uid for record in records) for records in kinds),
        one.due,
    )


def as_json(compared: Compared) -> dict[str, Any]:
    """Return a comparison as plain values."""
    result = compared.result
    if result is None:
        return {"project": compared.project, "agrees": False, "problem": compared.problem}
    bill = result.bill
    return {
        "project": compared.project,
        "release": compared.release.uid if compared.release else None,
        "source": {"kind": bill.source.value, "name": bill.name, "read_for": bill.read_for},
        "agrees": result.agrees,
        "counts": {code.value: count for code, count in result.counts().items()},
        "findings": [_finding_json(one) for one in result.disagreements],
        "agreeing": result.agreeing,
        "came_along": [
            {**_named(one.component), "brought_by": list(one.brought_by)} for one in result.along
        ],
        "development": [_named(one) for one in result.development],
        "left_out": [{**_named(one), "condition": one.condition} for one in bill.left_out],
        "not_sought": [entry.uid for entry in result.not_sought],
    }


def _finding_json(one: Disagreement) -> dict[str, Any]:
    return {
        "code": one.code.value,
        "kind": one.word,
        "component": one.name,
        "record": one.record.key.uid if one.record is not None else None,
        "stated": one.stated,
        "registered": one.registered,
        "what": one.what,
        "mend": one.mend,
        "touched": {
            word.replace(" ", "_"): [record.key.uid for record in records]
            for word, records in one.touched.groups
        },
        "due": one.due,
    }


def _named(one: Component) -> dict[str, Any]:
    return {"name": one.name, "version": one.version}


def counted(result: Comparison) -> list[tuple[Code, int]]:
    """Return how many findings of each kind there are, of those that there are any of."""
    return [(code, count) for code, count in result.counts().items() if count]
