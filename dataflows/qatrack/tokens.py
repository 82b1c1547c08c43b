"""Keep the token of each server in the folder of keys, apart from the database and its backups.

Beside a token stands the address that it was given for; it is never sent to another one.
"""

import json
import os
import re
import stat
from pathlib import Path

from core.errors import Conflict, Fault, Invalid
from core.signing.keys import key_folder

_TOKEN = re.compile(r"[A-Za-z0-9._-]{16,200}")
"""Django REST framework makes 40 hexadecimal digits; other ways of giving out tokens differ."""


def checked(token: str) -> str:
    """Return a token without the spaces around it.

    Raises
    ------
    Invalid
        If it cannot be one. The refusal does not repeat it.
    """
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        mend = "Copy the 40 letters and digits that QATrack+ shows, and nothing else."
        fault = Fault("QAT03", "token", "is missing or cannot be a token.", mend)
        raise Invalid("This token cannot be used.", [fault])
    return token


def keep(data_dir: Path, server_id: int, address: str, token: str) -> None:
    """Keep a token, readable by this service's account alone, in place of an earlier one."""
    place = _place(data_dir, server_id)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = place.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"address": address, "token": token}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(place)


def forget(data_dir: Path, server_id: int) -> None:
    """Remove the token of a server that is no longer read."""
    _place(data_dir, server_id).unlink(missing_ok=True)


def is_kept(data_dir: Path, server_id: int) -> bool:
    """Tell whether there is a token."""
    return _place(data_dir, server_id).is_file()


def token_of(data_dir: Path, server_id: int, address: str) -> str:
    """Return the token that was given for a server at an address.

    Raises
    ------
    Conflict
        If there is none, it is for another address, or other accounts of the machine can read it.
    """
    place = _place(data_dir, server_id)
    if not place.is_file():
        raise Conflict("There is no token for this server here; give it again on its page.")
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & 0o077:
        raise Conflict(
            f"The token {place.name} in the folder of keys has mode {mode:04o}, so other accounts "
            "can read it; make a new one in QATrack+ and give it on the server's page."
        )
    try:
        kept = json.loads(place.read_text(encoding="ascii"))
        found, given_for = str(kept["token"]), kept["address"]
    except (ValueError, KeyError, TypeError):
        raise Conflict(f"The file {place.name} in the folder of keys holds no token.") from None
    if given_for != address:
        raise Conflict("The token was given for another address; give it again on its page.")
    return found


def _place(data_dir: Path, server_id: int) -> Path:
    return key_folder(data_dir) / f"qatrack-{server_id}.token"
