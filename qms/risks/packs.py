"""Read the risk matrices that ship as data, one YAML file each in ``matrices/``."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.errors import Fault, Invalid
from qms.risks.evaluation import RiskPolicy, policy_from

DEFAULT_MATRIX = "nhs-dcb-5x5"
"""The matrix of a project that names none: the one NHS clinical safety officers know."""


def read_matrix_packs(folder: Traversable) -> Mapping[str, RiskPolicy]:
    """Read every ``*.yaml`` of a folder as a risk policy, by its id.

    Raises
    ------
    Invalid
        With the faults of every file, not only of the first one.
    """
    policies: dict[str, RiskPolicy] = {}
    faults: list[Fault] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        except YAMLError as error:
            faults.append(Fault("RM00", file.name, f"is not YAML: {error}."))
            continue
        if not isinstance(data, dict) or not data.get("id"):
            faults.append(Fault("RM01", file.name, "has no id.", "Begin it with `id: name`."))
            continue
        if data["id"] in policies:
            faults.append(Fault("RM01", file.name, f"repeats the id {data['id']}.", "Rename it."))
        try:
            policies[data["id"]] = policy_from(data, where=file.name)
        except Invalid as error:
            faults.extend(error.faults)
    if faults:
        raise Invalid("The risk matrix packs cannot be used.", faults)
    return MappingProxyType(policies)


@cache
def matrix_packs() -> Mapping[str, RiskPolicy]:
    """Return the matrices that ship with the product, by id."""
    return read_matrix_packs(files("qms.risks") / "matrices")


def policy_of_project(fields: Mapping[str, Any], where: str) -> RiskPolicy:
    """Return the policy that a project record selects.

    Parameters
    ----------
    fields : mapping
        The project record's fields. ``risk_policy`` is a whole policy, as written in the risk
        management plan, or ``risk_matrix`` the id of a pack; with neither, the default pack.
    where : str
        The project record's uid, named in faults.

    Raises
    ------
    Invalid
        If the named pack does not exist or the written policy is faulty.
    """
    written = fields.get("risk_policy")
    if isinstance(written, Mapping) and written:
        return policy_from(written, where=f"{where}: risk_policy")
    name = written or fields.get("risk_matrix") or DEFAULT_MATRIX
    policy = matrix_packs().get(str(name))
    if policy is None:
        raise Invalid(
            "The project names a risk matrix that does not exist.",
            [
                Fault(
                    "RM09",
                    where,
                    f"names the risk matrix {name!r}.",
                    f"Choose one of {', '.join(sorted(matrix_packs()))}.",
                )
            ],
        )
    return policy
