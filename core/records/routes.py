"""The pages of records. Listed last by `app`: a record's address takes what the others leave."""

from fastapi import APIRouter

from core.records.acts.routes import router as acts
from core.records.editing.routes import router as editing
from core.records.printing.routes import router as printing
from core.records.reading.routes import router as reading
from core.records.rereviewing.routes import router as rereviewing
from core.records.submitting.routes import router as submitting
from core.records.talking.routes import router as talking

router = APIRouter(tags=["records"])

for _part in (editing, acts, submitting, talking, rereviewing, printing, reading):
    router.include_router(_part)
