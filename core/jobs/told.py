"""Work that was asked for, as a program is told of it."""

from pydantic import BaseModel


class StartedTold(BaseModel):
    """Work that goes on after the answer; `follow` is where a program reads how far it is."""

    follow: str


def follow_of(job: int | None) -> str:
    """Return where a program reads how far a job is."""
    return f"/jobs/{job}.json"
