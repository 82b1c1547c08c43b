"""The forms in which the records of a project are written to one file."""

from collections.abc import Sequence

from core.errors import Invalid
from core.records.types import TypeRegistry
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.json_form import to_json
from qms.interchange.writers.needs import to_needs
from qms.interchange.writers.reqif import to_reqif, to_reqifz
from qms.interchange.writers.spreadsheet import to_workbook

FORMS = ("json", "needs", "reqif", "reqifz", "xlsx")


def write_as(
    form: str, project: str, title: str, records: Sequence[RecordFile], registry: TypeRegistry
) -> bytes:
    """Return the records of a project in one of the forms.

    Raises
    ------
    Invalid
        If there is no such form, or it has no room for what a record says.
    """
    match form:
        case "json":
            return to_json(project, title, records)
        case "needs":
            return to_needs(project, records, registry)
        case "reqif":
            return to_reqif(project, title, records, registry)
        case "reqifz":
            return to_reqifz(project, title, records, registry)
        case "xlsx":
            return to_workbook(project, records, registry)
    known = ", ".join(FORMS)
    raise Invalid(f"'{form[:40]}' is no form of records; there are markdown, {known}.")
