"""Whether content fits its type: built from the type's YAML, asked on every write."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from textwrap import shorten
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from core.canonical import NotCanonical, canonical_json
from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec, LinkSpec, RecordType

UID = re.compile(r"[A-Z][A-Za-z0-9._-]{0,79}")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

LONGEST_LINE = 500
LONGEST_TEXT = 100_000
MOST_ROWS = 2_000
DEEPEST = 12
YEARS = range(1900, 2201)
"""Of a day that a record states; further off lies a slip of the finger."""


def _finite(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")  # noqa: TRY004 - pydantic's error
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the number must be finite")
    return value


def _a_day(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str):
        raise ValueError("a date is needed, as 2026-11-20")  # noqa: TRY004 - pydantic's error
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text[:40]}' is no date; write it as 2026-11-20") from None
    if day.year not in YEARS:
        raise ValueError(f"{day} is not between {YEARS[0]} and {YEARS[-1]}")
    return day.isoformat()


def _one_line(value: Any) -> Any:
    if isinstance(value, str) and ("\n" in value or "\r" in value):
        raise ValueError("one line is needed")
    return value


def _shallow(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    inner: Sequence[Any] = ()
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    for one in inner:
        _shallow(one, depth + 1)
    return value


Line = Annotated[str, Field(strict=True, max_length=LONGEST_LINE), BeforeValidator(_one_line)]
LongText = Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)]
WholeNumber = Annotated[int, Field(strict=True), BeforeValidator(_finite)]
Number = Annotated[int | float, BeforeValidator(_finite)]

_PLAIN: Mapping[str, Any] = {
    "string": Line,
    "text": LongText,
    "markdown": LongText,
    "integer": WholeNumber,
    "number": Number,
    "boolean": Annotated[bool, Field(strict=True)],
    "date": Annotated[str, BeforeValidator(_a_day)],
    "list": Annotated[list[LongText], Field(max_length=MOST_ROWS)],
    "mapping": Annotated[dict[str, Any], BeforeValidator(_shallow)],
}


def _annotation(name: str, spec: FieldSpec) -> Any:
    if spec.kind == "choice":
        return Literal[spec.choices]
    if spec.kind == "table":
        if not spec.columns:
            return Annotated[list[dict[str, Any]], BeforeValidator(_shallow)]
        return Annotated[list[_model(name, spec.columns)], Field(max_length=MOST_ROWS)]  # type: ignore[misc]
    return _PLAIN[spec.kind]


def _model(name: str, specs: Mapping[str, FieldSpec]) -> type[BaseModel]:
    definitions: dict[str, Any] = {
        field: (_annotation(field, spec) | None, None) for field, spec in specs.items()
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), **definitions)


_MODELS: dict[int, tuple[RecordType, type[BaseModel]]] = {}
"""By identity of the type, which is read once; the type is kept so that its identity stays its."""


def _fields_model(record_type: RecordType) -> type[BaseModel]:
    known = _MODELS.get(id(record_type))
    if known is None or known[0] is not record_type:
        known = (record_type, _model(record_type.name, record_type.fields))
        _MODELS[id(record_type)] = known
    return known[1]


_LINK_MODELS: dict[int, tuple[LinkSpec, type[BaseModel]]] = {}
"""By identity of the link's role in its type, as `_MODELS`: a large record states 40,000 links."""


def _link_model(role: str, spec: LinkSpec) -> type[BaseModel]:
    known = _LINK_MODELS.get(id(spec))
    if known is None or known[0] is not spec:
        known = _LINK_MODELS[id(spec)] = (spec, _model(role, spec.attributes))
    return known[1]


