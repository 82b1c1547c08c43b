"""Read a file of test results, whichever of the formats it is in."""

import codecs

from qms.results.cases import Report
from qms.results.cucumber import read_cucumber
from qms.results.junit import read_junit
from qms.results.refusing import refused

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_results(content: bytes, file: str) -> Report:
    """Read one report, told apart by how it begins and not by what it is called.

    Raises
    ------
    Invalid
        If it is neither XML nor JSON, or cannot be read safely.
    """
    start = content[:4096]
    if start.startswith(_MARKS[1:]):
        return read_junit(content, file)
    start = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"<"):
        return read_junit(content, file)
    if start.startswith((b"[", b"{")):
        return read_cucumber(content.removeprefix(codecs.BOM_UTF8), file)
    what = "is neither XML nor JSON." if start else "is empty."
    raise refused("TR605", file, what, "Send JUnit XML or Cucumber JSON.")
