"""The demo department with its QA in force, and a risk of the device that arises on it."""

import pytest
from sqlmodel import select

from core.db import Database
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.models import Record
from core.records.service import create_record, find_project
from tests.dataflows.planning.facts import approve

RISK = {
    "hazard": "Wrong association",
    "sequence": ["two plans arrive"],
    "situation": "another plan is reviewed",
    "harm": "overdose accepted",
    "severity": 4,
    "likelihood_before": 3,
    "likelihood_after": 1,
}


@pytest.fixture
def risky(map_db: Database, author: Actor) -> Database:
    """A risk of the device that arises on C023, and the QA of the map in force."""
    with map_db.writing() as session:
        for procedure in session.exec(select(Record).where(Record.type == "qa_procedure")).all():
            approve(session, procedure)
        links = (LinkDraft("arises_on", "C023", "DEPT"),)
        content = Content("Figures for the wrong plan", "", RISK, links)
        create_record(session, find_project(session, "RPM"), "risk", content, author, uid="RSK-001")
    return map_db