def checked_fields(
    record_type: RecordType, fields: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the fields as they are kept (empty ones left out) and everything wrong with them."""
    given = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    try:
        valid = _fields_model(record_type).model_validate(given)
    except ValidationError as error:
        return {}, [_as_fault(record_type, where, dict(one)) for one in error.errors()]
    return valid.model_dump(exclude_none=True, exclude_unset=True), []


def _as_fault(record_type: RecordType, where: str, error: Mapping[str, Any]) -> Fault:
    name = str(error["loc"][0]) if error["loc"] else ""
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(record_type.fields) or "no fields"
        return Fault(
            "unknown-field",
            where,
            f"a {record_type.label.lower()} has no field '{path}'.",
            f"It has {allowed}.",
        )
    spec = record_type.fields.get(name)
    label = f"{spec.label} ({path})" if spec else path
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] in ("literal_error", "enum") and isinstance(error["input"], str):
        said += f", not '{shorten(error['input'], 60)}'"
    return Fault("wrong-value", where, f"{label}: {said}.")


def content_faults(
    record_type: RecordType, content: Content, where: str
) -> tuple[dict[str, Any], list[Fault]]:
    """Check title, body, fields and the form of the links; targets are looked up elsewhere."""
    faults = []
    if not content.title.strip():
        faults.append(Fault("no-title", where, "has no title.", "Give it one."))
    if len(content.title) > LONGEST_LINE or "\n" in content.title:
        faults.append(
            Fault("title", where, f"the title is longer than one line of {LONGEST_LINE}.")
        )
    if len(content.body) > LONGEST_TEXT:
        faults.append(Fault("text", where, f"the text is longer than {LONGEST_TEXT:,} characters."))
    fields, found = checked_fields(record_type, content.fields, where)
    faults += found
    faults += _link_faults(record_type, content.links, where)
    return fields, faults or _keeping_faults(content, fields, where)


def _keeping_faults(content: Content, fields: Mapping[str, Any], where: str) -> list[Fault]:
    """Check that every database can keep it and that it has a digest."""
    said = {
        "title": content.title,
        "text": content.body,
        "fields": dict(fields),
        "links": [dict(link.attributes) for link in content.links],
    }
    try:
        written = canonical_json(said)
    except NotCanonical as error:
        return [Fault("not-kept", where, f"cannot be kept: {error}")]
    if _NUL.search(written):
        what = "holds a character of the code 0, which no text may have."
        return [Fault("not-kept", where, what, "Take it out.")]
    return []


def _link_faults(record_type: RecordType, links: Sequence[LinkDraft], where: str) -> list[Fault]:
    faults = []
    seen: set[tuple[str, str | None, str]] = set()
    per_role: dict[str, int] = {}
    for link in links:
        spec = record_type.links.get(link.role)
        if spec is None:
            roles = ", ".join(record_type.links) or "none"
            faults.append(
                Fault(
                    "unknown-role",
                    where,
                    f"a {record_type.label.lower()} has no link '{link.role}' (to {link.target}).",
                    f"Its links are: {roles}.",
                )
            )
            continue
        key = (link.role, link.project, link.target)
        per_role[link.role] = per_role.get(link.role, 0) + 1
        if key in seen:
            faults.append(
                Fault("link-twice", where, f"'{spec.label}' {link.target} is stated twice.")
            )
        seen.add(key)
        if not spec.many and per_role[link.role] == 2:
            faults.append(Fault("one-only", where, f"'{spec.label}' leads to one record only."))
        try:
            _link_model(link.role, spec).model_validate(dict(link.attributes))
        except ValidationError as error:
            faults += [
                Fault(
                    "link-attribute",
                    where,
                    f"'{spec.label}' {link.target}, "
                    f"{'.'.join(map(str, one['loc']))}: {one['msg']}.",
                )
                for one in error.errors()
            ]
    return faults


MEND: Mapping[str, str] = {
    "submit": "to submit",
    "assess": "before it is assessed",
    "work": "before work begins",
    "verify": "before it is verified",
    "defer": "to defer",
    "close": "to close",
}
"""By when something is to be filled in, as the end of a sentence."""


def missing_content(
    record_type: RecordType, content: Content, where: str, moment: str = "submit"
) -> list[Fault]:
    """Return what must be filled in by a moment, and what by then may not be as it is.

    A draft may lack it. What was asked for earlier is asked for again.
    """
    asked = lifecycle.ASKED[moment]
    by = "to open it" if (record_type.lifecycle, moment) == ("issue", "submit") else MEND[moment]
    faults = []
    if record_type.body.required in asked and not content.body.strip():
        what = f"{record_type.body.label} is empty."
        faults.append(Fault("missing", where, what, f"Fill it in {by}."))
    for name, spec in record_type.fields.items():
        faults += _field_demands(name, spec, content, where, asked, by)
    stated = {link.role for link in content.links}
    faults += [
        Fault("missing", where, f"there is no link '{spec.label}'.", f"Add one {by}.")
        for role, spec in record_type.links.items()
        if spec.required in asked and role not in stated and _is_asked(spec, content)
    ]
    return faults


def _is_asked(spec: FieldSpec | LinkSpec, content: Content) -> bool:
    """Whether what a part is asked for holds, such as that a complaint is reportable."""
    return all(content.fields.get(name) in wanted for name, wanted in spec.required_when.items())


def _field_demands(
    name: str, spec: FieldSpec, content: Content, where: str, asked: Sequence[str], by: str
) -> list[Fault]:
    value = content.fields.get(name)
    if value in (None, "", [], {}):
        if spec.required in asked and _is_asked(spec, content):
            return [Fault("missing", where, f"{spec.label} is empty.", f"Fill it in {by}.")]
        return []
    faults = []
    if spec.must_be is not None and spec.required in asked and value is not spec.must_be:
        said, wanted = ("yes", "no") if value else ("no", "yes")
        what = f"{spec.label} says {said}."
        faults.append(Fault("not-so", where, what, f"It must say {wanted} {by}."))
    earlier = content.fields.get(spec.not_before) if spec.not_before else None
    if earlier and str(value) < str(earlier):
        what = f"{spec.label} ({value}) is before the day it cannot precede ({earlier})."
        faults.append(Fault("order", where, what, "Correct one of the two."))
    if spec.each is not None and spec.required in asked:
        faults += _unspoken(spec, spec.each, value, where, by)
    return faults


def _unspoken(
    spec: FieldSpec, each: str, rows: Sequence[Mapping[str, Any]], where: str, by: str
) -> list[Fault]:
    """Return which choices of a column no row says anything of."""
    said = {row.get(each) for row in rows if any(row.get(one) for one in row if one != each)}
    lacking = [one for one in spec.columns[each].choices if one not in said]
    if not lacking:
        return []
    what = f"{spec.label} says nothing of {', '.join(lacking)}."
    return [
        Fault(
            "missing", where, what, f"Write a row for each {by}; say why, where there is nothing."
        )
    ]


def refuse_made(record_type: RecordType, content: Content, before: Content | None = None) -> None:
    """Refuse a value for a field that nobody types: an act of its own fills it.

    Parameters
    ----------
    before : Content, optional
        What the record says now; a value that it has may be sent back as it was read.

    Raises
    ------
    Invalid
    """
    held = before.fields if before else {}
    faults = [
        Fault(
            "made-field",
            name,
            f"'{spec.label}' is filled by the act it tells of, and cannot be written.",
            "Leave it as it was read.",
        )
        for name, spec in record_type.fields.items()
        if spec.made and content.fields.get(name) != held.get(name)
    ]
    if faults:
        raise Invalid("Some fields cannot be written; nothing was saved.", faults)
