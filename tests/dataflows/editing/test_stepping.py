"""Steps keep all that they say when their order is saved."""

from dataclasses import replace

from core.db import Database
from core.people.actor import Actor
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.service import (
    create_project,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
)
from core.records.types import get_registry
from dataflows.editing.stepping import department_of, judged, keep_steps, steps_of
from dataflows.inventory import Step
from dataflows.pathways import StepFault


def test_a_step_of_another_project_stays_one(map_db: Database, author: Actor) -> None:
    with map_db.writing() as session:
        create_project(session, "OTHER", "Another department", by=None)
        project = find_project(session, "DEPT")
        links = (LinkDraft("steps", "C005", "OTHER"), LinkDraft("steps", "C005"))
        drafts = [
            RecordDraft("OTHER", "connection", "C005", Content("Elsewhere")),
            RecordDraft("DEPT", "pathway", "P77", Content("Across", links=links)),
        ]
        import_records(session, drafts, author, get_registry())
        record = find_record(session, project, "P77")
        steps = steps_of(read_content(session, record), "DEPT")
        token = edit_token(latest_revision(session, record))

        assert steps == [Step("OTHER/C005"), Step("C005")]
        turned = [steps[1], replace(steps[0], entry=True)]
        keep_steps(session, record, turned, author, token)

        kept = read_content(session, record).links
        assert [(one.project, one.target) for one in kept] == [(None, "C005"), ("OTHER", "C005")]
        assert kept[1].attributes == {"entry": True}
        # On this map it is none of ours, though one here has its number.
        department = department_of(session, project)
        assert department.pathways["P77"].steps == tuple(turned)
        walked = judged(department, "P77", turned)
        assert [StepFault.MISSING in one.faults for one in walked] == [False, True]
