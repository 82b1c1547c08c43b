"""Which risk policy is in force for a project: a record of it, a named matrix, or the default."""

from core.records.snapshot import RecordView, Snapshot
from qms.risks.evaluation import RiskPolicy, policy_from
from qms.risks.packs import policy_of_project

POLICY = "risk_policy"
PROJECT = "project"
POLICY_FIELDS = (
    "severity",
    "likelihood",
    "matrix",
    "acceptable_up_to",
    "tolerable_with_benefit_risk",
    "further_reduction_asked_at",
)


def policy_in_force(snapshot: Snapshot, project: str) -> tuple[RiskPolicy, RecordView | None]:
    """Return the policy of a project and the record that states it.

    A risk policy record comes first, an approved one before a draft, then a matrix that the
    project record names, then the one that ships with the product.

    Raises
    ------
    Invalid
        If the policy has a hole, a wrong size or another fault; all of them.
    """
    written = [one for one in snapshot.of_type(POLICY, project) if not one.withdrawn]
    for record in sorted(written, key=lambda one: not one.in_force):
        data = {
            key: record.fields[key] for key in POLICY_FIELDS if record.fields.get(key) is not None
        }
        named = {"id": record.key.uid, "title": record.title}
        return policy_from(data | named, where=record.key.uid), record
    for record in snapshot.of_type(PROJECT, project):
        return policy_of_project(record.fields, record.key.uid), None
    return policy_of_project({}, project), None
