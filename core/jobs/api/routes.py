"""Call off what was started; where it stands is read at the job's own address."""

from fastapi import APIRouter

from core.jobs import service
from core.jobs.routes import JobInPath
from core.jobs.told import JobTold
from core.web import CurrentPerson, StartSession

router = APIRouter(prefix="/api/jobs", tags=["api"])


@router.post("/{job_id}/cancel")
def cancel_job(job: JobInPath, person: CurrentPerson, session: StartSession) -> JobTold:
    """Call a job off; what its finished steps wrote stays."""
    service.refuse_to_cancel(person, job)
    service.cancel(session, job, by=person)
    session.flush()
    return JobTold.model_validate(service.as_json(session, job))
