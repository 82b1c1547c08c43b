"""Assemble the web service: every router in one list, every panel in one list."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

import app.description
import app.home
import app.waiting
import core.jobs.api.routes
import core.jobs.routes
import core.ledger.routes
import core.people.administration.routes
import core.people.deputies.routes
import core.people.programs.routes
import core.people.routes
import core.records.api.routes
import core.records.routes
import core.signing.routes
import dataflows.editing.api.routes
import dataflows.editing.routes
import dataflows.editing.spreadsheet.routes
import dataflows.exploring.api.routes
import dataflows.exploring.routes
import dataflows.history.api.routes
import dataflows.history.routes
import dataflows.interchange.api.routes
import dataflows.interchange.routes
import dataflows.planning.api.routes
import dataflows.planning.routes
import dataflows.plantuml.routes
import dataflows.probing.api.routes
import dataflows.probing.routes
import dataflows.qatrack.routes
import dataflows.routes
import qms.attention.routes
import qms.baselines.api.routes
import qms.baselines.routes
import qms.clauses.routes
import qms.falling_due.routes
import qms.findings.routes
import qms.interchange.checks.api.routes
import qms.interchange.checks.routes
import qms.releases.api.routes
import qms.releases.routes
import qms.repositories.api.routes
import qms.repositories.contents.routes
import qms.repositories.routes
import qms.results.api.routes
import qms.results.routes
import qms.risks.routes
import qms.sheets.routes
import qms.soup.routes
import qms.traceability.api.routes
import qms.traceability.routes
import qms.traceability.views.api.routes
import qms.traceability.views.routes
import qms.training_matrix.api.routes
import qms.training_matrix.routes
import validation.manual.routes
import validation.pack.routes
import validation.runs.api.routes
import validation.runs.routes
from app import errors
from app.packs import check_packs
from app.tables import prepare
from core.db import Database, open_database
from core.records.panels import use_panels
from core.records.printing.document import use_annexes
from core.records.reviewed import review_panel
from core.settings import Settings, get_settings
from core.version import product_version
from core.web.headers import guard
from dataflows.editing.panels import provenance_panel
from dataflows.panels import connection_panel, device_panel, pathway_panel, system_panel
from dataflows.probing.panels import probe_panel
from dataflows.qatrack.panels import procedure_panel
from qms.releases.panels import release_panel
from qms.reportability import complaint_panel
from qms.repositories.panels import code_panel
from qms.results.panels import results_panel
from qms.risks.annexes import hazard_log
from qms.risks.panels import issue_panel, risk_panel
from validation.runs.panels import runs_panel

ROUTERS = (
    app.home.router,
    app.waiting.router,
    app.description.router,
    core.people.routes.router,
    core.people.programs.routes.router,
    core.people.administration.routes.router,
    core.people.deputies.routes.router,
    core.jobs.routes.router,
    core.ledger.routes.router,
    core.signing.routes.router,
    dataflows.exploring.routes.router,
    dataflows.plantuml.routes.router,
    dataflows.routes.router,
    dataflows.planning.routes.router,
    dataflows.qatrack.routes.router,
    dataflows.editing.routes.router,
    dataflows.editing.spreadsheet.routes.router,
    dataflows.interchange.routes.router,
    dataflows.history.routes.router,
    dataflows.probing.routes.router,
    qms.clauses.routes.router,
    qms.attention.routes.router,
    qms.baselines.routes.router,
    qms.findings.routes.router,
    qms.falling_due.routes.router,
    qms.interchange.checks.routes.router,
    qms.releases.routes.router,
    qms.repositories.contents.routes.router,
    qms.repositories.routes.router,
    qms.results.routes.router,
    qms.risks.routes.router,
    qms.sheets.routes.router,
    qms.soup.routes.router,
    qms.traceability.routes.router,
    qms.traceability.views.routes.router,
    qms.training_matrix.routes.router,
    # Before the runs, whose address takes "by-hand" for a number.
    validation.manual.routes.router,
    validation.runs.routes.router,
    validation.pack.routes.router,
    core.records.api.routes.router,
    core.jobs.api.routes.router,
    dataflows.exploring.api.routes.router,
    dataflows.planning.api.routes.router,
    dataflows.probing.api.routes.router,
    qms.baselines.api.routes.router,
    qms.interchange.checks.api.routes.router,
    qms.releases.api.routes.router,
    qms.repositories.api.routes.router,
    qms.results.api.routes.router,
    qms.traceability.api.routes.router,
    qms.traceability.views.api.routes.router,
    qms.training_matrix.api.routes.router,
    validation.runs.api.routes.router,
    dataflows.editing.api.routes.router,
    dataflows.interchange.api.routes.router,
    dataflows.history.api.routes.router,
    # Last: its address takes whatever uid the others leave.
    core.records.routes.router,
)

PANELS = (
    risk_panel,
    issue_panel,
    code_panel,
    results_panel,
    system_panel,
    connection_panel,
    provenance_panel,
    probe_panel,
    pathway_panel,
    procedure_panel,
    device_panel,
    release_panel,
    runs_panel,
    review_panel,
    complaint_panel,
)

ANNEXES = (hazard_log,)
"""What is printed behind the text of a document."""

STATIC = Path(__file__).resolve().parent / "static"


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """Return the service for some settings."""
    chosen = settings or get_settings()
    prepare()
    check_packs()
    use_panels(PANELS)
    use_annexes(ANNEXES)
    # What the service can do is told to who is signed in, by a route of ours.
    service = FastAPI(title="Fiducial", version=product_version(), openapi_url=None)
    service.openapi = partial(app.description.describe, service)  # type: ignore[method-assign]
    service.state.settings = chosen
    service.state.database = database or open_database(chosen.database, chosen.data_dir)
    errors.register(service)
    service.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in ROUTERS:
        service.include_router(router)
    guard(service, chosen)
    return service
