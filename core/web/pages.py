"""Render a page: strict templates, autoescaped, with what the frame of every page needs."""

from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.markdown import to_html
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.version import product_version
from core.web import wording
from core.web.forgery import FIELD
from core.web.identity import ProjectName, for_programs

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

SAID = "fiducial_said"
"""The cookie that carries one sentence over a redirect."""

LONGEST_SAID = 500


@lru_cache
def environment() -> Environment:
    """Return the pages' template environment."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    made.filters.update(
        local_time=wording.local_time,
        shortest=wording.shortest,
        utc_time=wording.utc_time,
        words=wording.words,
        age=wording.age,
        pairs=wording.pairs,
        plain_json=wording.plain_json,
        groupby_kept=wording.groupby_kept,
        markdown=to_html,
    )
    return made


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template with its context inside the frame of the request.

    Parameters
    ----------
    status : int
        Other than 200 where a page tells of a refusal and keeps what was typed.
    """
    html = environment().get_template(template).render(_framed(request, context))
    response = HTMLResponse(html, status_code=status)
    if SAID in request.cookies:
        response.delete_cookie(SAID)
    return response


def fragment(request: Request, template: str, **context: Any) -> Markup:
    """Render a part of a page, to be put into another."""
    html = environment().get_template(template).render(_framed(request, context))
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template of ours


def wants_json(request: Request) -> bool:
    """Whether a program asks: by the address or by what it accepts."""
    accepted = request.headers.get("accept", "")
    return (
        for_programs(request.url.path)
        or request.headers.get("authorization", "").lower().startswith("bearer ")
        or ("application/json" in accepted and "text/html" not in accepted)
    )


def say(response: Response, sentence: str) -> None:
    """Let the page that a redirect leads to say one sentence, once."""
    response.set_cookie(
        SAID, quote(sentence[:LONGEST_SAID]), max_age=60, httponly=True, samesite="lax"
    )


def _framed(request: Request, context: dict[str, Any]) -> dict[str, Any]:
    state = request.state
    token = getattr(state, "csrf", "")
    said = request.cookies.get(SAID)
    frame: dict[str, Any] = {
        "request": request,
        "actor": getattr(state, "actor", None),
        "project": getattr(state, "project", None),
        "projects": getattr(state, "projects", []),
        "nav": "",
        "csrf_field": lambda: csrf_input(token),
        "version": product_version(),
        "messages": [unquote(said)[:LONGEST_SAID]] if said else [],
    }
    framed = frame | context
    framed["may_write"] = partial(_may_write, framed["actor"], framed["project"])
    if framed["project"] is None and "demonstration" not in framed:
        framed["demonstration"] = any(one.demonstration for one in framed["projects"])
    return framed


def _may_write(actor: Actor | None, project: Project | ProjectName | None, type_name: str) -> bool:
    """Whether a person begins records of a type here: a page offers only what will be taken."""
    if actor is None or project is None:
        return False
    return actor.has(project.id or 0, *get_registry().of(type_name).raisers)


def csrf_input(token: str) -> Markup:
    """Return the hidden field that every form carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)
