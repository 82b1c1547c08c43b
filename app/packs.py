"""Read every pack once when a process starts, so that it does not start on a faulty one."""

from collections.abc import Callable, Iterator

from core.errors import Fault, Invalid
from core.people.roles import known_roles
from core.records.types import get_registry
from qms.clauses.packs import clause_book
from qms.frameworks.folders import folder_faults
from qms.repositories.trailer_keys import trailer_keys
from qms.risks.packs import matrix_packs
from qms.rules.packs import framework_pack

PACKS: tuple[Callable[[], object], ...] = (
    known_roles,
    get_registry,
    clause_book,
    matrix_packs,
    framework_pack,
    trailer_keys,
)
"""Roles, record types, clauses, risk matrices, what the release check asks, trailers that trace."""


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
    if not faults:
        faults += clause_faults()
    if faults:
        message = "The packs of this installation cannot be used; mend these files and start again."
        raise Invalid(message, dict.fromkeys(faults))


def clause_faults() -> Iterator[Fault]:
    """Yield a fault for each clause of a record type that no list knows."""
    registry, book = get_registry(), clause_book()
    for one in registry.all():
        for place, pointer in enumerate(one.clauses):
            found = book.resolve(pointer)
            if found is None or not found.number:
                said = "names no clause" if found else "is in no list of clauses"
                where = registry.where(one.name, ("clauses", place))
                mend = "Correct it, or add it to a list in clauses/ of FIDUCIAL_FRAMEWORKS_DIR."
                yield Fault("unknown-clause", where, f"'{pointer}' {said}.", mend)
