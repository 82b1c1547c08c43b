"""How much is read of one file of results, and how a file that is not read is refused."""

from core.errors import Fault, Invalid

LARGEST_BYTES = 30_000_000
"""A hundred thousand cases with their output; longer reports are split by their tools."""

DEEPEST = 24
"""Six times as deep as suites are nested in the reports that we know."""


def refused(code: str, where: str, what: str, mend: str) -> Invalid:
    """Return the refusal of a whole file."""
    return Invalid("Nothing was read of the results.", [Fault(code, where, what, mend)])


def refuse_too_large(content: bytes, file: str) -> None:
    """Refuse a file before anything of it is read.

    Raises
    ------
    Invalid
        If it has more bytes than are read.
    """
    if len(content) > LARGEST_BYTES:
        what = f"has {len(content)} bytes; at most {LARGEST_BYTES} are read."
        raise refused("TR601", file, what, "Split the report.")
