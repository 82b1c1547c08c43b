"""A small file takes a small memory, whatever it makes of itself: told, not measured in time."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.verifies("TST-031")

READ = """
import resource, sys
from pathlib import Path
from core.errors import Invalid
from core.records.types import get_registry
from qms.interchange.readers.reading import read_corpus
from qms.interchange.returning.reading import read_records
import openpyxl
form, path = sys.argv[1:]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    if form == "corpus":
        told = read_corpus(Path(path)).findings
    else:
        told = read_records(Path(path), get_registry()).faults
    codes = {one.code for one in told}
except Invalid as refusal:
    codes = {one.code for one in refusal.faults}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, *sorted(codes))
"""


def reading(form: str, path: Path) -> tuple[int, set[str]]:
    """Megabytes that a process of its own took for reading a file, and what it found."""
    run = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", READ, form, str(path)], capture_output=True, text=True, check=True
    )
    peak, *codes = run.stdout.split()
    return int(peak), set(codes)


def workbook(path: Path, shared: str, rows: str) -> Path:
    """A workbook whose cells say one of the texts that its sheets share."""
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.active.append(["Id", "Title"])
    held = io.BytesIO()
    book.save(held)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    texts = f"<si><t>Id</t></si><si><t>Title</t></si><si><t>{shared}</t></si>"
    top = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    with zipfile.ZipFile(held) as old:
        members = {name: old.read(name).decode() for name in old.namelist()}
    members["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{texts}</sst>'
    members["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{main}"><sheetData>{top}{rows}</sheetData></worksheet>'
    )
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    types = members["[Content_Types].xml"]
    if "sharedStrings" not in types:
        members["[Content_Types].xml"] = types.replace("</Types>", part)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return path


def cells(count: int) -> str:
    return "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="s"><v>2</v></c></row>'
        for n in range(2, count + 2)
    )


@pytest.mark.parametrize("form", ["corpus", "records"])
@pytest.mark.parametrize(("length", "count"), [(1_000_000, 500), (199_000, 1_500)])
def test_one_text_in_every_cell_of_a_workbook_is_refused(
    tmp_path: Path, form: str, length: int, count: int
) -> None:
    path = workbook(tmp_path / "a.xlsx", "".join(map(str, range(length)))[:length], cells(count))

    peak, codes = reading(form, path)

    assert codes & {"TR001", "TR308"}
    assert peak < 200


def test_a_long_text_of_json_takes_no_memory_for_each_of_its_characters(tmp_path: Path) -> None:
    path = tmp_path / "needs.json"
    need = {"id": "A", "type": "req", "title": "x" * 4_000_000}
    path.write_text(json.dumps({"current_version": "1", "versions": {"1": {"needs": {"A": need}}}}))

    peak, codes = reading("corpus", path)

    assert codes == set()
    assert peak < 100
