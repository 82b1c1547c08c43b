"""What records hold that their types know no longer: told, so that nothing is lost in silence."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.content import Content
from core.records.models import Link, Record, Revision
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import TypeRegistry


def left_over(record_type: RecordType, content: Content) -> list[str]:
    """Return what a revision holds and its type does not ask for, each in words."""
    told = list(_fields(record_type, dict(content.fields)))
    told += [
        f"link '{link.role}' to {link.target}"
        for link in content.links
        if link.role not in record_type.links
    ]
    return told


def left_over_everywhere(session: Session, registry: TypeRegistry) -> list[str]:
    """Return what the records of an installation hold and no type knows, with how many do.

    Only the latest revisions are looked at: what came before stays readable as it was.
    """
    counted: Counter[str] = Counter()
    rows = session.execute(
        select(col(Record.type), col(Revision.fields)).join(
            Revision, col(Revision.id) == col(Record.latest_id)
        )
    )
    for type_name, fields in rows:
        if type_name not in registry:
            counted[f"type '{type_name}'"] += 1
            continue
        for one in _fields(registry.of(type_name), fields):
            counted[f"{type_name}: {one}"] += 1
    links = session.execute(
        select(col(Record.type), col(Link.role))
        .join(Record, col(Record.latest_id) == col(Link.revision_id))
        .order_by(col(Link.id))
    )
    for type_name, role in links:
        if type_name in registry and role not in registry.of(type_name).links:
            counted[f"{type_name}: link '{role}'"] += 1
    return [f"{what} ({number})" for what, number in sorted(counted.items())]


def _fields(record_type: RecordType, fields: dict[str, object]) -> Iterator[str]:
    for name, value in fields.items():
        spec = record_type.fields.get(name)
        if spec is None:
            yield f"field '{name}'"
        elif _is_no_choice(spec, value):
            yield f"'{value}' as {spec.label}"


def _is_no_choice(spec: FieldSpec, value: object) -> bool:
    return spec.kind == "choice" and value not in (None, "", *spec.choices)
