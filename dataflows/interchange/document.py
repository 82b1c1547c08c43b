"""Write the map as a department file: the form that `dataflows.department` reads.

An entry of the file says less than a record may: a record that an entry cannot hold without loss
stands whole among `records`, so that reading the file back gives the same records.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from core.records.content import Content, LinkDraft, RecordDraft
from core.records.types import get_registry
from dataflows.department import content_of
from dataflows.entries import (
    ConnectionEntry,
    Entry,
    KnownGapEntry,
    PathwayEntry,
    ProcedureEntry,
    SystemEntry,
)
from dataflows.interchange.planning import normalised

SECTIONS: Mapping[str, tuple[str, type[Entry]]] = {
    "system": ("systems", SystemEntry),
    "connection": ("connections", ConnectionEntry),
    "pathway": ("pathways", PathwayEntry),
    "qa_procedure": ("procedures", ProcedureEntry),
}

HEAD = "# The map of {project}, written by Fiducial. YAML 1.2.\n"


def department_yaml(project: str, title: str, drafts: Sequence[RecordDraft]) -> str:
    """Return records of a map as a department file."""
    document: dict[str, Any] = {
        "schema": "dataflows/2",
        "department": {"id": project, "name": title},
        "systems": [],
        "connections": [],
        "pathways": [],
        "procedures": [],
        "records": [],
    }
    gaps: list[dict[str, Any]] = []
    for draft in drafts:
        section, entry, known = _entry(draft, project)
        document[section].append(entry)
        gaps += [{"id": gap["id"], "connection": draft.uid, "what": gap["what"]} for gap in known]
    if gaps:
        document["department"]["known_gaps"] = gaps
    for optional in ("pathways", "procedures", "records"):
        if not document[optional]:
            del document[optional]
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.allow_unicode = True
    writer.width = 100
    writer.representer.ignore_aliases = lambda *_: True
    out = io.StringIO()
    writer.dump(document, out)
    return HEAD.format(project=project) + out.getvalue()


Gaps = Sequence[Mapping[str, str]]


def _entry(draft: RecordDraft, project: str) -> tuple[str, dict[str, Any], Gaps]:
    """Return section, entry and known gaps of a record: its own section if that holds it all."""
    section, model = SECTIONS[draft.type]
    told = _filled(_WRITERS[draft.type](draft))
    gaps: Gaps = draft.content.fields.get("known_gaps") or ()
    whole = ("records", _whole(draft, project), ())
    try:
        for gap in gaps:
            KnownGapEntry.model_validate({**gap, "connection": draft.uid})
        back = content_of(model.model_validate(told), project, gaps)
    except ValidationError:
        return whole
    record_type = get_registry().of(draft.type)
    same = normalised(record_type, back, project) == normalised(record_type, draft.content, project)
    return (section, told, gaps) if same else whole


def _whole(draft: RecordDraft, project: str) -> dict[str, Any]:
    content = draft.content
    return _filled(
        {
            "type": draft.type,
            "id": draft.uid,
            "title": content.title,
            "text": content.body,
            "fields": dict(content.fields),
            "links": [
                _filled(
                    {
                        "role": link.role,
                        "to": _reference(link, project),
                        "attributes": dict(link.attributes),
                    }
                )
                for link in content.links
            ],
        }
    )


def _reference(link: LinkDraft, project: str = "") -> str:
    if link.project and link.project != project:
        return f"{link.project}/{link.target}"
    return link.target


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _first(content: Content, role: str) -> str | None:
    return next((_reference(one) for one in content.links if one.role == role), None)


def _all(content: Content, role: str) -> list[str]:
    return [_reference(one) for one in content.links if one.role == role]


def _system(draft: RecordDraft) -> dict[str, Any]:
    content = draft.content
    return {
        "id": draft.uid,
        "name": content.title,
        "parent": _first(content, "part_of"),
        "realises": _all(content, "realises"),
        **content.fields,
        "note": content.body,
    }


def _connection(draft: RecordDraft) -> dict[str, Any]:
    content, fields = draft.content, dict(draft.content.fields)
    fields.pop("known_gaps", None)
    associations = [_association(row) for row in fields.pop("associations", None) or ()]
    surveyed = _filled(
        {
            "source": fields.pop("surveyed_from", None),
            "date": fields.pop("surveyed_on", None),
            "staff_group": fields.pop("surveyed_by", None),
        }
    )
    return {
        "id": draft.uid,
        "name": content.title,
        "source": _first(content, "from_system"),
        "target": _first(content, "to_system"),
        **fields,
        "associations": associations,
        "surveyed": surveyed,
        "note": content.body,
    }


def _association(row: Mapping[str, Any]) -> dict[str, Any]:
    scp = {"ae": row.get("scp_ae"), "host": row.get("scp_host"), "port": row.get("scp_port")}
    others = {
        name: value
        for name, value in row.items()
        if name not in ("scu_ae", "scp_ae", "scp_host", "scp_port")
    }
    return _filled({**others, "scu": _filled({"ae": row.get("scu_ae")}), "scp": _filled(scp)})


def _pathway(draft: RecordDraft) -> dict[str, Any]:
    content = draft.content
    steps = [
        {"connection": _reference(one), **dict(one.attributes)}
        for one in content.links
        if one.role == "steps"
    ]
    return {
        "id": draft.uid, "name": content.title, **content.fields, "steps": steps,
        "note": content.body,
    }  # fmt: skip


def _procedure(draft: RecordDraft) -> dict[str, Any]:
    content, fields = draft.content, dict(draft.content.fields)
    return {
        "id": draft.uid,
        "name": content.title,
        "kind": fields.pop("source", None),
        "ref": fields.pop("slug", None),
        **fields,
        "connections": _all(content, "controls_connection"),
        "pathways": _all(content, "controls_pathway"),
        "monitors": _all(content, "monitors"),
        "note": content.body,
    }


_WRITERS = {
    "system": _system,
    "connection": _connection,
    "pathway": _pathway,
    "qa_procedure": _procedure,
}
