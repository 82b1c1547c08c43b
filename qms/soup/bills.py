"""Read a CycloneDX bill of materials in JSON, of the versions 1.4 to 1.6. Pure.

A bill comes from anybody: its size, its depth and the number of its components are limited, a key
twice in one object is refused, and every fault is named with its place.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packageurl import PackageURL

from core.errors import Fault, Invalid
from qms.soup.components import Bill, Component, Source, delivered_only, normal_name

LARGEST_BYTES = 10_000_000
DEEPEST = 60
MOST_COMPONENTS = 20_000
LONGEST_TEXT = 2_000
MOST_FAULTS = 200
"""A file of another kind has a fault in every line; the first ones tell what it is."""

SPEC_VERSIONS = ("1.4", "1.5", "1.6")

_NO_PART_OF_IT = frozenset({"file"})
"""Types of component that are no component of the register."""

_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A whole text, whose brackets do not count, or one bracket."""

_HASHES = {"MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512"}


@dataclass
class _Reading:
    """What has been found so far."""

    name: str
    faults: list[Fault] = field(default_factory=list)
    components: list[tuple[str, Component]] = field(default_factory=list)
    left_out: list[Component] = field(default_factory=list)

    def fault(self, code: str, place: str, what: str, mend: str = "") -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(code, f"{self.name} {place}".strip(), what, mend))


def read_sbom(content: bytes, name: str) -> Bill:
    """Return the components that a CycloneDX bill of materials states.

    Raises
    ------
    Invalid
        With every fault of the file.
    """
    top = _json(content, name)
    reading = _Reading(name)
    if top.get("bomFormat") != "CycloneDX":
        mend = "Write it as CycloneDX in JSON."
        reading.fault("SR12", "bomFormat", f"is {_told(top.get('bomFormat'))}.", mend)
    elif top.get("specVersion") not in SPEC_VERSIONS:
        what = f"is {_told(top.get('specVersion'))}; this reader knows {', '.join(SPEC_VERSIONS)}."
        reading.fault("SR12", "specVersion", what, "Convert the file.")
    for count, (place, one) in enumerate(_listed(top, reading), 1):
        if count > MOST_COMPONENTS:
            reading.fault("SR11", "components", f"are more than {MOST_COMPONENTS}.")
            break
        _take(place, one, reading)
    root, edges = _graph(top, reading)
    if reading.faults:
        raise Invalid(f"{name} cannot be read as a bill of materials.", reading.faults)
    components = _related(reading.components, root, edges)
    doubled = _doubled(components, name)
    if doubled:
        raise Invalid(f"{name} cannot be read as a bill of materials.", doubled)
    return Bill(Source.SBOM, name, delivered_only(components), "", tuple(reading.left_out))


