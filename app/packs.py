"""Read every pack once when a process starts, so that it does not start on a faulty one."""

from collections.abc import Callable

from core.errors import Fault, Invalid
from core.records.types import get_registry
from qms.clauses.packs import clause_book
from qms.frameworks.folders import folder_faults
from qms.risks.packs import matrix_packs
from qms.rules.packs import framework_pack

PACKS: tuple[Callable[[], object], ...] = (get_registry, clause_book, matrix_packs, framework_pack)
"""Record types, lists of clauses, risk matrices, and what the release check asks."""


def check_packs() -> None:
    """Read everything that is data: what ships, and what the department put beside it.

    Raises
    ------
    Invalid
        With every fault of every file of every pack.
    """
    faults: list[Fault] = folder_faults()
    for read in PACKS:
        try:
            read()
        except Invalid as refusal:
            faults += refusal.faults
    if faults:
        message = "The packs of this installation cannot be used; mend these files and start again."
        raise Invalid(message, dict.fromkeys(faults))
