"""Device, components, known problems, changes and competence, as a pack prints them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from core.records.snapshot import Key, RecordView, Snapshot
from core.records.types import get_registry
from qms.training import is_signed
from validation.pack import contents
from validation.pack.contents import Anomaly, ChangeRow, Component, FactGroup, SoupRow
from validation.pack.evidence import Fact
from validation.pack.wording import number

DEVICE_GROUPS = {
    "Intended use": (
        "intended_use",
        "not_for",
        "patient_population",
        "intended_users",
        "use_environment",
        "principle",
    ),
    "Classification": (
        "regulatory_route",
        "device_class_scheme",
        "device_class",
        "device_class_rule",
        "device_class_reasoning",
        "software_class_scheme",
        "software_class",
        "dcb",
    ),
    "Where it is made and used": (
        "manufacturer",
        "premises_legal_entity",
        "premises_made_at",
        "premises_used_at",
        "premises_rationale",
    ),
}
"""Which fields of the project record describe the device, by heading."""

_SEPARATORS = re.compile(r"[-_.]+")


def device(snapshot: Snapshot, project: str) -> tuple[FactGroup, ...]:
    """Return what the project record says of the device."""
    specs = get_registry().of("project").fields
    groups = []
    for record in snapshot.of_type("project", project):
        for title, names in DEVICE_GROUPS.items():
            facts = tuple(
                Fact(label=specs[name].label, value=number(record.fields[name]))
                for name in names
                if name in specs and record.fields.get(name) not in (None, "", [], {})
            )
            if facts:
                groups.append(FactGroup(title=title, facts=facts))
    return tuple(groups)


def anomalies(snapshot: Snapshot, release: Key) -> tuple[Anomaly, ...]:
    """Return the problems that a release is known to carry."""
    found = [
        snapshot.records.get(link.target) for link in snapshot.outgoing(release, "known_anomalies")
    ]
    return tuple(
        Anomaly(
            uid=one.uid,
            title=one.title,
            severity=str(one.fields.get("severity") or "not rated"),
            state=one.state.replace("_", " "),
            rationale=str(one.fields.get("rationale") or ""),
        )
        for one in found
        if one is not None
    )


def changes(snapshot: Snapshot, project: str) -> tuple[ChangeRow, ...]:
    """Return the changes of a project, each with what it touches."""
    return tuple(
        ChangeRow(
            uid=one.uid,
            title=one.title,
            state=one.state.replace("_", " "),
            impact=", ".join(link.target.uid for link in snapshot.outgoing(one.key, "impacts")),
        )
        for one in snapshot.of_type("change", project)
        if not one.withdrawn
    )


def soup(snapshot: Snapshot, release: Key, environment: Mapping[str, Any]) -> tuple[SoupRow, ...]:
    """Return the registered components that the release's items use, beside what was installed."""
    installed = _installed(environment)
    users: dict[Key, list[str]] = {}
    waiting = [link.target for link in snapshot.outgoing(release, "contains")]
    seen: set[Key] = set()
    while waiting:
        item = waiting.pop(0)
        if item in seen:
            continue
        seen.add(item)
        waiting += [link.target for link in snapshot.outgoing(item, "part_of")]
        for link in snapshot.outgoing(item, "uses"):
            users.setdefault(link.target, []).append(item.uid)
    return tuple(
        _soup(one, tuple(sorted(users[one.key])), installed)
        for one in snapshot.of_type("soup", release.project)
        if one.key in users
    )


def _soup(record: RecordView, used_by: tuple[str, ...], installed: Mapping[str, str]) -> SoupRow:
    fields = record.fields
    evaluated = f"{fields.get('evaluated_on') or 'never'}: {fields.get('evaluation_outcome') or ''}"
    return SoupRow(
        uid=record.uid,
        name=record.title,
        supplier=str(fields.get("supplier") or ""),
        version=str(fields.get("version") or ""),
        installed=installed.get(_canonical(_package(record)), ""),
        licence=str(fields.get("licence") or ""),
        purpose=str(fields.get("functions") or ""),
        risk_level=str(fields.get("risk") or "not rated"),
        evaluated=evaluated.rstrip(": "),
        used_by=used_by,
    )


def components(
    snapshot: Snapshot, project: str, environment: Mapping[str, Any]
) -> tuple[Component, ...]:
    """Return every package that the run's machine had, as the run recorded it.

    Licence and supplier are those of the register; where a package is in no register the bill
    says so, rather than what happens to be installed where the pack is built.
    """
    known = {
        _canonical(_package(one)): one for one in snapshot.of_type("soup", project) if one.in_force
    }
    return tuple(
        _component(name, version, known.get(_canonical(name)))
        for name, version in sorted(_packages(environment).items())
    )


def _component(name: str, version: str, record: RecordView | None) -> contents.Component:
    if record is None:
        return Component(name=name, version=version)
    return Component(
        name=name,
        version=version,
        licence=str(record.fields.get("licence") or ""),
        supplier=str(record.fields.get("supplier") or ""),
    )


def competence(snapshot: Snapshot, project: str, who: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return what those who tested and signed are trained on, at which revision, since when."""
    return tuple(
        Fact(
            label=f"{name} ({did})", value="; ".join(_trainings(snapshot, project, name)) or "none"
        )
        for name, did in who.items()
    )


def _trainings(snapshot: Snapshot, project: str, name: str) -> list[str]:
    found = []
    for person in snapshot.of_type("person", project):
        if person.title != name:
            continue
        for link in snapshot.incoming(person.key, "person"):
            training = snapshot.records[link.source]
            if training.withdrawn or training.fields.get("outcome") != "complete":
                continue
            if not is_signed(training, person.uid):
                continue
            for covers in snapshot.outgoing(training.key, "covers"):
                revision = covers.attributes.get("revision")
                words = (
                    f"{covers.target.uid} revision {revision}" if revision else covers.target.uid
                )
                found.append(f"{words} on {training.fields.get('done')}")
    return found


def _packages(environment: Mapping[str, Any]) -> dict[str, str]:
    packages = environment.get("packages")
    held = packages if isinstance(packages, Mapping) else {}
    return {str(name): str(version) for name, version in held.items()}


def _installed(environment: Mapping[str, Any]) -> dict[str, str]:
    named = {_canonical(name): version for name, version in _packages(environment).items()}
    return {**named, "cpython": str(environment.get("python") or "")}


def _package(record: RecordView) -> str:
    """Return the name in the package URL, or the title where there is none."""
    purl = str(record.fields.get("purl") or "")
    return purl.rpartition("/")[2].partition("@")[0] if purl else record.title


def _canonical(name: str) -> str:
    return _SEPARATORS.sub("-", name.strip()).casefold()
