"""The whole map as a file: out of the records, and back into them."""

from collections.abc import Sequence

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.content import RecordDraft
from core.records.models import Project
from core.records.types import get_registry
from core.records.writers import require_author
from dataflows.department import drafts, read_department
from dataflows.interchange.document import department_yaml
from dataflows.interchange.kept import kept_records
from dataflows.interchange.planning import Plan, carry_out, plan
from dataflows.interchange.tables import department_zip, read_zip

FORMS = {"yaml": "application/yaml", "zip": "application/zip"}

LARGEST_FILE = 20_000_000


def export_department(
    session: Session, project: Project, form: str, *, latest: bool = True
) -> bytes:
    """Return the map of a project as a file that reads back without loss.

    Parameters
    ----------
    form : str
        yaml: what `fiducial import department` reads; zip: sheets for a spreadsheet.
    latest : bool
        The latest revisions, drafts too; otherwise what is in force, or drafted where nothing is.
    """
    if form not in FORMS:
        fault = Fault("form", form[:40], "is no form of a map.", f"Use {' or '.join(FORMS)}.")
        raise Invalid("The map was not exported.", [fault])
    found = [one.draft for one in kept_records(session, project, drafts=latest)]
    if form == "zip":
        return department_zip(found, project.key)
    return department_yaml(project.key, project.title, found).encode()


def read_file(data: bytes, name: str, project: str) -> list[RecordDraft]:
    """Read a department file, or a zip of sheets, into drafts for a project.

    Raises
    ------
    Invalid
        With every fault, each naming its place.
    """
    if len(data) > LARGEST_FILE:
        fault = Fault("size", name, f"holds {len(data):,} bytes; at most {LARGEST_FILE:,} do.")
        raise Invalid(f"{name} was not read.", [fault])
    if data.startswith(b"PK"):
        return read_zip(data, name, project)
    return drafts(read_department(data, name), project)


def plan_import(
    session: Session, project: Project, found: Sequence[RecordDraft], by: Actor
) -> Plan:
    """Return what importing drafts would do; nothing is written.

    Raises
    ------
    Refused
        If the person may not write one of the types.
    """
    for name in sorted({one.type for one in found}):
        require_author(get_registry().of(name), project, by)
    return plan(session, project, found, by)


def keep_import(
    session: Session,
    project: Project,
    found: Sequence[RecordDraft],
    by: Actor,
    reason: str,
    seen: str | None = None,
) -> Plan:
    """Create and change what drafts say, all or nothing.

    Parameters
    ----------
    seen : str, optional
        The digest of the plan that the person was shown.

    Raises
    ------
    Conflict
        If what would be done is not what was shown.
    Invalid
        With every fault; then nothing was written.
    Refused
        As `plan_import`.
    """
    planned = plan_import(session, project, found, by)
    carry_out(session, planned, by, reason, seen)
    return planned
