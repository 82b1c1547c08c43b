"""Decide which hosts may be probed: those that whoever runs this service has named.

Pure. A name is judged before anything is asked, an address again after the name was resolved; the
connection goes to the address that was judged. A name on the list never opens this machine itself,
nor a link-local address: those have to be listed as addresses.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import Fault, Invalid

SETTING = "FIDUCIAL_PROBE_HOSTS"

_NAME = re.compile(r"(?!\d+$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Leave(StrEnum):
    """Whether a host may be probed, as far as its name tells."""

    YES = "yes"
    NO = "no"
    BY_ADDRESS = "by address"
    """A name that is not listed; its address may be."""


@dataclass(frozen=True)
class AllowList:
    """The hosts of the setting: names, and networks of addresses."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, entries: Iterable[str]) -> "AllowList":
        """Return the list of a setting.

        Raises
        ------
        Invalid
            With every entry that is neither a name, an address nor a network.
        """
        names, networks, faults = set(), [], []
        for entry in entries:
            text = entry.strip().lower().rstrip(".")
            network = _network(text)
            if network is not None:
                networks.append(network)
            elif _NAME.fullmatch(text):
                names.add(text)
            else:
                what = f"{entry[:60]!r} is neither a host name, an address nor a network."
                mend = "Write e.g. pacs.example.org, 192.0.2.11 or 192.0.2.0/24."
                faults.append(Fault("PRB01", SETTING, what, mend))
        if faults:
            raise Invalid("The hosts that may be probed cannot be read.", faults)
        return cls(frozenset(names), tuple(networks))

    def __bool__(self) -> bool:
        return bool(self.names or self.networks)

    def leave(self, host: str) -> Leave:
        """Return whether a host may be probed, before its name is resolved.

        Examples
        --------
        >>> AllowList.read(["192.0.2.0/24"]).leave("198.51.100.7").value
        'no'
        """
        literal = _address(host)
        if literal is not None:
            return Leave.YES if self._covers(literal) else Leave.NO
        if host.lower().rstrip(".") in self.names:
            return Leave.YES
        return Leave.BY_ADDRESS if self.networks else Leave.NO

    def permits(self, host: str, address: str) -> bool:
        """Return whether a connection may go to an address that a host stands for."""
        literal = _address(address)
        if literal is None:
            return False
        if self._covers(literal):
            return True
        return host.lower().rstrip(".") in self.names and not _special(literal)

    def _covers(self, literal: Address) -> bool:
        return any(literal.version == one.version and literal in one for one in self.networks)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    """Return an address; one of IPv4 that is written as IPv6 is the IPv4 one."""
    try:
        literal = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(literal, "ipv4_mapped", None)
    return mapped or literal


def _special(literal: Address) -> bool:
    return (
        literal.is_loopback
        or literal.is_link_local
        or literal.is_multicast
        or literal.is_unspecified
        or literal.is_reserved
    )
