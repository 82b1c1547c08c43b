"""Read records from a folder or from one file in any of the forms in which we write them.

The form is found out from what a file holds; its name says nothing.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import Fault, Invalid
from core.records.types import TypeRegistry
from qms.interchange.markdown.folder import RecordFolder, read_folder
from qms.interchange.markdown.record_file import FENCE, read_record
from qms.interchange.readers.files import LARGEST_BYTES
from qms.interchange.returning.collecting import ELSEWHERE
from qms.interchange.returning.needs import from_needs
from qms.interchange.returning.reqif import from_reqif, from_reqifz
from qms.interchange.returning.workbook import from_workbook
from qms.interchange.writers.json_form import FORMAT, LARGEST_FILE, from_json

_Reader = Callable[[bytes, str, TypeRegistry], RecordFolder]

_ZIP = b"PK\x03\x04"
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte-order marks."""


def read_records(path: Path, registry: TypeRegistry) -> RecordFolder:
    """Read a folder of Markdown, or a file: Markdown, JSON, needs.json, ReqIF or a workbook.

    Raises
    ------
    Invalid
        If there is nothing at the path, if it is too large, or of no form that we write; a file
        of another tool is named.
    """
    if not path.is_file():
        return read_folder(path)
    size = path.stat().st_size
    if size > LARGEST_FILE:
        what = f"holds {size:,} bytes; at most {LARGEST_FILE:,} are read."
        raise Invalid(f"{path.name} was not read.", [Fault("TR308", path.name, what)])
    data = path.read_bytes()
    form = form_of(data)
    if form is None:
        what = "holds no records: neither Markdown, JSON, needs.json, ReqIF nor a workbook of ours."
        raise Invalid(f"{path.name} was not read.", [Fault("TR320", path.name, what, ELSEWHERE)])
    if size > LARGEST_BYTES and form not in ("json", "needs"):
        what = f"holds {size:,} bytes; at most {LARGEST_BYTES:,} are read of this form."
        raise Invalid(f"{path.name} was not read.", [Fault("TR308", path.name, what)])
    return _READERS[form](data, path.name, registry)


def form_of(data: bytes) -> str | None:
    r"""Return the form that a file is in by what it holds, or None.

    Examples
    --------
    >>> form_of(b"---\nid: REQ-001\n---\n"), form_of(b"<REQ-IF/>"), form_of(b"id,title")
    ('markdown', 'reqif', None)
    """
    if data.startswith(_ZIP):
        return _form_of_zip(data)
    start = data[:200]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    start = start.replace(b"\0", b"").lstrip()
    if start.startswith(b"<"):
        return "reqif"
    if start.startswith(b"{"):
        return _form_of_json(data)
    return "markdown" if start.startswith(FENCE.encode()) else None


def _form_of_zip(data: bytes) -> str | None:
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    if "[Content_Types].xml" in names:
        return "xlsx"
    held = any(name.lower().endswith((".reqif", ".xml")) for name in names)
    return "reqifz" if held else None


def _form_of_json(data: bytes) -> str | None:
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return "json"  # whose reader says what is wrong with it
    if not isinstance(value, dict) or value.get("format") == FORMAT:
        return "json"
    return "needs" if "versions" in value else None


def _markdown(data: bytes, name: str, _: TypeRegistry) -> RecordFolder:
    record, faults = read_record(data, name)
    return RecordFolder((record,) if record else (), tuple(faults))


_READERS: Mapping[str, _Reader] = {
    "markdown": _markdown,
    "json": lambda data, name, _: from_json(data, name),
    "needs": from_needs,
    "reqif": from_reqif,
    "reqifz": from_reqifz,
    "xlsx": from_workbook,
}
