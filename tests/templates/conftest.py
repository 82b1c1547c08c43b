"""The pages' environment without the service: strict, autoescaped, every template of ours."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture(name="jinja")
def _jinja() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters["local_time"] = lambda moment: f"{moment:%d %b %Y %H:%M} +00:00"
    return environment


@pytest.fixture(name="context")
def _context() -> dict[str, Any]:
    rpm = SimpleNamespace(key="RPM", title="RT Plan Metrics", demonstration=True)
    department = SimpleNamespace(key="DEPT", title="Medical Physics", demonstration=True)
    return {
        "request": None,
        "actor": SimpleNamespace(name="Esther Quill", uid="PPL-003"),
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
