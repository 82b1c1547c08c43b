"""The packages of the running environment, as its own metadata states them, with Python itself."""

import platform
import re
from importlib.metadata import Distribution, PackageMetadata, distributions

from qms.soup.components import Bill, Component, Source, normal_name
from qms.soup.markers import MarkerError, described, holds, this_machine

INTERPRETER = "cpython"

_LONGEST_LICENCE = 200
"""Some packages put the whole text of their licence into its field; a name is shorter."""

_WANTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def installed(root: str = "") -> Bill:
    """Return what is installed here, once each, ordered by name.

    Parameters
    ----------
    root : str, optional
        The installed package whose own requirements count as direct; without it nobody can tell
        direct from transitive, as where no such package is installed.
    """
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            # The first one on the path is the one that is imported.
            found.setdefault(normal_name(name), distribution)
    above: dict[str, set[str]] = {name: set() for name in found}
    for name, distribution in found.items():
        for wanted in _requirements(distribution):
            if wanted in above and wanted != name:
                above[wanted].add(name)
    top = normal_name(root) if normal_name(root) in found else ""
    version = platform.python_version()
    interpreter = Component(
        INTERPRETER, version, f"pkg:generic/{INTERPRETER}@{version}", "PSF-2.0", direct=True
    )
    packages = [
        _component(name, found[name], tuple(sorted(above[name] - {top})), top, above[name])
        for name in sorted(found)
        if name != top
    ]
    components = (interpreter, *packages)
    return Bill(Source.ENVIRONMENT, "environment", components, described(this_machine()))


def _component(
    name: str, distribution: Distribution, needed_by: tuple[str, ...], top: str, above: set[str]
) -> Component:
    metadata = distribution.metadata
    version = distribution.version
    return Component(
        name=metadata["Name"],
        version=version,
        purl=f"pkg:pypi/{name}@{version}",
        licence=_licence(distribution, metadata),
        supplier=_stated(metadata, "Author") or _stated(metadata, "Maintainer"),
        direct=(top in above) if top else None,
        needed_by=needed_by,
    )


def _requirements(distribution: Distribution) -> list[str]:
    """Return what a package asks for here; what only an extra asks for is not asked for."""
    here = this_machine()
    found = []
    for stated in distribution.requires or ():
        wanted, _, marker = stated.partition(";")
        named = _WANTED.match(wanted.strip())
        try:
            fits = not marker.strip() or holds(marker.strip(), here)
        except MarkerError:
            # A package's own metadata may be odd; what it may ask for is counted.
            fits = True
        if named and fits:
            found.append(normal_name(named.group()))
    return found


def _licence(distribution: Distribution, metadata: PackageMetadata) -> str:
    licence = _stated(metadata, "License-Expression") or _classified(distribution)
    if licence:
        return licence
    stated = _stated(metadata, "License")
    return stated if "\n" not in stated and len(stated) <= _LONGEST_LICENCE else ""


def _stated(metadata: PackageMetadata, name: str) -> str:
    return metadata[name].strip() if name in metadata else ""


def _classified(distribution: Distribution) -> str:
    classifiers = distribution.metadata.get_all("Classifier") or []
    named = [item.split(" :: ")[-1] for item in classifiers if item.startswith("License :: ")]
    return "; ".join(item for item in named if item != "OSI Approved")
