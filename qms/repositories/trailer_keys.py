"""Which trailers trace: ours, and those that a department maps to the same few roles."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.errors import Fault, Invalid
from qms.frameworks.folders import department_folder, pack_files, unknown_keys
from qms.repositories.trailers import TRACE_KEYS

ROLES = ("implements", "verifies", "fixes", "refers to")
"""What a commit can say of a record."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


@cache
def trailer_keys() -> Mapping[str, str]:
    """Return the role of each trailer key, in lower case, that is in force.

    Raises
    ------
    Invalid
        With every fault of the department's files.
    """
    return read_trailer_keys(department_folder("trailers"))


def read_trailer_keys(own: Path | None) -> Mapping[str, str]:
    """Read the department's keys; each is added to ours or gives one of ours another role.

    Raises
    ------
    Invalid
        With every fault of every file, each with its line.
    """
    faults: list[Fault] = []
    keys = dict(TRACE_KEYS)
    for pack in pack_files(None, "trailers", faults, own):
        faults += unknown_keys(pack, "TK01", pack.value, frozenset({"trailers"}))
        given = pack.value.get("trailers")
        if not isinstance(given, Mapping) or not given:
            mend = "Write trailers: and below it, for example, Closes: fixes."
            faults.append(pack.fault("TK01", ("trailers",), "maps no key to a role.", mend))
            continue
        for key, role in given.items():
            at = ("trailers", key)
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                what = "is no key of a trailer."
                faults.append(pack.fault("TK02", at, what, "Use letters, digits and -."))
            elif role not in ROLES:
                what = f"is mapped to {str(role)[:60]!r}, which is no role."
                faults.append(pack.fault("TK03", at, what, f"Use {', '.join(ROLES)}."))
            else:
                keys[key.lower()] = role
    if faults:
        raise Invalid("The department's trailers cannot come into force.", faults)
    return keys


def digest_of(keys: Mapping[str, str]) -> str:
    """Return what tells one set of keys from another; a scan under another one reads anew."""
    return hashlib.sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()[:16]
