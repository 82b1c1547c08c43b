"""Read the risk matrices: those that ship in ``matrices/``, and a department's own."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import Fault, Invalid
from qms.frameworks.folders import PackFile, department_folder, pack_files
from qms.risks.evaluation import RiskPolicy, policy_from

DEFAULT_MATRIX = "nhs-dcb-5x5"
"""The matrix of a project that names none: the one NHS clinical safety officers know."""


def read_matrix_packs(folder: Traversable, own: Path | None = None) -> Mapping[str, RiskPolicy]:
    """Read every ``*.yaml`` of our folder and of a department's as a risk policy, by its id.

    A matrix of theirs replaces ours of the same id.

    Raises
    ------
    Invalid
        With the faults of every file, not only of the first one.
    """
    found: dict[str, tuple[RiskPolicy | None, PackFile]] = {}
    faults: list[Fault] = []
    for pack in pack_files(folder, "matrices", faults, own):
        name = pack.value.get("id")
        if not isinstance(name, str) or not name:
            faults.append(pack.fault("RM01", ("id",), "has no id.", "Begin it with `id: name`."))
            continue
        before = found.get(name)
        if before is not None and before[1].own == pack.own:
            what = f"repeats the id {name} of {before[1].name}."
            faults.append(pack.fault("RM01", ("id",), what, "Rename it."))
        policy = None
        try:
            policy = policy_from(pack.value, where=pack.name)
        except Invalid as error:
            faults.extend(_with_line(pack, fault) for fault in error.faults)
        found[name] = (policy, pack)
    if faults:
        raise Invalid("The risk matrix packs cannot be used.", faults)
    return MappingProxyType({name: policy for name, (policy, _) in found.items() if policy})


def _with_line(pack: PackFile, fault: Fault) -> Fault:
    """Name the line of the part that a fault is about."""
    part = fault.where.removeprefix(f"{pack.name}: ")
    return pack.fault(fault.code, (part,), fault.what, fault.mend)


@cache
def matrix_packs() -> Mapping[str, RiskPolicy]:
    """Return the matrices of this installation, by id."""
    return read_matrix_packs(files("qms.risks") / "matrices", department_folder("matrices"))


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
