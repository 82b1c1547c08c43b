"""The audit trail as a page: filters, export, and whether it is whole."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from core.blobs import BlobStore
from core.errors import Refused
from core.exports import forms_for
from core.ledger.brought import told
from core.ledger.chain import head
from core.ledger.reading import MOST_EXPORTED, PAGE_SIZE, TrailFilter, read_trail, trail_sheet
from core.ledger.verify import Verification
from core.ports import evidence_worth
from core.records.audit import verify_installation
from core.records.models import Project
from core.web import CurrentPerson, ProjectInPath, ReadSession, page
from core.web.answers import NEEDS_ROLE
from core.web.downloads import exported
from core.web.transaction import settings_of

router = APIRouter(tags=["audit trail"])

MOST_VERIFIED_HERE = 20_000
"""What is verified while the page waits, in about a second and a half: entries, and as many more as
the evidence is worth that is verified with them (`evidence_worth`)."""


class TrailView(BaseModel):
    """Which entries are shown, and whether the trail is verified with it."""

    subject: str = Field(default="", max_length=200)
    action: str = Field(default="", max_length=100)
    person: str = Field(default="", max_length=200)
    page: int = Field(default=1, ge=1, le=1_000_000)
    verify: bool = False
    format: str = Field(default="", max_length=10)

    @property
    def wanted(self) -> TrailFilter:
        """The filter that this view asks for."""
        return TrailFilter(self.subject.strip(), self.action.strip(), self.person.strip())

    def query(self, **more: str) -> str:
        """Return the filter as a query string."""
        asked = {"subject": self.subject, "action": self.action, "person": self.person} | more
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("/p/{project_key}/audit")
def show_trail(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    view: Annotated[TrailView, Query()],
) -> Response:
    """Show what happened in a project."""
    return _trail(request, session, view, project)


@router.get("/audit", responses=NEEDS_ROLE)
def show_whole_trail(
    request: Request,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[TrailView, Query()],
) -> Response:
    """Show what happened anywhere, sign-ins and refusals included; for administrators."""
    if not person.is_administrator:
        raise Refused(
            f"{person.name} may not read the audit trail of every project; that needs an "
            "administrator. Each project has an audit trail of its own."
        )
    return _trail(request, session, view, None)


def _trail(
    request: Request, session: ReadSession, view: TrailView, project: Project | None
) -> Response:
    project_id = project.id if project else None
    name = project.key if project else "all"
    address = f"/p/{project.key}/audit" if project else "/audit"
    if view.format:
        entries, _ = read_trail(session, project_id, view.wanted, size=MOST_EXPORTED)
        sheet = trail_sheet(f"Audit trail of {name}", entries, view.wanted)
        return exported(sheet, view.format, f"{name}-audit")
    entries, total = read_trail(session, project_id, view.wanted, view.page)
    last = head(session)
    verified: Verification | None = None
    if view.verify and _is_verified_here(session, last.seq):
        files = BlobStore(settings_of(request).data_dir / "blobs")
        verified = verify_installation(session, files)
    answer: HTMLResponse = page(
        request,
        "ledger/audit.html",
        project=project,
        nav="Audit trail",
        view=view,
        entries=[told(one) for one in entries],
        total=total,
        page_size=PAGE_SIZE,
        address=address,
        page_address=f"{address}?{view.query()}&page=",
        exports=[(one.upper(), f"{address}?{view.query(format=one)}") for one in forms_for(total)],
        head=last,
        verified=verified,
        too_many=view.verify and verified is None,
        limit=MOST_VERIFIED_HERE,
    )
    return answer


def _is_verified_here(session: ReadSession, entries: int) -> bool:
    # A trail that is too long by itself is not asked for its evidence: counting takes time too.
    return entries <= MOST_VERIFIED_HERE and (
        entries + evidence_worth(session) <= MOST_VERIFIED_HERE
    )