def _json(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > LARGEST_BYTES:
        fault = Fault("SR11", name, f"holds {len(content)} bytes, more than {LARGEST_BYTES}.")
        raise Invalid(f"{name} is too large for a bill of materials.", [fault])
    doubled: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and not doubled:
            held = Counter(key for key, _ in pairs)
            doubled.extend(sorted(key for key, count in held.items() if count > 1))
        return found

    try:
        text = content.decode("utf-8-sig")
        _measure_depth(text, name)
        value = json.loads(text, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        fault = Fault("SR10", name, f"is no JSON: {str(error)[:200]}.", "Give a CycloneDX file.")
        raise Invalid(f"{name} cannot be read.", [fault]) from error
    if doubled:
        what = f"has the key {doubled[0][:40]!r} twice in one object."
        raise Invalid(f"{name} is ambiguous.", [Fault("SR10", name, what, "Leave one.")])
    if not isinstance(value, dict):
        fault = Fault("SR10", name, "is no JSON object.", "Give a CycloneDX file.")
        raise Invalid(f"{name} cannot be read.", [fault])
    return value


def _measure_depth(text: str, name: str) -> None:
    """Refuse what is nested too deep before the parser climbs down into it."""
    depth = 0
    for found in _BRACKET.finditer(text):
        letter = found.group()
        if letter in "{[":
            depth += 1
            if depth > DEEPEST:
                fault = Fault("SR11", name, f"is nested more than {DEEPEST} deep.")
                raise Invalid(f"{name} cannot be read.", [fault])
        elif letter in "}]":
            depth -= 1


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _listed(top: Mapping[str, Any], reading: _Reading) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every component with its place, those within components included."""
    waiting: list[tuple[str, Any]] = [("components", top.get("components"))]
    while waiting:
        place, listed = waiting.pop()
        if listed is None:
            continue
        if not isinstance(listed, list):
            reading.fault("SR13", place, "is no list.")
            continue
        for number, one in enumerate(listed):
            at = f"{place}[{number}]"
            if not isinstance(one, dict):
                reading.fault("SR13", at, "is no component.")
                continue
            yield at, one
            waiting.append((f"{at}.components", one.get("components")))


def _take(place: str, one: Mapping[str, Any], reading: _Reading) -> None:
    name, version = _text(one, "name", place, reading), _text(one, "version", place, reading)
    purl = _text(one, "purl", place, reading)
    if not name.strip():
        reading.fault("SR13", place, "has no name.", "Name the component.")
    group = _text(one, "group", place, reading)
    if purl:
        try:
            parsed = PackageURL.from_string(purl)
        except ValueError:
            what = f"has the package URL {purl[:80]!r}, which is none."
            reading.fault("SR14", place, what, "Correct it.")
        else:
            if parsed.version and version and parsed.version != version:
                what = f"is version {version[:40]}, its package URL says {parsed.version[:40]}."
                reading.fault("SR14", place, what, "Make both say the same.")
            version = version or parsed.version or ""
    supplier = one.get("supplier")
    component = Component(
        name=f"{group}/{name}" if group else name,
        version=version,
        purl=purl,
        licence=_licence(one.get("licenses"), place, reading),
        supplier=str(supplier.get("name") or "") if isinstance(supplier, dict) else "",
        hashes=_all_hashes(one, place, reading),
        # "optional" is delivered where it is asked for; only "excluded" is not (CycloneDX, scope).
        delivered=one.get("scope") != "excluded",
    )
    if one.get("type") in _NO_PART_OF_IT:
        reading.left_out.append(component)
    else:
        reading.components.append((str(one.get("bom-ref") or place), component))


def _text(one: Mapping[str, Any], key: str, place: str, reading: _Reading) -> str:
    value = one.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        reading.fault("SR13", f"{place}.{key}", f"is {_told(value)}, no text to be used.")
        return ""
    return value.strip()


def _licence(listed: Any, place: str, reading: _Reading) -> str:
    if listed is None:
        return ""
    if not isinstance(listed, list):
        reading.fault("SR13", f"{place}.licenses", "is no list.")
        return ""
    said = []
    for one in listed:
        held = one.get("license") if isinstance(one, dict) else None
        if isinstance(held, dict):
            said.append(str(held.get("id") or held.get("name") or "")[:LONGEST_TEXT])
        elif isinstance(one, dict):
            said.append(str(one.get("expression") or "")[:LONGEST_TEXT])
    return "; ".join(filter(None, said))


def _all_hashes(one: Mapping[str, Any], place: str, reading: _Reading) -> tuple[str, ...]:
    """Return the hashes of a component, or of the files it may be installed from."""
    found = set(_hashes(one.get("hashes"), place, reading))
    listed = one.get("externalReferences")
    for number, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict) and each.get("type") == "distribution":
            at = f"{place}.externalReferences[{number}]"
            found.update(_hashes(each.get("hashes"), at, reading))
    return tuple(sorted(found))


def _hashes(listed: Any, place: str, reading: _Reading) -> tuple[str, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list):
        reading.fault("SR13", f"{place}.hashes", "is no list.")
        return ()
    return tuple(
        sorted(
            f"{str(one['alg']).lower().replace('sha-', 'sha')}:{str(one.get('content')).lower()}"
            for one in listed
            if isinstance(one, dict) and one.get("alg") in _HASHES
        )
    )


def _graph(top: Mapping[str, Any], reading: _Reading) -> tuple[str, dict[str, list[str]]]:
    """Return the reference of what the bill is of, and what each component asks for."""
    metadata = top.get("metadata")
    subject = metadata.get("component") if isinstance(metadata, dict) else None
    root = str(subject.get("bom-ref") or "") if isinstance(subject, dict) else ""
    listed = top.get("dependencies")
    if listed is None:
        return root, {}
    if not isinstance(listed, list):
        reading.fault("SR13", "dependencies", "is no list.")
        return root, {}
    edges: dict[str, list[str]] = {}
    for number, one in enumerate(listed):
        asked = one.get("dependsOn", []) if isinstance(one, dict) else None
        if not isinstance(asked, list):
            reading.fault("SR13", f"dependencies[{number}]", "states no dependencies.")
            continue
        edges.setdefault(str(one.get("ref")), []).extend(map(str, asked))
    return root, edges


def _related(
    found: list[tuple[str, Component]], root: str, edges: Mapping[str, list[str]]
) -> list[Component]:
    above: dict[str, set[str]] = {}
    names = {reference: normal_name(one.name) for reference, one in found}
    for source, targets in edges.items():
        if source in names:
            for target in targets:
                above.setdefault(target, set()).add(names[source])
    direct = set(edges.get(root, ())) if root else set()
    told = bool(direct)
    return [
        Component(
            **{
                **vars(one),
                "needed_by": tuple(sorted(above.get(reference, ()))),
                "direct": reference in direct if told else None,
            }
        )
        for reference, one in found
    ]


def _doubled(components: list[Component], name: str) -> list[Fault]:
    versions: dict[tuple[str, str], set[str]] = {}
    for one in components:
        versions.setdefault(one.key, set()).add(one.version)
    return [
        Fault("SR06", name, f"states {known} at {', '.join(sorted(held))}.", "State one version.")
        for (_, known), held in versions.items()
        if len(held) > 1
    ]


def _told(value: Any) -> str:
    return "missing" if value is None else repr(value)[:60]
