"""Read a department file into record drafts: systems, connections, pathways and QA procedures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import Fault, Invalid
from core.located_yaml import LocatedYaml, read_yaml
from core.records.content import Content, LinkDraft, RecordDraft
from dataflows.devices import device_project, devices_at, split_reference
from dataflows.entries import (
    ConnectionEntry,
    DepartmentEntry,
    Entry,
    LinkEntry,
    PathwayEntry,
    ProcedureEntry,
    QaEntry,
    RecordEntry,
    SystemEntry,
)
from dataflows.entry_checks import label, link_faults

PROJECT = "DEPT"
"""The project that a department file is loaded into unless another is named."""

ACRONYMS = frozenset({"rpm", "vmat", "sabr", "hdr", "ct", "mr", "mri", "pet", "qa", "dicom"})
"""Words of a QA slug that a reader expects in capitals."""


@dataclass(frozen=True, slots=True)
class DepartmentFile:
    """A department file that holds together, with the line of everything in it."""

    document: LocatedYaml
    entry: DepartmentEntry

    @property
    def title(self) -> str:
        """The department's own name."""
        return self.entry.department.name


def load_department(path: Path, project: str = PROJECT) -> list[RecordDraft]:
    """Read a department file into drafts for one project.

    Raises
    ------
    Invalid
        With every fault of the file at once, each naming file, line, record and mend.
    """
    return drafts(read_department(path.read_bytes(), path.name), project)


def read_department(text: str | bytes, name: str) -> DepartmentFile:
    """Check a department file and return it as typed entries."""
    document, faults = read_yaml(text, name)
    found = list(faults)
    entry = None
    try:
        entry = DepartmentEntry.model_validate(document.value)
    except ValidationError as error:
        found += [_shape_fault(document, detail) for detail in error.errors()]
    found += link_faults(document)
    if entry is None or found:
        raise Invalid(
            f"{name} has {len(found)} fault{'s' if len(found) != 1 else ''}; nothing was loaded.",
            tuple(found),
        )
    return DepartmentFile(document, entry)


def drafts(file: DepartmentFile, project: str = PROJECT) -> list[RecordDraft]:
    """Turn the entries into drafts: systems, connections, pathways, then QA procedures."""
    entry, document = file.entry, file.document
    gaps: dict[str, list[dict[str, str]]] = {}
    for gap in entry.department.known_gaps:
        gaps.setdefault(gap.connection, []).append({"id": gap.id, "what": gap.what})

    def draft(type_name: str, uid: str, content: Content, *path: str | int) -> RecordDraft:
        return RecordDraft(
            project=project, type=type_name, uid=uid, content=content, origin=document.where(path)
        )

    found = [draft("system", s.id, _system(s), "systems", i) for i, s in enumerate(entry.systems)]
    found += [
        draft("connection", c.id, _connection(c, gaps.get(c.id, [])), "connections", i)
        for i, c in enumerate(entry.connections)
    ]
    found += [
        draft("pathway", p.id, _pathway(p), "pathways", i) for i, p in enumerate(entry.pathways)
    ]
    found += [
        draft("qa_procedure", p.id, _named(p), "procedures", i)
        for i, p in enumerate(entry.procedures)
    ]
    taken = {one.uid for one in found} | {one.id for one in entry.records}
    numbers = (uid for n in count(1) if (uid := f"QA-{n:03d}") not in taken)
    found += [
        draft("qa_procedure", next(numbers), content, *path) for content, path in _procedures(entry)
    ]
    found += [
        draft(r.type, r.id, _whole(r, project), "records", i) for i, r in enumerate(entry.records)
    ]
    return found


def content_of(
    entry: Entry, project: str = PROJECT, gaps: Sequence[Mapping[str, str]] = ()
) -> Content:
    """Return what one entry of the sections says of its record.

    Parameters
    ----------
    gaps : sequence of mapping
        The known gaps that the file states of a connection.
    """
    if isinstance(entry, SystemEntry):
        return _system(entry)
    if isinstance(entry, ConnectionEntry):
        return _connection(entry, gaps)
    if isinstance(entry, PathwayEntry):
        return _pathway(entry)
    if isinstance(entry, ProcedureEntry):
        return _named(entry)
    if isinstance(entry, RecordEntry):
        return _whole(entry, project)
    raise TypeError(f"A {type(entry).__name__} is no record of its own.")


def _system(entry: SystemEntry) -> Content:
    links = [LinkDraft("part_of", entry.parent)] if entry.parent else []
    for reference in entry.realises:
        device, uid = split_reference(reference)
        links.append(LinkDraft("realises", uid, project=device or device_project(uid)))
    return Content(
        title=entry.name,
        body=entry.note or "",
        fields=_filled(
            kind=entry.kind,
            owner=entry.owner,
            criticality=entry.criticality,
            manufacturer=entry.manufacturer,
            product=entry.product,
            version=entry.version,
        ),
        links=tuple(links),
    )


