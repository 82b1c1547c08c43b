"""Decide which Git repositories may be registered: an allow-list, and nothing that Git could run.

Pure. An address is refused by a named code when Git would read it as an option, a command or a
transport other than a local folder, https or ssh, or when it lies outside the allowed sources.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import Fault, Invalid

LONGEST_ADDRESS = 1000
"""No forge makes longer ones; what is longer is an attack on a log or a page."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PATH = re.compile(r"/[A-Za-z0-9._~+@/ -]*")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?P<host>[A-Za-z0-9.-]+):(?P<path>[^:]+)")


class Transport(StrEnum):
    """The three ways in which Git may fetch; each scan allows Git exactly one."""

    LOCAL = "file"
    HTTPS = "https"
    SSH = "ssh"


@dataclass(frozen=True)
class Address:
    """A repository's address that is safe to give to Git.

    Attributes
    ----------
    transport : Transport
        The only transport Git is allowed for this address.
    url : str
        As given to Git: an absolute path, ``https://...`` or ``ssh://...``.
    name : str
        The last part of the path without ``.git``, offered as the repository's name.
    """

    transport: Transport
    url: str
    name: str


def parse_address(text: str) -> Address:
    """Read an address, or refuse it by name.

    Raises
    ------
    Invalid
        With code GIT01 (control characters, length), GIT02 (option-like), GIT03 (a command or
        another transport), GIT04 (a path that climbs), GIT05 (a malformed host, user or path),
        GIT06 (a password inside the address).

    Examples
    --------
    >>> parse_address("git@git.example.org:physics/rt-plan-metrics.git").url
    'ssh://git@git.example.org/physics/rt-plan-metrics.git'
    """
    text = text.strip()
    if not text or len(text) > LONGEST_ADDRESS or not text.isprintable():
        raise _refusal(text, "GIT01", "is empty, too long or holds control characters.")
    if text.startswith("-"):
        raise _refusal(text, "GIT02", "begins with '-', which Git reads as an option.")
    if "::" in text:
        raise _refusal(text, "GIT03", "names a remote helper ('::'), which can run commands.")
    if text.startswith("/"):
        return _local(text, text)
    scp = _SCP.fullmatch(text) if "://" not in text else None
    if scp:
        path = "/" + scp["path"].lstrip("/")
        return _remote(text, Transport.SSH, scp["host"], f"{scp['user']}@", path)
    return _from_url(text)


def _from_url(text: str) -> Address:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refusal(text, "GIT05", f"cannot be read ({error}).") from error
    if parts.scheme == Transport.LOCAL and not parts.netloc:
        return _local(text, unquote(parts.path))
    if parts.scheme not in (Transport.HTTPS, Transport.SSH):
        raise _refusal(text, "GIT03", "uses neither https, ssh nor an absolute local path.")
    if parts.query or parts.fragment:
        raise _refusal(text, "GIT05", "carries a query or a fragment.")
    if parts.password is not None or (parts.scheme == Transport.HTTPS and parts.username):
        raise _refusal(text, "GIT06", "carries a user name or password, which would be stored.")
    user = f"{parts.username}@" if parts.username else ""
    host = (parts.hostname or "") + (f":{port}" if port else "")
    return _remote(text, Transport(parts.scheme), host, user, parts.path)


def _local(text: str, path: str) -> Address:
    _refuse_climbing(text, path)
    if not path.startswith("/") or path == "/":
        raise _refusal(text, "GIT05", "is not the absolute path of a folder.")
    clean = PurePosixPath(path)
    return Address(Transport.LOCAL, str(clean), clean.name.removesuffix(".git"))


def _remote(text: str, transport: Transport, host: str, user: str, path: str) -> Address:
    _refuse_climbing(text, path)
    name = PurePosixPath(path).name.removesuffix(".git")
    if (
        not _HOST.fullmatch(host.partition(":")[0])
        or (user and not _USER.fullmatch(user[:-1]))
        or not _PATH.fullmatch(path)
        or not name
    ):
        raise _refusal(text, "GIT05", "has a host, user or path that cannot be right.")
    url = f"{transport}://{user}{host.lower()}{path.rstrip('/')}"
    return Address(transport, url, name)


def _refuse_climbing(text: str, path: str) -> None:
    if any(part.startswith("-") for part in PurePosixPath(unquote(path)).parts):
        raise _refusal(text, "GIT02", "has a part that begins with '-', an option to Git.")
    if ".." in PurePosixPath(unquote(path)).parts:
        raise _refusal(text, "GIT04", "climbs out of its folder ('..').")


def check_allowed(address: Address, sources: Iterable[str], resolved: str | None = None) -> None:
    """Refuse an address that no allowed source covers.

    Parameters
    ----------
    address : Address
        What someone wants to register or scan.
    sources : iterable of str
        Folders (``/srv/git``) and remote prefixes (``https://git.example.org/physics/``).
    resolved : str, optional
        A local folder after following its links; it, not the written path, must be covered.

    Raises
    ------
    Invalid
        With code GIT07.
    """
    sources = tuple(sources)
    url = resolved if resolved is not None else address.url
    if not any(_covers(source, address.transport, url) for source in sources):
        raise _refusal(
            address.url,
            "GIT07",
            "lies outside the allowed sources.",
            f"Allowed are: {', '.join(sources) or 'none'} (setting FIDUCIAL_REPOSITORY_SOURCES).",
        )


def _covers(source: str, transport: Transport, url: str) -> bool:
    """Compare part by part, so that /srv/git does not cover /srv/gitlab nor a.org a.org.evil."""
    if (transport is Transport.LOCAL) != source.startswith("/"):
        return False
    prefix: Sequence[str] = source.rstrip("/").split("/")
    return url.split("/")[: len(prefix)] == list(prefix)


def _refusal(
    text: str,
    code: str,
    what: str,
    mend: str = "Give an absolute path, an https:// or an ssh:// address.",
) -> Invalid:
    shown = "".join(char if char.isprintable() else "?" for char in text[:80])
    return Invalid("This repository cannot be used.", [Fault(code, shown, what, mend)])
