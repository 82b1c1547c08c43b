"""The risk file as a page: the matrix twice, and the table that its cells filter."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from core.clock import now
from core.errors import Fault, Invalid
from core.exports import forms_for
from core.records.service import find_record
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, say
from core.web.downloads import exported
from qms.releases.scope import NEWEST
from qms.risks import issuing, service
from qms.risks.grid import Moment, grid, standing_at
from qms.risks.residual import Assessment, Position
from qms.rules.facts import Facts, RuleInput
from qms.rules.findings import AskedQuestion
from qms.rules.packs import framework_pack
from qms.rules.questions import asked
from qms.rules.view import View as RuleView

router = APIRouter(prefix="/p/{project}/risks", tags=["risks"])

NO_RELEASE = "none"
"""Asks for the latest runs; an empty choice asks for the newest candidate."""

LARGEST_SCALE = 20

RISK_STANDARDS = ("ISO 14971", "DCB0129")
"""A question that points to one of them is asked on the risk page."""


class View(BaseModel):
    """What the page is asked to show: a release, and at most one cell of one matrix."""

    release: str = Field(default="", max_length=200)
    moment: Moment | None = None
    severity: int = Field(default=0, ge=0, le=LARGEST_SCALE)
    likelihood: int = Field(default=0, ge=0, le=LARGEST_SCALE)

    @property
    def wanted_release(self) -> str | None:
        """The release to load: one by name, the newest candidate, or none."""
        return None if self.release == NO_RELEASE else self.release or NEWEST

    def cell(self) -> tuple[Moment, Position] | None:
        """Return the cell asked for, or None for all risks."""
        if self.moment is None or not self.severity or not self.likelihood:
            return None
        return self.moment, Position(self.severity, self.likelihood)

    def query(self, cell: tuple[Moment, Position] | None) -> str:
        """Return this view as a query string with another cell."""
        asked: dict[str, str | int] = {"release": self.release}
        if cell is not None:
            moment, position = cell
            asked |= {
                "moment": moment.value,
                "severity": position.severity,
                "likelihood": position.likelihood,
            }
        return urlencode({key: value for key, value in asked.items() if value})


@router.get("")
def show_risks(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show the risk file; a faulty policy shows its faults instead of any level."""
    try:
        file = service.risk_file(session, project.key, view.wanted_release)
    except Invalid as refusal:
        return page(
            request,
            "qms/risks/risks.html",
            project=project,
            nav="Risks",
            file=None,
            faults=refusal.faults or (Fault("", project.key, refusal.message),),
        )
    chosen = _cell_on(file, view)
    view = view.model_copy(update={"release": file.release.uid if file.release else NO_RELEASE})
    address = f"/p/{project.key}/risks"

    def cell_address(moment: Moment, position: Position) -> str:
        return f"{address}?{view.query((moment, position))}"

    return page(
        request,
        "qms/risks/risks.html",
        project=project,
        nav="Risks",
        file=file,
        faults=(),
        grids=[grid(file.assessments, file.policy, moment) for moment in Moment],
        shown=_shown(file, chosen),
        releases=[(release.uid, release.label) for release in file.releases],
        chosen=chosen,
        questions=_questions(file),
        issues=issuing.issues_of(session, project),
        all_address=f"{address}?{view.query(None)}",
        export_addresses=[
            (name.upper(), f"{address}/export/{name}?{view.query(chosen)}")
            for name in forms_for(len(_shown(file, chosen)))
        ],
        cell_address=cell_address,
    )


@router.get("/export/{format_name}")
def export_risks(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the risks that the page would show, in one of the export formats."""
    file = service.risk_file(session, project.key, view.wanted_release)
    chosen = _cell_on(file, view)
    shown_as = "all"
    if chosen is not None:
        moment, position = chosen
        shown_as = (
            f"{moment} the controls: {file.policy.likelihood[position.likelihood - 1]} x "
            f"{file.policy.severity[position.severity - 1]}"
        )
    sheet = service.sheet(file, _shown(file, chosen), shown_as)
    return exported(sheet, format_name, f"{project.key}-risks")


@router.post("/issues", status_code=303)
def issue_log(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    release: Annotated[str, Form(max_length=200)] = "",
) -> RedirectResponse:
    """Begin an issue of the hazard log, with every hazard as it stands for a release."""
    wanted = None if release in ("", NO_RELEASE) else release
    record = issuing.begin(session, project, wanted, person)
    answer = RedirectResponse(f"/p/{project.key}/{record.uid}", status_code=303)
    say(answer, f"{record.uid} holds the risk file as it stands. Say why it is issued; submit it.")
    return answer


@router.post("/issues/{uid}/take", status_code=303)
def take_log(
    project: ProjectInPath,
    uid: str,
    person: CurrentPerson,
    session: WriteSession,
    expected: Annotated[str, Form(max_length=200)] = "",
) -> RedirectResponse:
    """Let the draft of an issue hold the risk file as it stands now."""
    record = find_record(session, project, uid)
    revision = issuing.take(session, record, person, expected)
    answer = RedirectResponse(f"/p/{project.key}/{uid}", status_code=303)
    say(answer, f"{uid} revision {revision.number} holds the risk file as it stands.")
    return answer


def _questions(file: service.RiskFile) -> tuple[AskedQuestion, ...]:
    """Return the questions about risks, with what people answered."""
    verdicts = {key.uid: verdict for key, verdict in file.verdicts.items()}
    release = file.release.key if file.release else None
    facts = Facts(today=now().date())
    given = RuleInput(file.snapshot, verdicts, (), facts, file.project, release)
    pack = framework_pack()
    about = [
        question
        for question in pack.questions
        if any(clause.startswith(RISK_STANDARDS) for clause in question.clauses)
    ]
    return tuple(asked(RuleView(given, pack.limits), about))


def _cell_on(file: service.RiskFile, view: View) -> tuple[Moment, Position] | None:
    """Return the cell asked for if the policy in force has it."""
    chosen = view.cell()
    if chosen is None:
        return None
    position = chosen[1]
    fits = position.severity <= len(file.policy.severity)
    return chosen if fits and position.likelihood <= len(file.policy.likelihood) else None


def _shown(
    file: service.RiskFile, chosen: tuple[Moment, Position] | None
) -> tuple[Assessment, ...]:
    return standing_at(file.assessments, *chosen) if chosen else file.assessments
