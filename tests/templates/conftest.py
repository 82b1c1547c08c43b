"""A page of every part, drawn as the service draws its pages, without the service."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from core.people.actor import Actor
from core.web.pages import environment

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture(name="jinja")
def _jinja() -> Environment:
    """The service's own environment, with the page of this folder beside its templates."""
    return environment().overlay(loader=FileSystemLoader([TEMPLATES, Path(__file__).parent]))


@pytest.fixture(name="context")
def _context() -> dict[str, Any]:
    rpm = SimpleNamespace(id=1, key="RPM", title="RT Plan Metrics", demonstration=True)
    department = SimpleNamespace(id=2, key="DEPT", title="Medical Physics", demonstration=True)
    return {
        "request": None,
        "actor": Actor(1, "Esther Quill", "PPL-EQ", {1: frozenset({"quality_manager"})}),
        "project": rpm,
        "projects": [rpm, department],
        "nav": "Trace",
        "version": "0.1.0",
        "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="t">'),
        "now": datetime(2026, 11, 20, 14, 2, tzinfo=UTC),
    }


@pytest.fixture(name="show")
def _show(jinja: Environment) -> Callable[..., str]:
    """Render a line of template with the parts imported."""

    def show(line: str, **values: Any) -> str:
        imports = '{% import "_parts/ui.html" as ui %}{% import "_parts/fields.html" as fields %}'
        return jinja.from_string(imports + line).render(**values)

    return show
