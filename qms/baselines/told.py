"""Baselines as a program is told of them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from qms.baselines.models import Baseline


class BaselineTold(BaseModel):
    """A frozen list of revisions: its root hash, how many they are, who froze them and what for."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    root: str
    count: int
    purpose: str
    person_name: str
    at: datetime


def baseline_told(baseline: Baseline) -> BaselineTold:
    """Return what is told of a baseline in a list."""
    return BaselineTold.model_validate(baseline)
