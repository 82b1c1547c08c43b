"""What other tools say of a release: imported results at its commit, and marked lines of source."""

from datetime import datetime

from sqlmodel import Session

from core.records.models import Project
from core.records.snapshot import Key, RecordView
from qms.repositories.at_release import lines_at
from qms.repositories.following import Doubt
from qms.repositories.lines import LinesShown, lines_of_project
from qms.results.judging import Imported
from qms.results.queries import imported_results
from qms.rules.facts import LinesFact


def imported_for(
    session: Session, project: str, release: RecordView | None, until: datetime | None = None
) -> dict[str, Imported]:
    """Return what imported results say at the commit of a release, by some moment."""
    if release is None:
        return {}
    return imported_results(session, project, release.key.uid, until=until)


def marked_lines(
    session: Session,
    project: Project,
    release: RecordView | None,
    until: datetime | None = None,
) -> tuple[LinesFact, ...]:
    """Return the marked lines of a project, and which of them need re-review for a release.

    A release is judged by the lines at its own commit. Only where no repository here holds that,
    or there is no release, the default branch counts.
    """
    commit = str(release.fields.get("commit") or "") if release is not None else ""
    judged = lines_at(session, project, commit, until) if commit else {}
    shown = lines_of_project(session, project.id or 0)
    pages = {one.link.id for one in shown}
    found = [
        LinesFact(
            record=Key(project.key, one.uid),
            repository=one.repository,
            span=_span(one.path, one.first, one.last),
            commit=commit,
            doubt=one.why,
            address=f"/p/{project.key}/repositories/lines/{one.link.id}"
            if one.link.id in pages
            else f"/p/{project.key}/{one.uid}",
        )
        for lines in judged.values()
        for one in lines
    ]
    for each in shown:
        link = each.link
        if link.repository_id in judged:
            continue
        found.append(
            LinesFact(
                record=Key(project.key, each.uid),
                repository=each.repository,
                span=_span(link.path, link.first, link.last),
                commit=link.commit,
                doubt=each.why if each.doubt and _known_by(each, until) else "",
                address=f"/p/{project.key}/repositories/lines/{link.id}",
            )
        )
    return tuple(found)


def _span(path: str, first: int, last: int) -> str:
    return f"{path}:{first}" if first == last else f"{path}:{first}-{last}"


def _known_by(one: LinesShown, until: datetime | None) -> bool:
    """Whether a doubt was there at a moment."""
    link = one.link
    began = link.gone_at if one.doubt is Doubt.GONE and link.gone_at else link.committed_at
    return until is None or began <= until
