"""Every finding of a project as one list: of any gate, with or without a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.snapshot import Key
from core.records.types import get_registry
from core.web import CurrentPerson, ProjectInPath, ReadSession, page, readable_projects
from core.web.downloads import exported
from qms.findings.asking import GATE_WORDS, NO_RELEASE, Show, View, within
from qms.findings.service import Judged, judge, sheet
from qms.rules.check import RELEASE
from qms.rules.findings import Finding

router = APIRouter(prefix="/p/{project}/findings", tags=["quality record"])

PAGE_SIZE = 100


@dataclass(frozen=True)
class _Shown:
    judged: Judged
    view: View
    found: tuple[Finding, ...]
    """Those that fit what was chosen, whatever they do; the filters count them."""
    titles: Mapping[Key, str]

    @property
    def listed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.found if self.view.show.takes(one))


@router.get("")
def show_findings(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what the rules of a gate find, each finding with the way to its mend."""
    shown = _asked(session, project, person, view)
    judged, view, listed = shown.judged, shown.view, shown.listed
    at = f"/p/{project.key}/findings"
    last = max(1, -(-len(listed) // PAGE_SIZE))
    number = min(view.page, last)
    found = judged.result.findings
    labels = get_registry()
    # A record whose type is not installed is a finding itself, under the name that it has.
    plurals = {
        name: labels.of(name).plural if name in labels else name
        for name in set(judged.types.values())
    }
    release = judged.release.uid if judged.release else ""
    return page(
        request,
        "qms/findings/findings.html",
        project=project,
        nav="Findings",
        judged=judged,
        result=judged.result,
        titles=shown.titles,
        rules={rule.code: rule for rule in judged.result.rules},
        findings=listed[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        total=len(listed),
        number=number,
        page_size=PAGE_SIZE,
        view=view,
        gates=GATE_WORDS,
        releases=[(one.uid, one.label) for one in judged.releases],
        filters=[
            (one.value, sum(map(one.takes, shown.found)), f"{at}?{view.query(show=_word(one))}")
            for one in Show
        ],
        found_rules=list(dict.fromkeys(one.code for one in found)),
        found_types=sorted(plurals.items(), key=itemgetter(1)),
        page_address=f"{at}?{view.query()}&page=",
        everything=f"{at}?{View(gate=view.gate, release=view.release).query()}",
        rule_address=lambda code: f"{at}?{view.query(rule=code, show='', type='', q='')}",
        concession=lambda one: _concession(project, release, one),
        exports=[
            (name.upper(), f"{at}/export/{name}?{view.query()}") for name in forms_for(len(listed))
        ],
    )


@router.get("/export/{format_name}")
def export_findings(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the findings that the page would show, every page of them."""
    shown = _asked(session, project, person, view)
    table = sheet(project, shown.judged, shown.listed, shown.titles, view)
    gate = "" if view.gate == RELEASE else f"-{view.gate}"
    return exported(table, format_name, f"{project.key}-findings{gate}")


def _asked(session: Session, project: Project, person: Actor, view: View) -> _Shown:
    judged = judge(session, project, view.gate, view.release)
    release = judged.release.uid if judged.release else NO_RELEASE
    readable = {one.key for one in readable_projects(session, person)}
    return _Shown(
        judged,
        view.model_copy(update={"release": release}),
        within(judged.result.findings, view, judged.types),
        _titles(judged, readable),
    )


def _titles(judged: Judged, readable: set[str]) -> dict[Key, str]:
    """Return the titles of the records that the reader may read."""
    return {
        one.record: judged.snapshot.records[one.record].title
        for one in judged.result.findings
        if one.record.project in readable
    }


def _word(show: Show) -> str:
    return "" if show is Show.ALL else show.value


def _concession(project: Project, release: str, finding: Finding) -> str:
    """Return the form of a concession with what it is asked for, as far as a form takes it in."""
    given: dict[str, str] = {"rule": finding.code, "release": release}
    if finding.record.project == project.key:
        given["concerns"] = finding.record.uid
    return f"/p/{project.key}/new/waiver?{urlencode({k: v for k, v in given.items() if v})}"
