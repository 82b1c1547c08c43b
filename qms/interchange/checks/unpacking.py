"""The files of a check laid into a folder: as they were sent, or as a zip of them holds them."""

from collections.abc import Iterable
from pathlib import Path

from core.errors import Fault, Invalid
from qms.interchange.checks.arriving import NOTHING, is_archive, safe_name
from qms.interchange.corpus import Place
from qms.interchange.readers.archives import members
from qms.interchange.readers.codes import ARCHIVE, OUTSIDE
from qms.interchange.readers.gathering import Gathering


def lay_out(files: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Write files below an empty folder and return how many there are.

    Raises
    ------
    Invalid
        With every member of an archive that leads elsewhere, is a link or cannot be unpacked, or
        for an archive that unpacks to too much; none of its files is read then.
    """
    into = Gathering("zip")
    count = 0
    for name, data in files:
        found = members(data, name, into) if is_archive(name) else [(name, data)]
        for inside, content in found:
            count += _put(inside.replace("\\", "/"), content, folder, name, into)
    if into.findings:
        told = [Fault(one.code, str(one.place), one.what, one.mend) for one in into.findings]
        raise Invalid(NOTHING, told)
    return count


def _put(name: str, content: bytes, folder: Path, archive: str, into: Gathering) -> int:
    if not safe_name(name):
        what = f"The member '{name[:80]}' has a name that no folder can hold."
        into.fault(OUTSIDE, Place(archive), what, "Pack the archive again.")
        return 0
    place = folder / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as opened:
            opened.write(content)
    except OSError:
        what = f"The member '{name[:80]}' stands twice, or where another one is a folder."
        into.fault(ARCHIVE, Place(archive), what, "Pack the archive again.")
        return 0
    return 1
