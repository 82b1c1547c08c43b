"""What a lock file, a bill of materials or an environment says something is made of. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache

from packageurl import PackageURL

PYPI = "pypi"
"""The type of package URL that every entry of a Python lock file has."""

_OF_ENVIRONMENTS = frozenset({PYPI, "generic"})
"""Packages, and the interpreter that runs them."""

_SEPARATORS = re.compile(r"[-_.]+")


class Source(StrEnum):
    """Where a list of components was read."""

    LOCK = "lock file"
    SBOM = "bill of materials"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Component:
    """One component of what was built, as its source states it.

    Attributes
    ----------
    hashes : tuple of str
        ``sha256:<hex>`` of each file that may be installed for it.
    direct : bool or None
        Whether the software itself asks for it; None where the source does not tell.
    delivered : bool
        Whether it goes out with the software; False for tools of development and test.
    needed_by : tuple of str
        Normal names of the components that ask for it.
    condition : str
        The environment marker it stands under.
    """

    name: str
    version: str
    purl: str = ""
    licence: str = ""
    supplier: str = ""
    hashes: tuple[str, ...] = ()
    direct: bool | None = None
    delivered: bool = True
    needed_by: tuple[str, ...] = ()
    condition: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The type of package it is, empty where its source does not tell, and its normal name."""
        return identity(self.purl, self.name)


@dataclass(frozen=True)
class Bill:
    """All components that one source states.

    Attributes
    ----------
    name : str
        The file's name, or the environment's.
    read_for : str
        The environment that conditions were decided for; empty where there was none to decide.
    left_out : tuple of Component
        Stated, and not for that environment.
    """

    source: Source
    name: str
    components: tuple[Component, ...]
    read_for: str = ""
    left_out: tuple[Component, ...] = ()

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The types of package that this source can state."""
        if self.source is Source.LOCK:
            return frozenset({PYPI})
        stated = frozenset(one.key[0] for one in self.components) - {""}
        return stated | _OF_ENVIRONMENTS if self.source is Source.ENVIRONMENT else stated

    @cached_property
    def by_name(self) -> Mapping[str, Component]:
        """The components by their normal names."""
        return {one.key[1]: one for one in self.components}

    def brought_by(self, component: Component) -> tuple[str, ...]:
        """Return the names of the nearest direct components that ask for a component, in order."""
        found, seen, waiting = set(), {component.key[1]}, list(component.needed_by)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            above = self.by_name.get(name)
            if above is None:
                continue
            if above.direct:
                found.add(above.name)
            else:
                waiting.extend(above.needed_by)
        return tuple(sorted(found))


def normal_name(name: str) -> str:
    """Return the one spelling that names of a Python package have in common (PEP 503)."""
    return _SEPARATORS.sub("-", name.strip()).casefold()


@lru_cache(maxsize=4096)
def package_url(text: str) -> PackageURL | None:
    """Return a package URL in its parts; None for what is none."""
    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None


def identity(purl: str, name: str) -> tuple[str, str]:
    """Return the type and the normal name of a package URL, or no type and that of `name`.

    Examples
    --------
    >>> identity("pkg:pypi/Ruamel.YAML@0.18", ""), identity("", "GEOS")
    (('pypi', 'ruamel-yaml'), ('', 'geos'))
    """
    parts = package_url(purl) if purl else None
    if parts is None:
        return ("", normal_name(name))
    whole = f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name
    return (parts.type, normal_name(whole))


def are_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two identities can be the same component: a type that nobody states fits any."""
    return one[1] == other[1] and (one[0] == other[0] or not one[0] or not other[0])


def version_in(purl: str) -> str:
    """Return the version of a package URL; empty where it states none."""
    parts = package_url(purl) if purl else None
    return (parts.version or "") if parts else ""


def delivered_only(components: Iterable[Component]) -> tuple[Component, ...]:
    """Mark what is only there for the tools of development and test.

    What any delivered component asks for is delivered with it; without knowing what is asked for
    directly, everything is.
    """
    listed = tuple(components)
    if not any(one.direct and one.delivered for one in listed):
        return listed
    below: dict[str, list[str]] = {}
    for one in listed:
        for above in one.needed_by:
            below.setdefault(above, []).append(one.key[1])
    waiting = [one.key[1] for one in listed if one.delivered and one.direct is not False]
    waiting += [one.key[1] for one in listed if not one.needed_by and one.delivered]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(below.get(name, ()))
    return tuple(_as_reached(one, one.key[1] in reached) for one in listed)


def _as_reached(one: Component, reached: bool) -> Component:
    """Return a component marked; what only development asks for may have come along as well."""
    direct = False if reached and not one.delivered else one.direct
    return replace(one, delivered=reached, direct=direct)