def _connection(entry: ConnectionEntry, gaps: Sequence[Mapping[str, str]]) -> Content:
    plain = entry.model_dump(
        include={
            "category",
            "status",
            "protocol",
            "data_types",
            "trigger",
            "mode",
            "identifiers",
            "transformation",
            "integrity",
            "interpretation",
            "consistency",
            "tls",
            "interface",
            "fallback",
            "responsible",
        }
    )
    associations = [
        {
            "role": a.role,
            "scu_ae": a.scu.ae,
            "scp_ae": a.scp.ae,
            "scp_host": a.scp.host,
            "scp_port": a.scp.port,
            "service": a.service,
        }
        for a in entry.associations
    ]
    return Content(
        title=entry.name or f"{', '.join(entry.data_types)} from {entry.source} to {entry.target}",
        body=entry.note or "",
        fields=_filled(
            **plain,
            associations=associations,
            failure_modes=[mode.model_dump() for mode in entry.failure_modes],
            surveyed_from=entry.surveyed.source,
            surveyed_on=entry.surveyed.date.isoformat(),
            surveyed_by=entry.surveyed.staff_group,
            known_gaps=[dict(gap) for gap in gaps],
        ),
        links=(LinkDraft("from_system", entry.source), LinkDraft("to_system", entry.target)),
    )


def _pathway(entry: PathwayEntry) -> Content:
    steps = (
        LinkDraft("steps", s.connection, attributes={"entry": True} if s.entry else {})
        for s in entry.steps
    )
    return Content(
        title=entry.name,
        body=entry.note or "",
        fields={"modality": entry.modality},
        links=tuple(steps),
    )


def _procedures(entry: DepartmentEntry) -> Iterator[tuple[Content, tuple[str | int, ...]]]:
    """Yield the QA procedures in file order, connections before pathways."""
    systems = {s.id: s.model_dump(include={"parent", "realises"}) for s in entry.systems}
    for i, connection in enumerate(entry.connections):
        way = f"{connection.source} to {connection.target} ({connection.id})"
        for j, qa in enumerate(connection.qa):
            title = f"Data transfer {way}" if qa.ref.startswith("dt-") else human_name(qa.ref)
            link = LinkDraft("controls_connection", connection.id)
            devices = devices_at(systems, (connection.source, connection.target))
            yield _procedure(qa, title, link, devices), ("connections", i, "qa", j)
    for i, pathway in enumerate(entry.pathways):
        for j, qa in enumerate(pathway.qa):
            link = LinkDraft("controls_pathway", pathway.id)
            yield _procedure(qa, human_name(qa.ref), link, ()), ("pathways", i, "qa", j)


def _procedure(qa: QaEntry, title: str, link: LinkDraft, devices: Sequence[str]) -> Content:
    monitored = []
    for reference in qa.monitors:
        project, uid = split_reference(reference)
        monitored.append(LinkDraft("monitors", uid, project=project or devices[0]))
    return Content(
        title=title,
        fields=_filled(
            source=qa.kind,
            slug=qa.ref,
            instance=qa.instance,
            scope=qa.scope,
            frequency=qa.frequency,
        ),
        links=(link, *monitored),
    )


def _named(entry: ProcedureEntry) -> Content:
    links = [LinkDraft("controls_connection", uid) for uid in entry.connections]
    links += [LinkDraft("controls_pathway", uid) for uid in entry.pathways]
    for reference in entry.monitors:
        project, uid = split_reference(reference)
        links.append(LinkDraft("monitors", uid, project=project))
    return Content(
        title=entry.name,
        body=entry.note or "",
        fields=_filled(
            source=entry.kind,
            slug=entry.ref,
            instance=entry.instance,
            scope=entry.scope,
            frequency=entry.frequency,
        ),
        links=tuple(links),
    )


def _whole(entry: RecordEntry, project: str) -> Content:
    def link(stated: LinkEntry) -> LinkDraft:
        other, uid = split_reference(stated.to)
        other = None if other == project else other
        return LinkDraft(stated.role, uid, project=other, attributes=stated.attributes)

    return Content(entry.title, entry.text, entry.fields, tuple(map(link, entry.links)))


def human_name(slug: str) -> str:
    """Return a QA slug as words.

    Examples
    --------
    >>> human_name("rpm-end-to-end-monthly")
    'RPM end to end monthly'
    >>> human_name("e2e-hdr-annual")
    'End to end HDR annual'
    """
    words = slug.replace("e2e", "end-to-end").replace("_", "-").split("-")
    spoken = " ".join(word.upper() if word in ACRONYMS else word for word in words if word)
    return spoken[:1].upper() + spoken[1:]


def _shape_fault(document: LocatedYaml, detail: Mapping[str, Any]) -> Fault:
    """Say a pydantic error in the words of the file."""
    path = tuple(detail["loc"])
    field = ".".join(str(part) for part in path[2:]) or ".".join(str(part) for part in path)
    where = label(document, path)
    if detail["type"] == "extra_forbidden":
        return Fault(
            "unknown-field",
            where,
            f"There is no field '{field}'.",
            "Correct its spelling, or take it away.",
        )
    if detail["type"] == "missing":
        return Fault("missing-field", where, f"The field '{field}' is missing.", "Add it.")
    message = str(detail["msg"]).removeprefix("Value error, ")
    return Fault(
        "wrong-value",
        where,
        f"The field '{field}': {message[:1].lower()}{message[1:]}.",
        f"It holds {detail['input']!r:.60}.",
    )


def _filled(**fields: Any) -> dict[str, Any]:
    """Return the fields that say something; False is an answer, an empty list is none."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
