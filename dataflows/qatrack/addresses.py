"""Decide which QATrack+ servers may be asked: those that whoever runs this service has allowed.

Pure. An administrator of the pages names a server; the setting says which ones may be named, so
that nobody can make this service ask, with a token, what only it can reach.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from core.errors import Fault, Invalid

SETTING = "FIDUCIAL_QATRACK_SERVERS"
LONGEST_ADDRESS = 500

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def parse_address(text: str) -> str:
    """Return the address of a server as it is kept: scheme, host, perhaps port and folder.

    Raises
    ------
    Invalid
        If it is no plain http or https address.

    Examples
    --------
    >>> parse_address(" HTTPS://QA.Example.org/physics/ ")
    'https://qa.example.org/physics'
    """
    text = text.strip()
    if not text or len(text) > LONGEST_ADDRESS or not (text.isascii() and text.isprintable()):
        raise _refusal("is empty, too long or holds characters that no address has.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refusal("cannot be read as an address.") from error
    if parts.scheme not in ("http", "https"):
        raise _refusal("does not begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise _refusal("carries a user name or password; the token has a field of its own.")
    if parts.query or parts.fragment:
        raise _refusal("carries a query or a fragment.")
    host, path = (parts.hostname or "").lower(), parts.path.rstrip("/")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path) or port == 0:
        raise _refusal("has a host, port or folder that cannot be right.")
    usual = {"http": 80, "https": 443}[parts.scheme]
    at = f":{port}" if port not in (None, usual) else ""
    return f"{parts.scheme}://{host}{at}{path}"


def check_allowed(address: str, allowed: Iterable[str]) -> None:
    """Refuse an address that the setting does not cover.

    Raises
    ------
    Invalid
    """
    allowed = tuple(allowed)
    if not any(_covers(one, address) for one in allowed):
        raise Invalid(
            "This server may not be asked.",
            [
                Fault(
                    "QAT02",
                    "address",
                    f"{address} is not among the servers that this service may ask.",
                    f"Allowed are: {', '.join(allowed) or 'none'} (setting {SETTING}).",
                )
            ],
        )


def _covers(allowed: str, address: str) -> bool:
    """Compare part by part, so that qa.example.org does not cover qa.example.org.evil."""
    try:
        prefix = parse_address(allowed).split("/")
    except Invalid:
        return False
    return address.split("/")[: len(prefix)] == prefix


def _refusal(what: str) -> Invalid:
    mend = "Give the address at which its pages begin, as https://qa.example.org"
    return Invalid("This server cannot be used.", [Fault("QAT01", "address", what, mend)])
