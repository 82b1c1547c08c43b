"""The OpenAPI document: what every route takes and what it may answer, refusals included.

What a route is says most of it: whether somebody must be signed in, whether it changes anything,
whether its address names something. The few routes that answer otherwise say so themselves.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from fastapi.routing import RouteContext, iter_route_contexts

from core.people.tokens import RIGHTS
from core.web import CurrentPerson
from core.web.access import signed_in
from core.web.answers import TOLD
from core.web.forgery import HEADER
from core.web.identity import COOKIE, for_programs, gives_file
from core.web.sessions import RIGHT_OF

router = APIRouter(tags=["description"])

SESSION, FORM_TOKEN, BEARER = "session", "form_token", "token"

SECURITY_SCHEMES = {
    SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The session that signing in opens.",
    },
    FORM_TOKEN: {
        "type": "apiKey",
        "in": "header",
        "name": HEADER,
        "description": "The token that the session's forms carry as csrf_token; either will do.",
    },
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that a person made for a program on the page of their account. "
        "The names beside it say what it must have been made for besides reading: "
        + "; ".join(f"{right}, to {told}" for right, told in RIGHTS.items())
        + ".",
    },
}

REFUSAL = {
    "type": "object",
    "title": "Refusal",
    "description": "Why nothing was done.",
    "required": ["message", "faults"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string"},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "where", "what", "mend"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string"},
                    "where": {"type": "string"},
                    "what": {"type": "string"},
                    "mend": {"type": "string"},
                },
            },
        },
    },
}

TABLE = {
    "type": "object",
    "title": "Table",
    "description": "A table as a page shows it, with where it comes from.",
    "required": ["title", "about", "headings", "rows"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string"},
        "about": {"type": "object", "additionalProperties": {"type": "string"}},
        "headings": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
    },
}

_PAGE = {"text/html": {"schema": {"type": "string"}}}
_WORDS = {"text/plain": {"schema": {"type": "string"}}}
_FILE = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
_TOLD = {**_PAGE, **_JSON}
_EXPORTED = {"application/json": {"schema": {"$ref": "#/components/schemas/Table"}}}

_MEDIA: Mapping[object, Mapping[str, Any]] = {
    HTMLResponse: _PAGE,
    JSONResponse: {"application/json": {"schema": {"type": "object"}}},
    FileResponse: _FILE,
}
"""What a route answers with, by the class that its function says it returns; else both."""

BAD_REQUEST = 400

LEADS_ON = "Leads to the page to read next; to the sign-in page where nobody is signed in."


@router.get("/openapi.json")
def show_description(request: Request, _person: CurrentPerson) -> JSONResponse:
    """Return this document."""
    return JSONResponse(request.app.openapi())


def describe(service: FastAPI) -> dict[str, Any]:
    """Return the document of a service; it is made once."""
    if service.openapi_schema is None:
        document = get_openapi(title=service.title, version=service.version, routes=service.routes)
        for route in iter_route_contexts(service.routes):
            for method in route.methods or ():
                operation = document["paths"].get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    _complete(operation, route, method)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for replaced in ("HTTPValidationError", "ValidationError"):
            schemas.pop(replaced, None)
        schemas |= {"Refusal": REFUSAL, "Table": TABLE}
        components["securitySchemes"] = SECURITY_SCHEMES
        service.openapi_schema = document
    return service.openapi_schema


def _complete(operation: dict[str, Any], route: RouteContext, method: str) -> None:
    """Say of an operation what follows from its address, its method and who may ask for it."""
    changes, path = method != "GET", route.path_format or ""
    personal = any(call is signed_in for call in calls_of(route.dependant))
    refusal = _JSON if for_programs(path) else _TOLD
    told = dict(operation["responses"])
    told.pop("422", None)  # what FastAPI would answer; `app.errors` answers for us
    statuses = [*([401] if personal else []), *([404] if "{" in path else [])]
    chosen = "{format_name}" in path or "{type_name}" in path or _reads_query(operation)
    statuses += [403, 409, 422] if changes else [422] if chosen else []
    for status in statuses:
        told[str(status)] = {"description": TOLD[status]}
    for status, said in told.items():
        if int(status) >= BAD_REQUEST:
            said["content"] = dict(refusal)
    told["400"] = {
        "description": "The body cannot be read, or the server does not answer for that host.",
        "content": _WORDS,
    }
    if changes:
        large = "The body is larger than this installation takes."
        told["413"] = {"description": large, "content": _WORDS}
    _describe_success(told, route, leads_on=refusal is _TOLD and (changes or personal))
    _name_every_part(operation, path)
    if personal:
        operation["security"] = [{SESSION: [], FORM_TOKEN: []} if changes else {SESSION: []}]
        if for_programs(path) or (not changes and gives_file(path)):
            rights = sorted({RIGHT_OF[one] for one in calls_of(route.dependant) if one in RIGHT_OF})
            operation["security"].append({BEARER: rights})
            told["429"] = {"description": TOLD[429], "content": dict(refusal)}
    operation["responses"] = dict(sorted(told.items()))


def _reads_query(operation: Mapping[str, Any]) -> bool:
    return any(one["in"] == "query" for one in operation.get("parameters", ()))


def _describe_success(told: dict[str, Any], route: RouteContext, *, leads_on: bool) -> None:
    """Say whether a page, a file, plain values or another address is answered."""
    if leads_on:
        told["303"] = {"description": LEADS_ON}
    returned = inspect.signature(route.endpoint).return_annotation if route.endpoint else None
    if returned is RedirectResponse:
        told.pop("200", None)
    elif "200" in told and (_is_plain(returned) or _schema_of(told["200"])):
        told["200"]["description"] = "What was asked for."
    elif "200" in told:
        content = _MEDIA.get(returned, {**_PAGE, **_FILE})
        if "{format_name}" in (route.path_format or ""):
            content = {**_EXPORTED, **content}
        told["200"] = {"description": "What was asked for.", "content": dict(content)}


def _is_plain(returned: object) -> bool:
    """Whether a route returns values, which its own schema describes."""
    return not (isinstance(returned, type) and issubclass(returned, Response))


def _schema_of(answer: Mapping[str, Any]) -> object:
    """Return the schema that a route states of its answer, if it states one."""
    return answer.get("content", {}).get("application/json", {}).get("schema")


def _name_every_part(operation: dict[str, Any], path: str) -> None:
    """Name the parts of an address that a dependency reads, as the others are named."""
    parameters = operation.setdefault("parameters", [])
    named = {one["name"] for one in parameters if one["in"] == "path"}
    for part in re.findall(r"\{(\w+)\}", path):
        if part not in named:
            said = {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
            parameters.append(said)


def calls_of(dependant: Dependant) -> Iterator[object]:
    """Return everything that a route depends on, however far down."""
    yield dependant.call
    for one in dependant.dependencies:
        yield from calls_of(one)
